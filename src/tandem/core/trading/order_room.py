"""How large one order on an account may be, and how small it must not be."""

from typing import Final

from tandem.core.trading import account_gate, books
from tandem.core.trading.risk import price_at_worst
from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Turn
from tandem.domain.ids import Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import EXACT, multiply
from tandem.domain.order import Side

LOTS_UNBOUND: Final = 2**53


def within_limits(turn: Turn, seat: Seat, instrument: Instrument) -> int:
    """Return the most lots that one order at the market may have, here and at the account."""
    reference = turn.state.exposure.holdings[instrument.instrument_id].reference or Ticks(0)
    most = LOTS_UNBOUND
    for limits in (turn.rules.limits, account_gate.limits_of(turn.state, turn.rules, seat)):
        worth = multiply(instrument.step_value, price_at_worst(reference, None, limits))
        if worth:
            most = min(most, int(EXACT.divide_int(limits.max_notional, worth)))
        most = min(most, limits.max_quantity.get(instrument.instrument_id, most))
    return most


def most_at_once(turn: Turn, seat: Seat, instrument: Instrument, side: Side) -> int:
    """Return the most lots of an order at the market that limits and free means allow."""
    most = within_limits(turn, seat, instrument)
    free = books.buying_power(turn, seat, instrument, side)
    if side is Side.SELL:
        may_short = turn.rules.slots[seat.slot_id].may_short
        return most if may_short else max(0, min(most, int(free)))
    worth = multiply(instrument.step_value, books.market_price(turn, instrument))
    return max(0, min(most, int(EXACT.divide_int(free, worth)))) if worth else 0


def least_at(instrument: Instrument, price: Ticks) -> int:
    """Return the fewest lots that the venue takes at that price."""
    worth = multiply(instrument.step_value, price)
    by_notional = -int(EXACT.divide_int(-instrument.min_notional, worth)) if worth else 0
    if by_notional * worth < instrument.min_notional:
        by_notional += 1
    return max(instrument.min_quantity, by_notional)
