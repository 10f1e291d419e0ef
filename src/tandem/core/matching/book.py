"""One order book: price-time priority, and no meeting of two orders of one owner.

Why it is right: each side is a sorted list of prices, best last, and each price has a queue in
order of arrival. A taker always meets the head of the best price's queue, so nobody is
overtaken. An order that leaves from the middle of a queue stays there with nothing left and is
skipped; a queue with more such graves than orders is swept, so memory and time stay in
proportion to what is open.

Sides are booleans (`is_buy`) and levels are kept by a signed price, so that both sides share
their code and the larger number is the better price. This is the innermost loop of the
exchange, and mutable for that reason.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from tandem.domain.exchange import SelfMatch

BACKGROUND: Final = 0  # the owner of displayed liquidity: everybody else in the market
_GRAVES_MAX: Final = 16


class Resting(msgspec.Struct, gc=False):
    """An order in the book, or on its way into it. `leaves` is what is still open."""

    number: int
    owner: int
    is_buy: bool
    price: int
    leaves: int


class Meeting(msgspec.Struct, gc=False):
    """A taker met `maker` for `quantity`: a trade at the maker's price, unless `is_own`."""

    maker: Resting
    quantity: int
    is_own: bool


class _Level:
    """The orders at one price, oldest first; `live` of them are not graves."""

    __slots__ = ("live", "queue")

    def __init__(self) -> None:
        self.live = 0
        self.queue: deque[Resting] = deque()


class _BookSide:
    """One side; the key of a level is its price with a sign that makes better larger."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, _Level] = {}
        self.keys: list[int] = []  # ascending, so the best is last

    def drop(self, key: int) -> None:
        del self.levels[key]
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]


class Book:
    """The open orders of one instrument."""

    __slots__ = ("_asks", "_bids", "_orders", "_self_match")

    def __init__(self, self_match: SelfMatch) -> None:
        """Make an empty book that treats own meetings as `self_match` says."""
        self._self_match = self_match
        self._bids = _BookSide(1)
        self._asks = _BookSide(-1)
        self._orders: dict[int, Resting] = {}

    def add(self, order: Resting) -> None:
        """Let `order` rest behind all others at its price; its number is new here."""
        side = self._bids if order.is_buy else self._asks
        key = order.price if order.is_buy else -order.price
        level = side.levels.get(key)
        if level is None:
            level = side.levels[key] = _Level()
            keys = side.keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                insort(keys, key)
        level.queue.append(order)
        level.live += 1
        self._orders[order.number] = order

    def cancel(self, number: int) -> bool:
        """Take the order of that number out; False when it is not here."""
        order = self._orders.pop(number, None)
        if order is None:
            return False
        order.leaves = 0
        side = self._bids if order.is_buy else self._asks
        key = order.price if order.is_buy else -order.price
        level = side.levels[key]
        level.live -= 1
        if not level.live:
            side.drop(key)
        elif len(level.queue) > 2 * level.live + _GRAVES_MAX:
            level.queue = deque([one for one in level.queue if one.leaves])
        return True

    def take(self, order: Resting, quantity: int) -> None:
        """Reduce a resting order by `quantity`, at most its leaves; at none left it is gone."""
        if quantity == order.leaves:
            self.cancel(order.number)
        else:
            order.leaves -= quantity

    def reduce(self, number: int, *, by: int) -> None:
        """Reduce the order of that number, if it is here: it keeps its place in the queue."""
        order = self._orders.get(number)
        if order is not None:
            self.take(order, by)

    def match(self, taker: Resting, *, one_only: bool = False) -> list[Meeting]:
        """Let `taker` meet what it can, best price and oldest first; it does not come to rest.

        `one_only`: no more than the first, for a caller that changes the book in between.

        `taker.leaves` is what remains. In modes that end the taker, an own meeting is the last
        one and what remains must not rest.
        """
        side = self._asks if taker.is_buy else self._bids
        keys = side.keys
        limit = -taker.price if taker.is_buy else taker.price
        meetings: list[Meeting] = []
        goes_on = True
        while goes_on and taker.leaves and keys and keys[-1] >= limit:
            goes_on = self._match_level(side, taker, meetings, one_only=one_only) and not one_only
        return meetings

    def _match_level(
        self, side: _BookSide, taker: Resting, meetings: list[Meeting], *, one_only: bool
    ) -> bool:
        """Meet the orders at the best price; False when the taker must stop for good."""
        level = side.levels[side.keys[-1]]
        queue = level.queue
        leaves = taker.leaves
        owner = taker.owner
        while leaves:
            maker = queue[0]
            open_there = maker.leaves
            if not open_there:
                queue.popleft()
                continue
            if maker.owner == owner:
                taker.leaves = leaves
                return self._meet_own(maker, meetings, taker=taker)
            if open_there > leaves:
                meetings.append(Meeting(maker, leaves, False))
                maker.leaves = open_there - leaves
                leaves = 0
                break
            meetings.append(Meeting(maker, open_there, False))
            leaves -= open_there
            maker.leaves = 0
            queue.popleft()
            del self._orders[maker.number]
            level.live -= 1
            if not level.live:
                side.drop(side.keys[-1])
                break
            if one_only:
                break
        taker.leaves = leaves
        return True

    def _meet_own(self, maker: Resting, meetings: list[Meeting], *, taker: Resting) -> bool:
        mode = self._self_match
        if mode is SelfMatch.DECREMENT:
            quantity = min(maker.leaves, taker.leaves)
            taker.leaves -= quantity
            self.take(maker, quantity)
            meetings.append(Meeting(maker, quantity, True))
            return True
        meetings.append(Meeting(maker, maker.leaves, True))
        if mode is SelfMatch.EXPIRE_MAKER or mode is SelfMatch.EXPIRE_BOTH:
            self.cancel(maker.number)
        return mode is SelfMatch.EXPIRE_MAKER

    def best(self, *, is_buy: bool) -> int | None:
        """Return the best price of that side, None when it is empty."""
        side = self._bids if is_buy else self._asks
        return side.sign * side.keys[-1] if side.keys else None

    def crossed_by(self, *, is_buy: bool, price: int) -> Iterator[Resting]:
        """Yield what a taker with that limit would meet, in that order.

        The book must not change while this runs.
        """
        side = self._asks if is_buy else self._bids
        limit = side.sign * price
        for key in reversed(side.keys):
            if key < limit:
                return
            yield from (one for one in side.levels[key].queue if one.leaves)

    def at(self, *, is_buy: bool, price: int) -> list[Resting]:
        """Return the orders of one side at one price, oldest first."""
        side = self._bids if is_buy else self._asks
        level = side.levels.get(side.sign * price)
        return [] if level is None else [one for one in level.queue if one.leaves]

    def resting(self) -> list[Resting]:
        """Return all orders, bids then asks, best first, oldest first at one price.

        Adding them in this order to an empty book gives an equal one.
        """
        return [
            one
            for side in (self._bids, self._asks)
            for key in reversed(side.keys)
            for one in side.levels[key].queue
            if one.leaves
        ]
