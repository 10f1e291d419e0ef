"""Between an instrument's ticks and lots and the numbers that strategies calculate with."""

from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite

from tandem.domain.bars import Bar
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instrument import STEPS_MAX, Instrument

Row = tuple[float, float, float, float, float]


class Grid:
    """One instrument's converter. A number is the float nearest to its decimal, as people write it.

    This is the only place where a float becomes a price or a quantity.
    """

    def __init__(self, instrument: Instrument) -> None:
        """Read its steps."""
        self._tick_size = instrument.tick_size
        self._lot_size = instrument.lot_size
        self.tick_ratio = instrument.tick_size.as_integer_ratio()
        self.lot_ratio = instrument.lot_size.as_integer_ratio()

    def row(self, bar: Bar) -> Row:
        """Return open, high, low, close and volume."""
        up, down = self.tick_ratio
        lot_up, lot_down = self.lot_ratio
        return (
            bar.open * up / down,
            bar.high * up / down,
            bar.low * up / down,
            bar.close * up / down,
            bar.volume * lot_up / lot_down,
        )

    def ticks(self, price: float) -> Ticks | None:
        """Return the tick nearest to a price; None when there is none above zero."""
        steps = _steps(price, self._tick_size)
        return None if steps is None else Ticks(steps)

    def lots(self, quantity: float) -> Lots | None:
        """Return the lot nearest to a quantity; None when there is none above zero."""
        steps = _steps(quantity, self._lot_size)
        return None if steps is None else Lots(steps)


def _steps(value: float, step: Decimal) -> int | None:
    if not isfinite(value) or value <= 0:
        return None
    exact = Decimal(repr(value)) / step
    if exact >= STEPS_MAX:
        return None
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)) or None
