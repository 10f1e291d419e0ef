"""The life of an attempt after its plan: released, live, unknown, final.

What is right here, and why (docs/protocol.md, "Life of an attempt" and "When nobody knows"):

- An attempt counts in full until it is FINAL, and becomes FINAL only by proof: the venue said so,
  its only worker run says that it never had it, or (class A) it has expired and the venue, asked
  twice, a read lag apart and late enough, does not know it.
- A refusal proves something only as the answer to the one and only send: after a second send the
  first may still arrive.
- Any report may come late, twice or after its opposite. What traded is counted by execution id,
  whatever the phase: the venue is the truth about quantity.
"""

from typing import Final, assert_never

from tandem.core.trading import amending, books, latencies, leftovers, venue_endings
from tandem.core.trading.plausible import is_execution
from tandem.core.trading.state import Attempt, Ending, Hop, Phase, Seat
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.ids import ExecutionId, Incarnation
from tandem.domain.link import NotSent, Reported, TimedOut, Withdraw
from tandem.domain.order import FenceClass, OrderStatus
from tandem.domain.reports import (
    DEFINITE,
    Accepted,
    Canceled,
    Expired,
    Filled,
    RejectCode,
    Rejected,
)
from tandem.domain.venue import (
    AmendCode,
    Amended,
    AmendRejected,
    CancelCode,
    CancelRejected,
    OrderFound,
)

# Finding a member of an enum costs more than comparing it, and these are asked for every report.
_ATTEMPT: Final = Alarm.ATTEMPT
_PLANNED, _RELEASED, _LIVE, _UNKNOWN, _FINAL = Phase
_OUT: Final = (_RELEASED, _UNKNOWN)
_PENDING_NEW: Final = OrderStatus.PENDING_NEW
_NEW: Final = OrderStatus.NEW
_FILLED: Final = OrderStatus.FILLED
_ENDED_FILLED: Final = Ending.FILLED
HOPS_MAX = 64
LOWERING: Final = "lowering to "  # and how many lots
LOWERED: Final = "lowered to "
TOGETHER_NS = 10_000_000
ENDINGS = {
    OrderStatus.FILLED: Ending.FILLED,
    OrderStatus.CANCELED: Ending.CANCELED,
    OrderStatus.EXPIRED: Ending.EXPIRED,
    OrderStatus.REJECTED: Ending.REFUSED,
}


def note(turn: Turn, attempt: Attempt, what: str) -> None:
    """Remember a step of the attempt's life."""
    hops = attempt.hops
    if len(hops) < HOPS_MAX:
        hops.append(Hop(what, turn.now_ns))


def look_in(turn: Turn, attempt: Attempt, after_ns: int) -> None:
    """Think about the attempt again after that time, or earlier if that is already arranged."""
    if after_ns > TOGETHER_NS:
        # Shared moments: many attempts are looked at in one event, and cost one record.
        due_ns = -(-(turn.now_ns + after_ns) // TOGETHER_NS) * TOGETHER_NS
    else:
        due_ns = turn.now_ns + max(0, after_ns)
    if attempt.look_at_ns is None or due_ns < attempt.look_at_ns:
        attempt.look_at_ns = due_ns
        turn.wait(_ATTEMPT, attempt.order.client_order_id, after_ns=due_ns - turn.now_ns)


def on_reported(  # noqa: C901 - one line a kind
    turn: Turn, attempt: Attempt, told: Reported
) -> None:
    """Take a worker's report about an attempt."""
    if told.sent_ns is not None and attempt.sent_ns is None:
        attempt.sent_ns = told.sent_ns
    report = told.report
    match report:
        case Filled():
            _filled(turn, attempt, report)
        case Accepted():
            _accepted(turn, attempt)
        case Canceled():
            venue_endings.note_cause(turn, attempt, report.cause)
            _ended_there(turn, attempt, Ending.CANCELED, report.cum_quantity)
        case Expired():
            _ended_there(turn, attempt, Ending.EXPIRED, report.cum_quantity)
        case Rejected():
            _rejected(turn, attempt, report)
        case CancelRejected():
            _cancel_rejected(turn, attempt, report)
        case Amended():
            _amended(turn, attempt, report.quantity)
        case AmendRejected():
            _amend_rejected(turn, attempt, report.code)
        case NotSent():
            _not_sent(turn, attempt, report)
        case TimedOut():
            turn.count("time_outs")
            become_unknown(turn, attempt, "time-out")
        case _:
            assert_never(report)


def _accepted(turn: Turn, attempt: Attempt) -> None:
    if attempt.status is _PENDING_NEW and attempt.phase is not _FINAL:
        attempt.status = _NEW
        note(turn, attempt, "accepted")
    else:
        turn.count("reports_late" if attempt.is_final else "reports_repeated")
    become_live(turn, attempt)


def _filled(turn: Turn, attempt: Attempt, fill: Filled) -> None:
    if fill.execution_id in attempt.executions:
        turn.count("fills_repeated")
        return
    if not is_execution(fill):
        turn.count("fills_garbled")
        return
    if _is_known_by_hand(attempt, fill):
        turn.count("fills_known_by_hand")
        return
    attempt.executions[fill.execution_id] = fill.quantity
    attempt.cum_quantity += fill.quantity
    note(turn, attempt, f"filled {fill.quantity}")
    books.book_fill(turn, attempt, fill)
    if attempt.phase is _FINAL:
        _filled_after_end(turn, attempt)
        return
    if attempt.cum_quantity < attempt.order.quantity:
        attempt.status = OrderStatus.PARTIALLY_FILLED
        become_live(turn, attempt)
        return
    finish(turn, attempt, _ENDED_FILLED, attempt.cum_quantity)


def on_executed(turn: Turn, attempt: Attempt, fill: Filled) -> None:
    """The venue lists an execution: booked like one from its stream, once."""
    _filled(turn, attempt, fill)


def by_hand(attempt: Attempt) -> ExecutionId:
    """Return the id under which a person's word about the attempt is booked."""
    return ExecutionId(f"by-hand-{attempt.order.client_order_id}")


def _is_known_by_hand(attempt: Attempt, fill: Filled) -> bool:
    """Whether a person has said that this traded, before the venue did; it is booked once."""
    if not attempt.executions:
        return False
    left = attempt.executions.get(by_hand(attempt), 0)
    if fill.quantity > left:
        return False
    attempt.executions[by_hand(attempt)] = left - fill.quantity
    attempt.executions[fill.execution_id] = fill.quantity
    return True


def _filled_after_end(turn: Turn, attempt: Attempt) -> None:
    """A fill overtaken by the end of its order stands; one beyond it is more than we knew of."""
    assert attempt.final_cum is not None, f"{attempt.order.client_order_id} has not ended"
    surplus = attempt.cum_quantity - attempt.final_cum
    if surplus <= 0:
        turn.count("fills_after_end")
    else:
        turn.count("fills_beyond_end")
        attempt.final_cum = attempt.cum_quantity
        leftovers.count_traded(turn, attempt, surplus)
    _leave_when_settled(turn, attempt)


def _leave_when_settled(turn: Turn, attempt: Attempt) -> None:
    if not attempt.missing:
        attempt.look_at_ns = None
        turn.state.seats[attempt.slot_id].open.pop(attempt.order.client_order_id, None)
    parent = turn.state.parents[attempt.parent_id]
    if not parent.allocated or parent.pieces or parent.planned or parent.replacement is not None:
        turn.touch(parent.parent_id)


def _ended_there(turn: Turn, attempt: Attempt, ending: Ending, cum_quantity: int) -> None:
    if attempt.is_final:
        turn.count("reports_repeated")
        _believe_larger(turn, attempt, cum_quantity)
        return
    finish(turn, attempt, ending, _believable(attempt, cum_quantity))


def _believable(attempt: Attempt, cum_quantity: int) -> int:
    """Return what is believed to have traded: beyond what was ordered, only what we have seen."""
    return max(attempt.cum_quantity, min(cum_quantity, attempt.order.quantity))


def _believe_larger(turn: Turn, attempt: Attempt, cum_quantity: int) -> None:
    """A later word that more had traded: look until the executions are here."""
    assert attempt.final_cum is not None, f"{attempt.order.client_order_id} has not ended"
    surplus = _believable(attempt, cum_quantity) - attempt.final_cum
    if surplus <= 0:
        return
    turn.count("reports_contradictory")
    attempt.final_cum += surplus
    turn.state.seats[attempt.slot_id].open[attempt.order.client_order_id] = None
    leftovers.count_traded(turn, attempt, surplus)
    leftovers.await_executions(turn, attempt)
    turn.touch(attempt.parent_id)
    look_in(turn, attempt, 0)


def _compare_end(turn: Turn, attempt: Attempt, cum_quantity: int) -> None:
    """The venue, asked for all it knows, may know no more than we: then nothing is missing."""
    if not attempt.missing or cum_quantity > attempt.cum_quantity:
        _believe_larger(turn, attempt, cum_quantity)
        return
    turn.count("fills_never_were")
    missing, attempt.final_cum = attempt.missing, attempt.cum_quantity
    leftovers.count_traded(turn, attempt, -missing)
    _leave_when_settled(turn, attempt)


def _rejected(turn: Turn, attempt: Attempt, report: Rejected) -> None:
    if attempt.is_final:
        turn.count("reports_late")
    elif attempt.phase is Phase.LIVE or attempt.cum_quantity:
        # A refusal of an order that lives: of a repeated request, or a lie. Ask.
        turn.count("reports_contradictory")
        look_in(turn, attempt, 0)
    elif report.code is RejectCode.DUPLICATE_ID:
        turn.count("duplicates_found")
        attempt.duplicate_seen = True
        become_unknown(turn, attempt, "the venue knows the id")
        look_in(turn, attempt, 0)
    elif attempt.sends > 1:
        turn.count("refused_resends")
    elif report.code in DEFINITE:
        attempt.text = f"{report.code}: {report.text}" if report.text else report.code.value
        turn.count(f"venue_refused_{report.code}")
        if report.code is RejectCode.SELF_MATCH:
            venue_endings.flag(turn, attempt, "refused")
        finish(turn, attempt, Ending.REFUSED, 0)
    else:
        turn.count("unclear_refusals")
        become_unknown(turn, attempt, f"unclear refusal: {report.code}")


def _cancel_rejected(turn: Turn, attempt: Attempt, report: CancelRejected) -> None:
    # "Unknown order" settles nothing: the cancel may have overtaken the order.
    turn.count(f"cancels_{report.code}")
    if report.code is CancelCode.FINAL and not attempt.is_final:
        look_in(turn, attempt, 0)


def _amended(turn: Turn, attempt: Attempt, quantity: int) -> None:
    """The venue says what the order is for now; only less than before is news.

    More may be the answer to an earlier question. Less than has traded cannot be.
    """
    if attempt.is_final:
        turn.count("amends_late")
        return
    become_live(turn, attempt)
    quantity = max(quantity, attempt.cum_quantity)
    if not 0 < quantity < attempt.order.quantity:
        turn.count("amends_repeated")
        return
    amending.lower(turn, attempt, quantity)
    note(turn, attempt, f"{LOWERED}{quantity}")
    turn.touch(attempt.parent_id)
    if attempt.cum_quantity == quantity:
        finish(turn, attempt, _ENDED_FILLED, quantity)


def _amend_rejected(turn: Turn, attempt: Attempt, code: AmendCode) -> None:
    turn.count(f"amends_{code}")
    if attempt.is_final or attempt.wanted_quantity is None or code is AmendCode.UNKNOWN_ORDER:
        return  # the last settles nothing: the amendment may have overtaken the order
    if code is AmendCode.FINAL:
        look_in(turn, attempt, 0)
        return
    if code is AmendCode.TRADED:
        # As much as it was to be lowered to has traded: all that is left of it is too much.
        turn.count("amends_too_late")
        cancel(turn, attempt)
    else:
        cancel_and_remake(turn, attempt)
    turn.touch(attempt.parent_id)


def cancel_and_remake(turn: Turn, attempt: Attempt) -> None:
    """Cancel an attempt, and let its parent have what is left of it."""
    attempt.wanted_quantity = None
    attempt.is_remade = True
    turn.count("attempts_remade")
    cancel(turn, attempt)


def _not_sent(turn: Turn, attempt: Attempt, report: NotSent) -> None:
    turn.count(f"not_sent_{report.reason}")
    if attempt.sends > 1 or attempt.phase not in (Phase.RELEASED, Phase.UNKNOWN):
        return
    attempt.text = f"{report.reason}: {report.text}" if report.text else report.reason.value
    finish(turn, attempt, Ending.NOT_SENT, 0)


def on_found(turn: Turn, attempt: Attempt, found: OrderFound) -> None:
    """The venue knows the order, and said everything it knows."""
    attempt.query_id = None
    attempt.absences = 0
    for fill in found.fills:
        if fill.execution_id not in attempt.executions:
            turn.count("fills_by_query")
            _filled(turn, attempt, fill)
    is_less = found.quantity is not None and 0 < found.quantity < attempt.order.quantity
    if found.quantity is not None and is_less and not attempt.is_final:
        turn.count("amends_by_query")
        _amended(turn, attempt, found.quantity)
    if not found.status.is_final:
        if not attempt.is_final:
            if attempt.phase is Phase.UNKNOWN:
                turn.count("unknown_found_live")
                note(turn, attempt, "found")
            become_live(turn, attempt)
        return
    venue_endings.note_cause(turn, attempt, found.cause)
    if attempt.is_final:
        _compare_end(turn, attempt, found.cum_quantity)
        return
    if found.status is OrderStatus.REJECTED:
        # Of all its sends: an id that is refused and used is used for ever, and class A only
        # releases again what was never sent.
        attempt.text = attempt.text or "the venue has it as refused"
    if attempt.phase is Phase.UNKNOWN:
        turn.count("unknown_found_ended")
    finish(turn, attempt, ENDINGS[found.status], _believable(attempt, found.cum_quantity))


def become_live(turn: Turn, attempt: Attempt) -> None:
    """The venue has it."""
    if attempt.phase is _UNKNOWN:
        turn.count("unknown_proved_live")
        latencies.on_known(turn.state.latencies, attempt.hops, now_ns=turn.now_ns)
    elif attempt.phase is not _RELEASED:
        return
    attempt.phase = _LIVE
    attempt.query_id = None
    attempt.absences = 0
    attempt.resent_since_ns = None
    if attempt.for_person:
        _person_no_longer(turn, attempt)
    if attempt.status is _PENDING_NEW:
        attempt.status = _NEW
    if attempt.cancel_wanted:
        withdraw(turn, attempt)
        look_in(turn, attempt, turn.rules.timings.ask_ns)
    elif attempt.wanted_quantity is not None:
        amending.ask(turn, attempt)
        look_in(turn, attempt, turn.rules.timings.ask_ns)
    else:
        attempt.look_at_ns = None  # it was to end a silence
        look_in(turn, attempt, turn.rules.timings.poll_ns)


def become_unknown(turn: Turn, attempt: Attempt, why: str) -> None:
    """Nobody knows whether it is at the venue; it keeps everything it reserved."""
    if attempt.phase is not Phase.RELEASED:
        return
    attempt.phase = Phase.UNKNOWN
    attempt.absences = 0
    attempt.query_id = None
    turn.count("unknown")
    note(turn, attempt, f"unknown: {why}")
    seat = turn.state.seats[attempt.slot_id]
    if turn.rules.slots[seat.slot_id].fence_class is FenceClass.NEITHER:
        call_person(turn, attempt)
    look_in(turn, attempt, 0)


def call_person(turn: Turn, attempt: Attempt) -> None:
    """No machine can prove that it is absent: block the instrument on that account, and ask."""
    if attempt.for_person:
        return
    attempt.for_person = True
    turn.count("for_person")
    note(turn, attempt, "waits for a person")
    blocked = turn.state.seats[attempt.slot_id].blocked
    instrument_id = attempt.order.instrument_id
    blocked[instrument_id] = blocked.get(instrument_id, 0) + 1


def _person_no_longer(turn: Turn, attempt: Attempt) -> None:
    attempt.for_person = False
    blocked = turn.state.seats[attempt.slot_id].blocked
    instrument_id = attempt.order.instrument_id
    blocked[instrument_id] -= 1
    if not blocked[instrument_id]:
        del blocked[instrument_id]


def finish(turn: Turn, attempt: Attempt, ending: Ending, final_cum: int) -> None:
    """Nothing more can trade: give back what it reserved, let its parent move."""
    assert attempt.phase is not _FINAL, f"{attempt.order.client_order_id} ended twice"
    if attempt.phase is _UNKNOWN:
        turn.count(f"unknown_settled_{ending}")
        latencies.on_known(turn.state.latencies, attempt.hops, now_ns=turn.now_ns)
    if attempt.for_person:
        _person_no_longer(turn, attempt)
    parent = turn.state.parents[attempt.parent_id]
    if attempt.phase is _PLANNED:
        parent.planned -= 1
    latencies.on_final(turn.state.latencies, attempt, parent.began_ns)
    attempt.phase = _FINAL
    attempt.ending = ending
    attempt.final_cum = final_cum
    attempt.query_id = None
    quantity = attempt.order.quantity
    attempt.status = _FILLED if final_cum == quantity else _status_after(ending)
    note(turn, attempt, "final: " + ending)
    books.give_back(turn, attempt)
    parent.allocated -= quantity
    leftovers.count_traded(turn, attempt, final_cum)
    if final_cum < quantity:
        leftovers.hand_back(turn, attempt)
    if final_cum > attempt.cum_quantity:
        leftovers.await_executions(turn, attempt)
        look_in(turn, attempt, 0)
    _leave_when_settled(turn, attempt)
    if turn.state.clearing:
        leftovers.wake_waiting(turn, attempt)


def _status_after(ending: Ending) -> OrderStatus:
    match ending:
        case Ending.FILLED:
            return OrderStatus.FILLED
        case Ending.EXPIRED:
            return OrderStatus.EXPIRED
        case Ending.CANCELED | Ending.WITHDRAWN | Ending.RESOLVED:
            return OrderStatus.CANCELED
        case _:
            return OrderStatus.REJECTED


def cancel(turn: Turn, attempt: Attempt) -> None:
    """End the attempt as soon as that is possible, wherever it is."""
    if attempt.is_final or attempt.cancel_wanted:
        return
    attempt.cancel_wanted = True
    note(turn, attempt, "cancel wanted")
    if attempt.phase is Phase.PLANNED:
        finish(turn, attempt, Ending.WITHDRAWN, 0)
        return
    withdraw(turn, attempt)
    look_in(turn, attempt, turn.rules.timings.ask_ns)


def withdraw(turn: Turn, attempt: Attempt) -> None:
    """Send the cancel, if somebody is there to take it; a look sends it again."""
    seat = turn.state.seats[attempt.slot_id]
    worker = turn.holder(seat)
    if worker is not None:
        turn.send(
            worker,
            Withdraw(
                account_id=seat.account_id,
                account_epoch=seat.epoch,
                client_order_id=attempt.order.client_order_id,
            ),
        )


def lose_worker(turn: Turn, seat: Seat, why: str) -> None:
    """What was released to this seat's worker may or may not have been sent."""
    for attempt in turn.attempts_on(seat.slot_id):
        become_unknown(turn, attempt, why)


def never_sent_by(attempt: Attempt, incarnation: Incarnation) -> bool:
    """Whether this worker run, which does not know the attempt, proves that it was not sent.

    Only when it was handed out exactly once, and to this run.
    """
    return attempt.phase in _OUT and attempt.sends == 1 and incarnation in attempt.handed_to
