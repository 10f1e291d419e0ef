"""Two feeds of one instrument; A49."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.comparing import APART_NS, Comparison
from tests.unit.core.market.market_news import SECOND


def test_two_feeds_that_differ_for_long_are_apart_until_they_agree() -> None:
    """A49: the difference of their middles over a bound, for longer than a span."""
    pair = Comparison()
    pair.note(200_000, now_ns=0, is_second=False)
    assert (pair.compared, pair.is_apart) == (0, False)
    pair.note(201_000, now_ns=1, is_second=True)  # half a percent is within the bound
    assert pair.since_ns is None
    pair.note(201_001, now_ns=2, is_second=True)
    pair.note(201_002, now_ns=3, is_second=True)
    assert pair.since_ns == 2
    pair.pass_to(1 + APART_NS)
    assert not pair.is_apart
    pair.pass_to(2 + APART_NS)
    assert (pair.is_apart, pair.times) == (True, 1)
    pair.note(201_400, now_ns=3 + APART_NS, is_second=True)
    assert (pair.is_apart, pair.times, pair.most_ppm) == (True, 1, 7_000)
    pair.note(200_900, now_ns=4 + APART_NS, is_second=False)
    assert (pair.is_apart, pair.since_ns) == (False, None)


def test_a_short_difference_is_only_one_feed_being_earlier() -> None:
    pair = Comparison()
    pair.note(100, now_ns=0, is_second=True)
    pair.note(200, now_ns=SECOND, is_second=False)
    pair.note(200, now_ns=2 * SECOND, is_second=True)
    pair.pass_to(60 * SECOND)
    assert (pair.is_apart, pair.times, pair.compared) == (False, 0, 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(1_000, 1_020), st.integers(0, 9))))
def test_feeds_that_never_differ_by_more_than_the_bound_are_never_apart(
    said: list[tuple[bool, int, int]],
) -> None:
    pair = Comparison(bound_ppm=20_000)
    now_ns = 0
    for is_second, doubled, seconds in said:
        now_ns += seconds * SECOND
        pair.note(doubled, now_ns=now_ns, is_second=is_second)
        assert not pair.is_apart
