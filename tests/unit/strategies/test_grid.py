"""Ticks and lots as numbers that people write, and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.ids import Ticks
from tandem.strategies.grid import Grid
from tests.unit.strategies.market import bar, instrument


def test_a_bar_has_the_numbers_that_people_write() -> None:
    found = Grid(instrument(tick="0.1", lot="0.001")).row(bar(2, [3, 7, 1]))
    assert found == (0.7, 0.9, 0.1, 0.1, 0.2)


@given(st.integers(1, 2**45), st.sampled_from(["0.01", "0.1", "0.25", "5", "0.00000001"]))
def test_a_price_is_the_nearest_float_and_finds_its_tick_again(ticks: int, tick: str) -> None:
    grid = Grid(instrument(tick=tick))
    price = grid.row(bar(0, [max(ticks, 2)]))[3]
    assert price == float(Decimal(max(ticks, 2)) * Decimal(tick))
    assert grid.ticks(price) == max(ticks, 2)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), 0.004, 1e300])
def test_what_is_no_price_has_no_tick(price: float) -> None:
    assert Grid(instrument()).ticks(price) is None


def test_a_price_between_two_ticks_is_the_nearer_one() -> None:
    grid = Grid(instrument(tick="0.5", lot="0.1"))
    assert [grid.ticks(price) for price in (1.2, 1.3, 1.25, 1.75)] == [
        *map(Ticks, (2, 3, 2, 4)),
    ]
    assert grid.lots(0.3) == 3
