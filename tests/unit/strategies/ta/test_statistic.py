"""Statistics and prices against their formulas."""

from math import atan, ceil, degrees
from typing import Final

import numpy as np
import pytest

from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.plain import Case, Columns, before, rolling


def _line_at(close: Array, bars: int, at: int) -> Array:
    def value(window: Array) -> float:
        slope, begin = plain.line(window)
        return begin + slope * at

    return rolling(close, bars, value)


def _correlation(c: Columns, bars: int) -> Array:
    made = np.full(len(c["close"]), plain.NAN)
    for end in range(bars, len(made) + 1):
        window = slice(end - bars, end)
        x, y = c["high"][window], c["low"][window]
        off_x, off_y = x - x.mean(), y - y.mean()
        made[end - 1] = (off_x * off_y).sum() / np.sqrt((off_x**2).sum() * (off_y**2).sum())
    return made


def _beta(c: Columns, bars: int) -> Array:
    made = np.full(len(c["close"]), plain.NAN)
    x = c["high"] / before(c["high"], 1) - 1
    y = c["low"] / before(c["low"], 1) - 1
    for end in range(bars + 1, len(made) + 1):
        window = slice(end - bars, end)
        off = x[window] - x[window].mean()
        made[end - 1] = (off * (y[window] - y[window].mean())).sum() / (off**2).sum()
    return made


def _rank(window: Array) -> float:
    return 100 * float((window[:-1] < window[-1]).mean())


def _nearest(window: Array, percent: int) -> float:
    return float(np.sort(window)[ceil(percent / 100 * len(window)) - 1])


def _heikin_ashi(c: Columns) -> tuple[Array, ...]:
    close = (c["open"] + c["high"] + c["low"] + c["close"]) / 4
    opened = np.empty(len(close))
    opened[0] = (c["open"][0] + c["close"][0]) / 2
    for at in range(1, len(close)):
        opened[at] = (opened[at - 1] + close[at - 1]) / 2
    high = np.maximum(c["high"], np.maximum(opened, close))
    return opened, high, np.minimum(c["low"], np.minimum(opened, close)), close


CASES: Final[list[Case]] = [
    ("max", (10,), lambda c: plain.highest(c["close"], 10)),
    ("min", (10,), lambda c: plain.lowest(c["close"], 10)),
    ("minmax", (10,), lambda c: (plain.lowest(c["close"], 10), plain.highest(c["close"], 10))),
    ("sum", (10,), lambda c: plain.total(c["close"], 10)),
    ("linearreg", (14,), lambda c: _line_at(c["close"], 14, 13)),
    ("tsf", (14,), lambda c: _line_at(c["close"], 14, 14)),
    ("linearreg_intercept", (14,), lambda c: _line_at(c["close"], 14, 0)),
    ("linearreg_slope", (14,), lambda c: rolling(c["close"], 14, lambda w: plain.line(w)[0])),
    (
        "linearreg_angle",
        (14,),
        lambda c: rolling(c["close"], 14, lambda w: degrees(atan(plain.line(w)[0]))),
    ),
    ("percentrank", (20,), lambda c: rolling(c["close"], 21, _rank)),
    ("percentile", (20, 50.0), lambda c: rolling(c["close"], 20, lambda w: _nearest(w, 50))),
    ("percentile", (20, 25.0), lambda c: rolling(c["close"], 20, lambda w: _nearest(w, 25))),
    ("correl", (30,), lambda c: _correlation(c, 30)),
    ("beta", (5,), lambda c: _beta(c, 5)),
    ("avgprice", (), lambda c: (c["open"] + c["high"] + c["low"] + c["close"]) / 4),
    ("medprice", (), lambda c: (c["high"] + c["low"]) / 2),
    ("typprice", (), plain.typical),
    ("wclprice", (), lambda c: (c["high"] + c["low"] + 2 * c["close"]) / 4),
    ("heikin_ashi", (), _heikin_ashi),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_statistics_and_prices_are_what_their_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)
