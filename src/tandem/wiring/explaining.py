"""Recorded decisions, evaluated again: from the decider's journal and the bars that it had.

What a strategy was given stands in two places: its own part (text, parameters, state, position) in
the journal, the bars in the store, where every revision keeps the number under which it was
published. So history is read as it was when the bar was decided, without what was corrected since.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final

import msgspec

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.core.deciding.inputs import attached_of, chained, inputs_hash
from tandem.core.deciding.state import key_of
from tandem.core.market.origins import origin_ns
from tandem.domain.bars import Bar
from tandem.domain.commands import SuspendStrategy
from tandem.domain.deciding import (
    AskWhole,
    Decided,
    DeciderEffect,
    Evaluate,
    Note,
    Rostered,
    RosterSeen,
    Send,
    TaskAnswered,
)
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import (
    AttachmentNumber,
    Evaluated,
    OtherSeen,
    Skipped,
    TaskAnswer,
    TaskKey,
)
from tandem.domain.strategies import Answer, AssignmentId, Decision, StrategyText, TextHash
from tandem.ports import BarStore
from tandem.shells.deciding import DeciderRecord
from tandem.shells.histories import BarsThen, task_with_history
from tandem.wiring.evaluating import Ask, evaluator_here
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records
from tandem.wiring.strategies import bars_file

_NUMBER: Final = AttachmentNumber(0)


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A bar on which nothing was decided, because it was suspended or the bar was passed over.

    A strategy is suspended when it had to be ended by force, or cannot be.
    """

    bar: Bar
    number: int
    reason: str
    is_suspended: bool


class NothingDecidedError(ConfigurationError):
    """There is no such decision; `stopped` says what happened instead, where anything did."""

    def __init__(self, text: str, *, stopped: Stopped | None, symbol: str) -> None:
        super().__init__(text)
        self.stopped = stopped
        self.symbol = symbol


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as it stands in the journal, with everything that was given for it.

    `asked` is its task, without the history; `others` says what was seen of other series.
    `stopped` is the last bar since on which nothing was decided.
    """

    rostered: Rostered
    text: StrategyText
    asked: Evaluate
    state: str
    position_ppm: int
    decision: Decision
    lines: tuple[str, ...]
    others: tuple[OtherSeen, ...] = ()
    stopped: Stopped | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was made again. `answer` is None when there was none; `why` says why.

    `bars` counts those that were given, the last one included, and `others` those of other series.
    """

    recorded: Recorded
    bars: int
    inputs_hash: str
    answer: Answer | None
    lines: tuple[str, ...] = ()
    why: str = ""
    others: dict[str, int] = {}

    @property
    def is_same_inputs(self) -> bool:
        """Whether what is given now is what was given then."""
        return self.inputs_hash == self.recorded.decision.inputs_hash

    @property
    def is_same(self) -> bool:
        """Whether the same inputs had the same answer, and nothing else was logged."""
        recorded = self.recorded
        said = (recorded.decision.answer, recorded.lines)
        return self.is_same_inputs and (self.answer, self.lines) == said


async def explain(
    home: Home, assignment_id: AssignmentId, at_ns: int | None, say: Callable[[str], None]
) -> Explained:
    """Evaluate again what was decided last, or last on a bar that began no later than `at_ns`.

    Raises:
        NothingDecidedError: no such decision is in the journal.
        ConfigurationError: its bar is not stored.
        JournalCorruptError: the journal changed after it was durable.
        ProcessUnreachableError: the jail ended.
    """
    recorded = recorded_decision(home, assignment_id, at_ns)
    with closing(_store_of(home, recorded.asked)) as store:
        async with evaluator_here(say) as ask:
            return await made_again(recorded, store, ask)


def recorded_decision(home: Home, assignment_id: AssignmentId, at_ns: int | None) -> Recorded:
    """Return the last decision of an assignment on a bar that began no later than `at_ns`.

    Raises:
        NothingDecidedError: there is none.
        JournalCorruptError: the journal changed after it was durable.
    """
    reading = _Reading(assignment_id, at_ns)
    for record in decider_records(home):
        reading.read(record)
    if reading.found is None:
        known = ", ".join(sorted(reading.known)[:30]) or "none"
        when = "" if at_ns is None else " by then"
        text = f"{assignment_id}: nothing was decided{when}; there are decisions of: {known}"
        raise NothingDecidedError(text, stopped=reading.stopped, symbol=reading.symbol)
    return msgspec.structs.replace(reading.found, stopped=reading.stopped)


async def made_again(recorded: Recorded, store: BarStore, ask: Ask) -> Explained:
    """Give a strategy again what it was given, and return what it says now."""
    asked, rostered = recorded.asked, recorded.rostered
    bar = asked.bar
    attached = attached_of(
        rostered.assignment, _NUMBER, state=recorded.state, position_ppm=recorded.position_ppm
    )
    whole = AskWhole(
        instrument=rostered.instrument,
        others=rostered.others,
        from_ns=origin_ns(bar.span, bar.begin_ns, bar.instrument_id),
        attached=(attached,),
        others_seen=_seen(recorded),
    )
    given = msgspec.structs.replace(asked, whole=whole, others=())
    texts = {recorded.text.text_hash: recorded.text}
    task, history = task_with_history(given, texts, BarsThen(store, given))
    assert task.whole is not None, "it was asked with everything"
    assert history is not None, "it was asked with everything"
    answer, lines, why = _said(await ask(task))
    return Explained(
        recorded=recorded,
        bars=len(task.whole.series.history) + 1,
        inputs_hash=inputs_hash(attached, chained(history.chain, bar), history.others),
        answer=answer,
        lines=lines,
        why=why,
        others={one.symbol: len(one.history) for one in task.whole.others},
    )


def _seen(recorded: Recorded) -> tuple[OtherSeen, ...]:
    """Return how much was seen of each series that this strategy looks at."""
    wanted = {one.instrument_id: None for one in recorded.rostered.others}
    return tuple(one for one in recorded.others if one.instrument_id in wanted)


def _said(answer: TaskAnswer) -> tuple[Answer | None, tuple[str, ...], str]:
    """Return what the only one that was asked said, what it logged, and why it said nothing."""
    if isinstance(answer, Skipped):
        return None, (), answer.reason
    said = answer.said if isinstance(answer, Evaluated) else answer.failed
    if not said:
        return None, (), "it says nothing and remembers what it did"
    return said[0].answer, said[0].lines, ""


class _Reading:
    """What a journal has told so far, as far as one assignment needs it."""

    def __init__(self, assignment_id: AssignmentId, at_ns: int | None) -> None:
        self.known: dict[AssignmentId, None] = {}
        self.found: Recorded | None = None
        self.stopped: Stopped | None = None
        self._asked: dict[TaskKey, Evaluate] = {}
        self._id = assignment_id
        self._at_ns = at_ns
        self._texts: dict[TextHash, StrategyText] = {}
        self._rostered: Rostered | None = None

    @property
    def symbol(self) -> str:
        """What it decides on, as far as is known."""
        return self._rostered.assignment.symbol if self._rostered is not None else ""

    def read(self, record: DeciderRecord) -> None:
        """Take one record over."""
        event, effects = record.event, record.effects
        if isinstance(event, RosterSeen):
            self._see(event)
        elif isinstance(event, TaskAnswered):
            self._note_stop(event.answer, effects)
        for effect in effects:
            if isinstance(effect, Evaluate):
                self._asked[effect.task_id.key] = effect
            elif isinstance(effect, Decided):
                self._take(effect)

    def _note_stop(self, answer: TaskAnswer, effects: Sequence[DeciderEffect]) -> None:
        """Remember why nothing was decided on a bar; a decision since clears it."""
        asked = self._asked.get(answer.task_id.key)
        if asked is None or self._is_later(asked.bar.begin_ns):
            return
        reasons = [
            one.command.reason
            for one in effects
            if isinstance(one, Send)
            and isinstance(one.command, SuspendStrategy)
            and one.command.assignment_id == self._id
        ]
        is_suspended = bool(reasons)
        if isinstance(answer, Skipped) and self._is_asked_by(answer.task_id.key, effects):
            reasons.append(answer.reason)
        if reasons:
            self.stopped = Stopped(
                bar=asked.bar,
                number=asked.task_id.number,
                reason=reasons[0],
                is_suspended=is_suspended,
            )

    def _is_asked_by(self, key: TaskKey, effects: Sequence[DeciderEffect]) -> bool:
        """Return whether a task that was passed over, and not late, is one of this assignment."""
        is_noted = any(isinstance(one, Note) for one in effects)
        return is_noted and self._rostered is not None and key_of(self._rostered) == key

    def _is_later(self, begin_ns: int) -> bool:
        return self._at_ns is not None and begin_ns > self._at_ns

    def _see(self, event: RosterSeen) -> None:
        self._texts.update((text.text_hash, text) for text in event.texts)
        for entry in event.entries:
            if entry.assignment.assignment_id == self._id:
                self._rostered = entry

    def _take(self, decided: Decided) -> None:
        """Take the decision that is looked for, if it is among these."""
        for place, decision in enumerate(decided.decisions):
            self.known[decision.assignment_id] = None
            if decision.assignment_id != self._id or self._is_later(decision.begin_ns):
                continue
            assert self._rostered is not None, "who decides was assigned"
            self.stopped = None
            self.found = Recorded(
                rostered=self._rostered,
                text=self._texts[self._rostered.assignment.text_hash],
                asked=self._asked[decided.task_id.key],
                state=decided.states_before[place],
                position_ppm=decided.positions_before[place],
                decision=decision,
                lines=decided.lines[place] if decided.lines else (),
                others=decided.others,
            )


def _store_of(home: Home, asked: Evaluate) -> BarStore:
    """Open the bars from which this was decided: of a replayed market, or of one that goes on.

    Raises:
        ConfigurationError: none has this bar.
    """
    places = [bars_file(home, is_replay=is_replay) for is_replay in (True, False)]
    for place in places:
        if place.is_file():
            store = SqliteBars.reading(place)
            if _has(store, asked):
                return store
            store.close()
    raise ConfigurationError(
        f"{home.market}: the bar that was decided on is not stored; "
        "a market that is replayed keeps its bars until the next one begins"
    )


def _has(store: BarStore, asked: Evaluate) -> bool:
    bar, number = asked.bar, asked.task_id.number
    found = store.published(bar.instrument_id, bar.span, after=number - 1, count=1)
    return bool(found) and (found[0].number, found[0].bar) == (number, bar)
