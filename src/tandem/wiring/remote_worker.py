"""A worker process of another computer: over TLS, and telling its terminal how it fares."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import TlsNetwork
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.network import UnixNetwork
from tandem.core.trading.pulse import HEARTBEAT_NS
from tandem.core.trading.worker import Worker
from tandem.domain.errors import TandemError
from tandem.domain.ids import VenueId
from tandem.shells.own_control import open_own_control
from tandem.shells.worker import WorkerShell
from tandem.wiring.relay import HaltLine

LOOK_EVERY_S: Final = 0.2


class RemotePool(msgspec.Struct, frozen=True, kw_only=True):
    """Where a worker of another computer finds its pool, and the certificates it shows there.

    Evaluators get their tasks at `tasks`, from the holder of the CURVE key `tasks_key` (Z85);
    None where no strategies are evaluated.
    """

    coordinator: str
    venues: dict[VenueId, str]
    halts: str
    certificates: str
    tasks: str | None = None
    tasks_key: bytes | None = None


class RemovedError(TandemError):
    """The pool knows this machine and does not let it in any more."""


async def run_remote_worker(core: Worker, pool: RemotePool, *, own_socket: str) -> None:
    """Work for the pool until canceled; what a person should know is printed, a line at a time.

    It can be halted at `own_socket` from this computer, and over the pool's relay from there.

    Raises:
        RemovedError: this machine was removed from the pool.
        ConfigurationError: its certificates cannot be used.
    """
    loop = asyncio.get_running_loop()
    removed: asyncio.Future[None] = loop.create_future()

    def on_refused(reason: str) -> None:
        if not removed.done():
            removed.set_exception(RemovedError(reason))

    def say(text: str) -> None:
        sys.stdout.write(f"{core.name}: {text}\n")
        sys.stdout.flush()

    network = TlsNetwork(
        dialing=contexts.dialing(Path(pool.certificates)), say=say, on_refused=on_refused
    )
    shell = WorkerShell(
        core,
        clock=SystemClock(),
        network=network,
        coordinator=pool.coordinator,
        venues=pool.venues,
        heartbeat_ns=HEARTBEAT_NS,
    )
    await open_own_control(UnixNetwork(), own_socket, shell.answer)
    line = HaltLine(network, pool.halts, shell.answer, clock=SystemClock())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(shell.run())
        tasks.create_task(line.run())
        tasks.create_task(_tell(core, pool.coordinator, say))
        await removed


async def _tell(core: Worker, coordinator: str, say: Callable[[str], None]) -> None:
    """Say what has changed, for ever."""
    was_in, account_id = 0, None  # on which connection
    say(f"waiting for the coordinator at {coordinator}")
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        is_in = core.connection if core.welcomed else 0
        if is_in != was_in:
            if was_in:  # perhaps for less time than between two looks
                say("the coordinator is out of reach: no new orders")
            if is_in:
                say("in the pool")
            was_in = is_in
        if core.account_id != account_id:
            if account_id is not None:
                say(f"gave account {account_id} back")
            account_id = core.account_id
            if account_id is not None:
                say(f"holds account {account_id}")
