"""Orders that may only bring a position nearer to zero.

What reduce-only orders of one account and instrument leave open is never more than its position:
a new one is cut to what the others leave, and when the position becomes smaller by other trades
the youngest are cut first. So the position never passes zero by them, whoever comes to trade.

They are all of one side at any time: none can live on the side that would enlarge the position.
One that waits for its stop price claims nothing, so that a stop and a target for the same
position can stand side by side. When it is triggered it comes first, and the others make room.
"""

from collections.abc import Iterable

from tandem.core.matching.book import Resting
from tandem.core.matching.state import AccountState, OrderRecord
from tandem.domain.ids import InstrumentId
from tandem.domain.order import Order


class Reducing:
    """The reduce-only orders of one exchange that can trade."""

    __slots__ = ("_accounts", "_orders")

    def __init__(self, accounts: list[AccountState]) -> None:
        """Know of none yet."""
        self._accounts = accounts
        self._orders: dict[tuple[int, InstrumentId], list[OrderRecord]] = {}

    @property
    def is_needed(self) -> bool:
        """Whether there is any."""
        return bool(self._orders)

    def add(self, record: OrderRecord) -> None:
        """Let a reduce-only order have its claim."""
        key = (record.account, record.order.instrument_id)
        orders = self._orders.setdefault(key, [])
        orders.append(record)
        orders.sort(key=lambda one: one.number)

    def remove(self, record: OrderRecord) -> None:
        """Give up the claim of an order, if it has one."""
        key = (record.account, record.order.instrument_id)
        orders = [one for one in self._orders.get(key, ()) if one is not record]
        if orders:
            self._orders[key] = orders
        else:
            self._orders.pop(key, None)

    def of(self, account: int, instrument_id: InstrumentId) -> list[OrderRecord]:
        """Return those of one account and instrument, oldest first."""
        return self._orders.get((account, instrument_id), [])

    def room(self, account: AccountState, order: Order) -> int:
        """Return how much of the position an order of that side could reduce if it were alone."""
        return room(order, account.positions.get(order.instrument_id, 0))

    def left(self, account: AccountState, order: Order) -> int:
        """Return how much of that the others leave."""
        claimed = sum(one.leaves for one in self.of(account.index, order.instrument_id))
        return max(0, self.room(account, order) - claimed)

    def surplus(
        self, account: int, instrument_id: InstrumentId, first: OrderRecord | None = None
    ) -> list[tuple[int, int]]:
        """Return who, by number, is open for more than the position has room for, and by how much.

        The oldest have the first claim, `first` before all.
        """
        orders = list(self.of(account, instrument_id))
        if not orders:
            return []
        orders.sort(key=lambda one: one is not first)  # the sort is stable
        there = self.room(self._accounts[account], orders[0].order)
        return cuts(there, [(one.number, one.leaves) for one in orders])


class Foresight:
    """What reduce-only orders would still be open for while one taker goes through a book."""

    __slots__ = ("_accounts", "_leaves", "_open", "_positions", "_reducing")

    def __init__(
        self,
        reducing: Reducing,
        accounts: list[AccountState],
        open_orders: dict[int, OrderRecord],
    ) -> None:
        """Look ahead from how things stand."""
        self._reducing = reducing
        self._accounts = accounts
        self._open = open_orders
        self._leaves: dict[int, int] = {}
        self._positions: dict[int, int] = {}

    def leaves(self, maker: Resting) -> int:
        """Return what the maker would be open for when the taker comes to it."""
        return self._leaves.get(maker.number, maker.leaves)

    def trade(self, maker: Resting, quantity: int) -> None:
        """Suppose that the maker trades, and that others are cut for it."""
        record = self._open.get(maker.number)
        if record is None:  # the background has no position to reduce
            return
        instrument_id = record.order.instrument_id
        orders = self._reducing.of(record.account, instrument_id)
        if not orders:
            return
        there = self._accounts[record.account].positions.get(instrument_id, 0)
        position = self._positions.get(record.account, there)
        position += record.order.side.sign * quantity
        self._positions[record.account] = position
        self._leaves[maker.number] = self.leaves(maker) - quantity
        leaves = {one.number: self._leaves.get(one.number, one.leaves) for one in orders}
        for number, surplus in cuts(room(orders[0].order, position), leaves.items()):
            self._leaves[number] = leaves[number] - surplus


def room(order: Order, position: int) -> int:
    """Return how many lots of `position` an order of that side can reduce."""
    return max(0, -order.side.sign * position)


def cuts(there: int, claims: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return who, by number, gives up how much for all to fit; the first is served first."""
    found = []
    for number, claim in claims:
        granted = min(claim, there)
        there -= granted
        if granted < claim:
            found.append((number, claim - granted))
    return found
