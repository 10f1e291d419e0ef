"""kill -9 of a worker until its spare's first new order is at the exchange.

`python -m bench.takeover FOLDER KILLS [BUSY]` prints p50 and p99 in milliseconds, with BUSY beside
as many processes that want a core for themselves. Beside a light load on
all slots, one new order a millisecond is commanded for the slot whose worker is killed, as a
trader who knows of nothing would. The moment of arrival is the exchange's own, from the report of
the first order that the spare, and nobody else, was handed.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from bench.busy import neighbors
from bench.cluster import Cluster
from bench.cluster_settings import SLOTS
from bench.load import Load
from bench.waiting import PATIENCE_S, until
from bench.whole_path import percentile_us
from tandem.domain import link
from tandem.domain.desk import DeskEffect, DeskEvent, FromWorker
from tandem.domain.ids import Incarnation, SlotId
from tandem.domain.reports import Filled

SPARES = 2
BETWEEN_S = 0.05


class Watch:
    """Waits for the first fill that comes by a worker which was not killed."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self._cluster = cluster
        self._load_on_event = load._on_event
        self.slot_id: SlotId | None = None
        self.victim: Incarnation | None = None
        self.arrived_ns: int | None = None
        cluster.shell.recording.on_event = self._on_event

    def _on_event(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        self._load_on_event(event, effects)
        if self.arrived_ns is not None or not isinstance(event, FromWorker):
            return
        message = event.message
        if not isinstance(message, link.Reported) or not isinstance(message.report, Filled):
            return
        worker = self._cluster.shell.desk.state.workers.get(event.incarnation)
        if worker is None or worker.slot_id != self.slot_id or event.incarnation == self.victim:
            return
        attempt = self._cluster.shell.desk.state.attempts[message.report.client_order_id]
        if attempt.sends == 1:
            self.arrived_ns = message.report.venue_at_ns


async def one_kill(cluster: Cluster, load: Load, watch: Watch, slot_id: SlotId) -> int:
    """Return how long it took, in nanoseconds."""
    state = cluster.shell.desk.state
    incarnation = state.seats[slot_id].holder
    assert incarnation is not None
    pid = state.workers[incarnation].pid
    watch.slot_id, watch.victim, watch.arrived_ns = slot_id, incarnation, None
    killed_ns = time.time_ns()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while watch.arrived_ns is None:
            load.make(slots=(slot_id,))
            await asyncio.sleep(0.001)
    return watch.arrived_ns - killed_ns


async def spare_ready(cluster: Cluster) -> None:
    """Wait until a confirmed spare is there."""
    state = cluster.shell.desk.state
    await until(
        lambda: any(one.confirmed and one.slot_id is None for one in state.workers.values())
    )


async def run(folder: Path, kills: int, busy: int = 0) -> list[int]:
    """Kill so many workers, one after the other; the pool is set up before it gets neighbors."""
    cluster = Cluster(folder, spares=SPARES)
    took_ns = []
    try:
        await cluster.start()
        load = Load(cluster.shell, children=1)
        watch = Watch(cluster, load)
        light = asyncio.create_task(load.pace(100, 1e6))
        await asyncio.sleep(0.5)
        with neighbors(busy):
            for number in range(kills):
                await spare_ready(cluster)
                took_ns.append(await one_kill(cluster, load, watch, SLOTS[number % len(SLOTS)]))
                cluster.add_worker()
                await asyncio.sleep(BETWEEN_S)
        light.cancel()
    finally:
        cluster.stop()
    return took_ns


def main() -> None:
    """Kill and print."""
    busy = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    took_ns = uvloop.run(run(Path(sys.argv[1]), int(sys.argv[2]), busy))
    figures = {
        "p50_ms": percentile_us(took_ns, 0.5) / 1e3,
        "p99_ms": percentile_us(took_ns, 0.99) / 1e3,
    }
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
