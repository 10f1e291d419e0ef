"""The workers of this computer in another computer's pool: started, replaced, and ended.

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

_LINE_MAX: Final = 4_096
_READ_MAX: Final = 65_536


class Running(msgspec.Struct, kw_only=True):
    """One worker process that should run; `pid` is None until it does."""

    began_ns: int
    pid: int | None = None


class MachineWorkers:
    """The workers of one joined home. `say` gets what a person should know, a line at a time."""

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
        self._next = 1
        self._faults = 0
        self._kills = 0
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

    def start(self, workers: int) -> None:
        """Start so many workers."""
        asyncio.get_running_loop().add_reader(self._heard, self._on_lines)
        self._nursing.open()
        for _ in range(workers):
            self._fork()

    async def wait(self) -> None:
        """Keep them running, for ever.

        Raises:
            PoolFailedError: they end again and again.
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

    def _fork(self) -> None:
        # No number is used twice in a run: whoever drains `laptop-1` means the process he saw.
        name = f"{self._name}-{self._next}"
        self._next += 1
        self._running[name] = Running(began_ns=self._clock.now().now_ns)
        self._nursing.fork(
            Plan(
                role=Role.WORKER,
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
            self._faults = self._kills = 0
        self._replace(how, is_fault=ended.code >= 0)

    def _on_nursery_ended(self) -> None:
        """All its children are gone with it: begin again with as many."""
        count = len(self._running)
        self._running.clear()
        if self._stopping:
            self._gone.set()
            return
        self._say("the nursery ended; its workers are started anew")
        self._nursing.open()
        self._replace("the nursery ended", count, is_fault=True)

    def _replace(self, how: str, count: int = 1, *, is_fault: bool) -> None:
        self._faults += is_fault
        self._kills += not is_fault
        if self._faults < ENDS_MAX and self._kills < KILLS_MAX:
            for _ in range(count):
                self._fork()
        else:
            self._fail(f"workers end again and again: {how}")

    def _fail(self, reason: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(PoolFailedError(reason))
