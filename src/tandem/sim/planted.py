"""Planted bugs: each takes one mechanism of the protocol away, and the simulator must see it.

A checker that has never been seen red is a hope. Some mechanisms mask each other, so that one of
them alone can be missing without harm on one computer; those are planted in pairs as well.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from tandem.core.trading import (
    attempts,
    books,
    grey,
    planning,
    pool,
    releasing,
    settling,
    tandem_orders,
)
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import Pulse
from tandem.core.trading.state import (
    Attempt,
    Ending,
    Pair,
    PairPhase,
    ParentPhase,
    Phase,
    Piece,
    Seat,
)
from tandem.core.trading.turn import Turn
from tandem.core.trading.worker import Worker
from tandem.domain import link as words
from tandem.domain.commands import ParentSpec
from tandem.domain.desk import (
    Commanded,
    DeskEvent,
    FromWorker,
    Restarted,
    VenueSettings,
    WorkerSilent,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.shells.coordinator import Coordinator
from tandem.shells.recording import Recording

Undo = Callable[[], None]


def _set(owner: Any, name: str, value: Any) -> Undo:
    before = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, before)


def _all_of(*undo: Undo) -> Undo:
    def undo_all() -> None:
        for one in reversed(undo):
            one()

    return undo_all


# Each function plants one bug and returns what takes it out again.


def effects_before_the_disk() -> Undo:
    """Effects are performed at once, and recorded afterwards."""
    feed = Recording.feed

    def hasty(self: Recording[Any, Any], event: Any) -> None:
        feed(self, event)
        effects, self._effects = self._effects, []
        for effect in effects:
            self._perform(effect)

    return _set(Recording, "feed", hasty)


def asks_too_early() -> Undo:
    """Absence is believed before the request has expired."""
    release = releasing.release

    def early(turn: Turn, attempt: Attempt) -> None:
        release(turn, attempt)
        attempt.ask_at_ns = attempt.expires_at_ns - 1_000_000_000

    return _set(releasing, "release", early)


def one_question() -> Undo:
    """Absence is believed after one answer."""
    not_found = settling._not_found

    def trusting(turn: Turn, attempt: Attempt) -> None:
        attempt.absences = 1
        not_found(turn, attempt)

    return _set(settling, "_not_found", trusting)


def no_expiry() -> Undo:
    """Requests never expire at the venue."""
    hand_out = settling.hand_out

    def plain(turn: Turn, attempt: Attempt, seat: Seat, worker: Any) -> None:
        attempt.order = msgspec.structs.replace(attempt.order, expires_at_ns=1 << 62)
        hand_out(turn, attempt, seat, worker)

    return _set(settling, "hand_out", plain)


def unknown_is_absent() -> Undo:
    """What is UNKNOWN is taken as never sent, and sent again as a new attempt."""
    become_unknown = attempts.become_unknown

    def sure(turn: Turn, attempt: Attempt, why: str) -> None:
        become_unknown(turn, attempt, why)
        if attempt.phase is Phase.UNKNOWN:
            attempts.finish(turn, attempt, Ending.ABSENT, 0)

    return _set(attempts, "become_unknown", sure)


def unknown_frees_its_price() -> Undo:
    """The self-trade gate forgets an order that nobody knows about."""
    become_unknown = attempts.become_unknown
    give_back = books.give_back

    def forget(turn: Turn, attempt: Attempt, why: str) -> None:
        was = attempt.phase
        become_unknown(turn, attempt, why)
        if was is Phase.RELEASED and attempt.phase is Phase.UNKNOWN:
            order = attempt.order
            gate = turn.state.gate
            gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)

    def give(turn: Turn, attempt: Attempt) -> None:
        order = attempt.order
        gate = turn.state.gate
        with contextlib.suppress(AssertionError):
            gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)
        gate.reserve(attempt.book_id, order.side, order.limit_price, order.client_order_id)
        give_back(turn, attempt)

    undo = (_set(attempts, "become_unknown", forget), _set(books, "give_back", give))
    return _all_of(*undo)


def no_gate() -> Undo:
    """Nobody looks whether an order could meet an own one."""
    return _set(planning, "_met", lambda _turn, _spec, _instrument: None)


def refusal_of_resend_settles() -> Undo:
    """A refusal of a second send is believed, though the first may still arrive."""
    rejected = attempts._rejected

    def believe(turn: Turn, attempt: Attempt, report: Any) -> None:
        sends, attempt.sends = attempt.sends, min(attempt.sends, 1)
        rejected(turn, attempt, report)
        attempt.sends = sends

    return _set(attempts, "_rejected", believe)


def any_send_proves() -> Undo:
    """'I do not know it' is believed of an attempt that was handed out more than once."""

    def proves(attempt: Attempt, incarnation: Any) -> bool:
        return attempt.phase in (Phase.RELEASED, Phase.UNKNOWN) and incarnation in attempt.handed_to

    return _set(attempts, "never_sent_by", proves)


def any_worker_proves() -> Undo:
    """'I do not know it' is believed of a worker that was never handed the attempt."""

    def proves(attempt: Attempt, _incarnation: Any) -> bool:
        return attempt.phase in (Phase.RELEASED, Phase.UNKNOWN) and attempt.sends == 1

    return _set(attempts, "never_sent_by", proves)


def unknown_order_settles() -> Undo:
    """'Unknown order' in answer to a cancel is taken as proof of absence."""

    def settle(turn: Turn, attempt: Attempt, _report: Any) -> None:
        if not attempt.is_final:
            attempts.finish(turn, attempt, Ending.CANCELED, attempt.cum_quantity)

    return _set(attempts, "_cancel_rejected", settle)


def fills_counted_twice() -> Undo:
    """Executions are not known by their id."""
    filled = attempts._filled

    def forgetful(turn: Turn, attempt: Attempt, fill: Any) -> None:
        if fill.execution_id in attempt.executions and not attempt.is_final:
            del attempt.executions[fill.execution_id]
        filled(turn, attempt, fill)

    return _set(attempts, "_filled", forgetful)


def own_count_at_the_end() -> Undo:
    """What is left of a canceled order is taken from our own count, not the venue's."""
    ended = attempts._ended_there

    def own(turn: Turn, attempt: Attempt, ending: Any, _cum: int) -> None:
        ended(turn, attempt, ending, attempt.cum_quantity)

    return _set(attempts, "_ended_there", own)


def commands_not_known() -> Undo:
    """A repeated command is carried out again."""
    on = Desk.on

    def forgetful(self: Desk, event: DeskEvent, now: Instant) -> Any:
        if isinstance(event, Commanded):
            self.state.answers.pop(event.asked.command_id, None)
        return on(self, event, now)

    return _set(Desk, "on", forgetful)


def silent_is_dead() -> Undo:
    """A silent worker's account is given away without killing it."""
    on_silent = pool.on_silent

    def believe(turn: Turn, incarnation: Any) -> None:
        worker = turn.worker(incarnation)
        if worker is None or worker.slot_id is None:
            on_silent(turn, incarnation)
            return
        seat = turn.state.seats[worker.slot_id]
        worker.slot_id, seat.holder, seat.ready = None, None, False
        attempts.lose_worker(turn, seat, "silent")
        pool.fill_seats(turn)

    return _set(pool, "on_silent", believe)


def sends_as_often_as_told() -> Undo:
    """A worker hands a release to the venue each time it comes, whatever its number and epoch."""
    release = Worker._release

    def again(self: Worker, told: words.Release, now: Instant) -> None:
        self._seen.pop(told.order.client_order_id, None)
        release(self, told, now)
        self._seen.pop(told.order.client_order_id, None)

    return _set(Worker, "_release", again)


def reports_told_once() -> Undo:
    """A report lost with a connection is not repeated, and polls do not look."""
    welcomed = Worker._welcomed

    def forget(self: Worker, message: words.Welcome) -> None:
        self._unacked.clear()
        welcomed(self, message)

    undo = (
        _set(Worker, "_welcomed", forget),
        _set(settling, "_ask", lambda _t, _a, _s, _w: None),
    )
    return _all_of(*undo)


def no_questions() -> Undo:
    """Nobody asks the venue: what no report tells is never known."""
    return _set(settling, "_ask", lambda _turn, _attempt, _seat, _worker: None)


def old_alarms_after_restart() -> Undo:
    """After a restart the time-outs of before still count, though a reboot began time anew."""
    on = Desk.on

    def stale(self: Desk, event: DeskEvent, now: Instant) -> Any:
        if not isinstance(event, Restarted) or not self.state.alarms_at:
            return on(self, event, now)
        alarms, times = dict(self.state.alarms_at), list(self.state.alarm_times)
        looks = {key: one.look_at_ns for key, one in self.state.attempts.items()}
        effects = on(self, event, now)
        self.state.alarms_at, self.state.alarm_times = alarms, times
        for key, look_at_ns in looks.items():
            self.state.attempts[key].look_at_ns = look_at_ns
        return effects

    return _set(Desk, "on", stale)


def deaths_before_restart_unseen() -> Undo:
    """A restarted coordinator does not look whether the workers that it knew still live."""
    watch = Coordinator._watch

    def later(self: Coordinator, incarnation: Any, *, pid: int, started: int) -> None:
        if self._workers.get(incarnation) is not None:
            watch(self, incarnation, pid=pid, started=started)

    return _set(Coordinator, "_watch", later)


def grey_worker_stays() -> Undo:
    """A worker that answers us but not for its venue keeps its account."""
    return _all_of(
        _set(grey, "unanswered", lambda _turn, _seat, _worker: None),
        _set(grey, "on_alarm", lambda _turn, _slot: None),
    )


def cancels_not_repeated() -> Undo:
    """A cancel is sent once; one that was lost or overtook its order is gone."""
    look = settling.look

    def once(turn: Turn, attempt: Attempt) -> None:
        wanted, attempt.cancel_wanted = attempt.cancel_wanted, False
        look(turn, attempt)
        attempt.cancel_wanted = wanted

    undo = (_set(settling, "look", once), _set(attempts, "become_live", _live_without_cancel()))
    return _all_of(*undo)


def _live_without_cancel() -> Callable[[Turn, Attempt], None]:
    become_live = attempts.become_live

    def live(turn: Turn, attempt: Attempt) -> None:
        wanted, attempt.cancel_wanted = attempt.cancel_wanted, False
        become_live(turn, attempt)
        attempt.cancel_wanted = wanted

    return live


def left_before_final() -> Undo:
    """What an UNKNOWN attempt holds is given to another account before it is settled."""
    become_unknown = attempts.become_unknown

    def hasty(turn: Turn, attempt: Attempt, why: str) -> None:
        released = attempt.phase is Phase.RELEASED
        become_unknown(turn, attempt, why)
        if released and attempt.phase is Phase.UNKNOWN:
            parent = turn.parent(attempt)
            parent.quantity += attempt.order.quantity
            parent.pieces.append(Piece(attempt.child, attempt.order.quantity))
            parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
            turn.touch(parent.parent_id)

    return _set(attempts, "become_unknown", hasty)


def own_stall_is_their_death() -> Undo:
    """After a stall of our own nobody reads first what came meanwhile, nor starts alarms again."""

    def silent(self: Pulse[Any], now_ns: int) -> list[Any]:
        late = [key for key, deadline in self.deadlines.items() if now_ns > deadline]
        for key in late:
            del self.deadlines[key]
        return late

    async def judge(self: Coordinator) -> None:
        while True:
            await asyncio.sleep(self._pulse.heartbeat_ns / 1e9)
            for incarnation in self._pulse.silent(self._clock.now().now_ns):
                self.recording.feed(WorkerSilent(incarnation=incarnation))

    return _all_of(_set(Pulse, "silent", silent), _set(Coordinator, "_judge_silence", judge))


def gate_of_each_venue() -> Undo:
    """The self-trade gate looks at one venue, not at all venues of its market."""

    def met(turn: Turn, spec: ParentSpec, instrument: Instrument) -> Any:
        gate = turn.state.gate
        for key in gate.all_met(instrument.book_id, spec.side, spec.limit_price):
            if turn.state.attempts[key].order.instrument_id == instrument.instrument_id:
                return key
        return None

    return _set(planning, "_met", met)


def next_slice_at_once() -> Undo:
    """The next slice of a pair does not wait for both legs of the last one."""
    advance = tandem_orders.advance_pair

    def hasty(turn: Turn, pair: Pair) -> None:
        done = [turn.state.parents[one].phase is ParentPhase.DONE for one in pair.legs]
        is_uneven = any(done) and not all(done)
        if pair.phase is PairPhase.SLICING and is_uneven and pair.slices < pair.spec.slices:
            tandem_orders._open_slice(turn, pair)
            return
        advance(turn, pair)

    return _set(tandem_orders, "advance_pair", hasty)


def late_fills_forgotten() -> Undo:
    """A fill that comes after its order's end is dropped."""
    filled = attempts._filled

    def deaf(turn: Turn, attempt: Attempt, fill: Any) -> None:
        if not attempt.is_final:
            filled(turn, attempt, fill)

    return _set(attempts, "_filled", deaf)


def blind_resend() -> Undo:
    """Class A: what is UNKNOWN is sent again under the same id, instead of asking."""
    go_on = settling._go_on

    def blind(turn: Turn, attempt: Attempt, seat: Seat, worker: Any, venue: VenueSettings) -> None:
        if attempt.phase is Phase.UNKNOWN and attempt.order.expires_at_ns is not None:
            attempt.order = msgspec.structs.replace(attempt.order, expires_at_ns=1 << 62)
            settling._resend(turn, attempt, seat, worker, venue)
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
            return
        go_on(turn, attempt, seat, worker, venue)

    return _set(settling, "_go_on", blind)


def old_epochs_obeyed() -> Undo:
    """A worker obeys words about an account that it no longer holds."""
    return _set(Worker, "_is_mine", lambda _self, _account, _epoch: True)


def old_connections_heard() -> Undo:
    """What comes on an older connection counts as if it came on the present one."""
    hello = Coordinator._hello

    def welcome_all(self: Coordinator, link: Any, told: words.Hello) -> None:
        earlier = self._workers.get(told.incarnation)
        if earlier is not None and earlier.connection >= told.connection:
            earlier.connection = told.connection - 1
        hello(self, link, told)

    on = Desk.on

    def any_connection(self: Desk, event: DeskEvent, now: Instant) -> Any:
        if isinstance(event, FromWorker) and event.incarnation in self.state.workers:
            known = self.state.workers[event.incarnation].connection
            event = msgspec.structs.replace(event, connection=known)
        return on(self, event, now)

    undo = (_set(Coordinator, "_hello", welcome_all), _set(Desk, "on", any_connection))
    return _all_of(*undo)
