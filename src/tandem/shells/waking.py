"""One timer on the loop that wakes a core at its moment, never early.

A core's moment moves later with nearly every event, and moving a timer costs more than most of
them. So a timer is only ever moved to an earlier moment: one that goes off too soon looks at the
clock and waits for the rest.
"""

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
        self._looks_ns = 0  # when the timer goes off
        self._due_ns: int | None = None

    def set(self, due_ns: int | None) -> None:
        """Ring at `due_ns` of CLOCK_BOOTTIME instead of what was set before; None: not at all."""
        if due_ns == self._due_ns:
            return
        self._due_ns = due_ns
        if due_ns is not None and (self._timer is None or due_ns < self._looks_ns):
            self._look_at(due_ns)

    def _look_at(self, due_ns: int) -> None:
        self._cancel()
        after_ns = max(0, due_ns - self._clock.now().now_ns)
        # uvloop rounds to milliseconds and counts from its turn's beginning, so it may go off
        # one early: then we would look again and again until the moment has come.
        after_ms = after_ns // MS + 2
        self._timer = asyncio.get_running_loop().call_later(after_ms / 1e3, self._on_time)
        self._looks_ns = due_ns

    def _on_time(self) -> None:
        self._timer = None
        due_ns = self._due_ns
        if due_ns is None:
            return
        if self._clock.now().now_ns < due_ns:
            self._look_at(due_ns)
            return
        self._due_ns = None
        self._ring()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stop(self) -> None:
        """Ring no more."""
        self._due_ns = None
        self._cancel()
