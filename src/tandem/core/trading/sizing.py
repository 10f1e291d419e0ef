"""How many lots a wanted position is: exact, and rounded toward zero."""

from decimal import Decimal

import msgspec

from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Turn
from tandem.domain.ids import SlotId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LOTS_MAX
from tandem.domain.money import EXACT, ZERO, add, multiply
from tandem.domain.strategies import FULL_PPM, Fixed, PercentOfEquity, Sizing

Equities = dict[tuple[SlotId, str], Decimal | str]  # of an account, in a currency


class Worth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a position is sized by: money of the quote currency, and the price of one lot in it.

    `volatility_ppm` is that of one day, None while it is not known.
    """

    equity: Decimal
    lot_price: Decimal
    volatility_ppm: int | None = None


def lots_of(sizing: Sizing, position_ppm: int, worth: Worth) -> int | str:
    """Return the position in lots, negative when short, or why it cannot be told."""
    sign = 1 if position_ppm >= 0 else -1
    share = abs(position_ppm)
    if isinstance(sizing, Fixed):
        return sign * (sizing.quantity * share // FULL_PPM)
    equity = max(ZERO, worth.equity)
    if isinstance(sizing, PercentOfEquity):
        money = multiply(equity, sizing.ppm * share)
        parts = FULL_PPM * FULL_PPM
    elif not worth.volatility_ppm or worth.volatility_ppm < 0:
        return "its volatility is not known"
    else:
        money = multiply(equity, sizing.ppm_per_day * share)
        parts = worth.volatility_ppm * FULL_PPM
    whole = int(EXACT.divide_int(money, multiply(worth.lot_price, parts)))
    return sign * min(whole, LOTS_MAX)


def worth_on(
    turn: Turn,
    seat: Seat,
    instrument: Instrument,
    volatility_ppm: int | None,
    equities: Equities,
) -> Worth | str:
    """Return what a position there is sized by now, or why that is not known.

    `equities` are those found before in the same event: many positions are sized in one, and
    nothing of an account is worth something else before it is over.
    """
    price = young_price_of(turn, instrument)
    if price is None:
        return f"no price of {instrument.symbol} is young enough"
    place = (seat.slot_id, instrument.quote)
    equity = equities.get(place)
    if equity is None:
        equity = equities[place] = equity_of(turn, seat, instrument.quote)
    if isinstance(equity, str):
        return equity
    return Worth(
        equity=equity,
        lot_price=multiply(instrument.step_value, price),
        volatility_ppm=volatility_ppm,
    )


def price_of(turn: Turn, instrument: Instrument) -> Ticks | None:
    """Return the last price that the risk gate knows."""
    return turn.state.exposure.holdings[instrument.instrument_id].reference


def young_price_of(turn: Turn, instrument: Instrument) -> Ticks | None:
    """Return it while it is young enough to trade by."""
    holding = turn.state.exposure.holdings[instrument.instrument_id]
    age_ns = turn.now.market_ns - holding.reference_market_ns
    return holding.reference if age_ns <= turn.rules.limits.max_reference_age_ns else None


def equity_of(turn: Turn, seat: Seat, currency: str) -> Decimal | str:
    """Return cash and positions of one currency at the last prices, or which price is missing."""
    ledger = turn.state.ledger
    total = ledger.cash(seat.account_id, currency)
    account = ledger.accounts.get(seat.account_id)
    for instrument_id, lots in account.lots.items() if account is not None else ():
        instrument = turn.rules.instruments[instrument_id]
        if not lots or instrument.quote != currency:
            continue
        price = price_of(turn, instrument)
        if price is None:
            return f"no price of {instrument.symbol}, which {seat.account_id} holds, is known"
        total = add(total, multiply(instrument.step_value, price * lots))
    return total
