"""What the decider is told, and what it wants done (core/deciding/decider.py)."""

from tandem.domain.bars import Bar, FinalBar
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.evaluation import Attached, OtherBar, OtherSeen, TaskAnswer, TaskId
from tandem.domain.ids import CommandId, InstrumentId
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Decision,
    DroppedTarget,
    StrategyText,
)
from tandem.domain.value import Value


class Rostered(Value, frozen=True, kw_only=True):
    """An assignment that decides, with its instruments; `number` is the desk's, of this giving."""

    assignment: Assignment
    number: int
    instrument: Instrument
    others: tuple[Instrument, ...] = ()


class Started(Value, frozen=True, kw_only=True, tag="started"):
    """The process started, for the first time or again; `run` names it for all commands."""

    run: str


class RosterSeen(Value, frozen=True, kw_only=True, tag="roster_seen"):
    """Everything that is assigned now; `texts` has at least those that were not told before."""

    version: int
    texts: tuple[StrategyText, ...]
    entries: tuple[Rostered, ...]


class BarsFinal(Value, frozen=True, kw_only=True, tag="bars_final"):
    """The market core published these, in this order; some may have been told before."""

    bars: tuple[FinalBar, ...]


class OthersTold(Value, frozen=True, kw_only=True, tag="others_told"):
    """These were published before somebody looked at their series besides; nobody decides on them.

    In the order of their numbers, and none is left out after the first.
    """

    bars: tuple[FinalBar, ...]


class FeedJudged(Value, frozen=True, kw_only=True, tag="feed_judged"):
    """Prices of this instrument are old, or fresh again."""

    instrument_id: InstrumentId
    is_stale: bool


class HistoryRead(Value, frozen=True, kw_only=True):
    """What was found of a task's history when it was asked with it.

    `chain` is `inputs.chain_of` all its bars, and `closes` its last closes, as many as wanted.
    `others` are the chains of the other series, in the order in which they were wanted.
    """

    chain: str = ""
    closes: tuple[int, ...] = ()
    others: tuple[str, ...] = ()


class TaskAnswered(Value, frozen=True, kw_only=True, tag="task_answered"):
    """An evaluator answered; `history` is there when the task was asked with its history."""

    answer: TaskAnswer
    history: HistoryRead | None = None


class CommandSettled(Value, frozen=True, kw_only=True, tag="command_settled"):
    """The desk has taken a command, or refused it; then `refusal` says why.

    Of the decisions in it, it carries out those that are not `dropped`.
    """

    command_id: CommandId
    refusal: str | None = None
    dropped: tuple[DroppedTarget, ...] = ()


class TargetsDropped(Value, frozen=True, kw_only=True, tag="targets_dropped"):
    """The desk has given these up after it took them; some may have been told before."""

    dropped: tuple[DroppedTarget, ...]


DeciderEvent = (
    Started
    | RosterSeen
    | BarsFinal
    | OthersTold
    | FeedJudged
    | TaskAnswered
    | CommandSettled
    | TargetsDropped
)


class AskWhole(Value, frozen=True, kw_only=True):
    """What a cold evaluator needs besides the bar.

    History begins at `from_ns`, of the instrument and of each of `others`. `closes` of its last
    closes are wanted back, and with `wants_chain` the chain of all its bars. Of each of
    `others` there is what was over when the bar began, of as many as `others_seen` says.
    """

    instrument: Instrument
    others: tuple[Instrument, ...]
    from_ns: int
    attached: tuple[Attached, ...]
    closes: int = 0
    wants_chain: bool = True
    others_seen: tuple[OtherSeen, ...] = ()


class Evaluate(Value, frozen=True, kw_only=True, tag="evaluate"):
    """Have this evaluated by somebody, until it is answered."""

    task_id: TaskId
    bar: Bar
    others: tuple[OtherBar, ...] = ()
    whole: AskWhole | None = None


class Send(Value, frozen=True, kw_only=True, tag="send"):
    """Give this command to the desk, until it is settled."""

    command_id: CommandId
    command: SetTargets | SuspendStrategy


class Decided(Value, frozen=True, kw_only=True, tag="decided"):
    """A bar has been decided on: `count` assignments, of which `decisions` said something.

    `lines` is what they logged, by assignment. `state_before` and `position_before` have the
    inputs of those that said something, in their order, so that they can be evaluated again.
    `others` says what was seen of other series. `again` are those that answered no position, and
    whose last one goes to the desk again, because the desk had dropped it.
    """

    task_id: TaskId
    count: int
    decisions: tuple[Decision, ...]
    states_before: tuple[str, ...] = ()
    positions_before: tuple[int, ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()
    again: tuple[AssignmentId, ...] = ()
    others: tuple[OtherSeen, ...] = ()


class Note(Value, frozen=True, kw_only=True, tag="note"):
    """Tell a person."""

    text: str


DeciderEffect = Evaluate | Send | Decided | Note
