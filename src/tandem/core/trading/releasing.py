"""Releasing planned attempts, all of a wave together (docs/protocol.md, "Prepare", "Release").

Readiness stands: a worker says when its account's venue session is up, and takes it back when it
is not. So the prepare step needs no round trip of its own when every slot is ready already, and
is a wait with a deadline when one is not.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tandem.core.trading import attempts, settling
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Attempt, Ending, Parent, Phase, Seat, Worker
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.ids import ClientOrderId
from tandem.domain.link import Welcome
from tandem.domain.order import FenceClass
from tandem.domain.parents import WhenUnready

# Finding a member of an enum costs more than comparing it, and these are asked for every order.
_PLANNED: Final = Phase.PLANNED
_RELEASED: Final = Phase.RELEASED
_EXPIRES: Final = FenceClass.EXPIRES


def planned_of(turn: Turn, parent: Parent) -> list[Attempt]:
    """Return the parent's attempts that wait for their release."""
    found = []
    known = turn.state.attempts
    for client_order_id in parent.attempts:
        attempt = known[client_order_id]
        if attempt.phase is _PLANNED:
            found.append(attempt)
    return found


def try_release(turn: Turn, parent: Parent) -> None:
    """Release the wave if every slot is ready; at the deadline do what the policy says."""
    wave, seats = planned_of(turn, parent), turn.state.seats
    unready = [one for one in wave if not _may_go(turn, one, seats[one.slot_id])]
    if unready and turn.now_ns < parent.deadline_ns:
        turn.wait(Alarm.PARENT, parent.parent_id, after_ns=parent.deadline_ns - turn.now_ns)
        return
    if unready:
        turn.count("waves_unready")
        if parent.spec.when_unready is WhenUnready.GIVE_UP:
            parent.cancel_wanted = True
            parent.pieces.clear()
            parent.text = f"{unready[0].slot_id} was not ready in time"
            unready = wave
        for attempt in unready:
            attempts.finish(turn, attempt, Ending.WITHDRAWN, 0)
    for attempt in wave:
        if attempt.phase is _PLANNED:
            release(turn, attempt)


def _may_go(turn: Turn, attempt: Attempt, seat: Seat) -> bool:
    return turn.is_ready(seat) and attempt.order.instrument_id not in seat.blocked


def release(turn: Turn, attempt: Attempt) -> None:
    """From here on the attempt may be at the venue."""
    seat = turn.state.seats[attempt.slot_id]
    venue = turn.rules.venues[seat.venue_id]
    worker = turn.holder(seat)
    venue_ns = turn.venue_ns(seat.venue_id)
    assert worker is not None, f"{attempt.order.client_order_id} released without a worker"
    assert venue_ns is not None, f"{attempt.order.client_order_id} released without a clock"
    turn.state.parents[attempt.parent_id].planned -= 1
    attempt.phase = _RELEASED
    attempt.expires_at_ns = venue_ns + venue.validity_ns
    attempt.release_by_ns = venue_ns + venue.release_by_ns
    attempt.ask_at_ns = attempt.expires_at_ns + 2 * venue.skew_ns + venue.read_lag_ns
    if turn.rules.slots[attempt.slot_id].fence_class is _EXPIRES:
        attempt.order = msgspec.structs.replace(attempt.order, expires_at_ns=attempt.expires_at_ns)
    attempts.note(turn, attempt, "released")
    settling.hand_out(turn, attempt, seat, worker)
    attempts.look_in(turn, attempt, attempt.ask_at_ns - venue_ns)


def welcome(turn: Turn, worker: Worker) -> None:
    """Say to a worker what it holds, as far as the desk knows."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    turn.send(
        worker,
        Welcome(
            account_id=seat.account_id if seat else None,
            account_epoch=seat.epoch if seat else 0,
            halted=turn.state.exposure.state is TradingState.HALTED,
        ),
    )


def settle_unseen(turn: Turn, worker: Worker, seen: Mapping[ClientOrderId, None]) -> None:
    """A worker run that does not know an attempt it was handed proves that it was never sent."""
    state = turn.state
    unsettled = [state.attempts[one] for seat in state.seats.values() for one in seat.open]
    for attempt in unsettled:
        client_order_id = attempt.order.client_order_id
        if client_order_id in seen or not attempts.never_sent_by(attempt, worker.incarnation):
            continue
        seat = turn.state.seats[attempt.slot_id]
        if may_go_again(turn, attempt, seat, worker):
            turn.count("released_again")
            attempts.note(turn, attempt, "released again")
            attempt.phase = Phase.RELEASED
            attempt.query_id = None
            settling.hand_out(turn, attempt, seat, worker)
        else:
            attempts.finish(turn, attempt, Ending.NEVER_SENT, 0)


def may_go_again(turn: Turn, attempt: Attempt, seat: Seat, worker: Worker) -> bool:
    """Whether an attempt that was never sent may still go out by the same worker run."""
    venue_ns = turn.venue_ns(seat.venue_id)
    return (
        seat.holder == worker.incarnation
        and turn.is_ready(seat)
        and venue_ns is not None
        and venue_ns <= attempt.release_by_ns
        and not attempt.cancel_wanted
        and turn.state.exposure.state is not TradingState.HALTED
    )
