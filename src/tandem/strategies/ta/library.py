"""The edge to TA-Lib, which has no types: streams, arrays and warm-up of its functions.

TA-Lib 0.8 promises that a stream's values are those of the array function bit for bit; the tests
hold it to that for every function, and for histories cut anywhere.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import talib
from numpy.typing import NDArray
from talib import abstract
from talib import stream as streams

from tandem.strategies.ta.definition import AVERAGES, Bound, Reading

Array = NDArray[np.float64]
_described: Final[Any] = abstract.__dict__["Function"]  # its stub does not declare it
_NAN: Final = float("nan")


@lru_cache(maxsize=4_096)
def lookback(function: str, options: Bound) -> int:
    """Return how many bars pass before the first value."""
    described = _described(function)
    described.parameters = dict(zip(described.parameters, _numbers(options), strict=True))
    bars: int = described.lookback
    return bars


@lru_cache(maxsize=512)
def width(function: str) -> int:
    """Return how many outputs it has."""
    described = _described(function)
    return len(described.output_names)


def arrays(function: str, options: Bound, columns: Sequence[Array]) -> tuple[Array, ...]:
    """Return its outputs, as long as the columns; NaN where it is not warm."""
    found = getattr(talib, function)(*columns, *_numbers(options))
    outputs = found if isinstance(found, tuple) else (found,)
    return tuple(_real_array(one, lookback(function, options)) for one in outputs)


class LibraryStream:
    """One TA-Lib stream, also while it is too early for TA-Lib to open one.

    `update` is TA-Lib's own method once it is warm and gives nothing but floats, so that a bar
    costs no call of ours. One that was taken before stays good.
    """

    __slots__ = ("_early", "_function", "_handle", "_missing", "_options", "update")

    def __init__(self, function: str, options: Bound, columns: Sequence[Array]) -> None:
        self._function = function
        self._options = options
        self._handle: Any = None
        self._early: list[list[float]] = []
        self._missing = lookback(function, options) + 1 - len(columns[0])
        self.update: Any = self._update_early
        if self._missing <= 0:
            self._open(columns)
        else:
            self._early = [column.tolist() for column in columns]

    @property
    def value(self) -> Reading:
        """What it says of the last bar."""
        if self._handle is not None:
            return _real(self._handle.value)
        outputs = width(self._function)
        return _NAN if outputs == 1 else (_NAN,) * outputs

    def _update_early(self, *inputs: float) -> Reading:
        if self._handle is not None:
            reading: Reading = self.update(*inputs)
            return reading
        for column, value in zip(self._early, inputs, strict=True):
            column.append(value)
        self._missing -= 1
        if self._missing <= 0:
            self._open([np.array(column, dtype=np.float64) for column in self._early])
            self._early = []
        return self.value

    def _open(self, columns: Sequence[Array]) -> None:
        self._handle = getattr(streams, self._function)(*columns, *_numbers(self._options))
        self.update = _returning_floats(self._handle.update, self._handle.value)


def _returning_floats(update: Callable[..., Any], sample: Any) -> Callable[..., Reading]:
    """Return `update`, made to give floats where `sample` shows that it gives whole numbers.

    TA-Lib functions that do so give one number or two; each has its own quick way.
    """

    def one(*inputs: float) -> Reading:
        return float(update(*inputs))

    def two(*inputs: float) -> Reading:
        first, second = update(*inputs)
        return float(first), float(second)

    if isinstance(sample, tuple):
        return two if int in map(type, sample) else update
    return one if isinstance(sample, int) else update


def _numbers(options: Bound) -> tuple[float, ...]:
    return tuple(AVERAGES[one] if isinstance(one, str) else one for one in options)


def _real_array(output: NDArray[Any], early: int) -> Array:
    if output.dtype == np.float64:
        return output
    real = output.astype(np.float64)
    real[:early] = _NAN
    return real


def _real(value: Any) -> Reading:
    return tuple(map(float, value)) if isinstance(value, tuple) else float(value)
