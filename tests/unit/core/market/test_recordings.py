"""What a feed said, in the words of the market core."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.recordings import FeedWords
from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.market_words import (
    BarTold,
    GapKnown,
    PieceTold,
    SourceId,
    TimeTold,
    TradeTold,
)
from tests.unit.core.market import market_news
from tests.unit.core.market.market_news import best, quote_bar, said
from tests.unit.core.market.market_words import COIN, MINUTE, SECOND, VENUE, bar, piece, told, trade


def words(span_ns: int | None, asset_class: AssetClass = AssetClass.CRYPTO) -> FeedWords:
    return FeedWords(VENUE, span_ns=span_ns, asset_class=asset_class)


def clock(at_ns: int) -> TimeTold:
    return TimeTold(source_id=VENUE, at_ns=at_ns)


def test_a_bar_of_ours_is_told_as_such_at_its_end() -> None:
    """B8."""
    news = said(market_news.bar(5, 9, 4, 6, 2), 2 * MINUTE, 2 * MINUTE)
    assert words(MINUTE).words(news) == [told(1, 5, 9, 4, 6, volume=2), clock(2 * MINUTE)]


def test_a_shorter_bar_is_a_piece_and_a_trade_is_a_trade() -> None:
    news = said(market_news.bar(5, 9, 4, 6, 2), 61 * SECOND)
    assert words(SECOND).words(news) == [piece(60, 5, 9, 4, 6, volume=2), clock(61 * SECOND)]
    traded = words(None).words(said(market_news.trade(7, 3), 9 * SECOND, 8 * SECOND))
    assert traded == [trade(8, 7, size=3), clock(8 * SECOND)]


def test_an_exchanges_own_day_is_of_its_date() -> None:
    """A29: New York's days begin at 4:00 or 5:00 UTC."""
    news = said(market_news.bar(5, 9, 4, 6, 1), 2 * Span.D1.ns + 5 * Span.H1.ns)
    (first, _) = words(Span.D1.ns).words(news)
    assert first == BarTold(source_id=VENUE, bar=bar(1, 5, 9, 4, 6, span=Span.D1))


def test_an_hour_that_begins_off_our_grid_is_an_error() -> None:
    news = said(market_news.bar(5, 9, 4, 6, 1), Span.H1.ns + MINUTE)
    with pytest.raises(ConfigurationError, match="a bar of 1970-01-01 00:01:00: expected a begin"):
        words(Span.H1.ns).words(news)


def test_the_clock_moves_with_whatever_is_said_and_never_back() -> None:
    feed = words(None)
    assert feed.words(said(best(1, 2), SECOND)) == [clock(SECOND)]
    assert feed.words(said(best(1, 3), SECOND)) == []
    late = feed.words(said(market_news.trade(7), SECOND, SECOND // 2))
    assert [type(one) for one in late] == [TradeTold]


def test_what_cannot_be_is_not_told() -> None:
    """F17."""
    feed = words(MINUTE)
    assert feed.words(said(market_news.bar(5, 4, 4, 6), MINUTE)) == [clock(MINUTE)]
    feed.words(said(market_news.bar(5, 4, 4, 6), 2 * MINUTE))
    feed.words(said(market_news.trade(0), 2 * MINUTE))
    assert feed.unused == {"shape": 2, "price": 1}


def test_what_is_not_looked_at_is_not_counted_as_unused() -> None:
    """F17: a coin's quotes make no bars, however wrong; those of forex do."""
    wrong = said(quote_bar((5, 4, 4, 6), (8, 10, 5, 7)), MINUTE)
    for asset_class, unused in ((AssetClass.CRYPTO, {}), (AssetClass.FOREX, {"shape": 1})):
        feed = words(MINUTE, asset_class)
        assert feed.words(wrong) == [clock(MINUTE)]
        assert feed.unused == unused


def test_forex_is_told_by_the_middles_of_its_quotes_and_coins_are_not() -> None:
    quotes = said(quote_bar((5, 8, 4, 6), (8, 10, 5, 7)), MINUTE)
    (first, _) = words(MINUTE, AssetClass.FOREX).words(quotes)
    assert first == told(0, 6, 9, 4, 6, volume=0)
    assert words(MINUTE).words(quotes) == [clock(MINUTE)]


def test_a_hole_in_the_feeds_own_numbers_is_a_gap_since_its_clock() -> None:
    """F17."""
    feed = words(None)
    feed.words(said(best(1, 2), SECOND))
    (first, *_) = feed.words(FeedNews(3 * SECOND, None, best(1, 3), True))
    assert first == GapKnown(source_id=VENUE, instrument_id=COIN, from_ns=SECOND, to_ns=3 * SECOND)
    (first, *_) = words(None).words(FeedNews(3 * SECOND, None, best(1, 3), True))
    assert isinstance(first, GapKnown)
    assert (first.from_ns, first.to_ns) == (3 * SECOND, 3 * SECOND)


@pytest.mark.parametrize("span_ns", [7 * SECOND, 2 * MINUTE])
def test_bars_that_make_none_of_ours_are_refused(span_ns: int) -> None:
    with pytest.raises(ConfigurationError, match="expected a part of a minute, or one of 1m, 3m"):
        FeedWords(SourceId("x"), span_ns=span_ns, asset_class=AssetClass.CRYPTO)
    assert words(20 * SECOND).span is Span.M1
    assert words(Span.H4.ns).span is Span.H4


@given(st.sampled_from([1, 5, 30]), st.integers(0, 10**6))
def test_a_piece_lies_within_the_minute_that_its_bar_ended_in(seconds: int, number: int) -> None:
    end_ns = (number + 1) * seconds * SECOND
    (first, _) = words(seconds * SECOND).words(said(market_news.bar(5, 9, 4, 6), end_ns))
    assert isinstance(first, PieceTold)
    assert Span.M1.begin_ns(first.at_ns) == Span.M1.begin_ns(end_ns - 1)
