"""What is shown of a desk: its state in a trader's words, for screens and `--json`.

Prices and quantities are text on the instrument's grid; money is exact.
"""

import enum
from decimal import Decimal

import msgspec

from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    CommandId,
    InstrumentId,
    ParentId,
    SlotId,
    VenueId,
)
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.strategy_views import DecisionsView, DroppedView, StrategiesView, TextsView
from tandem.domain.value import Value


class SlotView(Value, frozen=True, kw_only=True):
    """One seat of the pool; `worker` is the process that fills it.

    While it is `leaving` its holder's right is ending and nothing more is released to it.
    `lease_left_ns` is None where a right ends with its process, or with what was released.
    """

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
    leaving: bool = False
    lease_left_ns: int | None = None


class WorkerView(Value, frozen=True, kw_only=True):
    """One worker process."""

    name: str
    pid: int
    connected: bool
    confirmed: bool
    slot_id: SlotId | None
    machine: str | None = None  # None: this computer
    draining: bool = False


class LatencyView(Value, frozen=True, kw_only=True):
    """A histogram since the desk's first start: `counts[k]` of them took below `bounds_ns[k]`.

    Each is counted once, in the first bucket that it is below; the last has no bound.
    """

    what: str
    bounds_ns: tuple[int, ...]
    counts: tuple[int, ...]
    total_us: int


class ExternalOrderView(Value, frozen=True, kw_only=True):
    """An open order that no attempt of ours accounts for.

    `is_ours`: it has our id and lives although we think that it ended; it is being canceled.
    """

    client_order_id: ClientOrderId
    side: Side
    quantity: str
    limit_price: str | None
    is_ours: bool


class ExternalView(Value, frozen=True, kw_only=True):
    """What others did on an account of ours, by instrument or currency (`unit`).

    `moved` is what they added, negative when they took. `waits`: nothing new is traded there
    until the trader explains it; `text` is the latest that was found.
    """

    account_id: AccountId
    unit: str
    symbol: str
    moved: str
    orders: tuple[ExternalOrderView, ...]
    waits: bool
    text: str


class FeedView(Value, frozen=True, kw_only=True):
    """The feed behind an instrument's prices, as its venue told us.

    `age_ns` is since its latest news by its own time, in market time. `faults` counts what of its
    `messages` was not used, by reason; `doubt` is why no new risk is taken on it.
    """

    symbol: str
    venue_id: VenueId
    age_ns: int
    messages: int
    faults: dict[str, int]
    doubt: str | None
    too_old: bool


class SymbolHaltView(Value, frozen=True, kw_only=True):
    """One symbol that a person halted, why, and how many of our orders may still be open there."""

    symbol: str
    reason: str
    open_orders: int


class StatusView(Value, frozen=True, kw_only=True, tag="status"):
    """The pool as a whole. `priced`: instruments of which a price was ever known.

    `orders` is how many were ever taken, their parts included.
    """

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
    orders: int = 0
    latencies: tuple[LatencyView, ...] = ()
    external: tuple[ExternalView, ...] = ()
    notes: tuple[str, ...] = ()  # what a person should know, in whole sentences
    feeds: tuple[FeedView, ...] = ()  # of recorded or live markets; the synthetic one has none
    halted: tuple[SymbolHaltView, ...] = ()


class ParentView(Value, frozen=True, kw_only=True):
    """One parent order. `skew_ns`: between the first and the last send of its first wave.

    `began_ns` and `ended_ns` in CLOCK_BOOTTIME of the coordinator's computer; 0 is not yet.
    `good_till_ns` in market time.
    """

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
    began_ns: int = 0
    ended_ns: int = 0
    stop_price: str | None = None
    trail: str | None = None
    good_till_ns: int | None = None
    reduce_only: bool = False


class GainsView(Value, frozen=True, kw_only=True):
    """What trading both sides has come to, in quote currency.

    `inventory` is bought minus sold, and `skew_percent` that in per cent of the most allowed (of a
    slice, for a pair), None where nothing bounds it. `realized` is the gain on what was both
    bought and sold, and `unrealized` the inventory's at the middle of the market (None without
    one); `fees` are in neither.
    """

    inventory: str
    skew_percent: int | None
    realized: Decimal
    unrealized: Decimal | None
    fees: Decimal


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
    gains: GainsView | None = None


class ShownView(Value, frozen=True, kw_only=True):
    """The most that others could ever see of an algorithm at a venue, and when that first was."""

    venue_id: str
    quantity: str
    market_ns: int


class AlgoView(Value, frozen=True, kw_only=True):
    """One algorithm. `side` is None for one that trades both.

    `arrival` is the middle of the market when it began, and `slippage` what its trades cost more
    than at that price, in quote currency (negative: less), fees not counted. `shown_max` is the
    most that it ever had out at once, at all venues together, and `shown` that of each venue.
    """

    order_id: ParentId
    command_id: CommandId
    kind: str
    symbol: str
    side: Side | None
    quantity: str
    phase: str
    text: str
    bought: str
    sold: str
    buy_average: Decimal | None
    sell_average: Decimal | None
    fees: Decimal
    arrival: Decimal | None
    slippage: Decimal | None
    shown_max: str
    refusals: int
    open_parts: int
    parts: tuple[ParentId, ...]
    shown: tuple[ShownView, ...] = ()
    gains: GainsView | None = None


class OrdersView(Value, frozen=True, kw_only=True, tag="orders"):
    """Orders, oldest first."""

    parents: tuple[ParentView, ...]
    both: tuple[BothView, ...]
    algos: tuple[AlgoView, ...] = ()


class Course(enum.StrEnum):
    """From where to where a step went."""

    COORDINATOR = "coordinator"  # decided there, and nothing was sent
    TO_WORKER = "to_worker"
    TO_VENUE = "to_venue"
    FROM_VENUE = "from_venue"  # through its worker
    FROM_WORKER = "from_worker"  # its own word


class HopView(Value, frozen=True, kw_only=True):
    """One step; `at_ns` in CLOCK_BOOTTIME of the coordinator's computer.

    `since_command_ns` is from the moment when the command was decided.
    """

    what: str
    at_ns: int
    course: Course = Course.COORDINATOR
    since_command_ns: int = 0


class AttemptView(Value, frozen=True, kw_only=True):
    """One attempt, hop by hop. `workers` were handed it, in this order.

    `command_id` is its trace: the same from the trader's command to every fill.
    """

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
    parent_id: ParentId = ParentId("")
    command_id: CommandId = CommandId("")
    workers: tuple[str, ...] = ()
    cause: str | None = None  # why its venue ended it by itself


class LifeView(Value, frozen=True, kw_only=True, tag="life"):
    """An order's life; empty when it is not known (any more).

    `refused` is why the command that was asked about became no order.
    """

    parents: tuple[ParentView, ...]
    attempts: tuple[AttemptView, ...]
    refused: str = ""


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
    income: Decimal = Decimal(0)  # of dividends, and of splits for what made no whole lot


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
    """What can be traded, the slots that can be named, and the market's time."""

    instruments: tuple[Instrument, ...]
    slots: tuple[SlotId, ...]
    venues: dict[SlotId, str]
    market_ns: int = 0


class LimitView(Value, frozen=True, kw_only=True):
    """One limit. `unit` is the currency or the symbol that it is about, empty for all.

    `used` and `left` are None where nothing is used up. `settings` is what it was started with,
    shown where a person has set another; `is_set` says by whom: that scope itself.
    """

    name: str
    unit: str
    limit: str
    used: str | None = None
    left: str | None = None
    settings: str | None = None
    is_set: bool = False


class ScopeView(Value, frozen=True, kw_only=True):
    """The desk (`account_id` is None) or one account: what its gate lets through, and why."""

    account_id: AccountId | None
    trading: str
    reason: str
    limits: tuple[LimitView, ...]
    halted: dict[str, str] = msgspec.field(default_factory=dict)  # symbols, and why; for all


class LimitsView(Value, frozen=True, kw_only=True, tag="limits"):
    """The limits of the desk, then of each account."""

    scopes: tuple[ScopeView, ...]


class ObjectivesView(Value, frozen=True, kw_only=True, tag="objectives"):
    """The objectives and how far they are; times are UTC of the market, None without any.

    `gain` is as of the last prices, None while it is not known. `note` is what keeps them from
    acting; `open_positions` are still to be closed.
    """

    phase: str
    currency: str = ""
    symbols: tuple[str, ...] = ()
    target_profit: Decimal | None = None
    loss_limit: Decimal | None = None
    then: str = ""
    gain: Decimal | None = None
    flat_at_ns: int | None = None
    ends_at_ns: int | None = None
    reached: str = ""
    note: str = ""
    tries: int = 0
    open_positions: tuple[str, ...] = ()
    market_ns: int = 0


class RefusalView(Value, frozen=True, kw_only=True):
    """An order that was refused, and the own order that it would have met.

    `market_ns` is the market's time, UTC. `owner` is the algorithm, pair or quote that wanted it;
    `met_parent` is None for an order of another program.
    """

    market_ns: int
    command_id: CommandId
    owner: ParentId | None
    symbol: str
    side: Side
    quantity: str
    limit_price: str | None
    mode: str
    met: ClientOrderId
    met_parent: ParentId | None
    text: str


class NettingView(Value, frozen=True, kw_only=True):
    """What one strategy took over from another one on an account, instead of trading with it."""

    market_ns: int
    account_id: AccountId
    symbol: str
    quantity: str
    price: str
    buyer: ParentId
    seller: ParentId


class InternalView(Value, frozen=True, kw_only=True):
    """What a strategy took over from others, less what it gave; `cost` in quote currency."""

    strategy: str
    instrument_id: InstrumentId
    lots: int
    cost: Decimal


class VenueFlagView(Value, frozen=True, kw_only=True):
    """An order that its venue ended or refused by its own self-match rule, behind our gate."""

    market_ns: int
    client_order_id: ClientOrderId
    account_id: AccountId
    symbol: str
    side: Side
    quantity: str
    limit_price: str | None
    what: str


class PreventionView(Value, frozen=True, kw_only=True, tag="prevention"):
    """What self-trade prevention did: the latest of each first, and what it came to."""

    refusals: tuple[RefusalView, ...]
    nettings: tuple[NettingView, ...]
    internal: tuple[InternalView, ...]
    flags: tuple[VenueFlagView, ...] = ()


View = (
    StatusView
    | OrdersView
    | LifeView
    | PositionsView
    | CatalogueView
    | LimitsView
    | ObjectivesView
    | PreventionView
    | StrategiesView
    | TextsView
    | DroppedView
    | DecisionsView
)
