"""What a run came to: its orders, what others could see of them, inventory, and its proofs."""

from decimal import Decimal

from tandem.domain.ids import InstrumentId, ParentId
from tandem.domain.order import Side
from tandem.domain.value import Value


class RunOrder(Value, frozen=True, kw_only=True):
    """One parent order that no algorithm placed.

    `arrival` is the middle of the market when it was taken, and `slippage` what its trades cost
    more than at that price (negative: less), in quote currency, fees not counted.
    """

    order_id: ParentId
    owner: ParentId | None
    symbol: str
    side: Side
    quantity: str
    filled: str
    value: Decimal
    fees: Decimal
    arrival: Decimal | None
    slippage: Decimal | None
    state: str


class MostShown(Value, frozen=True, kw_only=True):
    """The most that others could see of us in one book at once, all accounts and both sides.

    `at_ns` is market time.
    """

    instrument_id: InstrumentId
    quantity: str
    at_ns: int


class Inventory(Value, frozen=True, kw_only=True):
    """What was bought more than sold, all accounts together, after each execution."""

    instrument_id: InstrumentId
    at_ns: tuple[int, ...]
    quantities: tuple[Decimal, ...]
