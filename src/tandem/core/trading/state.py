"""Everything a desk remembers.

Running state is changed in place by its one owner, the desk, and holds nothing but values, lists
and dicts, so that it can be written whole as a snapshot. Dicts keep their order of insertion,
which is the order of events: equal histories give equal bytes.
"""

import enum
from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.trading.adjusting import Adjustments, Splits
from tandem.core.trading.algos.memos import Memo
from tandem.core.trading.external_book import AuditState, ExternalBook
from tandem.core.trading.latency_state import Latencies
from tandem.core.trading.ledger import Ledger
from tandem.core.trading.limit_book import LimitBook
from tandem.core.trading.objective_state import Objectives
from tandem.core.trading.positions import Position
from tandem.core.trading.prevention import Prevention
from tandem.core.trading.replacement import Replacement
from tandem.core.trading.risk import Exposure
from tandem.core.trading.self_trade import Gate
from tandem.core.trading.tally import Tally
from tandem.core.trading.target_state import Claim, Strategies
from tandem.domain.algos import AlgoSpec
from tandem.domain.commands import Answer, PlaceBoth, PlacePair
from tandem.domain.desk import DeskSettings
from tandem.domain.ids import (
    AccountId,
    AskerId,
    ClientOrderId,
    CommandId,
    ExecutionId,
    HaltId,
    Incarnation,
    InstrumentId,
    ParentId,
    SlotId,
    Ticks,
    VenueId,
)
from tandem.domain.order import Order, OrderStatus
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import EndCause
from tandem.domain.strategies import AssignmentId
from tandem.domain.venue import Doubt


class Phase(enum.StrEnum):
    """Where an attempt is; all but FINAL count in full against their parent."""

    PLANNED = "planned"  # reserved and recorded, nobody was told
    RELEASED = "released"  # may be at the venue
    LIVE = "live"  # the venue has it
    UNKNOWN = "unknown"  # may or may not be at the venue, and nobody says
    FINAL = "final"  # nothing more can trade


_FINAL: Final = Phase.FINAL  # finding a member of an enum costs more than comparing it


class Ending(enum.StrEnum):
    """Why an attempt is final."""

    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"  # the venue said no, with a code that proves it
    ABSENT = "absent"  # expired, and the venue did not know it, asked twice
    NEVER_SENT = "never_sent"  # its worker does not know it
    NOT_SENT = "not_sent"  # its worker did not hand it over
    WITHDRAWN = "withdrawn"  # ended before it was released
    RESOLVED = "resolved"  # by a person


class Hop(msgspec.Struct, array_like=True, gc=False):
    """One step in the life of an attempt; times are CLOCK_BOOTTIME of this computer."""

    what: str
    at_ns: int


class Attempt(msgspec.Struct, gc=False):
    """One request to a venue and what became of it.

    `expires_at_ns`, `release_by_ns` and `ask_at_ns` are venue time. `final_cum` is the venue's
    word on what had traded at the end; `cum_quantity` is the sum of the executions we hold, and
    smaller while some are missing.
    """

    order: Order
    parent_id: ParentId
    child: int
    number: int
    slot_id: SlotId
    book_id: str
    phase: Phase = Phase.PLANNED
    status: OrderStatus = OrderStatus.PENDING_NEW
    cum_quantity: int = 0
    final_cum: int | None = None
    executions: dict[ExecutionId, int] = {}
    sends: int = 0
    handed_to: list[Incarnation] = []
    expires_at_ns: int = 0
    release_by_ns: int = 0
    ask_at_ns: int = 0
    look_at_ns: int | None = None  # when the desk will next think about it
    query_id: int | None = None
    asked_at_ns: int = 0
    absences: int = 0
    cancel_wanted: bool = False
    duplicate_seen: bool = False
    resent_since_ns: int | None = None
    for_person: bool = False
    ending: Ending | None = None
    text: str = ""
    reserved_price: int = 0  # in ticks: what its buying power was reserved at
    sent_ns: int | None = None  # when the worker handed its first send to the venue's session
    hops: list[Hop] = []
    yields_to: ParentId | None = None  # what its rest is decremented against, once it has ended
    wanted_quantity: int | None = None  # what its venue is asked to lower it to, until it obeys
    amend_sends: int = 0  # how often that was sent
    is_remade: bool = False  # it is canceled, and what is left of it placed anew
    cause: EndCause | None = None  # why its venue ended it by itself

    @property
    def is_final(self) -> bool:
        """Whether nothing more can trade."""
        return self.phase is _FINAL

    @property
    def missing(self) -> int:
        """What traded, by the venue's final word, without our having seen the execution."""
        final_cum = self.final_cum
        if final_cum is None or final_cum <= self.cum_quantity:
            return 0
        return final_cum - self.cum_quantity


class Child(msgspec.Struct, gc=False):
    """One slot's share of a parent; `attempts` have been made of it.

    `yielded` of those ended for an own order that came later, so they were no failures.
    """

    slot_id: SlotId
    quantity: int
    attempts: int = 0
    yielded: int = 0


class ParentPhase(enum.StrEnum):
    """Where a parent is."""

    CLEARING = "clearing"  # waits until own resting orders in the way are canceled
    WORKING = "working"
    DONE = "done"


class Outcome(enum.StrEnum):
    """What became of a parent."""

    FILLED = "filled"
    CANCELED = "canceled"
    INCOMPLETE = "incomplete"  # it ended with less, and `text` says why
    REFUSED = "refused"
    PREVENTED = "prevented"  # what did not trade was decremented against own orders
    NETTED = "netted"  # what did not trade was netted between strategies


class Piece(msgspec.Struct, array_like=True, gc=False):
    """A quantity that wants a new attempt, at best as this child."""

    child: int
    quantity: int


class Parent(msgspec.Struct, gc=False):
    """One order as the trader thinks of it.

    Always `done_quantity + allocated + pieces <= quantity`: what has traded for good, the full
    size of everything that is planned, out or unknown, and what waits to be tried again. Only a
    venue that trades more than it was asked breaks this, and then the desk halts. `prevented` was
    decremented against own orders, `netted` taken over by another strategy of ours: neither will
    be tried again.
    """

    parent_id: ParentId
    command_id: CommandId
    spec: ParentSpec
    quantity: int
    slots: list[SlotId]  # all that may take a share, also of what others left
    phase: ParentPhase = ParentPhase.WORKING
    children: list[Child] = []
    attempts: list[ClientOrderId] = []
    planned: int = 0  # attempts not yet released
    allocated: int = 0
    done_quantity: int = 0
    missing: int = 0
    pieces: list[Piece] = []
    refused_slots: list[SlotId] = []
    moves: int = 0
    cancel_wanted: bool = False
    deadline_ns: int = 0  # for what it waits for now: clearing, readiness, a slot, executions
    retry_at_ns: int | None = None  # when it will next try to place its pieces
    outcome: Outcome | None = None
    text: str = ""
    filled: int = 0
    filled_value: Decimal = Decimal(0)  # in ticks times lots, which can outgrow 64 bits
    fees: Decimal = Decimal(0)
    owner: ParentId | None = None  # the pair or two-sided quote that this is a part of
    began_ns: int = 0
    ended_ns: int = 0
    prevented: int = 0
    netted: int = 0
    netted_value: Decimal = Decimal(0)  # in ticks times lots
    date_alarm_ns: int | None = None  # when it will next look whether its date has come
    replacement: Replacement | None = None  # while it is being changed
    claims: list[Claim] = []  # of the assignments that it trades for, in their turn


class BothPhase(enum.StrEnum):
    """Where a two-sided quote is."""

    QUOTING = "quoting"
    CANCELING = "canceling"
    FLATTENING = "flattening"
    DONE = "done"


class Both(msgspec.Struct, gc=False):
    """A buy below and a sell above, as one object."""

    both_id: ParentId
    command_id: CommandId
    spec: PlaceBoth
    phase: BothPhase = BothPhase.QUOTING
    buy_id: ParentId | None = None
    sell_id: ParentId | None = None
    parts: list[ParentId] = []
    inventory: int = 0  # bought minus sold by finished parts
    refreshes_left: int = 0
    cancel_wanted: bool = False
    ends_at_ns: int = 0
    text: str = ""
    tally: Tally = msgspec.field(default_factory=Tally)  # of its finished parts


class PairPhase(enum.StrEnum):
    """Where a pair is."""

    SLICING = "slicing"
    REPAIRING = "repairing"  # its leg policy is at work
    HALTED = "halted"
    DONE = "done"


class Pair(msgspec.Struct, gc=False):
    """A buy on one market and a sell on another, slice by slice."""

    pair_id: ParentId
    command_id: CommandId
    spec: PlacePair
    phase: PairPhase = PairPhase.SLICING
    slices: int = 0
    legs: list[ParentId] = []
    bought: int = 0
    sold: int = 0
    repairs: int = 0
    cancel_wanted: bool = False
    repair_by_ns: int = 0
    text: str = ""
    parts: list[ParentId] = []
    tally: Tally = msgspec.field(default_factory=Tally)  # of its finished legs


class SeenQuote(msgspec.Struct, array_like=True, gc=False):
    """The market as last seen: best prices, last trade, what others traded, and when.

    The rest is as in `Quote`: how old it is by its feed, and what is wrong with that.
    """

    bid: Ticks | None
    ask: Ticks | None
    last: Ticks | None
    volume: int
    market_ns: int
    told_ns: int | None = None
    messages: int = 0
    doubt: Doubt | None = None
    faults: dict[str, int] = {}


class AlgoPhase(enum.StrEnum):
    """Where an algorithm is."""

    WORKING = "working"
    PAUSED = "paused"
    ENDING = "ending"  # it is over or canceled: what is out is canceled, then it leaves
    DONE = "done"


class Part(msgspec.Struct, array_like=True, gc=False):
    """One parent that an algorithm placed, and what it is to it."""

    role: str
    parent_id: ParentId


class Shown(msgspec.Struct, array_like=True, gc=False):
    """The most that was ever out at once at a venue, and when it first was so much."""

    lots: int
    market_ns: int


class Algo(msgspec.Struct, gc=False):
    """An order that places orders. `memo` belongs to its kind; the rest to the driver.

    `open` are the parts that are not done; `bought` and `sold` count those that are. `arrival` is
    the middle of the market, doubled so that it is whole, when it began. `shown_max` is the most
    that it ever had out at once, at all venues together, and `shown` that of each venue.
    """

    algo_id: ParentId
    command_id: CommandId
    spec: AlgoSpec
    memo: Memo
    began_market_ns: int
    phase: AlgoPhase = AlgoPhase.WORKING
    parts: list[ParentId] = []
    open: list[Part] = []
    bought: int = 0
    sold: int = 0
    bought_value: Decimal = Decimal(0)  # in ticks times lots
    sold_value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    wake_market_ns: int | None = None
    arrival: int | None = None
    shown_max: int = 0
    refusals: int = 0
    text: str = ""
    ended_market_ns: int = 0
    alarm_ns: int = 0  # when it will next be asked, at the latest
    retry_at_ns: int = 0  # not asked before: what it placed last came to nothing
    shown: dict[VenueId, Shown] = {}
    assignment_id: AssignmentId | None = None  # whose order it is
    is_canceled: bool = False
    flattens: bool = False  # it is time to be flat
    leaves: int = 0  # tries to become so


class Worker(msgspec.Struct, gc=False):
    """One run of a worker process. `connection` is the highest number heard."""

    incarnation: Incarnation
    name: str
    pid: int
    started: int
    connection: int
    up: bool = True
    killing: bool = False
    machine: str | None = None  # None: this computer
    unwanted: bool = False  # on another computer, where it cannot be killed
    draining: bool = False
    bundles_sent: int = 0
    confirmed: bool = False
    slot_id: SlotId | None = None
    unanswered_since_ns: int | None = None
    halt_id: HaltId | None = None  # of its halt by hand, until lifted


class Seat(msgspec.Struct, gc=False):
    """A slot of the pool and who fills it. `epoch` rises with every grant of its account."""

    slot_id: SlotId
    account_id: AccountId
    venue_id: VenueId
    active: bool = False
    holder: Incarnation | None = None
    epoch: int = 0
    ready: bool = False
    unready_since_ns: int | None = None  # while it has a holder and is not ready
    leaving_since_ns: int | None = None  # while its holder's right is ending
    opened: bool = False
    open: dict[ClientOrderId, None] = {}  # attempts that are not settled
    reserved_cash: dict[str, Decimal] = {}
    reserved_lots: dict[InstrumentId, int] = {}
    blocked: dict[InstrumentId, int] = {}  # orders, and external news, that wait for a person
    external: ExternalBook = msgspec.field(default_factory=ExternalBook)
    audit: AuditState = msgspec.field(default_factory=AuditState)
    realized: dict[str, Decimal] = {}  # by currency, less fees, on `realized_day`
    realized_day: int = 0
    limits_number: int = 0  # of the last word about its limits; 0: never one
    limits_confirmed: int = 0  # the last that its present holder has confirmed
    vacant_since_ns: int | None = None  # from the end of a holder's right until the next is ready
    adjustments: Adjustments = msgspec.field(default_factory=Adjustments)


class VenueClock(msgspec.Struct, gc=False):
    """What we think of a venue's clock: its time minus our CLOCK_BOOTTIME."""

    offset_ns: int | None = None
    trusted: bool = True
    answered_at_ns: int = 0  # when any worker last heard from the venue


class PoolPhase(enum.StrEnum):
    """How far the pool is set up."""

    NONE = "none"
    CONFIGURING = "configuring"
    LOGGING_IN = "logging_in"
    TRADING = "trading"


class Pool(msgspec.Struct, gc=False):
    """The set-up of the pool: who asked, how many, how far."""

    phase: PoolPhase = PoolPhase.NONE
    wanted: int = 0
    configured: int = 0
    command_id: CommandId | None = None
    digest: bytes = b""  # of the command's content
    asker: AskerId | None = None
    deadline_ns: int = 0
    most_usable: int = 0  # workers at once, since the set-up


class Answered(msgspec.Struct, array_like=True, gc=False):
    """A command that was answered: the content's digest, and the answer."""

    digest: bytes
    answer: Answer


class Opening(msgspec.Struct, array_like=True, gc=False):
    """Lots held from before, whose cost is not known until there is a price."""

    account_id: AccountId
    instrument_id: InstrumentId
    lots: int


class DeskState(msgspec.Struct):
    """All of it."""

    settings: DeskSettings | None = None
    epoch: int = 0
    next_order: int = 1
    next_query: int = 1
    alarms_at: dict[int, list[tuple[str, str]]] = {}  # kinds and keys, in the order they were set
    alarm_times: list[int] = []  # a heap of the keys of `alarms_at`
    answers: dict[CommandId, Answered] = {}
    workers: dict[Incarnation, Worker] = {}
    dead: dict[Incarnation, None] = {}
    seats: dict[SlotId, Seat] = {}
    clocks: dict[VenueId, VenueClock] = {}
    pool: Pool = msgspec.field(default_factory=Pool)
    parents: dict[ParentId, Parent] = {}
    working: dict[ParentId, None] = {}  # parents that are not done
    clearing: dict[ParentId, None] = {}  # those of them that wait for others to be canceled
    attempts: dict[ClientOrderId, Attempt] = {}
    boths: dict[ParentId, Both] = {}
    pairs: dict[ParentId, Pair] = {}
    algos: dict[ParentId, Algo] = {}
    running: dict[ParentId, None] = {}  # algorithms that are not done
    quotes: dict[InstrumentId, SeenQuote] = {}
    finished: list[ParentId] = []
    gate: Gate = msgspec.field(default_factory=Gate)
    exposure: Exposure = msgspec.field(default_factory=Exposure)
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    openings: list[Opening] = []
    positions: dict[AccountId, dict[InstrumentId, Position]] = {}
    halt_reason: str = ""
    halts: dict[HaltId, None] = {}  # by hand, that the desk has heard of
    short_of_room: bool = False
    counters: dict[str, int] = {}
    latencies: Latencies = msgspec.field(default_factory=Latencies)
    limits: LimitBook = msgspec.field(default_factory=LimitBook)
    objectives: Objectives = msgspec.field(default_factory=Objectives)
    audits: bool = False  # whether the next audit of all accounts has its alarm
    prevention: Prevention = msgspec.field(default_factory=Prevention)
    halted: dict[str, str] = {}  # symbols that a person halted, and why
    strategies: Strategies = msgspec.field(default_factory=Strategies)
    splits: Splits = msgspec.field(default_factory=Splits)
