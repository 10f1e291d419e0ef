"""What happens to a desk, what it wants done, and how it is set.

Events are recorded with the effects they had; replaying the events must give the same effects.
"""

from decimal import Decimal

from tandem.domain.commands import Answer, Asked
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import AccountId, AskerId, CommandId, DeskId, Incarnation, SlotId, VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.link import (
    BUNDLE_BYTES_MAX,
    Answered,
    ClockRead,
    Configured,
    CoordinatorMessage,
    GaveBack,
    Halted,
    Hello,
    Limited,
    NotReady,
    Ready,
    Reported,
)
from tandem.domain.order import FenceClass
from tandem.domain.value import Value
from tandem.domain.venue import Quote

MS = 1_000_000
SECOND = 1_000 * MS


class SlotSettings(Value, frozen=True, kw_only=True):
    """One seat of the pool: an account at a venue, which one worker process at a time drives."""

    slot_id: SlotId
    account_id: AccountId
    venue_id: VenueId
    fence_class: FenceClass
    may_short: bool = False


class VenueSettings(Value, frozen=True, kw_only=True):
    """The times of one venue (docs/protocol.md, table of times).

    Raises:
        ConfigurationError: times that cannot be.
    """

    venue_id: VenueId
    validity_ns: int = 1 * SECOND  # a request expires so long after its release
    release_by_ns: int = 700 * MS  # last moment, after the release, of handing it out again
    skew_ns: int = 100 * MS  # bound of our error about the venue's clock
    read_lag_ns: int = 50 * MS  # how late a query may be

    def __post_init__(self) -> None:
        if not 0 < self.release_by_ns <= self.validity_ns:
            raise ConfigurationError(
                f"{self.venue_id}: release_by_ns {self.release_by_ns} is not within 1 to "
                f"validity_ns, {self.validity_ns}"
            )
        if self.skew_ns < 0 or self.read_lag_ns < 0:
            raise ConfigurationError(
                f"{self.venue_id}: skew_ns {self.skew_ns} or read_lag_ns {self.read_lag_ns} "
                "is negative"
            )


class Timings(Value, frozen=True, kw_only=True):
    """How long the desk waits for what.

    Raises:
        ConfigurationError: a time that is not positive: the desk would wake itself for ever.
    """

    set_up_ns: int = 3 * SECOND  # for a confirmation before a worker is swapped out
    ready_ns: int = 2 * SECOND  # for all slots of a parent, before its policy for unready ones
    retry_ns: int = 30 * SECOND  # for a slot to come back with what a child left
    ask_ns: int = 600 * MS  # before a question to a venue is asked again
    poll_ns: int = 5 * SECOND  # between looks at an order that lives
    grey_ns: int = 3 * SECOND  # without a venue's answer, while others get theirs
    person_ns: int = 10 * SECOND  # of refused resends, before a person is asked (class B)
    clear_ns: int = 5 * SECOND  # for own resting orders in the way to be canceled
    reconcile_ns: int = 10 * SECOND  # between audits of every account

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name} is {getattr(self, name)}, expected above 0")


class DeskSettings(Value, frozen=True, kw_only=True):
    """Everything a desk is told at its start; recorded with it.

    Raises:
        ConfigurationError: a number that cannot be, or a bundle that no worker would take.
    """

    desk_id: DeskId
    slots: tuple[SlotSettings, ...]
    venues: tuple[VenueSettings, ...]
    instruments: tuple[Instrument, ...]
    limits: Limits
    timings: Timings = Timings()
    bundle: bytes = b""  # what every worker is given and confirms: strategies, catalogue, limits
    attempts_max: int = 5  # of one child, and of moving what a child left
    # Parents kept after their end, for late news and for questions; now and then a sixteenth more.
    finished_max: int = 5_000
    market_speed: Decimal = Decimal(1)  # of market time against life: a replay's speed

    def __post_init__(self) -> None:
        if self.attempts_max < 1 or self.finished_max < 0:
            raise ConfigurationError(
                f"attempts_max is {self.attempts_max}, expected at least 1; "
                f"finished_max is {self.finished_max}, expected at least 0"
            )
        if not (self.market_speed.is_finite() and self.market_speed > 0):
            raise ConfigurationError(f"market_speed is {self.market_speed}, expected above 0")
        if len(self.bundle) > BUNDLE_BYTES_MAX:
            raise ConfigurationError(
                f"bundle of {len(self.bundle)} bytes; the limit is {BUNDLE_BYTES_MAX}"
            )


class Restarted(Value, frozen=True, kw_only=True, tag="restarted"):
    """The coordinator runs (again), with these settings; the epoch rises."""

    settings: DeskSettings


class Commanded(Value, frozen=True, kw_only=True, tag="commanded"):
    """Somebody asked for something."""

    asker: AskerId
    asked: Asked


class Joined(Value, frozen=True, kw_only=True, tag="joined"):
    """A worker said hello.

    `pid` and `started` name its process when it is on this computer; otherwise they are 0, and
    `machine` is the certified name of its own.
    """

    hello: Hello
    pid: int
    started: int
    machine: str | None = None


class FromWorker(Value, frozen=True, kw_only=True, tag="from_worker"):
    """A worker said something on its connection of that number."""

    incarnation: Incarnation
    connection: int
    message: (
        Configured
        | Ready
        | NotReady
        | GaveBack
        | Halted
        | ClockRead
        | Reported
        | Answered
        | Limited
    )


class WorkerLost(Value, frozen=True, kw_only=True, tag="worker_lost"):
    """That connection of the worker ended; it may still live."""

    incarnation: Incarnation
    connection: int


class WorkerDied(Value, frozen=True, kw_only=True, tag="worker_died"):
    """The worker's process is gone, as the kernel says."""

    incarnation: Incarnation


class WorkerSilent(Value, frozen=True, kw_only=True, tag="worker_silent"):
    """Nothing was heard of the worker beyond its alarm."""

    incarnation: Incarnation


class LeaseLapsed(Value, frozen=True, kw_only=True, tag="lease_lapsed"):
    """The right of this account's holder has surely ended: its lease and the margin are over."""

    account_id: AccountId
    account_epoch: int


class QuotesSeen(Value, frozen=True, kw_only=True, tag="quotes_seen"):
    """The market moved."""

    quotes: tuple[Quote, ...]


class RoomChanged(Value, frozen=True, kw_only=True, tag="room_changed"):
    """The disk is (no longer) nearly full."""

    short: bool


class Due(Value, frozen=True, kw_only=True, tag="due"):
    """A time that the desk waited for has come."""


DeskEvent = (
    Restarted
    | Commanded
    | Joined
    | FromWorker
    | WorkerLost
    | WorkerDied
    | WorkerSilent
    | LeaseLapsed
    | QuotesSeen
    | RoomChanged
    | Due
)


class ToWorker(Value, frozen=True, kw_only=True, tag="to_worker"):
    """Send this, if the worker's connection is still the one of that number."""

    incarnation: Incarnation
    connection: int
    message: CoordinatorMessage


class Kill(Value, frozen=True, kw_only=True, tag="kill"):
    """End that local process at once; it is dead when the kernel says so."""

    incarnation: Incarnation


class Tell(Value, frozen=True, kw_only=True, tag="tell"):
    """Answer whoever asked."""

    asker: AskerId
    command_id: CommandId
    answer: Answer


class Alert(Value, frozen=True, kw_only=True, tag="alert"):
    """Tell a person, who may not be looking."""

    text: str


DeskEffect = ToWorker | Kill | Tell | Alert
