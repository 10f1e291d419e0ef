"""Time-weighted average price: even, exact, and on time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos import twap
from tandem.core.trading.algos.memos import TwapMemo
from tandem.domain.algos import AtEnd, Twap
from tandem.domain.ids import Lots
from tandem.domain.order import Side
from tests.unit.core.trading.algos.rehearsal import ACTS, Rehearsal
from tests.unit.core.trading.algos.test_sight import sight


def spec(**changes: Any) -> Twap:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.BUY,
        "quantity": Lots(10),
        "duration_ns": 1_000,
        "slices": 4,
    }
    return Twap(**(fields | changes))


def test_a_twap_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"slices": 0}, "slices"),
        ({"slices": 11}, "slices"),
        ({"duration_ns": 0}, "duration"),
        ({"jitter_percent": 91}, "jitter"),
    ):
        text = twap.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert twap.objection(spec()) is None


def test_slices_that_are_late_are_placed_as_one() -> None:
    step = twap.step(spec(), TwapMemo(seed=1), sight(market_ns=600))
    assert [one.quantity for one in step.place] == [7]
    assert step.wake_market_ns == 750


def test_at_the_end_the_rest_is_left_or_taken() -> None:
    late = sight(market_ns=1_000, bought=6)
    assert twap.step(spec(), TwapMemo(seed=1), late).is_over
    taken = twap.step(spec(at_end=AtEnd.TAKE), TwapMemo(seed=1), late)
    assert [(one.role, one.quantity) for one in taken.place] == [("close", 4)]


def play(one: Twap, seed: int) -> Rehearsal:
    """Play it to its end: woken when it asks to be, all traded at once."""
    played = Rehearsal(one, seed=seed)
    step = played.look()
    for _ in range(3 * one.slices + 3):
        played.fill()
        if step.wake_market_ns is None:
            break
        assert step.wake_market_ns > played.market_ns
        played.market_ns = step.wake_market_ns
        step = played.look()
    return played


def test_nothing_is_placed_between_the_moments() -> None:
    played = Rehearsal(spec())
    played.look()
    played.end()  # it got nothing
    played.market_ns = 249
    assert played.look().wake_market_ns == 250
    assert len(played.placed) == 1
    played.market_ns = 250
    played.look()
    assert [one.quantity for _, one in played.placed] == [2, 5]


def test_one_that_is_wound_up_or_has_traded_all_is_over() -> None:
    assert twap.step(spec(), TwapMemo(seed=1), sight(is_ending=True)).is_over
    assert twap.step(spec(), TwapMemo(seed=1), sight(bought=10)).is_over


SPECS = st.builds(
    lambda quantity, slices, duration, jitter: spec(
        quantity=Lots(quantity),
        slices=min(slices, quantity),
        duration_ns=duration,
        jitter_percent=jitter,
    ),
    st.integers(1, 5_000),
    st.integers(1, 40),
    st.integers(4_000, 10**9),
    st.integers(0, 90),
)


@given(SPECS, st.integers(0, 2**40))
def test_its_slices_sum_to_the_quantity_within_the_jitter(one: Twap, seed: int) -> None:
    """A14."""
    played = play(one, seed)
    sizes = [each.quantity for _, each in played.placed]
    assert sum(sizes) == one.quantity
    assert len(sizes) == one.slices
    even = one.quantity / one.slices
    assert all(abs(size - even) <= even * one.jitter_percent / 100 + 1 for size in sizes)


@given(SPECS, st.integers(0, 2**40))
def test_its_moments_are_in_order_within_the_jitter(one: Twap, seed: int) -> None:
    """A14."""
    moments = [at_ns for at_ns, _ in play(one, seed).placed]
    spacing = one.duration_ns / one.slices
    assert moments == sorted(moments)
    assert moments[0] == 0
    for at, moment in enumerate(moments):
        assert abs(moment - at * spacing) <= spacing * one.jitter_percent / 200 + 1


@given(SPECS, st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_slices(one: Twap, seed: int) -> None:
    assert play(one, seed).placed == play(one, seed).placed


def test_another_seed_gives_other_slices() -> None:
    one = spec(quantity=Lots(1_000), slices=20, duration_ns=10**9, jitter_percent=50)
    assert play(one, 1).placed != play(one, 2).placed


@given(st.lists(ACTS, max_size=40), SPECS, st.sampled_from(AtEnd))
def test_it_never_asks_for_more_than_its_quantity(
    acts: list[Any], one: Twap, at_end: AtEnd
) -> None:
    """I20: whatever the market says, trades and refuses, and however often it is asked."""
    played = Rehearsal(spec(quantity=one.quantity, slices=one.slices, at_end=at_end))
    for act in acts:
        played.act(act)
        seen = played.sight()
        assert seen.bought + seen.open_buys <= played.spec.quantity
        placed = len(played.placed)
        played.look()
        assert len(played.placed) == placed


@pytest.mark.parametrize("jitter", [0, 50, 90])
def test_a_single_slice_is_the_whole_at_once(jitter: int) -> None:
    played = play(spec(slices=1, jitter_percent=jitter), 3)
    assert [(at_ns, one.quantity) for at_ns, one in played.placed] == [(0, 10)]
