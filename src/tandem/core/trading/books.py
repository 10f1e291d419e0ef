"""What an order reserves, what a fill moves, and what is given back.

Reserved from plan to end: the price in the self-trade gate, the exposure in the risk gate, and
buying power (cash for buys, lots for sells). A fill turns its part of the reservation into money
and lots; the end gives the rest back.
"""

from bisect import bisect_right
from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.trading import account_gate, claims
from tandem.core.trading.booked import BookedFill, Claimed
from tandem.core.trading.plausible import is_money
from tandem.core.trading.positions import Position
from tandem.core.trading.risk import RiskBreach, TradingState, first_breach, price_at_worst
from tandem.core.trading.state import Attempt, Opening, Parent, Phase, Seat
from tandem.core.trading.turn import Turn
from tandem.domain.ids import AccountId, InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX, SECOND_NS
from tandem.domain.money import ZERO, add, multiply, multiply_add, subtract
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import Filled
from tandem.domain.venue import Balances

_BUY: Final = Side.BUY  # finding a member of an enum costs more than comparing it
_FINAL: Final = Phase.FINAL
_REDUCING: Final = TradingState.REDUCING
_OF_ADDING: Final = (RiskBreach.REDUCING_ONLY, RiskBreach.DAILY_LOSS)
Share = tuple[Seat, Instrument, int]  # one seat's part of an order, and what its venue calls it


class Whole(msgspec.Struct, frozen=True, gc=False):
    """All of an order on one instrument, as the risk gate judges it; nothing is sent so.

    Whether it only reduces is judged for each account by itself: here one may be long, one short.
    """

    instrument_id: InstrumentId
    side: Side
    quantity: Lots
    limit_price: Ticks | None
    stop_price: Ticks | None = None
    reduce_only: bool = False


def track_all(turn: Turn) -> None:
    """Let the risk gate know every instrument of the settings."""
    for instrument in turn.rules.settings.instruments:
        turn.state.exposure.track(instrument)


def open_account(turn: Turn, seat: Seat, balances: Balances) -> None:
    """Take the venue's word at the first login as the account's opening balances."""
    ledger = turn.state.ledger
    for currency, amount in balances.cash.items():
        if is_money(amount):
            ledger.open_cash(seat.account_id, currency, amount)
        else:
            turn.count("balances_garbled")
    for instrument_id, lots in balances.positions.items():
        if instrument_id not in turn.rules.catalogue or abs(lots) > LOTS_MAX:
            turn.count("balances_garbled")
            continue
        ledger.open_lots(seat.account_id, instrument_id, lots)
        total = lots + sum(
            other.lots.get(instrument_id, 0)
            for account_id, other in ledger.accounts.items()
            if account_id != seat.account_id
        )
        turn.state.exposure.set_position(instrument_id, total)
        turn.state.openings.append(Opening(seat.account_id, instrument_id, lots))
    value_openings(turn)


def value_openings(turn: Turn) -> None:
    """Give lots held from before their cost, as soon as a price is known."""
    waiting = []
    for opening in turn.state.openings:
        reference = turn.state.exposure.holdings[opening.instrument_id].reference
        if reference is None:
            waiting.append(opening)
        else:
            position = position_of(turn, opening.account_id, opening.instrument_id)
            position.take_over(opening.lots, reference)
    turn.state.openings = waiting


def position_of(turn: Turn, account_id: AccountId, instrument_id: InstrumentId) -> Position:
    """Return the account's position in that instrument, flat at first."""
    held = turn.state.positions.get(account_id)
    if held is None:
        held = turn.state.positions[account_id] = {}
    position = held.get(instrument_id)
    if position is None:
        position = held[instrument_id] = Position()
    return position


def market_price(turn: Turn, instrument: Instrument, stop_price: Ticks | None = None) -> Ticks:
    """Return the price that the buying power of an order without one is reserved at."""
    reference = turn.state.exposure.holdings[instrument.instrument_id].reference
    return price_at_worst(reference or Ticks(0), stop_price, turn.rules.limits)


def buying_power(turn: Turn, seat: Seat, instrument: Instrument, side: Side) -> Decimal:
    """Return what the seat could still spend, or sell, on an order of this kind."""
    if side is _BUY:
        return _free_cash(turn, seat, instrument.quote)
    return Decimal(_free_lots(turn, seat, instrument.instrument_id))


def _free_cash(turn: Turn, seat: Seat, currency: str) -> Decimal:
    cash = turn.state.ledger.cash(seat.account_id, currency)
    return subtract(cash, seat.reserved_cash.get(currency, ZERO))


def _free_lots(turn: Turn, seat: Seat, instrument_id: InstrumentId) -> int:
    lots = turn.state.ledger.lots(seat.account_id, instrument_id)
    return lots - seat.reserved_lots.get(instrument_id, 0)


def lacking(turn: Turn, spec: ParentSpec, share: Share) -> str | None:
    """Return what the account lacks for this share, in words; None when it suffices."""
    seat, instrument, quantity = share
    if spec.side is _BUY:
        price = spec.limit_price
        if price is None:
            price = market_price(turn, instrument, spec.stop_price)
        needs = multiply(instrument.step_value, price * quantity)
        has = _free_cash(turn, seat, instrument.quote)
        if has < needs:
            return f"{seat.account_id} needs {needs:f} {instrument.quote} and has {has:f} free"
        return None
    lots = _free_lots(turn, seat, instrument.instrument_id)
    if lots < quantity and not turn.rules.slots[seat.slot_id].may_short:
        wanted = instrument.quantity_text(Lots(quantity))
        held = instrument.quantity_text(Lots(max(0, lots)))
        return f"{seat.account_id} sells {wanted} {instrument.symbol} and has {held} free"
    return None


def first_breach_of(turn: Turn, spec: ParentSpec, shares: list[Share]) -> str | None:
    """Return the limit that the order as a whole, a share, or their number breaks."""
    totals: dict[InstrumentId, int] = {}
    for _, instrument, quantity in shares:
        key = instrument.instrument_id
        totals[key] = totals.get(key, 0) + quantity
    limits, exposure = turn.rules.limits, turn.state.exposure
    are_exits = exposure.state is _REDUCING and all(
        account_gate.is_exit(turn, seat, instrument, spec.side, quantity)
        for seat, instrument, quantity in shares
    )
    for key, total in totals.items():
        whole = Whole(key, spec.side, Lots(total), spec.limit_price, spec.stop_price)
        breach = first_breach(whole, limits, exposure, turn.now, whole.quantity)
        if breach is not None and not (are_exits and breach in _OF_ADDING):
            return breach.value
    if exposure.state is _REDUCING and not are_exits:
        return RiskBreach.REDUCING_ONLY.value
    for seat, instrument, quantity in shares if turn.state.limits.accounts else ():
        key = instrument.instrument_id
        part = Whole(key, spec.side, Lots(quantity), spec.limit_price, spec.stop_price)
        found = account_gate.first_breach_at(turn, seat, part)
        if found is not None:
            return found
    return _crowding(turn, len(shares))


def _crowding(turn: Turn, count: int) -> str | None:
    """Return the limit on numbers of orders that so many more would break."""
    limits, exposure = turn.rules.limits, turn.state.exposure
    if exposure.open_orders + count > limits.max_open_orders:
        return RiskBreach.OPEN_ORDERS.value
    sent_ns, most = exposure.sent_ns, limits.max_orders_per_second - count
    if len(sent_ns) > most:  # else all that are remembered may be of the last second
        recent = len(sent_ns) - bisect_right(sent_ns, turn.now_ns - SECOND_NS)
        if recent > most:
            return RiskBreach.ORDERS_PER_SECOND.value
    return None


def reserve(turn: Turn, attempt: Attempt, seat: Seat, instrument: Instrument) -> None:
    """Reserve price, exposure and buying power for an attempt."""
    order = attempt.order
    state = turn.state
    state.gate.reserve(attempt.book_id, order.side, order.limit_price, order.client_order_id)
    state.exposure.note_sent(order, turn.rules.limits, turn.now)
    price = order.limit_price
    if price is None:
        price = market_price(turn, instrument, order.stop_price)
    attempt.reserved_price = price
    _change_reserved(seat, attempt, instrument, order.quantity)


def _change_reserved(seat: Seat, attempt: Attempt, instrument: Instrument, lots: int) -> None:
    if attempt.order.side is _BUY:
        steps = attempt.reserved_price * lots
        before = seat.reserved_cash.get(instrument.quote, ZERO)
        seat.reserved_cash[instrument.quote] = multiply_add(instrument.step_value, steps, before)
    else:
        key = instrument.instrument_id
        seat.reserved_lots[key] = seat.reserved_lots.get(key, 0) + lots


def give_back(turn: Turn, attempt: Attempt) -> None:
    """Give back what an ended attempt still reserved."""
    order = attempt.order
    state = turn.state
    leaves = max(0, order.quantity - attempt.cum_quantity)
    state.gate.release(attempt.book_id, order.side, order.limit_price, order.client_order_id)
    state.exposure.note_ended(order, leaves_quantity=leaves)
    if leaves:
        seat = state.seats[attempt.slot_id]
        _change_reserved(seat, attempt, turn.instrument(attempt), -leaves)


def lower(turn: Turn, attempt: Attempt, lots: int) -> None:
    """Give back a part of what an attempt reserved that has not left; its price stays."""
    order = attempt.order
    turn.state.exposure.note_lowered(order, lots)
    seat = turn.state.seats[attempt.slot_id]
    _change_reserved(seat, attempt, turn.instrument(attempt), -lots)


def book_fill(turn: Turn, attempt: Attempt, fill: Filled) -> None:
    """Book one execution, once; the attempt's `cum_quantity` already counts it."""
    state, order, quantity = turn.state, attempt.order, fill.quantity
    instrument = turn.rules.instruments[order.instrument_id]
    seat, exposure = state.seats[attempt.slot_id], state.exposure
    leaves = order.quantity - attempt.cum_quantity + quantity
    if leaves < 0 or attempt.phase is _FINAL:
        leaves = 0
    exposure.note_filled(order, quantity, fill.price, leaves_quantity=leaves)
    if leaves:
        _change_reserved(seat, attempt, instrument, -min(quantity, leaves))
    state.ledger.book_fill(seat.account_id, instrument, order.side, fill)
    seat.audit.booked_ns[order.instrument_id] = turn.now_ns
    position = position_of(turn, seat.account_id, instrument.instrument_id)
    average_before = position.realized
    realized = position.on_fill(order.side, fill)
    gain = subtract(multiply(instrument.step_value, realized), fill.fee)
    if gain:
        exposure.note_realized(instrument.quote, gain, turn.now)
        account_gate.note_realized(turn, seat, instrument.quote, gain)
    parent = state.parents[attempt.parent_id]
    parent.filled += quantity
    parent.filled_value = add(parent.filled_value, quantity * fill.price)
    if fill.fee:
        parent.fees = add(parent.fees, fill.fee)
    if parent.owner is not None and parent.owner in state.running:
        turn.touch(parent.owner)  # an algorithm looks at every fill, not at the end only
    shares: tuple[Claimed, ...] = ()
    if parent.claims:
        shares = claims.on_fill(state, parent, order, slot_id=seat.slot_id, lots=quantity)
    turn.count("fills")
    if turn.booked is not None:
        turn.booked.append(
            BookedFill(
                market_ns=turn.now.market_ns,
                account_id=seat.account_id,
                instrument_id=instrument.instrument_id,
                parent_id=parent.parent_id,
                order_id=parent.owner or parent.parent_id,
                strategy=parent.spec.strategy,
                side=order.side,
                fill=fill,
                realized=subtract(position.realized, average_before),
                realized_fifo=realized,
                position=position.quantity,
                step_value=instrument.step_value,
                shares=shares,
            )
        )


def overfilled(turn: Turn, attempt: Attempt, parent: Parent) -> None:
    """More traded than was ordered: the venue says so, so it is booked; stop, and ask a person."""
    turn.count("overfilled")
    turn.state.exposure.state = TradingState.HALTED
    turn.halting = (
        f"{attempt.order.client_order_id}: {parent.done_quantity + parent.allocated} "
        f"traded or open of {parent.quantity}"
    )
