"""Bad quotes are kept out, each with a reason, and none in silence.

What a feed says is judged by itself first (prices and sizes that can be, a book that is not
crossed), then against what the same feed said before: its time, a repeat, and the median of its
last prices. A price that was refused for being far counts in that median all the same: so a
single wild price is refused, and a market that has really moved is believed once it has stayed
there for half of the window.

Trades are never taken for repeats: two of the same price and size at one moment are usual.
"""

from statistics import median_low
from typing import Final, assert_never

import msgspec

from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
)
from tandem.domain.feeds import Fault, FeedNews
from tandem.domain.ids import Ticks
from tandem.domain.limits import SECOND_NS

MILLION: Final = 1_000_000
WINDOW: Final = 9
JUDGED_FROM: Final = 5  # prices in the window, before any is far from it
FAR_PPM: Final = 500_000
FORGOTTEN_NS: Final = 7 * 86_400 * SECOND_NS  # after such a silence any price is new

_Prices = tuple[Ticks, Ticks, Ticks, Ticks]  # open, high, low, close


class FeedFilter(msgspec.Struct, array_like=True, gc=False):
    """What one feed of one instrument has said, as far as it is needed to judge what comes.

    `last` and `told_ns` are by kind of event. `recent` are twice the last prices, so that the
    middle of a quote is whole. `faults` counts what was refused.
    """

    far_ppm: int = FAR_PPM
    recent: list[int] = []
    recent_ns: int = 0
    last: dict[str, MarketEvent] = {}
    told_ns: dict[str, int] = {}
    faults: dict[str, int] = {}

    def judge(self, news: FeedNews) -> Fault | None:
        """Return what is wrong with that, and remember it; None: it is to be used."""
        event = news.event
        fault = fault_within(event) or self._fault_after(news)
        if fault in (None, Fault.FAR):
            self._remember(news)
        if fault is not None:
            self.faults[fault.value] = self.faults.get(fault.value, 0) + 1
        return fault

    def _fault_after(self, news: FeedNews) -> Fault | None:
        kind = type(news.event).__name__
        before_ns = self.told_ns.get(kind)
        if news.told_ns is not None and before_ns is not None and news.told_ns < before_ns:
            return Fault.BACKWARDS
        is_as_old = news.told_ns is None or news.told_ns == before_ns
        if is_as_old and news.event == self.last.get(kind):
            return Fault.REPEATED
        if news.at_ns - self.recent_ns > FORGOTTEN_NS:
            self.recent = []
        if len(self.recent) >= JUDGED_FROM:
            usual = median_low(self.recent)
            bound = usual * self.far_ppm
            for doubled in _doubled_prices(news.event):
                if abs(doubled - usual) * MILLION > bound:
                    return Fault.FAR
        return None

    def _remember(self, news: FeedNews) -> None:
        kind = type(news.event).__name__
        if news.told_ns is not None:
            self.told_ns[kind] = news.told_ns
        if not isinstance(news.event, PublicTrade):
            self.last[kind] = news.event
        doubled = middle_of(news.event)
        if doubled is not None:
            self.recent.append(doubled)
            self.recent_ns = news.at_ns
            del self.recent[:-WINDOW]


def middle_of(event: MarketEvent) -> int | None:
    """Return twice the price that stands for this event; None when it tells no such price."""
    match event:
        case DepthShown():
            if not (event.is_whole and event.bids and event.asks):
                return None
            return _best(event.bids, is_bid=True) + _best(event.asks, is_bid=False)
        case BestShown():
            return None if event.bid is None or event.ask is None else event.bid[0] + event.ask[0]
        case PublicTrade():
            return 2 * event.price
        case TradeBar():
            return 2 * event.close
        case QuoteBar():
            return event.bids[3] + event.asks[3]
        case _:
            assert_never(event)


def _doubled_prices(event: MarketEvent) -> tuple[int, ...]:
    """Return twice each price that must be near the others."""
    if isinstance(event, TradeBar):
        return (2 * event.high, 2 * event.low)
    if isinstance(event, QuoteBar):
        return (2 * event.bids[2], 2 * event.asks[1])
    if isinstance(event, BestShown):
        return tuple(2 * one[0] for one in (event.bid, event.ask) if one is not None)
    doubled = middle_of(event)
    return () if doubled is None else (doubled,)


def _best(levels: tuple[Level, ...], *, is_bid: bool) -> int:
    shown = [price for price, quantity in levels if quantity] or [price for price, _ in levels]
    return max(shown) if is_bid else min(shown)


def fault_within(event: MarketEvent) -> Fault | None:
    """Return what makes it unusable by itself, or None."""
    match event:
        case DepthShown():
            return _depth_fault(event)
        case BestShown():
            return _best_fault(event)
        case PublicTrade():
            if event.price <= 0:
                return Fault.PRICE
            return Fault.SIZE if event.quantity <= 0 else None
        case TradeBar():
            prices = (event.open, event.high, event.low, event.close)
            return _bar_fault(prices) or (Fault.SIZE if event.volume < 0 else None)
        case QuoteBar():
            return _quote_bar_fault(event)
        case _:
            assert_never(event)


def _depth_fault(event: DepthShown) -> Fault | None:
    for price, quantity in (*event.bids, *event.asks):
        if price <= 0:
            return Fault.PRICE
        if quantity < 0:
            return Fault.SIZE
    if event.is_whole and event.bids and event.asks:
        return _order_fault(_best(event.bids, is_bid=True), ask=_best(event.asks, is_bid=False))
    return None


def _best_fault(event: BestShown) -> Fault | None:
    for level in (event.bid, event.ask):
        if level is not None and level[0] <= 0:
            return Fault.PRICE
        if level is not None and level[1] < 0:
            return Fault.SIZE
    if event.bid is None or event.ask is None:
        return None
    return _order_fault(event.bid[0], ask=event.ask[0])


def _quote_bar_fault(event: QuoteBar) -> Fault | None:
    fault = _bar_fault(event.bids) or _bar_fault(event.asks)
    if fault is not None:
        return fault
    if event.bid_quantity < 0 or event.ask_quantity < 0:
        return Fault.SIZE
    return _order_fault(event.bids[3], ask=event.asks[3])


def _bar_fault(prices: _Prices) -> Fault | None:
    opened, high, low, close = prices
    if min(prices) <= 0:
        return Fault.PRICE
    return None if low <= min(opened, close) and high >= max(opened, close) else Fault.SHAPE


def _order_fault(bid: int, *, ask: int) -> Fault | None:
    if bid > ask:
        return Fault.CROSSED
    return Fault.LOCKED if bid == ask else None
