"""An evaluator's process: tasks of the market process, done in a jail by its tenants' processes."""

import asyncio
from collections.abc import Callable

from tandem.adapters.jail.forking import ForkingJail
from tandem.adapters.jail.parent import Mode
from tandem.adapters.local.network import UnixNetwork
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.errors import ConfigurationError
from tandem.domain.evaluation import TenantQuota
from tandem.domain.halting import Alive
from tandem.messaging.places import Connect
from tandem.messaging.worker import Worker
from tandem.ports import Clock
from tandem.shells.evaluator import Evaluator
from tandem.shells.own_control import open_own_control
from tandem.wiring.home import Home
from tandem.wiring.strategies import StrategiesPlan, tasks_place


async def run_evaluator(
    home: Home, plan: StrategiesPlan, name: str, clock: Clock, say: Callable[[str], None]
) -> None:
    """Be that process, until canceled.

    Where this computer has no fences for strategies, they run without, and that is said: they are
    those of the one whose computer it is.
    """
    ended = asyncio.Event()
    jail = ForkingJail(Mode.JAILED if plan.jailed else Mode.TRUSTED, ended.set)
    try:
        await jail.start()
    except ConfigurationError as error:
        say(f"{name}: strategies run without a jail: {error}")
        jail = ForkingJail(Mode.TRUSTED, ended.set)
        await jail.start()
    evaluator = Evaluator(Tenants(EvaluatingLimits(), TenantQuota()), jail, clock)
    worker = Worker(Connect(tasks_place(home)), evaluator.do, name=name, window=64)
    await open_own_control(UnixNetwork(), home.own_socket(name), lambda _: Alive())
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run())
            tasks.create_task(_until(ended))
    finally:
        evaluator.close()
        jail.close()
        say(f"{name}: {evaluator.meters}")


async def _until(ended: asyncio.Event) -> None:
    """Wait until the jail has ended.

    Raises:
        RuntimeError: it has.
    """
    await ended.wait()
    raise RuntimeError("the jail's parent process has ended")
