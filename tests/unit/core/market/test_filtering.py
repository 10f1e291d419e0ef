"""Bad quotes are kept out with a reason; A49 and F17."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.filtering import FORGOTTEN_NS, WINDOW, FeedFilter, middle_of
from tandem.domain.exchange import BestShown, MarketEvent
from tandem.domain.feeds import Fault
from tests.unit.core.market.market_news import (
    COIN,
    SECOND,
    bar,
    best,
    depth,
    level,
    quote_bar,
    said,
    trade,
)

FLAT = (10, 10, 10, 10)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (best(10, 11), None),
        (best(11, 10), Fault.CROSSED),
        (best(10, 10), Fault.LOCKED),
        (best(0, 10), Fault.PRICE),
        (best(-3, 10), Fault.PRICE),
        (best(9, 10, -1), Fault.SIZE),
        (BestShown(instrument_id=COIN, bid=None, ask=level(0)), Fault.PRICE),
        (BestShown(instrument_id=COIN, bid=level(5), ask=None), None),
        (trade(10, 1), None),
        (trade(0, 1), Fault.PRICE),
        (trade(10, 0), Fault.SIZE),
        (bar(10, 12, 9, 11, 0), None),
        (bar(10, 12, 9, 0), Fault.PRICE),
        (bar(10, 12, 9, 13), Fault.SHAPE),
        (bar(8, 12, 9, 10), Fault.SHAPE),
        (bar(10, 12, 9, 10, -1), Fault.SIZE),
        (quote_bar(FLAT, (11, 12, 11, 12)), None),
        (quote_bar((10, 9, 10, 10), (11, 12, 11, 12)), Fault.SHAPE),
        (quote_bar(FLAT, (11, 12, 0, 12)), Fault.PRICE),
        (quote_bar(FLAT, (11, 12, 10, 10)), Fault.LOCKED),
        (quote_bar((12, 12, 12, 12), (11, 12, 11, 11)), Fault.CROSSED),
        (quote_bar(FLAT, (11, 12, 11, 12), -1), Fault.SIZE),
        (depth([level(9), level(10)], [level(11), level(12)]), None),
        (depth([level(9), level(12)], [level(11), level(12)]), Fault.CROSSED),
        (depth([level(12, 0), level(10)], [level(11), level(9, 0)]), None),
        (depth([level(10, 0)], [level(11, 0)]), None),
        (depth([level(10)], []), None),
        (depth([level(-1)], [], is_whole=False), Fault.PRICE),
        (depth([], [level(3, -2)], is_whole=False), Fault.SIZE),
        # A change alone does not tell where the other side is.
        (depth([level(12)], [level(9)], is_whole=False), None),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(event: MarketEvent, fault: Fault | None) -> None:
    """A49, F17: zero and negative prices and sizes, crossed and locked books, impossible bars."""
    watch = FeedFilter()
    assert watch.judge(said(event)) is fault
    assert watch.faults == ({} if fault is None else {fault.value: 1})


def _settled() -> FeedFilter:
    watch = FeedFilter()
    for number in range(WINDOW):
        assert watch.judge(said(best(999 + number % 2, 1_001), SECOND * number)) is None
    return watch


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (trade(1_500), None),
        (trade(1_501), Fault.FAR),
        (trade(10_000), Fault.FAR),
        (trade(500), None),
        (trade(499), Fault.FAR),
        (bar(1_000, 2_000, 1_000, 1_000), Fault.FAR),
        (bar(1_000, 1_000, 10, 1_000), Fault.FAR),
        (best(1, 1_001), Fault.FAR),
        (best(999, 9_001), Fault.FAR),
        (quote_bar((999, 999, 9, 999), (1_001, 1_001, 1_001, 1_001)), Fault.FAR),
        (depth([level(999), level(3)], [level(1_001), level(9_000)]), None),
        (depth([level(3)], [level(4)]), Fault.FAR),
        (depth([level(3)], [], is_whole=False), None),
    ],
)
def test_a_price_far_from_the_last_ones_is_refused(event: MarketEvent, fault: Fault | None) -> None:
    """A49: further than half of the median of the last prices."""
    assert _settled().judge(said(event, 30 * SECOND)) is fault


def test_a_market_that_really_moved_is_believed_after_half_of_the_window() -> None:
    watch = _settled()
    faults = [watch.judge(said(trade(5_000), 30 * SECOND)) for _ in range(WINDOW)]
    refused = [one for one in faults if one is not None]
    assert refused == [Fault.FAR] * 5
    assert faults[:5] == refused
    assert watch.faults == {"far": 5}


def test_after_a_long_silence_any_price_is_new() -> None:
    watch = _settled()
    assert watch.judge(said(trade(9_000), 8 * SECOND + FORGOTTEN_NS)) is Fault.FAR
    watch = _settled()
    assert watch.judge(said(trade(9_000), 9 * SECOND + FORGOTTEN_NS)) is None


def test_what_is_older_than_before_is_refused_for_each_kind_by_itself() -> None:
    """F17: a feed whose time runs backwards."""
    watch = FeedFilter()
    assert watch.judge(said(best(9, 10), 5, 5)) is None
    assert watch.judge(said(trade(9), 6, 4)) is None  # another stream, another delay
    assert watch.judge(said(best(8, 10), 7, 4)) is Fault.BACKWARDS
    assert watch.judge(said(best(8, 10), 8, 5)) is None
    assert watch.judge(said(best(7, 10), 9, None)) is None  # it tells no time


def test_a_repeat_is_refused_but_an_equal_trade_is_another_one() -> None:
    """F17: a frozen feed says the same again and again."""
    watch = FeedFilter()
    assert watch.judge(said(best(9, 10), 1, 1)) is None
    assert watch.judge(said(best(9, 10), 2, 1)) is Fault.REPEATED
    assert watch.judge(said(best(9, 10), 3, 3)) is None  # the same, and news: it is still so
    assert watch.judge(said(best(9, 10), 4)) is Fault.REPEATED
    assert watch.judge(said(trade(9), 5, 5)) is None
    assert watch.judge(said(trade(9), 5, 5)) is None
    assert watch.faults == {"repeated": 2}


def test_an_event_without_a_price_for_the_whole_has_no_middle() -> None:
    assert middle_of(BestShown(instrument_id=COIN, bid=level(1), ask=None)) is None
    assert middle_of(depth([level(1)], [])) is None
    assert middle_of(quote_bar((1, 1, 1, 3), (4, 4, 4, 4))) == 7
    assert middle_of(bar(1, 4, 1, 4)) == 8


@given(st.lists(st.tuples(st.integers(-5, 3_000), st.integers(-5, 3_000), st.integers(-1, 3))))
def test_what_passes_has_prices_above_zero_and_a_bid_below_the_ask(
    quotes: list[tuple[int, int, int]],
) -> None:
    watch = FeedFilter()
    refused = 0
    for number, (bid, ask, size) in enumerate(quotes):
        fault = watch.judge(said(best(bid, ask, size), number))
        refused += fault is not None
        assert fault is not None or (0 < bid < ask and size >= 0)
    assert sum(watch.faults.values()) == refused
