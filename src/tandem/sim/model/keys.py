"""What of a moment matters: two moments with one key go on in the same way.

Times are taken from now, so that a pool that only waits comes back to where it was; a time long
past is only past. Left out is what no decision here asks for: counters, steps remembered for
people, the numbers of heartbeats, exposures (the limits are out of reach), alarms that nothing
waits for any more.
"""

from hashlib import blake2b
from typing import Any, Final

import msgspec

from tandem.core.trading.state import Attempt, Phase
from tandem.core.trading.turn import Alarm
from tandem.core.trading.worker import Worker
from tandem.domain import link, venue
from tandem.domain.desk import SECOND
from tandem.domain.ids import ClientOrderId, ParentId, SlotId
from tandem.sim.model.parts import AHEAD_NS, OFFSET_NS, SLOT, VENUE, Line, Pool

PAST_NS: Final = -4 * SECOND  # longer than any wait that looks back
_encode = msgspec.msgpack.Encoder().encode


def key_of(pool: Pool) -> bytes:
    """Return what the future of this moment depends on, in 16 bytes."""
    return blake2b(_encode(_all(pool)), digest_size=16).digest()


def _from_now(at_ns: int | None, now_ns: int) -> int | None:
    return None if at_ns is None else max(PAST_NS, at_ns - now_ns)


def _all(pool: Pool) -> list[Any]:
    now_ns = pool.now_ns
    return [
        _desk(pool),
        [_worker(pool, which) for which in (0, 1)],
        [_line(pool, number) for number in range(8)],
        [
            (held.epoch, held.holder, _from_now(held.renewed_at_ns, now_ns), held.is_over)
            for held in pool.book.held.values()
        ],
        [_from_now(one, now_ns) for one in pool.deadlines],
        [
            None if one is None else one - worker.connection
            for one, worker in zip(pool.links, pool.workers, strict=True)
        ],
        pool.wires,
        pool.sessions,
        [(one.order_id, one.times, _from_now(one.at_ns, now_ns)) for one in pool.taken.values()],
        (pool.paused, pool.away, pool.stuck, pool.pauses, pool.losses, pool.delays, pool.restarts),
        None if pool.stuck is None else _from_now(pool.stuck_since_ns, now_ns),
        (pool.ordered, pool.wrong, pool.is_fresh and _is_held_up(pool)),
    ]


def _is_held_up(pool: Pool) -> bool:
    """Whether a fault may end; only then it matters that nobody has moved."""
    return pool.paused is not None or pool.away is not None or pool.stuck is not None


# -- the desk


def live_alarms(pool: Pool) -> list[tuple[int, str, str]]:
    """Return the desk's alarms that something still waits for, the first one first."""
    state = pool.desk.state
    seat = state.seats[SLOT]
    found = []
    for due_ns, alarms in state.alarms_at.items():
        for kind, key in alarms:
            if kind == Alarm.ATTEMPT:
                attempt = state.attempts[ClientOrderId(key)]
                is_live = not attempt.is_final and attempt.look_at_ns == due_ns
            elif kind == Alarm.PARENT:
                parent = state.parents[ParentId(key)]
                waits = bool(parent.planned or parent.pieces)
                is_live = waits and due_ns in (parent.deadline_ns, parent.retry_at_ns)
            elif kind == Alarm.SEAT:
                is_live = seat.unready_since_ns is not None
            else:
                is_live = kind == Alarm.LEAVING and seat.leaving_since_ns is not None
            if is_live:
                found.append((due_ns, str(kind), key))
    return sorted(set(found))


def _desk(pool: Pool) -> list[Any]:
    state, now_ns = pool.desk.state, pool.now_ns
    seat, clock = state.seats[SlotId(SLOT)], state.clocks[VENUE]
    return [
        state.epoch,
        [_attempt(pool, one) for one in state.attempts.values()],
        [
            (
                one.phase,
                one.allocated,
                one.done_quantity,
                [(piece.child, piece.quantity) for piece in one.pieces],
                one.planned,
                one.refused_slots,
                one.moves,
                one.outcome,
                [(child.slot_id, child.attempts) for child in one.children],
                _from_now(one.deadline_ns, now_ns) if one.planned or one.pieces else None,
                _from_now(one.retry_at_ns, now_ns) if one.pieces else None,
            )
            for one in state.parents.values()
        ],
        (seat.holder, seat.epoch, seat.ready, seat.opened, list(seat.open), seat.blocked),
        _from_now(seat.unready_since_ns, now_ns),
        _from_now(seat.leaving_since_ns, now_ns),
        [
            (
                one.incarnation,
                one.connection - pool.workers[int(one.incarnation[1:])].connection,
                one.up,
                one.unwanted,
                one.confirmed,
                one.slot_id,
                _from_now(one.unanswered_since_ns, now_ns),
            )
            for one in state.workers.values()
        ],
        (clock.offset_ns, clock.trusted, _from_now(clock.answered_at_ns, now_ns)),
        [(due_ns - now_ns, kind, key) for due_ns, kind, key in live_alarms(pool)],
    ]


def _attempt(pool: Pool, one: Attempt) -> tuple[Any, ...]:
    now_ns, venue_ns = pool.now_ns, pool.venue_ns
    if one.phase is Phase.FINAL:
        return (one.order.client_order_id, one.ending, one.final_cum, one.cum_quantity)
    asked = one.query_id is not None
    return (
        one.order.client_order_id,
        one.phase,
        one.status,
        one.cum_quantity,
        one.sends,
        one.handed_to,
        _from_now(one.expires_at_ns, venue_ns),
        _from_now(one.release_by_ns, venue_ns),
        _from_now(one.ask_at_ns, venue_ns),
        _from_now(one.look_at_ns, now_ns),
        asked,
        _from_now(one.asked_at_ns, now_ns) if asked else None,
        one.absences,
        one.duplicate_seen,
        one.for_person,
        _from_now(one.resent_since_ns, now_ns),
    )


# -- the workers


def _worker(pool: Pool, which: int) -> list[Any]:
    worker = pool.workers[which]
    here_ns = pool.now_ns + AHEAD_NS[which]
    lease, clocks = worker.lease, worker._clocks
    offset_ns = clocks.venue.offset_ns
    there_ns = clocks.beats.offset_ns
    next_report = worker._next_report
    return [
        (worker.welcomed, worker.coordinator_epoch),
        (worker.account_id, worker.account_epoch, worker._logged_in, worker._ready),
        (lease.account_id, lease.epoch, _lease_end(worker, here_ns), lease.epochs),
        None if offset_ns is None else offset_ns + AHEAD_NS[which] - OFFSET_NS,
        None if there_ns is None else there_ns + AHEAD_NS[which],
        list(worker._up),
        [
            (
                key,
                one.send_number,
                one.progress,
                one.answered,
                one.cum_quantity,
                list(one.executions),
                None if one.final_report is None else one.final_report - next_report,
            )
            for key, one in worker._seen.items()
        ],
        [
            (known.order.client_order_id, number, _from_now(due_ns, here_ns))
            for due_ns, known, number in worker._sent._deadlines
            if not known.answered and known.send_number == number
        ],
        [_word(pool, which, one) for one in worker._unacked],
    ]


def _lease_end(worker: Worker, here_ns: int) -> int | None:
    ends_at_ns = worker.lease.ends_at_ns
    if not ends_at_ns:
        return ends_at_ns
    return max(-1, ends_at_ns - here_ns) or -1


# -- words on their way


def _line(pool: Pool, number: int) -> list[Any]:
    which, kind = divmod(number, 4)
    if kind == Line.OUT:
        return [(epoch, _word(pool, which, one)) for epoch, one in pool.lines[number]]
    return [_word(pool, which, one) for one in pool.lines[number]]


def _word(pool: Pool, which: int, one: Any) -> Any:
    now_ns, venue_ns = pool.now_ns, pool.venue_ns
    beats = pool.workers[which]._clocks.beats._sent_ns
    here_ns = now_ns + AHEAD_NS[which]
    next_report = pool.workers[which]._next_report
    match one:
        case link.Heartbeat():
            return ("beat", _from_now(beats.get(one.number), here_ns))
        case link.BeatAcknowledged():
            sent_ns = _from_now(beats.get(one.number), here_ns)
            return ("heard", one.account_epoch, sent_ns, _from_now(one.at_ns, now_ns))
        case link.Hello():
            held = (one.account_id, one.account_epoch, one.ready, one.seen)
            return ("hello", one.connection - pool.workers[which].connection, held)
        case link.Reported():
            return ("told", one.report_id - next_report, one.report)
        case link.Acknowledge():
            return ("ack", one.report_id - next_report)
        case link.Ask() | venue.QueryOrder() | venue.OrderNotFound() | venue.OrderFound():
            asked = pool.desk.state.attempts[one.client_order_id].query_id
            return (type(one).__name__, one.query_id == asked, one.client_order_id)
        case link.Answered():
            return ("answered", _word(pool, which, one.answer))
        case link.Release():
            by_ns = _from_now(one.release_by_ns, venue_ns)
            return ("release", one.order.client_order_id, one.send_number, one.account_epoch, by_ns)
        case venue.PlaceOrder():
            expires_ns = _from_now(one.order.expires_at_ns, venue_ns)
            return ("place", one.order.client_order_id, expires_ns)
        case _:
            return one
