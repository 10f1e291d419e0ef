"""An evaluator's process: tasks of the market process, done in a jail by its tenants' processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.errors import ConfigurationError, ProcessUnreachableError
from tandem.domain.evaluation import Task, TaskAnswer, TenantQuota, answer_of, task_bytes
from tandem.domain.halting import Alive
from tandem.messaging.places import Connect
from tandem.messaging.worker import Worker
from tandem.ports import Clock
from tandem.shells.evaluator import Evaluator
from tandem.shells.own_control import open_own_control
from tandem.wiring.home import Home
from tandem.wiring.strategies import StrategiesPlan, tasks_place

Ask = Callable[[Task], Awaitable[TaskAnswer]]


async def run_evaluator(
    home: Home, plan: StrategiesPlan, name: str, clock: Clock, say: Callable[[str], None]
) -> None:
    """Be that process, until canceled.

    Where this computer has no fences for strategies, they run without, and that is said: they are
    those of the one whose computer it is.
    """

    def named(text: str) -> None:
        say(f"{name}: {text}")

    ended = asyncio.Event()
    async with _open_evaluator(clock, named, ended.set, jailed=plan.jailed) as evaluator:
        worker = Worker(Connect(tasks_place(home)), evaluator.do, name=name, window=64)
        await open_own_control(UnixNetwork(), home.own_socket(name), lambda _: Alive())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(worker.run())
                tasks.create_task(_until(ended))
        finally:
            named(str(evaluator.meters))


@asynccontextmanager
async def evaluator_here(say: Callable[[str], None]) -> AsyncIterator[Ask]:
    """Yield who does tasks in this process, as a pool's evaluators do them.

    Raises:
        ProcessUnreachableError: when asked: the jail's parent process has ended.
    """
    ended = asyncio.Event()

    def on_end() -> None:
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
    clock: Clock, say: Callable[[str], None], on_end: Callable[[], None], *, jailed: bool
) -> AsyncIterator[Evaluator]:
    """Yield an evaluator with a jail of its own; without fences here it has none, and says so."""
    jail = ForkingJail(Mode.JAILED if jailed else Mode.TRUSTED, on_end)
    try:
        await jail.start()
    except ConfigurationError as error:
        say(f"strategies run without a jail: {error}")
        jail = ForkingJail(Mode.TRUSTED, on_end)
        await jail.start()
    evaluator = Evaluator(Tenants(EvaluatingLimits(), TenantQuota()), jail, clock)
    try:
        yield evaluator
    finally:
        evaluator.close()
        jail.close()


async def _until(ended: asyncio.Event) -> None:
    """Wait until the jail has ended.

    Raises:
        RuntimeError: it has.
    """
    await ended.wait()
    raise RuntimeError("the jail's parent process has ended")
