"""One timer on the loop that wakes a core at its moment, never early."""

import asyncio
from collections.abc import Callable

from tandem.domain.desk import MS
from tandem.ports import Clock


class Waking:
    """Calls `ring` at or a little after the moment last set, once."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns: int | None = None

    def set(self, due_ns: int | None) -> None:
        """Ring at `due_ns` of CLOCK_BOOTTIME instead of what was set before; None: not at all."""
        if due_ns == self._due_ns:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due_ns = None, due_ns
        if due_ns is not None:
            after_ns = max(0, due_ns - self._clock.now().now_ns)
            # uvloop rounds to milliseconds and counts from its turn's beginning, so it may ring
            # one early: then we would ask again and again until the moment has come.
            after_ms = after_ns // MS + 2
            self._timer = asyncio.get_running_loop().call_later(after_ms / 1e3, self._on_time)

    def _on_time(self) -> None:
        self._timer, self._due_ns = None, None
        self._ring()

    def stop(self) -> None:
        """Ring no more."""
        self.set(None)
