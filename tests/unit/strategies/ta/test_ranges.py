"""Volatility against its formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.plain import Case, Columns, before, ema, ratio, rma, rolling


def _mean_range(columns: Columns, bars: int) -> Array:
    return rma(plain.true_range(columns), bars)


def _mass(columns: Columns) -> Array:
    once = ema(columns["high"] - columns["low"], 9)
    return plain.total(ratio(once, ema(once, 9)), 25)


def _relative_volatility(close: Array, bars: int, window: int) -> Array:
    off = rolling(close, window, np.std)
    up = np.where(plain.change(close) > 0, off, np.where(np.isnan(off), plain.NAN, 0.0))
    down = np.where(plain.change(close) < 0, off, np.where(np.isnan(off), plain.NAN, 0.0))
    return 100 * ratio(rma(up, bars), rma(up, bars) + rma(down, bars), otherwise=0.5)


def _widening(columns: Columns) -> Array:
    reach = ema(columns["high"] - columns["low"], 10)
    return 100 * (reach / before(reach, 10) - 1)


CASES: Final[list[Case]] = [
    ("trange", (), plain.true_range),
    ("atr", (14,), lambda c: _mean_range(c, 14)),
    ("natr", (14,), lambda c: 100 * _mean_range(c, 14) / c["close"]),
    ("adr", (14,), lambda c: plain.sma(c["high"] - c["low"], 14)),
    ("cvi", (), _widening),
    ("massi", (), _mass),
    ("rvi", (14, 10), lambda c: _relative_volatility(c["close"], 14, 10)),
    (
        "avgdev",
        (14,),
        lambda c: rolling(c["close"], 14, lambda w: np.abs(w - w.mean()).mean()),
    ),
    ("stddev", (20, 1.0), lambda c: rolling(c["close"], 20, np.std)),
    ("stddev", (20, 2.0), lambda c: 2 * rolling(c["close"], 20, np.std)),
    ("var", (20,), lambda c: rolling(c["close"], 20, np.var)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_volatility_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)
