"""Repeats and holes in the numbers of trades."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.numbers import HOLES_MAX, Numbers


def test_a_number_counts_once() -> None:
    """B9."""
    numbers = Numbers()
    assert [numbers.take(one, at_ns=one) for one in (5, 6, 6, 5, 7)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert numbers.missing(99) == []


def test_what_is_left_out_is_missing_until_it_comes() -> None:
    numbers = Numbers()
    for one in (1, 2, 7):
        numbers.take(one, at_ns=10 * one)
    assert numbers.take(4, at_ns=40)
    assert not numbers.take(4, at_ns=40)
    assert numbers.take(3, at_ns=30)
    assert numbers.missing(40) == []
    (hole,) = numbers.missing(41)
    assert (hole.first, hole.last, hole.from_ns, hole.to_ns) == (5, 6, 40, 70)
    assert numbers.missing(41) == []
    assert [numbers.take(one, at_ns=50) for one in (6, 5, 5)] == [True, True, False]


def test_numbers_of_before_our_time_may_come_late() -> None:
    numbers = Numbers()
    numbers.take(10, at_ns=100)
    assert [numbers.take(one, at_ns=at) for one, at in ((9, 90), (6, 60), (6, 60))] == [
        True,
        True,
        False,
    ]
    assert [(one.first, one.last) for one in numbers.missing(999)] == [(7, 8)]


def test_a_source_that_counts_anew_is_believed_and_leaves_a_hole() -> None:
    numbers = Numbers()
    numbers.take(1_000, at_ns=100)
    assert numbers.take(1, at_ns=200)
    assert numbers.take(2, at_ns=210)
    (hole,) = numbers.missing(999)
    assert (hole.from_ns, hole.to_ns) == (100, 200)


def test_a_hole_whose_time_was_told_whole_is_forgotten() -> None:
    numbers = Numbers()
    for one in (1, 3, 5):
        numbers.take(one, at_ns=10 * one)
    numbers.settle(5, to_ns=35)
    assert [(one.first, one.last) for one in numbers.missing(999)] == [(4, 4)]
    assert not numbers.take(2, at_ns=20)


def test_holes_are_bounded() -> None:
    numbers = Numbers()
    for one in range(0, 4 * HOLES_MAX, 2):
        numbers.take(one, at_ns=one)
    assert len(numbers.missing(10**9)) == HOLES_MAX


@given(st.lists(st.integers(0, 20), max_size=60))
def test_in_whatever_order_each_number_is_new_once_and_the_rest_is_missing(
    order: list[int],
) -> None:
    numbers = Numbers()
    taken = [one for one in order if numbers.take(one, at_ns=0)]
    assert sorted(taken) == sorted(set(order))
    holes = numbers.missing(1)
    missing = {number for one in holes for number in range(one.first, one.last + 1)}
    assert missing == set(range(min(order, default=0), max(order, default=-1) + 1)) - set(order)
