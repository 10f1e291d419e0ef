"""From the numbers of a feed to ticks and lots, which a feed does not always keep to."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import TradeBar
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instrument import STEPS_MAX, Instrument

_LENGTH_MAX = 40
_ONE = Decimal(1)


class Grid:
    """The grid of one instrument; counts the sizes that had to be rounded.

    Zero and what is below it are numbers here: whether they can be prices is judged later.
    """

    def __init__(self, instrument: Instrument, *, unit: Decimal = _ONE) -> None:
        """Round to the ticks and lots of `instrument`; prices are told in `unit`."""
        self.instrument_id = instrument.instrument_id
        self._tick = instrument.tick_size / unit
        self._lot = instrument.lot_size
        self._rounded = 0

    def taken_rounded(self) -> int:
        """Return how many sizes were rounded since the last call."""
        rounded, self._rounded = self._rounded, 0
        return rounded

    def bid(self, text: str) -> Ticks:
        """Return a price at which somebody buys: never above what he said."""
        return Ticks(_steps(text, self._tick, rounding=ROUND_FLOOR))

    def ask(self, text: str) -> Ticks:
        """Return a price at which somebody sells: never below what he said."""
        return Ticks(_steps(text, self._tick, rounding=ROUND_CEILING))

    def traded(self, text: str) -> Ticks:
        """Return the tick that is nearest to a price at which something traded."""
        return Ticks(_steps(text, self._tick, rounding=ROUND_HALF_EVEN))

    def size(self, text: str) -> Lots:
        """Return a quantity, rounded down."""
        lots = _steps(text, self._lot, rounding=ROUND_FLOOR)
        if lots * self._lot != Decimal(text):
            self._rounded += 1
        return Lots(lots)

    def trade_bar(self, prices: Sequence[str], volume: str) -> TradeBar:
        """Return a bar of what traded; `prices` are its open, high, low and close."""
        opened, high, low, close = (self.traded(one) for one in prices)
        quantity = self.size(volume)
        return TradeBar(
            instrument_id=self.instrument_id,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=quantity,
            off_lot_rounded=self.taken_rounded(),
        )


def _steps(text: str, step: Decimal, *, rounding: str) -> int:
    try:
        number = Decimal(text) if len(text) <= _LENGTH_MAX else Decimal("nan")
        steps = int((number / step).to_integral_value(rounding))
    except (InvalidOperation, ValueError, OverflowError):
        steps = STEPS_MAX
    if not -STEPS_MAX < steps < STEPS_MAX:
        raise MarketFileError(f"{text[:_LENGTH_MAX]!r} is no price or quantity")
    return steps
