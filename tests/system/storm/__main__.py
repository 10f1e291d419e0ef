"""`python -m tests.system.storm --minutes 10`: a storm over a real pool; exit code 1 on any loss.

Four workers on the coordinator's computer and six on three machines that joined trade eight
accounts of all fence classes, while processes are killed (at named points and at any), frozen,
cut off, and their disks are slow or full. Then everything is healed, settled, ended and judged.
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
from typing import Final

from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.views import StatusView
from tandem.wiring.asking import DeskLine
from tandem.wiring.settings import read_paper
from tests.system.storm.judge import Blow, Judgement, judge
from tests.system.storm.load import Load, Person
from tests.system.storm.place import Place, placed
from tests.system.storm.report import print_times, write

LEASE_FREEZE_S: Final = (3.6, 4.5)  # longer than lease and margin
FREEZES_S: Final = (0.1, 0.2, 0.4, 1.0, 2.0)
CUTS_S: Final = (0.3, 1.0, 2.0, 4.5)
ALARMING_S: Final = 0.3
HIT_S: Final = 3.0  # for a named point to be reached
SETTLE_S: Final = 90.0
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
}


def where(name: str) -> str:
    """Return on which side of the network a process is."""
    return "elsewhere" if name.startswith("machine") else "here"


class Storm:
    """Does harm to one place, and remembers what it did."""

    def __init__(self, place: Place, line: DeskLine, seed: int) -> None:
        self.place = place
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
        names = [one for one in self._everybody() if one[-1].isdigit()]
        return (role, self._chance.choice(names)) if names else None

    async def _kill_at_point(self) -> None:
        victim = self._victim()
        if victim is None:
            return
        role, name = victim
        point = f"{self._chance.choice(EVERYTHING)} {self._chance.choice(POINTS[role])}"
        count = self._chance.choice((1, 1, 2, 5, 20))
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


async def weather(
    folder: Path, *, seconds: float, every_s: float, seed: int
) -> tuple[Judgement, Storm, Load]:
    """Run one storm in `folder`, and judge it."""
    clock = asyncio.get_running_loop().time
    async with placed(folder) as (place, line):
        paper = read_paper(place.home)
        storm = Storm(place, line, seed)
        load = Load(line, paper, seed)
        person = Person(line, paper, place.home.exchange_socket)
        tasks = [asyncio.create_task(load.run(every_s)), asyncio.create_task(person.run())]
        await storm.run(clock() + seconds)
        tasks[0].cancel()
        await load.finish()
        await _settle(line)
        tasks[1].cancel()
    deaths = [Blow(at_ns, f"point, {where(name)}", name) for at_ns, name, _ in storm.place.deaths()]
    judgement = await asyncio.to_thread(judge, storm.place.home, [*storm.blows, *deaths])
    return judgement, storm, load


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


def report(judgement: Judgement, storm: Storm, load: Load) -> int:
    """Print what happened; return the exit code."""
    points = Counter(point for _, _, point in storm.place.deaths())
    write("harm done:")
    for what, count in sorted(storm.done.items()):
        write(f"  {what:<28} {count:>6}")
    write(f"  {'different named points':<28} {len(points):>6}")
    write(f"  {'leases that had to lapse':<28} {judgement.lapsed:>6}")
    print_times(judgement)
    write(
        f"{len(load.answers)} commands answered, {judgement.parents} recorded; "
        f"{judgement.orders} orders accepted, {judgement.executions} executions"
    )
    for bad in (*judgement.lost[:10], *judgement.repeated[:10]):
        write(f"  BAD {bad}")
    write(
        f"{len(judgement.lost)} lost, {len(judgement.repeated)} repeated, "
        f"{judgement.crossed} crossed"
    )
    return 1 if judgement.lost or judgement.repeated or judgement.crossed else 0


def main(arguments: Sequence[str]) -> int:
    """Run a storm; return the exit code."""
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every-ms", type=float, default=150.0, help="between two orders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder for journals and logs")
    chosen = parser.parse_args(arguments)
    write(f"a storm of {chosen.minutes:g} minutes, seed {chosen.seed}")
    with tempfile.TemporaryDirectory(prefix="tandem-storm-") as folder:
        work = weather(
            chosen.keep or Path(folder),
            seconds=60 * chosen.minutes,
            every_s=chosen.every_ms / 1e3,
            seed=chosen.seed,
        )
        return report(*asyncio.run(work))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
