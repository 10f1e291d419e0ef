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

FILE_S: Final = 0.02  # then everybody is told, though the disk is slow
COORDINATOR_S: Final = 0.2  # once all else is done
DEADLINE_S: Final = 10.0  # long enough to replace a coordinator that hangs, and then a worker
LOOK_S: Final = 0.01
OTHERS: Final = ("coordinator", "exchange", "relay", "metrics")  # who listen, and are not halted


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
    `open_at_venue` is what the exchange itself says is open, `clear_ms` when that was nothing: not
    on a `machine` of another computer's pool, where only workers can ask the venue.
    """

    halt: HaltFile
    machine: bool
    workers: list[WorkerHalt]
    durable_ms: float | None = None
    coordinator_ms: float | None = None
    open_at_venue: dict[AccountId, int] | None = None
    clear_ms: float | None = None

    @property
    def is_verified(self) -> bool:
        """Whether all stopped for good, and nothing is open."""
        if not all(one.is_done for one in self.workers):
            return False
        if self.machine:
            return bool(self.workers)
        return self.durable_ms is not None and self.clear_ms is not None


async def halt_home(home: Home, halt: HaltFile) -> HaltReport:
    """Halt every process of this home, and return how far that came within `DEADLINE_S`.

    In the home of a machine in another computer's pool only its workers are halted, and they tell
    their coordinator, where the halt stands.
    """
    return await _Halting(home, halt).run()


class _Halting:
    """One halt, while it is being carried out."""

    def __init__(self, home: Home, halt: HaltFile) -> None:
        self._home = home
        self._halt = halt
        self._began_ns = now_ns()
        self._rows: dict[str, WorkerHalt] = {}
        self._ahead_ns: dict[str, int] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._report = HaltReport(halt=halt, machine=home.is_machine, workers=[])

    def _ms(self, at_ns: int) -> float:
        return (at_ns - self._began_ns) / 1e6

    async def run(self) -> HaltReport:
        report = self._report
        telling: list[asyncio.Task[None]] = []
        if not report.machine:
            writing = asyncio.create_task(self._write())
            await asyncio.wait({writing}, timeout=FILE_S)
            telling = [writing, asyncio.create_task(self._tell_coordinator())]
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._see()
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

    async def _see(self) -> None:
        """Tell everybody who is there, also who comes later, until nothing is open."""
        while True:
            for name, address in self._home.own_sockets().items():
                if name not in self._watches and name not in OTHERS:
                    self._watches[name] = asyncio.create_task(self._watch(name, address))
            await asyncio.sleep(LOOK_S)
            if any(not one.done() for one in self._watches.values()):
                continue
            if self._report.machine or await self._is_clear():
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
                view = await line.ask(request)
                if not isinstance(view, HandHaltView):  # it drives no account, such as an evaluator
                    del self._rows[name]
                    return
                self._take(row, view)
                request = AskHandHalt()
                await asyncio.sleep(LOOK_S)
        except ProcessUnreachableError:
            del self._rows[name]  # it has ended: what it drove is another worker's, or nobody's
        finally:
            line.close()

    def _take(self, row: WorkerHalt, view: HandHaltView) -> None:
        # How far our clock is ahead of its, and its answer's way: the shortest was the truest.
        ahead_ns = min(self._ahead_ns.get(row.name, now_ns()), now_ns() - view.now_ns)
        self._ahead_ns[row.name] = ahead_ns

        def ms(at_ns: int | None) -> float | None:
            return None if at_ns is None else self._ms(at_ns + ahead_ns)

        row.account_id = view.account_id
        row.cancels = view.cancels
        row.open_orders = view.open_orders
        row.stopped_ms = ms(view.stopped_at_ns)
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
