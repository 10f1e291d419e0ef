"""The pool of a storm: a home with eight accounts of all fence classes, and machines that join.

Everything runs on this computer. Each machine that joins has its own proxy, at an address of its
own in the loopback range, so that its cable can be cut, one way or both, and made slow. Without
such machines the market runs sixty times as fast as life: strategies have a bar every second.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.order import FenceClass
from tandem.domain.views import StatusView
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home
from tandem.wiring.settings import Paper, Settings, take_paper
from tests.system.lan.fault_proxy import Cable, serve
from tests.system.lan_running import free_ports
from tests.system.running import children, environment, processes
from tests.system.storm import feed, points

HOST: Final = "127.0.0.1"
PORTS: Final = 4  # to join, of the coordinator, the exchange and the relay of halts
CLASSES: Final = "AABBAABC"
LOCAL_WORKERS: Final = 4
MACHINES: Final = 3
WORKERS_EACH: Final = 2
SET_UP_S: Final = 30.0
STOP_S: Final = 20.0
EVALUATORS: Final = 2
SPEED: Final = 60
BEGIN: Final = "2026-11-23T00:00:00+00:00"


class Place:
    """One home, its supervisor, its machines and their cables."""

    def __init__(self, folder: Path, *, machines: int = MACHINES) -> None:
        self.home = Home(folder / "home")
        self._machines = machines
        self._folder = folder
        self.orders = folder / "orders"
        self.orders.mkdir()
        self._base = free_ports()
        self.cables: list[Cable] = []
        self._servers: list[asyncio.Server] = []
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._joined: list[subprocess.Popen[bytes]] = []
        self._logs = (folder / "commands.log").open("ab")

    # -- start and end

    def make_home(self) -> Paper:
        """Make the home, with accounts of all fence classes."""
        self.home.make()
        paper = take_paper(self.home, Settings(), None)
        accounts = tuple(
            msgspec.structs.replace(one, fence_class=FenceClass(CLASSES[number % len(CLASSES)]))
            for number, one in enumerate(paper.exchange.accounts)
        )
        exchange = msgspec.structs.replace(paper.exchange, accounts=accounts)
        paper = msgspec.structs.replace(paper, exchange=exchange)
        self.home.paper_file.write_bytes(msgspec.json.encode(paper))
        return paper

    def start_supervisor(self) -> None:
        """Start `tandem up`, or start it again after its death."""
        evaluators = ("--evaluators", EVALUATORS)
        if self._machines:
            lan = ("--lan", f"{HOST}:{self._base}")
            self._supervisor = self._up(*evaluators, *lan, "--workers", LOCAL_WORKERS)
        else:
            market = ("--begin", BEGIN, "--speed", SPEED)
            self._supervisor = self._up(*evaluators, *market, "--workers", len(CLASSES) + 1)

    def _up(self, *arguments: object) -> subprocess.Popen[bytes]:
        return self._command("up", "--home", self.home.folder, "--plain", *arguments)

    async def join_machines(self) -> None:
        """Let the machines join, each over its own cable."""
        for number in range(1, self._machines + 1):
            cable, host = Cable(), f"127.0.1.{number}"
            for port in range(self._base, self._base + PORTS):
                self._servers.append(await serve(cable, (host, port), (HOST, port)))
            self.cables.append(cable)
            token = await asyncio.to_thread(self._token)
            self._joined.append(
                self._command(
                    *("worker", "join", f"{host}:{self._base}", "--token", token),
                    *("--name", f"machine{number}", "--workers", WORKERS_EACH),
                    *("--home", self._folder / f"machine{number}"),
                )
            )

    def _token(self) -> str:
        command = self._arguments("worker", "token", "--home", self.home.folder)
        done = subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.split()[0]

    async def stop(self) -> None:
        """End everything as Ctrl-C does; what hangs is killed by its id."""
        running = [one for one in (*self._joined, self._supervisor) if one is not None]
        for one in running:
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGINT)
        for one in running:
            try:
                await asyncio.to_thread(one.wait, STOP_S)
            except subprocess.TimeoutExpired:
                one.kill()
                await asyncio.to_thread(one.wait)
        for server in self._servers:
            server.close()
        for cable in self.cables:
            cable.reset()
        self._logs.close()

    def _command(self, *arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._arguments(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=self._logs,
            stderr=self._logs,
            env=self._environment(),
        )

    @staticmethod
    def _arguments(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "tests.system.storm.command", *map(str, arguments)]

    def _environment(self) -> dict[str, str]:
        here = environment()
        root = Path(__file__).parents[3]
        path = os.pathsep.join((here["PYTHONPATH"], str(root)))
        return {**here, "PYTHONPATH": path, "TANDEM_STORM": str(self.orders)}

    # -- looking

    @property
    def supervisor_pid(self) -> int:
        assert self._supervisor is not None, "no supervisor was started"
        return self._supervisor.pid

    def is_supervised(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    def local(self) -> dict[str, int]:
        """Return the pool's processes on the coordinator's computer, by name."""
        return processes(self.supervisor_pid) if self.is_supervised() else {}

    def remote(self) -> dict[str, int]:
        """Return the worker processes of the machines, by name."""
        found: dict[str, int] = {}
        for one in self._joined:
            named = processes(one.pid)
            found |= {name: pid for name, pid in named.items() if re.search(r"-\d+$", name)}
        return found

    def thinkers(self) -> dict[str, int]:
        """Return the processes that strategies depend on, by what they are and their name."""
        named = self.local()
        found = {name: pid for name, pid in named.items() if name == "market"}
        for name, pid in named.items():
            if is_evaluator(name):
                found[f"evaluator {name}"] = pid
                found |= {f"jail of {name}": one for one in children(pid)}
        return found

    def hush(self) -> None:
        """Let the feed say what it owes, and then nothing more."""
        feed.hush(self.orders)

    def order_file(self, name: str) -> Path:
        """Return where the process of that name is told what to do."""
        return self.orders / f"{name}.order"

    def tell(self, name: str, order: str) -> bool:
        """Tell a process; return whether it has points."""
        file = self.order_file(name)
        if file.exists():
            points.tell(file, order)
        return file.exists()

    def deaths(self) -> list[tuple[int, str, str]]:
        """Return when (CLOCK_BOOTTIME) which process died at which point."""
        log = self.orders / points.DIED
        if not log.exists():
            return []
        lines = [line.split(" ", 2) for line in log.read_text(encoding="utf-8").splitlines()]
        return [(int(at_ns), name, point) for at_ns, name, point in lines]


@contextlib.asynccontextmanager
async def placed(
    folder: Path, *, machines: int = MACHINES
) -> AsyncIterator[tuple[Place, DeskLine]]:
    """Yield a pool that trades on eight accounts, half of them on other machines if there are."""
    place = Place(folder, machines=machines)
    place.make_home()
    try:
        place.start_supervisor()
        async with desk_line(place.home) as line:
            await until(line, lambda status: status.pool == "trading" and status.priced > 0)
            await place.join_machines()
            await until(line, lambda status: sum(one.ready for one in status.slots) == len(CLASSES))
            yield place, line
    finally:
        await place.stop()


async def until(line: DeskLine, is_wanted: Callable[[StatusView], bool]) -> StatusView:
    """Wait for a status that is as wanted."""
    async with asyncio.timeout(SET_UP_S):
        while True:
            status = await line.status(SET_UP_S)
            if is_wanted(status):
                return status
            await asyncio.sleep(0.02)


def is_evaluator(name: str) -> bool:
    """Whether a process of that name evaluates."""
    return re.fullmatch(r"e\d+", name) is not None
