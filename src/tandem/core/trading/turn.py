"""One event being decided: the state, the rules, the moment, and what is to be done.

The parts of the desk are functions over a `Turn`. They change the state, collect effects, and
put parents that may have to move on the agenda, which the desk works off before it returns: so
no part calls back into another.
"""

import enum
import heapq
from hashlib import sha256
from itertools import islice

import msgspec

from tandem.core.trading.booked import Booked
from tandem.core.trading.state import (
    Answered,
    Attempt,
    DeskState,
    Parent,
    Seat,
    VenueClock,
    Worker,
)
from tandem.domain.commands import Answer, Refused
from tandem.domain.desk import (
    DeskEffect,
    DeskSettings,
    SlotSettings,
    Tell,
    ToWorker,
    VenueSettings,
)
from tandem.domain.ids import (
    ClientOrderId,
    CommandId,
    Incarnation,
    ParentId,
    SlotId,
    VenueId,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.link import CoordinatorMessage

ANSWERS_MAX = 100_000


class Alarm(enum.StrEnum):
    """What a time-out is about; its key names the object."""

    ATTEMPT = "attempt"  # look at an attempt
    PARENT = "parent"  # a parent's deadline, or another try
    SET_UP = "set_up"  # the set-up's deadline
    BOTH = "both"  # a two-sided quote's lifetime
    PAIR = "pair"  # a pair's policy deadline
    SEAT = "seat"  # a seat that was not ready
    LEAVING = "leaving"  # a seat whose holder's right is ending
    ALGO = "algo"  # an algorithm wants to look again
    OBJECTIVES = "objectives"  # a time that was set as an objective may have come
    NET = "net"  # what strategies want of one account is to be looked at again
    FLAT = "flat"  # an assignment may have to be flat by now
    AUDIT = "audit"  # all accounts are to be audited, or that of one seat


class Rules:
    """What the settings say, by name."""

    def __init__(self, settings: DeskSettings) -> None:
        self.settings = settings
        self.timings = settings.timings
        self.limits = settings.limits
        self.catalogue = Catalogue(settings.instruments)
        self.slots: dict[SlotId, SlotSettings] = {one.slot_id: one for one in settings.slots}
        self.venues: dict[VenueId, VenueSettings] = {one.venue_id: one for one in settings.venues}
        self.bundle_hash = sha256(settings.bundle).hexdigest()
        self.instruments = {one.instrument_id: one for one in settings.instruments}
        self.listed: dict[tuple[str, VenueId], Instrument] = {
            (one.symbol, one.venue_id): one for one in settings.instruments
        }

    def life_ns(self, market_ns: int) -> int:
        """Return how long such a span of market time lasts here, rounded up."""
        fast, slow = self.settings.market_speed.as_integer_ratio()
        return -(-market_ns * slow // fast)


class Turn(msgspec.Struct, gc=False):
    """The event being decided, at `now`; `out` is what the desk will return.

    `booked` takes in what is booked, for statements; None where nobody wants to know.
    """

    state: DeskState
    rules: Rules
    now: Instant
    now_ns: int
    out: list[DeskEffect] = []
    agenda: dict[ParentId, None] = {}
    halting: str | None = None  # why everything must be canceled before the event is over
    booked: list[Booked] | None = None
    lost: dict[SlotId, None] = {}  # seats that realized a loss in this event

    def touch(self, parent_id: ParentId) -> None:
        """Let this parent move before the event is over."""
        self.agenda[parent_id] = None

    def count(self, what: str) -> None:
        """Count something worth knowing."""
        counters = self.state.counters
        counters[what] = counters.get(what, 0) + 1

    def wait(self, kind: Alarm, key: str, *, after_ns: int) -> None:
        """Come back to `key` after that time; an alarm that no longer matters is ignored then."""
        state, due_ns = self.state, self.now_ns + after_ns
        alarms = state.alarms_at.get(due_ns)
        if alarms is None:
            state.alarms_at[due_ns] = [(kind, key)]
            heapq.heappush(state.alarm_times, due_ns)
        else:
            alarms.append((kind, key))

    def send(self, worker: Worker, message: CoordinatorMessage) -> None:
        """Send on the worker's present connection; when it has none the words are lost."""
        if worker.up:
            self.out.append(
                ToWorker(
                    incarnation=worker.incarnation,
                    connection=worker.connection,
                    message=message,
                )
            )

    def tell(self, told: Tell) -> None:
        """Answer an asker."""
        self.out.append(told)

    def remember(self, command_id: CommandId, digest: bytes, answer: Answer) -> None:
        """Keep the answer for whoever asks again; the oldest go when there are too many."""
        answers = self.state.answers
        answers[command_id] = Answered(digest, answer)
        if len(answers) > ANSWERS_MAX:
            # Many at a time: to find the first of a dict is to walk over all that were before it.
            for old in list(islice(answers, ANSWERS_MAX // 16)):
                del answers[old]
        if isinstance(answer, Refused):
            self.count(f"refused_{answer.reason}")

    def clock(self, venue_id: VenueId) -> VenueClock:
        """Return what is known of the venue's clock."""
        return self.state.clocks[venue_id]

    def venue_ns(self, venue_id: VenueId) -> int | None:
        """Return the venue's time by our estimate; None while there is none to be trusted."""
        clock = self.state.clocks[venue_id]
        if clock.offset_ns is None or not clock.trusted:
            return None
        return self.now_ns + clock.offset_ns

    def holder(self, seat: Seat) -> Worker | None:
        """Return the worker that holds the seat's account, if it is connected."""
        if seat.holder is None:
            return None
        worker = self.state.workers[seat.holder]
        return worker if worker.up else None

    def is_ready(self, seat: Seat) -> bool:
        """Whether a release to this seat could reach its venue now."""
        if not seat.ready or seat.leaving_since_ns is not None or seat.holder is None:
            return False
        if seat.limits_confirmed != seat.limits_number:
            return False
        clock = self.state.clocks[seat.venue_id]
        is_known = clock.trusted and clock.offset_ns is not None
        return is_known and self.state.workers[seat.holder].up

    def instrument(self, attempt: Attempt) -> Instrument:
        """Return what the attempt trades."""
        return self.rules.instruments[attempt.order.instrument_id]

    def venue(self, seat: Seat) -> VenueSettings:
        """Return the settings of the seat's venue."""
        return self.rules.venues[seat.venue_id]

    def parent(self, attempt: Attempt) -> Parent:
        """Return the parent of an attempt."""
        return self.state.parents[attempt.parent_id]

    def attempts_on(self, slot_id: SlotId) -> list[Attempt]:
        """Return the attempts of a slot that are not settled, oldest first."""
        return [self.state.attempts[one] for one in self.state.seats[slot_id].open]

    def worker(self, incarnation: Incarnation) -> Worker | None:
        """Return a worker that is known."""
        return self.state.workers.get(incarnation)

    def attempt(self, client_order_id: ClientOrderId) -> Attempt | None:
        """Return an attempt that is remembered."""
        return self.state.attempts.get(client_order_id)
