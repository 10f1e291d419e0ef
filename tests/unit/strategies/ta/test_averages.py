"""Averages and bands against their formulas."""

from typing import Final

import numpy as np
import pytest

from tandem.strategies import ta
from tandem.strategies.ta import Array
from tandem.strategies.ta.definition import AVERAGES
from tests.unit.strategies.ta import plain
from tests.unit.strategies.ta.markets import market
from tests.unit.strategies.ta.plain import Case, Columns, ema, sma, wma


def _kama(close: Array, bars: int) -> Array:
    made = np.full(len(close), plain.NAN)
    value = close[bars - 1]
    for at in range(bars, len(close)):
        way = np.abs(np.diff(close[at - bars : at + 1])).sum()
        ahead = abs(close[at] - close[at - bars])
        efficiency = 1.0 if way <= ahead or way == 0 else ahead / way
        share = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        value = value + share * (close[at] - value)
        made[at] = value
    return made


def _t3(close: Array, bars: int, factor: float) -> Array:
    levels = [close]
    for _ in range(6):
        levels.append(ema(levels[-1], bars))
    v = factor
    weights = (-(v**3), 3 * v**2 + 3 * v**3, -6 * v**2 - 3 * v - 3 * v**3)
    last = 1 + 3 * v + v**3 + 3 * v**2
    return (
        weights[0] * levels[6] + weights[1] * levels[5] + weights[2] * levels[4] + last * levels[3]
    )


def _tema(close: Array, bars: int) -> Array:
    once = ema(close, bars)
    twice = ema(once, bars)
    return 3 * once - 3 * twice + ema(twice, bars)


def _bands(close: Array, bars: int, *, up: float, down: float) -> tuple[Array, ...]:
    middle, off = sma(close, bars), plain.rolling(close, bars, np.std)
    return middle + up * off, middle, middle - down * off


def _acceleration_bands(columns: Columns, bars: int) -> tuple[Array, ...]:
    high, low, close = (columns[name] for name in ("high", "low", "close"))
    wide = 4 * (high - low) / (high + low)
    return sma(high * (1 + wide), bars), sma(close, bars), sma(low * (1 - wide), bars)


def _donchian(columns: Columns, bars: int) -> tuple[Array, ...]:
    upper, lower = plain.highest(columns["high"], bars), plain.lowest(columns["low"], bars)
    return upper, (upper + lower) / 2, lower


def _keltner(columns: Columns) -> tuple[Array, ...]:
    """The true range's average begins with the middle line, seeded by the ten bars until then."""
    middle = ema(plain.typical(columns), 20)
    ranges = plain.true_range(columns)
    away = 2 * plain.rma(np.where(np.arange(len(ranges)) < 10, plain.NAN, ranges), 10)
    return middle + away, middle, middle - away


def _supertrend(columns: Columns, bars: int, times: float) -> tuple[Array, ...]:
    high, low, close = (columns[name] for name in ("high", "low", "close"))
    away = times * plain.rma(plain.true_range(columns), bars)
    upper, lower = (high + low) / 2 + away, (high + low) / 2 - away
    stop, trend = np.full(len(close), plain.NAN), np.full(len(close), plain.NAN)
    trend[bars] = 1.0
    stop[bars] = lower[bars]
    for at in range(bars + 1, len(close)):
        if upper[at] > upper[at - 1] and close[at - 1] <= upper[at - 1]:
            upper[at] = upper[at - 1]
        if lower[at] < lower[at - 1] and close[at - 1] >= lower[at - 1]:
            lower[at] = lower[at - 1]
        if trend[at - 1] > 0:
            trend[at] = -1.0 if close[at] < lower[at] else 1.0
        else:
            trend[at] = 1.0 if close[at] > upper[at] else -1.0
        stop[at] = lower[at] if trend[at] > 0 else upper[at]
    return stop, trend


def _hull(close: Array, bars: int) -> Array:
    return wma(2 * wma(close, bars // 2) - wma(close, bars), int(bars**0.5))


def _zero_lag(close: Array, bars: int) -> Array:
    return ema(2 * close - plain.before(close, (bars - 1) // 2), bars)


def _vwma(columns: Columns, bars: int) -> Array:
    worth = plain.total(columns["close"] * columns["volume"], bars)
    return worth / plain.total(columns["volume"], bars)


CASES: Final[list[Case]] = [
    ("sma", (10,), lambda c: sma(c["close"], 10)),
    ("sma", (1,), lambda c: c["close"]),
    ("wma", (10,), lambda c: wma(c["close"], 10)),
    ("trima", (9,), lambda c: sma(sma(c["close"], 5), 5)),
    ("trima", (10,), lambda c: sma(sma(c["close"], 5), 6)),
    ("hma", (16,), lambda c: _hull(c["close"], 16)),
    ("ema", (10,), lambda c: ema(c["close"], 10)),
    ("rma", (10,), lambda c: plain.rma(c["close"], 10)),
    ("dema", (10,), lambda c: 2 * ema(c["close"], 10) - ema(ema(c["close"], 10), 10)),
    ("tema", (10,), lambda c: _tema(c["close"], 10)),
    ("zlema", (11,), lambda c: _zero_lag(c["close"], 11)),
    ("t3", (5, 0.7), lambda c: _t3(c["close"], 5, 0.7)),
    ("kama", (10,), lambda c: _kama(c["close"], 10)),
    ("ma", (10, "wma"), lambda c: wma(c["close"], 10)),
    ("ma", (10, "rma"), lambda c: plain.rma(c["close"], 10)),
    ("vwma", (10,), lambda c: _vwma(c, 10)),
    (
        "midpoint",
        (10,),
        lambda c: (plain.highest(c["close"], 10) + plain.lowest(c["close"], 10)) / 2,
    ),
    ("midprice", (10,), lambda c: _donchian(c, 10)[1]),
    ("bbands", (20, 2.0, 1.0), lambda c: _bands(c["close"], 20, up=2.0, down=1.0)),
    ("accbands", (20,), lambda c: _acceleration_bands(c, 20)),
    ("donchian", (20,), lambda c: _donchian(c, 20)),
    ("keltner", (), _keltner),
    ("supertrend", (10, 3.0), lambda c: _supertrend(c, 10, 3.0)),
]


@pytest.mark.parametrize("case", CASES, ids=plain.ids(CASES))
def test_averages_and_bands_are_what_their_formulas_say(case: Case) -> None:
    """B18."""
    plain.judge(case)


@pytest.mark.parametrize("kind", sorted(AVERAGES))
def test_an_average_that_is_named_is_the_indicator_of_that_name(kind: str) -> None:
    """Mesa's adaptive average alone has no period."""
    columns = market("walk", bars=120)
    given = () if kind == "mama" else (10,)
    named = ta.batch(ta.find("ma"), (10, kind), columns)[0]
    itself = ta.batch(ta.find(kind), given, columns)[0]
    assert named[60:] == pytest.approx(itself[60:], rel=1e-12)
