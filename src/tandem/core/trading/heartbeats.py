"""Heartbeats whose acknowledgement may still come, by the moment they were sent."""

from typing import Final

WAITING_MAX: Final = 100


class Heartbeats:
    """Numbers from 1; the oldest are forgotten, and their acknowledgement says nothing."""

    def __init__(self) -> None:
        self._next = 1
        self._sent_ns: dict[int, int] = {}

    def send(self, now_ns: int) -> int:
        """Return the number of a heartbeat that leaves now."""
        number = self._next
        self._next += 1
        self._sent_ns[number] = now_ns
        if len(self._sent_ns) > WAITING_MAX:
            del self._sent_ns[next(iter(self._sent_ns))]
        return number

    def acknowledged(self, number: int) -> int | None:
        """Return when that heartbeat was sent; None for one that nobody waits for (any more)."""
        return self._sent_ns.pop(number, None)
