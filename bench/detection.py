"""From a worker's death, or from its last step, until the coordinator has decided about it.

`python -m bench.detection FOLDER deaths|hangs COUNT` prints p50 and p99 in milliseconds, beside a
light load on all slots. `python -m bench.detection FOLDER alarms SECONDS BUSY` kills nobody: it
counts the workers that were called silent or dead beside so many busy processes, while the
coordinator is stopped for half a second now and then, and its disk takes as long for some writes.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.busy import neighbors
from bench.cluster import Cluster
from bench.cluster_settings import SLOTS
from bench.load import Load
from bench.takeover import spare_ready
from bench.waiting import PATIENCE_S
from bench.whole_path import percentile_us
from tandem.adapters.local.sync import InlineSync
from tandem.domain.desk import DeskEffect, DeskEvent, WorkerDied, WorkerSilent
from tandem.domain.ids import Incarnation, SlotId

SPARES: Final = 2
BETWEEN_S: Final = 0.1
LIGHT: Final = 100  # orders a second
STALL_S: Final = 0.5
STALL_EVERY_S: Final = 4.0
SLOW_S: Final = 0.5
SLOW_EVERY_S: Final = 7.0
BUSY_LIGHT: Final = 10  # orders a second, where 32 others want the two cores
STOPPED: Final = "kill -STOP $1; sleep $2; kill -CONT $1"


class Watch:
    """When it was decided that a worker has died, or is silent."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self._load_on_event = load._on_event
        self.died: dict[Incarnation, int] = {}
        self.silent: dict[Incarnation, int] = {}
        cluster.shell.recording.on_event = self._on_event

    def _on_event(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        if isinstance(event, WorkerDied):
            self.died[event.incarnation] = time.monotonic_ns()
        elif isinstance(event, WorkerSilent):
            self.silent[event.incarnation] = time.monotonic_ns()
        self._load_on_event(event, effects)


@contextlib.asynccontextmanager
async def watched(cluster: Cluster, rate: float) -> AsyncIterator[Watch]:
    """Yield a watch over a pool with a light load."""
    load = Load(cluster.shell, children=1)
    watch = Watch(cluster, load)
    light = asyncio.create_task(load.pace(rate, 1e6))
    await asyncio.sleep(0.5)
    try:
        yield watch
    finally:
        light.cancel()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the moment itself is noted elsewhere
            await asyncio.sleep(0.001)


async def harm(folder: Path, count: int, *, hangs: bool) -> list[int]:
    """Kill or stop so many workers, one after the other; return how long each was not known of."""
    cluster = Cluster(folder, spares=SPARES)
    took_ns = []
    try:
        await cluster.start()
        async with watched(cluster, LIGHT) as watch:
            known = watch.silent if hangs else watch.died
            for number in range(count):
                await spare_ready(cluster)
                victim, pid = _holder(cluster, SLOTS[number % len(SLOTS)])
                began_ns = time.monotonic_ns()
                os.kill(pid, signal.SIGSTOP if hangs else signal.SIGKILL)
                await _until(lambda one=victim: one in watch.died)  # type: ignore[misc]
                took_ns.append(known[victim] - began_ns)
                cluster.add_worker()
                # Heartbeats come in step with what we do: not always at the same place of it.
                await asyncio.sleep(BETWEEN_S + number % 10 / 200)
    finally:
        cluster.stop()
    return took_ns


def _holder(cluster: Cluster, slot_id: SlotId) -> tuple[Incarnation, int]:
    state = cluster.shell.desk.state
    incarnation = state.seats[slot_id].holder
    assert incarnation is not None, f"{slot_id} has no holder"
    return incarnation, state.workers[incarnation].pid


class SlowSync(InlineSync):
    """A disk that takes half a second for some of its writes, and the loop waits for it."""

    def __init__(self) -> None:
        self.slow = 0
        self._next_s = time.monotonic() + SLOW_EVERY_S

    def start(self, path: Path, descriptor: int, done: Callable[[], None]) -> None:
        """See `Sync.start`."""
        if time.monotonic() > self._next_s:
            self._next_s = time.monotonic() + SLOW_EVERY_S
            self.slow += 1
            time.sleep(SLOW_S)
        super().start(path, descriptor, done)


async def false_alarms(folder: Path, seconds: float, busy: int) -> dict[str, float]:
    """Harm no worker for so long; return how many were thought to be harmed."""
    sync = SlowSync()
    cluster = Cluster(folder, spares=1, sync=sync)
    stalls = 0
    try:
        await cluster.start()
        async with watched(cluster, BUSY_LIGHT) as watch:
            with neighbors(busy):
                end_s = time.monotonic() + seconds
                while time.monotonic() < end_s:
                    command = ["sh", "-c", STOPPED, "stall", str(os.getpid()), str(STALL_S)]
                    stopper = await asyncio.create_subprocess_exec(*command)
                    await asyncio.sleep(min(STALL_EVERY_S, seconds))
                    await stopper.wait()
                    stalls += 1
            alarms = len(watch.silent.keys() | watch.died.keys())
    finally:
        cluster.stop()
    return {"count": alarms, "stalls": stalls, "slow_writes": sync.slow}


def main() -> None:
    """Measure and print."""
    folder, what, amount = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if what == "alarms":
        figures = uvloop.run(false_alarms(folder, float(amount), int(sys.argv[4])))
    else:
        took_ns = uvloop.run(harm(folder, int(amount), hangs=what == "hangs"))
        figures = {
            "p50_ms": percentile_us(took_ns, 0.5) / 1e3,
            "p99_ms": percentile_us(took_ns, 0.99) / 1e3,
        }
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
