"""What must be true of strategies: who decided what, and what came of it on the accounts.

At the end the decider's whole journal is read beside the store of bars, and every decision is made
again in one go, by nobody who was ever killed. While the pool runs, the desk is watched: each
decision comes to it once, and whoever was taken away trades nothing but its way out.
"""

from collections import Counter

from tandem.adapters.journal.reading import verify
from tandem.core.deciding.decider import Decider
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import DeskState, Parent
from tandem.core.trading.target_state import Assigned, Net
from tandem.domain.commands import SetTargets
from tandem.domain.desk import Commanded, DeskEffect, DeskEvent
from tandem.domain.errors import JournalCorruptError, ReplayMismatchError
from tandem.domain.ids import CommandId, ParentId, SlotId
from tandem.domain.strategies import (
    FULL_PPM,
    AssignmentId,
    Fixed,
)
from tandem.shells.recording import replay
from tandem.sim.checker import Checker
from tandem.sim.cluster import HOME
from tandem.sim.journals import Platter
from tandem.sim.strategies import DECIDER_RECORDS, FOLDER, SimulatedStrategies
from tandem.sim.strategy_judge import Judge

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
        contents: list[bytes] = []
        try:
            verify(disk, on_records=contents.extend)
        except JournalCorruptError as error:
            self.checker.bad("I13", text=f"decider: {error}")
            return
        again = Decider()
        try:
            replay(again, contents, DECIDER_RECORDS)
        except ReplayMismatchError as error:
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
            # What was decided in lots of before a split is held in other ones, rounded.
            is_split = net.instrument_id in state.splits.instruments
            is_sized = one.is_sized and not is_split and not member.is_canceled
            self.seen["positions compared"] += 1
            if member.is_canceled and member.lacking:
                self._bad(f"{net.net_id}: {key}: {member.lacking} lots lack that a person canceled")
            if member.lacking and net.note:
                self.seen["positions not reached, and said why"] += 1
            elif is_sized and member.held != wanted:
                text = f"{member.held} lots are held, {wanted} were decided"
                self._bad(f"{net.net_id}: {key}: {text}, {member.wanted} wanted")
            elif is_sized:
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
