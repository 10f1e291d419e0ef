"""The array that holds every value that a strategy can read of the bar at hand."""

from typing import Any, Final, Protocol

import numpy as np

from tandem.strategies.errors import StrategyError

PLACES_MAX: Final = 1 << 20


class Values(Protocol):
    """Floats in memory that a machine may point to."""

    def __getitem__(self, at: int, /) -> float:
        """Return one."""
        ...

    def __setitem__(self, at: int, value: float, /) -> None:
        """Change one."""
        ...


def view_of(floats: np.ndarray[Any, np.dtype[np.float64]]) -> Values:
    """Return an array as Python reads and writes it fastest."""
    view: Any = floats.data
    found: Values = view
    return found


class Places:
    """Numbered places of one float64 array that never moves, so that a machine may point into it.

    Places are taken in runs, and given back in the same runs.
    """

    def __init__(self) -> None:
        """Make room; memory is used as places are taken."""
        self._array = np.zeros(PLACES_MAX)
        self.values = view_of(self._array)
        self._bytes = self._array.data.cast("B")
        self._taken = 0
        self._free: dict[int, list[int]] = {}

    @property
    def address(self) -> int:
        """Where the array lies in memory."""
        return int(self._array.ctypes.data)

    def window(self, first: int, *, count: int) -> memoryview:
        """Return the bytes of some places, to be written at once."""
        return self._bytes[8 * first : 8 * (first + count)]

    def take(self, count: int) -> int:
        """Return the first of `count` places in a row.

        Raises:
            StrategyError: all are taken.
        """
        free = self._free.get(count)
        if free:
            return free.pop()
        if self._taken + count > PLACES_MAX:
            raise StrategyError(None, "no room for more indicators here")
        self._taken += count
        return self._taken - count

    def give_back(self, first: int, *, count: int) -> None:
        """Let others have these places."""
        self._free.setdefault(count, []).append(first)
