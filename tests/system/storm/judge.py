"""What a storm did, by the two journals and nothing else: the exchange's and the coordinator's."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from tandem.core.matching.exchange import Exchange
from tandem.core.matching.state import AccountState, Execution
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import DeskState, ParentPhase
from tandem.domain.commands import SetTargets
from tandem.domain.desk import (
    Commanded,
    DeskEvent,
    FromWorker,
    Joined,
    LeaseLapsed,
    Restarted,
    ToWorker,
    WorkerDied,
    WorkerSilent,
)
from tandem.domain.exchange import ExchangeEvent, Requested
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.link import Answered, Audited, Grant, Release, Reported
from tandem.domain.reports import Filled
from tandem.domain.strategies import AssignmentId
from tandem.domain.venue import OrderFound, PlaceOrder
from tandem.wiring.home import Home
from tandem.wiring.journals import desk_records, records
from tandem.wiring.settings import exchange_settings, read_paper
from tests.system.verdict import met

MS: Final = 1_000_000


class Blow(msgspec.Struct, frozen=True):
    """Harm done to a process, at a moment of CLOCK_BOOTTIME."""

    at_ns: int
    kind: str
    name: str


class Judgement(msgspec.Struct, kw_only=True):
    """The counts that must be zero, with what they stand on; times in milliseconds."""

    lost: list[str]
    repeated: list[str]
    crossed: int
    executions: int
    orders: int
    parents: int
    lapsed: int
    counters: dict[str, int]
    detection: dict[str, list[float]]
    first_order: dict[str, list[float]]
    settlement: list[float]


class Venue:
    """What the exchange's journal says."""

    def __init__(self, home: Home) -> None:
        self.executions: dict[str, Execution] = {}
        self.order_of: dict[str, str] = {}
        self.accepted: Counter[str] = Counter()
        self.prevented = 0
        self.open: list[str] = []
        self.traded: Counter[tuple[AccountId, InstrumentId]] = Counter()
        self.turnover: Counter[tuple[AccountId, InstrumentId]] = Counter()
        settings = exchange_settings(read_paper(home))
        exchange = Exchange(settings)
        self._accounts = [one.account_id for one in settings.accounts]
        self._seen = [0] * len(exchange.state.accounts)
        self._numbers: dict[str, int] = {}
        for record in records(home, "exchange"):
            assert isinstance(record.event, ExchangeEvent), "the exchange's journal has its events"
            exchange.on(record.event, record.now)
            self._take_executions(exchange.state.accounts)
            self._take_order(record.event, exchange.state.accounts)
        for account in exchange.state.accounts:
            for order in account.records.values():
                self.prevented += order.prevented > 0
                if order.status is None:
                    self.open.append(order.order.client_order_id)

    def _take_executions(self, accounts: Sequence[AccountState]) -> None:
        for place, account in enumerate(accounts):
            count = account.dropped + len(account.executions)
            for one in account.executions[self._seen[place] - account.dropped :]:
                self.executions[one.fill.execution_id] = one
                self.order_of[one.fill.execution_id] = one.fill.client_order_id
                spot = (self._accounts[place], one.instrument_id)
                self.traded[spot] += one.lots
                self.turnover[spot] += abs(one.lots)
            self._seen[place] = count

    def _take_order(self, event: ExchangeEvent, accounts: Sequence[AccountState]) -> None:
        if not (isinstance(event, Requested) and isinstance(event.request, PlaceOrder)):
            return
        key = event.request.order.client_order_id
        for account in accounts:
            number = account.numbers.get(key)
            if number is not None and self._numbers.get(key) != number:
                self._numbers[key] = number
                self.accepted[key] += 1


class Ours:
    """What the coordinator's journal says."""

    def __init__(self, home: Home) -> None:
        self.released: dict[str, Release] = {}
        self.fills: set[str] = set()
        self.names: dict[str, str] = {}  # of each incarnation
        self.joined: list[tuple[int, str]] = []
        self.grants: list[tuple[int, str, str]] = []  # when, account, to which incarnation
        self.releases: list[tuple[int, str]] = []  # when, account
        self.found: list[tuple[int, str, str]] = []  # when, what, which incarnation or account
        self.commands = 0
        self.taken: Counter[tuple[AssignmentId, int, int]] = Counter()  # decisions, by their bar
        self.taken_again = 0  # of a bar that was not newer than the one before
        desk = Desk()
        for record in desk_records(home):
            ends = self._ends(desk, record.event)
            desk.on(record.event, record.now)
            self._note_taken(desk, record.event, ends)
            self._take(record.now.now_ns, record.event)
            self._see(record.now.now_ns, record.effects)
        self.state: DeskState = desk.state
        self.slots = desk.rules.settings.slots

    def _take(self, at_ns: int, event: DeskEvent) -> None:
        match event:
            case Joined():
                self.names[event.hello.incarnation] = event.hello.name
                self.joined.append((at_ns, event.hello.incarnation))
            case WorkerDied() | WorkerSilent():
                self.found.append((at_ns, type(event).__name__, event.incarnation))
            case LeaseLapsed():
                self.found.append((at_ns, "LeaseLapsed", event.account_id))
            case Restarted():
                self.found.append((at_ns, "Restarted", "coordinator"))
            case Commanded():
                self.commands += 1
            case FromWorker():
                self._hear(event)
            case _:
                pass

    @staticmethod
    def _ends(desk: Desk, event: DeskEvent) -> dict[AssignmentId, int | None]:
        """Return the end of the last bar taken of each whom decisions are told of."""
        if not (isinstance(event, Commanded) and isinstance(event.asked.command, SetTargets)):
            return {}
        assigned = desk.state.strategies.assigned
        names = [one.assignment_id for one in event.asked.command.targets]
        return {name: assigned[name].end_ns for name in names if name in assigned}

    def _note_taken(
        self, desk: Desk, event: DeskEvent, ends: dict[AssignmentId, int | None]
    ) -> None:
        if not (isinstance(event, Commanded) and isinstance(event.asked.command, SetTargets)):
            return
        for target in event.asked.command.targets:
            name = target.assignment_id
            if name in ends and ends[name] != desk.state.strategies.assigned[name].end_ns:
                self.taken[name, target.number, target.begin_ns] += 1
        counted = desk.state.counters.get("targets_taken", 0)
        self.taken_again = counted - sum(self.taken.values())

    def known_after(self, target: str, at_ns: int) -> int | None:
        """Return when that run's end or silence was recorded; None if it was not looked for."""
        if target != "coordinator":
            joined = [at for at, who in self.joined if who == target and at <= at_ns]
            found = [at for at, _, who in self.found if who == target and at <= at_ns]
            if not joined or (found and found[-1] >= joined[-1]):
                return None
        return next((at for at, _, who in self.found if at >= at_ns and who == target), None)

    def granted_after(self, account_id: str, at_ns: int, target: str) -> int | None:
        """Return when the account was granted to another run than that."""
        return next(
            (
                at
                for at, account, to in self.grants
                if account == account_id and at >= at_ns and to != target
            ),
            None,
        )

    def _hear(self, event: FromWorker) -> None:
        match event.message:
            case Reported(report=Filled() as fill):
                self.fills.add(fill.execution_id)
            case Answered(answer=OrderFound() as found):
                self.fills.update(one.execution_id for one in found.fills)
            case Answered(answer=Audited() as audited):
                self.fills.update(one.fill.execution_id for one in audited.executions)
            case _:
                pass

    def _see(self, at_ns: int, effects: Sequence[object]) -> None:
        for effect in effects:
            if not isinstance(effect, ToWorker):
                continue
            if isinstance(effect.message, Release):
                self.released.setdefault(effect.message.order.client_order_id, effect.message)
                self.releases.append((at_ns, effect.message.account_id))
            elif isinstance(effect.message, Grant):
                self.grants.append((at_ns, effect.message.account_id, effect.incarnation))


def judge(venue: Venue, ours: Ours, blows: list[Blow]) -> Judgement:
    """Return what became of everything, after the pool has ended."""
    state = ours.state
    quantities = {str(key): int(one.order.quantity) for key, one in state.attempts.items()}
    lost = [f"fill {one}" for one in venue.executions if one not in ours.fills]
    lost += [f"open at the venue {one}" for one in venue.open]
    lost += [key for key, one in state.parents.items() if one.phase is not ParentPhase.DONE]
    repeated = [
        f"accepted {count} times: {key}" for key, count in venue.accepted.items() if count > 1
    ]
    traded: defaultdict[str, int] = defaultdict(int)
    for execution_id, one in venue.executions.items():
        key = venue.order_of[execution_id]
        traded[key] += abs(one.lots)
        if key not in ours.released:
            repeated.append(f"never released: {key}")
    for key, lots in traded.items():
        ordered = ours.released[key].order.quantity if key in ours.released else 0
        if lots > quantities.get(key, ordered):
            repeated.append(f"{lots} of {ordered} lots: {key}")
    by_parent: defaultdict[str, int] = defaultdict(int)
    for key, lots in traded.items():
        by_parent[key.rsplit("-", 2)[0]] += lots
    for parent_id, parent in state.parents.items():
        if by_parent[str(parent_id)] > parent.quantity:
            repeated.append(f"{by_parent[str(parent_id)]} of {parent.quantity} lots: {parent_id}")
    detection, first_order = _times(ours, blows)
    return Judgement(
        lost=lost,
        repeated=repeated,
        crossed=venue.prevented + met(venue.executions),
        executions=len(venue.executions),
        orders=len(venue.accepted),
        parents=ours.commands,
        lapsed=sum(what == "LeaseLapsed" for _, what, _ in ours.found),
        counters=dict(state.counters),
        detection=detection,
        first_order=first_order,
        settlement=_settlements(state),
    )


def _times(ours: Ours, blows: list[Blow]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return how long after a blow it was known, and the account traded again, by kind of blow.

    A worker that was known to be silent before, or that nobody had heard of, cannot be found.
    """
    detection: defaultdict[str, list[float]] = defaultdict(list)
    first_order: defaultdict[str, list[float]] = defaultdict(list)
    incarnations = {name: one for one, name in ours.names.items()}
    classes = {str(one.account_id): one.fence_class.value for one in ours.slots}
    for blow in blows:
        target = "coordinator" if blow.name == "coordinator" else incarnations.get(blow.name, "")
        known = ours.known_after(target, blow.at_ns)
        if known is None:
            continue
        detection[blow.kind].append((known - blow.at_ns) / MS)
        held = [account for at, account, to in ours.grants if to == target and at <= blow.at_ns]
        granted = ours.granted_after(held[-1], known, target) if held else None
        if granted is None:
            continue
        traded = next(
            (at for at, account in ours.releases if account == held[-1] and at >= granted), None
        )
        if traded is not None:
            kind = f"{blow.kind}, class {classes[held[-1]]}"
            first_order[kind].append((traded - blow.at_ns) / MS)
    return dict(detection), dict(first_order)


def _settlements(state: DeskState) -> list[float]:
    """Return how long each attempt was UNKNOWN, of those that are remembered."""
    found = []
    for attempt in state.attempts.values():
        began = None
        for hop in attempt.hops:
            if hop.what.startswith("unknown"):
                began = hop.at_ns
            elif began is not None and not hop.what.startswith(("resent", "cancel wanted")):
                if hop.at_ns >= began:  # a reboot begins time anew
                    found.append((hop.at_ns - began) / MS)
                began = None
    return found
