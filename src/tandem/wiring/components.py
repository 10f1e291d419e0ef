"""One component of a pool in the foreground, in a process of its own (`tandem run`).

What `tandem up` forks and watches is started one by one here, by whoever likes to: another
supervisor, a container, a person. The exchange begins: it makes the home's accounts, and says in
the home which market is played and since when. The others wait for that.
"""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from typing import Final

import msgspec

from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import PageSync
from tandem.domain.commands import Refused, SetUpPool
from tandem.domain.errors import ConfigurationError, TandemError
from tandem.domain.ids import CommandId, VenueId
from tandem.wiring.asking import DeskLine
from tandem.wiring.home import Home, HomeBusyError, HomeLock
from tandem.wiring.pool import WORKERS_MAX
from tandem.wiring.roles import Plan, Role, role_work
from tandem.wiring.serving import serve
from tandem.wiring.settings import ReplayPlan, read_settings, take_paper
from tandem.wiring.strategies import StrategiesPlan
from tandem.wiring.whole_files import write_whole

WAIT_S: Final = 30.0
POLL_S: Final = 0.05
SET_UP_S: Final = 20.0
_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9-]{0,31}")
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What the exchange of a home plays, for the other components; `pid` is its process."""

    venue_id: VenueId
    replay: ReplayPlan | None
    strategies: StrategiesPlan | None
    pid: int


def run_exchange(
    home: Home, *, replay: ReplayPlan | None, strategies: StrategiesPlan | None
) -> int:
    """Be the exchange until told to end; return the exit code.

    Raises:
        ConfigurationError: the home or its settings cannot be used.
        JournalBusyError: another exchange runs in this home.
    """
    home.make()
    FolderDisk(home.exchange, PageSync()).close()  # is it free? Else nothing is touched
    clock = replay.clock() if replay is not None else SystemClock()
    replayed = replay.instruments if replay is not None else ()
    paper = take_paper(home, read_settings(home), replayed or None, market_ns=clock.now().market_ns)
    stage = Stage(
        venue_id=paper.exchange.venue_id, replay=replay, strategies=strategies, pid=os.getpid()
    )
    write_whole(home.stage_file, msgspec.json.encode(stage).decode())
    try:
        return _serve(home, stage, Role.EXCHANGE, Role.EXCHANGE.value)
    finally:
        home.stage_file.unlink(missing_ok=True)


def run_coordinator(home: Home, *, workers: int, say: Callable[[str], None]) -> int:
    """Be the coordinator until told to end; set the pool up when so many workers have joined.

    Raises:
        HomeBusyError: another process runs a pool in this home.
        ConfigurationError: no exchange was started in time, or so many workers cannot be.
    """
    if not 2 <= workers <= WORKERS_MAX:
        raise ConfigurationError(f"--workers {workers}: expected 2 to {WORKERS_MAX}")
    pid = home.running_pid()
    if pid is not None:
        raise HomeBusyError(home.folder, pid)
    stage = _stage(home)
    lock = HomeLock(home)
    try:
        work = role_work(home, _plan(home, stage, Role.COORDINATOR, "coordinator"))

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(work())
                tasks.create_task(_set_up(home, workers, say))

        return serve(both, home.fault_file("coordinator"), SIGNALS)
    finally:
        lock.release()


def run_other(home: Home, role: Role, name: str) -> int:
    """Be a worker, the market or an evaluator until told to end; return the exit code.

    Raises:
        ConfigurationError: the name cannot be, no exchange was started in time, or not for
            strategies.
    """
    is_own = role is Role.MARKET or name not in [one.value for one in Role]
    if not is_own or not _NAME.fullmatch(name):
        expected = "expected 1 to 32 letters, digits and '-', and no component's name"
        raise ConfigurationError(f"--name {name!r}: {expected}")
    stage = _stage(home)
    if role is not Role.WORKER and stage.strategies is None:
        raise ConfigurationError("the exchange was started without strategies (--no-strategies)")
    return _serve(home, stage, role, name)


def _serve(home: Home, stage: Stage, role: Role, name: str) -> int:
    work = role_work(home, _plan(home, stage, role, name))
    return serve(work, home.fault_file(name), SIGNALS)


def _plan(home: Home, stage: Stage, role: Role, name: str) -> Plan:
    return Plan(
        role=role,
        name=name,
        folder=str(home.folder),
        venue_id=stage.venue_id,
        replay=stage.replay,
        strategies=stage.strategies,
    )


def _stage(home: Home) -> Stage:
    """Wait for the exchange, and return what it plays."""
    return asyncio.run(_awaited_stage(home))


async def _awaited_stage(home: Home) -> Stage:
    clock = SystemClock()
    end_ns = clock.now().now_ns + int(WAIT_S * 1e9)
    while clock.now().now_ns < end_ns:
        try:
            stage = msgspec.json.decode(home.stage_file.read_bytes(), type=Stage)
        except FileNotFoundError:
            await asyncio.sleep(POLL_S)
            continue
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"{home.stage_file}: {error}") from error
        return stage
    text = f"{home.folder}: no exchange after {WAIT_S:g} s; start one with 'tandem run exchange'"
    pid = home.running_pid()
    if pid is not None:
        text = f"{home.folder}: the pool that runs here, as process {pid}, has all it needs itself"
    raise ConfigurationError(text)


async def _set_up(home: Home, workers: int, say: Callable[[str], None]) -> None:
    line = DeskLine(home.control_socket)
    running = asyncio.create_task(line.run())
    command_id = CommandId(f"run-{os.getpid()}-{SystemClock().now().now_ns}")
    try:
        answer = await line.command(command_id, SetUpPool(workers=workers), wait_s=SET_UP_S)
    except TandemError as error:
        say(f"the pool could not be set up: {error}")
    else:
        verb = "the pool could not be set up: " if isinstance(answer, Refused) else ""
        say(f"{verb}{getattr(answer, 'text', '')}")
    finally:
        running.cancel()
