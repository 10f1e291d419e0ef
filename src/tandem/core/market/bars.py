"""Bars of a longer span, made of trades or of shorter bars."""

from collections.abc import Iterable, Iterator

from tandem.domain.exchange import PublicTrade, TradeBar
from tandem.domain.feeds import FeedNews
from tandem.domain.ids import InstrumentId, Lots, Ticks

_Trade = PublicTrade | TradeBar


class _Open:
    """A bar that is not over."""

    def __init__(self, begin_ns: int, first: _Trade) -> None:
        self.begin_ns = begin_ns
        self._id: InstrumentId = first.instrument_id
        self._open = first.price if isinstance(first, PublicTrade) else first.open
        self._high = self._low = self._close = self._open
        self._volume = 0
        self._rounded = 0

    def add(self, one: _Trade) -> None:
        if isinstance(one, PublicTrade):
            high = low = close = one.price
            self._volume += one.quantity
        else:
            high, low, close = one.high, one.low, one.close
            self._volume += one.volume
        self._high = max(self._high, high)
        self._low = min(self._low, low)
        self._close = close
        self._rounded += one.off_lot_rounded

    def bar(self, end_ns: int) -> FeedNews:
        made = TradeBar(
            instrument_id=self._id,
            open=Ticks(self._open),
            high=Ticks(self._high),
            low=Ticks(self._low),
            close=Ticks(self._close),
            volume=Lots(self._volume),
            off_lot_rounded=self._rounded,
        )
        return FeedNews(end_ns, end_ns, made)


def bars_of(news: Iterable[FeedNews], span_ns: int) -> Iterator[FeedNews]:
    """Yield the bars of `span_ns` that trades or shorter bars of one instrument make, at its ends.

    Spans begin at multiples of `span_ns` since 1970. One in which nothing came is absent; none is
    made up. A bar is yielded once something of a later span has come, the last one when `news`
    ends. A trade belongs to the span in which it was; a bar to the one in which it ended. Quotes
    are passed over.
    """
    current: _Open | None = None
    for at_ns, told_ns, event, _ in news:
        if not isinstance(event, _Trade):
            continue
        time_ns = at_ns if told_ns is None else told_ns
        if isinstance(event, TradeBar):
            time_ns -= 1  # one that ends with the span is of the span
        begin_ns = time_ns - time_ns % span_ns
        if current is not None and begin_ns > current.begin_ns:
            yield current.bar(current.begin_ns + span_ns)
            current = None
        if current is None:
            current = _Open(begin_ns, event)
        current.add(event)
    if current is not None:
        yield current.bar(current.begin_ns + span_ns)
