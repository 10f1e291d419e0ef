"""What is usable of an instrument's feeds, and how old it is; A49 and F17."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.bursts import BurstWatch
from tandem.core.market.watch import FeedWatch
from tandem.domain.feeds import Fault
from tandem.domain.venue import Doubt
from tests.unit.core.market.market_news import SECOND, after_gap, best, depth, level, said


def test_a_frozen_feed_that_repeats_itself_is_not_fresh() -> None:
    """F17: the feed's own time counts, not when it came, and a repeat is no news."""
    watch = FeedWatch()
    assert watch.fresh_ns is None
    watch.note(said(best(9, 10), 7 * SECOND, 5 * SECOND))
    assert watch.fresh_ns == 5 * SECOND
    for second in range(8, 60):
        assert watch.note(said(best(9, 10), second * SECOND, 5 * SECOND)) is Fault.REPEATED
    assert (watch.fresh_ns, watch.messages) == (5 * SECOND, 53)


def test_a_feed_whose_clock_is_ahead_is_not_fresher_than_now() -> None:
    watch = FeedWatch()
    watch.note(said(best(9, 10), 5 * SECOND, 7 * SECOND))
    assert watch.fresh_ns == 5 * SECOND
    watch.note(said(best(8, 10), 6 * SECOND))
    assert watch.fresh_ns == 6 * SECOND
    watch.note(said(best(0, 10), 9 * SECOND))
    assert watch.fresh_ns == 6 * SECOND


def test_a_burst_and_feeds_that_do_not_agree_are_doubts() -> None:
    """A49: both are told, and end by themselves."""
    watch = FeedWatch(burst=BurstWatch(least=3))
    assert watch.doubt(0) is None
    watch.note(said(best(99, 101), 0))
    for number in range(11):
        watch.note(said(best(99, 102 + number), SECOND))
    assert watch.doubt(SECOND) is Doubt.BURST
    assert watch.doubt(6 * SECOND) is None
    watch.note_second(said(best(109, 111), 7 * SECOND))
    assert watch.doubt(9 * SECOND) is None
    assert watch.doubt(10 * SECOND) is Doubt.FEEDS_APART
    watch.note(said(best(109, 111), 11 * SECOND))
    assert watch.doubt(11 * SECOND) is None


def test_after_a_gap_prices_are_in_doubt_for_a_while_or_until_the_whole_book_is_shown() -> None:
    """F17: messages are missing."""
    watch = FeedWatch()
    watch.note(after_gap(best(9, 11), 10 * SECOND))
    watch.note(said(depth([level(8)], [], is_whole=False), 11 * SECOND))
    assert watch.doubt(15 * SECOND - 1) is Doubt.GAP
    assert watch.doubt(15 * SECOND) is None
    watch.note(after_gap(best(8, 11), 20 * SECOND))
    assert watch.doubt(21 * SECOND) is Doubt.GAP
    watch.note(said(depth([level(8)], [level(11)]), 21 * SECOND))
    assert watch.doubt(21 * SECOND) is None
    assert watch.gaps == 2


def test_a_second_feed_is_judged_by_itself_and_makes_nothing_fresh() -> None:
    watch = FeedWatch()
    assert watch.note_second(said(best(9, 9), 5)) is Fault.LOCKED
    assert watch.note_second(said(depth([level(8)], [], is_whole=False), 5)) is None
    assert (watch.fresh_ns, watch.messages, watch.filter.faults) == (None, 0, {})
    assert watch.second_filter.faults == {"locked": 1}


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 99), st.integers(1, 5))))
def test_what_is_fresh_is_never_later_than_what_came_and_never_goes_back(
    said_ones: list[tuple[int, int | None, int]],
) -> None:
    watch = FeedWatch()
    now_ns = before_ns = 0
    for seconds, told_ns, bid in said_ones:
        now_ns += seconds
        watch.note(said(best(bid, 6), now_ns, told_ns))
        if watch.fresh_ns is not None:
            assert before_ns <= watch.fresh_ns <= now_ns
            before_ns = watch.fresh_ns
