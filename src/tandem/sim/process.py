"""One run of one simulated process: what is alive, paused, held back or dead.

Nothing of a process runs while it is paused, and nothing of it ever runs again once it is dead:
its callbacks are dropped and every port it still holds raises `Killed`. Its coroutines are kept
until the world closes, because throwing one away would run its `finally` blocks.
"""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from tandem.ports import Clock, Disk, Network, Processes
from tandem.sim.machine import Machine

if TYPE_CHECKING:
    from tandem.sim.connection import SimTransport
    from tandem.sim.loop import SimHandle

RUNNING: contextvars.ContextVar["SimProcess"] = contextvars.ContextVar("running")

TASKS_KEPT = (
    64  # finished tasks are swept out when twice the living, and at least this many, are kept
)
BURIAL_ROUNDS_MAX = 100  # a `finally` block may wait again this often before it is left alone


class Killed(BaseException):
    """The process is dead: raised at the very call in which it died, and by every port after."""


class Ended(msgspec.Struct, frozen=True):
    """A process that ended by itself; `error` is None when its main returned."""

    time_ns: int
    name: str
    pid: int
    error: BaseException | None


class CrashPoints:
    """Where a scenario may let a process die in the middle of what it does.

    `hook(process, point)` is asked before and after every effect (`"before write"`,
    `"after write"`; also send, sync, create, replace, delete, connect, listen, kill) and returns
    True to crash the process right there.
    """

    __slots__ = ("crash", "hook")

    def __init__(self, crash: Callable[["SimProcess"], None]) -> None:
        self.crash = crash
        self.hook: Callable[[SimProcess, str], bool] | None = None


class SimProcess:
    """One run of a process, from its start to its death; a restart is another one.

    `clock`, `network` and `processes` are its ports; `disk(folder)` opens a folder of its machine,
    which it then holds until it dies. `name` is kept through restarts; `pid` and `started` name
    this run. The loop reads `alive` and `paused`; only the World changes them.
    """

    def __init__(
        self, name: str, machine: Machine, *, pid: int, started: int, points: CrashPoints
    ) -> None:
        self.name = name
        self.machine = machine
        self.pid = pid
        self.started = started
        self.alive = True
        self.paused = False
        self.stopped = False
        self.context = contextvars.Context()
        self.context.run(RUNNING.set, self)
        self.clock: Clock
        self.network: Network
        self.processes: Processes
        self.disk: Callable[[str], Disk]
        self.complain: Callable[..., object] | None = None
        self.ready_held: list[SimHandle] = []
        self.timers_held: list[SimHandle] = []
        self.notices_held: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.transports: dict[SimTransport, None] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._tasks_limit = TASKS_KEPT
        self._points = points

    def __repr__(self) -> str:
        state = "dead" if not self.alive else "paused" if self.paused else "alive"
        return f"<{self.name} pid {self.pid} {state}>"

    def before(self, effect: str) -> None:
        """Stand just before `effect`.

        Raises:
            Killed: the process is dead, or died here.
        """
        if not self.alive:
            raise Killed
        hook = self._points.hook
        if hook is not None and (hook(self, "before " + effect) or not self.alive):
            self._die()

    def after(self, effect: str) -> None:
        """Stand just after `effect`, before its caller hears of it.

        Raises:
            Killed: the process died here.
        """
        hook = self._points.hook
        if hook is None or not self.alive:
            return
        if hook(self, "after " + effect) or not self.alive:
            self._die()

    def _die(self) -> None:
        self._points.crash(self)  # nothing when the scenario has done so
        raise Killed

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Keep `task` until it is done, or for as long as the world lasts."""
        self._tasks.append(task)
        if len(self._tasks) > self._tasks_limit:
            self._tasks = [task for task in self._tasks if not task.done()]
            self._tasks_limit = max(TASKS_KEPT, 2 * len(self._tasks))

    def bury(self) -> None:
        """Take the remains of a dead process apart, silently; called when the world closes."""
        while self._tasks:
            task = self._tasks.pop()
            if not task.done():
                _close(task.get_coro())


def _close(coroutine: Any) -> None:
    for _ in range(BURIAL_ROUNDS_MAX):
        try:
            coroutine.close()
        except RuntimeError:  # its `finally` block waits for something: end that wait too
            continue
        except BaseException:  # noqa: BLE001 (the dead may say what they like)
            return
        return
