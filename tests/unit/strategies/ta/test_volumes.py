"""Volume against its formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.plain import Case, Columns, before, change, ratio


def _on_balance(c: Columns) -> Array:
    signs = np.sign(np.nan_to_num(change(c["close"])))
    signs[0] = 1.0
    return np.cumsum(signs * c["volume"])


def _flow(c: Columns) -> Array:
    place = (c["close"] - c["low"]) - (c["high"] - c["close"])
    return ratio(place, c["high"] - c["low"]) * c["volume"]


def _oscillator(c: Columns) -> Array:
    accumulated = np.cumsum(_flow(c))

    def smooth(bars: int) -> Array:
        made = accumulated.copy()
        for at in range(1, len(made)):
            made[at] = made[at - 1] + 2 / (bars + 1) * (accumulated[at] - made[at - 1])
        return made

    return smooth(3) - smooth(10)


def _money(c: Columns, bars: int) -> Array:
    worth = plain.typical(c) * c["volume"]
    moved = change(plain.typical(c))
    up = plain.total(np.where(moved > 0, worth, 0.0), bars)
    down = plain.total(np.where(moved < 0, worth, 0.0), bars)
    return 100 * ratio(up, up + down)


def _price_volume(c: Columns) -> Array:
    return np.cumsum(np.nan_to_num(change(c["close"]) / before(c["close"], 1)) * c["volume"])


def _williams(c: Columns) -> Array:
    last = before(c["close"], 1)
    rise = c["close"] - np.minimum(c["low"], last)
    fall = c["close"] - np.maximum(c["high"], last)
    moved = np.where(c["close"] > last, rise, np.where(c["close"] < last, fall, 0.0))
    moved[0] = 0.0
    return np.cumsum(moved)


def _index(c: Columns, *, on_more: bool) -> Array:
    made = np.full(len(c["close"]), 1000.0)
    for at in range(1, len(made)):
        more = c["volume"][at] > c["volume"][at - 1]
        less = c["volume"][at] < c["volume"][at - 1]
        counts = more if on_more else less
        made[at] = made[at - 1] * (c["close"][at] / c["close"][at - 1] if counts else 1.0)
    return made


def _volume_percent(c: Columns) -> Array:
    fast, slow = plain.sma(c["volume"], 5), plain.sma(c["volume"], 12)
    return 100 * (fast / slow - 1)


CASES: Final[list[Case]] = [
    ("obv", (), _on_balance),
    ("ad", (), lambda c: np.cumsum(_flow(c))),
    ("adosc", (), _oscillator),
    ("cmf", (20,), lambda c: plain.total(_flow(c), 20) / plain.total(c["volume"], 20)),
    ("mfi", (14,), lambda c: _money(c, 14)),
    ("efi", (13,), lambda c: plain.ema(change(c["close"]) * c["volume"], 13)),
    ("marketfi", (), lambda c: ratio(c["high"] - c["low"], c["volume"])),
    ("pvo", (5, 12, "sma"), _volume_percent),
    ("rvol", (20,), lambda c: c["volume"] / before(plain.sma(c["volume"], 20), 1)),
    ("pvt", (), _price_volume),
    ("wad", (), _williams),
    ("pvi", (), lambda c: _index(c, on_more=True)),
    ("nvi", (), lambda c: _index(c, on_more=False)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_volume_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)
