"""What a desk remembers of strategies: texts, assignments, and what each wants and holds.

An assignment and an account have one `Member`: what is wanted of it there, and what it holds. All
members of one account and instrument make a `Net`: the sum of what they want is what is traded.
"""

from typing import Final

import msgspec

from tandem.core.trading.algos.memos import Watch
from tandem.domain.ids import InstrumentId, ParentId, SlotId, Ticks
from tandem.domain.strategies import Assignment, AssignmentId, StrategyText, TextHash

TEXTS_MAX: Final = 20_000
TEXTS_BYTES_MAX: Final = 100_000_000  # of them all: every snapshot holds them
ASSIGNMENTS_MAX: Final = 100_000
NOTES_MAX: Final = 1_000


class Member(msgspec.Struct, array_like=True, gc=False):
    """One assignment on one account and instrument, in lots, negative when short.

    `is_sized`: it wants what the assignment's position came to here, and has not given it up.
    `is_canceled`: a person has canceled what it wanted; what it holds is what it wants, until its
    strategy wants another position.
    """

    wanted: int = 0
    held: int = 0
    is_sized: bool = False
    is_canceled: bool = False

    @property
    def lacking(self) -> int:
        """What it is still to trade."""
        return self.wanted - self.held


class Claim(msgspec.Struct, array_like=True, gc=False):
    """What an order has still to trade for one assignment, in lots without a sign.

    `is_order`: the strategy asked for this very order, so what trades of it is wanted as well.
    """

    assignment_id: AssignmentId
    strategy: str
    left: int
    is_order: bool = False


class Net(msgspec.Struct, gc=False):
    """All assignments on one account and instrument, and the one order that trades for them.

    `parent_id` is that order while it lives. `is_stopping`: it was canceled by us, because it no
    longer leads where it should. `retry_at_ns` and `alarm_ns` are CLOCK_BOOTTIME. `note` is why
    what is wanted is not held yet.
    """

    net_id: ParentId
    slot_id: SlotId
    instrument_id: InstrumentId
    members: dict[AssignmentId, Member] = {}
    parent_id: ParentId | None = None
    is_stopping: bool = False
    retry_at_ns: int = 0
    alarm_ns: int = 0
    note: str = ""
    is_dust: bool = False  # what is missing is less than can be traded
    refusals: int = 0  # orders in a row that its venue refused, up to `REFUSALS_MAX`


class Assigned(msgspec.Struct, gc=False):
    """An assignment and what became of its decisions; moments are market time.

    `number` rises each time it is assigned. `begin_ns` and `end_ns` are of the bar of the last
    decision taken. `is_sized`: all its members are; those that are not are sized anew with the
    next position. `has_ordered`: orders of its own were placed since the last one. `exits` is why
    it is made flat, until its next position. `nets` are those that it is a member of, `orders`
    those of its own that are out.
    `flat_alarm_ns` is CLOCK_BOOTTIME. `position_end_ns` is of the bar of the last position taken;
    `dropped_at` is the number of the drop that gave it up, 0 while it counts, and `is_expired`
    that it did so because its time was over.
    """

    assignment: Assignment
    number: int
    position_ppm: int = 0
    begin_ns: int | None = None
    end_ns: int | None = None
    is_sized: bool = False
    stop_price: Ticks | None = None
    target_price: Ticks | None = None
    watch: Watch = msgspec.field(default_factory=Watch)
    suspended: str | None = None
    leaving: bool = False
    exits: str = ""
    dropped: int = 0
    nets: dict[ParentId, None] = {}
    orders: dict[ParentId, None] = {}
    flat_alarm_ns: int = 0
    position_end_ns: int = 0
    dropped_at: int = 0
    dropped_why: str = ""
    is_expired: bool = False
    has_ordered: bool = False


class Noted(msgspec.Struct, array_like=True, gc=False):
    """One line of the log of decisions."""

    market_ns: int
    assignment_id: AssignmentId
    begin_ns: int | None
    what: str
    text: str


class Strategies(msgspec.Struct, gc=False):
    """All of it. `version` rises with every change of texts and assignments.

    `names` say which text a name means. `armed` are the assignments with a stop or a target, by
    the instrument that they hold. `notes` are the latest of the log, oldest first. `drops` counts
    positions that were given up after they were taken.
    """

    version: int = 0
    texts: dict[TextHash, StrategyText] = {}
    names: dict[str, TextHash] = {}
    assigned: dict[AssignmentId, Assigned] = {}
    nets: dict[ParentId, Net] = {}
    armed: dict[InstrumentId, dict[AssignmentId, None]] = {}
    notes: list[Noted] = []
    texts_bytes: int = 0
    drops: int = 0

    @property
    def is_watching(self) -> bool:
        """Whether it waits for the market."""
        return bool(self.armed)

    def note(self, noted: Noted) -> None:
        """Keep a line of the log; the oldest go when there are too many."""
        self.notes.append(noted)
        if len(self.notes) > NOTES_MAX + NOTES_MAX // 16:
            del self.notes[:-NOTES_MAX]
