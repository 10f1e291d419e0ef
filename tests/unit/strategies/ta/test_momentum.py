"""Momentum against its formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies.ta import Array
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.plain import (
    Case,
    Columns,
    before,
    ema,
    gains,
    losses,
    ratio,
    rma,
    sma,
)


def _rsi(close: Array, bars: int) -> Array:
    up, down = rma(gains(close), bars), rma(losses(close), bars)
    return 100 * ratio(up, up + down)


def _chande(close: Array, bars: int, *, of: str) -> Array:
    smooth = rma if of == "rma" else plain.total
    up, down = smooth(gains(close), bars), smooth(losses(close), bars)
    return 100 * ratio(up - down, up + down)


def _late_ema(close: Array, bars: int, *, from_bar: int) -> Array:
    """Return the average whose first value is that of bar `from_bar`, counted from 1."""
    begin = from_bar - bars
    return np.concatenate([np.full(begin, plain.NAN), ema(close[begin:], bars)])


def _macd(close: Array, fast: int, slow: int, *, signal: int) -> tuple[Array, ...]:
    line = _late_ema(close, fast, from_bar=slow) - ema(close, slow)
    smooth = ema(line, signal)
    return line, smooth, line - smooth


def _movement(columns: Columns) -> tuple[Array, Array]:
    up, down = plain.change(columns["high"]), -plain.change(columns["low"])
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    return plus, minus


def _wilder_sum(values: Array, bars: int) -> Array:
    """Wilder's running sum: the first bars - 1 added up, then a share of it makes room."""
    made = np.full(len(values), plain.NAN)
    value = values[1:bars].sum()
    if bars > 1:
        made[bars - 1] = value
    for at in range(bars, len(values)):
        value = value - value / bars + values[at]
        made[at] = value
    return made


def _directions(columns: Columns, bars: int) -> tuple[Array, Array]:
    plus, minus = _movement(columns)
    ranges = _wilder_sum(plain.true_range(columns), bars)
    return (
        100 * ratio(_wilder_sum(plus, bars), ranges),
        100 * ratio(_wilder_sum(minus, bars), ranges),
    )


def _dx(columns: Columns, bars: int) -> Array:
    plus, minus = _directions(columns, bars)
    made = 100 * ratio(np.abs(plus - minus), plus + minus)
    made[:bars] = plain.NAN
    return made


def _adx(columns: Columns, bars: int) -> Array:
    return rma(_dx(columns, bars), bars)


def _adxr(columns: Columns, bars: int) -> Array:
    adx = _adx(columns, bars)
    return (adx + before(adx, bars - 1)) / 2


def _efficiency(close: Array, bars: int) -> Array:
    way = plain.total(np.abs(plain.change(close)), bars)
    return ratio(np.abs(close - before(close, bars)), way, otherwise=1.0)


def _true_strength(close: Array, first: int, second: int) -> Array:
    moved = plain.change(close)
    above = ema(ema(moved, first), second)
    return 100 * ratio(above, ema(ema(np.abs(moved), first), second))


def _trix(close: Array, bars: int) -> Array:
    smooth = ema(ema(ema(close, bars), bars), bars)
    return 100 * (smooth / before(smooth, 1) - 1)


def _forecast_off(close: Array, bars: int) -> Array:
    def ahead(window: Array) -> float:
        slope, begin = plain.line(window)
        return begin + slope * bars

    forecast = before(plain.rolling(close, bars, ahead), 1)
    return 100 * (close - forecast) / close


def _percent(close: Array, bars: int) -> Array:
    return 100 * (close / before(close, bars) - 1)


def _intraday(columns: Columns, bars: int) -> Array:
    moved = columns["close"] - columns["open"]
    up = plain.total(np.maximum(moved, 0), bars)
    return 100 * ratio(up, plain.total(np.abs(moved), bars), otherwise=0.5)


def _awesome(columns: Columns) -> Array:
    middle = (columns["high"] + columns["low"]) / 2
    return sma(middle, 5) - sma(middle, 34)


def _balance(c: Columns) -> Array:
    return ratio(c["close"] - c["open"], c["high"] - c["low"])


CASES: Final[list[Case]] = [
    ("mom", (7,), lambda c: c["close"] - before(c["close"], 7)),
    ("roc", (7,), lambda c: _percent(c["close"], 7)),
    ("rocp", (7,), lambda c: _percent(c["close"], 7) / 100),
    ("rocr", (7,), lambda c: c["close"] / before(c["close"], 7)),
    ("rocr100", (7,), lambda c: 100 * c["close"] / before(c["close"], 7)),
    ("rsi", (14,), lambda c: _rsi(c["close"], 14)),
    ("rsi", (2,), lambda c: _rsi(c["close"], 2)),
    ("cmo", (14,), lambda c: _chande(c["close"], 14, of="rma")),
    ("cmou", (14,), lambda c: _chande(c["close"], 14, of="sum")),
    ("er", (10,), lambda c: _efficiency(c["close"], 10)),
    (
        "vhf",
        (14,),
        lambda c: ratio(
            plain.highest(c["close"], 14) - plain.lowest(c["close"], 14),
            plain.total(np.abs(plain.change(c["close"])), 14),
        ),
    ),
    ("dpo", (10,), lambda c: before(c["close"], 6) - sma(c["close"], 10)),
    ("fosc", (7,), lambda c: _forecast_off(c["close"], 7)),
    (
        "coppock",
        (10, 11, 14),
        lambda c: plain.wma(_percent(c["close"], 11) + _percent(c["close"], 14), 10),
    ),
    ("trix", (9,), lambda c: _trix(c["close"], 9)),
    ("tsi", (25, 13), lambda c: _true_strength(c["close"], 25, 13)),
    ("apo", (5, 12, "sma"), lambda c: sma(c["close"], 5) - sma(c["close"], 12)),
    ("apo", (), lambda c: ema(c["close"], 12) - ema(c["close"], 26)),
    ("ppo", (5, 12, "sma"), lambda c: 100 * (sma(c["close"], 5) / sma(c["close"], 12) - 1)),
    ("macd", (12, 26, 9), lambda c: _macd(c["close"], 12, 26, signal=9)),
    ("macd", (5, 8, 3), lambda c: _macd(c["close"], 5, 8, signal=3)),
    ("ao", (), _awesome),
    ("ac", (), lambda c: _awesome(c) - sma(_awesome(c), 5)),
    ("bop", (), _balance),
    ("imi", (14,), lambda c: _intraday(c, 14)),
    ("qstick", (10,), lambda c: sma(c["close"] - c["open"], 10)),
    ("plus_dm", (14,), lambda c: _wilder_sum(_movement(c)[0], 14)),
    ("minus_dm", (14,), lambda c: _wilder_sum(_movement(c)[1], 14)),
    ("plus_di", (14,), lambda c: _directions(c, 14)[0]),
    ("minus_di", (14,), lambda c: _directions(c, 14)[1]),
    ("dx", (14,), lambda c: _dx(c, 14)),
    ("adx", (14,), lambda c: _adx(c, 14)),
    ("adxr", (14,), lambda c: _adxr(c, 14)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_momentum_is_what_its_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)
