"""Indicators that TA-Lib lacks, fed bar by bar; most are made of TA-Lib's streams."""

from collections import deque
from itertools import accumulate
from math import isnan, log10
from typing import Final

import numpy as np

from tandem.strategies.ta.definition import Bound, Reading
from tandem.strategies.ta.library import LibraryStream

NAN: Final = float("nan")
_HOUR_S: Final = 3_600
_DAY_S: Final = 24 * _HOUR_S


def _part(function: str, options: Bound, inputs: int) -> LibraryStream:
    return LibraryStream(function, options, [np.empty(0)] * inputs)


class Delay:
    """The value of some bars before; NaN until there was one."""

    def __init__(self, bars: int) -> None:
        self._kept: deque[float] = deque([NAN] * bars)

    def update(self, value: float) -> float:
        """Take a value in and return the one of so many bars before."""
        self._kept.append(value)
        return self._kept.popleft()


class WindowSum:
    """The sum of the last values, none of them negative.

    Nothing is ever taken off a sum, so no error of a large value outlives it, and the sum is zero
    only if all values are. `_front` holds, for each of the older ones, the sum from it to the
    youngest of them, the oldest last; the newer ones are in `_back`. So a value costs the same
    few steps on average, however long the window is.
    """

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._front: list[float] = []
        self._back: list[float] = []
        self._back_sum = 0.0

    def update(self, value: float) -> float:
        """Take a value in and return the sum."""
        if len(self._front) + len(self._back) == self._bars:
            if not self._front:
                self._front = list(accumulate(reversed(self._back)))
                self._back = []
                self._back_sum = 0.0
            self._front.pop()
        self._back.append(value)
        self._back_sum += value
        return self._front[-1] + self._back_sum if self._front else self._back_sum


class Vwap:
    """Volume-weighted average price since the session began, a day long, at an hour of UTC."""

    def __init__(self, begins_at_hour: int) -> None:
        self.value: Reading = NAN
        self._shift_s = begins_at_hour * _HOUR_S
        self._day = NAN
        self._worth = 0.0
        self._volume = 0.0

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; while nothing traded in the session, its typical price counts."""
        high, low, close, volume, time = inputs
        day = (time - self._shift_s) // _DAY_S
        if day != self._day:
            self._day = day
            self._worth = self._volume = 0.0
        typical = (high + low + close) / 3.0
        self._worth += typical * volume
        self._volume += volume
        self.value = self._worth / self._volume if self._volume > 0 else typical
        return self.value


class RollingVwap:
    """Volume-weighted average price of the last bars."""

    def __init__(self, period: int) -> None:
        self.value: Reading = NAN
        self._missing = period
        self._worth = WindowSum(period)
        self._volume = WindowSum(period)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; while nothing traded in the window, its typical price counts."""
        high, low, close, volume = inputs
        typical = (high + low + close) / 3.0
        worth, total = self._worth.update(typical * volume), self._volume.update(volume)
        self._missing -= 1
        if self._missing <= 0:
            self.value = worth / total if total > 0 else typical
        return self.value


class Ichimoku:
    """Middles of three windows; the cloud is the one that charts show under the bar.

    It is made of the periods of conversion line, base line and second span, and the displacement.
    """

    def __init__(self, *bound: int) -> None:
        *periods, displacement = bound
        self.value: Reading = (NAN,) * 4
        self._conversion, self._base, self._span = (_part("MIDPRICE", (n,), 2) for n in periods)
        self._span_a = Delay(displacement)
        self._span_b = Delay(displacement)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in."""
        high, low = inputs
        conversion = self._conversion.update(high, low)
        base = self._base.update(high, low)
        self.value = (
            conversion,
            base,
            self._span_a.update((conversion + base) / 2.0),
            self._span_b.update(self._span.update(high, low)),
        )
        return self.value


class Alligator:
    """Wilder's averages of the middle price, 13, 8 and 5 bars, shown 8, 5 and 3 bars late."""

    def __init__(self) -> None:
        self.value: Reading = (NAN,) * 3
        self._lines = [
            (_part("RMA", (n,), 1), Delay(late)) for n, late in ((13, 8), (8, 5), (5, 3))
        ]

    def update(self, *inputs: float) -> Reading:
        """Take a bar in."""
        high, low = inputs
        middle = (high + low) / 2.0
        self.value = tuple(late.update(line.update(middle)) for line, late in self._lines)
        return self.value


class Choppiness:
    """How much of its way the price went to and fro: 100 for nowhere, near 0 for straight."""

    def __init__(self, period: int) -> None:
        self.value: Reading = NAN
        self._scale = 100.0 / log10(period)
        self._range = _part("TRANGE", (), 3)
        self._way = WindowSum(period)
        self._highest = _part("MAX", (period,), 1)
        self._lowest = _part("MIN", (period,), 1)
        self._missing = period

    def update(self, *inputs: float) -> Reading:
        """Take a bar in."""
        high, low, close = inputs
        reach = self._range.update(high, low, close)
        height = self._highest.update(high) - self._lowest.update(low)
        if not isnan(reach):  # the first bar has none
            way = self._way.update(reach)
            self._missing -= 1
            if self._missing <= 0:
                self.value = log10(way / height) * self._scale if height > 0 else NAN
        return self.value


class Chandelier:
    """Where a long and a short position are left: some true ranges off the extremes."""

    def __init__(self, period: int, multiplier: float) -> None:
        self.value: Reading = (NAN, NAN)
        self._multiplier = multiplier
        self._range = _part("ATR", (period,), 3)
        self._highest = _part("MAX", (period,), 1)
        self._lowest = _part("MIN", (period,), 1)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in."""
        high, low, close = inputs
        away = self._multiplier * self._range.update(high, low, close)
        self.value = (self._highest.update(high) - away, self._lowest.update(low) + away)
        return self.value
