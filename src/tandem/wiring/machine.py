"""Workers and evaluators of this computer in another computer's pool: started, replaced, ended.

They are forked from a nursery, as a pool's own are, so none outlives the command that runs them.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Final

import msgspec

from tandem.domain.ids import VenueId
from tandem.ports import Clock
from tandem.wiring.home import Home, HomeLock
from tandem.wiring.nursery import Ended, Forked, News
from tandem.wiring.nursing import Nursing
from tandem.wiring.remote_worker import RemotePool, RemovedError
from tandem.wiring.roles import Plan, Role
from tandem.wiring.serving import read_fault
from tandem.wiring.supervisor import (
    ENDS_MAX,
    KILLS_MAX,
    SHORT_LIFE_NS,
    STOP_S,
    PoolFailedError,
    how_it_ended,
)

PREFIXES: Final = {Role.WORKER: "", Role.EVALUATOR: "e"}
_LINE_MAX: Final = 4_096
_READ_MAX: Final = 65_536


class Running(msgspec.Struct, kw_only=True):
    """One process that should run; `pid` is None until it does."""

    role: Role
    began_ns: int
    pid: int | None = None


class Ends(msgspec.Struct, kw_only=True):
    """How often in a row processes of one role ended young."""

    faults: int = 0
    kills: int = 0


class MachineProcesses:
    """Those of one joined home. `say` gets what a person should know, a line at a time.

    Evaluators that end again and again are given up; workers go on without them.
    """

    def __init__(
        self,
        home: Home,
        name: str,
        pool: RemotePool,
        *,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._home = home
        self._name = name
        self._pool = pool
        self._clock = clock
        self._say = say
        self._running: dict[str, Running] = {}
        self._next = dict.fromkeys(PREFIXES, 1)
        self._ends = {Role.WORKER: Ends(), Role.EVALUATOR: Ends()}
        self._stopping = False
        self._gone = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._lock = HomeLock(home)
        home.sweep()
        self._heard, self._told = os.pipe()
        os.set_blocking(self._heard, False)
        self._nursing = Nursing(
            home.log_file,
            on_news=self._on_news,
            on_ended=self._on_nursery_ended,
            out=self._told,
        )

    def start(self, *, workers: int, evaluators: int) -> None:
        """Start so many of each."""
        asyncio.get_running_loop().add_reader(self._heard, self._on_lines)
        self._nursing.open()
        for role, count in ((Role.WORKER, workers), (Role.EVALUATOR, evaluators)):
            for _ in range(count):
                self._fork(role)

    async def wait(self) -> None:
        """Keep them running, for ever.

        Raises:
            PoolFailedError: workers end again and again.
        """
        await self._failed

    async def stop(self) -> None:
        """End them, and wait until they are gone."""
        self._stopping = True
        for number in (signal.SIGTERM, signal.SIGKILL):  # the second is for those that hang
            for one in self._running.values():
                if one.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one.pid, number)
            if self._running:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await self._gone.wait()
        self._nursing.close()
        self._on_lines()
        asyncio.get_running_loop().remove_reader(self._heard)
        os.close(self._heard)
        os.close(self._told)
        self._home.sweep()
        self._lock.release()

    def _fork(self, role: Role) -> None:
        # No number is used twice in a run: whoever drains `laptop-1` means the process he saw.
        name = f"{self._name}-{PREFIXES[role]}{self._next[role]}"
        self._next[role] += 1
        self._running[name] = Running(role=role, began_ns=self._clock.now().now_ns)
        self._nursing.fork(
            Plan(
                role=role,
                name=name,
                folder=str(self._home.folder),
                venue_id=VenueId(""),
                pool=self._pool,
            )
        )

    def _on_lines(self) -> None:
        """Pass on what the workers print."""
        try:
            raw = os.read(self._heard, _READ_MAX)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + raw).split(b"\n")
        self._rest = self._rest[-_LINE_MAX:]
        for line in lines:
            self._say(line.decode("utf-8", "replace"))

    def _on_news(self, news: News) -> None:
        if isinstance(news, Forked):
            one = self._running.get(news.name)
            if one is not None:
                one.pid = news.pid
        else:
            self._on_ended(news)

    def _on_ended(self, ended: Ended) -> None:
        found = [name for name, one in self._running.items() if one.pid == ended.pid]
        if not found:
            return
        one = self._running.pop(found[0])
        if not self._running:
            self._gone.set()
        fault = read_fault(self._home.fault_file(found[0]))
        if self._stopping:
            return
        how = fault.text if fault is not None else how_it_ended(ended.code)
        if how.startswith(RemovedError.__name__):
            self._fail("this computer is a machine of the pool no more")
            return
        self._say(f"{found[0]} (process {ended.pid}) ended: {how}")
        if self._clock.now().now_ns - one.began_ns > SHORT_LIFE_NS:
            self._ends[one.role] = Ends()
        self._replace(one.role, how, is_fault=ended.code >= 0)

    def _on_nursery_ended(self) -> None:
        """All its children are gone with it: begin again with as many."""
        roles = [one.role for one in self._running.values()]
        self._running.clear()
        if self._stopping:
            self._gone.set()
            return
        self._say("the nursery ended; its processes are started anew")
        self._nursing.open()
        for role in self._ends:
            if role in roles:
                self._replace(role, "the nursery ended", roles.count(role), is_fault=True)

    def _replace(self, role: Role, how: str, count: int = 1, *, is_fault: bool) -> None:
        ends = self._ends[role]
        ends.faults += is_fault
        ends.kills += not is_fault
        if ends.faults < ENDS_MAX and ends.kills < KILLS_MAX:
            for _ in range(count):
                self._fork(role)
        elif role is Role.WORKER:
            self._fail(f"workers end again and again: {how}")
        else:
            self._say(f"evaluators end again and again: {how}; workers go on without")

    def _fail(self, reason: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(PoolFailedError(reason))
