"""Indicators that weigh by volume, fed bar by bar.

TA-Lib has most of them and carries its sums on: the newest value is added, the oldest taken off.
After large volumes the rounding of that stays in the sum, and where next to nothing trades, as in
the empty minutes of a quiet instrument, the quotient of two such remainders is any number. Here
sums are of the window alone. Where volumes are alike the values are TA-Lib's.
"""

from itertools import accumulate
from typing import Final

from tandem.strategies.ta.definition import Reading

_NAN: Final = float("nan")
_HOUR_S: Final = 3_600
_DAY_S: Final = 24 * _HOUR_S


class WindowSum:
    """The sum of the last values.

    Nothing is ever taken off a sum, so no error of a large value outlives it, and values that are
    all zero sum up to zero. `_front` holds, for each of the older ones, the sum from it to the
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
        self.value: Reading = _NAN
        self._shift_s = begins_at_hour * _HOUR_S
        self._day = _NAN
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
        self.value: Reading = _NAN
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


class Vwma:
    """Mean of the last closes, weighted by volume."""

    def __init__(self, period: int) -> None:
        self.value: Reading = _NAN
        self._missing = period
        self._worth = WindowSum(period)
        self._volume = WindowSum(period)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; while nothing traded in the window, its close counts."""
        close, volume = inputs
        worth, total = self._worth.update(close * volume), self._volume.update(volume)
        self._missing -= 1
        if self._missing <= 0:
            self.value = worth / total if total > 0 else close
        return self.value


class ChaikinFlow:
    """Volume counted by where the close is in its bar, over all volume: -1 to 1."""

    def __init__(self, period: int) -> None:
        self.value: Reading = _NAN
        self._missing = period
        self._flow = WindowSum(period)
        self._volume = WindowSum(period)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; while nothing traded in the window, nothing flowed."""
        high, low, close, volume = inputs
        reach = high - low
        place = ((close - low) - (high - close)) / reach if reach > 0 else 0.0
        flow, total = self._flow.update(place * volume), self._volume.update(volume)
        self._missing -= 1
        if self._missing <= 0:
            self.value = flow / total if total > 0 else 0.0
        return self.value


class MoneyFlow:
    """Worth traded while the typical price rose, in percent of that while it moved."""

    def __init__(self, period: int) -> None:
        self.value: Reading = _NAN
        self._missing = period + 1
        self._last = _NAN
        self._up = WindowSum(period)
        self._down = WindowSum(period)

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; where none moved and traded it is 0, as with TA-Lib."""
        high, low, close, volume = inputs
        typical = (high + low + close) / 3.0
        worth = typical * volume
        up = self._up.update(worth if typical > self._last else 0.0)
        down = self._down.update(worth if typical < self._last else 0.0)
        self._last = typical
        self._missing -= 1
        if self._missing <= 0:
            self.value = 100.0 * (up / (up + down)) if up + down > 0 else 0.0
        return self.value


class RelativeVolume:
    """Volume over the mean of the bars before."""

    def __init__(self, period: int) -> None:
        self.value: Reading = _NAN
        self._missing = period + 1
        self._period = period
        self._before = WindowSum(period)
        self._sum = 0.0

    def update(self, *inputs: float) -> Reading:
        """Take a bar in; after bars in which nothing traded there is no value."""
        (volume,) = inputs
        total, self._sum = self._sum, self._before.update(volume)
        self._missing -= 1
        if self._missing <= 0:
            self.value = volume / (total / self._period) if total > 0 else _NAN
        return self.value
