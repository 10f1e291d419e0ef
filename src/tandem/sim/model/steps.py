"""What can happen next in a small pool.

Words that can arrive do so before time goes on, in every order between the lines; on one line they
keep their order, as on a stream. Faults, each as often as the pool's budget says, at every moment:

- a worker pauses, with its inbox, and goes on at any later moment;
- a loss: the link of a worker breaks with what is on its way in both directions (and the
  coordinator notices, or does not), for as long as it likes; or a request or report is lost between
  worker and venue;
- a delay: one direction of one line stands still for as long as it likes;
- the coordinator ends, before or after it performed what it decided, and comes back.

Time goes on from one moment that matters to the next: the desk's and the workers' alarms, the
alarm for silence, the end of leases on both sides, the last moment at which an order is taken, the
one after it. Abstracted: heartbeats of a link that nothing hinders are heard at once and all the
time; login, balances and the venue's clock are answered at once and not read again; accounts are
not audited; the order is placed in the first moment, and trades whole when it is taken; the market
stands still; a worker to which nothing comes through hangs up after a while.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tandem.domain import link, venue
from tandem.domain.desk import MS, Due, LeaseLapsed, WorkerLost, WorkerSilent
from tandem.domain.order import FenceClass
from tandem.domain.worker import Say
from tandem.sim.model import acts
from tandem.sim.model.keys import live_alarms
from tandem.sim.model.parts import AHEAD_NS, DEAF_NS, OFFSET_NS, VENUES, Line, Pool

Step = tuple[Any, ...]
CRASHES: Final = "and the coordinator ends"
TICK_NS: Final = 10 * MS  # the moment after the last
READ_LAG_NS: Final = VENUES[0].read_lag_ns


def steps_of(pool: Pool) -> list[Step]:
    """Return everything that can happen next.

    A fault is let strike only where it differs from the same fault a step later: where whatever
    it does not touch has been done. To pause before others have moved, and then to let them move,
    is to let them move and then to pause.
    """
    if is_over(pool):
        return []
    prompt = _first_plain(pool, list(_prompt(pool)))
    steps = list(prompt)
    if pool.restarts:
        steps += [(*one, CRASHES) for one in prompt if _is_desks(one) and one[-1] != "blind"]
    if not prompt and pool.ordered and next_moment_ns(pool) is not None:
        steps.append(("wait",))
    if not pool.ordered and all(_is_desks(one) for one in prompt):
        steps.append(("order",))
    if not prompt or pool.is_fresh:
        steps += _ends_of_faults(pool)
    steps += [fault for fault, touched in _faults(pool) if all(touched(one) for one in prompt)]
    return steps


def _first_plain(pool: Pool, prompt: list[Step]) -> list[Step]:
    """Return the steps on one line that only hand a word on, if there is one; else all.

    What a worker hears of its venue, what it asks there, and what it is asked to ask, decides
    nothing: the order in which it reaches the desk or the venue does, and that is tried in full.
    """
    number = next((one[1] for one in prompt if one[0] == "hear" and _is_plain(pool, one[1])), None)
    return [one for one in prompt if one[0] == "hear" and one[1] == number] or prompt


def _is_plain(pool: Pool, number: int) -> bool:
    kind, word = number % 4, pool.lines[number][0]
    if kind == Line.OUT:
        return isinstance(word[1], link.Acknowledge | link.Ask)
    return kind == Line.TELL or isinstance(word, venue.QueryOrder)


def is_over(pool: Pool) -> bool:
    """Whether the order is done or with a person, and nothing is left that could be taken."""
    if not is_settled(pool):
        return False
    words = [one for line in pool.lines for one in line]
    kinds = (link.Release, venue.PlaceOrder)
    return not any(isinstance(one[1] if isinstance(one, tuple) else one, kinds) for one in words)


def _is_desks(step: Step) -> bool:
    """Whether the desk takes part in it."""
    if step[0] == "hear":
        is_in: bool = step[1] % 4 == Line.IN
        return is_in
    return step[0] in ("due", "silent", "lapse")


def _is_of(which: int) -> Callable[[Step], bool]:
    """Return whether a step is that worker's own."""

    def touched(step: Step) -> bool:
        if step[0] == "hear":
            return bool(step[1] in (4 * which + Line.OUT, 4 * which + Line.TELL))
        return step[0] in ("worker due", "dial", "hang up") and bool(step[1] == which)

    return touched


def _is_on(number: int) -> Callable[[Step], bool]:
    """Return whether a step is the arrival of a word on that line."""
    return lambda step: step[0] == "hear" and bool(step[1] == number)


def _is_linked(which: int) -> Callable[[Step], bool]:
    """Return whether a step could differ when that worker's link breaks before it."""
    own = _is_of(which)
    return lambda step: _is_desks(step) or own(step)


def _is_near(step: Step) -> bool:
    """Whether a step could differ when the coordinator ends before it."""
    return step[0] != "hear" or bool(step[1] % 4 != Line.ASK)


def _prompt(pool: Pool) -> Iterator[Step]:
    """What happens before time goes on."""
    for number, line in enumerate(pool.lines):
        which, kind = divmod(number, 4)
        is_heard = kind in (Line.IN, Line.ASK) or pool.paused != which
        if line and number != pool.stuck and is_heard:
            yield ("hear", number)
            if kind == Line.ASK and _may_be_blind(pool, line[0]):
                yield ("hear", number, "blind")
    alarms = live_alarms(pool)
    if alarms and alarms[0][0] <= pool.now_ns:
        yield ("due",)
    for which in (0, 1):
        yield from _prompt_of(pool, which)
    if any(_lapses_ns(pool, held) <= pool.now_ns for held in _running(pool)):
        yield ("lapse",)


def _prompt_of(pool: Pool, which: int) -> Iterator[Step]:
    deadline_ns = pool.deadlines[which]
    if deadline_ns is not None and deadline_ns <= pool.now_ns:
        yield ("silent", which)
    if pool.paused == which:
        return
    due_ns = pool.workers[which].next_due_ns
    if due_ns is not None and due_ns - AHEAD_NS[which] <= pool.now_ns:
        yield ("worker due", which)
    if _deaf_ns(pool, which) == pool.now_ns:
        yield ("hang up", which)
    if not pool.wires[which] and pool.away != which:
        yield ("dial", which)


def _deaf_ns(pool: Pool, which: int) -> int | None:
    """Return when a worker to which nothing comes through gives its connection up."""
    if pool.stuck != 4 * which + Line.OUT or not pool.wires[which]:
        return None
    return pool.stuck_since_ns + DEAF_NS


def _may_be_blind(pool: Pool, request: venue.VenueRequest) -> bool:
    """Whether a query may not yet see what was taken a moment ago."""
    if not isinstance(request, venue.QueryOrder):
        return False
    taken = pool.taken.get(request.client_order_id)
    return taken is not None and pool.now_ns - taken.at_ns < READ_LAG_NS


def _running(pool: Pool) -> list[Any]:
    return [one for one in pool.book.held.values() if not one.is_over]


def _lapses_ns(pool: Pool, held: Any) -> int:
    span_ns = pool.book.lease_ns + pool.book.margin_ns
    renewed_ns: int = held.renewed_at_ns
    return renewed_ns + span_ns


def _ends_of_faults(pool: Pool) -> Iterator[Step]:
    if pool.paused is not None:
        yield ("resume",)
    if pool.away is not None:
        yield ("back",)
    if pool.stuck is not None:
        yield ("flow",)


def _faults(pool: Pool) -> Iterator[tuple[Step, Callable[[Step], bool]]]:
    """Give every fault that may strike, and what it touches."""
    if pool.pauses:
        for which in (0, 1):
            yield ("pause", which), _is_of(which)
    if pool.restarts:
        yield ("restart",), _is_near
    for which in (0, 1):
        between = (4 * which + Line.OUT, 4 * which + Line.IN)
        beyond = [4 * which + kind for kind in (Line.ASK, Line.TELL) if pool.line(which, kind)]
        if pool.delays:
            yield from ((("stick", one), _is_on(one)) for one in (*between, *beyond))
        if not pool.losses:
            continue
        yield from ((("lose", one), _is_on(one)) for one in beyond)
        if pool.wires[which]:
            yield ("break", which, "noticed"), _is_linked(which)
            yield ("break", which, "unnoticed"), _is_linked(which)


# -- time


def next_moment_ns(pool: Pool) -> int | None:
    """Return the next moment that matters; None when nobody waits for anything."""
    moments = [due_ns for due_ns, _, _ in live_alarms(pool)]
    moments += [_lapses_ns(pool, one) for one in _running(pool) if not _is_renewed(pool, one)]
    for which in (0, 1):
        worker = pool.workers[which]
        deadline_ns = pool.deadlines[which]
        if deadline_ns is not None and not _beats(pool, which):
            moments.append(deadline_ns)
        if pool.paused != which and worker.next_due_ns is not None:
            moments.append(worker.next_due_ns - AHEAD_NS[which])
        if worker.lease.ends_at_ns and not _beats(pool, which):
            moments.append(worker.lease.ends_at_ns - AHEAD_NS[which])
        moments += _expiries(pool, which)
        deaf_ns = _deaf_ns(pool, which)
        if deaf_ns is not None:
            moments.append(deaf_ns)
    later = [one for one in moments if one > pool.now_ns]
    return min(later) if later else None


def _expiries(pool: Pool, which: int) -> Iterator[int]:
    """Return the last moment of an order on its way, and the one after it."""
    if pool.fixed.fence_class is not FenceClass.EXPIRES:
        return
    words = [word for _, word in pool.line(which, Line.OUT)] + pool.line(which, Line.ASK)
    for one in words:
        if isinstance(one, link.Release | venue.PlaceOrder):
            expires_at_ns = one.order.expires_at_ns
            assert expires_at_ns is not None, "class A"
            yield expires_at_ns - OFFSET_NS
            yield expires_at_ns - OFFSET_NS + TICK_NS


def _is_renewed(pool: Pool, held: Any) -> bool:
    which = next(one for one in (0, 1) if pool.workers[one].incarnation == held.holder)
    known = pool.desk.state.workers[held.holder]
    return _beats(pool, which) and known.slot_id is not None and not known.unwanted


def _beats(pool: Pool, which: int) -> bool:
    """Whether heartbeats come and go between this worker and the coordinator."""
    return _may_beat(pool, which) and pool.stuck not in (4 * which + Line.OUT, 4 * which + Line.IN)


def _may_beat(pool: Pool, which: int) -> bool:
    worker = pool.workers[which]
    return pool.paused != which and pool.wires[which] and pool.links[which] == worker.connection


def _wait(pool: Pool) -> None:
    at_ns = next_moment_ns(pool)
    assert at_ns is not None, "somebody waits"
    pool.now_ns, pool.is_fresh = at_ns, True
    for which in (0, 1):
        if _beats(pool, which):
            acts.beat_at_once(pool, which)
        elif _may_beat(pool, which):
            _beat_into_the_queue(pool, which)


def _beat_into_the_queue(pool: Pool, which: int) -> None:
    """Of the heartbeats that stand on a line the first and its like are enough."""
    line = pool.line(which, Line.IN)
    waits = any(isinstance(one, link.Heartbeat) for one in line)
    told = any(isinstance(one, link.BeatAcknowledged) for _, one in pool.line(which, Line.OUT))
    worker = pool.workers[which]
    if told and not waits:
        acts.heard_of(pool, which)
        acts.acknowledgement(pool, which, number=0)
    elif not waits:
        (said,) = worker.beat(pool.worker_now(which))
        assert isinstance(said, Say), "a heartbeat is said"
        line.append(said.message)


# -- to do it


def take(pool: Pool, step: Step) -> None:
    """Let it happen."""
    if step[0] in ("hear", "due", "silent", "lapse", "worker due", "dial", "hang up"):
        pool.is_fresh = False
    _DOES[step[0]](pool, step)
    if not _is_performed(step):
        pool.restarts -= 1
        acts.restart(pool)
    _judge(pool)


def _is_performed(step: Step) -> bool:
    return bool(step[-1] != CRASHES)


def _judge(pool: Pool) -> None:
    """No two workers may have the right to send at once; class A needs no such right."""
    for key, attempt in pool.desk.state.attempts.items():
        taken = pool.taken.get(key)
        if attempt.is_final and attempt.final_cum != (taken.quantity if taken is not None else 0):
            pool.complain(f"{key}: {attempt.ending} with {attempt.final_cum} is not so")
    if pool.fixed.fence_class is FenceClass.EXPIRES:
        return
    if all(
        worker.lease.outlives(pool.worker_now(which).now_ns)
        for which, worker in enumerate(pool.workers)
    ):
        pool.complain("two workers have the right to trade one account")


def _hear(pool: Pool, step: Step) -> None:
    which, kind = divmod(step[1], 4)
    word = pool.lines[step[1]].pop(0)
    if kind == Line.OUT:
        acts.hear_coordinator(pool, which, word[1], epoch=word[0])
    elif kind == Line.IN:
        acts.hear_worker(pool, which, word, is_performed=_is_performed(step))
    elif kind == Line.ASK:
        acts.hear_request(pool, which, word, sees=step[-1] != "blind")
    else:
        acts.hear_venue(pool, which, word)


def _silent(pool: Pool, step: Step) -> None:
    which = step[1]
    pool.deadlines[which] = None
    incarnation = pool.workers[which].incarnation
    acts.feed(pool, WorkerSilent(incarnation=incarnation), is_performed=_is_performed(step))
    if _is_performed(step):
        _lost(pool, which)
        acts.hang_up(pool, which)
        _give_up_line(pool, which)


def _hang_up(pool: Pool, step: Step) -> None:
    """A link that stood still is given up; its worker dials again when words come through."""
    acts.break_wire(pool, step[1])
    _give_up_line(pool, step[1])


def _give_up_line(pool: Pool, which: int) -> None:
    if pool.stuck in (4 * which + Line.OUT, 4 * which + Line.IN):
        pool.stuck, pool.away = None, which


def _lost(pool: Pool, which: int) -> None:
    connection, pool.links[which] = pool.links[which], None
    if connection is not None:
        incarnation = pool.workers[which].incarnation
        acts.feed(pool, WorkerLost(incarnation=incarnation, connection=connection))


def _lapse(pool: Pool, step: Step) -> None:
    for account_id, epoch in pool.book.lapsed(pool.now_ns):
        told = LeaseLapsed(account_id=account_id, account_epoch=epoch)
        acts.feed(pool, told, is_performed=_is_performed(step))


def _break(pool: Pool, step: Step) -> None:
    pool.losses -= 1
    pool.away = step[1]
    acts.break_wire(pool, step[1])
    if step[2] == "noticed":
        _lost(pool, step[1])


def _worker_due(pool: Pool, step: Step) -> None:
    worker = pool.workers[step[1]]
    acts.perform(pool, step[1], worker.on_due(pool.worker_now(step[1])))


def _order(pool: Pool, _step: Step) -> None:
    pool.ordered = True
    acts.order(pool)


def _pause(pool: Pool, step: Step) -> None:
    pool.pauses -= 1
    pool.paused = step[1]


def _stick(pool: Pool, step: Step) -> None:
    pool.delays -= 1
    pool.stuck, pool.stuck_since_ns = step[1], pool.now_ns


def _lose(pool: Pool, step: Step) -> None:
    pool.losses -= 1
    pool.lines[step[1]].pop(0)


def _resume(pool: Pool, _step: Step) -> None:
    pool.paused = None


def _back(pool: Pool, _step: Step) -> None:
    pool.away = None


def _flow(pool: Pool, _step: Step) -> None:
    pool.stuck = None


def _restart(pool: Pool, _step: Step) -> None:
    pool.restarts -= 1
    acts.restart(pool)


_DOES: dict[str, Callable[[Pool, Step], None]] = {
    "hear": _hear,
    "due": lambda pool, step: acts.feed(pool, Due(), is_performed=_is_performed(step)),
    "silent": _silent,
    "lapse": _lapse,
    "worker due": _worker_due,
    "hang up": _hang_up,
    "dial": lambda pool, step: acts.dial(pool, step[1]),
    "wait": lambda pool, _: _wait(pool),
    "order": _order,
    "pause": _pause,
    "resume": _resume,
    "break": _break,
    "back": _back,
    "stick": _stick,
    "flow": _flow,
    "lose": _lose,
    "restart": _restart,
}


def is_settled(pool: Pool) -> bool:
    """Whether the order has come to its end, or waits for a person."""
    state = pool.desk.state
    if not pool.ordered:
        return False
    return not state.working or any(one.for_person for one in state.attempts.values())
