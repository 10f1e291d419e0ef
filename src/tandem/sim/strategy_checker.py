"""What must be true of strategies: who decided what, and what came of it on the accounts.

At the end the decider's whole journal is read beside the store of bars, and every decision is made
again in one go, by nobody who was ever killed. While the pool runs, the desk is watched: each
decision comes to it once, and whoever was taken away trades nothing but its way out.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from tandem.adapters.journal.reading import read_all
from tandem.core.deciding.decider import Decider
from tandem.core.market.origins import origin_ns
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import DeskState, Parent
from tandem.core.trading.target_state import Assigned, Net
from tandem.domain.bars import Bar, FinalBar
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import (
    BarsFinal,
    CommandSettled,
    Decided,
    DeciderEffect,
    DeciderEvent,
    Evaluate,
    FeedJudged,
    Rostered,
    RosterSeen,
    Send,
    TargetsDropped,
    TaskAnswered,
)
from tandem.domain.desk import Commanded, DeskEffect, DeskEvent
from tandem.domain.errors import JournalCorruptError, ReplayMismatchError
from tandem.domain.evaluation import Attached, Skipped, TaskKey
from tandem.domain.ids import CommandId, InstrumentId, ParentId, SlotId
from tandem.domain.strategies import (
    FULL_PPM,
    Answer,
    AssignmentId,
    DroppedTarget,
    Fixed,
    Target,
)
from tandem.shells.deciding import DeciderRecord
from tandem.shells.recording import replay
from tandem.sim.checker import Checker
from tandem.sim.cluster import HOME
from tandem.sim.journals import Platter
from tandem.sim.scripts import End, after, evaluate
from tandem.sim.strategies import DECIDER_RECORDS, FOLDER, SimulatedStrategies

_Giving = tuple[AssignmentId, int]  # an assignment, and the desk's number of this giving


class StrategyChecker:
    """Watches the strategies of one pool."""

    def __init__(self, checker: Checker, strategies: SimulatedStrategies) -> None:
        self.checker = checker
        self.strategies = strategies
        self._before = checker.cluster.on_desk
        self._commands: dict[CommandId, SetTargets] = {}
        self._told: dict[_Giving, int] = {}  # the end of the last bar told of it
        self._parents: dict[ParentId, None] = {}
        self.seen: Counter[str] = Counter()
        if strategies.is_on:
            checker.cluster.on_desk = self._on_desk

    @property
    def counters(self) -> Counter[str]:
        """What was seen, and what was done to it."""
        seen = Counter({f"strategies: {key}": count for key, count in self.seen.items()})
        for key, count in self.strategies.wires.done.items():
            seen[f"strategies: {key}"] += count
        if self.strategies.is_on:
            seen["starts: market"] = self.strategies.starts
        return seen

    def _bad(self, text: str) -> None:
        self.checker.bad("I22", text=text)

    # -- after every event of the desk

    def _on_desk(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        self._before(event, effects)
        if isinstance(event, Commanded) and isinstance(event.asked.command, SetTargets):
            self._check_targets(event.asked.command_id, event.asked.command)
        state = self.checker.desk.state
        for key in state.working:
            if key not in self._parents and state.parents[key].claims:
                self._parents[key] = None
                self._check_parent(state, state.parents[key])

    def _check_targets(self, command_id: CommandId, command: SetTargets) -> None:
        """Each decision comes under one id only, the older ones first."""
        if command_id in self._commands:
            self.seen["commands of the decider repeated"] += 1
            if self._commands[command_id] != command:
                self._bad(f"{command_id} is said in two ways")
            return
        self._commands[command_id] = command
        for target in command.targets:
            giving = (target.assignment_id, target.number)
            if self._told.get(giving, 0) >= target.end_ns:
                self._bad(f"{target.assignment_id}: the bar that ends {target.end_ns} comes again")
            self._told[giving] = target.end_ns
            self.seen["targets"] += 1

    def _check_parent(self, state: DeskState, parent: Parent) -> None:
        """Nothing is opened for whoever was taken away, but its way out."""
        self.seen["orders for strategies"] += 1
        for claim in parent.claims:
            one = state.strategies.assigned.get(claim.assignment_id)
            if one is None:
                self._bad(f"{parent.parent_id} trades for {claim.assignment_id}, which is gone")
            elif one.leaving and not self._is_way_out(state, parent, one):
                self._bad(f"{parent.parent_id} trades for {claim.assignment_id}, which leaves")

    def _is_way_out(self, state: DeskState, parent: Parent, one: Assigned) -> bool:
        net = state.strategies.nets.get(ParentId(parent.owner or ""))
        member = net.members.get(one.assignment.assignment_id) if net is not None else None
        sign = parent.spec.side.sign
        return member is not None and not member.wanted and member.held * sign <= 0

    # -- in the end

    @property
    def is_settled(self) -> bool:
        """Whether everything is decided, told to the desk, and traded or explained."""
        if not self.strategies.is_on:
            return True
        shell = self.strategies.shell
        if shell is None or not self.checker.cluster.world.process("market").alive:
            return False
        state = shell.decider.state
        waits = any(one.asked is not None or one.pending for one in state.keys.values())
        desk = self.checker.desk
        roster = desk.state.strategies
        is_seen = (shell.roster.version, shell.roster.drops) == (roster.version, roster.drops)
        open_nets = [one for one in desk.state.strategies.nets.values() if not _is_explained(one)]
        return is_seen and not waits and not state.outbox and not open_nets

    def check_end(self) -> None:
        """Judge all decisions by the decider's journal, and what is held by the decisions."""
        if not self.strategies.is_on:
            return
        if not self.is_settled:
            self._bad(f"strategies are not settled: {self._unsettled()}")
        shell = self.strategies.shell
        assert shell is not None, "no market process was started"
        disk = Platter(self.checker.cluster.world.folder(FOLDER, machine=HOME))
        contents = [content for _, _, content in read_all(disk)]
        again = Decider()
        try:
            replay(again, contents, DECIDER_RECORDS)
        except (JournalCorruptError, ReplayMismatchError) as error:
            self.checker.bad("I11", text=f"decider: {error}")
        else:
            if again.snapshot() != shell.decider.snapshot():
                self.checker.bad("I11", text="replaying the decider gives another state")
        judge = Judge(self.strategies, self._bad)
        for content in contents:
            judge.on_record(DECIDER_RECORDS.decode(content))
        judge.check_end()
        self.seen += judge.seen
        self._check_sent(judge.sent)
        self._check_believed(shell.decider)
        self._check_counters(self.checker.desk)
        self._check_held(self.checker.desk)

    def _unsettled(self) -> str:
        shell = self.strategies.shell
        if shell is None:
            return "no market process"
        state, desk = shell.decider.state, self.checker.desk.state.strategies
        keys = [name for name, one in state.keys.items() if one.asked is not None or one.pending]
        nets = [one.net_id for one in desk.nets.values() if not _is_explained(one)]
        return f"{keys} {list(state.outbox)} {nets} {shell.roster.version} of {desk.version}"

    def _check_sent(self, sent: dict[CommandId, SetTargets]) -> None:
        """What the decider sent is what came, all of it, once."""
        for command_id, command in sent.items():
            if self._commands.get(command_id) != command:
                self._bad(f"{command_id} was sent, and never came to the desk as it was")
        for command_id in self._commands:
            if command_id not in sent:
                self._bad(f"{command_id} came to the desk, and its decision is not on the disk")

    def _check_believed(self, decider: Decider) -> None:
        """What the decider believes to be taken is what the desk wants, or wanted until an exit."""
        assigned = self.checker.desk.state.strategies.assigned
        for key, held in decider.state.held.items():
            one = assigned.get(key)
            if held.said is None or one is None or one.number != held.rostered.number:
                continue
            self.seen["beliefs compared"] += 1
            if one.position_ppm != held.said[0] or one.dropped_at:
                text = f"{held.said[0]} is believed, {one.position_ppm} is wanted"
                self._bad(f"{key}: {text}, {one.dropped_why or 'and nothing dropped'}")

    def _check_counters(self, desk: Desk) -> None:
        for key in ("targets_repeated", "targets_overtaken", "targets_garbled"):
            if desk.state.counters.get(key):
                self._bad(f"{key}: {desk.state.counters[key]}")

    def _check_held(self, desk: Desk) -> None:
        for net in desk.state.strategies.nets.values():
            self._check_wanted(desk.state, net)

    def _check_wanted(self, state: DeskState, net: Net) -> None:
        """It holds what the last decisions come to; or the desk says why not."""
        for key, member in net.members.items():
            one = state.strategies.assigned[key]
            wanted = _wanted(one, net.slot_id)
            self.seen["positions compared"] += 1
            if member.lacking and net.note:
                self.seen["positions not reached, and said why"] += 1
            elif one.is_sized and member.held != wanted:
                text = f"{member.held} lots are held, {wanted} were decided"
                self._bad(f"{net.net_id}: {key}: {text}, {member.wanted} wanted")
            elif one.is_sized:
                self.seen["positions reached"] += bool(wanted)
            else:
                self.seen["positions left as they were"] += 1
                if member.lacking:
                    self._bad(f"{net.net_id}: {key}: {member.lacking} lots are missing")


def _is_explained(net: Net) -> bool:
    is_reached = all(not one.lacking for one in net.members.values())
    return net.parent_id is None and (is_reached or bool(net.note))


def _wanted(one: Assigned, slot_id: SlotId) -> int:
    """Return what a decision comes to, counted anew."""
    sizing = one.assignment.sizing
    assert isinstance(sizing, Fixed), "nothing else is assigned here"
    belongs = slot_id in one.assignment.slots
    if not belongs or one.leaving or one.exits:
        return 0
    return sizing.quantity * max(0, one.position_ppm) // FULL_PPM


class _Given(msgspec.Struct):
    """One giving of an assignment, as the judge has it."""

    rostered: Rostered
    attached: Attached
    is_over: bool = False  # suspended
    wanted: int | None = None
    said: int | None = None  # to the desk, which has not dropped it
    said_end_ns: int = 0


class _Key(msgspec.Struct):
    """One series with what is assigned to it, as the judge has it."""

    given: dict[_Giving, _Given] = {}
    seen: int = 0
    decided: int = 0  # the number of the last bar
    begin_ns: int = 0
    waiting: dict[int, None] = {}
    asked: tuple[Evaluate, list[_Giving]] | None = None


class Judge:
    """Makes every decision of a journal again, in the order in which they are recorded."""

    def __init__(self, strategies: SimulatedStrategies, bad: Callable[[str], None]) -> None:
        self._strategies = strategies
        self._bad = bad
        self._keys: dict[TaskKey, _Key] = {}
        self._stale: dict[InstrumentId, bool] = {}
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
            case BarsFinal():
                for final in event.bars:
                    self._on_bar(final)
            case TaskAnswered():
                self._on_answer(event)
            case FeedJudged():
                self._stale[event.instrument_id] = event.is_stale
            case CommandSettled():
                self._on_settled(event)
            case TargetsDropped():
                self._on_dropped(event.dropped)
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

    def _on_dropped(self, dropped: Iterable[DroppedTarget | Target]) -> None:
        """What the desk does not carry out was not said."""
        for one in dropped:
            for key in self._keys.values():
                given = key.given.get((one.assignment_id, one.number))
                if given is not None and given.said_end_ns == one.end_ns:
                    self.seen["positions dropped by the desk"] += given.said is not None
                    given.said = None

    def _check_told(self, giving: _Giving, given: _Given, bar: Bar, answer: Answer | None) -> None:
        """While the desk wants something else, it is told with each bar that is young enough."""
        if answer is not None and answer.position_ppm is not None:
            given.wanted = answer.position_ppm
        target = self._targets.pop(giving, None)
        found = None if target is None else target.position_ppm
        is_late = self._market_ns > bar.end_ns + given.rostered.assignment.good_for_ns
        is_due = given.wanted != given.said and not is_late
        expected = given.wanted if is_due and not self._stale.get(bar.instrument_id) else None
        if found != expected:
            self._bad(f"{giving[0]}: {found} is told on {bar.end_ns}, expected {expected}")
        if target is not None:
            is_answered = answer is not None and answer.position_ppm is not None
            self.seen["positions said again"] += not is_answered
            given.said, given.said_end_ns = target.position_ppm, target.end_ns

    def _on_effect(self, effect: DeciderEffect) -> None:
        match effect:
            case Evaluate():
                key = self._keys[effect.task_id.key]
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
                answer = evaluate(given.attached, self._closes(key.asked[0]))
            if isinstance(answer, End):
                self.seen["evaluations that hung or ended"] += 1
            elif answer is None or answer.error is None:
                self._bad(f"{giving[0]} is suspended: {command.reason}, expected {answer}")

    def _closes(self, asked: Evaluate) -> list[int]:
        """Return the closes up to the bar, as they were when it was published."""
        bar = asked.bar
        published = self._strategies.store.published(
            bar.instrument_id, bar.span, after=0, count=asked.task_id.number
        )
        from_ns = origin_ns(bar.span, bar.begin_ns, bar.instrument_id)
        latest = {one.bar.begin_ns: one.bar.close for one in published}
        return [latest[one] for one in sorted(latest) if from_ns <= one <= bar.begin_ns]

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
        key.decided, key.begin_ns = number, asked.bar.begin_ns
        key.waiting.pop(number, None)
        self.seen["bars decided"] += 1
        if effect.count != len(givings):
            self._bad(f"{name}: {effect.count} decide on bar {number}, expected {len(givings)}")
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
            answer = evaluate(given.attached, closes)
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
