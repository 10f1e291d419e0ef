"""Everything that the decider remembers."""

import msgspec

from tandem.domain.bars import FinalBar, Span
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import Rostered
from tandem.domain.evaluation import AttachmentNumber, OtherBar, OtherSeen, TaskId, TaskKey
from tandem.domain.ids import CommandId, InstrumentId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import AssignmentId, StrategyText, TextHash

Wanted = tuple[int, Ticks | None, Ticks | None]  # position, stop and target


class Held(msgspec.Struct, array_like=True, gc=False):
    """One assignment: what it remembers, what it wanted last, and what the desk was told of it.

    `error` is why it decides no more. `wanted` is the last position that it answered. `said` is
    what was sent to the desk last, for the bar that ends `said_end_ns`; None when nothing was, or
    when the desk has dropped it. While the two differ, the desk is told with each bar. `given_up`
    is what the desk took and then dropped, until something else is wanted.
    `has_ordered`: the desk was told orders alone since the last position that was answered.
    `is_after_orders`: `wanted` was answered once more after such orders.
    """

    rostered: Rostered
    number: AttachmentNumber
    key: TaskKey
    state: str = "{}"
    position_ppm: int = 0
    error: str | None = None
    said: Wanted | None = None
    decided: int = 0
    dropped: int = 0
    wanted: Wanted | None = None
    said_end_ns: int = 0
    given_up: Wanted | None = None
    has_ordered: bool = False
    is_after_orders: bool = False


class Asked(msgspec.Struct, array_like=True, gc=False):
    """The bar that is being evaluated, and what it was asked with."""

    task_id: TaskId
    final: FinalBar
    others: tuple[OtherBar, ...]
    attached: list[AttachmentNumber]
    is_whole: bool
    seen: tuple[OtherSeen, ...] = ()


class KeyState(msgspec.Struct, array_like=True, gc=False):
    """What is evaluated together: a series, and those that are assigned to it.

    `seen` and `done` are the numbers of the last final bar that was told, and evaluated. `warm` is
    the roster of that evaluation; another one, or None, asks with everything. `chain` is that of
    all bars since `origin_ns` up to `done`, None when it must be read from history. `closes` are
    the last ones, as many as a volatility needs (`closes_wanted`). Of `others`, `others_told` is
    the number of the last bar that was told, `others_pending` has those that are not seen yet, and
    `others_chains` are of what was seen; they are known while `chain` is. Until a bar begins at
    `others_cut_ns`, what waits is not all that may be seen. `begin_ns` and `end_ns` are of the last
    bar that was evaluated.
    """

    instrument: Instrument
    span: Span
    members: dict[AttachmentNumber, AssignmentId] = {}
    others: dict[InstrumentId, Instrument] = {}
    roster: int = 0
    warm: int | None = None
    seen: int = 0
    done: int = 0
    origin_ns: int | None = None
    chain: str | None = None
    closes: list[int] = []
    pending: list[FinalBar] = []
    others_pending: list[OtherBar] = []
    asked: Asked | None = None
    closes_wanted: int = 0
    others_told: dict[InstrumentId, int] = {}
    others_cut_ns: int = 0
    others_chains: dict[InstrumentId, str] = {}
    begin_ns: int = 0
    end_ns: int = 0


class DeciderState(msgspec.Struct, array_like=True, gc=False):
    """The whole decider.

    `by_series` has the keys whose strategies look at a series. `outbox` holds commands that the
    desk has not settled. Rosters are numbered through all keys, so that none
    comes again. `late` counts answers that nobody
    waited for any more.
    """

    run: str = ""
    version: int = -1
    commands: int = 0
    numbers: int = 0
    rosters: int = 0
    texts: dict[TextHash, StrategyText] = {}
    held: dict[AssignmentId, Held] = {}
    keys: dict[TaskKey, KeyState] = {}
    by_series: dict[str, list[TaskKey]] = {}
    outbox: dict[CommandId, SetTargets | SuspendStrategy] = {}
    stale: dict[InstrumentId, None] = {}
    late: int = 0
    evaluated: int = 0
    decided: int = 0

    def index(self) -> None:
        """Find anew which keys look at which series."""
        self.by_series = {}
        for name, key in self.keys.items():
            for instrument_id in (key.instrument.instrument_id, *key.others):
                self.by_series.setdefault(f"{instrument_id} {key.span}", []).append(name)


def key_of(rostered: Rostered) -> TaskKey:
    """Return what it is evaluated with: others of the same series."""
    return TaskKey(f"{rostered.instrument.instrument_id} {rostered.assignment.span}")
