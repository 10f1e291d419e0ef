"""Who runs where: process ids, and who is told of a death."""

import random
from collections.abc import Callable

import msgspec

from tandem.sim.loop import SimLoop
from tandem.sim.machine import TICK_NS, Machine
from tandem.sim.process import CrashPoints, Killed, SimProcess

Range = tuple[int, int]
Identity = tuple[str, int, int]  # machine, pid, started
FIRST_PID = 1_000


class ProcessFaults(msgspec.Struct, frozen=True, kw_only=True):
    """How the kernel treats processes.

    A death is noticed by its watchers after `exit_notice_ns`. A new process gets the pid of a
    dead one, with another start time, with `pid_reuse_chance`.
    """

    exit_notice_ns: Range = (500_000, 5_000_000)
    pid_reuse_chance: float = 0.0


class Watch:
    """One process waiting for the end of another."""

    __slots__ = ("is_on", "on_exit", "watcher")

    def __init__(self, watcher: SimProcess, on_exit: Callable[[], None]) -> None:
        self.watcher = watcher
        self.on_exit = on_exit
        self.is_on = True

    def stop(self) -> None:
        """Tell nobody."""
        self.is_on = False

    def fire(self) -> None:
        """Tell the watcher, once; called in the watcher."""
        if self.is_on:
            self.is_on = False
            self.on_exit()


class ProcessTable:
    """Every process there ever was, and who watches it. `faults` may be exchanged."""

    def __init__(
        self,
        loop: SimLoop,
        *,
        draws: random.Random,
        faults: ProcessFaults,
        trace: Callable[[str], None],
    ) -> None:
        self.loop = loop
        self.faults = faults
        self.trace = trace
        self.everyone: list[SimProcess] = []
        self._draws = draws
        self._watches: dict[Identity, list[Watch]] = {}
        self._by_identity: dict[Identity, SimProcess] = {}
        self._next_pid = FIRST_PID

    def start(self, name: str, machine: Machine, points: CrashPoints) -> SimProcess:
        """Make a process with an identity that no other ever had."""
        pid = self._next_pid
        dead = [p.pid for p in self.everyone if p.machine is machine and not p.alive]
        living = [p.pid for p in self.everyone if p.machine is machine and p.alive]
        reusable = [pid for pid in dict.fromkeys(dead) if pid not in living]
        if reusable and self._draws.random() < self.faults.pid_reuse_chance:
            pid = self._draws.choice(reusable)
        else:
            self._next_pid += 1
        started = machine.boot_ns() // TICK_NS
        while (machine.name, pid, started) in self._by_identity:
            started += 1
        process = SimProcess(name, machine, pid=pid, started=started, points=points)
        self.everyone.append(process)
        self._by_identity[machine.name, pid, started] = process
        return process

    def find(self, identity: Identity) -> SimProcess | None:
        """Return that living process; None when it has ended or never was."""
        process = self._by_identity.get(identity)
        return process if process is not None and process.alive else None

    def watch(self, watcher: SimProcess, identity: Identity, on_exit: Callable[[], None]) -> Watch:
        """Tell `watcher` of the end of a process."""
        watch = Watch(watcher, on_exit)
        if self.find(identity) is None:
            self._tell(watch)
        else:
            self._watches.setdefault(identity, []).append(watch)
        return watch

    def bury(self, process: SimProcess) -> None:
        """Tell everybody who watches `process`, which has just died."""
        identity = (process.machine.name, process.pid, process.started)
        for watch in self._watches.pop(identity, []):
            self._tell(watch)

    def _tell(self, watch: Watch) -> None:
        low, high = self.faults.exit_notice_ns
        delay_ns = low + int(self._draws.random() * (high - low))
        self.loop.after(delay_ns, self.loop.deliver, watch.watcher, watch.fire)


class SimProcesses:
    """Satisfies `tandem.ports.Processes` for one process."""

    def __init__(
        self, table: ProcessTable, process: SimProcess, crash: Callable[[SimProcess], None]
    ) -> None:
        self._table = table
        self._process = process
        self._crash = crash

    def watch(self, pid: int, *, started: int, on_exit: Callable[[], None]) -> Callable[[], None]:
        """Call `on_exit` once, soon after that process ended; see `Processes.watch`."""
        self._process.before("watch")
        identity = (self._process.machine.name, pid, started)
        watch = self._table.watch(self._process, identity, on_exit)
        self._process.after("watch")
        return watch.stop

    def kill(self, pid: int, *, started: int) -> None:
        """End that process at once; see `Processes.kill`."""
        self._process.before("kill")
        process = self._table.find((self._process.machine.name, pid, started))
        if process is not None:
            self._crash(process)
            if process is self._process:
                raise Killed
        self._process.after("kill")
