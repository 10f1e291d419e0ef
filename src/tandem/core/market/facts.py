"""What can be said of a whole feed, once it was read."""

from typing import Final

import msgspec

from tandem.core.market.watch import FeedWatch
from tandem.domain.feeds import FeedNews

_KINDS: Final = {
    "DepthShown": "depth",
    "BestShown": "best",
    "PublicTrade": "trades",
    "TradeBar": "trade_bars",
    "QuoteBar": "quote_bars",
}


class FeedFacts(msgspec.Struct):
    """Counts of a feed; `span_ns` is the length of its bars, None for single messages.

    A gap is where bars of one kind are missing, however many (`missing` counts them), or where a
    feed's own numbers say that messages are. Sizes that
    were not on the lot grid are in `off_lot_rounded`. `silence_ns` is the longest time without
    anything.
    """

    symbol: str
    span_ns: int | None
    watch: FeedWatch = msgspec.field(default_factory=FeedWatch)
    kinds: dict[str, int] = {}
    rows: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    gaps: int = 0
    missing: int = 0
    silence_ns: int = 0
    off_lot_rounded: int = 0
    ended_ns: dict[str, int] = {}

    def note(self, news: FeedNews) -> None:
        """Count what the feed said."""
        kind = _KINDS[type(news.event).__name__]
        self.rows += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.off_lot_rounded += news.event.off_lot_rounded
        if self.first_ns is None:
            self.first_ns = news.at_ns
        if self.last_ns is not None:
            self.silence_ns = max(self.silence_ns, news.at_ns - self.last_ns)
        self.last_ns = news.at_ns
        self.watch.note(news)
        self.gaps += news.is_after_gap
        if self.span_ns is not None:
            self._note_gap(kind, news.at_ns, self.span_ns)

    def _note_gap(self, kind: str, ended_ns: int, span_ns: int) -> None:
        before_ns = self.ended_ns.get(kind)
        self.ended_ns[kind] = ended_ns
        if before_ns is not None and ended_ns - before_ns > span_ns:
            self.gaps += 1
            self.missing += (ended_ns - before_ns) // span_ns - 1
