"""What the rest of the market offers, and what its trades do to our resting orders.

Displayed quantities stand in the same book as our orders, as orders of the background. So an
order of ours that comes to a price waits behind what was displayed there, and its place is
right by itself: trades eat the queue from its head, cancels of the feed take from its tail
(the pessimistic reading), and what the feed adds stands behind us. What we took stays gone until
the feed says something else of that price.

The book is never crossed. News wins: what a feed shows on one side removes what is displayed
beyond it on the other, and trades with orders of ours there, at their price, since the market
has come through them. A public trade fills our orders at better prices first, then the queue at
its own price; it fills no more than its quantity. Then orders enter whose stop price it reached.
Where a feed tells quotes and no trades, a buy's stop is reached by the ask, a sell's by the bid.
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
    HaltEvent,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
    TradingHalted,
)
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instrument import STEPS_MAX
from tandem.domain.order import Side

_WHOLE: Final = Decimal(1)
_Prices = tuple[Ticks, Ticks, Ticks, Ticks]  # open, high, low, close


class _Volume(msgspec.Struct, gc=False):
    """What the market may still trade: `left` in all, `for_us` of it with our orders."""

    left: int
    for_us: int


class _ShownSide(msgspec.Struct, gc=False):
    """One side of one book, and what the feed last said of its prices and of those opposite."""

    book: Book
    is_buy: bool
    shown: dict[int, int]
    opposite: dict[int, int]


class Liquidity:
    """Turns market events into displayed quantities and fills."""

    def __init__(self, state: ExchangeState, floor: Floor) -> None:
        """Show on the books of `floor`."""
        self._state = state
        self._floor = floor

    def apply(self, event: MarketEvent | HaltEvent) -> None:
        """Let one market event happen; one of an unknown instrument is only counted."""
        market = self._state.markets.get(event.instrument_id)
        if market is None:
            self._state.unknown_events += 1
            return
        if isinstance(event, HaltEvent):
            self._halt(event)
            return
        self._state.off_lot_rounded += event.off_lot_rounded
        if self._state.is_still(event.instrument_id):
            _note_depth(market, event)
            return
        self._state.touched[event.instrument_id] = None
        sides = self._sides(event.instrument_id)
        match event:
            case DepthShown():
                self._show_depth(sides[0], event.bids, is_whole=event.is_whole)
                self._show_depth(sides[1], event.asks, is_whole=event.is_whole)
            case BestShown():
                self._show_best(sides[0], event.bid)
                self._show_best(sides[1], event.ask)
            case PublicTrade():
                market.volume += event.quantity
                volume = _Volume(event.quantity, event.quantity)
                self._print(sides, event.price, volume, event.taker)
                self._floor.traded_at(event.instrument_id, event.price)
            case TradeBar():
                market.volume += event.volume
                self._walk_trades(sides, event)
            case QuoteBar():
                self._walk_quotes(sides, event)
            case _:
                assert_never(event)
        self._floor.let_in()

    def _sides(self, instrument_id: InstrumentId) -> tuple[_ShownSide, _ShownSide]:
        market = self._state.markets[instrument_id]
        book = self._floor.books[instrument_id]
        return (
            _ShownSide(book, True, market.bids, market.asks),
            _ShownSide(book, False, market.asks, market.bids),
        )

    def _halt(self, event: HaltEvent) -> None:
        market = self._state.markets[event.instrument_id]
        self._state.resumes_ns.pop(event.instrument_id, None)  # the feed knows better
        was_still = self._state.is_still(event.instrument_id)
        market.is_halted = isinstance(event, TradingHalted)
        is_still = self._state.is_still(event.instrument_id)
        if is_still != was_still:
            self.change(event.instrument_id, trades=not is_still)

    def clear(self, instrument_id: InstrumentId) -> None:
        """Display nothing any more: what was displayed is of another scale."""
        market, book = self._state.markets[instrument_id], self._floor.books[instrument_id]
        for resting in book.resting():
            assert resting.owner == BACKGROUND, f"order {resting.number} was to be canceled before"
            book.cancel(resting.number)
        for shown in (market.bids, market.asks, market.bids_after, market.asks_after):
            shown.clear()
        self._state.touched[instrument_id] = None

    def change(self, instrument_id: InstrumentId, *, trades: bool) -> None:
        """Let trading stop, or go on with what the feed has displayed in the meantime."""
        market = self._state.markets[instrument_id]
        if not trades:
            market.bids_after, market.asks_after = dict(market.bids), dict(market.asks)
            return
        self._state.touched[instrument_id] = None
        bids, asks = self._sides(instrument_id)
        self._show_depth(bids, _levels(market.bids_after), is_whole=True)
        self._show_depth(asks, _levels(market.asks_after), is_whole=True)
        market.bids_after, market.asks_after = {}, {}
        self._floor.let_in()

    def _show_depth(self, side: _ShownSide, levels: tuple[Level, ...], *, is_whole: bool) -> int:
        """Display these prices; return how much our orders took of them."""
        if is_whole:
            kept = dict(levels)
            for price in [one for one in side.shown if one not in kept]:
                self._show(side, (Ticks(price), Lots(0)))
        return sum(self._show(side, level) for level in levels)

    def _show_best(self, side: _ShownSide, best: Level | None) -> None:
        """Remove what is displayed beyond `best`; what we took there stays taken."""
        worst = 0 if side.is_buy else STEPS_MAX
        limit = worst if best is None else best[0]
        for one in list(side.book.crossed_by(is_buy=not side.is_buy, price=limit)):
            if one.owner == BACKGROUND and (best is None or one.price != best[0]):
                side.book.cancel(one.number)
                side.shown.pop(one.price, None)
        if best is not None and best[0] not in side.shown:
            self._show(side, best)

    def _show(self, side: _ShownSide, level: Level) -> int:
        """Display a quantity at a price from now on; return how much of it our orders took."""
        price, quantity = level
        if side.shown.get(price, 0) == quantity:
            return 0
        taken = 0
        if quantity > 0:
            side.shown[price] = quantity
            taken = self._come_through(side, level)
        else:
            side.shown.pop(price, None)
        self._display(side, price, max(quantity - taken, 0))
        return taken

    def _come_through(self, side: _ShownSide, level: Level) -> int:
        """Clear the way for a newly displayed quantity; return how much our orders took."""
        price, quantity = level
        left: int = quantity
        for resting in list(side.book.crossed_by(is_buy=side.is_buy, price=price)):
            if resting.owner == BACKGROUND:
                side.book.cancel(resting.number)
                side.opposite.pop(resting.price, None)
            elif left and resting.leaves:  # it may have been cut because another one traded
                traded = min(left, resting.leaves)
                self._floor.fill_resting(resting, traded)
                left -= traded
        return quantity - left

    def _display(self, side: _ShownSide, price: Ticks, quantity: int) -> None:
        """Let the background have `quantity` at that price, its oldest part unmoved."""
        queue = side.book.at(is_buy=side.is_buy, price=price)
        displayed = [one for one in queue if one.owner == BACKGROUND]
        surplus = sum(one.leaves for one in displayed) - quantity
        while surplus > 0:
            last = displayed.pop()
            gone = min(surplus, last.leaves)
            side.book.take(last, gone)
            surplus -= gone
        if surplus == 0:
            return
        if queue and queue[-1].owner == BACKGROUND:
            queue[-1].leaves -= surplus
        else:
            self._state.orders += 1
            number = self._state.orders
            side.book.add(Resting(number, BACKGROUND, side.is_buy, price, -surplus))

    def _print(
        self,
        sides: tuple[_ShownSide, _ShownSide],
        price: Ticks,
        volume: _Volume,
        taker: Side | None,
    ) -> None:
        """Let the market trade at `price`, with whom it would have met on its way there."""
        for side in sides:
            is_hit = taker is None or (taker is Side.SELL) is side.is_buy
            for resting in list(side.book.crossed_by(is_buy=not side.is_buy, price=price)):
                is_through = resting.price != price
                if is_through or is_hit:
                    self._hit(side, resting, volume, is_through=is_through)

    def _hit(
        self, side: _ShownSide, resting: Resting, volume: _Volume, *, is_through: bool
    ) -> None:
        if resting.owner != BACKGROUND:
            traded = min(resting.leaves, volume.left, volume.for_us)
            if traded > 0:
                volume.left -= traded
                volume.for_us -= traded
                self._floor.fill_resting(resting, traded)
        elif is_through:
            side.book.cancel(resting.number)
            side.shown.pop(resting.price, None)
        elif volume.left > 0:
            eaten = min(resting.leaves, volume.left)
            volume.left -= eaten
            side.book.take(resting, eaten)
            # What the feed says next is news, even when it says the same number again.
            said = side.shown.pop(resting.price, 0) - eaten
            if said > 0:
                side.shown[resting.price] = said

    def _walk_trades(self, sides: tuple[_ShownSide, _ShownSide], bar: TradeBar) -> None:
        share = self._state.settings.bar_share * bar.volume
        volume = _Volume(bar.volume, int(share.quantize(_WHOLE, ROUND_FLOOR)))
        prices = (bar.open, bar.high, bar.low, bar.close)
        for price in _path(prices, leader=prices):
            self._print(sides, price, volume, None)
            self._floor.traded_at(bar.instrument_id, price)
            self._floor.let_in()

    def _walk_quotes(self, sides: tuple[_ShownSide, _ShownSide], bar: QuoteBar) -> None:
        """Show the bar's quotes one after the other; its sizes are there once, not four times."""
        bids, asks = sides
        bid_left: int = bar.bid_quantity
        ask_left: int = bar.ask_quantity
        bid_path = _path(bar.bids, leader=bar.bids)
        ask_path = _path(bar.asks, leader=bar.bids)
        for bid_price, ask_price in zip(bid_path, ask_path, strict=True):
            bid_left -= self._show_depth(bids, ((bid_price, Lots(bid_left)),), is_whole=True)
            ask_left -= self._show_depth(asks, ((ask_price, Lots(ask_left)),), is_whole=True)
            self._floor.quoted_at(bar.instrument_id, ask_price, Side.BUY)
            self._floor.quoted_at(bar.instrument_id, bid_price, Side.SELL)
            self._floor.let_in()
            bid_left = min(bid_left, _displayed(bids, bid_price))
            ask_left = min(ask_left, _displayed(asks, ask_price))


def _displayed(side: _ShownSide, price: int) -> int:
    queue = side.book.at(is_buy=side.is_buy, price=price)
    return sum(one.leaves for one in queue if one.owner == BACKGROUND)


def _levels(shown: dict[int, int]) -> tuple[Level, ...]:
    return tuple((Ticks(price), Lots(quantity)) for price, quantity in shown.items())


def _note_depth(market: MarketState, event: MarketEvent) -> None:
    """Remember what is displayed while nothing trades; what is not depth says nothing then."""
    if not isinstance(event, DepthShown):
        return
    for noted, levels in ((market.bids_after, event.bids), (market.asks_after, event.asks)):
        if event.is_whole:
            noted.clear()
        for price, quantity in levels:
            if quantity > 0:
                noted[price] = quantity
            else:
                noted.pop(price, None)


def _path(prices: _Prices, *, leader: _Prices) -> _Prices:
    """Return the prices in the order in which the market went through them.

    First to that end of `leader` which is nearer to its open, the high when both are as near.
    """
    opened, high, low, close = prices
    up_first = leader[1] - leader[0] <= leader[0] - leader[2]
    return (opened, high, low, close) if up_first else (opened, low, high, close)
