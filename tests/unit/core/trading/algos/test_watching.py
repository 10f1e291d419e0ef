"""Prices that a trigger believes."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos.memos import Watch
from tandem.core.trading.algos.watching import DOUBT_NS, believed, is_reached, look_again_ns
from tandem.domain.algos import Trigger
from tandem.domain.ids import Ticks
from tandem.domain.order import Side
from tests.unit.core.trading.algos.test_sight import sight

COLLAR = 100_000  # ten per cent


def last(price: int | None, at_ns: int = 0, **market: int | None) -> int | None:
    """Show a watch that believed 1000 this last price, once."""
    return show(Watch(price=Ticks(1_000)), price, at_ns, **market)


def show(watch: Watch, price: int | None, at_ns: int = 0, **market: int | None) -> int | None:
    seen = sight(last=price, market_ns=at_ns, collar_ppm=COLLAR, **market)
    return believed(watch, Trigger.LAST, Side.SELL, seen)


def test_a_price_within_the_collar_is_believed_at_once() -> None:
    assert last(900) == 900
    assert last(1_100) == 1_100
    assert show(Watch(), 5) == 5  # the first has nothing to be compared with


def test_a_quote_is_what_the_order_would_trade_at() -> None:
    for side, price in ((Side.SELL, 999), (Side.BUY, 1_002)):
        assert believed(Watch(), Trigger.QUOTE, side, sight()) == price
    assert believed(Watch(), Trigger.QUOTE, Side.SELL, sight(bid=None)) is None


def test_a_single_bad_print_is_not_believed() -> None:
    """A49."""
    watch = Watch(price=Ticks(1_000))
    assert show(watch, 899, 10) is None
    assert look_again_ns(watch) == 10 + DOUBT_NS
    assert show(watch, 1_001, 20) == 1_001
    assert look_again_ns(watch) is None
    assert show(watch, 899, 10 + DOUBT_NS) is None


def test_a_jump_that_stands_is_believed_later_however_wild_it_is() -> None:
    """A49."""
    watch = Watch(price=Ticks(1_000))
    assert show(watch, 800, 0) is None
    assert show(watch, 300, DOUBT_NS - 1) is None
    assert show(watch, 500, DOUBT_NS) == 500
    assert show(watch, 510, DOUBT_NS) == 510


def test_prices_that_jump_to_both_sides_are_not_believed() -> None:
    """A49."""
    watch = Watch(price=Ticks(1_000))
    assert show(watch, 800, 0) is None
    assert show(watch, 1_200, DOUBT_NS) is None
    assert show(watch, 1_200, 2 * DOUBT_NS) == 1_200


def test_a_crossed_market_is_believed_only_when_it_stays_crossed() -> None:
    """A49."""
    watch = Watch(price=Ticks(1_000))
    crossed = {"bid": 1_010, "ask": 990}
    assert show(watch, 999, 0, **crossed) is None
    assert show(watch, 999, DOUBT_NS, **crossed) == 999
    assert show(Watch(), 999, 0, bid=1_000, ask=1_000) == 999  # a locked one is none


def test_nothing_is_never_believed_and_ends_a_doubt() -> None:
    watch = Watch(price=Ticks(1_000))
    assert show(watch, 800, 0) is None
    assert show(watch, None, 1) is None
    assert show(watch, 800, DOUBT_NS) is None


def test_a_stop_is_reached_at_its_price_and_beyond() -> None:
    assert [is_reached(Side.SELL, Ticks(one), stop_price=Ticks(10)) for one in (9, 10, 11)] == [
        True,
        True,
        False,
    ]
    assert [is_reached(Side.BUY, Ticks(one), stop_price=Ticks(10)) for one in (9, 10, 11)] == [
        False,
        True,
        True,
    ]


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, DOUBT_NS)), min_size=1))
def test_whatever_came_before_a_market_that_stands_still_is_believed(
    looks: list[tuple[int, int]],
) -> None:
    watch, now_ns = Watch(), 0
    for price, after_ns in looks:
        now_ns += after_ns
        show(watch, price, now_ns)
    show(watch, 777, now_ns)
    assert show(watch, 777, now_ns + DOUBT_NS) == 777
