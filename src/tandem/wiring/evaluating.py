"""An evaluator's process: tasks of the market process, done in a jail by its tenants' processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.errors import ConfigurationError, ProcessUnreachableError
from tandem.domain.evaluation import Task, TaskAnswer, TenantQuota, answer_of, task_bytes
from tandem.domain.halting import Alive, Leave, OwnAnswer, OwnRequest
from tandem.messaging.places import Connect, ConnectKeys
from tandem.messaging.worker import Worker
from tandem.ports import Clock
from tandem.shells.evaluator import Evaluator
from tandem.shells.own_control import open_own_control
from tandem.wiring.home import Home
from tandem.wiring.messaging_keys import take_keys
from tandem.wiring.remote_worker import RemotePool
from tandem.wiring.strategies import MESSAGING, StrategiesPlan, tasks_place
from tandem.wiring.tenant_room import processes_here

WINDOW: Final = 64
LOOK_EVERY_S: Final = 0.2
LEAVE_S: Final = 4.0  # what was not done by then is done elsewhere
Ask = Callable[[Task], Awaitable[TaskAnswer]]


async def run_evaluator(
    home: Home, plan: StrategiesPlan, name: str, clock: Clock, say: Callable[[str], None]
) -> None:
    """Be that process, until canceled or told to leave.

    Where this computer has no fences for strategies, they run without, and that is said: they are
    those of the one whose computer it is.
    """

    def named(text: str) -> None:
        say(f"{name}: {text}")

    ended: asyncio.Queue[int] = asyncio.Queue()
    async with _open_evaluator(clock, named, ended.put_nowait, jailed=plan.jailed) as evaluator:
        worker = Worker(
            Connect(tasks_place(home)), evaluator.do, name=name, window=WINDOW, hold=evaluator.hold
        )
        leaving = asyncio.Event()
        await open_own_control(UnixNetwork(), home.own_socket(name), partial(_answer, leaving))
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = (tasks.create_task(worker.run()), tasks.create_task(_until(ended, named)))
                await leaving.wait()
                await worker.leave(timeout_s=LEAVE_S)
                for one in serving:
                    one.cancel()
        finally:
            named(str(evaluator.meters))


def _answer(leaving: asyncio.Event, request: OwnRequest) -> OwnAnswer:
    if isinstance(request, Leave):
        leaving.set()
    return Alive()


async def run_remote_evaluator(home: Home, pool: RemotePool, name: str) -> None:
    """Be an evaluator of another computer's pool, until canceled.

    What it evaluates comes from there, so it needs a jail. What a person should know is printed.

    Raises:
        ConfigurationError: strategies cannot be fenced in here, or the keys are damaged.
    """

    def say(text: str) -> None:
        sys.stdout.write(f"{name}: {text}\n")
        sys.stdout.flush()

    assert pool.tasks is not None, "a pool without strategies"
    assert pool.tasks_key is not None, "a broker without a key"
    keys = ConnectKeys(own=take_keys(Path(pool.certificates), MESSAGING), server=pool.tasks_key)
    place = Connect(f"tcp://{pool.tasks}", keys)
    ended: asyncio.Queue[int] = asyncio.Queue()
    jail = ForkingJail(Mode.JAILED, ended.put_nowait)
    await jail.start()
    async with _evaluating(jail, SystemClock()) as evaluator:
        worker = Worker(place, evaluator.do, name=name, window=WINDOW, hold=evaluator.hold)
        await open_own_control(UnixNetwork(), home.own_socket(name), lambda _: Alive())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run())
            tasks.create_task(_until(ended, say))
            tasks.create_task(_tell(worker, pool.tasks, say))


async def _tell(worker: Worker, address: str, say: Callable[[str], None]) -> None:
    """Say when the pool is heard and when it is not, for ever."""
    was_heard = None
    while True:
        is_heard = worker.is_heard
        if is_heard != was_heard:
            say("evaluates for the pool" if is_heard else f"waiting for the market at {address}")
            was_heard = is_heard
        await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def evaluator_here(say: Callable[[str], None]) -> AsyncIterator[Ask]:
    """Yield who does tasks in this process, as a pool's evaluators do them.

    Raises:
        ProcessUnreachableError: when asked: the jail's parent process has ended.
    """
    ended = asyncio.Event()

    def on_end(_code: int) -> None:
        ended.set()
        evaluator.close()  # nobody answers those who still wait

    async with _open_evaluator(SystemClock(), say, on_end, jailed=True) as evaluator:

        async def ask(task: Task) -> TaskAnswer:
            try:
                return answer_of(await evaluator.do(task_bytes(task)))
            except asyncio.CancelledError:
                if ended.is_set():
                    raise ProcessUnreachableError("the jail has ended") from None
                raise

        yield ask


@asynccontextmanager
async def _open_evaluator(
    clock: Clock, say: Callable[[str], None], on_end: Callable[[int], None], *, jailed: bool
) -> AsyncIterator[Evaluator]:
    """Yield an evaluator with a jail of its own; without fences here it has none, and says so."""
    jail = ForkingJail(Mode.JAILED if jailed else Mode.TRUSTED, on_end)
    try:
        await jail.start()
    except ConfigurationError as error:
        say(f"strategies run without a jail: {error}")
        jail = ForkingJail(Mode.TRUSTED, on_end)
        await jail.start()
    async with _evaluating(jail, clock) as evaluator:
        yield evaluator


@asynccontextmanager
async def _evaluating(jail: ForkingJail, clock: Clock) -> AsyncIterator[Evaluator]:
    """Yield an evaluator over a jail that is open; both are closed afterwards."""
    limits = EvaluatingLimits(processes_max=processes_here())
    evaluator = Evaluator(Tenants(limits, TenantQuota()), jail, clock)
    try:
        yield evaluator
    finally:
        evaluator.close()
        jail.close()


async def _until(ended: asyncio.Queue[int], say: Callable[[str], None]) -> None:
    """Wait until the jail has ended.

    When others have killed it, for want of memory perhaps, nothing is wrong with this process: it
    ends in the same way, so that whoever watches over it does not give it up as faulty.

    Raises:
        RuntimeError: it has ended by itself.
    """
    code = await ended.get()
    if code == -signal.SIGKILL:
        say("the jail's parent process was killed")
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError("the jail's parent process has ended")
