"""The self-trade gate: every own buy stays below every own sell, over all accounts of a desk.

The argument: a price is reserved before its order can reach a venue, and released only after the
venue confirmed that the order has ended. So at every moment the reserved prices include all that
may rest at, or be under way to, any venue of the market. An order that meets no reserved price
of the other side when it is reserved itself can therefore never meet an own order, whichever of
the two arrives first and however late. Price is all that counts: lots, accounts and venues do not.
"""

from bisect import bisect_left, bisect_right
from typing import Final

import msgspec

from tandem.domain.ids import ClientOrderId, Ticks
from tandem.domain.order import Side

_BUY: Final = Side.BUY  # finding a member of an enum costs more than comparing it


class ReservedSide(msgspec.Struct, array_like=True, gc=False):
    """The reservations of one side of one book.

    `prices` holds each reserved price once, rising; `queues` the orders at each, oldest first;
    `unpriced` the market orders, oldest first. The values of the dicts mean nothing: a dict is
    the set that keeps its order.
    """

    prices: list[Ticks] = msgspec.field(default_factory=list)
    queues: dict[Ticks, dict[ClientOrderId, None]] = msgspec.field(default_factory=dict)
    unpriced: dict[ClientOrderId, None] = msgspec.field(default_factory=dict)

    def reserve(self, price: Ticks | None, client_order_id: ClientOrderId) -> None:
        """Add an order behind all others of its price."""
        if price is None:
            assert client_order_id not in self.unpriced, f"{client_order_id} reserved twice"
            self.unpriced[client_order_id] = None
            return
        queue = self.queues.get(price)
        if queue is None:
            self.prices.insert(bisect_left(self.prices, price), price)
            self.queues[price] = {client_order_id: None}
            return
        assert client_order_id not in queue, f"{client_order_id} reserved twice"
        queue[client_order_id] = None

    def release(self, price: Ticks | None, client_order_id: ClientOrderId) -> None:
        """Take the order of that price out."""
        queue = self.unpriced if price is None else self.queues.get(price)
        assert queue is not None, f"{client_order_id} is not reserved at {price}"
        assert client_order_id in queue, f"{client_order_id} is not reserved at {price}"
        del queue[client_order_id]
        if price is not None and not queue:
            del self.queues[price]
            del self.prices[bisect_left(self.prices, price)]


class ReservedBook(msgspec.Struct, array_like=True, gc=False):
    """Both sides of one book."""

    buys: ReservedSide = msgspec.field(default_factory=ReservedSide)
    sells: ReservedSide = msgspec.field(default_factory=ReservedSide)


class Gate(msgspec.Struct, array_like=True, gc=False):
    """The reservations of one desk, by `Instrument.book_id`.

    A price of None is a market order: it meets every order of the other side, and every later
    order of the other side meets it.
    """

    books: dict[str, ReservedBook] = msgspec.field(default_factory=dict)

    def reserve(
        self, book_id: str, side: Side, price: Ticks | None, client_order_id: ClientOrderId
    ) -> None:
        """Reserve `price` for an order until `release` is called with the same arguments."""
        book = self.books.get(book_id)
        if book is None:
            book = self.books[book_id] = ReservedBook()
        (book.buys if side is _BUY else book.sells).reserve(price, client_order_id)

    def release(
        self, book_id: str, side: Side, price: Ticks | None, client_order_id: ClientOrderId
    ) -> None:
        """Give the reservation back: the venue has confirmed that the order ended."""
        book = self.books[book_id]
        (book.buys if side is _BUY else book.sells).release(price, client_order_id)

    def first_met(self, book_id: str, side: Side, price: Ticks | None) -> ClientOrderId | None:
        """Return the own order that an order at `price` would meet first, or None.

        Market orders come first, then the best price, and the oldest of equals.
        """
        book = self.books.get(book_id)
        if book is None:
            return None
        if side is _BUY:
            other = book.sells
            best = other.prices[0] if other.prices else None
            is_clear = best is None or (price is not None and price < best)
        else:
            other = book.buys
            best = other.prices[-1] if other.prices else None
            is_clear = best is None or (price is not None and price > best)
        if other.unpriced:
            return next(iter(other.unpriced))
        if is_clear or best is None:
            return None
        return next(iter(other.queues[best]))

    def all_met(self, book_id: str, side: Side, price: Ticks | None) -> list[ClientOrderId]:
        """Return every own order that an order at `price` would meet, in that same order."""
        book = self.books.get(book_id)
        if book is None:
            return []
        if side is _BUY:
            other = book.sells
            end = len(other.prices) if price is None else bisect_right(other.prices, price)
            prices = other.prices[:end]
        else:
            other = book.buys
            start = 0 if price is None else bisect_left(other.prices, price)
            prices = other.prices[start:][::-1]
        met = list(other.unpriced)
        for one in prices:
            met.extend(other.queues[one])
        return met
