from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
)
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.venue import Filled
from tests.unit.core.matching.paper import (
    ALL_THERE_IS,
    BUY,
    SELL,
    SESSIONS,
    SHARE,
    Paper,
    kinds,
    told,
)


def levels(*pairs: tuple[int, int]) -> tuple[Level, ...]:
    return tuple((Ticks(price), Lots(lots)) for price, lots in pairs)


def depth(
    bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), *, is_whole: bool = False
) -> DepthShown:
    return DepthShown(instrument_id=SHARE, bids=bids, asks=asks, is_whole=is_whole)


def best(bid: tuple[int, int] | None, ask: tuple[int, int] | None) -> BestShown:
    return BestShown(
        instrument_id=SHARE,
        bid=None if bid is None else levels(bid)[0],
        ask=None if ask is None else levels(ask)[0],
    )


def trade(price: int, quantity: int, taker: Side | None) -> PublicTrade:
    return PublicTrade(
        instrument_id=SHARE, price=Ticks(price), quantity=Lots(quantity), taker=taker
    )


def bar(prices: tuple[int, int, int, int], volume: int) -> TradeBar:
    opened, high, low, close = (Ticks(one) for one in prices)
    return TradeBar(
        instrument_id=SHARE, open=opened, high=high, low=low, close=close, volume=Lots(volume)
    )


def quotes(
    bids: tuple[int, int, int, int], asks: tuple[int, int, int, int], *, bid: int, ask: int
) -> QuoteBar:
    b, a = ([Ticks(one) for one in prices] for prices in (bids, asks))
    return QuoteBar(
        instrument_id=SHARE,
        bids=(b[0], b[1], b[2], b[3]),
        asks=(a[0], a[1], a[2], a[3]),
        bid_quantity=Lots(bid),
        ask_quantity=Lots(ask),
    )


def filled(paper: Paper, name: str, *events: MarketEvent) -> list[tuple[int, int]]:
    """Return (quantity, price) of what these events fill on that account."""
    messages = told(paper.market(*events), SESSIONS[name])
    return [(one.quantity, one.price) for one in messages if isinstance(one, Filled)]


def test_depth_of_an_unknown_instrument_is_counted_and_nothing_else() -> None:
    paper = Paper()
    event = DepthShown(
        instrument_id=InstrumentId("none"), bids=(), asks=(), is_whole=True, off_lot_rounded=3
    )
    paper.market(event)
    assert paper.exchange.state.unknown_events == 1
    assert paper.exchange.state.off_lot_rounded == 0


def test_rounded_sizes_are_counted() -> None:
    paper = Paper()
    paper.market(
        DepthShown(instrument_id=SHARE, bids=(), asks=(), is_whole=True, off_lot_rounded=3)
    )
    assert paper.exchange.state.off_lot_rounded == 3


def test_what_we_took_is_gone_until_the_feed_changes_that_level() -> None:
    paper = Paper()
    paper.market(depth(asks=levels((1_000, 5))))
    paper.place("A1-1", BUY, 3, 1_000)
    paper.market(depth(asks=levels((1_000, 5))))
    assert paper.book() == [("sell", 1_000, 2)]
    paper.market(depth(asks=levels((1_000, 6))))
    assert paper.book() == [("sell", 1_000, 6)]
    paper.market(depth(asks=levels((1_000, 0))))
    assert paper.book() == []


def test_a_whole_book_replaces_what_was_displayed_and_leaves_ours() -> None:
    paper = Paper()
    paper.market(depth(levels((990, 5), (980, 5)), levels((1_000, 5), (1_010, 5))))
    paper.place("A1-1", BUY, 1, 980)
    paper.market(depth(levels((990, 4)), levels((1_010, 3)), is_whole=True))
    assert paper.book() == [("buy", 990, 4), ("buy", 980, 1), ("sell", 1_010, 3)]


def test_an_order_waits_for_the_quantity_that_was_ahead_of_it() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5))))
    paper.place("A1-1", BUY, 3, 990)
    paper.market(depth(bids=levels((990, 9))))
    assert paper.book() == [("buy", 990, 5), ("buy", 990, 3), ("buy", 990, 4)]
    assert filled(paper, "A1", trade(990, 4, SELL)) == []
    assert filled(paper, "A1", trade(990, 2, SELL)) == [(1, 990)]
    assert filled(paper, "A1", trade(990, 9, SELL)) == [(2, 990)]


def test_cancels_take_from_behind_us_first_and_then_move_us_forward() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5))))
    paper.place("A1-1", BUY, 3, 990)
    paper.market(depth(bids=levels((990, 9))))
    paper.market(depth(bids=levels((990, 6))))
    assert paper.book() == [("buy", 990, 5), ("buy", 990, 3), ("buy", 990, 1)]
    paper.market(depth(bids=levels((990, 2))))
    assert paper.book() == [("buy", 990, 2), ("buy", 990, 3)]


def test_a_trade_by_the_other_side_at_our_price_is_none_of_ours() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 3, 990)
    assert filled(paper, "A1", trade(990, 5, BUY)) == []
    assert filled(paper, "A1", trade(990, 2, None)) == [(2, 990)]


def test_a_trade_through_our_price_fills_us_at_our_price_up_to_its_quantity() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 3, 990)
    paper.place("A2-1", BUY, 3, 991)
    paper.place("B1-1", SELL, 3, 1_000)
    assert filled(paper, "A2", trade(980, 2, SELL)) == [(2, 991)]
    assert filled(paper, "A1", trade(980, 4, BUY)) == [(3, 990)]
    assert filled(paper, "B1", trade(1_001, 50, SELL)) == [(3, 1_000)]
    assert paper.book() == []
    assert paper.sums() == ALL_THERE_IS


def test_a_trade_removes_what_was_displayed_at_better_prices() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((992, 5), (990, 5))))
    paper.market(trade(990, 2, SELL))
    assert paper.book() == [("buy", 990, 3)]
    paper.market(depth(bids=levels((992, 5), (990, 5))))
    assert paper.book() == [("buy", 992, 5), ("buy", 990, 5)]


def test_a_trade_that_eats_a_level_up_is_forgotten_when_the_feed_speaks_again() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5))), trade(990, 9, SELL))
    assert paper.book() == []
    paper.market(depth(bids=levels((990, 5))))
    assert paper.book() == [("buy", 990, 5)]


def test_what_we_took_stays_taken_when_the_feed_says_what_a_trade_left() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5))))
    paper.place("A1-1", SELL, 1, 990)
    paper.market(trade(990, 2, SELL), depth(bids=levels((990, 3))))
    assert paper.book() == [("buy", 990, 2)]


def test_a_quote_that_comes_through_our_order_fills_it_and_is_used_up_by_that() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 3, 990)
    paper.place("A2-1", BUY, 3, 989)
    assert filled(paper, "A1", depth(asks=levels((989, 4)))) == [(3, 990)]
    assert paper.book() == [("buy", 989, 2)]
    assert filled(paper, "A2", depth(asks=levels((988, 5)))) == [(2, 989)]
    assert paper.book() == [("sell", 988, 3)]
    assert paper.sums() == ALL_THERE_IS


def test_news_removes_what_is_displayed_beyond_it_on_the_other_side() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5), (980, 5))))
    paper.market(depth(asks=levels((985, 5))))
    assert paper.book() == [("buy", 980, 5), ("sell", 985, 5)]
    paper.market(depth(bids=levels((990, 5))))
    assert paper.book() == [("buy", 990, 5), ("buy", 980, 5)]


def test_a_quote_that_was_used_up_fills_no_further_order() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 3, 990)
    paper.place("A2-1", BUY, 3, 990)
    assert filled(paper, "A2", depth(asks=levels((990, 3)))) == []
    assert paper.book() == [("buy", 990, 3)]


def test_best_prices_cut_off_what_is_beyond_and_leave_the_rest_to_depth() -> None:
    paper = Paper()
    paper.market(depth(levels((992, 5), (990, 5)), levels((1_000, 5), (1_002, 5))))
    paper.place("A1-1", BUY, 1, 993)
    paper.market(best((990, 7), (1_001, 8)))
    assert paper.book() == [
        ("buy", 993, 1),
        ("buy", 990, 5),
        ("sell", 1_001, 8),
        ("sell", 1_002, 5),
    ]
    paper.market(best(None, None))
    assert paper.book() == [("buy", 993, 1)]


def test_a_bar_goes_to_its_nearer_end_first() -> None:
    """The budget of one lot goes to whoever is passed first."""
    up_first = Paper()
    down_first = Paper()
    for paper in (up_first, down_first):
        paper.place("A1-1", BUY, 1, 995)
        paper.place("B1-1", SELL, 1, 1_005)
    assert filled(up_first, "B1", bar((1_001, 1_005, 995, 1_000), 10)) == [(1, 1_005)]
    assert filled(down_first, "A1", bar((999, 1_005, 995, 1_000), 10)) == [(1, 995)]
    assert up_first.book() == [("buy", 995, 1)]
    assert down_first.book() == [("sell", 1_005, 1)]
    assert up_first.exchange.state.markets[SHARE].last is not None


@pytest.mark.parametrize(("share", "expected"), [("0.1", 10), ("0.25", 25), ("1", 100), ("0", 0)])
def test_at_most_a_share_of_a_bars_volume_fills_us(share: str, expected: int) -> None:
    paper = Paper(bar_share=Decimal(share))
    for number in range(50):
        paper.place(f"A1-{number}", BUY, 10, 990 + number % 5)
    events = bar((1_000, 1_001, 900, 950), 100)
    assert sum(lots for lots, _ in filled(paper, "A1", events)) == expected


def test_a_bar_eats_the_queue_ahead_with_all_of_its_volume() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 95))))
    paper.place("A1-1", BUY, 50, 990)
    assert filled(paper, "A1", bar((991, 992, 990, 991), 100)) == [(5, 990)]


def test_a_quote_bar_ends_at_its_close_and_fills_what_it_came_through_once() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 50, 995)
    event = quotes((998, 1_001, 990, 999), (999, 1_002, 991, 1_000), bid=7, ask=8)
    assert filled(paper, "A1", event) == [(8, 995)]
    assert paper.book() == [("buy", 999, 7), ("buy", 995, 42)]
    more = quotes((999, 1_001, 998, 999), (1_000, 1_002, 999, 1_000), bid=7, ask=8)
    assert filled(paper, "A1", more) == []
    assert paper.book() == [("buy", 999, 7), ("buy", 995, 42), ("sell", 1_000, 8)]


def test_the_bids_of_a_quote_bar_are_there_once_too() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 50, 1_000)
    event = quotes((998, 1_001, 990, 1_000), (999, 1_002, 991, 1_001), bid=7, ask=8)
    assert filled(paper, "A1", event) == [(7, 1_000)]
    assert paper.book() == [("sell", 1_000, 43), ("sell", 1_001, 8)]


PRICES = st.integers(95, 105)
SIZES = st.integers(0, 9)
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=3).map(lambda some: levels(*some))
SIDES = st.sampled_from([BUY, SELL])
EVENTS: st.SearchStrategy[MarketEvent] = st.one_of(
    st.builds(depth, LEVELS, LEVELS, is_whole=st.booleans()),
    st.builds(best, st.tuples(PRICES, SIZES), st.none() | st.tuples(PRICES, SIZES)),
    st.builds(trade, PRICES, SIZES, st.none() | SIDES),
    st.builds(bar, st.tuples(PRICES, PRICES, PRICES, PRICES), SIZES),
    st.builds(
        quotes,
        st.tuples(PRICES, PRICES, PRICES, PRICES),
        st.tuples(PRICES, PRICES, PRICES, PRICES),
        bid=SIZES,
        ask=SIZES,
    ),
)
ORDERS = st.tuples(st.sampled_from(["A1", "A2", "B1", "N1"]), SIDES, st.integers(1, 9), PRICES)


@given(st.lists(EVENTS | ORDERS, max_size=30))
def test_whatever_a_feed_says_the_book_is_never_crossed_and_nothing_is_made_or_lost(
    steps: list[MarketEvent | tuple[str, Side, int, int]],
) -> None:
    """I5, I6: sums of money and positions stay to the last digit, and no account is overdrawn."""
    paper = Paper()
    for number, one in enumerate(steps):
        if isinstance(one, tuple):
            name, side, quantity, price = one
            paper.place(f"{name}-{number}", side, quantity, price)
        else:
            paper.market(one)
        book = paper.book()
        bids = [price for side_name, price, _ in book if side_name == "buy"]
        asks = [price for side_name, price, _ in book if side_name == "sell"]
        assert not (bids and asks) or bids[0] < asks[0]
        assert all(leaves > 0 for _, _, leaves in book)
        assert paper.sums() == ALL_THERE_IS


def test_nothing_trades_in_a_halt_and_open_orders_stay() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5)), asks=levels((1_000, 5), (1_001, 5))))
    paper.place("A1-1", BUY, 3, 995)
    paper.place("A1-2", SELL, 3, None, stop_price=Ticks(950))
    paper.halt()
    paper.halt()
    before = paper.book()
    news = (trade(900, 9, None), bar((900, 900, 900, 900), 9), best((900, 1), (901, 1)))
    assert filled(paper, "A1", *news) == []
    assert paper.book() == before
    assert kinds(paper.cancel("A1-2")) == ["Canceled"]


def test_trading_resumes_with_what_was_displayed_meanwhile() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5), (989, 5)), asks=levels((1_000, 5), (1_001, 5))))
    paper.place("A1-1", BUY, 3, 995)
    paper.halt()
    paper.market(depth(bids=levels((989, 0)), asks=levels((994, 2), (1_000, 7))))
    messages = told(paper.resume(), SESSIONS["A1"])
    assert [(one.quantity, one.price) for one in messages if isinstance(one, Filled)] == [(2, 995)]
    assert paper.book() == [
        ("buy", 995, 1),
        ("buy", 990, 5),
        ("sell", 1_000, 7),
        ("sell", 1_001, 5),
    ]
    assert paper.sums() == ALL_THERE_IS


def test_a_whole_depth_in_a_halt_replaces_what_was_displayed() -> None:
    paper = Paper()
    paper.market(depth(bids=levels((990, 5))))
    paper.halt()
    paper.market(depth(asks=levels((980, 5)), is_whole=True))
    paper.resume()
    assert paper.book() == [("sell", 980, 5)]


def test_a_bar_triggers_stops_at_each_turn() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 3, 994, stop_price=Ticks(991))
    paper.place("A1-2", BUY, 3, 980, stop_price=Ticks(1_010))
    paper.market(bar((1_000, 1_005, 990, 1_000), 10))
    assert paper.exchange.state.markets[SHARE].last == 1_000
    assert [one.waits for one in paper.account("A1").records.values()] == [False, True]


def test_quotes_alone_trigger_a_sell_by_the_bid_and_a_buy_by_the_ask() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 3, None, stop_price=Ticks(991))
    paper.place("A1-2", BUY, 3, None, stop_price=Ticks(1_002))
    event = quotes((998, 1_001, 992, 999), (999, 1_002, 993, 1_000), bid=7, ask=8)
    assert filled(paper, "A1", event) == [(3, 1_002)]
    assert paper.book() == [("buy", 999, 7), ("sell", 1_000, 5)]
