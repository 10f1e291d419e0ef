"""Longer bars out of shorter ones and of trades."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.bars import bars_of
from tandem.domain.exchange import PublicTrade, TradeBar
from tandem.domain.feeds import FeedNews
from tests.unit.core.market.market_news import MINUTE, SECOND, bar, best, said, trade


def test_trades_make_bars_at_the_ends_of_their_spans_and_none_where_nothing_traded() -> None:
    """A26: data points of other time scales."""
    news = [
        said(trade(10, 1), 0),
        said(best(9, 12), 1 * SECOND),
        said(trade(12, 2), 59 * SECOND),
        said(trade(8, 3), 60 * SECOND),  # a minute's first nanosecond is its own
        said(trade(9, 4), 299 * SECOND),
    ]
    assert list(bars_of(news, MINUTE)) == [
        FeedNews(MINUTE, MINUTE, bar(10, 12, 10, 12, 3)),
        FeedNews(2 * MINUTE, 2 * MINUTE, bar(8, 8, 8, 8, 3)),
        FeedNews(5 * MINUTE, 5 * MINUTE, bar(9, 9, 9, 9, 4)),
    ]
    assert list(bars_of([], MINUTE)) == []


def test_a_bar_that_ends_with_a_span_is_of_that_span() -> None:
    news = [said(bar(5, 9, 4, 6, 2), SECOND * n, SECOND * n) for n in (1, 60, 61)]
    first, second = bars_of(news, MINUTE)
    assert first == FeedNews(MINUTE, MINUTE, bar(5, 9, 4, 6, 4))
    assert second == FeedNews(2 * MINUTE, 2 * MINUTE, bar(5, 9, 4, 6, 2))


def test_the_feeds_own_time_counts_and_a_late_trade_is_put_with_those_before_it() -> None:
    news = [said(trade(1), 90 * SECOND, 59 * SECOND), said(trade(2), 91 * SECOND, 61 * SECOND)]
    news.append(said(trade(3), 92 * SECOND, 58 * SECOND))
    first, second = bars_of(news, MINUTE)
    assert (first.at_ns, first.event) == (MINUTE, bar(1, 1, 1, 1, 1))
    assert second.event == bar(2, 3, 2, 3, 2)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 99), st.integers(0, 9))),
    st.integers(1, 5),
)
def test_bars_of_bars_are_the_bars_of_the_trades(
    trades: list[tuple[int, int, int]], factor: int
) -> None:
    news = [said(trade(price, size), at_ns) for at_ns, price, size in sorted(trades)]
    short = 1_000
    made = list(bars_of(bars_of(news, short), factor * short))
    assert made == list(bars_of(news, factor * short))
    volume = sum(one.event.quantity for one in news if isinstance(one.event, PublicTrade))
    assert sum(one.event.volume for one in made if isinstance(one.event, TradeBar)) == volume
