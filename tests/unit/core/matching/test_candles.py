"""One-minute candles of the paper exchange: B8, B9."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.candles import GRACE_NS, KEPT, Candles
from tandem.domain.bars import Bar
from tandem.domain.exchange import BestShown, CandlesTold, PublicTrade, Restarted, TradeBar
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tests.unit.core.matching.paper import COIN, NOON_NS, SHARE, Paper

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def trade(price: int, quantity: int = 1, instrument_id: InstrumentId = COIN) -> PublicTrade:
    return PublicTrade(
        instrument_id=instrument_id, price=Ticks(price), quantity=Lots(quantity), taker=None
    )


def minute(price: int) -> TradeBar:
    return TradeBar(
        instrument_id=COIN,
        open=Ticks(price),
        high=Ticks(price + 2),
        low=Ticks(price - 1),
        close=Ticks(price + 1),
        volume=Lots(7),
    )


def told(candles: Candles, before_ns: int = 0) -> list[Bar]:
    said = candles.taken(before_ns)
    return [] if said is None else list(said.bars)


def test_a_candle_holds_what_traded_in_its_minute_and_closes_with_a_later_trade() -> None:
    """B8."""
    candles = Candles()
    for number, price in enumerate((10, 14, 9, 12)):
        candles.note(trade(price, number + 1), NOON_NS + number, None)
    candles.note(trade(20), NOON_NS + MINUTE, None)
    (bar,) = told(candles)
    assert (bar.begin_ns, bar.open, bar.high, bar.low, bar.close) == (NOON_NS, 10, 14, 9, 12)
    assert bar.volume == 10


def test_a_candle_that_spans_a_split_is_of_the_scale_after_it() -> None:
    """B8: its prices and volume are of one scale, and a candle that was closed stays as it was."""
    candles = Candles()
    candles.note(trade(50, 3), NOON_NS, None)
    candles.note(trade(40, 5), NOON_NS + MINUTE, None)
    candles.note(trade(46, 1), NOON_NS + MINUTE + 1, None)
    candles.split(COIN, numerator=2, denominator=1)
    candles.note(trade(21, 2), NOON_NS + MINUTE + 2, None)
    candles.note(trade(21), NOON_NS + 2 * MINUTE, None)
    before, across = told(candles)
    assert (before.open, before.volume) == (50, 3)
    assert (across.open, across.high, across.low, across.close) == (20, 23, 20, 21)
    assert across.volume == 14


def test_a_split_of_what_has_no_open_candle_changes_none() -> None:
    candles = Candles()
    candles.split(COIN, numerator=2, denominator=1)
    assert not candles.open


def test_a_trade_is_of_the_minute_in_which_its_feed_says_that_it_was() -> None:
    """B8: what comes late is still of its minute, what is early is of the next."""
    candles = Candles()
    candles.note(trade(10), NOON_NS + SECOND, NOON_NS + SECOND)
    candles.note(trade(11), NOON_NS + MINUTE + SECOND, NOON_NS + MINUTE - 1)
    candles.note(trade(12), NOON_NS + MINUTE + SECOND, NOON_NS + MINUTE + 1)
    (bar,) = told(candles)
    assert (bar.close, bar.volume) == (11, 2)


def test_a_trade_of_a_minute_that_was_closed_is_only_counted() -> None:
    """B9: what was published is not changed by it."""
    candles = Candles()
    candles.note(trade(10), NOON_NS, None)
    candles.note(trade(11), NOON_NS + MINUTE, None)
    candles.note(trade(12), NOON_NS + MINUTE, NOON_NS)
    assert candles.late == 1
    assert [bar.close for bar in told(candles)] == [10]


def test_a_bar_that_ends_with_the_minute_closes_it_at_once() -> None:
    """B8: with bars for a feed nobody waits for the next one."""
    candles = Candles()
    candles.note(minute(10), NOON_NS + MINUTE, None)
    (bar,) = told(candles)
    assert (bar.begin_ns, bar.open, bar.high, bar.low, bar.close, bar.volume) == (
        NOON_NS,
        *(10, 12, 9, 11),
        7,
    )


def test_shorter_bars_make_one() -> None:
    """B8: the last one closes the minute."""
    candles = Candles()
    candles.note(minute(10), NOON_NS + 30 * SECOND, None)
    assert told(candles) == []
    candles.note(minute(20), NOON_NS + MINUTE, None)
    (bar,) = told(candles)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (10, 22, 9, 21, 14)


def test_a_quiet_market_closes_when_time_has_passed_by_a_grace() -> None:
    """B8: by what others are told, so a stall of ours closes nothing too early."""
    candles = Candles()
    candles.note(trade(10), NOON_NS, None)
    quote = BestShown(instrument_id=SHARE, bid=None, ask=None)
    candles.note(quote, NOON_NS + MINUTE + GRACE_NS - 1, None)
    assert told(candles, candles.told_ns) == []
    candles.note(quote, NOON_NS + MINUTE + GRACE_NS, None)
    assert [bar.close for bar in told(candles)] == [10]


def test_only_the_last_hours_are_kept() -> None:
    """B12: they are for whoever missed them."""
    candles = Candles()
    for number in range(KEPT + 5):
        candles.note(minute(10 + number), NOON_NS + (number + 1) * MINUTE, None)
    assert [bar.open for bar in candles.again().bars] == list(range(15, 15 + KEPT))


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 9)), min_size=1, max_size=60))
def test_every_trade_in_order_is_in_exactly_one_candle(steps: list[tuple[int, int]]) -> None:
    """B8: volumes add up."""
    candles = Candles()
    at_ns = NOON_NS
    for wait_s, quantity in steps:
        at_ns += wait_s * SECOND // 10
        candles.note(trade(10, quantity), at_ns, None)
    candles.pass_to(at_ns + 2 * MINUTE)
    bars = told(candles)
    assert sum(bar.volume for bar in bars) == sum(quantity for _, quantity in steps)
    assert [bar.begin_ns for bar in bars] == sorted({bar.begin_ns for bar in bars})


@pytest.mark.parametrize("is_earlier", [False, True])
def test_a_restart_tells_them_again_unless_an_earlier_market_begins(is_earlier: bool) -> None:
    """B11, B12: a market core that was away hears what it missed."""
    paper = Paper()
    paper.exchange.state.candles.note(minute(10), NOON_NS - 2 * MINUTE, None)
    if is_earlier:
        paper.exchange.state.candles.told_ns = paper.exchange.state.market_ns + SECOND
    effects = paper.on(Restarted())
    (said,) = [one for one in effects if isinstance(one, CandlesTold)]
    assert [bar.open for bar in said.bars] == ([] if is_earlier else [10])
