"""Changing limits while trading goes on, and letting the desk or an account only reduce.

Tightening acts at once: the desk judges by the new limits from the next order on, and the worker of
the account, whose gate is the last before the wire, is told and must confirm before anything more
is released to it. What is open already stays, but for what a scope that only reduces would add.
"""

from decimal import Decimal
from typing import Final

from tandem.core.trading import account_gate, attempts, granting
from tandem.core.trading.limit_book import Cause, LimitBook, Reason, Scope
from tandem.core.trading.objective_state import Objectives
from tandem.core.trading.risk import DAY_NS, TradingState
from tandem.core.trading.state import DeskState, Seat
from tandem.core.trading.turn import Rules, Turn
from tandem.domain.commands import Answer, Done, ReduceOnly, RefusalReason, Refused, SetLimits
from tandem.domain.desk import Alert
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.limits import SETTABLE, changed, closed, merged, without
from tandem.domain.order import Side

NAMES_MAX: Final = 1_000  # restricted symbols, and instruments with a limit of their own
NAME_MAX: Final = 60


def take_over(state: DeskState, rules: Rules) -> None:
    """Let what was set, and what is halted, stand over what the settings say."""
    limits = changed(rules.settings.limits, state.limits.desk.changes)
    rules.limits = closed(limits, state.halted)


def set_limits(turn: Turn, command: SetLimits) -> Answer:
    """Change limits of the desk or of an account; refused, nothing has changed."""
    seats = _seats(turn, command.account_id)
    if isinstance(seats, Refused):
        return seats
    text = _objection(turn, command)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_LIMIT, text=text)
    scope = _scope(turn.state.limits, command.account_id)
    scope.changes = merged(without(scope.changes, command.reset), above=command.changes)
    take_over(turn.state, turn.rules)
    turn.count("limits_set")
    for seat in seats:
        granting.say_anew(turn, seat)
        turn.lost[seat.slot_id] = None  # a tighter daily loss may be reached already
    names = [*command.reset, *command.changes.named]
    return Done(text=f"{command.account_id or 'desk'}: {', '.join(names) or 'nothing'} set")


def _objection(turn: Turn, command: SetLimits) -> str | None:
    for name in command.reset:
        if name not in SETTABLE:
            return f"no limit {name!r}; there are {', '.join(SETTABLE)}"
    quantities = command.changes.max_quantity or {}
    for instrument_id in quantities:
        if instrument_id not in turn.rules.catalogue:
            return f"max_quantity: no instrument {instrument_id!r}"
    names = command.changes.restricted or ()
    if len(names) > NAMES_MAX or len(quantities) > NAMES_MAX:
        return f"expected at most {NAMES_MAX} symbols"
    if any(not 0 < len(one) <= NAME_MAX for one in names):
        return f"restricted: expected symbols of 1 to {NAME_MAX} letters"
    return None


def _seats(turn: Turn, account_id: AccountId | None) -> list[Seat] | Refused:
    """Return the seats of a scope."""
    seats = list(turn.state.seats.values())
    if account_id is None:
        return seats
    found = [one for one in seats if one.account_id == account_id]
    if not found:
        known = ", ".join(one.account_id for one in seats)
        text = f"no account {account_id}; there are {known}"
        return Refused(reason=RefusalReason.UNKNOWN_ACCOUNT, text=text)
    return found


def _scope(book: LimitBook, account_id: AccountId | None) -> Scope:
    return book.desk if account_id is None else book.account(account_id)


# -- only reducing


def reduce_only(turn: Turn, command: ReduceOnly) -> Answer:
    """Let a scope only reduce, or trade again, because a person says so."""
    seats = _seats(turn, command.account_id)
    if isinstance(seats, Refused):
        return seats
    who = command.account_id or "desk"
    if command.on:
        canceled = begin(turn, command.account_id, Cause.HAND, Reason(command.reason))
        return Done(text=f"{who} only reduces; {canceled} orders are being canceled")
    scope = _scope(turn.state.limits, command.account_id)
    if not scope.reasons:
        return Done(text=f"{who} did not only reduce")
    anew = ""
    if Cause.DAILY_LOSS in scope.reasons:
        _forget_losses(turn, command.account_id, seats)
        anew = "; the day's loss counts from zero again"
    if Cause.OBJECTIVE in scope.reasons:
        turn.state.objectives = Objectives()
        anew += "; its objectives are cleared"
    scope.reasons.clear()
    _changed(turn, command.account_id, seats)
    return Done(text=f"{who} trades again{anew}")


def _forget_losses(turn: Turn, account_id: AccountId | None, seats: list[Seat]) -> None:
    if account_id is None:
        turn.state.exposure.realized.clear()
        return
    for seat in seats:
        seat.realized.clear()


def begin(turn: Turn, account_id: AccountId | None, cause: Cause, reason: Reason) -> int:
    """Let a scope only reduce from now on; return how many orders are being canceled for it."""
    seats = _seats(turn, account_id)
    assert not isinstance(seats, Refused), f"{account_id} is an account"
    _scope(turn.state.limits, account_id).reasons[cause] = reason
    turn.count("reducing_began")
    _changed(turn, account_id, seats)
    return _cancel_adding(turn, seats)


def end(turn: Turn, account_id: AccountId | None, cause: Cause) -> None:
    """This cause is over, if it was one; others may still stand."""
    seats = _seats(turn, account_id)
    assert not isinstance(seats, Refused), f"{account_id} is an account"
    _scope(turn.state.limits, account_id).reasons.pop(cause, None)
    _changed(turn, account_id, seats)


def _changed(turn: Turn, account_id: AccountId | None, seats: list[Seat]) -> None:
    book, exposure = turn.state.limits, turn.state.exposure
    days = [
        one.day
        for _, scope in book.scopes()
        for one in scope.reasons.values()
        if one.day is not None
    ]
    book.lapses_day = min(days, default=None)
    if account_id is not None:
        for seat in seats:
            granting.say_anew(turn, seat)
    elif exposure.state is not TradingState.HALTED:
        exposure.state = book.desk.state


def _cancel_adding(turn: Turn, seats: list[Seat]) -> int:
    """Cancel what could take a position further from zero; the oldest that fit into it stay."""
    return sum(_cancel_adding_at(turn, one) for one in seats)


def _cancel_adding_at(turn: Turn, seat: Seat) -> int:
    room, count = dict[tuple[InstrumentId, Side], int](), 0
    for attempt in turn.attempts_on(seat.slot_id):
        if attempt.is_final or attempt.cancel_wanted:
            continue
        order = attempt.order
        key = (order.instrument_id, order.side)
        if key not in room:
            room[key] = -order.side.sign * turn.state.ledger.lots(seat.account_id, key[0])
        leaves = max(0, order.quantity - attempt.cum_quantity)
        if leaves <= room[key]:
            room[key] -= leaves
            continue
        parent = turn.parent(attempt)
        parent.text = parent.text or "only what reduces a position may stay"
        attempts.cancel(turn, attempt)
        turn.touch(attempt.parent_id)
        count += 1
    return count


# -- the daily loss


def judge_losses(turn: Turn) -> None:
    """See whether the desk, or an account that has just lost, has reached its daily loss."""
    state, day = turn.state, turn.now.market_ns // DAY_NS
    seats = [state.seats[one] for one in turn.lost]
    turn.lost = {}
    exposure = state.exposure
    if exposure.day == day:
        most = turn.rules.limits.max_daily_loss
        _judge(turn, None, (exposure.realized, most), day)
    for seat in seats:
        if seat.realized_day == day:
            most = account_gate.limits_of(state, turn.rules, seat).max_daily_loss
            _judge(turn, seat.account_id, (seat.realized, most), day)


def _judge(
    turn: Turn, account_id: AccountId | None, loss: tuple[dict[str, Decimal], Decimal], day: int
) -> None:
    realized, most = loss
    for currency, amount in realized.items():
        if amount > -most:
            continue
        book = turn.state.limits
        known = book.desk if account_id is None else book.accounts.get(account_id)
        if known is not None and Cause.DAILY_LOSS in known.reasons:
            return
        text = f"lost {-amount:f} {currency} today, the limit is {most:f}"
        begin(turn, account_id, Cause.DAILY_LOSS, Reason(text, day))
        turn.count("daily_losses_reached")
        turn.out.append(Alert(text=f"{account_id or 'desk'} only reduces: {text}"))
        return


def lapse(turn: Turn) -> None:
    """End what was only for a day that is over."""
    book, day = turn.state.limits, turn.now.market_ns // DAY_NS
    if book.lapses_day is None or day <= book.lapses_day:
        return
    for account_id, scope in book.scopes():
        for cause, reason in list(scope.reasons.items()):
            if reason.day is not None and reason.day < day:
                end(turn, account_id, cause)
