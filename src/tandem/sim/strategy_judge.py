"""Makes every decision of a decider's journal again, in one go, by nobody who was ever killed."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from tandem.core.market.origins import origin_ns
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import (
    BarsFinal,
    CommandSettled,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    FeedJudged,
    OthersTold,
    Rostered,
    RosterSeen,
    Send,
    TargetsDropped,
    TaskAnswered,
)
from tandem.domain.evaluation import Attached, OtherSeen, Skipped, TaskId, TaskKey
from tandem.domain.ids import CommandId, InstrumentId
from tandem.domain.strategies import Answer, AssignmentId, DroppedTarget, Target
from tandem.shells.deciding import DeciderRecord
from tandem.sim.scripts import End, after, evaluate
from tandem.sim.strategies import SimulatedStrategies

_Giving = tuple[AssignmentId, int]  # an assignment, and the desk's number of this giving


class _Given(msgspec.Struct):
    """One giving of an assignment, as the judge has it."""

    rostered: Rostered
    attached: Attached
    is_over: bool = False  # suspended
    wanted: int | None = None
    said: int | None = None  # to the desk, which has not dropped it
    said_end_ns: int = 0
    given_up: int | None = None  # by the desk, after it was taken


class _Key(msgspec.Struct):
    """One series with what is assigned to it, as the judge has it."""

    given: dict[_Giving, _Given] = {}
    seen: int = 0
    decided: int = 0  # the number of the last bar
    begin_ns: int = 0
    end_ns: int = 0
    waiting: dict[int, None] = {}
    asked: tuple[Evaluate, list[_Giving]] | None = None
    others: dict[InstrumentId, int] = {}  # how far each was told when the last bar was asked


class Judge:
    """Makes every decision of a journal again, in the order in which they are recorded."""

    def __init__(self, strategies: SimulatedStrategies, bad: Callable[[str], None]) -> None:
        self._strategies = strategies
        self._bad = bad
        self._keys: dict[TaskKey, _Key] = {}
        self._stale: dict[InstrumentId, bool] = {}
        self._numbers: dict[tuple[InstrumentId, Span], int] = {}  # how far each series is told
        self._market_ns = 0
        self._targets: dict[_Giving, Target] = {}  # those that this record sends
        self._settled: dict[CommandId, None] = {}
        self.sent: dict[CommandId, SetTargets] = {}
        self.seen: Counter[str] = Counter()

    def on_record(self, record: DeciderRecord) -> None:
        """Follow one record: its event, and then its effects."""
        self._market_ns = record.now.market_ns
        self._targets = {
            (target.assignment_id, target.number): target
            for effect in record.effects
            if isinstance(effect, Send) and isinstance(effect.command, SetTargets)
            for target in effect.command.targets
        }
        self._on_event(record.event)
        for effect in record.effects:
            self._on_effect(effect)
        for key in self._keys.values():
            if all(one.is_over for one in key.given.values()):
                key.waiting.clear()  # nobody is left to decide on them

    def _on_event(self, event: DeciderEvent) -> None:
        match event:
            case RosterSeen():
                self._on_roster(event)
            case BarsFinal() | OthersTold():
                for final in event.bars:
                    series = (final.bar.instrument_id, final.bar.span)
                    self._numbers[series] = max(final.number, self._numbers.get(series, 0))
                    if isinstance(event, BarsFinal):
                        self._on_bar(final)
            case TaskAnswered():
                self._on_answer(event)
            case FeedJudged():
                self._stale[event.instrument_id] = event.is_stale
                if not event.is_stale:
                    self._on_fresh(event.instrument_id)
            case CommandSettled():
                self._on_settled(event)
            case TargetsDropped():
                self._on_dropped(event.dropped, were_taken=True)
            case _:
                pass

    def check_end(self) -> None:
        """Every bar that was told was decided."""
        for name, key in self._keys.items():
            if key.waiting:
                self._bad(f"{name}: nothing was decided on bars {list(key.waiting)}")

    def _on_roster(self, event: RosterSeen) -> None:
        wanted = {(one.assignment.assignment_id, one.number): one for one in event.entries}
        for name, key in list(self._keys.items()):
            key.given = {one: it for one, it in key.given.items() if one in wanted}
            if not key.given:
                del self._keys[name]
        for giving, entry in wanted.items():
            name = TaskKey(f"{entry.instrument.instrument_id} {entry.assignment.span}")
            key = self._keys.setdefault(name, _Key())
            if giving not in key.given:
                assignment = entry.assignment
                attached = Attached(
                    number=0,  # type: ignore[arg-type]
                    text_hash=assignment.text_hash,
                    parameters=assignment.parameters,
                    others=assignment.others,
                )
                key.given[giving] = _Given(entry, attached)
                self.seen["assignments seen by the decider"] += 1

    def _on_bar(self, final: FinalBar) -> None:
        name = TaskKey(f"{final.bar.instrument_id} {final.bar.span}")
        key = self._keys.get(name)
        if key is None or final.number <= key.seen:
            return
        if key.seen and final.number != key.seen + 1:
            self._bad(f"{name}: bar {final.number} is told after {key.seen}")
        key.seen = final.number
        if not final.revision:
            key.waiting[final.number] = None

    def _on_answer(self, event: TaskAnswered) -> None:
        answer = event.answer
        key = self._keys.get(answer.task_id.key)
        if isinstance(answer, Skipped):
            is_ours = answer.task_id in self._strategies.wires.skipped
            if not is_ours:
                self._bad(f"{answer.task_id} is passed over: {answer.reason}")
            if key is not None and key.asked is not None:
                asked = key.asked[0]
                if asked.task_id == answer.task_id:
                    self.seen["bars passed over, and said so"] += 1
                    key.waiting.pop(answer.task_id.number, None)
                    key.asked = None

    def _on_settled(self, event: CommandSettled) -> None:
        command = self.sent.get(event.command_id)
        if command is not None and event.command_id not in self._settled:
            self._settled[event.command_id] = None
            self._on_dropped(event.dropped if event.refusal is None else command.targets)

    def _on_dropped(
        self, dropped: Iterable[DroppedTarget | Target], *, were_taken: bool = False
    ) -> None:
        """What the desk does not carry out was not said."""
        for one in dropped:
            giving = (one.assignment_id, one.number)
            for key in self._keys.values():
                given = key.given.get(giving)
                if given is None or given.said is None or given.said_end_ns != one.end_ns:
                    continue
                self.seen["positions dropped by the desk"] += 1
                given.given_up = given.said if were_taken else given.given_up
                given.said = None
                if isinstance(one, DroppedTarget) and one.is_expired:
                    self._check_said_again(giving, given, key)

    def _on_fresh(self, instrument_id: InstrumentId) -> None:
        """What was not said of the last bar, because prices were stale, is said now."""
        for key in self._keys.values():
            for giving, given in key.given.items():
                if given.rostered.instrument.instrument_id == instrument_id:
                    self._check_said_again(giving, given, key)

    def _check_said_again(self, giving: _Giving, given: _Given, key: _Key) -> None:
        """What is wanted is said as the newest bar decided it, unless it was of that bar."""
        is_late = self._market_ns > given.rostered.assignment.good_until_ns(key.end_ns)
        is_stale = self._stale.get(given.rostered.instrument.instrument_id)
        is_said = given.wanted == given.said or key.end_ns <= given.said_end_ns
        is_due = not (given.is_over or is_said or is_late or is_stale)
        target = self._targets.pop(giving, None)
        found = None if target is None else (target.position_ppm, target.end_ns)
        if found != ((given.wanted, key.end_ns) if is_due else None):
            self._bad(f"{giving[0]}: {found} is said again, {given.wanted} wanted, {is_due}")
        if target is not None:
            self.seen["positions said again at once"] += 1
            self._note_said(giving, given, target)

    def _note_said(self, giving: _Giving, given: _Given, target: Target) -> None:
        if target.is_again is not (given.wanted == given.given_up is not None):
            self._bad(f"{giving[0]}: {target}, when {given.given_up} was given up")
        given.said, given.said_end_ns = target.position_ppm, target.end_ns

    def _check_told(self, giving: _Giving, given: _Given, bar: Bar, answer: Answer | None) -> None:
        """While the desk wants something else, it is told with each bar that is young enough."""
        if answer is not None and answer.position_ppm not in (None, given.wanted):
            given.wanted, given.given_up = answer.position_ppm, None
        target = self._targets.pop(giving, None)
        found = None if target is None else target.position_ppm
        is_late = self._market_ns > given.rostered.assignment.good_until_ns(bar.end_ns)
        is_due = given.wanted != given.said and not is_late
        expected = given.wanted if is_due and not self._stale.get(bar.instrument_id) else None
        if found != expected:
            self._bad(f"{giving[0]}: {found} is told on {bar.end_ns}, expected {expected}")
        if target is not None:
            is_answered = answer is not None and answer.position_ppm is not None
            self.seen["positions said again"] += not is_answered
            self._note_said(giving, given, target)

    def _on_effect(self, effect: DeciderEffect) -> None:
        match effect:
            case Evaluate():
                key = self._keys[effect.task_id.key]
                self._note_others(key, effect)
                key.asked = (effect, [one for one, it in key.given.items() if not it.is_over])
            case Decided():
                self._on_decided(effect)
            case Send():
                if isinstance(effect.command, SetTargets):
                    self.sent[effect.command_id] = effect.command
                else:
                    self._on_suspended(effect.command)
            case _:
                pass

    def _on_suspended(self, command: SuspendStrategy) -> None:
        """Only who failed on the bar that was asked is suspended."""
        giving = (command.assignment_id, command.number)
        for key in self._keys.values():
            given = key.given.get(giving)
            if given is None or given.is_over:  # said again after a restart
                continue
            given.is_over = True
            answer = None
            if key.asked is not None:
                asked = key.asked[0]
                others = self._others(key, given.rostered, asked)
                answer = evaluate(given.attached, self._closes(asked), others)
            if isinstance(answer, End):
                self.seen["evaluations that hung or ended"] += 1
            elif answer is None or answer.error is None:
                self._bad(f"{giving[0]} is suspended: {command.reason}, expected {answer}")

    def _note_others(self, key: _Key, asked: Evaluate) -> None:
        """Of others is seen what was told when the bar was asked about last."""
        span = asked.bar.span
        key.others = {one: it for (one, of), it in self._numbers.items() if of is span}
        self._check_seen(key, asked.task_id, asked.whole.others_seen if asked.whole else ())

    def _check_seen(self, key: _Key, task_id: TaskId, seen: tuple[OtherSeen, ...]) -> None:
        for one in seen:
            expected = key.others.get(one.instrument_id, 0)
            if one.number != expected:
                self._bad(f"{task_id}: {one} is seen, {expected} were told")

    def _closes(self, asked: Evaluate) -> list[int]:
        """Return the closes up to the bar, as they were when it was published."""
        bar = asked.bar
        return self._closes_of(asked, bar.instrument_id, asked.task_id.number, bar.begin_ns + 1)

    def _others(self, key: _Key, rostered: Rostered, asked: Evaluate) -> dict[str, list[int]]:
        """Return the closes of others that were over when the bar began, and told."""
        to_ns = asked.bar.begin_ns - asked.bar.span.ns + 1
        return {
            one.symbol: self._closes_of(
                asked, one.instrument_id, key.others.get(one.instrument_id, 0), to_ns
            )
            for one in rostered.others
        }

    def _closes_of(
        self, asked: Evaluate, instrument_id: InstrumentId, number: int, to_ns: int
    ) -> list[int]:
        """Return those of the bars that were published first, in the order of time."""
        bar = asked.bar
        published = self._strategies.store.published(instrument_id, bar.span, after=0, count=number)
        from_ns = origin_ns(bar.span, bar.begin_ns, bar.instrument_id)
        latest = {one.bar.begin_ns: one.bar.close for one in published}
        return [latest[one] for one in sorted(latest) if from_ns <= one < to_ns]

    def _on_decided(self, effect: Decided) -> None:
        name, number = effect.task_id.key, effect.task_id.number
        key = self._keys.get(name)
        if key is None or key.asked is None:
            self._bad(f"{name}: bar {number} is decided, and nobody asked")
            return
        asked, givings = key.asked
        key.asked = None
        if asked.task_id.number != number:
            self._bad(f"{name}: bar {number} is decided, {asked.task_id.number} was asked")
        if number <= key.decided or asked.bar.begin_ns <= key.begin_ns:
            self._bad(f"{name}: bar {number} is decided after {key.decided}")
        key.decided, key.begin_ns, key.end_ns = number, asked.bar.begin_ns, asked.bar.end_ns
        key.waiting.pop(number, None)
        self.seen["bars decided"] += 1
        if effect.count != len(givings):
            self._bad(f"{name}: {effect.count} decide on bar {number}, expected {len(givings)}")
        self._check_seen(key, effect.task_id, effect.others)
        self._check_decisions(key, asked, effect, givings)

    def _check_decisions(
        self, key: _Key, asked: Evaluate, effect: Decided, givings: list[_Giving]
    ) -> None:
        closes = self._closes(asked)
        said = {one.assignment_id: one for one in effect.decisions}
        if len(said) != len(effect.decisions):
            self._bad(f"{effect.task_id}: somebody decided twice")
        for giving in givings:
            given = key.given.get(giving)
            if given is None:  # taken away since it was asked
                said.pop(giving[0], None)
                continue
            others = self._others(key, given.rostered, asked)
            self.seen["decisions that looked at others"] += any(others.values())
            answer = evaluate(given.attached, closes, others)
            decision = said.pop(giving[0], None)
            self.seen["decisions"] += 1
            found = None if decision is None else decision.answer
            if isinstance(answer, End) or found != answer:
                self._bad(f"{giving[0]} on {effect.task_id}: {found}, expected {answer}")
                given.is_over = True
                continue
            if answer is None or answer.error is None:
                if answer is not None:
                    given.attached = after(given.attached, answer)
                self._check_told(giving, given, asked.bar, answer)
        if said:
            self._bad(f"{effect.task_id}: {list(said)} decided, and nobody asked them")
        for assignment_id, _ in self._targets:
            self._bad(f"{assignment_id}: a target is told that nobody decided")
