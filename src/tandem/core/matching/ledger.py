"""Money and positions of the exchange: exact, and neither made nor lost.

Every figure is a `Decimal` computed in a context of 80 digits, wide enough that nothing is ever
rounded but fees: to 10**-8, downward, so that a fee is never above what was held for it.
"""

from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

from tandem.core.matching.state import ZERO, AccountState, ExchangeState, Execution, OrderRecord
from tandem.domain.instrument import Instrument
from tandem.domain.order import Order, Side
from tandem.domain.reports import RejectCode

EXACT: Final = Context(prec=80)
_FEE_STEP: Final = Decimal("0.00000001")

# Bound once, because finding a method of a context costs as much as the sum itself. They take
# integers as well.
add: Final = EXACT.add
subtract: Final = EXACT.subtract
multiply: Final = EXACT.multiply


def value_of(instrument: Instrument, *, price: int, quantity: int) -> Decimal:
    """Return what signed `quantity` lots are worth at `price` ticks, in quote currency."""
    return multiply(instrument.step_value, price * quantity)


def lack(
    account: AccountState, instrument: Instrument, order: Order, market_value: Decimal
) -> RejectCode | None:
    """Return what the account has too little of for `order`, None when it has enough.

    `market_value` is what a market order would cost; a limit order is held at its limit.
    """
    if order.side is Side.SELL:
        key = instrument.instrument_id
        free = account.positions.get(key, 0) - account.held_lots.get(key, 0)
        if order.quantity > free and not account.settings.may_short:
            return RejectCode.POSITION
        return None
    value = market_value
    if order.limit_price is not None:
        value = value_of(instrument, price=order.limit_price, quantity=order.quantity)
    currency = instrument.quote
    free_cash = subtract(account.cash.get(currency, ZERO), account.held.get(currency, ZERO))
    if multiply(value, account.hold_rate) > free_cash:
        return RejectCode.FUNDS
    return None


def hold(account: AccountState, instrument: Instrument, record: OrderRecord, quantity: int) -> None:
    """Set aside what `quantity` more lots of an open order may need; give back when negative."""
    price = record.held_price
    if price is None:
        return
    if record.order.side is Side.SELL:
        key = instrument.instrument_id
        account.held_lots[key] = account.held_lots.get(key, 0) + quantity
        return
    value = value_of(instrument, price=price, quantity=quantity)
    currency = instrument.quote
    account.held[currency] = add(
        account.held.get(currency, ZERO), multiply(value, account.hold_rate)
    )


def fee_of(value: Decimal, *, rate: Decimal) -> Decimal:
    """Return the fee on a trade of that value, of either sign; negative for a rebate."""
    if not rate:
        return ZERO
    return multiply(value.copy_abs(), rate).quantize(_FEE_STEP, ROUND_FLOOR, EXACT)


def settle(
    state: ExchangeState, account: AccountState, instrument: Instrument, execution: Execution
) -> None:
    """Book what a trade brought to `account`, and its fee to the exchange."""
    currency = instrument.quote
    key = instrument.instrument_id
    account.cash[currency] = add(account.cash.get(currency, ZERO), execution.cash)
    account.positions[key] = account.positions.get(key, 0) + execution.lots
    fee = execution.fill.fee
    if fee:
        state.fees[currency] = add(state.fees.get(currency, ZERO), fee)


def settle_background(
    state: ExchangeState, instrument: Instrument, *, lots: int, cash: Decimal
) -> None:
    """Book what a trade brought to everybody else: signed lots and cash."""
    currency = instrument.quote
    key = instrument.instrument_id
    before = state.background_cash.get(currency, ZERO)
    state.background_cash[currency] = add(before, cash)
    state.background_positions[key] = state.background_positions.get(key, 0) + lots
