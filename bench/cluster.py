"""A whole cluster for one measurement: this process is the coordinator, the others are children."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import child_process, cluster_settings
from bench.waiting import until
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.processes import LinuxProcesses
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import Pulse
from tandem.core.trading.state import PoolPhase
from tandem.domain.commands import Asked, SetUpPool
from tandem.domain.desk import Commanded
from tandem.domain.ids import AskerId, CommandId
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces
from tandem.wiring.memory import spare_what_stays

Child = subprocess.Popen[bytes]


class Cluster:
    """Processes and the coordinator's shell; use `async with`."""

    def __init__(self, folder: Path, *, spares: int = 0, samples: Path | None = None) -> None:
        self.folder = folder
        self._spares = spares
        self._samples = samples
        self.exchange: Child | None = None
        self.workers: list[Child] = []
        self._task: asyncio.Task[None] | None = None
        _, journal = open_log(FolderDisk(folder / "coordinator"))
        self.shell = Coordinator(
            Desk(),
            journal,
            clock=SystemClock(),
            network=UnixNetwork(),
            processes=LinuxProcesses(),
            places=CoordinatorPlaces(
                workers=(cluster_settings.workers_address(folder),),
                control=cluster_settings.control_address(folder),
                venues={cluster_settings.VENUE: cluster_settings.exchange_address(folder)},
            ),
            settings=cluster_settings.desk_settings(),
            secrets=cluster_settings.secrets(),
            pulse=Pulse(),
        )

    async def start(self, *, exchange_sync: str = "page") -> None:
        """Start every process and set the pool up."""
        self.exchange = child_process.start(
            "bench.exchange_process", str(self.folder), exchange_sync, *self._sampled("exchange")
        )
        for _ in range(cluster_settings.WORKERS + self._spares):
            self.add_worker()
        await self._serve()

    async def start_with_stubs(self) -> None:
        """Start with workers that only answer, each side on a core of its own where it can be."""
        stubs = child_process.start("bench.stub_workers", str(self.folder))
        self.workers.append(stubs)
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[:1])
            os.sched_setaffinity(stubs.pid, cores[1:])
        await self._serve()

    async def _serve(self) -> None:
        """Run the coordinator until the pool trades."""
        self._task = asyncio.create_task(self.shell.run())
        state = self.shell.desk.state
        count = cluster_settings.WORKERS + self._spares
        await self._until(lambda: len(state.workers) == count)
        asked = Asked(command_id=CommandId("set-up"), command=SetUpPool(workers=count))
        self.shell.recording.feed(Commanded(asker=AskerId(0), asked=asked))
        await self._until(lambda: state.pool.phase is PoolPhase.TRADING)
        shares = [one.instrument_id for one in cluster_settings.SHARES]
        holdings = state.exposure.holdings
        await self._until(lambda: all(holdings[one].reference is not None for one in shares))
        spare_what_stays()

    def add_worker(self) -> Child:
        """Start one more worker process."""
        name = f"p{len(self.workers) + 1}"
        child = child_process.start(
            "bench.worker_process", str(self.folder), name, *self._sampled(name)
        )
        self.workers.append(child)
        return child

    def _sampled(self, name: str) -> list[str]:
        # One worker stands for all: they do the same.
        wanted = self._samples is not None and name in ("exchange", "p1")
        return [str(self._samples / f"{name}.json")] if wanted and self._samples else []

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for the pool; a coordinator that has ended is not waited for."""

        def has_come() -> bool:
            assert self._task is not None, "the coordinator does not run"
            return self._task.done() or condition()

        await until(has_come)
        if self._task is not None and self._task.done():
            self._task.result()

    def stop(self) -> None:
        """End every process."""
        if self._task is not None:
            self._task.cancel()
        child_process.end([one for one in (self.exchange, *self.workers) if one is not None])


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """CPU time used so far, of each kind of process."""

    coordinator_ns: int
    workers_ns: int
    exchange_ns: int


def usage(cluster: Cluster, own_pid: int) -> Usage:
    """Return what was used up to now."""
    exchange = cluster.exchange
    return Usage(
        coordinator_ns=child_process.cpu_ns(own_pid),
        workers_ns=sum(child_process.cpu_ns(one.pid) for one in cluster.workers),
        exchange_ns=child_process.cpu_ns(exchange.pid) if exchange is not None else 0,
    )
