"""What can be traded, and the grid that its prices and quantities lie on."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from functools import cached_property

import msgspec

from tandem.domain.errors import ConfigurationError, OffGridError, UnknownInstrumentError
from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.money import EXACT, ZERO, multiply

STEPS_MAX = 2**53
TEXT_MAX = 40


class Instrument(msgspec.Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True):
    """One tradable thing on one venue, and the only converter between text and our integers.

    `symbol` is the venue's own string; `tick_size` is in quote currency per base unit,
    `lot_size` in base units. Its venue takes no order below `min_quantity`, or worth less than
    `min_notional` of the quote currency. Two instruments with the same `market_id` and `symbol`
    meet in one market, whatever their venues.

    Raises:
        ConfigurationError: a step is not above zero, or a least order cannot be.
    """

    instrument_id: InstrumentId
    symbol: str
    venue_id: VenueId
    market_id: MarketId
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Lots = Lots(1)
    min_notional: Decimal = ZERO

    def __post_init__(self) -> None:
        if self.min_quantity < 1 or not (self.min_notional.is_finite() and self.min_notional >= 0):
            raise ConfigurationError(
                f"{self.instrument_id}: min_quantity is {self.min_quantity} and min_notional "
                f"{self.min_notional}, expected at least 1, and no less than 0"
            )
        for name in ("tick_size", "lot_size"):
            step = getattr(self, name)
            if not step.is_finite() or step <= 0:
                raise ConfigurationError(
                    f"{self.instrument_id}: {name} is {step}, expected above 0"
                )

    @cached_property
    def book_id(self) -> str:
        """The book, across the venues of one market, in which this instrument's orders meet."""
        return f"{self.market_id}:{self.symbol}"

    @cached_property
    def step_value(self) -> Decimal:
        """What one lot is worth at a price of one tick, in quote currency."""
        return multiply(self.tick_size, self.lot_size)

    def price(self, text: str) -> Ticks:
        """Return `text` in ticks.

        Raises:
            OffGridError: `text` is not a positive multiple of `tick_size`.
        """
        return Ticks(_steps(text, self.tick_size, what=f"price of {self.symbol}"))

    def quantity(self, text: str) -> Lots:
        """Return `text` in lots.

        Raises:
            OffGridError: `text` is not a positive multiple of `lot_size`.
        """
        return Lots(_steps(text, self.lot_size, what=f"quantity of {self.symbol}"))

    def price_text(self, price: Ticks) -> str:
        """Return `price` as a venue writes it; equal prices have equal text."""
        return f"{price * self.tick_size:f}"

    def quantity_text(self, quantity: Lots) -> str:
        """Return `quantity` as a venue writes it; equal quantities have equal text."""
        return f"{quantity * self.lot_size:f}"

    def notional(self, price: Ticks, quantity: Lots) -> Decimal:
        """Return the exact value of `quantity` at `price`, in quote currency."""
        return multiply(self.step_value, price * quantity)


class Catalogue:
    """Every instrument that a pool may trade, found by id or by symbol."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        """Index `instruments`.

        Raises:
            ConfigurationError: an id stands twice, or two venues of one market put one symbol
                on different tick grids, so that their prices cannot be compared.
        """
        self._by_id: dict[InstrumentId, Instrument] = {}
        ticks: dict[str, Decimal] = {}
        for one in instruments:
            if one.instrument_id in self._by_id:
                raise ConfigurationError(f"instrument {one.instrument_id} stands twice")
            if ticks.setdefault(one.book_id, one.tick_size) != one.tick_size:
                raise ConfigurationError(
                    f"{one.instrument_id}: tick size {one.tick_size}, but "
                    f"{ticks[one.book_id]} elsewhere in market {one.market_id}"
                )
            self._by_id[one.instrument_id] = one

    def __getitem__(self, instrument_id: InstrumentId) -> Instrument:
        """Return the instrument of that id.

        Raises:
            UnknownInstrumentError: it is not in the catalogue.
        """
        found = self._by_id.get(instrument_id)
        if found is None:
            raise UnknownInstrumentError(f"no instrument {instrument_id}")
        return found

    def __contains__(self, instrument_id: InstrumentId) -> bool:
        """Return whether that id is in the catalogue."""
        return instrument_id in self._by_id

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """All of them, in the order in which they were given."""
        return tuple(self._by_id.values())

    def on_symbol(self, symbol: str) -> tuple[Instrument, ...]:
        """Return the instruments that venues call `symbol`, one a venue; empty when none does."""
        return tuple(one for one in self._by_id.values() if one.symbol == symbol)


def _steps(text: str, step: Decimal, *, what: str) -> int:
    # Decimal's words for "abc", and for numbers too large to divide. Its usual 28 digits would
    # round what is off the grid by less onto it.
    with suppress(ArithmeticError):
        count = EXACT.divide(Decimal(text), step) if len(text) <= TEXT_MAX else ZERO
        if 0 < count < STEPS_MAX and count == int(count):
            return int(count)
    raise OffGridError(f"{what}: {text[:TEXT_MAX]!r} is not a positive multiple of {step}")
