"""Indicators as their books write them, slow and simple: judges of the quick ones.

Series are arrays as long as the history, NaN where there is no value yet.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pytest

from tandem.strategies import ta
from tandem.strategies.ta import Array
from tests.unit.strategies.ta.markets import market

Columns = Mapping[str, Array]
Formula = Callable[[Columns], Any]  # a series, or a tuple of them
Case = tuple[str, tuple[float | str, ...], Formula]
NAN: Final = float("nan")
TRIED_ON: Final = ("walk", "jumps", "ticks", "rise")


def judge(case: Case, *, kinds: Iterable[str] = TRIED_ON) -> None:
    """Compare an indicator with its formula, every bar of several markets, to 1e-9."""
    name, given, formula = case
    indicator = ta.find(name)
    needed = ta.bars_needed(indicator, ta.bind(indicator, given))
    for kind in kinds:
        columns = market(kind, bars=300, seed=5)
        with np.errstate(all="ignore"):
            plain = formula(columns)
        expected = plain if isinstance(plain, tuple) else (plain,)
        found = ta.batch(indicator, given, columns)
        assert len(found) == len(expected)
        for output, theirs, ours in zip(indicator.outputs, expected, found, strict=True):
            assert np.isfinite(ours[needed - 1 :]).all()
            assert ours[needed - 1 :] == pytest.approx(
                np.asarray(theirs)[needed - 1 :], rel=1e-9, abs=1e-9
            ), f"{name} {output} on {kind}"


def ids(cases: Iterable[Case]) -> list[str]:
    """Return names of cases for pytest."""
    return [f"{name}{given}" for name, given, _ in cases]


def rolling(values: Array, bars: int, of: Callable[[Array], Any]) -> Array:
    """Return a function of each window."""
    made = np.full(len(values), NAN)
    for end in range(bars, len(values) + 1):
        made[end - 1] = of(values[end - bars : end])
    return made


def before(values: Array, bars: int) -> Array:
    """Return what was so many bars before."""
    if not bars:
        return values
    return np.concatenate([np.full(bars, NAN), values[:-bars]])


def sma(values: Array, bars: int) -> Array:
    return rolling(values, bars, np.mean)


def total(values: Array, bars: int) -> Array:
    return rolling(values, bars, np.sum)


def highest(values: Array, bars: int) -> Array:
    return rolling(values, bars, np.max)


def lowest(values: Array, bars: int) -> Array:
    return rolling(values, bars, np.min)


def wma(values: Array, bars: int) -> Array:
    weights = np.arange(1.0, bars + 1)
    return rolling(values, bars, lambda window: (window * weights).sum() / weights.sum())


def seeded(values: Array, bars: int, share: float) -> Array:
    """Return the average that begins with the mean of the first values there are."""
    made = np.full(len(values), NAN)
    first = int(np.argmax(np.isfinite(values))) + bars - 1
    if first < len(values):
        made[first] = values[first - bars + 1 : first + 1].mean()
        for at in range(first + 1, len(values)):
            made[at] = made[at - 1] + share * (values[at] - made[at - 1])
    return made


def ema(values: Array, bars: int) -> Array:
    return seeded(values, bars, 2.0 / (bars + 1))


def rma(values: Array, bars: int) -> Array:
    return seeded(values, bars, 1.0 / bars)


def ratio(above: Array, below: Array, *, otherwise: float = 0.0) -> Array:
    """Return above / below; `otherwise` where there is nothing to divide by."""
    return np.where(below == 0, otherwise, above / np.where(below == 0, 1.0, below))


def change(values: Array) -> Array:
    return values - before(values, 1)


def gains(values: Array) -> Array:
    return np.where(np.isnan(change(values)), NAN, np.maximum(change(values), 0.0))


def losses(values: Array) -> Array:
    return np.where(np.isnan(change(values)), NAN, np.maximum(-change(values), 0.0))


def typical(columns: Columns) -> Array:
    return (columns["high"] + columns["low"] + columns["close"]) / 3


def true_range(columns: Columns) -> Array:
    last = before(columns["close"], 1)
    made = np.maximum(columns["high"], last) - np.minimum(columns["low"], last)
    return np.asarray(made, dtype=np.float64)


def stochastic(columns: Columns, bars: int) -> Array:
    low = lowest(columns["low"], bars)
    return 100 * ratio(columns["close"] - low, highest(columns["high"], bars) - low)


def line(values: Sequence[float] | Array) -> tuple[float, float]:
    """Return slope and beginning of the straight line through a window."""
    at = np.arange(len(values), dtype=np.float64)
    off = at - at.mean()
    slope = float((off * (np.asarray(values) - np.mean(values))).sum() / (off * off).sum())
    return slope, float(np.mean(values) - slope * at.mean())
