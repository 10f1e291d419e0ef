"""Heartbeats that may still be acknowledged, and what they tell of the coordinator's clock."""

from typing import Final

WAITING_MAX: Final = 100
WORSE_PER_ACK_NS: Final = 100  # what two clocks may drift apart between two heartbeats, and more


class Heartbeats:
    """Numbers from 1; the oldest are forgotten, and their acknowledgement says nothing.

    `offset_ns` is the coordinator's CLOCK_BOOTTIME minus ours, wrong by at most `error_ns`. The
    coordinator looked at its clock somewhere between our heartbeat and its acknowledgement, so the
    quickest pair tells most; how much it still tells shrinks with every later one.
    """

    def __init__(self) -> None:
        self._next = 1
        self._sent_ns: dict[int, int] = {}
        self.offset_ns: int | None = None
        self.error_ns = 0

    def send(self, now_ns: int) -> int:
        """Return the number of a heartbeat that leaves now."""
        number = self._next
        self._next += 1
        self._sent_ns[number] = now_ns
        if len(self._sent_ns) > WAITING_MAX:
            del self._sent_ns[next(iter(self._sent_ns))]
        return number

    def acknowledged(self, number: int, *, heard_at_ns: int, now_ns: int) -> int | None:
        """Return when that heartbeat was sent; None for one that nobody waits for (any more).

        `heard_at_ns` is the coordinator's clock, as its acknowledgement says.
        """
        sent_ns = self._sent_ns.pop(number, None)
        if sent_ns is None:
            return None
        half_ns = (now_ns - sent_ns) // 2
        self.error_ns += WORSE_PER_ACK_NS
        if self.offset_ns is None or half_ns <= self.error_ns:
            self.offset_ns, self.error_ns = heard_at_ns - sent_ns - half_ns, half_ns
        return sent_ns

    def forget_clock(self) -> None:
        """Another coordinator, or the same after a reboot, has another clock."""
        self.offset_ns, self.error_ns = None, 0
