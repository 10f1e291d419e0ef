"""The pool of a home: the one that runs, or one that is started for as long as it is needed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from tandem.adapters.journal import Verified, verify
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderView
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home, HomeBusyError
from tandem.wiring.settings import ReplayPlan, read_settings, take_paper
from tandem.wiring.supervisor import PoolFailedError, Supervisor

JOURNALS: Final = ("coordinator", "exchange")
READY_S: Final = 20.0
POLL_S: Final = 0.02


@contextlib.asynccontextmanager
async def own_pool(
    home: Home, *, workers: int, replay: ReplayPlan | None, say: Callable[[str], None]
) -> AsyncIterator[Supervisor]:
    """Yield a pool that this process supervises; it is gone afterwards.

    Raises:
        HomeBusyError: another process runs one in this home.
        ConfigurationError: the home or its settings cannot be used.
        PoolFailedError: it could not be set up.
    """
    home.make()
    supervisor = Supervisor(home, workers=workers, replay=replay, clock=SystemClock(), say=say)
    try:
        take_paper(home, read_settings(home), replay.symbol if replay is not None else None)
        say(await supervisor.start())
        yield supervisor
    finally:
        await supervisor.stop()


@contextlib.asynccontextmanager
async def any_pool(
    home: Home, *, workers: int, say: Callable[[str], None]
) -> AsyncIterator[DeskLine]:
    """Yield a line to the pool of this home, which is started for the while if none runs.

    Raises:
        PoolFailedError: it could not be started, or failed meanwhile.
    """
    async with contextlib.AsyncExitStack() as stack:
        supervisor = None
        try:
            pool = own_pool(home, workers=workers, replay=None, say=say)
            supervisor = await stack.enter_async_context(pool)
        except HomeBusyError as busy:
            say(f"using the pool that runs here as process {busy.pid}")
        line = await stack.enter_async_context(desk_line(home))
        await _until_trading(line)
        try:
            yield line
        except CoordinatorUnreachableError:
            if supervisor is not None:
                await supervisor.raise_failure()
            raise


async def _until_trading(line: DeskLine) -> None:
    """Wait until the pool trades and knows prices."""
    try:
        async with asyncio.timeout(READY_S):
            while True:
                status = await line.status()
                if status.pool == "trading" and status.priced:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise PoolFailedError(f"the pool did not trade within {READY_S:g} s") from error


def verify_journals(home: Home) -> dict[str, Verified]:
    """Return what the home's journals hold, after checking every byte of them.

    Raises:
        JournalCorruptError: something changed after it was durable; names the place.
        DiskFailedError: a journal is not there, or cannot be read.
    """
    return {name: verify(FolderView(home.folder / name)) for name in JOURNALS}
