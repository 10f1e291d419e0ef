"""What strategies decided during a storm: the journal of decisions against the store of bars.

Who had to decide is told from the journal's own events: whom the desk had assigned, less those
that had failed. Which bars had to be decided on is told by the store alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from tandem.adapters.bars.sqlite import SqliteBars
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.commands import SetTargets, SuspendStrategy
from tandem.domain.deciding import BarsFinal, Decided, Evaluate, Rostered, RosterSeen, Send
from tandem.domain.evaluation import TaskKey
from tandem.domain.exchange import CandlesTold
from tandem.domain.ids import InstrumentId
from tandem.domain.strategies import AssignmentId
from tandem.shells.deciding import DeciderRecord
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records, records
from tandem.wiring.strategies import bars_file
from tests.system.storm.strategies import FAILS, HANGS, is_bad

BARS_MAX: Final = 1_000_000
Clean = Mapping[InstrumentId, Mapping[int, Bar]]
Place = tuple[TaskKey, int]  # a series and the number of a final bar
Sent = tuple[AssignmentId, int, int]  # an assignment, its number, and the begin of the bar


class Told(msgspec.Struct, kw_only=True):
    """What was found: what must not be, and what it stands on."""

    bad: list[str]
    done: Counter[str]
    sent: set[Sent]


class Roll:
    """Who is live, by series."""

    def __init__(self) -> None:
        self._known: dict[AssignmentId, Rostered] = {}
        self._failed: set[AssignmentId] = set()

    def read(self, event: RosterSeen) -> None:
        """Take over what is assigned; what is given anew is live again."""
        known = {one.assignment.assignment_id: one for one in event.entries}
        self._failed = {one for one in self._failed if known.get(one) == self._known.get(one)}
        self._known = known

    def suspend(self, assignment_id: AssignmentId) -> None:
        """One has failed."""
        self._failed.add(assignment_id)

    def live(self, key: TaskKey) -> frozenset[AssignmentId]:
        """Return who has to decide on a bar of that series."""
        return frozenset(
            name
            for name, one in self._known.items()
            if f"{one.instrument.instrument_id} {one.assignment.span}" == key
            and name not in self._failed
        )


class Tally:
    """Everything that one journal of decisions says."""

    def __init__(self) -> None:
        self.bad: list[str] = []
        self.done: Counter[str] = Counter()
        self.sent: set[Sent] = set()
        self.decided: defaultdict[TaskKey, Counter[int]] = defaultdict(Counter)
        self.first: dict[TaskKey, int] = {}
        self._roll = Roll()
        self._asked: dict[Place, frozenset[AssignmentId]] = {}
        self._bars: Counter[AssignmentId] = Counter()

    def note(self, record: DeciderRecord) -> None:
        """Count a record in, in its order."""
        event = record.event
        if isinstance(event, RosterSeen):
            self._roll.read(event)
        elif isinstance(event, BarsFinal):
            self.done["revisions told"] += sum(one.revision > 0 for one in event.bars)
        for effect in record.effects:
            match effect:
                case Evaluate():
                    self._ask(effect)
                case Decided():
                    self._decide(effect)
                case Send(command=SuspendStrategy() as command):
                    self._suspend(command)
                case Send(command=SetTargets() as command):
                    self._send(command)
                case _:
                    pass

    def _ask(self, effect: Evaluate) -> None:
        key, number = effect.task_id.key, effect.task_id.number
        self.first.setdefault(key, number)
        self.done["bars asked again"] += (key, number) in self._asked
        self._asked[key, number] = self._roll.live(key)

    def _decide(self, effect: Decided) -> None:
        key, number = effect.task_id.key, effect.task_id.number
        place = f"{key}, bar {number}"
        self.decided[key][number] += 1
        due = self._asked.get((key, number), frozenset())
        said = Counter(one.assignment_id for one in effect.decisions)
        self.done["decisions"] += effect.count
        if effect.count != len(due):
            self.bad.append(f"{place}: {effect.count} of {len(due)} assignments decided")
        for name in due:
            if said[name] != 1:  # they count their bars, so each bar is worth a word
                self.bad.append(f"{place}: {name} has {said[name]} decisions")
        for one in effect.decisions:
            if is_bad(one.assignment_id):
                continue
            self._bars[one.assignment_id] += 1
            counted = msgspec.json.decode(one.answer.state).get("n")
            if counted != self._bars[one.assignment_id]:
                text = f"has counted {counted} bars, decided {self._bars[one.assignment_id]}"
                self.bad.append(f"{place}: {one.assignment_id} {text}")

    def _suspend(self, command: SuspendStrategy) -> None:
        name = command.assignment_id
        self._roll.suspend(name)
        for kind in (HANGS, FAILS):
            self.done[f"suspended: {kind}"] += name.startswith(kind)
        if not is_bad(name):
            self.bad.append(f"{name} was suspended: {command.reason}")

    def _send(self, command: SetTargets) -> None:
        for target in command.targets:
            key = (target.assignment_id, target.number, target.begin_ns)
            if not is_bad(target.assignment_id):
                self.sent.add(key)


def judge_decisions(home: Home) -> Told:
    """Return what the decider did, after everything has come to rest."""
    tally = _tallied(home)
    for key, final in _due(home, tally):
        tally.done["final bars"] += not final.revision
        tally.bad += _counted(key, final, tally.decided[key][final.number])
    return Told(bad=tally.bad, done=tally.done, sent=tally.sent)


def is_at_rest(home: Home, clean: Clean, until_ns: int) -> bool:
    """Whether all bars until then are stored, and all that are stored were decided on."""
    if next(missing_bars(home, clean, until_ns), None) is not None:
        return False
    tally = _tallied(home)
    due = [(key, one.number) for key, one in _due(home, tally) if not one.revision]
    return all(tally.decided[key][number] for key, number in due)


def _tallied(home: Home) -> Tally:
    tally = Tally()
    for record in decider_records(home):
        tally.note(record)
    return tally


def _due(home: Home, tally: Tally) -> list[tuple[TaskKey, FinalBar]]:
    """Return what was published, revisions too, since a series was decided on."""
    store = _store(home)
    try:
        return [
            (key, final)
            for key, first in tally.first.items()
            for final in published(store, key, first)
        ]
    finally:
        store.close()


def _store(home: Home) -> SqliteBars:
    """Open what the market process has stored, whether it had a clock of its own or not."""
    replayed = bars_file(home, is_replay=True)
    return SqliteBars.reading(replayed if replayed.exists() else home.bars_file)


def published(store: SqliteBars, key: TaskKey, first: int) -> list[FinalBar]:
    """Return a series as it was published, from that number on."""
    instrument_id, span = key.split(" ")
    return store.published(InstrumentId(instrument_id), Span(span), after=first - 1, count=BARS_MAX)


def _counted(key: TaskKey, final: FinalBar, times: int) -> Iterator[str]:
    if final.revision and times:
        yield f"{key}, bar {final.number}: a correction was decided on"
    elif not final.revision and times != 1:
        yield f"{key}, bar {final.number}: decided {times} times"


def closed_bars(home: Home) -> Clean:
    """Return the minutes that the exchange closed, by its own journal."""
    clean: defaultdict[InstrumentId, dict[int, Bar]] = defaultdict(dict)
    for record in records(home, "exchange"):
        for effect in record.effects:
            if isinstance(effect, CandlesTold):
                for bar in effect.bars:
                    clean[bar.instrument_id][bar.begin_ns] = bar
    return clean


def missing_bars(home: Home, clean: Clean, until_ns: int) -> Iterator[str]:
    """Yield where the store's minutes until then are not those that the exchange closed."""
    store = _store(home)
    try:
        for instrument_id, bars in clean.items():
            stored = store.bars(instrument_id, Span.M1, from_ns=0, to_ns=until_ns)
            found = {one.bar.begin_ns: one.bar for one in stored}
            begins = [one for one in bars if min(found, default=until_ns) <= one < until_ns]
            for begin_ns in begins:
                if found.get(begin_ns) != bars[begin_ns]:
                    yield f"{instrument_id}: the minute {begin_ns} is {found.get(begin_ns)}"
            if not found:
                yield f"{instrument_id}: no minute is stored"
    finally:
        store.close()
