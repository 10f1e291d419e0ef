"""What a feed said, in the words of the market core."""

from datetime import UTC, datetime
from typing import Final

from tandem.core.market.filtering import fault_within
from tandem.domain.bars import Bar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.exchange import PublicTrade, QuoteBar, TradeBar
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.ids import Lots, Ticks
from tandem.domain.market_words import (
    BarTold,
    GapKnown,
    MarketWord,
    PieceTold,
    SourceId,
    TimeTold,
    TradeTold,
)

_SPANS: Final = {one.ns: one for one in Span}


class FeedWords:
    """Says one feed's news as a source.

    Bars of `span_ns` are told as bars where that is a span of ours, else as pieces of a minute.
    Forex has no trades that anybody sees: there the middles of quotes are told, rounded down.
    `unused` counts bars and trades that cannot be true, by what is wrong with them.
    """

    def __init__(
        self, source_id: SourceId, *, span_ns: int | None, asset_class: AssetClass
    ) -> None:
        """Take how long the feed's bars are; None: it tells single messages.

        Raises:
            ConfigurationError: of bars that long no minute, and none of ours, can be made.
        """
        self._source_id: Final = source_id
        self._span_ns: Final = span_ns or 0
        self._is_quotes: Final = asset_class is AssetClass.FOREX
        self._clock_ns = 0
        self.unused: dict[str, int] = {}
        self.span: Final = _SPANS.get(self._span_ns, Span.M1)
        if span_ns is not None and span_ns not in _SPANS and Span.M1.ns % span_ns:
            names = ", ".join(Span)
            raise ConfigurationError(
                f"bars of {span_ns} ns: expected a part of a minute, or one of {names}"
            )

    def words(self, news: FeedNews) -> list[MarketWord]:
        """Return what it says; nothing of what cannot be true.

        Raises:
            ConfigurationError: a bar begins where none of ours does; it names the bar's time.
        """
        at_ns = news.at_ns if news.told_ns is None else news.told_ns
        words: list[MarketWord] = []
        if news.is_after_gap:
            words.append(
                GapKnown(
                    source_id=self._source_id,
                    instrument_id=news.event.instrument_id,
                    from_ns=self._clock_ns or at_ns,
                    to_ns=at_ns,
                )
            )
        fault = fault_within(news.event)
        if fault is None:
            word = self._told(news, at_ns)
            words += [] if word is None else [word]
        elif isinstance(news.event, QuoteBar if self._is_quotes else TradeBar | PublicTrade):
            self.unused[fault] = self.unused.get(fault, 0) + 1
        if at_ns > self._clock_ns:
            self._clock_ns = at_ns
            words.append(TimeTold(source_id=self._source_id, at_ns=at_ns))
        return words

    def _told(self, news: FeedNews, at_ns: int) -> MarketWord | None:
        event = news.event
        if isinstance(event, QuoteBar) and self._is_quotes:
            event = _middle(event)
        if isinstance(event, PublicTrade):
            return TradeTold(
                source_id=self._source_id,
                instrument_id=event.instrument_id,
                at_ns=at_ns,
                price=event.price,
                quantity=event.quantity,
            )
        return self._bar_told(event, at_ns) if isinstance(event, TradeBar) else None

    def _bar_told(self, event: TradeBar, end_ns: int) -> MarketWord:
        begin_ns = end_ns - self._span_ns
        if self._span_ns not in _SPANS:
            return PieceTold(
                source_id=self._source_id,
                instrument_id=event.instrument_id,
                at_ns=begin_ns,
                open=event.open,
                high=event.high,
                low=event.low,
                close=event.close,
                volume=event.volume,
            )
        if self._span_ns >= Span.D1.ns:
            begin_ns = self.span.begin_ns(begin_ns)  # an exchange's own day is of its date
        if begin_ns != self.span.begin_ns(begin_ns):
            raise ConfigurationError(f"a bar of {_utc(begin_ns)}: expected a begin of {self.span}")
        bar = Bar(
            instrument_id=event.instrument_id,
            span=self.span,
            begin_ns=begin_ns,
            open=event.open,
            high=event.high,
            low=event.low,
            close=event.close,
            volume=event.volume,
        )
        return BarTold(source_id=self._source_id, bar=bar)


def _utc(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}"


def _middle(event: QuoteBar) -> TradeBar:
    opened, high, low, close = (
        Ticks((bid + ask) // 2) for bid, ask in zip(event.bids, event.asks, strict=True)
    )
    return TradeBar(
        instrument_id=event.instrument_id,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Lots(0),
    )
