"""Halting a home by hand: everybody is told at the same time, and what came of it is seen.

First the halt is made durable. Then the coordinator and every worker are told, each on its own
connection, so that a coordinator that is dead or hangs holds nothing up. A worker says how far its
own halt is; on a paper exchange this process looks for itself whether anything is left. Whoever
starts meanwhile is told as well.

All times are milliseconds after the halt began, on this computer's clock. What a worker did is told
in its answer, so these are upper bounds.
"""

import asyncio
import contextlib
from typing import Final

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.errors import (
    CoordinatorUnreachableError,
    ProcessUnreachableError,
    VenueUnreachableError,
)
from tandem.domain.halting import AskHandHalt, HaltWorker, HandHaltView, OwnRequest
from tandem.domain.ids import AccountId, CommandId
from tandem.shells.own_control import OwnLine
from tandem.wiring.asking import desk_line
from tandem.wiring.halt_file import HaltFile, write_halt
from tandem.wiring.home import Home
from tandem.wiring.names import now_ns
from tandem.wiring.venue_books import open_at_venue

FILE_S: Final = 0.05  # then everybody is told, though the disk is slow
ANSWER_S: Final = 1.0  # of a worker
COORDINATOR_S: Final = 0.2  # once all else is done
DEADLINE_S: Final = 5.0
LOOK_S: Final = 0.01
OTHERS: Final = ("coordinator", "exchange")  # who listen, and are not halted there


class WorkerHalt(msgspec.Struct, kw_only=True):
    """What became of one worker; None is what was not heard of."""

    name: str
    account_id: AccountId | None = None
    stopped_ms: float | None = None
    cancels: int = 0
    cancels_sent_ms: float | None = None
    verified_ms: float | None = None
    open_orders: int | None = None
    text: str = "no answer"

    @property
    def is_done(self) -> bool:
        """Whether it stopped, and nothing of its account is open."""
        has_account = self.account_id is not None
        return self.stopped_ms is not None and (not has_account or self.verified_ms is not None)


class HaltReport(msgspec.Struct, kw_only=True):
    """What became of a halt.

    `durable_ms` is None when it is not durable, `coordinator_ms` when no coordinator took note.
    `open_at_venue` is what the exchange itself says is open, `clear_ms` when that was nothing; both
    are None where only workers can ask the venue.
    """

    halt: HaltFile
    workers: list[WorkerHalt]
    durable_ms: float | None = None
    coordinator_ms: float | None = None
    open_at_venue: dict[AccountId, int] | None = None
    clear_ms: float | None = None

    @property
    def is_verified(self) -> bool:
        """Whether all stopped for good, and nothing is open."""
        is_clear = self.open_at_venue is None or not any(self.open_at_venue.values())
        return self.durable_ms is not None and is_clear and all(one.is_done for one in self.workers)


async def halt_home(home: Home, halt: HaltFile, *, is_pool: bool = True) -> HaltReport:
    """Halt every process of this home, and return how far that came within `DEADLINE_S`.

    Without `is_pool` it is the home of a machine in another computer's pool: only its workers are
    halted, and they tell their coordinator.
    """
    halting = _Halting(home, halt)
    return await halting.run(is_pool=is_pool)


class _Halting:
    """One halt, while it is being carried out."""

    def __init__(self, home: Home, halt: HaltFile) -> None:
        self._home = home
        self._halt = halt
        self._began_ns = now_ns()
        self._rows: dict[str, WorkerHalt] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._report = HaltReport(halt=halt, workers=[])

    def _ms(self, at_ns: int) -> float:
        return (at_ns - self._began_ns) / 1e6

    async def run(self, *, is_pool: bool) -> HaltReport:
        report = self._report
        telling: list[asyncio.Task[None]] = []
        if is_pool:
            writing = asyncio.create_task(self._write())
            await asyncio.wait({writing}, timeout=FILE_S)
            telling = [writing, asyncio.create_task(self._tell_coordinator())]
        else:
            report.durable_ms = 0.0  # it stands where the coordinator is
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._see(is_pool=is_pool)
        except TimeoutError:
            pass
        finally:
            if telling:
                await asyncio.wait(telling, timeout=COORDINATOR_S)
            await _end([*telling, *self._watches.values()])
        report.workers = [row for _, row in sorted(self._rows.items(), key=_by_number)]
        return report

    async def _write(self) -> None:
        try:
            await asyncio.to_thread(write_halt, self._home, self._halt)
        except OSError:
            return
        self._report.durable_ms = self._ms(now_ns())

    async def _tell_coordinator(self) -> None:
        command_id = CommandId(self._halt.halt_id)
        async with desk_line(self._home) as line:
            with contextlib.suppress(CoordinatorUnreachableError):
                await line.command(command_id, self._halt.command, DEADLINE_S)
                self._report.coordinator_ms = self._ms(now_ns())

    async def _see(self, *, is_pool: bool) -> None:
        """Tell everybody who is there, also who comes later, until nothing is open."""
        while True:
            for name, address in self._home.own_sockets().items():
                if name not in self._watches and name not in OTHERS:
                    self._watches[name] = asyncio.create_task(self._watch(name, address))
            await asyncio.sleep(LOOK_S)
            if any(not one.done() for one in self._watches.values()):
                continue
            if not is_pool or await self._is_clear():
                return

    async def _is_clear(self) -> bool:
        """Whether the exchange itself says that nothing of ours is open."""
        try:
            counts = await open_at_venue(self._home)
        except (OSError, VenueUnreachableError):
            return False
        self._report.open_at_venue = counts
        if any(counts.values()):
            return False
        self._report.clear_ms = self._ms(now_ns())
        return True

    async def _watch(self, name: str, address: str) -> None:
        line = OwnLine(UnixNetwork(), address)
        try:
            await line.open()
        except OSError:
            return  # its process has ended
        self._rows[name] = row = WorkerHalt(name=name)
        request: OwnRequest = HaltWorker(halt_id=self._halt.halt_id, reason=self._halt.reason)
        try:
            while not row.is_done:
                async with asyncio.timeout(ANSWER_S):
                    view = await line.ask(request)
                assert isinstance(view, HandHaltView), f"{name} answered {view}"
                self._take(row, view)
                request = AskHandHalt()
                await asyncio.sleep(LOOK_S)
        except TimeoutError:
            row.text = "no answer"
        except ProcessUnreachableError:
            # Whatever it drove is another worker's now, or will be.
            row.text = "ended meanwhile"
            del self._rows[name]
        finally:
            line.close()

    def _take(self, row: WorkerHalt, view: HandHaltView) -> None:
        ahead_ns = now_ns() - view.now_ns  # of its clock, and its answer's way

        def ms(at_ns: int | None) -> float | None:
            return None if at_ns is None else self._ms(at_ns + ahead_ns)

        row.account_id = view.account_id
        row.cancels = view.cancels
        row.open_orders = view.open_orders
        if row.stopped_ms is None:
            row.stopped_ms = ms(view.stopped_at_ns)
        if row.cancels_sent_ms is None:
            row.cancels_sent_ms = ms(view.cancels_sent_at_ns)
        row.verified_ms = ms(view.verified_at_ns)
        row.text = "not verified" if not row.is_done else ""


def _by_number(item: tuple[str, WorkerHalt]) -> tuple[int, str]:
    name = item[0]
    return len(name), name


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
