"""What the rest of the market offers, and what its trades do to our resting orders.

Displayed quantities stand in the same book as our orders, as orders of the background. So an
order of ours that comes to a price waits behind what was displayed there, and its place is
right by itself: trades eat the queue from its head, cancels of the feed take from its tail
(the pessimistic reading), and what the feed adds stands behind us. What we took stays gone until
the feed says something else of that price.

The book is never crossed. News wins: what a feed shows on one side removes what is displayed
beyond it on the other, and trades with orders of ours there, at their price, since the market
has come through them. A public trade fills our orders at better prices first, then the queue at
its own price; it fills no more than its quantity.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Final, assert_never

import msgspec

from tandem.core.matching.book import BACKGROUND, Book, Resting
from tandem.core.matching.floor import Floor
from tandem.core.matching.state import ExchangeState, MarketState
from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
)
from tandem.domain.ids import Lots, Ticks
from tandem.domain.instrument import STEPS_MAX
from tandem.domain.order import Side

_WHOLE: Final = Decimal(1)
_Prices = tuple[Ticks, Ticks, Ticks, Ticks]  # open, high, low, close


class _Volume(msgspec.Struct, gc=False):
    """What the market may still trade: `left` in all, `for_us` of it with our orders."""

    left: int
    for_us: int


class Liquidity:
    """Turns market events into displayed quantities and fills."""

    def __init__(self, state: ExchangeState, floor: Floor) -> None:
        """Show on the books of `floor`."""
        self._state = state
        self._floor = floor

    def apply(self, event: MarketEvent) -> None:
        """Let one market event happen; one of an unknown instrument is only counted."""
        market = self._state.markets.get(event.instrument_id)
        if market is None:
            self._state.unknown_events += 1
            return
        self._state.off_lot_rounded += event.off_lot_rounded
        self._state.touched[event.instrument_id] = None
        book = self._floor.books[event.instrument_id]
        match event:
            case DepthShown():
                self._show_depth(market, book, event)
            case BestShown():
                self._show_best(market.bids, book, event.bid, is_buy=True)
                self._show_best(market.asks, book, event.ask, is_buy=False)
            case PublicTrade():
                market.last = event.price
                volume = _Volume(event.quantity, event.quantity)
                self._print(book, event.price, volume, event.taker)
            case TradeBar():
                self._walk_trades(market, book, event)
            case QuoteBar():
                self._walk_quotes(market, book, event)
            case _:
                assert_never(event)

    def _show_depth(self, market: MarketState, book: Book, event: DepthShown) -> None:
        if event.is_whole:
            self._hide_others(market.bids, book, event.bids, is_buy=True)
            self._hide_others(market.asks, book, event.asks, is_buy=False)
        for level in event.bids:
            self._show(market.bids, book, level, is_buy=True)
        for level in event.asks:
            self._show(market.asks, book, level, is_buy=False)

    def _hide_others(
        self, shown: dict[int, int], book: Book, levels: tuple[Level, ...], *, is_buy: bool
    ) -> None:
        kept = dict(levels)
        for price in [one for one in shown if one not in kept]:
            self._show(shown, book, (Ticks(price), Lots(0)), is_buy=is_buy)

    def _show_best(
        self, shown: dict[int, int], book: Book, best: Level | None, *, is_buy: bool
    ) -> None:
        """Remove what is displayed beyond `best`; what we took there stays taken."""
        limit = best[0] if best is not None else 0 if is_buy else STEPS_MAX
        for one in list(book.crossed_by(is_buy=not is_buy, price=limit)):
            if one.owner == BACKGROUND and (best is None or one.price != best[0]):
                book.cancel(one.number)
                shown.pop(one.price, None)
        if best is not None and best[0] not in shown:
            self._show(shown, book, best, is_buy=is_buy)

    def _show(self, shown: dict[int, int], book: Book, level: Level, *, is_buy: bool) -> int:
        """Display a quantity at a price from now on; return how much of it our orders took."""
        price, quantity = level
        if shown.get(price, 0) == quantity:
            return 0
        taken = 0
        if quantity > 0:
            shown[price] = quantity
            taken = self._come_through(book, level, is_buy=is_buy)
        else:
            shown.pop(price, None)
        self._display(book, price, max(quantity - taken, 0), is_buy=is_buy)
        return taken

    def _come_through(self, book: Book, level: Level, *, is_buy: bool) -> int:
        """Clear the way for a newly displayed quantity; return how much our orders took."""
        price, quantity = level
        left: int = quantity
        for resting in list(book.crossed_by(is_buy=is_buy, price=price)):
            if resting.owner == BACKGROUND:
                book.cancel(resting.number)
            elif left:
                traded = min(left, resting.leaves)
                self._floor.fill_resting(resting, traded)
                left -= traded
        return quantity - left

    def _display(self, book: Book, price: Ticks, quantity: int, *, is_buy: bool) -> None:
        """Let the background have `quantity` at that price, its oldest part unmoved."""
        queue = book.at(is_buy=is_buy, price=price)
        displayed = [one for one in queue if one.owner == BACKGROUND]
        surplus = sum(one.leaves for one in displayed) - quantity
        while surplus > 0:
            last = displayed.pop()
            gone = min(surplus, last.leaves)
            book.take(last, gone)
            surplus -= gone
        if surplus == 0:
            return
        if queue and queue[-1].owner == BACKGROUND:
            queue[-1].leaves -= surplus
        else:
            self._state.orders += 1
            book.add(Resting(self._state.orders, BACKGROUND, is_buy, price, -surplus))

    def _print(self, book: Book, price: Ticks, volume: _Volume, taker: Side | None) -> None:
        """Let the market trade at `price`, with whom it would have met on its way there."""
        for is_buy in (True, False):
            is_hit = taker is None or (taker is Side.SELL) is is_buy
            for resting in list(book.crossed_by(is_buy=not is_buy, price=price)):
                is_through = resting.price != price
                if is_through or is_hit:
                    self._hit(book, resting, volume, is_through=is_through)

    def _hit(self, book: Book, resting: Resting, volume: _Volume, *, is_through: bool) -> None:
        if resting.owner != BACKGROUND:
            traded = min(resting.leaves, volume.left, volume.for_us)
            if traded > 0:
                volume.left -= traded
                volume.for_us -= traded
                self._floor.fill_resting(resting, traded)
        elif is_through:
            book.cancel(resting.number)
        elif volume.left > 0:
            eaten = min(resting.leaves, volume.left)
            volume.left -= eaten
            book.take(resting, eaten)

    def _walk_trades(self, market: MarketState, book: Book, bar: TradeBar) -> None:
        share = self._state.settings.bar_share * bar.volume
        volume = _Volume(bar.volume, int(share.quantize(_WHOLE, ROUND_FLOOR)))
        prices = (bar.open, bar.high, bar.low, bar.close)
        for price in _path(prices, leader=prices):
            market.last = price
            self._print(book, price, volume, None)

    def _walk_quotes(self, market: MarketState, book: Book, bar: QuoteBar) -> None:
        """Show the bar's quotes one after the other; its sizes are there once, not four times."""
        bid_left: int = bar.bid_quantity
        ask_left: int = bar.ask_quantity
        bids = _path(bar.bids, leader=bar.bids)
        asks = _path(bar.asks, leader=bar.bids)
        for bid_price, ask_price in zip(bids, asks, strict=True):
            bid = (bid_price, Lots(bid_left))
            ask = (ask_price, Lots(ask_left))
            self._hide_others(market.bids, book, (bid,), is_buy=True)
            self._hide_others(market.asks, book, (ask,), is_buy=False)
            bid_left -= self._show(market.bids, book, bid, is_buy=True)
            ask_left -= self._show(market.asks, book, ask, is_buy=False)


def _path(prices: _Prices, *, leader: _Prices) -> _Prices:
    """Return the prices in the order in which the market went through them.

    First to that end of `leader` which is nearer to its open, the high when both are as near.
    """
    opened, high, low, close = prices
    up_first = leader[1] - leader[0] <= leader[0] - leader[2]
    return (opened, high, low, close) if up_first else (opened, low, high, close)
