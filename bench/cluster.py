"""A whole cluster for one measurement: this process is the coordinator, the others are children."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import child_process, cluster_settings
from bench.cluster_settings import USUAL, Shape
from bench.lan_certificates import certify
from bench.waiting import until
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.processes import LinuxProcesses
from tandem.adapters.local.sync import InlineSync, Sync
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import HEARTBEAT_NS, Pulse
from tandem.core.trading.state import PoolPhase
from tandem.domain.commands import Asked, SetUpPool
from tandem.domain.desk import Commanded
from tandem.domain.ids import AskerId, CommandId, Incarnation
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces
from tandem.wiring.memory import spare_what_stays
from tandem.wiring.networks import pool_network
from tests.system.lan.fault_proxy import Cable, serve

Child = subprocess.Popen[bytes]


class Cluster:
    """Processes and the coordinator's shell; use `async with`."""

    def __init__(  # noqa: PLR0913 - each measurement changes one of them
        self,
        folder: Path,
        *,
        spares: int = 0,
        samples: Path | None = None,
        shape: Shape = USUAL,
        sync: Sync | None = None,
        pulse: Pulse[Incarnation] | None = None,
    ) -> None:
        self.folder = folder
        self.cables: dict[str, Cable] = {}  # by the name of the worker at its end
        self._spares = spares
        self._samples = samples
        self._shape = shape
        self.exchange: Child | None = None
        self.workers: list[Child] = []
        self._task: asyncio.Task[None] | None = None
        self._servers: list[asyncio.Server] = []
        listens = [cluster_settings.workers_address(folder)]
        lan = None
        shape.write(folder)
        if shape.ports is not None:
            lan = cluster_settings.lan_folder(folder)
            lan.mkdir(mode=0o700)
            certify(lan)
            listens.append(f"{cluster_settings.HERE}:{shape.ports[0]}")
        _, journal = open_log(FolderDisk(folder / "coordinator", sync or InlineSync()))
        self.shell = Coordinator(
            Desk(),
            journal,
            clock=SystemClock(),
            network=pool_network(lan),
            processes=LinuxProcesses(),
            places=CoordinatorPlaces(
                workers=tuple(listens),
                control=cluster_settings.control_address(folder),
                venues={cluster_settings.VENUE: cluster_settings.exchange_address(folder)},
            ),
            settings=cluster_settings.desk_settings(shape),
            secrets=cluster_settings.secrets(),
            pulse=pulse or Pulse(),
        )

    async def start(self, *, exchange_sync: str = "page", has_cables: bool = False) -> None:
        """Start every process and set the pool up; with cables each worker has one of its own."""
        self.exchange = child_process.start(
            "bench.exchange_process", str(self.folder), exchange_sync, *self._sampled("exchange")
        )
        for number in range(1, cluster_settings.WORKERS + self._spares + 1):
            host = await self._lay_cable(number) if has_cables else cluster_settings.HERE
            self.add_worker(host)
        await self._serve()

    async def _lay_cable(self, number: int) -> str:
        """Return the address at which worker `number` finds everybody, over its own cable."""
        ports = self._shape.ports
        assert ports is not None, "only TCP has cables"
        cable, host = Cable(), f"127.0.1.{number}"
        for port in ports:
            target = (cluster_settings.HERE, port)
            self._servers.append(await serve(cable, (host, port), target))
        self.cables[f"p{number}"] = cable
        return host

    async def start_with_stubs(self, beat_s: float = HEARTBEAT_NS / 1e9) -> None:
        """Start with workers that only answer, each side on a core of its own where it can be."""
        count = str(cluster_settings.WORKERS + self._spares)
        stubs = child_process.start("bench.stub_workers", str(self.folder), count, str(beat_s))
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

    def add_worker(self, host: str = cluster_settings.HERE) -> Child:
        """Start one more worker process, which finds everybody at that address."""
        name = f"p{len(self.workers) + 1}"
        child = child_process.start(
            "bench.worker_process", str(self.folder), name, host, *self._sampled(name)
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
        for server in self._servers:
            server.close()
        for cable in self.cables.values():
            cable.heal()
        child_process.end([one for one in (self.exchange, *self.workers) if one is not None])


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody uses now."""
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind((cluster_settings.HERE, 0))
        return first.getsockname()[1], second.getsockname()[1]


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
