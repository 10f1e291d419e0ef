"""`python -m tests.system.storm --minutes 10`: a storm over a real pool; exit code 1 on any loss.

Four workers on the coordinator's computer and six on three machines that joined trade eight
accounts of all fence classes, while processes are killed (at named points and at any), frozen,
cut off, and their disks are slow or full. Strategies decide meanwhile on a feed that is told
badly, and all that they depend on is killed and frozen too. Then everything is healed, settled,
ended and judged. With `--runs` so many short ones are run around strategies alone.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.views import StatusView
from tandem.wiring.asking import DeskLine
from tandem.wiring.home import Home
from tandem.wiring.settings import read_paper
from tests.system.storm import feed
from tests.system.storm.decided import closed_bars, is_at_rest
from tests.system.storm.judge import Blow, Judgement, Ours, Venue, judge
from tests.system.storm.load import Load, Person
from tests.system.storm.place import Place, is_evaluator, placed
from tests.system.storm.report import print_counts, print_times, print_verdict, write
from tests.system.storm.strategies import Assigner, lacking
from tests.system.storm.strategy_judge import Ended, Strategic, judge_strategies

LEASE_FREEZE_S: Final = (3.6, 4.5)  # longer than lease and margin
FREEZES_S: Final = (0.1, 0.2, 0.4, 1.0, 2.0)
CUTS_S: Final = (0.3, 1.0, 2.0, 4.5)
ALARMING_S: Final = 0.3
HIT_S: Final = 3.0  # for a named point to be reached
SETTLE_S: Final = 90.0
DECIDED_S: Final = 20.0  # for the last bars to be decided on
DECIDED_EVERY_S: Final = 0.5
EVERYTHING: Final = ("before", "after")
POINTS: Final = {
    "coordinator": (
        *("say Release", "say Grant", "say Ask", "say Withdraw", "say CommandAnswer"),
        *("say Welcome", "say BundlePart", "say Revoke", "say Acknowledge", "perform"),
        *("decide Reported", "decide Commanded", "decide Hello", "decide WorkerDied"),
        *("decide Ready", "decide Answered", "decide Due", "say BeatAcknowledged"),
        *("append", "commit", "disk write", "disk sync", "flush", "kill", "watch"),
    ),
    "worker": (
        *("say PlaceOrder", "say CancelOrder", "say QueryOrder", "say Login", "say AskTime"),
        *("say Reported", "say Answered", "say Heartbeat", "say Hello", "say Ready"),
        *("say Configured", "say ClockRead", "flush"),
    ),
    "exchange": (
        *("decide PlaceOrder", "decide CancelOrder", "decide QueryOrder", "say Accepted"),
        *("say Filled", "say Canceled", "say OrderFound", "append", "commit", "perform"),
        *("disk write", "flush"),
    ),
    "market": (
        *("decide BarsFinal", "decide TaskAnswered", "decide CommandSettled", "store bars"),
        *("append", "commit", "disk write", "disk sync"),
    ),
}


THINKERS: Final = ("evaluator", "jail", "market")
OTHERS: Final = ("coordinator", "worker", "exchange")  # killed where nothing else kills them
THINKER_EVERY_S: Final = 4.0
THINK_S: Final = 11.0  # a storm around strategies, with a blow every so often
BLOW_S: Final = 0.9
POINTS_EACH: Final = 1  # in a round of the harm that is done around strategies
LONGER_S: Final = 15.0
HARM: Final = (
    *(f"{how} {what}" for how in ("kill", "freeze") for what in THINKERS),
    *(f"kill {what}" for what in OTHERS),
    "killed at a named point",
)
DONE: Final = (
    *("final bars", "decisions", "decisions at the desk", "bars asked again", "revisions told"),
    *("suspended: hangs", "suspended: fails", "assigned anew", "lots traded for strategies"),
    *(f"feed: {what}" for what in ("late", "corrected", "out of turn", "repeated")),
)


def where(name: str) -> str:
    """Return on which side of the network a process is."""
    return "elsewhere" if name.startswith("machine") else "here"


class Outcome(NamedTuple):
    """Both judgements of one storm."""

    orders: Judgement
    strategies: Strategic


class Storm:
    """Does harm to one place, and remembers what it did."""

    def __init__(self, place: Place, line: DeskLine, seed: int) -> None:
        self.place = place
        self._deck: list[tuple[str, str]] = []
        self._line = line
        self._chance = random.Random(seed)
        self.blows: list[Blow] = []
        self.done: Counter[str] = Counter()
        self._tasks: set[asyncio.Future[None]] = set()

    async def run(self, until_s: float) -> None:
        """Rage until that moment of the loop's clock, then heal everything."""
        clock = asyncio.get_running_loop().time
        harms: tuple[tuple[float, Callable[[], Awaitable[None]]], ...] = (
            (2.2, self._kill_at_point),
            (5.0, self._kill_at_any),
            (6.0, self._freeze),
            (20.0, self._freeze_beyond_lease),
            (6.5, self._cut),
            (25.0, self._slow_cable),
            (25.0, self._bad_disk),
            (THINKER_EVERY_S, self._harm_thinker),
        )
        next_at = [clock() + self._chance.expovariate(1 / every) for every, _ in harms]
        while (now := clock()) < until_s:
            for place, (every, harm) in enumerate(harms):
                if now >= next_at[place]:
                    next_at[place] = now + self._chance.expovariate(1 / every)
                    task = asyncio.ensure_future(harm())
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            self._keep_supervised()
            await asyncio.sleep(0.02)
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._keep_supervised()
        for cable in self.place.cables:
            cable.heal()
            cable.delay_s = cable.jitter_s = 0.0

    def _keep_supervised(self) -> None:
        if not self.place.is_supervised():
            self.place.start_supervisor()

    def _everybody(self) -> dict[str, int]:
        return self.place.local() | self.place.remote()

    def _blow(self, kind: str, name: str) -> None:
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.blows.append(Blow(now_ns, f"{kind}, {where(name)}", name))
        self.done[kind] += 1

    def _victim(self) -> tuple[str, str] | None:
        """Return the role and name of a process that has points."""
        role = self._chance.choices(("worker", "coordinator", "exchange"), (6, 3, 1))[0]
        if role != "worker":
            return role, role
        names = [one for one in self._everybody() if one[-1].isdigit() and not is_evaluator(one)]
        return (role, self._chance.choice(names)) if names else None

    async def _kill_at_point(self) -> None:
        victim = self._victim()
        if victim is not None:
            await self._kill_there(*victim)

    async def _kill_there(self, role: str, name: str) -> None:
        point = f"{self._chance.choice(EVERYTHING)} {self._chance.choice(POINTS[role])}"
        count = self._chance.choice((1, 1, 2) if role == "market" else (1, 1, 2, 5, 20))
        if not self.place.tell(name, f"die|{point}|{count}"):
            return
        before = len(self.place.deaths())
        deadline = time.monotonic() + HIT_S
        while time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            if any(one[1] == name for one in self.place.deaths()[before:]):
                self.done["killed at a named point"] += 1
                return
        self.place.tell(name, "")

    async def _kill_at_any(self) -> None:
        everybody = self._everybody()
        names = sorted(everybody)
        weights = [8 if one[-1].isdigit() else 3 for one in names]
        if self._chance.random() < 0.04:
            self.done["supervisor killed"] += 1
            self._blow("kill", "supervisor")
            os.kill(self.place.supervisor_pid, signal.SIGKILL)
            return
        if not names:
            return
        name = self._chance.choices(names, weights)[0]
        self._blow("kill", name)
        with suppress(ProcessLookupError):
            os.kill(everybody[name], signal.SIGKILL)

    async def rage_at_thinkers(self, until_s: float, every_s: float) -> None:
        """Kill and freeze, one by one, what strategies depend on, and others.

        Until that moment; or longer, until everything was done once, but not for ever.
        """
        clock = asyncio.get_running_loop().time
        latest_s = until_s + LONGER_S
        while clock() < until_s or (clock() < latest_s and not all(map(self.done.get, HARM))):
            await asyncio.sleep(self._chance.uniform(0.7, 1.3) * every_s)
            if not self._deck:
                self._deck = [("kill", one) for one in OTHERS]
            await self._harm_thinker()

    async def _harm_thinker(self) -> None:
        """Kill or freeze one of those that strategies depend on: all kinds of harm in turn."""
        if not [what for _, what in self._deck if what in THINKERS]:
            self._deck += [(how, what) for how in ("kill", "freeze") for what in THINKERS]
            self._deck += [("point", "market")] * POINTS_EACH
            self._chance.shuffle(self._deck)
        how, what = self._deck.pop()
        if how == "point":
            await self._kill_there(what, what)
            return
        everybody = self.place.thinkers() if what in THINKERS else self.place.local()
        named = sorted(one for one in everybody if _is_a(what, one))
        if not named:
            self._deck.insert(0, (how, what))  # it is away; it will have its turn
            return
        name = self._chance.choice(named)
        self._blow(f"{how} {what}", name)
        if how == "kill":
            with suppress(ProcessLookupError):
                os.kill(everybody[name], signal.SIGKILL)
        else:
            await self._stop_for(everybody[name], self._chance.choice(FREEZES_S))

    async def _freeze(self) -> None:
        everybody = {
            name: pid for name, pid in self._everybody().items() if name not in ("nursery", "gate")
        }
        if everybody:
            name = self._chance.choice(sorted(everybody))
            span_s = self._chance.choice(FREEZES_S)
            if span_s < ALARMING_S:
                self.done["freeze, not to be noticed"] += 1
            else:
                self._blow("freeze", name)
            await self._stop_for(everybody[name], span_s)

    async def _freeze_beyond_lease(self) -> None:
        """Freeze a worker elsewhere whose account only its lease can free."""
        status = await self._status()
        remote = self.place.remote()
        leased = [
            one.worker
            for one in (status.slots if status is not None else ())
            if one.fence_class != "A" and one.ready and one.worker in remote
        ]
        if leased:
            name = self._chance.choice(leased)
            self._blow("freeze beyond the lease", name)
            await self._stop_for(remote[name], self._chance.uniform(*LEASE_FREEZE_S))

    async def _status(self) -> StatusView | None:
        with suppress(CoordinatorUnreachableError):
            return await self._line.status(1.0)
        return None

    async def _stop_for(self, pid: int, span_s: float) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(span_s)
            finally:
                os.kill(pid, signal.SIGCONT)

    async def _cut(self) -> None:
        cable = self._chance.choice(self.place.cables)
        way = self._chance.choice(("there", "back", "both", "both"))
        cable.cut(("there", "back") if way == "both" else (way,))  # type: ignore[arg-type]
        self.done["partition" if way == "both" else "one-way link"] += 1
        await asyncio.sleep(self._chance.choice(CUTS_S))
        cable.heal()
        if self._chance.random() < 0.3:
            cable.reset()

    async def _slow_cable(self) -> None:
        cable = self._chance.choice(self.place.cables)
        cable.delay_s, cable.jitter_s = self._chance.choice(((0.005, 0.01), (0.03, 0.05)))
        self.done["slow link"] += 1
        await asyncio.sleep(self._chance.uniform(1.0, 4.0))
        cable.delay_s = cable.jitter_s = 0.0

    async def _bad_disk(self) -> None:
        order = self._chance.choice(("slow|5", "slow|30", "full"))
        self.done["full disk" if order == "full" else "slow disk"] += 1
        self.place.tell("coordinator", order)
        await asyncio.sleep(self._chance.uniform(1.0, 3.0))
        self.place.tell("coordinator", "")


def _is_a(what: str, name: str) -> bool:
    """Whether a process of that name is such a one."""
    if what == "worker":
        return name.startswith("p")
    return name == what or name.startswith(f"{what} ")


async def weather(
    folder: Path, *, seconds: float, every_s: float, seed: int, decides: bool = False
) -> tuple[Outcome, Storm, Load]:
    """Run one storm in `folder`, and judge it.

    Its market keeps the time of life: where strategies decide, it takes minutes.
    """
    clock = asyncio.get_running_loop().time
    os.environ[feed.SEED] = str(seed)
    async with placed(folder) as (place, line):
        paper = read_paper(place.home)
        storm, assigner = Storm(place, line, seed), Assigner(line)
        load = Load(line, paper, seed)
        person = asyncio.create_task(Person(line, paper, place.home.exchange_socket).run())
        works = (load.run(every_s), *((assigner.run(),) if decides else ()))
        tasks = [asyncio.create_task(one) for one in works]
        await storm.run(clock() + seconds)
        for one in tasks:
            one.cancel()
        lacks = await _quiet(place, line) if decides else []
        await load.finish()
        await _settle(line)
        person.cancel()
    venue, ours = await asyncio.to_thread(_journals, place.home)
    strategic = Strategic(bad=[], done=Counter())
    if decides:
        strategic = await asyncio.to_thread(_judged, place, venue, ours, lacks)
        _count_assigner(strategic, assigner)
    return Outcome(judge(venue, ours, _blows(storm)), strategic), storm, load


async def thinking(
    folder: Path, *, seconds: float, every_s: float, seed: int
) -> tuple[Outcome, Storm]:
    """Run a storm around strategies alone, on one computer, and judge it."""
    clock = asyncio.get_running_loop().time
    os.environ[feed.SEED] = str(seed)
    async with placed(folder, machines=0) as (place, line):
        paper = read_paper(place.home)
        storm, assigner = Storm(place, line, seed), Assigner(line)
        person = asyncio.create_task(Person(line, paper, place.home.exchange_socket).run())
        assigning = asyncio.create_task(assigner.run())
        await storm.rage_at_thinkers(clock() + seconds, every_s)
        assigning.cancel()
        lacks = await _quiet(place, line)
        await _settle(line)
        person.cancel()
    venue, ours = await asyncio.to_thread(_journals, place.home)
    strategic = await asyncio.to_thread(_judged, place, venue, ours, lacks)
    _count_assigner(strategic, assigner)
    return Outcome(judge(venue, ours, _blows(storm)), strategic), storm


async def _quiet(place: Place, line: DeskLine) -> list[str]:
    """Let the feed fall silent, and strategies hold what they want; return who does not."""
    place.hush()
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            while feed.hushed_at_ns(place.orders) is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
    clean = await asyncio.to_thread(closed_bars, place.home)
    until_ns = feed.hushed_at_ns(place.orders) or 0
    end_s = time.monotonic() + DECIDED_S
    while time.monotonic() < end_s:
        if await asyncio.to_thread(is_at_rest, place.home, clean, until_ns):
            break
        await asyncio.sleep(DECIDED_EVERY_S)
    return await lacking(line)


def _journals(home: Home) -> tuple[Venue, Ours]:
    return Venue(home), Ours(home)


def _blows(storm: Storm) -> list[Blow]:
    deaths = storm.place.deaths()
    points = [Blow(at_ns, f"point, {where(name)}", name) for at_ns, name, _ in deaths]
    return [*storm.blows, *points]


def _judged(place: Place, venue: Venue, ours: Ours, lacks: list[str]) -> Strategic:
    ended = Ended(lacking=lacks, hushed_ns=feed.hushed_at_ns(place.orders))
    strategic = judge_strategies(place.home, venue, ours, ended)
    for what, count in feed.spoiled(place.orders).items():
        strategic.done[f"feed: {what}"] = count
    return strategic


def _count_assigner(strategic: Strategic, assigner: Assigner) -> None:
    strategic.bad += assigner.refused
    strategic.done["assigned anew"] = assigner.anew


async def _settle(line: DeskLine) -> None:
    """Wait until nothing is open or unknown; what never ends is for the judgement."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            while True:
                with suppress(CoordinatorUnreachableError):
                    status = await line.status(2.0)
                    if not status.parents_open and not status.unknown:
                        return
                await asyncio.sleep(0.2)


def report(outcome: Outcome, storm: Storm, load: Load) -> int:
    """Print what happened; return the exit code."""
    judgement = outcome.orders
    points = Counter(point for _, _, point in storm.place.deaths())
    write("harm done:")
    print_counts(storm.done)
    write(f"  {'different named points':<28} {len(points):>6}")
    write(f"  {'leases that had to lapse':<28} {judgement.lapsed:>6}")
    write("strategies:")
    print_counts(outcome.strategies.done)
    print_times(judgement)
    write(
        f"{len(load.answers)} commands answered, {judgement.parents} recorded; "
        f"{judgement.orders} orders accepted, {judgement.executions} executions"
    )
    return print_verdict(judgement, outcome.strategies)


async def _runs(folder: Path, count: int, seed: int) -> int:
    """Run so many storms around strategies; return the exit code."""
    code = 0
    harm: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for number in range(count):
        began_s = time.monotonic()
        place = folder / f"{number}"
        place.mkdir()
        outcome, storm = await thinking(place, seconds=THINK_S, every_s=BLOW_S, seed=seed + number)
        took_s = time.monotonic() - began_s
        counts = outcome.strategies.done
        write(
            f"{number:>4}  {took_s:>5.1f} s  {sum(storm.done.values()):>3} blows  "
            f"{counts['final bars']:>4} final bars  {counts['decisions']:>5} decisions"
        )
        harm += storm.done
        done += counts
        code |= print_verdict(outcome.orders, outcome.strategies)
    print_counts(harm)
    print_counts(done)
    idle = [what for what in (*HARM, *DONE) if not (harm + done)[what]]
    if idle:
        write(f"never done: {', '.join(idle)}")
    write(f"{count} storms around strategies (seed {seed})")
    return 1 if idle else code


def main(arguments: Sequence[str]) -> int:
    """Run a storm; return the exit code."""
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every-ms", type=float, default=150.0, help="between two orders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder for journals and logs")
    parser.add_argument("--runs", type=int, help="so many short ones, around strategies alone")
    chosen = parser.parse_args(arguments)
    if chosen.runs is not None:
        with tempfile.TemporaryDirectory(prefix="tandem-storm-") as folder:
            return asyncio.run(_runs(chosen.keep or Path(folder), chosen.runs, chosen.seed))
    write(f"a storm of {chosen.minutes:g} minutes, seed {chosen.seed}")
    with tempfile.TemporaryDirectory(prefix="tandem-storm-") as folder:
        work = weather(
            chosen.keep or Path(folder),
            seconds=60 * chosen.minutes,
            every_s=chosen.every_ms / 1e3,
            seed=chosen.seed,
            decides=True,
        )
        return report(*asyncio.run(work))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
