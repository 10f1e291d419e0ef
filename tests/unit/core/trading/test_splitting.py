"""Shares of a parent order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.splitting import Manner, _generator, split
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import Lots
from tandem.domain.parents import Rounding, Split

POWERS = st.lists(
    st.one_of(
        st.decimals(-10, 10**15, places=8),
        st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("1E+900000"), Decimal(0)]),
    ),
    max_size=12,
)
MANNERS = st.builds(
    Manner,
    split=st.sampled_from(Split),
    minimum=st.integers(1, 50).map(Lots),
    start=st.integers(0, 30),
    seed=st.integers(-(2**70), 2**70),
    rounding=st.builds(
        Rounding, min_percent=st.integers(0, 100), max_percent=st.integers(100, 900)
    ),
)


def powers(*amounts: object) -> list[Decimal]:
    return [Decimal(str(amount)) for amount in amounts]


def shares(quantity: int, among: list[Decimal], manner: Manner) -> list[int]:
    return split(Lots(quantity), among, manner)


@given(st.integers(0, 2**53), POWERS, MANNERS)
def test_shares_sum_to_the_quantity_and_none_is_below_the_least(
    quantity: int, amounts: list[Decimal], manner: Manner
) -> None:
    """A8, A10, C4, I9."""
    found = split(Lots(quantity), amounts, manner)
    assert len(found) == len(amounts)
    given_out = [lots for lots in found if lots]
    assert all(lots > 0 for lots in given_out)
    can_pay = any(one.is_finite() and one > 0 for one in amounts)
    if quantity == 0 or not amounts or (manner.split is Split.WEIGHTED and not can_pay):
        assert not given_out
    elif manner.split is Split.EACH:
        assert found == [quantity] * len(amounts)
    else:
        assert sum(found) == quantity
        assert all(lots >= manner.minimum for lots in given_out) or len(given_out) == 1


def test_nothing_or_nobody_gives_no_shares() -> None:
    assert split(Lots(0), powers(1, 1), Manner()) == [0, 0]
    assert split(Lots(5), [], Manner()) == []


@given(st.integers(1, 2**53), st.integers(1, 20), st.integers(0, 40))
def test_equal_shares_differ_by_one_lot_at_most(quantity: int, count: int, start: int) -> None:
    """A8."""
    found = shares(quantity, powers(*[1] * count), Manner(start=start))
    assert max(found) - min(found) <= 1


@given(
    st.integers(1, 10**9),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=9).filter(any),
)
def test_weighted_shares_are_within_a_lot_of_the_exact_proportion(
    quantity: int, weights: list[int]
) -> None:
    """A10."""
    found = shares(quantity, powers(*weights), Manner(split=Split.WEIGHTED))
    for lots, weight in zip(found, weights, strict=True):
        assert abs(lots * sum(weights) - quantity * weight) < sum(weights)


@given(st.integers(1, 10**9), st.integers(1, 12), MANNERS)
def test_random_shares_stay_within_their_limits_but_for_a_whole_lot(
    quantity: int, count: int, manner: Manner
) -> None:
    """A10."""
    manner = Manner(split=Split.RANDOM, seed=manner.seed, rounding=manner.rounding)
    found = shares(quantity, powers(*[1] * count), manner)
    sharers = min(count, quantity)
    for lots in found:
        if lots:
            assert lots * sharers * 100 > quantity * manner.rounding.min_percent - sharers * 100
            assert lots * sharers * 100 < quantity * manner.rounding.max_percent + sharers * 100


def test_what_does_not_divide_goes_to_the_first_or_from_the_start_given() -> None:
    among = powers(1, 1, 1)
    assert shares(11, among, Manner()) == [4, 4, 3]
    assert shares(11, among, Manner(start=2)) == [4, 3, 4]
    assert shares(2, among, Manner(start=1)) == [0, 1, 1]


def test_a_thousand_lots_over_eight_slots_are_eight_children() -> None:
    """A10."""
    assert shares(1000, powers(*[1] * 8), Manner()) == [125] * 8


def test_shares_below_the_minimum_go_to_the_others() -> None:
    among = powers(1, 1, 1, 1)
    assert shares(25, among, Manner(minimum=Lots(10))) == [13, 12, 0, 0]
    assert shares(7, among, Manner(minimum=Lots(10))) == [7, 0, 0, 0]


def test_buying_power_decides_and_the_largest_remainder_gets_the_odd_lot() -> None:
    assert shares(10, powers("100.5", "0", "201"), Manner(split=Split.WEIGHTED)) == [3, 0, 7]
    assert shares(10, powers(1, 1, 1), Manner(split=Split.WEIGHTED)) == [4, 3, 3]
    heavy = Manner(split=Split.WEIGHTED, minimum=Lots(5))
    assert shares(20, powers(10, 1, 10, 2), heavy) == [10, 0, 10, 0]
    assert shares(4, powers(2, 1), heavy) == [4, 0]


def test_nobody_with_buying_power_gets_a_share() -> None:
    manner = Manner(split=Split.WEIGHTED)
    assert split(Lots(10), powers(0, "-5", "NaN"), manner) == [0, 0, 0]


def test_each_slot_gets_the_whole() -> None:
    """A10."""
    assert shares(40, powers(1, 0), Manner(split=Split.EACH)) == [40, 40]


def test_a_random_split_is_decided_by_its_seed_alone() -> None:
    among = powers(*[1] * 8)
    first = shares(1000, among, Manner(split=Split.RANDOM, seed=1))
    assert first == [153, 134, 132, 145, 112, 104, 104, 116]
    assert shares(1000, among, Manner(split=Split.RANDOM, seed=2)) != first


def test_the_random_numbers_are_those_of_the_published_generator() -> None:
    draw = _generator(1234567)
    assert [draw(), draw()] == [6457827717110365317, 3203168211198807973]


def test_random_shares_that_break_the_upper_limit_go_to_those_with_room() -> None:
    narrow = Rounding(min_percent=0, max_percent=101)
    for seed in range(20):
        manner = Manner(split=Split.RANDOM, seed=seed, rounding=narrow)
        found = shares(800, powers(*[1] * 8), manner)
        assert sum(found) == 800
        assert max(found) <= 101


def test_every_slot_is_left_out_of_some_random_split_that_cannot_serve_all() -> None:
    seen = [shares(1, powers(1, 1, 1), Manner(split=Split.RANDOM, seed=s)) for s in range(40)]
    assert sorted({tuple(one) for one in seen}) == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]


@pytest.mark.parametrize(("low", "high"), [(-1, 150), (101, 150), (50, 99)])
def test_random_limits_without_the_equal_share_are_refused(low: int, high: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{low} to {high} per cent"):
        Manner(rounding=Rounding(min_percent=low, max_percent=high))


def test_a_minimum_below_one_lot_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="minimum share is 0 lots"):
        Manner(minimum=Lots(0))
