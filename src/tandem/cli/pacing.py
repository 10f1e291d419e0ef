"""Sending a long list no faster than the risk gate allows."""

from collections import deque
from typing import Final

SECOND_NS: Final = 1_000_000_000


class Pace:
    """Keeps orders to half of what the gate takes in a second; what is sent again counts too.

    `slots` is how many orders a line makes that names no workers. A refusal is for ever, so a
    list must not run into a limit that only asks for patience.
    """

    def __init__(self, orders_per_second: int, *, slots: int = 1) -> None:
        self.slots = slots
        self._most = max(1, orders_per_second // 2)
        self._sent: deque[tuple[int, int]] = deque()
        self._count = 0

    def wait_ns(self, orders: int, *, now_ns: int) -> int:
        """Return how long to wait before so many more orders are sent."""
        while self._sent and self._sent[0][0] <= now_ns - SECOND_NS:
            self._count -= self._sent.popleft()[1]
        excess = self._count + orders - self._most
        wait_ns = 0
        for at_ns, count in self._sent:
            if excess <= 0:
                break
            excess -= count
            wait_ns = at_ns + SECOND_NS - now_ns
        return wait_ns

    def note(self, orders: int, *, now_ns: int) -> None:
        """Note that so many orders were sent."""
        self._sent.append((now_ns, orders))
        self._count += orders
