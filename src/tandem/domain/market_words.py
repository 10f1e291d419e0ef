"""What sources tell the market core, and what the market core has done about it.

A source is one feed of one or more instruments: an exchange adapter, a recording. All times are
of the market, in nanoseconds since 1970.
"""

import enum
from typing import Final, NewType

from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.value import Value

SourceId = NewType("SourceId", str)
_SECOND_NS = 1_000_000_000
STALE_TRADES_NS: Final = 5 * _SECOND_NS
STALE_BARS: Final = 3


class EmptyMinutes(enum.StrEnum):
    """What a venue's bars are like where nothing traded; bars built from its trades are alike."""

    ABSENT = "absent"  # there is none (Bitfinex, Coinbase)
    FILLED = "filled"  # the last close again, without volume (Binance, Kraken)


class Tells(enum.StrEnum):
    """What a source's bars are made of."""

    BARS = "bars"
    TRADES = "trades"  # single trades, or bars shorter than a minute


class Source(Value, frozen=True, kw_only=True):
    """A source of one instrument.

    `is_asked`: it can send again what is missing. Its prices are stale when its clock is more
    than `stale_ns` behind the market's; None: 5 s for trades, three bars for bars.
    """

    source_id: SourceId
    tells: Tells = Tells.BARS
    empty_minutes: EmptyMinutes = EmptyMinutes.ABSENT
    is_asked: bool = False
    stale_ns: int | None = None

    def stale_after_ns(self, span: Span) -> int:
        """Return how far its clock may be behind, when it tells of bars of that span."""
        if self.stale_ns is not None:
            return self.stale_ns
        return STALE_BARS * span.ns if self.tells is Tells.BARS else STALE_TRADES_NS


class Listing(Value, frozen=True, kw_only=True):
    """An instrument whose bars are made: its first source is the primary, the others only fill.

    `span` is that of the bars which the sources tell; all longer spans are made of them.

    Raises:
        ConfigurationError: no source, or one twice.
    """

    instrument_id: InstrumentId
    sources: tuple[Source, ...]
    span: Span = Span.M1

    def __post_init__(self) -> None:
        names = [one.source_id for one in self.sources]
        if not names or len(dict.fromkeys(names)) != len(names):
            raise ConfigurationError(f"{self.instrument_id}: expected one or more sources, once")


class MarketSettings(Value, frozen=True, kw_only=True):
    """How long is waited.

    A bar is final once its source's clock is `grace_ns` past its end. A gap is published as it
    is when that clock is `wait_ns` past it and nobody has sent what is missing; a source that
    fills takes over from a primary that is as far behind.
    """

    grace_ns: int = 2 * _SECOND_NS
    wait_ns: int = 30 * _SECOND_NS

    def __post_init__(self) -> None:
        if self.grace_ns < 0 or self.wait_ns < 0:
            raise ConfigurationError("grace_ns and wait_ns: expected 0 or more")


# What comes in.


class BarTold(Value, frozen=True, kw_only=True, tag="bar_told"):
    """A source's bar, of an open span or a closed one; what it said of it before is replaced."""

    source_id: SourceId
    bar: Bar


class TradeTold(Value, frozen=True, kw_only=True, tag="trade_told"):
    """A public trade at `at_ns` of the source's clock.

    `number` is the source's own, rising by one from trade to trade: repeats are dropped by it,
    and a number that is left out is a gap. Without, every trade counts.
    """

    source_id: SourceId
    instrument_id: InstrumentId
    at_ns: int
    price: Ticks
    quantity: Lots
    number: int | None = None


class PieceTold(Value, frozen=True, kw_only=True, tag="piece_told"):
    """What traded in less than a minute from `at_ns` on, such as a bar of a second."""

    source_id: SourceId
    instrument_id: InstrumentId
    at_ns: int
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Lots


class TimeTold(Value, frozen=True, kw_only=True, tag="time_told"):
    """The source's clock has come to `at_ns`, and everything before it was told."""

    source_id: SourceId
    at_ns: int


class GapKnown(Value, frozen=True, kw_only=True, tag="gap_known"):
    """The source may have left something out in this span of time, of one instrument or all."""

    source_id: SourceId
    from_ns: int
    to_ns: int
    instrument_id: InstrumentId | None = None


class BackFilled(Value, frozen=True, kw_only=True, tag="back_filled"):
    """The source's answer to `BackFill`, or part of it: all that there was in this span of time.

    A minute that is in the span of time and not in the answer is one in which nothing traded.
    """

    source_id: SourceId
    instrument_id: InstrumentId
    from_ns: int
    to_ns: int
    bars: tuple[Bar, ...] = ()
    trades: tuple[TradeTold | PieceTold, ...] = ()


class Recalled(Value, frozen=True, kw_only=True, tag="recalled"):
    """The store's answer to `Recall`: the latest revision of each bar that was asked for."""

    instrument_id: InstrumentId
    bars: tuple[FinalBar, ...]


class Ticked(Value, frozen=True, kw_only=True, tag="ticked"):
    """Nothing was told; time has passed."""


MarketWord = BarTold | TradeTold | PieceTold | TimeTold | GapKnown | BackFilled | Recalled | Ticked


# What comes out, in this order.


class Publish(Value, frozen=True, kw_only=True, tag="publish"):
    """Store this bar, durably, and then show it to everybody."""

    final: FinalBar


class BackFill(Value, frozen=True, kw_only=True, tag="back_fill"):
    """Ask the source for this span of time; it answers with `BackFilled` once that is over."""

    source_id: SourceId
    instrument_id: InstrumentId
    from_ns: int
    to_ns: int


class GapLeft(Value, frozen=True, kw_only=True, tag="gap_left"):
    """Nobody filled this gap in time: the bars of it are published as far as they are known."""

    instrument_id: InstrumentId
    from_ns: int
    to_ns: int


class Recall(Value, frozen=True, kw_only=True, tag="recall"):
    """Read from the store what was published, and say it (`Recalled`) before anything else.

    Of each span the bars that begin in its span of time.
    """

    instrument_id: InstrumentId
    ranges: tuple[tuple[Span, int, int], ...]


class FeedStale(Value, frozen=True, kw_only=True, tag="feed_stale"):
    """No source of the instrument is up to date: no new risk, bars of the past included.

    `since_ns` is what its clock showed, None when it never told a time.
    """

    instrument_id: InstrumentId
    since_ns: int | None


class FeedFresh(Value, frozen=True, kw_only=True, tag="feed_fresh"):
    """A source of the instrument is up to date (again), and its bars are published so far."""

    instrument_id: InstrumentId


class WordRefused(Value, frozen=True, kw_only=True, tag="word_refused"):
    """A source said what cannot be used, and why; counted, and shown to people."""

    source_id: SourceId
    instrument_id: InstrumentId | None
    reason: str


MarketEffect = Publish | BackFill | GapLeft | Recall | FeedStale | FeedFresh | WordRefused


# What a store has.


class Kept(Value, frozen=True, kw_only=True):
    """Where one series of final bars stands: with this the market core goes on after a restart.

    `number` is the latest one, `end_ns` the end of the latest bar. `recent` are its latest bars,
    in order: at least those since the begin of the longer bar that is open.
    """

    instrument_id: InstrumentId
    span: Span
    number: int
    end_ns: int
    recent: tuple[Bar, ...] = ()


class StoredSeries(Value, frozen=True, kw_only=True):
    """One series of a store: how much there is."""

    instrument: Instrument
    span: Span
    bars: int
    revisions: int
    number: int
    first_begin_ns: int
    last_begin_ns: int
