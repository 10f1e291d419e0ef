"""What TA-Lib lacks, against its formulas."""

from math import fsum
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.strategies import ta
from tandem.strategies.ta import Array
from tandem.strategies.ta.running import WindowSum
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.markets import market
from tests.unit.strategies.ta.plain import Case, Columns, before, highest, lowest, rma


def _session(c: Columns, hour: int) -> Array:
    made = np.full(len(c["close"]), plain.NAN)
    days = (c["time"] - 3_600 * hour) // 86_400
    for at in range(len(made)):
        until_now = (days == days[at]) & (np.arange(len(made)) <= at)
        volume = c["volume"][until_now].sum()
        worth = (plain.typical(c) * c["volume"])[until_now].sum()
        made[at] = worth / volume if volume else plain.typical(c)[at]
    return made


def _window(c: Columns, bars: int) -> Array:
    volume = plain.total(c["volume"], bars)
    worth = plain.total(plain.typical(c) * c["volume"], bars)
    return np.where(volume == 0, plain.typical(c), worth / np.where(volume == 0, 1.0, volume))


def _middle(c: Columns, bars: int) -> Array:
    return (highest(c["high"], bars) + lowest(c["low"], bars)) / 2


def _cloud(c: Columns, *periods: int) -> tuple[Array, ...]:
    conversion, base = _middle(c, periods[0]), _middle(c, periods[1])
    late = periods[3]
    return (
        conversion,
        base,
        before((conversion + base) / 2, late),
        before(_middle(c, periods[2]), late),
    )


def _alligator(c: Columns) -> tuple[Array, ...]:
    middle = (c["high"] + c["low"]) / 2
    return before(rma(middle, 13), 8), before(rma(middle, 8), 5), before(rma(middle, 5), 3)


def _choppiness(c: Columns, bars: int) -> Array:
    height = highest(c["high"], bars) - lowest(c["low"], bars)
    way = plain.total(plain.true_range(c), bars) / height
    return np.asarray(100 * np.log10(way) / np.log10(bars), dtype=np.float64)


def _chandelier(c: Columns, bars: int, times: float) -> tuple[Array, ...]:
    away = times * rma(plain.true_range(c), bars)
    return highest(c["high"], bars) - away, lowest(c["low"], bars) + away


CASES: Final[list[Case]] = [
    ("vwap", (), lambda c: _session(c, 0)),
    ("vwap", (9,), lambda c: _session(c, 9)),
    ("rolling_vwap", (20,), lambda c: _window(c, 20)),
    ("ichimoku", (), lambda c: _cloud(c, 9, 26, 52, 26)),
    ("ichimoku", (5, 7, 6, 0), lambda c: _cloud(c, 5, 7, 6, 0)),
    ("alligator", (), _alligator),
    ("chop", (14,), lambda c: _choppiness(c, 14)),
    ("chandelier", (22, 3.0), lambda c: _chandelier(c, 22, 3.0)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_what_was_added_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)


@pytest.mark.parametrize("name", ["vwap", "rolling_vwap"])
def test_while_nothing_trades_the_typical_price_stands_for_the_mean(name: str) -> None:
    columns = market("constant", bars=60)
    assert set(ta.batch(ta.find(name), (), columns)[0][30:]) == {100.0}


def test_after_a_burst_of_volume_nothing_of_it_is_left() -> None:
    """A sum that is carried on would keep the error of the large numbers it had held."""
    columns = market("walk", bars=60)
    columns["volume"][:] = 0.001
    columns["volume"][10] = 1e15
    (found,) = ta.batch(ta.find("rolling_vwap"), (5,), columns)
    expected = plain.sma(plain.typical(columns), 5)
    assert found[20:] == pytest.approx(expected[20:], rel=1e-12)


@given(
    st.integers(1, 9),
    st.lists(st.one_of(st.just(0.0), st.floats(0, 1e12)), min_size=1, max_size=60),
)
def test_a_window_sum_is_the_sum_of_its_window(bars: int, values: list[float]) -> None:
    running = WindowSum(bars)
    for end, value in enumerate(values, start=1):
        expected = fsum(values[max(0, end - bars) : end])
        found = running.update(value)
        assert found == pytest.approx(expected, rel=1e-14)
        assert (found == 0.0) is (expected == 0.0)


def test_a_flat_window_has_no_choppiness() -> None:
    columns = market("constant", bars=60)
    assert np.isnan(ta.batch(ta.find("chop"), (), columns)[0]).all()
