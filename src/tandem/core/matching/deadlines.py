"""Which open orders end at a moment of their own, and when the next of them does."""

from heapq import heapify, heappop, heappush
from typing import Final

from tandem.core.matching.state import OrderRecord

_SWEEP_MIN: Final = 64


class Deadlines:
    """The good-till-date orders of one exchange, by the market time at which they end."""

    __slots__ = ("_heap", "_sweep_at")

    def __init__(self) -> None:
        """Know of none yet."""
        self._heap: list[tuple[int, int, OrderRecord]] = []
        self._sweep_at = _SWEEP_MIN

    def add(self, record: OrderRecord) -> None:
        """Remember an order that is good till a date."""
        till_ns = record.order.good_till_ns
        assert till_ns is not None
        heappush(self._heap, (till_ns, record.number, record))
        if len(self._heap) >= self._sweep_at:
            # Orders that ended otherwise go when they are half of all, so memory stays in bounds.
            self._heap = [one for one in self._heap if one[2].status is None]
            heapify(self._heap)
            self._sweep_at = max(_SWEEP_MIN, 2 * len(self._heap))

    @property
    def next_ns(self) -> int | None:
        """The market time at which the next open order ends, None when none has such a moment."""
        heap = self._heap
        while heap and heap[0][2].status is not None:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, market_ns: int) -> list[OrderRecord]:
        """Take out the open orders whose moment has come: the earliest first, then the oldest."""
        found = []
        while (next_ns := self.next_ns) is not None and next_ns <= market_ns:
            found.append(heappop(self._heap)[2])
        return found
