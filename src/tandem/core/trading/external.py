"""Booking what others do on an account of ours (docs/protocol.md, "Reconciliation").

Right at every moment: cash and lots of the ledger are what the venue said that the account holds,
as far as we have heard, so what can be spent or sold is never taken for more than it is. An
external order keeps its price in the self-trade gate, and what it may still cost, until a later
audit does not find it any more. None of this counts as a gain or loss of ours. Whatever is new
blocks its instrument on that account, until the trader says that he knows.
"""

from decimal import Decimal
from typing import Final

from tandem.core.trading import books
from tandem.core.trading.external_book import ExternalOrder, Unexplained
from tandem.core.trading.plausible import is_execution
from tandem.core.trading.state import Opening, Seat
from tandem.core.trading.turn import Turn
from tandem.domain.commands import (
    Answer,
    Done,
    ExplainExternal,
    RefusalReason,
    Refused,
)
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX
from tandem.domain.link import Executed
from tandem.domain.money import ZERO, add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.venue import OpenOrder

EXECUTIONS_MAX: Final = 1_000  # remembered by their id
_PREFIX: Final = "external:"


def gate_key(account_id: AccountId, client_order_id: ClientOrderId) -> ClientOrderId:
    """Return the name under which an external order stands in the self-trade gate."""
    return ClientOrderId(f"{_PREFIX}{account_id}:{client_order_id}")


def is_external(key: ClientOrderId) -> bool:
    """Whether this name in the self-trade gate is that of an external order."""
    return key.startswith(_PREFIX)


def take_order(
    turn: Turn, seat: Seat, told: OpenOrder, *, query_id: int, is_ours: bool = False
) -> None:
    """Reserve for an order that an audit lists as open; what is known of it is brought up to date.

    What cannot be of an order's numbers reserves the most that we can think of.
    """
    order, known = told.order, seat.external.orders
    key = order.client_order_id
    instrument = turn.rules.instruments.get(order.instrument_id)
    if instrument is None:
        turn.count("external_orders_unlisted")
        return
    price = order.limit_price
    if price is not None and not 0 < price <= LOTS_MAX:
        price = None
    found = ExternalOrder(
        instrument_id=order.instrument_id,
        side=order.side,
        price=price,
        leaves=0,
        reserved_price=price or books.market_price(turn, instrument),
        seen_by=query_id,
        is_ours=is_ours,
    )
    earlier = known.get(key)
    if earlier is not None:
        found.leaves, found.reserved_price = earlier.leaves, earlier.reserved_price
        earlier.seen_by, earlier.is_ours = query_id, is_ours
        if found != earlier:
            drop_order(turn, seat, key)
            earlier = None
            found.leaves, found.reserved_price = 0, price or books.market_price(turn, instrument)
    if earlier is None:
        known[key] = earlier = found
        turn.count("external_orders")
        turn.state.gate.reserve(
            instrument.book_id, order.side, price, gate_key(seat.account_id, key)
        )
        if not is_ours:
            note_news(turn, seat, order.instrument_id, text=f"order {key}")
    leaves = order.quantity - told.cum_quantity
    _set_leaves(turn, seat, earlier, min(max(0, leaves), LOTS_MAX))


def drop_order(turn: Turn, seat: Seat, key: ClientOrderId) -> None:
    """Give back what an external order reserved: it is open no more."""
    order = seat.external.orders.pop(key)
    _set_leaves(turn, seat, order, 0)
    book_id = turn.rules.instruments[order.instrument_id].book_id
    turn.state.gate.release(book_id, order.side, order.price, gate_key(seat.account_id, key))
    for waiting in turn.state.clearing:
        turn.touch(waiting)


def _set_leaves(turn: Turn, seat: Seat, order: ExternalOrder, leaves: int) -> None:
    more, order.leaves = leaves - order.leaves, leaves
    instrument = turn.rules.instruments[order.instrument_id]
    turn.state.exposure.note_external(order.instrument_id, order.side, more)
    if order.side is Side.BUY:
        amount = multiply(instrument.step_value, order.reserved_price * more)
        before = seat.reserved_cash.get(instrument.quote, ZERO)
        seat.reserved_cash[instrument.quote] = add(before, amount)
    else:
        lots = seat.reserved_lots.get(order.instrument_id, 0)
        seat.reserved_lots[order.instrument_id] = lots + more


def take_execution(turn: Turn, seat: Seat, told: Executed) -> None:
    """Book an execution that is none of ours, once."""
    fill, external = told.fill, seat.external
    instrument = turn.rules.instruments.get(told.instrument_id)
    if instrument is None or not is_execution(fill):
        # The money that it moved shows as a difference.
        turn.count("external_fills_unlisted" if instrument is None else "fills_garbled")
        return
    if fill.execution_id in external.executions:
        turn.count("fills_repeated")
        return
    external.executions[fill.execution_id] = None
    if len(external.executions) > EXECUTIONS_MAX:
        del external.executions[next(iter(external.executions))]
    turn.count("external_fills")
    sign = told.side.sign
    value = multiply(instrument.step_value, fill.price * fill.quantity)
    move_lots(turn, seat, instrument, sign * fill.quantity, fill.price)
    move_cash(turn, seat, instrument.quote, subtract(multiply(value, -sign), fill.fee))
    seat.audit.booked_ns[instrument.instrument_id] = turn.now_ns
    order = external.orders.get(fill.client_order_id)
    if order is not None and order.instrument_id == told.instrument_id:
        _set_leaves(turn, seat, order, max(0, order.leaves - fill.quantity))
    quantity, price = instrument.quantity_text(fill.quantity), instrument.price_text(fill.price)
    text = f"order {fill.client_order_id}: {told.side} {quantity} at {price}"
    note_news(turn, seat, told.instrument_id, text=text)


def move_lots(
    turn: Turn, seat: Seat, instrument: Instrument, lots: int, price: Ticks | None
) -> None:
    """Book lots that others added to the account, or took; None is a price that nobody knows."""
    key, state, external = instrument.instrument_id, turn.state, seat.external
    state.ledger.book_external_lots(seat.account_id, key, lots)
    state.exposure.set_position(key, state.exposure.holdings[key].position + lots)
    external.lots[key] = external.lots.get(key, 0) + lots
    if price is not None:
        books.position_of(turn, seat.account_id, key).take_over(lots, price)
    else:
        state.openings.append(Opening(seat.account_id, key, lots))
        books.value_openings(turn)


def move_cash(turn: Turn, seat: Seat, currency: str, amount: Decimal) -> None:
    """Book money that others added to the account, or took."""
    turn.state.ledger.book_external(seat.account_id, currency, amount)
    seat.external.cash[currency] = add(seat.external.cash.get(currency, ZERO), amount)


# -- blocked until explained


def note_news(turn: Turn, seat: Seat, unit: str, *, text: str) -> None:
    """Take no new risk in an instrument, or in all of a currency, until the trader explains it."""
    known = seat.external.unexplained.get(unit)
    if known is not None:
        known.text = text
        return
    seat.external.unexplained[unit] = Unexplained(turn.now_ns, text)
    turn.count("external_blocks")
    for instrument_id in _units(turn, seat, unit):
        seat.blocked[instrument_id] = seat.blocked.get(instrument_id, 0) + 1


def _units(turn: Turn, seat: Seat, unit: str) -> list[InstrumentId]:
    return [
        one.instrument_id
        for one in turn.rules.instruments.values()
        if one.venue_id == seat.venue_id and unit in (one.instrument_id, one.quote)
    ]


def is_unexplained(turn: Turn, seat: Seat, symbol: str) -> bool:
    """Whether something external keeps this symbol from being traded on that account."""
    units = seat.external.unexplained
    instrument = turn.rules.listed[symbol, seat.venue_id]
    return instrument.instrument_id in units or instrument.quote in units


def explain(turn: Turn, command: ExplainExternal) -> Answer:
    """Trade again what was blocked: the trader knows what others did there."""
    seats = turn.state.seats.values()
    seat = next((one for one in seats if one.account_id == command.account_id), None)
    if seat is None or command.unit not in seat.external.unexplained:
        text = f"nothing of {command.unit} on {command.account_id} waits to be explained"
        return Refused(reason=RefusalReason.UNKNOWN_ORDER, text=text)
    del seat.external.unexplained[command.unit]
    for instrument_id in _units(turn, seat, command.unit):
        left = seat.blocked.get(instrument_id, 0) - 1
        if left > 0:
            seat.blocked[instrument_id] = left
        else:
            seat.blocked.pop(instrument_id, None)
    turn.count("external_explained")
    for key in turn.state.working:
        turn.touch(key)
    return Done(text=f"{command.unit} on {command.account_id} is traded again")


def lots_text(instrument: Instrument, lots: int) -> str:
    """Return a number of lots, with its sign, as a venue writes it."""
    return f"{'-' if lots < 0 else '+'}{instrument.quantity_text(Lots(abs(lots)))}"
