"""An asyncio event loop on which time jumps to the next thing that is due.

All processes of all machines share it. Every callback belongs to the process in whose context it
was scheduled; when its turn comes and that process is dead it is dropped, and while that process
is paused it is held back. Callbacks run in the order of `call_soon`, as on any asyncio loop; when
none is left, time moves to the earliest timer. Callbacks take no time. What has no process is the
kernel's or the scenario's and always runs.
"""

import asyncio
import contextvars
import gc
import heapq
import math
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, NoReturn, TypeVarTuple

import msgspec

from tandem.sim.process import RUNNING, SimProcess

Arguments = TypeVarTuple("Arguments")
SECOND_NS = 1_000_000_000
SPINS_MAX = 100_000  # callbacks at one instant: more, and somebody waits without waiting


class Complaint(msgspec.Struct, frozen=True):
    """What asyncio would have logged: an exception that nobody was there to take."""

    time_ns: int
    name: str
    message: str
    error: BaseException | None


class StuckError(RuntimeError):
    """Callbacks go on for ever and time does not move."""


class SimHandle(asyncio.TimerHandle):
    """One scheduled callback and the process it belongs to; `when_s` is None unless a timer's."""

    __slots__ = ("args", "callback", "context", "dropped", "process", "slept_ns", "when_s")

    def __init__(
        self,
        process: SimProcess | None,
        context: contextvars.Context | None,
        callback: Callable[..., object],
        args: tuple[Any, ...],
    ) -> None:
        # Nothing of asyncio's own handle is used: this is called for every callback.
        self.process = process
        self.context = context
        self.callback = callback
        self.args = args
        self.dropped = False
        self.when_s: float | None = None
        self.slept_ns = 0

    def __repr__(self) -> str:
        return f"<SimHandle {self.process} {self.callback}>"

    def cancel(self) -> None:
        """Never run it."""
        self.dropped = True
        self.callback = _nothing
        self.args = ()

    def cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return self.dropped

    def when(self) -> float:
        """Return when a timer is due, in seconds of the monotonic clock of its machine."""
        return 0.0 if self.when_s is None else self.when_s


class SimTask(asyncio.Task[Any]):
    """A task that sets keep in the same order in every run: `TaskGroup` cancels from a set."""

    __slots__ = ("_number",)

    def __hash__(self) -> int:
        try:
            return self._number
        except AttributeError:
            loop = self.get_loop()
            assert isinstance(loop, SimLoop)
            self._number: int = loop.next_number()
            return self._number


class SimLoop(asyncio.BaseEventLoop):
    """The loop under all simulated processes; see the module's text.

    `current` is the process whose callback runs, None for the kernel and the scenario.
    `time()` is the monotonic clock of the machine of `current`.
    """

    def __init__(self, on_exit: Callable[[SimProcess, BaseException], None]) -> None:
        super().__init__()
        self.now_ns = 0
        self.current: SimProcess | None = None
        self.callbacks_count = 0
        self.complaints: list[Complaint] = []
        self._on_exit = on_exit
        self._soon: deque[SimHandle] = deque()
        self._timers: list[tuple[int, int, SimHandle]] = []
        self._sequence = 0
        self._spins = 0
        self._shut = False

    def time(self) -> float:
        """Return the seconds that timers are counted in."""
        process = self.current
        return (self.now_ns if process is None else process.machine.monotonic_ns()) / SECOND_NS

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Run `callback` after what is ready now, in the process of its context."""
        process = self.current
        if context is None:
            context = contextvars.copy_context()
        else:
            process = context.get(RUNNING)
        handle = SimHandle(process, context, callback, args)
        if not self._shut and (process is None or process.alive):
            self._soon.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Do as `call_soon`: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Run `callback` after `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Run `callback` when `time()` has reached `when`."""
        process = self.current
        if context is None:
            context = contextvars.copy_context()
        else:
            process = context.get(RUNNING)
        handle = SimHandle(process, context, callback, args)
        handle.when_s = when
        if not self._shut and (process is None or process.alive):
            self._arm(handle, when)
        return handle

    def at(self, time_ns: int, callback: Callable[..., object], *args: Any) -> SimHandle:
        """Run `callback` at the world's `time_ns` (now, if that has passed), whatever happens."""
        handle = SimHandle(None, None, callback, args)
        self._push(time_ns, handle)
        return handle

    def after(self, delay_ns: int, callback: Callable[..., object], *args: Any) -> SimHandle:
        """Run `callback` after `delay_ns`, whatever happens."""
        return self.at(self.now_ns + delay_ns, callback, *args)

    def deliver(self, process: SimProcess, callback: Callable[..., object], *args: Any) -> None:
        """Let the kernel call into `process`: now, when it runs again, or never."""
        if not process.alive:
            return
        if process.paused:
            process.notices_held.append((callback, args))
        elif self.current is None:
            self._run_in(process, process.context, callback, args)
        else:
            self.enqueue(process, callback, *args)

    def enqueue(self, process: SimProcess, callback: Callable[..., object], *args: Any) -> None:
        """Let the kernel call into `process` after what is ready now."""
        if process.alive:
            self._soon.append(SimHandle(process, process.context, callback, args))

    def release(self, process: SimProcess, *, timers_first: bool) -> None:
        """Make everything ready that was held back while `process` was paused.

        What was ready before the pause comes first; then timers and arrivals, in either order:
        event loops differ in what they look at first.
        """
        notices = [
            SimHandle(process, process.context, callback, args)
            for callback, args in process.notices_held
        ]
        late = [process.timers_held, notices] if timers_first else [notices, process.timers_held]
        for handles in [process.ready_held, *late]:
            self._soon.extend(handles)
            handles.clear()
        process.notices_held.clear()

    def run(self, until_ns: int, check: Callable[[], None] | None = None) -> None:
        """Run all that is due up to `until_ns`, and `check` after each callback.

        Garbage is collected before and after, never in between: a collection may run code.
        """
        had_garbage_collection = gc.isenabled()
        gc.disable()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._finish_generator)
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            while (handle := self._next(until_ns)) is not None:
                self.callbacks_count += 1
                if handle.context is None:
                    handle.callback(*handle.args)
                else:
                    self._run_in(handle.process, handle.context, handle.callback, handle.args)
                if check is not None:
                    check()
            self.now_ns = max(self.now_ns, until_ns)
        finally:
            asyncio._set_running_loop(before)
            sys.set_asyncgen_hooks(*hooks)
            if had_garbage_collection:
                gc.enable()

    def shut(self, processes: list[SimProcess]) -> None:
        """End for good and bury `processes`, all of them dead.

        From here on nothing is scheduled and nothing is reported: that a task was destroyed, or
        its exception never looked at, is no news about the dead.
        """
        self._shut = True
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            for process in processes:
                self.current = process
                process.bury()
        finally:
            self.current = None
            asyncio._set_running_loop(before)
        self._soon.clear()
        self._timers.clear()

    # What asyncio itself asks of a loop.

    def get_debug(self) -> bool:
        """Return False: nothing depends on the environment."""
        return False

    def is_closed(self) -> bool:
        """Return whether the world has closed."""
        return self._shut

    def is_running(self) -> bool:
        """Return whether a callback runs now."""
        return asyncio._get_running_loop() is self

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[Any]:
        """Start a task of the current process."""
        label = None if name is None else str(name)
        task = SimTask(coro, loop=self, name=label, context=context)
        if self.current is not None:
            self.current.adopt(task)
        return task

    def next_number(self) -> int:
        """Return a number that no other has, the same in every run."""
        self._sequence += 1
        return self._sequence

    def set_exception_handler(self, handler: Callable[..., object] | None) -> None:
        """Set what the current process does about exceptions that nobody takes."""
        if self.current is not None:
            self.current.complain = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Give the handler of the current process, or `complaints`, what asyncio would log."""
        process = self.current
        if self._shut or (process is not None and not process.alive):
            return
        if process is not None and process.complain is not None:
            process.complain(self, context)
            return
        name = "-" if process is None else process.name
        message = str(context.get("message", ""))
        self.complaints.append(Complaint(self.now_ns, name, message, context.get("exception")))

    def run_forever(self) -> NoReturn:
        """Refuse: the World runs this loop."""
        raise NotImplementedError("use World.run")

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: there are no threads here."""
        raise NotImplementedError("no threads in simulation")

    def __del__(self) -> None:
        """Do nothing: there is no selector to close."""

    # The engine.

    def _arm(self, handle: SimHandle, when: float) -> None:
        due_ns = math.ceil(when * SECOND_NS)
        if due_ns / SECOND_NS < when:  # the product was rounded down
            due_ns += 1
        if handle.process is not None:
            machine = handle.process.machine
            handle.slept_ns = machine.slept_ns
            due_ns = machine.due_ns(due_ns)
        self._push(due_ns, handle)

    def _push(self, time_ns: int, handle: SimHandle) -> None:
        self._sequence += 1  # what is due at one instant runs in the order it was asked for
        due_ns = time_ns if time_ns > self.now_ns else self.now_ns
        heapq.heappush(self._timers, (due_ns, self._sequence, handle))

    def _next(self, until_ns: int) -> SimHandle | None:
        """Return the next callback that may run, at its time; None when nothing more is due."""
        soon, timers = self._soon, self._timers
        while True:
            if soon:
                handle = soon.popleft()
                self._spins += 1
                if self._spins > SPINS_MAX:
                    raise StuckError(f"{handle} at {self.now_ns} ns")
            elif timers and timers[0][0] <= until_ns:
                time_ns, _, handle = heapq.heappop(timers)
                if time_ns != self.now_ns:
                    self.now_ns = time_ns
                    self._spins = 0
            else:
                return None
            if not handle.dropped:
                process = handle.process
                if process is None or (process.alive and self._may_run(process, handle)):
                    return handle

    def _may_run(self, process: SimProcess, handle: SimHandle) -> bool:
        """Whether a living process is not paused, and its machine did not sleep meanwhile."""
        if process.paused:
            held = process.ready_held if handle.when_s is None else process.timers_held
            held.append(handle)
            return False
        if handle.when_s is not None and handle.slept_ns != process.machine.slept_ns:
            # Its machine slept meanwhile, and timers do not count sleep.
            self._arm(handle, handle.when_s)
            return False
        return True

    def _run_in(
        self,
        process: SimProcess | None,
        context: contextvars.Context,
        callback: Callable[..., object],
        args: tuple[Any, ...],
    ) -> None:
        self.current = process
        try:
            context.run(callback, *args)
        except BaseException as error:  # noqa: BLE001 (the top of every simulated process)
            self._on_escape(process, error, callback)
        finally:
            self.current = None

    def _on_escape(
        self, process: SimProcess | None, error: BaseException, callback: Callable[..., object]
    ) -> None:
        if process is None or isinstance(error, KeyboardInterrupt | StuckError):
            raise error
        if not process.alive:
            return
        if isinstance(error, SystemExit):
            self._on_exit(process, error)
            return
        self.call_exception_handler(
            {"message": f"Exception in callback {callback}", "exception": error}
        )

    def _finish_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        if self.current is not None and self.current.alive:
            self.create_task(generator.aclose())


def _nothing(*_: object) -> None:
    """Stand where a callback was."""
