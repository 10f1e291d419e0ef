"""Words for tests of the market core: one instrument, its sources, and somebody who stores."""

from collections.abc import Iterable, Sequence

from tandem.core.market.market import MarketCore
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.market_words import (
    BackFill,
    BackFilled,
    BarTold,
    EmptyMinutes,
    FeedFresh,
    FeedStale,
    GapKnown,
    GapLeft,
    Kept,
    Listing,
    MarketEffect,
    MarketSettings,
    MarketWord,
    PieceTold,
    Publish,
    Recall,
    Recalled,
    Source,
    SourceId,
    Tells,
    TimeTold,
    TradeTold,
    WordRefused,
)

COIN = InstrumentId("paper:BTCUSD")
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
VENUE, OTHER = SourceId("venue"), SourceId("other")
SETTINGS = MarketSettings(grace_ns=0, wait_ns=2 * MINUTE)
SOURCE = Source(source_id=VENUE, stale_ns=10**19)
LIVE = Source(source_id=VENUE, stale_ns=10**19, is_asked=True)
TRADES = Source(source_id=VENUE, stale_ns=10**19, tells=Tells.TRADES)
FILLED = EmptyMinutes.FILLED


def listing(*sources: Source, span: Span = Span.M1) -> Listing:
    return Listing(instrument_id=COIN, sources=sources, span=span)


def bar(minute: int, *prices: int, volume: int = 1, span: Span = Span.M1) -> Bar:
    """Return the bar of that number; open, high, low and close, or one price for all."""
    opened, high, low, close = prices if len(prices) == 4 else prices[:1] * 4 or (5, 9, 4, 6)
    return Bar(
        instrument_id=COIN,
        span=span,
        begin_ns=span.begin_ns(minute * span.ns + (4 * Span.D1.ns if span is Span.W1 else 0)),
        open=Ticks(opened),
        high=Ticks(high),
        low=Ticks(low),
        close=Ticks(close),
        volume=Lots(volume),
    )


def told(minute: int, *prices: int, volume: int = 1, by: SourceId = VENUE) -> BarTold:
    return BarTold(source_id=by, bar=bar(minute, *prices, volume=volume))


def trade(seconds: float, price: int, number: int | None = None, size: int = 1) -> TradeTold:
    return TradeTold(
        source_id=VENUE,
        instrument_id=COIN,
        at_ns=int(seconds * SECOND),
        price=Ticks(price),
        quantity=Lots(size),
        number=number,
    )


def piece(seconds: int, *prices: int, volume: int = 1) -> PieceTold:
    opened, high, low, close = prices if len(prices) == 4 else prices[:1] * 4
    return PieceTold(
        source_id=VENUE,
        instrument_id=COIN,
        at_ns=seconds * SECOND,
        open=Ticks(opened),
        high=Ticks(high),
        low=Ticks(low),
        close=Ticks(close),
        volume=Lots(volume),
    )


def time(minutes: float, by: SourceId = VENUE) -> TimeTold:
    return TimeTold(source_id=by, at_ns=int(minutes * MINUTE))


def gap(first: float, last: float) -> GapKnown:
    """Return that minutes may be missing: from the first to before the last."""
    return GapKnown(source_id=VENUE, from_ns=int(first * MINUTE), to_ns=int(last * MINUTE))


def answer(
    first: int, last: int, *bars: Bar, by: SourceId = VENUE, trades: Sequence[TradeTold] = ()
) -> BackFilled:
    return BackFilled(
        source_id=by,
        instrument_id=COIN,
        from_ns=first * MINUTE,
        to_ns=last * MINUTE,
        bars=bars,
        trades=tuple(trades),
    )


class Market:
    """A market core with a store in memory, and all that it did."""

    def __init__(
        self,
        *sources: Source,
        span: Span = Span.M1,
        settings: MarketSettings = SETTINGS,
        finals: Iterable[FinalBar] = (),
    ) -> None:
        self.finals = list(finals)
        self.effects: list[MarketEffect] = []
        self.now_ns = 0
        kept = kept_of(self.finals)
        self._core = MarketCore(settings, [listing(*(sources or (SOURCE,)), span=span)], kept)

    def tell(self, *words: MarketWord, now: float | None = None) -> list[MarketEffect]:
        """Let it hear them, at the end of time or after that many minutes."""
        found: list[MarketEffect] = []
        now_ns = 10**19 if now is None else int(now * MINUTE)
        queue = list(words)
        while queue:
            made = self._core.on_event(queue.pop(0), Instant(now_ns, now_ns))
            for effect in made:
                if isinstance(effect, Publish):
                    self.finals.append(effect.final)
                elif isinstance(effect, Recall):
                    queue.insert(0, self.recalled(effect))
            found += made
        self.effects += found
        return found

    def recalled(self, asked: Recall) -> Recalled:
        found: dict[tuple[Span, int], FinalBar] = {}
        for one in self.finals:
            for span, from_ns, to_ns in asked.ranges:
                if one.bar.span is span and from_ns <= one.bar.begin_ns < to_ns:
                    found[span, one.bar.begin_ns] = one
        return Recalled(instrument_id=asked.instrument_id, bars=tuple(found.values()))

    def bars(self, span: Span = Span.M1) -> list[Bar]:
        """Return the latest revisions of a span, in the order of time."""
        found = {one.bar.begin_ns: one.bar for one in self.finals if one.bar.span is span}
        return [found[one] for one in sorted(found)]

    def all_bars(self) -> dict[Span, list[Bar]]:
        return {one: self.bars(one) for one in Span}

    def published(self, span: Span = Span.M1) -> list[tuple[int, int, int]]:
        """Return number, the bar's number and revision of all that was published, in order."""
        return [
            (one.number, one.bar.begin_ns // span.ns, one.revision)
            for one in self.finals
            if one.bar.span is span
        ]

    def asked(self) -> list[tuple[SourceId, float, float]]:
        """Return who was asked for which minutes."""
        return [
            (one.source_id, one.from_ns / MINUTE, one.to_ns / MINUTE)
            for one in self.effects
            if isinstance(one, BackFill)
        ]

    def left(self) -> list[tuple[float, float]]:
        """Return the gaps that were left, in minutes."""
        return [
            (one.from_ns / MINUTE, one.to_ns / MINUTE)
            for one in self.effects
            if isinstance(one, GapLeft)
        ]

    def refusals(self) -> list[str]:
        return [one.reason for one in self.effects if isinstance(one, WordRefused)]

    def freshness(self) -> list[bool]:
        """Return whether it was fresh, each time that this was said."""
        return [
            isinstance(one, FeedFresh)
            for one in self.effects
            if isinstance(one, FeedFresh | FeedStale)
        ]


def kept_of(finals: Iterable[FinalBar]) -> list[Kept]:
    """Return where the series of a store stand that holds these."""
    by_span: dict[Span, list[FinalBar]] = {}
    for one in finals:
        by_span.setdefault(one.bar.span, []).append(one)
    return [
        Kept(
            instrument_id=COIN,
            span=span,
            number=found[-1].number,
            end_ns=max(one.bar.end_ns for one in found),
            recent=tuple({one.bar.begin_ns: one.bar for one in found}.values()),
        )
        for span, found in by_span.items()
    ]
