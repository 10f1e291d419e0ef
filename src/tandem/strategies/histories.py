"""A whole history at once into the numbers that strategies calculate with.

Bar by bar that takes a hundred times as long, and whoever takes over from a dead evaluator takes
in the histories of all its series while somebody waits.
"""

from typing import Any, Final

import numpy as np

from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import History
from tandem.strategies.grid import Grid

_SECOND_NS: Final = 1_000_000_000
_EXACT_MAX: Final = 2**53  # up to here a float is every whole number
Numbers = np.ndarray[Any, np.dtype[np.float64]]
_Whole = np.ndarray[Any, np.dtype[np.int64]]


def rows_of(history: History, span: Span, grid: Grid) -> Numbers:
    """Return open, high, low, close, volume and second of begin of each bar, one row a bar.

    The same numbers as bar by bar, to the last bit: a division of two floats that stand for whole
    numbers exactly is rounded once, as Python's division of whole numbers is.

    Raises:
        ConfigurationError: a bar cannot be, or is too large to be exact.
    """
    columns = (history.opens, history.highs, history.lows, history.closes, history.volumes)
    opens, highs, lows, closes, volumes = map(_whole, columns)
    begins = _whole(history.begins)
    _judge_begins(begins, span)
    if np.any(lows <= 0) or np.any(lows > np.minimum(opens, closes)) or np.any(volumes < 0):
        raise ConfigurationError("bar: expected 0 < low <= open and close, and a volume >= 0")
    if np.any(highs < np.maximum(opens, closes)):
        raise ConfigurationError("bar: expected high >= open and close")
    rows = np.empty((len(history), 6))
    for at, column in enumerate((opens, highs, lows, closes)):
        rows[:, at] = _scaled(column, grid.tick_ratio)
    rows[:, 4] = _scaled(volumes, grid.lot_ratio)
    rows[:, 5] = begins // _SECOND_NS
    return rows


def _whole(column: bytes) -> _Whole:
    return np.frombuffer(column, "<i8")


def _judge_begins(begins: _Whole, span: Span) -> None:
    first_ns = span.begin_ns(0)  # of weeks, not 0
    if np.any((begins - first_ns) % span.ns):
        raise ConfigurationError(f"history: expected begins of {span}")
    if np.any(np.diff(begins) <= 0):
        raise ConfigurationError("history: expected bars oldest first, each once")


def _scaled(steps: _Whole, ratio: tuple[int, int]) -> Numbers:
    up, down = ratio
    most = int(steps.max(initial=0))
    if max(most * up, down) > _EXACT_MAX:
        raise ConfigurationError(f"bar: {most} steps of {up}/{down} are too large to be exact")
    return steps * up / down
