"""The judge of the order book: as slow and as plain as can be, by scanning lists.

It shares no line with the book it judges, and none of its ideas: no levels, no queues.
"""

from typing import NamedTuple

from tandem.domain.exchange import SelfMatch


class NaiveOrder:
    def __init__(self, number: int, owner: int, *, is_buy: bool, price: int, leaves: int) -> None:
        self.number = number
        self.owner = owner
        self.is_buy = is_buy
        self.price = price
        self.leaves = leaves


class NaiveMeeting(NamedTuple):
    maker: int
    quantity: int
    is_own: bool


class NaiveBook:
    def __init__(self, self_match: SelfMatch) -> None:
        self.self_match = self_match
        self.orders: list[NaiveOrder] = []  # by arrival

    def cancel(self, number: int) -> bool:
        found = [one for one in self.orders if one.number == number]
        self.orders = [one for one in self.orders if one.number != number]
        return bool(found)

    def submit(self, taker: NaiveOrder, *, rests: bool) -> list[NaiveMeeting]:
        meetings: list[NaiveMeeting] = []
        while taker.leaves:
            maker = self._first_against(taker)
            if maker is None:
                if rests:
                    self.orders.append(taker)
                return meetings
            quantity = min(maker.leaves, taker.leaves)
            if maker.owner != taker.owner:
                meetings.append(NaiveMeeting(maker.number, quantity, False))
                self._reduce(maker, quantity)
                taker.leaves -= quantity
                continue
            if self.self_match is SelfMatch.DECREMENT:
                meetings.append(NaiveMeeting(maker.number, quantity, True))
                self._reduce(maker, quantity)
                taker.leaves -= quantity
                continue
            meetings.append(NaiveMeeting(maker.number, maker.leaves, True))
            if self.self_match in (SelfMatch.EXPIRE_MAKER, SelfMatch.EXPIRE_BOTH):
                self._reduce(maker, maker.leaves)
            if self.self_match is not SelfMatch.EXPIRE_MAKER:
                return meetings
        return meetings

    def _reduce(self, maker: NaiveOrder, quantity: int) -> None:
        maker.leaves -= quantity
        if not maker.leaves:
            self.orders.remove(maker)

    def _first_against(self, taker: NaiveOrder) -> NaiveOrder | None:
        best: NaiveOrder | None = None
        for one in self.orders:
            if one.is_buy == taker.is_buy:
                continue
            if (one.price > taker.price) if taker.is_buy else (one.price < taker.price):
                continue
            if best is None or (
                (one.price < best.price) if taker.is_buy else (one.price > best.price)
            ):
                best = one
        return best

    def sorted_side(self, *, is_buy: bool) -> list[tuple[int, int]]:
        """Return (number, leaves) of one side, best first, oldest first at one price."""
        sign = -1 if is_buy else 1
        side = [one for one in self.orders if one.is_buy == is_buy]
        side.sort(key=lambda one: sign * one.price)  # the sort is stable
        return [(one.number, one.leaves) for one in side]
