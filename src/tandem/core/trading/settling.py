"""Asking until an attempt is settled (docs/protocol.md, "When nobody knows").

`look` is the one place where the desk thinks about an attempt by itself. It is called when the
attempt's alarm rings, and whenever something changed that could let it go on; it says what to do
now and when to look again.
"""

from tandem.core.trading import amending, attempts, grey
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Attempt, Ending, ParentPhase, Phase, Seat, Worker
from tandem.core.trading.turn import Turn
from tandem.domain.desk import VenueSettings
from tandem.domain.ids import ClientOrderId
from tandem.domain.link import Ask, Release
from tandem.domain.order import FenceClass
from tandem.domain.venue import OrderFound, OrderNotFound

_PLANNED, _RELEASED, _LIVE, _UNKNOWN, _FINAL = Phase  # as in `attempts`


def on_alarm(turn: Turn, client_order_id: ClientOrderId) -> None:
    """An attempt's alarm rang; it may have been overtaken."""
    attempt = turn.state.attempts.get(client_order_id)
    if attempt is None or attempt.look_at_ns is None or turn.now_ns < attempt.look_at_ns:
        return
    attempt.look_at_ns = None
    look(turn, attempt)


def look(turn: Turn, attempt: Attempt) -> None:
    """Do what can be done for this attempt now."""
    if attempt.phase is _PLANNED or (attempt.is_final and not attempt.missing):
        return
    seat = turn.state.seats[attempt.slot_id]
    venue = turn.venue(seat)
    if attempt.phase is _RELEASED:
        left_ns = _left_ns(turn, attempt, seat)
        if left_ns is None or left_ns > 0:
            attempts.look_in(turn, attempt, left_ns or turn.rules.timings.ask_ns)
            return
        attempts.become_unknown(turn, attempt, "no report")
    worker = turn.holder(seat)
    if worker is None or not seat.ready:
        attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
        return
    if attempt.query_id is not None:
        waited_ns = turn.now_ns - attempt.asked_at_ns
        if waited_ns < turn.rules.timings.ask_ns:
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns - waited_ns)
            return
        grey.unanswered(turn, seat, worker)
    _go_on(turn, attempt, seat, worker, venue)


def _go_on(turn: Turn, attempt: Attempt, seat: Seat, worker: Worker, venue: VenueSettings) -> None:
    fence_class = turn.rules.slots[seat.slot_id].fence_class
    again_ns = turn.rules.timings.ask_ns
    if attempt.phase is _UNKNOWN:
        if fence_class is FenceClass.EXPIRES and not attempt.duplicate_seen:
            left_ns = _left_ns(turn, attempt, seat)
            if left_ns is None or left_ns > 0:
                attempts.look_in(turn, attempt, left_ns or again_ns)
                return
        if fence_class is FenceClass.UNIQUE:
            _call_person_when_late(turn, attempt)
            if not attempt.duplicate_seen:
                grey.unanswered(turn, seat, worker)
                _resend(turn, attempt, seat, worker, venue)
                attempts.look_in(turn, attempt, again_ns)
                return
    elif attempt.is_final and turn.parent(attempt).phase is ParentPhase.DONE:
        again_ns = turn.rules.timings.poll_ns
    if attempt.phase is _LIVE and attempt.cancel_wanted:
        attempts.withdraw(turn, attempt)
    elif attempt.phase is _LIVE and attempt.wanted_quantity is not None:
        amending.ask(turn, attempt)
    _ask(turn, attempt, seat, worker)
    attempts.look_in(turn, attempt, again_ns)


def _left_ns(turn: Turn, attempt: Attempt, seat: Seat) -> int | None:
    """Return how long until a question could prove absence; None while nobody knows the time."""
    venue_ns = turn.venue_ns(seat.venue_id)
    return None if venue_ns is None else attempt.ask_at_ns - venue_ns


def _ask(turn: Turn, attempt: Attempt, seat: Seat, worker: Worker) -> None:
    attempt.query_id = turn.state.next_query
    attempt.asked_at_ns = turn.now_ns
    turn.state.next_query += 1
    turn.count("questions")
    turn.send(
        worker,
        Ask(
            account_id=seat.account_id,
            account_epoch=seat.epoch,
            query_id=attempt.query_id,
            client_order_id=attempt.order.client_order_id,
        ),
    )


def _call_person_when_late(turn: Turn, attempt: Attempt) -> None:
    """Class B: neither sending again nor asking has settled it for so long."""
    if attempt.resent_since_ns is None:
        attempt.resent_since_ns = turn.now_ns
    elif turn.now_ns - attempt.resent_since_ns > turn.rules.timings.person_ns:
        attempts.call_person(turn, attempt)


def _resend(turn: Turn, attempt: Attempt, seat: Seat, worker: Worker, venue: VenueSettings) -> None:
    """Class B: the venue refuses an id for ever once used, so the same attempt may go again."""
    venue_ns = turn.venue_ns(seat.venue_id)
    if venue_ns is None or turn.state.exposure.state is TradingState.HALTED:
        return
    turn.count("resends")
    attempts.note(turn, attempt, "resent")
    attempt.release_by_ns = venue_ns + venue.release_by_ns
    hand_out(turn, attempt, seat, worker)


def hand_out(turn: Turn, attempt: Attempt, seat: Seat, worker: Worker) -> None:
    """Give the attempt to this worker, under a new send number."""
    attempt.sends += 1
    if worker.incarnation not in attempt.handed_to:
        attempt.handed_to.append(worker.incarnation)
    parent = turn.state.parents[attempt.parent_id]
    release = Release(
        account_id=seat.account_id,
        account_epoch=seat.epoch,
        send_number=attempt.sends,
        order=attempt.order,
        release_by_ns=attempt.release_by_ns,
        parent_quantity_left=parent.quantity - parent.done_quantity,
    )
    turn.send(worker, release)


def on_answered(turn: Turn, answer: OrderFound | OrderNotFound) -> None:
    """The venue's answer to a question."""
    attempt = turn.attempt(answer.client_order_id)
    if attempt is None or attempt.query_id != answer.query_id:
        turn.count("answers_late")
        return
    if isinstance(answer, OrderFound):
        attempts.on_found(turn, attempt, answer)
        _after_found(turn, attempt)
        return
    attempt.query_id = None
    _not_found(turn, attempt)


def _after_found(turn: Turn, attempt: Attempt) -> None:
    """Leave an order that lives alone for a while: the next look was meant for a lost answer."""
    is_awaited = attempt.cancel_wanted or attempt.wanted_quantity is not None
    if attempt.phase is _LIVE and not is_awaited:
        attempt.look_at_ns = None
        attempts.look_in(turn, attempt, turn.rules.timings.poll_ns)


def _not_found(turn: Turn, attempt: Attempt) -> None:
    """Absence is proved by two such answers to questions asked late enough (class A only)."""
    seat = turn.state.seats[attempt.slot_id]
    venue = turn.venue(seat)
    fence_class = turn.rules.slots[seat.slot_id].fence_class
    left_ns = _left_ns(turn, attempt, seat)
    asked_ago_ns = turn.now_ns - attempt.asked_at_ns
    if attempt.phase is not Phase.UNKNOWN or fence_class is not FenceClass.EXPIRES:
        turn.count("not_found_proves_nothing")
        return
    if left_ns is None or left_ns + asked_ago_ns > 0:
        turn.count("not_found_too_early")
        return
    attempt.absences += 1
    if attempt.absences < 2:
        attempt.look_at_ns = None
        attempts.look_in(turn, attempt, venue.read_lag_ns)
        return
    attempts.finish(turn, attempt, Ending.ABSENT, 0)


def wake_slot(turn: Turn, seat: Seat) -> None:
    """The seat can ask again: look at everything that waited for it."""
    for attempt in turn.attempts_on(seat.slot_id):
        attempt.query_id = None
        look(turn, attempt)
