"""A world of machines and processes in one thread, on one seed, in its own time.

The same asyncio code that runs in real processes runs here: tasks, timers, protocols, queues.
A scenario starts processes and does things to them from outside:

    async def serve(process: SimProcess) -> None:
        disk = process.disk("journal")  # raises JournalBusyError while another holds it
        await process.network.listen("/run/desk", lambda: Desk(disk, process.clock))
        await asyncio.get_running_loop().create_future()

    with World(seed=7, faults=Faults(network=NetworkFaults(break_chance=0.001))) as world:
        world.spawn("desk", "home", serve)
        world.spawn("worker-1", "home", work)
        world.after(3 * SECOND_NS, world.crash, "desk")  # kill -9
        world.after(4 * SECOND_NS, world.restart, "desk")  # same name, same folders, new pid
        world.after(5 * SECOND_NS, world.pause, "worker-1")  # SIGSTOP
        world.after(6 * SECOND_NS, world.resume, "worker-1")
        world.run(60 * SECOND_NS, check=invariants)  # to that moment; `check` after every callback
        world.faults = CALM  # from here on
        world.run_for(10 * SECOND_NS)
        assert not world.complaints
        assert [ended.error for ended in world.ended] == []
        print(world.trace_hash)

Everything that happens is a function of the seed: all chance comes from streams drawn from it, one
for each part (`world.random`), so that one more draw in one part changes no other.

What is simulated is what `tandem.ports` promises and asyncio's own loop does; a call that would
need anything else (threads, signals, sockets, subprocesses) raises NotImplementedError.
"""

import hashlib
import random
import traceback
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import msgspec

from tandem.sim.disk import DiskFaults, Folder
from tandem.sim.loop import Complaint, SimHandle, SimLoop
from tandem.sim.machine import SECOND_NS, ClockFaults, Machine, SimClock
from tandem.sim.network import NetworkFaults, ProcessNetwork, SimNetwork
from tandem.sim.process import CrashPoints, Ended, Killed, SimProcess
from tandem.sim.processes import ProcessFaults, ProcessTable, SimProcesses

__all__ = [
    "CALM",
    "SECOND_NS",
    "ClockFaults",
    "DiskFaults",
    "Ended",
    "Faults",
    "Main",
    "NetworkFaults",
    "ProcessFaults",
    "SimProcess",
    "World",
]

Main = Callable[[SimProcess], Coroutine[Any, Any, None]]
TRACE_LINES_MAX = 1 << 10


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What may go wrong by itself. Default: nothing, and perfect clocks."""

    network: NetworkFaults = NetworkFaults()
    disk: DiskFaults = DiskFaults()
    processes: ProcessFaults = ProcessFaults()
    clock: ClockFaults = ClockFaults()  # read once, when a machine is first named


CALM = Faults()


class World:
    """Everything there is; see the module's text.

    `network` can be cut and healed, `folder(...)` filled and looked into, `crash_points.hook` set
    to let processes die in the middle of what they do. `keep_trace` keeps the lines of the trace
    in `trace_lines`, for reading.
    """

    def __init__(self, seed: int, faults: Faults = CALM, *, keep_trace: bool = False) -> None:
        self.seed = seed
        self.ended: list[Ended] = []
        self.trace_lines: list[str] = []
        self._keep_trace = keep_trace
        self._hash = hashlib.blake2b(digest_size=16)
        self._traced: list[str] = []
        self._randoms: dict[str, random.Random] = {}
        self._machines: dict[str, Machine] = {}
        self._folders: dict[tuple[str, str], Folder] = {}
        self._processes: dict[str, SimProcess] = {}
        self._mains: dict[str, Main] = {}
        self._faults = faults
        self.loop = SimLoop(self._end)
        self.crash_points = CrashPoints(self.crash)
        self.network = SimNetwork(
            self.loop, draws=self.random("network"), trace=self.trace, faults=faults.network
        )
        self.table = ProcessTable(
            self.loop, draws=self.random("processes"), trace=self.trace, faults=faults.processes
        )

    # Time.

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the world began."""
        return self.loop.now_ns

    def at(self, time_ns: int, callback: Callable[..., object], *args: Any) -> SimHandle:
        """Call `callback` at that moment, from outside every process."""
        return self.loop.at(time_ns, callback, *args)

    def after(self, delay_ns: int, callback: Callable[..., object], *args: Any) -> SimHandle:
        """Call `callback` after `delay_ns`, from outside every process."""
        return self.loop.after(delay_ns, callback, *args)

    def run(self, until_ns: int, check: Callable[[], None] | None = None) -> None:
        """Let the world run up to `until_ns`; `check` is called after every callback.

        What `check` or a callback from outside raises comes out here.
        """
        self.loop.run(until_ns, check)

    def run_for(self, duration_ns: int, check: Callable[[], None] | None = None) -> None:
        """Let the world run for `duration_ns`."""
        self.loop.run(self.now_ns + duration_ns, check)

    # Chance and what becomes of it.

    @property
    def faults(self) -> Faults:
        """What may go wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self.network.faults = faults.network
        self.table.faults = faults.processes

    def random(self, name: str) -> random.Random:
        """Return the stream of chance of that name; each has its own, always the same."""
        stream = self._randoms.get(name)
        if stream is None:
            stream = self._randoms[name] = random.Random(f"{self.seed} {name}")
        return stream

    def trace(self, what: str) -> None:
        """Add `what` to the hash of all that happened, with time and process."""
        process = self.loop.current
        name = "" if process is None else process.name
        line = f"{self.loop.now_ns} {name} {what}\n"
        self._traced.append(line)
        if len(self._traced) > TRACE_LINES_MAX:
            self._hash.update("".join(self._traced).encode())
            self._traced.clear()
        if self._keep_trace:
            self.trace_lines.append(line)

    @property
    def trace_hash(self) -> str:
        """The hash of all that happened so far: one seed, one hash."""
        so_far = self._hash.copy()
        so_far.update("".join(self._traced).encode())
        so_far.update(f"{self.now_ns} {self.loop.callbacks_count}".encode())
        return so_far.hexdigest()

    @property
    def complaints(self) -> list[Complaint]:
        """What asyncio would have logged; the scenario decides what that means."""
        return self.loop.complaints

    # Processes.

    def spawn(self, name: str, machine: str | Machine, main: Main) -> SimProcess:
        """Start a process that runs `main`; its name is free unless another such still lives.

        It ends when `main` does, at once and with all its tasks; how is seen in `ended`.
        """
        former = self._processes.get(name)
        assert former is None or not former.alive, f"{name} is still alive"
        home = self.machine(machine) if isinstance(machine, str) else machine
        process = self.table.start(name, home, self.crash_points)
        process.clock = SimClock(home)
        process.network = ProcessNetwork(self.network, process)
        process.processes = SimProcesses(self.table, process, self.crash)
        process.disk = lambda folder: self.folder(folder, machine=home.name).hold(process)
        process.paused = home.asleep
        self._processes[name] = process
        self._mains[name] = main
        self.trace(f"spawn {name} {process.pid} {process.started}")
        self.loop.enqueue(process, self._begin, process, main)
        return process

    def restart(self, name: str) -> SimProcess:
        """Start the process of that name anew, or return it when it still lives."""
        process = self._processes[name]
        if process.alive:
            return process
        return self.spawn(name, process.machine, self._mains[name])

    def process(self, name: str) -> SimProcess:
        """Return the latest process of that name, dead or alive."""
        return self._processes[name]

    @property
    def names(self) -> list[str]:
        """The names of all processes, in the order in which they first came."""
        return list(self._processes)

    def crash(self, process: SimProcess | str) -> None:
        """Kill -9: nothing of it runs again, not even `finally`. The dead stay dead."""
        process = self._one(process)
        if process.alive:
            self._kill(process, "crash")
            for folder in self._folders.values():
                if folder.holder is process:
                    folder.holder_died()

    def pause(self, process: SimProcess | str) -> None:
        """SIGSTOP: nothing of it runs; callbacks, timers and bytes wait."""
        process = self._one(process)
        if process.alive and not process.stopped:
            process.stopped = True
            process.paused = True
            self.trace(f"pause {process.name}")

    def resume(self, process: SimProcess | str) -> None:
        """SIGCONT: it catches up."""
        process = self._one(process)
        if process.alive and process.stopped:
            process.stopped = False
            self.trace(f"resume {process.name}")
            self._unhold(process)

    # Machines.

    def machine(self, name: str) -> Machine:
        """Return the machine of that name, made when first asked for."""
        machine = self._machines.get(name)
        if machine is None:
            machine = self._machines[name] = Machine(
                name,
                time=self.loop,
                draws=self.random(f"machine {name}"),
                faults=self._faults.clock,
            )
        return machine

    def folder(self, name: str, *, machine: str) -> Folder:
        """Return a folder of a machine, made when first asked for."""
        folder = self._folders.get((machine, name))
        if folder is None:
            folder = self._folders[machine, name] = Folder(
                name,
                self.loop,
                draws=self.random(f"disk {machine} {name}"),
                faults=lambda: self._faults.disk,
                trace=self.trace,
            )
        return folder

    def reboot(self, machine: str) -> None:
        """Cut the power and give it back: all its processes die, all its folders lose power."""
        self.trace(f"reboot {machine}")
        home = self.machine(machine)
        for process in self._on(home):
            self._kill(process, "power cut")
        for (owner, _), folder in self._folders.items():
            if owner == machine:
                folder.lose_power()
        home.reboot()

    def sleep(self, machine: str, duration_ns: int) -> None:
        """Close the laptop's lid for that long: only its boot clock and UTC go on."""
        home = self.machine(machine)
        if home.asleep:
            return
        self.trace(f"sleep {machine} {duration_ns}")
        home.fall_asleep()
        for process in self._on(home):
            process.paused = True
        self.after(duration_ns, self._wake, home, home.boots)

    # The end.

    def close(self) -> None:
        """End the world; every process dies, and what is left of it is put away silently."""
        for process in self.table.everyone:
            process.alive = False
        self.loop.shut(self.table.everyone)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    # Inside.

    def _one(self, process: SimProcess | str) -> SimProcess:
        return self._processes[process] if isinstance(process, str) else process

    def _on(self, machine: Machine) -> list[SimProcess]:
        return [p for p in self._processes.values() if p.alive and p.machine is machine]

    def _begin(self, process: SimProcess, main: Main) -> None:
        self.loop.create_task(self._live(process, main))

    async def _live(self, process: SimProcess, main: Main) -> None:
        try:
            await main(process)
        except (Killed, GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 (the scenario judges it)
            self._end(process, error)
        else:
            self._end(process, None)

    def _end(self, process: SimProcess, error: BaseException | None) -> None:
        """End a process by its own doing."""
        if process.alive:
            self.ended.append(Ended(self.now_ns, process.name, process.pid, error))
            self._kill(process, f"end {type(error).__name__}")

    def _kill(self, process: SimProcess, how: str) -> None:
        self.trace(f"{how} {process.name} {process.pid}")
        process.alive = False
        self.network.sever(process)
        self.table.bury(process)

    def _wake(self, machine: Machine, boots: int) -> None:
        if machine.boots == boots:
            self.trace(f"wake {machine.name}")
            machine.wake()
            for process in self._on(machine):
                self._unhold(process)

    def _unhold(self, process: SimProcess) -> None:
        """Let `process` run if nothing else holds it."""
        process.paused = process.stopped or process.machine.asleep
        if not process.paused:
            timers_first = self.random("processes").random() < 0.5
            self.loop.release(process, timers_first=timers_first)


def story(ended: Ended) -> str:
    """Return how a process ended, for a person to read."""
    head = f"{ended.time_ns} ns: {ended.name} (pid {ended.pid})"
    if ended.error is None:
        return f"{head} returned\n"
    return head + "\n" + "".join(traceback.format_exception(ended.error))
