"""What is shown of a desk: its state in a trader's words, for screens and `--json`.

Prices and quantities are text on the instrument's grid; money is exact.
"""

from decimal import Decimal

from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    CommandId,
    InstrumentId,
    ParentId,
    SlotId,
)
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.value import Value


class SlotView(Value, frozen=True, kw_only=True):
    """One seat of the pool; `worker` is the process that fills it."""

    slot_id: SlotId
    account_id: AccountId
    venue_id: str
    fence_class: str
    active: bool
    ready: bool
    worker: str | None
    pid: int | None
    epoch: int
    open_orders: int


class WorkerView(Value, frozen=True, kw_only=True):
    """One worker process."""

    name: str
    pid: int
    connected: bool
    confirmed: bool
    slot_id: SlotId | None
    machine: str | None = None  # None: this computer
    draining: bool = False


class StatusView(Value, frozen=True, kw_only=True, tag="status"):
    """The pool as a whole. `priced`: instruments of which a price was ever known."""

    pool: str
    trading: str
    reason: str
    coordinator_epoch: int
    records: int
    slots: tuple[SlotView, ...]
    workers: tuple[WorkerView, ...]
    parents_open: int
    parents_done: int
    unknown: int
    for_person: tuple[ClientOrderId, ...]
    counters: dict[str, int]
    priced: int = 0


class ParentView(Value, frozen=True, kw_only=True):
    """One parent order. `skew_ns`: between the first and the last send of its first wave."""

    parent_id: ParentId
    command_id: CommandId
    symbol: str
    side: Side
    quantity: str
    limit_price: str | None
    phase: str
    outcome: str | None
    text: str
    children: int
    fills: int
    filled: str
    average_price: Decimal | None
    value: Decimal
    fees: Decimal
    skew_ns: int | None
    owner: ParentId | None


class BothView(Value, frozen=True, kw_only=True):
    """One two-sided quote or pair; `difference` is bought minus sold, in lots."""

    order_id: ParentId
    command_id: CommandId
    kind: str
    phase: str
    text: str
    bought: str
    sold: str
    difference: int
    parts: tuple[ParentId, ...]


class OrdersView(Value, frozen=True, kw_only=True, tag="orders"):
    """Orders, oldest first."""

    parents: tuple[ParentView, ...]
    both: tuple[BothView, ...]


class HopView(Value, frozen=True, kw_only=True):
    """One step; `at_ns` in CLOCK_BOOTTIME of the coordinator's computer."""

    what: str
    at_ns: int


class AttemptView(Value, frozen=True, kw_only=True):
    """One attempt, hop by hop."""

    client_order_id: ClientOrderId
    slot_id: SlotId
    account_id: AccountId
    quantity: str
    phase: str
    status: str
    ending: str | None
    text: str
    filled: str
    sends: int
    for_person: bool
    hops: tuple[HopView, ...]


class LifeView(Value, frozen=True, kw_only=True, tag="life"):
    """An order's life; empty when it is not known (any more)."""

    parents: tuple[ParentView, ...]
    attempts: tuple[AttemptView, ...]


class PositionView(Value, frozen=True, kw_only=True):
    """What one account holds of one instrument, and its gains in the quote currency."""

    account_id: AccountId
    instrument_id: InstrumentId
    symbol: str
    quantity: str
    average_cost: Decimal | None
    realized: Decimal
    unrealized: Decimal | None
    fees: Decimal


class CashView(Value, frozen=True, kw_only=True):
    """Money of one account."""

    account_id: AccountId
    currency: str
    amount: Decimal


class PositionsView(Value, frozen=True, kw_only=True, tag="positions"):
    """All accounts, and whether the ledger balances."""

    positions: tuple[PositionView, ...]
    cash: tuple[CashView, ...]
    balanced: bool


class CatalogueView(Value, frozen=True, kw_only=True, tag="catalogue"):
    """What can be traded, and the slots that can be named."""

    instruments: tuple[Instrument, ...]
    slots: tuple[SlotId, ...]
    venues: dict[SlotId, str]


View = StatusView | OrdersView | LifeView | PositionsView | CatalogueView
