"""What every process hears on its own control socket, and says there.

Each asks whether it lives. A worker can also be halted there, by a person whose coordinator may be
dead or may hang (docs/protocol.md, "Halt by hand"). Answers come in the order of the requests.
"""

from tandem.domain.ids import AccountId, HaltId
from tandem.domain.strategies import AssignmentId
from tandem.domain.value import Value


class AskAlive(Value, frozen=True, kw_only=True, tag="ask_alive"):
    """Do you live? Answered by `Alive`."""


class HaltWorker(Value, frozen=True, kw_only=True, tag="halt_worker"):
    """Stop; cancel what is open; see that it is gone. Answered by `HandHaltView`, at once."""

    halt_id: HaltId
    reason: str


class AskHandHalt(Value, frozen=True, kw_only=True, tag="ask_hand_halt"):
    """How far is your halt by hand? Answered by `HandHaltView`."""


class AskEvaluators(Value, frozen=True, kw_only=True, tag="ask_evaluators"):
    """Who evaluates strategies? Answered by `EvaluatorsView`, by the market process only."""


class AskEvaluated(Value, frozen=True, kw_only=True, tag="ask_evaluated"):
    """How far is each assignment evaluated? From the `begin`th on, by `EvaluatedView`."""

    begin: int = 0


class Leave(Value, frozen=True, kw_only=True, tag="leave"):
    """Finish what you have begun, and end; said to evaluators. Answered by `Alive`, at once."""


OwnRequest = AskAlive | HaltWorker | AskHandHalt | AskEvaluators | AskEvaluated | Leave


class Alive(Value, frozen=True, kw_only=True, tag="alive"):
    """The process lives; `news` is what it has seen since it was last asked, for people.

    `evaluators` is how many the market process wants on this computer, once it knows.
    """

    news: tuple[str, ...] = ()
    evaluators: int | None = None


class HandHaltView(Value, frozen=True, kw_only=True, tag="hand_halt"):
    """How far a worker's halt by hand is; times are CLOCK_BOOTTIME of its computer.

    `halt_id` is None while nobody has halted it by hand. `stopped_at_ns`: nothing new was handed to
    a venue from then on. `cancels_sent_at_ns`: all that the venue first listed was canceled.
    `open_orders` of ours were in the venue's last list. `verified_at_ns`: that list was empty, and
    everything handed over before the halt had been answered or had timed out.
    """

    name: str
    account_id: AccountId | None
    now_ns: int
    halt_id: HaltId | None = None
    stopped_at_ns: int | None = None
    cancels: int = 0
    cancels_sent_at_ns: int | None = None
    open_orders: int | None = None
    verified_at_ns: int | None = None


class EvaluatorView(Value, frozen=True, kw_only=True):
    """One evaluator: tasks that it has, and that wait for it."""

    name: str
    is_here: bool
    held: int
    waiting: int
    is_leaving: bool


class EvaluatorsView(Value, frozen=True, kw_only=True, tag="evaluators"):
    """Who evaluates strategies: `wanted` on this computer, between `fewest` and `most`.

    `open_tasks` wait for their outcome, the oldest since `oldest_ns`. Since the market process
    started: evaluators `lost`, tasks `redone` because of that, series that `moved` to another one.
    """

    wanted: int | None
    fewest: int
    most: int
    evaluators: tuple[EvaluatorView, ...]
    open_tasks: int
    oldest_ns: int
    lost: int
    redone: int
    moved: int


class EvaluatedAssignment(Value, frozen=True, kw_only=True):
    """The last bar that an assignment was evaluated on, whatever came of it.

    `end_ns` is None before the first, and once it has failed. `is_behind`: a later bar is not
    evaluated yet. `is_stale`: the bars of its instrument do not come as they should.
    """

    assignment_id: AssignmentId
    end_ns: int | None
    is_behind: bool = False
    is_stale: bool = False


class EvaluatedView(Value, frozen=True, kw_only=True, tag="evaluated_assignments"):
    """How far assignments are evaluated: a page from the `begin`th on, of `total`."""

    begin: int
    total: int
    assignments: tuple[EvaluatedAssignment, ...]


OwnAnswer = Alive | HandHaltView | EvaluatorsView | EvaluatedView
