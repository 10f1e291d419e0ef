"""What weighs by volume, against its formulas, TA-Lib, and volumes of all sizes."""

from math import fsum
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.strategies import ta
from tandem.strategies.ta import Array, library
from tandem.strategies.ta.volume_weighted import WindowSum
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.markets import market
from tests.unit.strategies.ta.plain import Case, Columns

OURS_TOO: Final = ("cmf", "mfi", "rvol", "vwma")


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


CASES: Final[list[Case]] = [
    ("vwap", (), lambda c: _session(c, 0)),
    ("vwap", (9,), lambda c: _session(c, 9)),
    ("rolling_vwap", (20,), lambda c: _window(c, 20)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_what_weighs_by_volume_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)


@pytest.mark.parametrize("name", OURS_TOO)
def test_where_volumes_are_alike_the_values_are_those_of_the_library(name: str) -> None:
    """B18."""
    indicator = ta.find(name)
    columns = market("walk", bars=300)
    theirs = library.arrays(name.upper(), (14,), [columns[one] for one in indicator.inputs])
    needed = ta.bars_needed(indicator, (14,))
    assert needed == library.lookback(name.upper(), (14,)) + 1
    ours = ta.batch(indicator, (14,), columns)
    assert ours[0][needed:] == pytest.approx(theirs[0][needed:], rel=1e-9, abs=1e-9)


def _quiet_after_bursts() -> dict[str, Array]:
    """Return a market that is all but asleep after every burst of volume."""
    columns = market("walk", bars=600)
    volume = np.full(600, 1e-8)
    volume[::100] = 123_456.789
    volume[::7] *= 3
    volume[350:400] = 0.0
    return {**columns, "volume": volume}


@pytest.mark.parametrize(
    ("name", "nothing"), [("vwma", "close"), ("cmf", 0.0), ("mfi", 0.0), ("rvol", plain.NAN)]
)
def test_what_hardly_trades_has_values_as_good_as_what_trades(name: str, nothing: object) -> None:
    """Each value is that of its window alone, and where nothing traded the one that is told."""
    columns = _quiet_after_bursts()
    indicator = ta.find(name)
    (found,) = ta.batch(indicator, (14,), columns)
    for end in range(30, 600):
        window = {key: column[end - 15 : end] for key, column in columns.items()}
        (alone,) = ta.batch(indicator, (14,), window)
        assert found[end - 1] == pytest.approx(alone[-1], rel=1e-12, abs=1e-15, nan_ok=True)
    expected = columns["close"][399] if nothing == "close" else nothing
    assert found[399] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", ["vwma", "rolling_vwap"])
def test_a_mean_price_is_never_outside_the_prices_of_its_window(name: str) -> None:
    columns = _quiet_after_bursts()
    (found,) = ta.batch(ta.find(name), (14,), columns)
    low, high = plain.lowest(columns["low"], 14), plain.highest(columns["high"], 14)
    assert (found[13:] >= low[13:] * (1 - 1e-12)).all()
    assert (found[13:] <= high[13:] * (1 + 1e-12)).all()


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
