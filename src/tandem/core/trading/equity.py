"""What groups were worth over time, and how far they fell: one definition for all who say so.

Equity is what a group has gained by then: what was realized, the income and the unrealized gain at
the last known price, less the fees; nothing at first. It is looked at after the last record of
each minute of the market, and at the end of the period. Between two looks nobody looks, so a curve
of minutes and one of a minute's bars mean the same.

The argument: gains are a sum over executions, so the equity of all groups of an account, and of
what no group did, is that of the account at every look, to the last digit.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.trading.positions import Position
from tandem.domain.ids import Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import ZERO, add, multiply, subtract
from tandem.domain.statements import CostMethod

MINUTE_NS: Final = 60_000_000_000
Key = tuple[str, ...]
Place = tuple[Key, str]  # a group, and the currency that its equity is in


class Fall(msgspec.Struct, frozen=True, gc=False):
    """How much lower equity was at `to_ns` than it had been at `from_ns`; never negative."""

    amount: Decimal = ZERO
    from_ns: int | None = None
    to_ns: int | None = None


class Curve(msgspec.Struct, gc=False):
    """One group's equity in one currency, as far as it was looked at.

    `peak` is the highest so far, `deepest` the largest fall from a peak to what came after it.
    `last` is None where no price was known to value it at; such a look counts for nothing else.
    `points` are the looks at which it had changed, where they are kept.
    """

    peak: Decimal | None
    peak_ns: int
    last: Decimal | None
    deepest: Fall = Fall()
    points: list[tuple[int, Decimal]] | None = None

    def look(self, at_ns: int, equity: Decimal | None) -> None:
        """Take in what the group is worth now."""
        changed = equity != self.last
        self.last = equity
        if equity is None or not changed:
            return
        if self.points is not None:
            self.points.append((at_ns, equity))
        if self.peak is None or equity > self.peak:
            self.peak, self.peak_ns = equity, at_ns
            return
        fall = subtract(self.peak, equity)
        if fall > self.deepest.amount:
            self.deepest = Fall(fall, self.peak_ns, at_ns)

    @property
    def present(self) -> Decimal | None:
        """How far it is below its peak now."""
        if self.peak is None or self.last is None:
            return None
        return subtract(self.peak, self.last)


class Curves:
    """The curves of all groups over a period."""

    def __init__(self, is_traced: Callable[[Key], bool]) -> None:
        """Keep curves; the points of those that are traced."""
        self._is_traced = is_traced
        self._looked_ns = 0
        self.known: dict[Place, Curve] = {}

    def begin(self, at_ns: int, equities: Mapping[Place, Decimal | None]) -> None:
        """Begin a period: what was before is no part of any curve."""
        self.known.clear()
        self._looked_ns = at_ns
        for place, equity in equities.items():
            self._open(place, equity)

    def look(self, at_ns: int, equities: Mapping[Place, Decimal | None]) -> None:
        """Look at all groups; one that is new was worth nothing at the look before."""
        for place, equity in equities.items():
            curve = self.known.get(place) or self._open(place, ZERO)
            curve.look(at_ns, equity)
        self._looked_ns = at_ns

    def _open(self, place: Place, equity: Decimal | None) -> Curve:
        points = None
        if self._is_traced(place[0]):
            points = [] if equity is None else [(self._looked_ns, equity)]
        curve = Curve(equity, self._looked_ns, equity, points=points)
        self.known[place] = curve
        return curve


def worth(
    position: Position, instrument: Instrument, mark: Ticks | None, method: CostMethod
) -> Decimal | None:
    """Return what a position has gained, fees and income counted; None without a price for it.

    It is `ProfitAndLoss` summed up, which is too much to make for each position and minute.
    """
    is_fifo = method is CostMethod.FIFO
    steps, held = position.realized_fifo if is_fifo else position.realized, position.quantity
    if held:
        if mark is None:
            return None
        cost = position.cost_fifo if is_fifo else position.cost
        steps = add(steps, subtract(mark * held, cost if held > 0 else -cost))
    return subtract(add(multiply(instrument.step_value, steps), position.income), position.fees)
