"""What is said of a whole feed."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.facts import FeedFacts
from tests.unit.core.market.market_news import (
    MINUTE,
    SECOND,
    after_gap,
    bar,
    quote_bar,
    said,
    trade,
)


def test_rows_kinds_gaps_and_faults_are_counted() -> None:
    """A26: the facts of recorded data."""
    facts = FeedFacts("BTCUSD", MINUTE)
    for minute in (1, 2, 5, 6, 9):
        facts.note(said(bar(5, 6, 5, 6), minute * MINUTE, minute * MINUTE))
    facts.note(said(quote_bar((4, 4, 4, 4), (5, 5, 5, 5)), 9 * MINUTE, 9 * MINUTE))
    facts.note(said(bar(0, 6, 5, 6), 10 * MINUTE, 10 * MINUTE))
    assert facts.kinds == {"trade_bars": 6, "quote_bars": 1}
    assert (facts.rows, facts.gaps, facts.missing) == (7, 2, 4)
    assert (facts.first_ns, facts.last_ns, facts.silence_ns) == (MINUTE, 10 * MINUTE, 3 * MINUTE)
    assert facts.watch.filter.faults == {"price": 1}


def test_single_messages_have_the_gaps_that_their_numbers_tell() -> None:
    facts = FeedFacts("BTCUSD", None)
    for second in (1, 500):
        facts.note(said(trade(5), second * SECOND))
    assert (facts.rows, facts.gaps, facts.silence_ns) == (2, 0, 499 * SECOND)
    facts.note(after_gap(trade(5), 501 * SECOND))
    assert (facts.gaps, facts.missing) == (1, 0)


@given(st.lists(st.integers(1, 50), unique=True, min_size=1))
def test_missing_bars_are_those_between_the_first_and_the_last(minutes: list[int]) -> None:
    facts = FeedFacts("BTCUSD", MINUTE)
    for minute in sorted(minutes):
        facts.note(said(bar(5, 5, 5, 5), minute * MINUTE))
    assert facts.missing + len(minutes) == max(minutes) - min(minutes) + 1
