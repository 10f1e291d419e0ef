"""What a two-sided order has traded on both sides, and what it gained by that.

Sides are compared at their average prices: what was both bought and sold is realized, and the rest
is the inventory, valued at the mark. The two add up to what was received, less what was paid, plus
the inventory's value, exactly. Fees are counted beside them.
"""

from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.money import EXACT, ZERO, add, multiply, subtract
from tandem.domain.order import Side

CENT: Final = Decimal("0.00000001")


class Tally(msgspec.Struct, array_like=True, gc=False):
    """Lots and money of both sides, in quote currency; fees are not in the money."""

    bought: int = 0
    sold: int = 0
    paid: Decimal = ZERO
    received: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def inventory(self) -> int:
        """What was bought more than sold, in lots."""
        return self.bought - self.sold

    def count(self, side: Side, lots: int, *, money: Decimal, fees: Decimal) -> None:
        """Add what traded on one side."""
        if side is Side.BUY:
            self.bought += lots
            self.paid = add(self.paid, money)
        else:
            self.sold += lots
            self.received = add(self.received, money)
        self.fees = add(self.fees, fees)

    def copy(self) -> "Tally":
        """Return another one with the same sums."""
        return Tally(self.bought, self.sold, self.paid, self.received, self.fees)

    def realized(self) -> Decimal:
        """Return the gain on what was both bought and sold, to `CENT` of the quote currency."""
        both = min(self.bought, self.sold)
        if not both:
            return ZERO
        received = EXACT.divide(multiply(self.received, both), Decimal(self.sold))
        paid = EXACT.divide(multiply(self.paid, both), Decimal(self.bought))
        return subtract(received, paid).quantize(CENT, context=EXACT)

    def unrealized(self, mark: Decimal | None) -> Decimal | None:
        """Return the inventory's gain were it traded at the mark, the value of one lot.

        None where there is an inventory and no mark.
        """
        if not self.inventory:
            mark = ZERO
        if mark is None:
            return None
        whole = add(subtract(self.received, self.paid), multiply(mark, self.inventory))
        return subtract(whole, self.realized())


def percent_of(inventory: int, *, most: int) -> int:
    """Return how far an inventory leans to one side, in whole per cents of the most allowed."""
    percents = abs(inventory) * 100 // most
    return percents if inventory > 0 else -percents
