"""Words for tests about feeds: one instrument, and what a feed may say of it."""

from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
)
from tandem.domain.feeds import FeedNews
from tandem.domain.ids import InstrumentId, Lots, Ticks

COIN = InstrumentId("paper:BTCUSD")
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def level(price: int, size: int = 5) -> Level:
    return (Ticks(price), Lots(size))


def best(bid: int, ask: int, size: int = 5) -> BestShown:
    return BestShown(instrument_id=COIN, bid=level(bid, size), ask=level(ask, size))


def trade(price: int, size: int = 1) -> PublicTrade:
    return PublicTrade(instrument_id=COIN, price=Ticks(price), quantity=Lots(size), taker=None)


def bar(opened: int, high: int, low: int, close: int, volume: int = 1) -> TradeBar:
    return TradeBar(
        instrument_id=COIN,
        open=Ticks(opened),
        high=Ticks(high),
        low=Ticks(low),
        close=Ticks(close),
        volume=Lots(volume),
    )


def quote_bar(bids: tuple[int, ...], asks: tuple[int, ...], size: int = 5) -> QuoteBar:
    first, second = tuple(map(Ticks, bids)), tuple(map(Ticks, asks))
    return QuoteBar(
        instrument_id=COIN,
        bids=(first[0], first[1], first[2], first[3]),
        asks=(second[0], second[1], second[2], second[3]),
        bid_quantity=Lots(size),
        ask_quantity=Lots(size),
    )


def depth(bids: list[Level], asks: list[Level], *, is_whole: bool = True) -> DepthShown:
    return DepthShown(instrument_id=COIN, bids=tuple(bids), asks=tuple(asks), is_whole=is_whole)


def said(event: MarketEvent, at_ns: int = SECOND, told_ns: int | None = None) -> FeedNews:
    return FeedNews(at_ns, told_ns, event)


def after_gap(event: MarketEvent, at_ns: int) -> FeedNews:
    return FeedNews(at_ns, None, event, True)
