"""Oscillators against their formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.plain import Case, Columns, before, ema, ratio, rma, sma


def _slow(columns: Columns, *, bars: int, k: int, d: int) -> tuple[Array, ...]:
    smooth = sma(plain.stochastic(columns, bars), k)
    return smooth, sma(smooth, d)


def _of_strength(close: Array, bars: int, *, k: int, d: int) -> tuple[Array, ...]:
    up, down = rma(plain.gains(close), bars), rma(plain.losses(close), bars)
    strength = 100 * ratio(up, up + down)
    low = plain.lowest(strength, k)
    fast = 100 * ratio(strength - low, plain.highest(strength, k) - low)
    return fast, sma(fast, d)


def _kdj(columns: Columns) -> tuple[Array, ...]:
    k = rma(plain.stochastic(columns, 9), 3)
    d = rma(k, 3)
    return k, d, 3 * k - 2 * d


def _channel(columns: Columns, bars: int) -> Array:
    price = plain.typical(columns)
    away = plain.rolling(price, bars, lambda window: np.abs(window - window.mean()).mean())
    return ratio(price - sma(price, bars), 0.015 * away)


def _ultimate(columns: Columns) -> Array:
    last = before(columns["close"], 1)
    pressure = columns["close"] - np.minimum(columns["low"], last)
    reach = plain.true_range(columns)
    seven, fourteen, twenty_eight = (
        ratio(plain.total(pressure, bars), plain.total(reach, bars)) for bars in (7, 14, 28)
    )
    return 100 * (4 * seven + 2 * fourteen + twenty_eight) / 7


def _aroon(columns: Columns, bars: int) -> tuple[Array, ...]:
    def since(window: Array) -> float:
        return 100 * (len(window) - 1 - int(np.argmin(window[::-1]))) / bars

    down = plain.rolling(columns["low"], bars + 1, since)
    return down, plain.rolling(-columns["high"], bars + 1, since)


def _williams(columns: Columns, bars: int) -> Array:
    high = plain.highest(columns["high"], bars)
    return -100 * ratio(high - columns["close"], high - plain.lowest(columns["low"], bars))


def _vortex(columns: Columns, bars: int) -> tuple[Array, ...]:
    reach = plain.total(plain.true_range(columns), bars)
    plus = np.abs(columns["high"] - before(columns["low"], 1))
    minus = np.abs(columns["low"] - before(columns["high"], 1))
    return plain.total(plus, bars) / reach, plain.total(minus, bars) / reach


def _swings(columns: Columns, left: int, right: int) -> tuple[Array, ...]:
    def swing(window: Array) -> float:
        others = np.delete(window, left)
        return 100.0 if (window[left] > others).all() else 0.0

    high = plain.rolling(columns["high"], left + right + 1, swing)
    return high, plain.rolling(-columns["low"], left + right + 1, swing)


def _stochastic_momentum(columns: Columns) -> tuple[Array, ...]:
    high, low = plain.highest(columns["high"], 13), plain.lowest(columns["low"], 13)
    above = ema(ema(columns["close"] - (high + low) / 2, 25), 2)
    below = ema(ema(high - low, 25), 2) / 2
    made = 100 * ratio(above, below)
    return made, ema(made, 9)


CASES: Final[list[Case]] = [
    ("stoch", (5, 3, "sma", 3, "sma"), lambda c: _slow(c, bars=5, k=3, d=3)),
    ("stochf", (14, 3), lambda c: _slow(c, bars=14, k=1, d=3)),
    ("kdj", (), _kdj),
    ("smi", (), _stochastic_momentum),
    ("willr", (14,), lambda c: _williams(c, 14)),
    ("cci", (14,), lambda c: _channel(c, 14)),
    ("ultosc", (), _ultimate),
    ("aroon", (14,), lambda c: _aroon(c, 14)),
    ("aroonosc", (14,), lambda c: _aroon(c, 14)[1] - _aroon(c, 14)[0]),
    ("eri", (13,), lambda c: (c["high"] - ema(c["close"], 13), c["low"] - ema(c["close"], 13))),
    ("vortex", (14,), lambda c: _vortex(c, 14)),
    ("fractal", (2, 2), lambda c: _swings(c, 2, 2)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_oscillators_are_what_their_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)


def test_the_stochastic_of_strength_is_what_its_formula_says_while_strength_changes() -> None:
    """B18: where closes stand still, strength differs by rounding only, and so does this."""
    case: Case = ("stochrsi", (14, 5, 3), lambda c: _of_strength(c["close"], 14, k=5, d=3))
    plain.judge(case, kinds=("walk",))
