"""Made-up markets to try indicators on, and what a test reads of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tandem.strategies.ta import Array, Indicator, Reading

KINDS: Final = ("walk", "constant", "jumps", "ticks", "gaps", "rise", "fall")
MINUTES_A_BAR: Final = 47  # so that days begin in the middle of a history


def market(kind: str, *, bars: int, seed: int = 1) -> dict[str, Array]:
    """Return columns of bars that could have been."""
    chance = np.random.default_rng(seed)
    close = _closes(kind, bars, chance)
    opened = np.concatenate([close[:1], close[:-1]])
    width = 0.0 if kind in ("constant", "gaps") else 0.01
    high = np.maximum(opened, close) * (1 + chance.random(bars) * width)
    low = np.minimum(opened, close) * (1 - chance.random(bars) * width)
    volume = chance.integers(0, 50, bars) * 0.1
    if kind == "constant":
        volume *= 0.0
    elif kind == "gaps":
        volume = np.where(close == opened, 0.0, volume)
    time = 1_700_000_000.0 + 60.0 * MINUTES_A_BAR * np.arange(bars)
    return {
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "time": time,
    }


def _closes(kind: str, bars: int, chance: np.random.Generator) -> Array:
    match kind:
        case "walk":
            return _floats(100 * np.exp(np.cumsum(chance.normal(0, 0.01, bars))))
        case "constant":
            return np.full(bars, 100.0)
        case "jumps":
            steps = np.where(chance.random(bars) < 0.03, chance.normal(0, 50, bars), 0.0)
            return _floats(np.abs(100 + np.cumsum(steps)) + 1)
        case "ticks":
            return _floats((10_000 + np.cumsum(chance.integers(-1, 2, bars))) * 0.01)
        case "gaps":
            moves = np.where(chance.random(bars) < 0.1, chance.integers(-5, 6, bars), 0)
            return _floats((10_000 + np.cumsum(moves)) * 0.01)
        case "rise":
            return np.arange(1.0, bars + 1)
        case _:
            return np.arange(float(bars), 0.0, -1.0)


def _floats(values: Any) -> Array:
    return np.array(values, dtype=np.float64)


def bars_of(indicator: Indicator, columns: Mapping[str, Array]) -> list[tuple[float, ...]]:
    """Return what a stream is fed, bar by bar."""
    return list(zip(*(columns[one].tolist() for one in indicator.inputs), strict=True))


def until(columns: Mapping[str, Array], end: int) -> dict[str, Array]:
    """Return the first bars."""
    return {name: column[:end] for name, column in columns.items()}


def numbers(reading: Reading) -> tuple[float, ...]:
    """Return a reading's outputs."""
    return reading if isinstance(reading, tuple) else (reading,)


def bits(values: Sequence[object] | Array) -> NDArray[np.uint64]:
    """Return the bits of numbers; every NaN is the same."""
    array = np.array(values, dtype=np.float64)
    return np.where(np.isnan(array), np.nan, array).view(np.uint64)
