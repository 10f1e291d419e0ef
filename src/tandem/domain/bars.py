"""Bars of the market core: spans of time, what traded in them, and what is published of them."""

import enum
from typing import Final

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.value import Value

_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 1_440 * _MINUTE_NS
_MONDAY_NS: Final = 4 * _DAY_NS  # 1970-01-05 was a Monday


class Span(enum.StrEnum):
    """A time-scale. Spans begin at multiples since 1970 UTC; weeks at Monday 00:00 UTC."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"
    W1 = "1w"

    @property
    def ns(self) -> int:
        """Its length."""
        return _LENGTHS_NS[self]

    def begin_ns(self, at_ns: int) -> int:
        """Return when the one began that holds this moment; an end belongs to the next."""
        shift_ns = _MONDAY_NS if self is _WEEK else 0
        return at_ns - (at_ns - shift_ns) % self.ns


_WEEK: Final = Span.W1  # finding a member of an enum costs more than comparing it
_LENGTHS_NS: Final[dict[Span, int]] = {
    Span.M1: _MINUTE_NS,
    Span.M3: 3 * _MINUTE_NS,
    Span.M5: 5 * _MINUTE_NS,
    Span.M15: 15 * _MINUTE_NS,
    Span.M30: 30 * _MINUTE_NS,
    Span.H1: 60 * _MINUTE_NS,
    Span.H4: 240 * _MINUTE_NS,
    Span.D1: _DAY_NS,
    Span.W1: 7 * _DAY_NS,
}


class Bar(Value, frozen=True, kw_only=True):
    """What traded in one span that began at `begin_ns`.

    `is_filled`: nothing traded; it repeats the last close, with no volume, as its venue's
    convention wants.

    Raises:
        ConfigurationError: it begins off its span's grid, or its prices cannot be.
    """

    instrument_id: InstrumentId
    span: Span
    begin_ns: int
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Lots
    is_filled: bool = False

    def __post_init__(self) -> None:
        if self.span.begin_ns(self.begin_ns) != self.begin_ns:
            raise ConfigurationError(f"begin_ns {self.begin_ns}: expected a begin of {self.span}")
        if not 0 < self.low <= min(self.open, self.close) or self.volume < 0:
            raise ConfigurationError("bar: expected 0 < low <= open and close, and a volume >= 0")
        if self.high < max(self.open, self.close):
            raise ConfigurationError("bar: expected high >= open and close")

    @property
    def end_ns(self) -> int:
        """When it is over."""
        return self.begin_ns + self.span.ns


class FinalBar(Value, frozen=True, kw_only=True):
    """A bar as it is published: exactly once, in order.

    `number` counts what was published of one instrument and span, from 1, without a gap.
    `revision` is 0 the first time a bar is published. A later correction is published again, with
    the next `number` and its revision's count: it changes history, and never decides again.
    """

    number: int
    bar: Bar
    revision: int = 0
