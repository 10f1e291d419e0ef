"""Indicators that TA-Lib lacks, fed bar by bar, made of TA-Lib's streams."""

from collections import deque
from math import isnan, log10
from typing import Final

import numpy as np

from tandem.strategies.ta.definition import Bound, Reading
from tandem.strategies.ta.library import LibraryStream
from tandem.strategies.ta.volume_weighted import WindowSum

NAN: Final = float("nan")


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
