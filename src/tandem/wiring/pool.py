"""The pool of a home: the one that runs, or one that is started for as long as it is needed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.domain.errors import (
    ConfigurationError,
    CoordinatorUnreachableError,
    JournalBusyError,
)
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home, HomeBusyError
from tandem.wiring.metrics import MetricsPlan, refuse_unservable
from tandem.wiring.polling import poll
from tandem.wiring.settings import LanPlan, ReplayPlan, Settings, read_settings, take_paper
from tandem.wiring.stopping import cancel_all
from tandem.wiring.strategies import StrategiesPlan
from tandem.wiring.supervisor import PoolFailedError, Supervisor

WORKERS_MAX: Final = 1_000
READY_S: Final = 20.0
PRICE_S: Final = 3.0
EXCHANGE_ENDS_S: Final = 2.0  # one whose supervisor was killed has ended by then


@contextlib.asynccontextmanager
async def own_pool(  # noqa: PLR0913 - each has its name
    home: Home,
    *,
    workers: int,
    replay: ReplayPlan | None,
    say: Callable[[str], None],
    settings: Settings | None = None,
    lan: LanPlan | None = None,
    metrics: MetricsPlan | None = None,
    strategies: StrategiesPlan | None = None,
) -> AsyncIterator[Supervisor]:
    """Yield a pool that this process supervises; it is gone afterwards.

    `settings` are those of the home's file unless given; they count when the home is new. With
    `lan` other computers may join, with `metrics` they are served there, and with `strategies`
    those of users are evaluated.

    Raises:
        HomeBusyError: another process runs one in this home.
        ConfigurationError: the home or its settings cannot be used.
        PoolFailedError: it could not be set up.
    """
    if not 2 <= workers <= WORKERS_MAX and (workers, lan is None) != (0, False):
        none = ", or 0 with a LAN on which others join"
        raise ConfigurationError(f"{workers} workers: expected 2 to {WORKERS_MAX}{none}")
    if metrics is not None:
        await refuse_unservable(metrics)
    home.make()
    await refuse_lone_exchange(home)
    settings = settings if settings is not None else read_settings(home)
    supervisor = Supervisor(
        home,
        workers=workers,
        replay=replay,
        clock=SystemClock(),
        say=say,
        lan=lan,
        alerts=settings.alerts,
        metrics=metrics,
        strategies=strategies,
    )
    try:
        if lan is not None:
            from tandem.wiring.gate import open_lan

            pool_id = open_lan(home.lan, lan)
            say(f"other computers may join {pool_id} at {lan.joining}: tandem worker token")
        replayed = replay.instruments if replay is not None else ()
        clock = replay.clock() if replay is not None else SystemClock()
        market_ns = clock.now().market_ns
        paper = take_paper(home, settings, replayed or None, market_ns=market_ns)
        say(await supervisor.start(paper.exchange.venue_id))
        if not await _knows_a_price(home):
            say("no price is known yet: orders are refused until one is")
        if metrics is not None:
            say(f"metrics at http://{metrics.address}/metrics")
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
        try:
            await _until_trading(line)
            yield line
        except asyncio.CancelledError:
            if supervisor is not None:
                await cancel_all(home, line, say)
            raise
        except CoordinatorUnreachableError:
            if supervisor is not None:
                await supervisor.raise_failure()
            raise


async def refuse_lone_exchange(home: Home) -> None:
    """Pass when this home has no exchange that was started by itself (`tandem run`).

    Nothing is changed: a pool has an exchange of its own, and two cannot keep one journal.

    Raises:
        HomeBusyError: a whole pool runs here.
        ConfigurationError: such an exchange runs here.
    """
    pid = home.running_pid()
    if pid is not None:
        raise HomeBusyError(home.folder, pid)
    is_free, why = await _is_exchange_free(home)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EXCHANGE_ENDS_S):
            is_free, why = await poll(lambda: _is_exchange_free(home), lambda seen: seen[0])
    if not is_free:
        raise ConfigurationError(
            f"{home.folder}: an exchange runs here already, by itself ({why}), and a pool starts "
            "its own: end that one, or start the rest with 'tandem run' too"
        )


async def _is_exchange_free(home: Home) -> tuple[bool, str]:
    try:
        FolderDisk(home.exchange).close()
    except JournalBusyError as error:
        return False, str(error)
    return True, ""


async def _knows_a_price(home: Home) -> bool:
    """Wait a little until the coordinator has heard of the market; return whether it has."""
    try:
        async with desk_line(home) as line, asyncio.timeout(PRICE_S):
            await poll(line.status, lambda one: one.priced > 0)
    except TimeoutError:
        return False
    return True


async def _until_trading(line: DeskLine) -> None:
    """Wait until the pool trades."""
    try:
        async with asyncio.timeout(READY_S):
            await poll(line.status, lambda one: one.pool == "trading")
    except TimeoutError as error:
        raise PoolFailedError(f"the pool did not trade within {READY_S:g} s") from error
