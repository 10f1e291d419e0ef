"""What outsiders say that can be true at all: nothing else is booked, judged or valued by.

Desk and worker ask the same questions, so that neither takes for an end what the other drops.
"""

from decimal import Decimal

from tandem.domain.ids import Ticks
from tandem.domain.limits import LOTS_MAX, MONEY_MAX
from tandem.domain.reports import Filled
from tandem.domain.venue import Quote

DIGITS_MAX = 20  # after the point; with `MONEY_MAX` before it, sums of money stay exact
# A number that is written out in so few places is within both, and nearly all of them are.
_SHORT = 15


def is_money(amount: Decimal) -> bool:
    """Whether the books can hold this amount to its last digit."""
    text = str(amount)
    if len(text) <= _SHORT and "E" not in text and amount.is_finite():
        return True
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        return False  # infinite, or no number
    return exponent >= -DIGITS_MAX and abs(amount) <= MONEY_MAX


def is_execution(fill: Filled) -> bool:
    """Whether this can have traded."""
    return 0 < fill.quantity <= LOTS_MAX and 0 < fill.price <= LOTS_MAX and is_money(fill.fee)


def is_quote(quote: Quote) -> bool:
    """Whether its prices can be prices, its volume one, and nobody buys higher than one sells."""
    if quote.bid is not None and quote.ask is not None and quote.bid > quote.ask:
        return False
    is_priced = _is_price(quote.bid) and _is_price(quote.ask) and _is_price(quote.last)
    return is_priced and quote.volume >= 0


def _is_price(price: Ticks | None) -> bool:
    return price is None or 0 < price <= LOTS_MAX
