"""What a small pool is made of, and one moment of it that can be copied.

One account, one order, two workers on other computers. The desk, the workers, the leases and the
alarms are the very code that trades; only what stands around them is made anew here, small enough
to be searched to its end. See `steps` for what can happen, and what is abstracted.
"""

import enum
import pickle
from decimal import Decimal
from typing import Any, Final

import msgspec

from tandem.core.trading.desk import Desk
from tandem.core.trading.lease import LEASE_NS, LeaseBook
from tandem.core.trading.turn import Rules
from tandem.core.trading.worker import Worker
from tandem.core.trading.worker_set_up import WorkerSetUp
from tandem.domain.bundle import Bundle
from tandem.domain.desk import MS, SECOND, DeskSettings, SlotSettings, Timings, VenueSettings
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    DeskId,
    Incarnation,
    InstrumentId,
    MarketId,
    SlotId,
    VenueId,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.link import BundlePart
from tandem.domain.order import FenceClass

START_NS: Final = 1_000 * SECOND
OFFSET_NS: Final = 77 * SECOND  # the venue's clock minus the coordinator's
MARKET_NS: Final = 10**18
ALARM_NS: Final = 250 * MS
GRACE_NS: Final = 1 * SECOND
DEAF_NS: Final = 2 * SECOND  # a worker that hears nothing for so long hangs up
QUANTITY: Final = 3
VENUE: Final = VenueId("x")
ACCOUNT: Final = AccountId("A1")
SLOT: Final = SlotId("s1")
# The first worker's clock is slower, so that its lease lasts longer than the coordinator's; and it
# reads the venue's clock on a way that is slower there than back.
SLOWER_NS: Final = LEASE_NS * 9 // 1_000
READ_WRONG_NS: Final = (40 * MS, 0)
AHEAD_NS: Final = (5 * SECOND, -3 * SECOND)  # the workers' CLOCK_BOOTTIME minus the coordinator's
INSTRUMENT: Final = Instrument(
    instrument_id=InstrumentId("T@x"),
    symbol="T",
    venue_id=VENUE,
    market_id=MarketId("m"),
    base="T",
    quote="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
)
LIMITS: Final = Limits(max_orders_per_second=100_000, max_duplicates=100_000)
VENUES: Final = (VenueSettings(venue_id=VENUE),)
TIMINGS: Final = Timings(
    ready_ns=30 * SECOND,
    retry_ns=30 * SECOND,
    ask_ns=1_500 * MS,
    poll_ns=3 * SECOND,
    grey_ns=600 * MS,
    person_ns=3 * SECOND,
)


class Line(enum.IntEnum):
    """Words on their way from one to another, in order: of worker 0 or 1."""

    OUT = 0  # from the coordinator to the worker
    IN = 1  # from the worker to the coordinator
    ASK = 2  # from the worker to the venue
    TELL = 3  # from the venue to the worker


class Taken(msgspec.Struct, array_like=True):
    """An order that the venue took, and traded at once; how often it did so."""

    order_id: ClientOrderId
    quantity: int
    at_ns: int
    times: int = 1


def settings_of(fence_class: FenceClass) -> DeskSettings:
    """Return a desk of one account in that class."""
    bundle = Bundle(strategies=(), instruments=(INSTRUMENT,), venues=VENUES, limits=LIMITS)
    slot = SlotSettings(slot_id=SLOT, account_id=ACCOUNT, venue_id=VENUE, fence_class=fence_class)
    return DeskSettings(
        desk_id=DeskId("d"),
        slots=(slot,),
        venues=VENUES,
        instruments=(INSTRUMENT,),
        limits=LIMITS,
        timings=TIMINGS,
        bundle=msgspec.msgpack.encode(bundle),
    )


class Fixed:
    """What never changes, and so is not copied."""

    def __init__(self, fence_class: FenceClass) -> None:
        self.fence_class = fence_class
        self.settings = settings_of(fence_class)
        self.rules = Rules(self.settings)
        self.set_up = WorkerSetUp()
        self.set_up.take(BundlePart(index=0, count=1, content=self.settings.bundle))


class Pool:
    """One moment of it all. Everything here is copied with it but `fixed`."""

    def __init__(
        self, fixed: Fixed, *, pauses: int, losses: int, delays: int, restarts: int
    ) -> None:
        self.fixed = fixed
        self.now_ns = START_NS
        self.desk = Desk()
        self.book = LeaseBook()
        self.workers = [
            Worker(Incarnation(f"w{one}"), f"w{one}", shares_clock=False) for one in (0, 1)
        ]
        self.deadlines: list[int | None] = [None, None]  # of the coordinator's alarms for silence
        self.links: list[int | None] = [None, None]  # connections, as the coordinator knows them
        self.wires = [False, False]  # whether the worker's present connection carries anything
        self.sessions = [False, False]  # logged in at the venue
        self.lines: list[list[Any]] = [[] for _ in range(8)]
        self.taken: dict[ClientOrderId, Taken] = {}
        self.paused: int | None = None
        self.away: int | None = None  # cannot dial
        self.stuck: int | None = None  # a line on which nothing arrives for now
        self.stuck_since_ns = 0
        self.pauses, self.losses, self.delays, self.restarts = pauses, losses, delays, restarts
        self.ordered = False
        self.is_fresh = False  # time has just gone on, and nobody has moved since
        self.wrong = ""  # the first thing that must never be

    @property
    def now(self) -> Instant:
        """This moment, as the coordinator sees it; the market's stands still."""
        return Instant(self.now_ns, MARKET_NS)

    def worker_now(self, which: int) -> Instant:
        """This moment, as a worker sees it."""
        return Instant(self.now_ns + AHEAD_NS[which], MARKET_NS)

    @property
    def venue_ns(self) -> int:
        """This moment, as the venue sees it."""
        return self.now_ns + OFFSET_NS

    def line(self, which: int, kind: Line) -> list[Any]:
        """Return what is on that way of a worker."""
        return self.lines[4 * which + kind]

    def complain(self, what: str) -> None:
        """Remember the first thing that must never be."""
        self.wrong = self.wrong or what

    # -- copies

    def freeze(self) -> bytes:
        """Return a copy of this moment, as bytes."""
        fixed, desk_state = self.fixed, self.desk.state
        rules, settings = self.desk._rules, desk_state.settings
        set_ups = [one._set_up for one in self.workers]
        self.fixed = self.desk._rules = desk_state.settings = None  # type: ignore[assignment]
        for one in self.workers:
            one._set_up = None  # type: ignore[assignment]
        content = pickle.dumps(self, protocol=5)
        self.fixed, self.desk._rules, desk_state.settings = fixed, rules, settings
        for worker, set_up in zip(self.workers, set_ups, strict=True):
            worker._set_up = set_up
        return content

    @staticmethod
    def thaw(content: bytes, fixed: Fixed) -> "Pool":
        """Return the moment that these bytes are a copy of."""
        pool: Pool = pickle.loads(content)  # noqa: S301 - our own, a moment ago
        pool.fixed = fixed
        pool.desk._rules = fixed.rules
        pool.desk.state.settings = fixed.settings
        for one in pool.workers:
            one._set_up = fixed.set_up
        return pool
