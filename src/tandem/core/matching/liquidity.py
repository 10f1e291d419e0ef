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
from tandem.domain.ids import InstrumentId
from tandem.domain.order import Side

_WHOLE: Final = Decimal(1)


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
        match event:
            case DepthShown():
                self._show_depth(market, event)
            case BestShown():
                self._show_best(market, event)
            case PublicTrade():
                self._trade(market, event)
            case TradeBar():
                self._walk_trades(market, event)
            case QuoteBar():
                self._walk_quotes(market, event)
            case _:
                assert_never(event)

    def _show_depth(self, market: MarketState, event: DepthShown) -> None:
        if event.is_whole:
            self._keep_only(event.instrument_id, dict(event.bids), is_buy=True)
            self._keep_only(event.instrument_id, dict(event.asks), is_buy=False)
        for price, quantity in event.bids:
            self._show(event.instrument_id, price, quantity, is_buy=True)
        for price, quantity in event.asks:
            self._show(event.instrument_id, price, quantity, is_buy=False)

    def _keep_only(
        self, instrument_id: InstrumentId, levels: dict[int, int], *, is_buy: bool
    ) -> None:
        shown = self._shown(instrument_id, is_buy=is_buy)
        for price in [one for one in shown if one not in levels]:
            self._show(instrument_id, price, 0, is_buy=is_buy)

    def _shown(self, instrument_id: InstrumentId, *, is_buy: bool) -> dict[int, int]:
        market = self._state.markets[instrument_id]
        return market.bids if is_buy else market.asks

    def _show(self, instrument_id: InstrumentId, price: int, quantity: int, *, is_buy: bool) -> int:
        """Display `quantity` at a price from now on; return how much of it our orders took."""
        shown = self._shown(instrument_id, is_buy=is_buy)
        if shown.get(price, 0) == quantity:
            return 0
        book = self._floor.books[instrument_id]
        taken = 0
        if quantity > 0:
            shown[price] = quantity
            taken = self._come_through(book, price, quantity, is_buy=is_buy)
        else:
            shown.pop(price, None)
        self._display(book, price, max(quantity - taken, 0), is_buy=is_buy)
        return taken

    def _come_through(self, book: Book, price: int, quantity: int, *, is_buy: bool) -> int:
        """Clear the way for a newly displayed quantity; return how much our orders took."""
        left = quantity
        for resting in list(book.crossed_by(is_buy=is_buy, price=price)):
            if resting.owner == BACKGROUND:
                book.cancel(resting.number)
            elif left:
                traded = min(left, resting.leaves)
                self._floor.fill_resting(resting, traded)
                left -= traded
        return quantity - left

    def _display(self, book: Book, price: int, quantity: int, *, is_buy: bool) -> None:
        queue = book.at(is_buy=is_buy, price=price)
        displayed = [one for one in queue if one.owner == BACKGROUND]
        surplus = sum(one.leaves for one in displayed) - quantity
        while surplus > 0:
            last = displayed.pop()
            gone = min(surplus, last.leaves)
            book.take(last, gone)
            surplus -= gone
        if surplus < 0:
            if queue and queue[-1].owner == BACKGROUND:
                queue[-1].leaves -= surplus
            else:
                self._state.orders += 1
                book.add(Resting(self._state.orders, BACKGROUND, is_buy, price, -surplus))

    def _show_best(self, market: MarketState, event: BestShown) -> None:
        for best, shown, is_buy in (
            (event.bid, market.bids, True),
            (event.ask, market.asks, False),
        ):
            sign = 1 if is_buy else -1
            gone = [price for price in shown if best is None or sign * price > sign * best[0]]
            for price in gone:
                self._show(event.instrument_id, price, 0, is_buy=is_buy)
            if best is not None and best[0] not in shown:
                self._show(event.instrument_id, best[0], best[1], is_buy=is_buy)

    def _trade(self, market: MarketState, event: PublicTrade) -> None:
        quantity = event.quantity
        market.last = event.price
        self._print(event.instrument_id, event.price, event.taker, quantity, quantity)

    def _print(
        self,
        instrument_id: InstrumentId,
        price: int,
        taker: Side | None,
        volume: int,
        for_us: int,
    ) -> tuple[int, int]:
        """Let the market trade at `price`: up to `volume`, and up to `for_us` with our orders.

        Returns what is left of both.
        """
        book = self._floor.books[instrument_id]
        for is_buy in (True, False):
            hit = [
                one
                for one in book.crossed_by(is_buy=not is_buy, price=price)
                if one.price != price or taker is None or (taker is Side.SELL) is is_buy
            ]
            for resting in hit:
                if resting.owner != BACKGROUND:
                    traded = min(resting.leaves, volume, for_us)
                    if traded > 0:
                        self._floor.fill_resting(resting, traded)
                        volume -= traded
                        for_us -= traded
                elif resting.price != price:
                    book.cancel(resting.number)  # the market has gone through it
                elif volume > 0:
                    eaten = min(resting.leaves, volume)
                    book.take(resting, eaten)
                    volume -= eaten
        return volume, for_us

    def _walk_trades(self, market: MarketState, bar: TradeBar) -> None:
        volume: int = bar.volume
        share = self._state.settings.bar_share * volume
        for_us = int(share.quantize(_WHOLE, ROUND_FLOOR))
        for price in _path((bar.open, bar.high, bar.low, bar.close)):
            market.last = price
            volume, for_us = self._print(bar.instrument_id, price, None, volume, for_us)

    def _walk_quotes(self, market: MarketState, bar: QuoteBar) -> None:
        """Show the bar's quotes one after the other; its sizes are there once, not four times."""
        bid_left: int = bar.bid_quantity
        ask_left: int = bar.ask_quantity
        for bid, ask in zip(_path(bar.bids), _path_like(bar.bids, bar.asks), strict=True):
            self._keep_only(bar.instrument_id, {bid: bid_left}, is_buy=True)
            self._keep_only(bar.instrument_id, {ask: ask_left}, is_buy=False)
            bid_left -= self._show(bar.instrument_id, bid, bid_left, is_buy=True)
            ask_left -= self._show(bar.instrument_id, ask, max(ask_left, 0), is_buy=False)


def _goes_up_first(prices: tuple[int, int, int, int]) -> bool:
    """Whether the high is the nearer end to the open, the low only when it is strictly nearer."""
    opened, high, low, _ = prices
    return high - opened <= opened - low


def _path(prices: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return _path_like(prices, prices)


def _path_like(
    leader: tuple[int, int, int, int], prices: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return open, high, low, close in the order in which `leader` is walked."""
    opened, high, low, close = prices
    return (opened, high, low, close) if _goes_up_first(leader) else (opened, low, high, close)


__all__ = ["Level", "Liquidity"]
