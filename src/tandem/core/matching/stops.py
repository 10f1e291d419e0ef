"""Orders that wait outside the book until the market has traded at their stop price.

A buy is reached by a price at or above its stop, a sell by one at or below it. Both sides share
their code: with the sign of its side, a stop is reached by a price that is not below it. A
trailing stop follows the price at its distance and never turns back, so that signed stop only
ever falls.
"""

from bisect import bisect_left, bisect_right, insort

from tandem.core.matching.state import OrderRecord
from tandem.domain.instrument import STEPS_MAX
from tandem.domain.order import Side


class _StopSide:
    """The waiting orders of one side: (signed stop, number), those that are reached first first."""

    __slots__ = ("sign", "stops", "trailing")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.stops: list[tuple[int, int]] = []
        self.trailing: dict[int, OrderRecord] = {}

    def add(self, record: OrderRecord) -> None:
        insort(self.stops, (self.sign * _stop_of(record), record.number))
        if record.order.trail is not None:
            self.trailing[record.number] = record

    def remove(self, record: OrderRecord) -> None:
        wanted = (self.sign * _stop_of(record), record.number)
        at = bisect_left(self.stops, wanted)
        if self.stops[at : at + 1] == [wanted]:  # else it was reached, and is about to enter
            del self.stops[at]
        self.trailing.pop(record.number, None)

    def reached(self, price: int) -> list[int]:
        signed = self.sign * price
        count = bisect_right(self.stops, (signed, STEPS_MAX))
        numbers = [number for _, number in self.stops[:count]]
        del self.stops[:count]
        for number in numbers:
            self.trailing.pop(number, None)
        for record in self.trailing.values():
            before = (self.sign * _stop_of(record), record.number)
            if follow(record, price):
                del self.stops[bisect_left(self.stops, before)]
                insort(self.stops, (self.sign * _stop_of(record), record.number))
        return numbers


class Stops:
    """The waiting orders of one instrument."""

    __slots__ = ("_buys", "_sells")

    def __init__(self) -> None:
        """Wait for nobody yet."""
        self._buys = _StopSide(1)
        self._sells = _StopSide(-1)

    def _side(self, side: Side) -> _StopSide:
        return self._buys if side is Side.BUY else self._sells

    def add(self, record: OrderRecord) -> None:
        """Let an order wait that is not reached."""
        self._side(record.order.side).add(record)

    def remove(self, record: OrderRecord) -> None:
        """Let an order wait no more; nothing happens when it was reached already."""
        self._side(record.order.side).remove(record)

    def reached_by(self, price: int, *, side: Side | None = None) -> list[int]:
        """Take out what that price reaches, oldest first, and let trailing stops follow it.

        A price that only buyers or only sellers are shown counts for that `side` alone.
        """
        reached: list[int] = []
        for one, kind in ((self._buys, Side.BUY), (self._sells, Side.SELL)):
            if one.stops and side in (None, kind):
                reached += one.reached(price)
        return sorted(reached)


def is_reached(record: OrderRecord, price: int) -> bool:
    """Whether a trade at that price lets a waiting order enter the book."""
    sign = record.order.side.sign
    return sign * price >= sign * _stop_of(record)


def follow(record: OrderRecord, price: int) -> bool:
    """Let a trailing stop follow the market there; return whether it moved."""
    trail = record.order.trail
    assert trail is not None
    sign = record.order.side.sign
    stop = sign * min(sign * _stop_of(record), sign * price + trail)
    moved = stop != record.stop_price
    record.stop_price = stop
    return moved


def _stop_of(record: OrderRecord) -> int:
    assert record.stop_price is not None
    return record.stop_price
