"""`tandem session`: a pool and its commands from a file, to the end, without a question."""

import asyncio
import contextlib
import os
import shutil
import sys
from fractions import Fraction
from pathlib import Path
from typing import Final

import msgspec
from cyclopts import App, CycloptsError

from tandem.cli.calling import BadInputError, HomeOption, finish, home_of, new_app
from tandem.cli.main import COMMANDS, FAILED, OK, app_of
from tandem.cli.report import adds_up, report_text
from tandem.cli.typed import duration_ns
from tandem.cli.up import market_clock
from tandem.core.trading.objective_state import ObjectivePhase
from tandem.domain.views import ObjectivesView
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home
from tandem.wiring.journals import verify_journals
from tandem.wiring.names import fresh_name
from tandem.wiring.polling import poll
from tandem.wiring.pool import own_pool
from tandem.wiring.run_report import report_of
from tandem.wiring.session_file import Line, SessionFile, read_session
from tandem.wiring.settings import ReplayPlan
from tandem.wiring.stopping import cancel_all, open_count

app = new_app()
session = App(name="session", help="Run a session file: a pool and what it trades.")
app.command(session)
ORDERS_MAX: Final = 50
WITH_ID: Final = ("order", "algo")  # commands that take an id, so that none is done twice


@session.command
def run(
    file: Path,
    *,
    replay: Path | None = None,
    speed: str | None = None,
    home: HomeOption = None,
) -> int:
    """Start a pool, give its commands, wait for their end, and show what became of them.

    Args:
        file: The session file, as 'tandem setup' writes it.
        replay: Recorded market data to trade on instead of what the file says.
        speed: How fast it is played.
        home: Where journals and sockets are.
    """

    async def act() -> int:
        return await run_session(_chosen(file, replay, speed), file, home_of(home))

    return finish(act)


def _chosen(file: Path, replay: Path | None, speed: str | None) -> SessionFile:
    chosen = read_session(file)
    if replay is not None:
        chosen = msgspec.structs.replace(chosen, replay=str(replay.absolute()))
    if speed is not None:
        chosen = msgspec.structs.replace(chosen, speed=speed)
    return chosen


async def run_session(chosen: SessionFile, file: Path, home: Home) -> int:
    """Run it to its end; return the exit code.

    Raises:
        BadInputError: a command cannot be; nothing was started.
        HomeBusyError: a pool runs in this home.
        PoolFailedError: the pool could not be started.
    """
    for number, one in enumerate(chosen.commands, start=1):
        _refuse_unreadable(file, number, one)
    lasts_ns = duration_ns(chosen.lasts) if chosen.lasts else None
    plan = _replay(chosen, file)

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    name = fresh_name(file.stem)
    speed = float(Fraction(plan.speed)) if plan is not None else 1.0
    async with (
        own_pool(home, workers=chosen.workers, replay=plan, say=say) as supervisor,
        desk_line(home) as line,
    ):
        given = _Given(name, home, speed)
        try:
            failed = await _trade(given, chosen, line, lasts_ns)
        finally:
            await cancel_all(home, line, say)
        await supervisor.raise_failure()
    agrees = _show(home)
    for part, found in verify_journals(home).items():
        text = f"{part} journal whole: {found.records} records, {found.batches} batches\n"
        sys.stdout.write(text)
    return OK if agrees and not failed else FAILED


def _replay(chosen: SessionFile, file: Path) -> ReplayPlan | None:
    folder = file.absolute().parent
    places = [str(folder / one) for one in chosen.replay.split(",") if one]
    return market_clock(places, chosen.begin or None, speed=chosen.speed)


def _refuse_unreadable(file: Path, number: int, line: Line) -> None:
    """See that a command can be parsed, without doing it.

    Raises:
        BadInputError: it cannot; names the file and the command.
    """
    words = line.words
    place = f"{file}: command {number}, {line.do!r}"
    if words[0] not in COMMANDS:
        raise BadInputError(f"{place}: no command {words[0]!r}")
    try:
        app_of(words[0]).parse_args(words, exit_on_error=False, print_error=False)
        _ = duration_ns(line.after) if line.after else 0
    except CycloptsError as error:
        raise BadInputError(f"{place}: {error}") from error
    except BadInputError as error:
        raise BadInputError(f"{place}: {error}") from error


class _Given(msgspec.Struct, frozen=True):
    """A run's name, where it is, and how fast its market is."""

    name: str
    home: Home
    speed: float


async def _trade(given: _Given, chosen: SessionFile, line: DeskLine, lasts_ns: int | None) -> bool:
    """Give every command at its moment and wait for the end; return whether one failed."""
    failed = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(lasts_ns / 1e9 / given.speed if lasts_ns is not None else None):
            for number, one in enumerate(chosen.commands, start=1):
                if one.after:
                    await asyncio.sleep(duration_ns(one.after) / 1e9 / given.speed)
                failed |= await _give(given, number, one) != OK
            await poll(lambda: _is_over(line), lambda is_over: is_over)
    return failed


async def _is_over(line: DeskLine) -> bool:
    """Whether nothing is open, and no objective has still to make the accounts flat."""
    return await open_count(line) == 0 and not _will_flatten(await line.objectives())


def _will_flatten(view: ObjectivesView) -> bool:
    if view.phase == ObjectivePhase.FLATTENING:
        return True
    return view.phase == ObjectivePhase.WATCHING and view.flat_at_ns is not None


async def _give(given: _Given, number: int, line: Line) -> int:
    """Give one command in a process of its own, exactly as if it was typed; return its code."""
    words = [*line.words, "--home", str(given.home.folder)]
    if words[0] in WITH_ID and "--id" not in words:
        words += ["--id", f"{given.name}:{number}"]
    sys.stdout.write(f"tandem {line.do}\n")
    sys.stdout.flush()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tandem", *words, env=dict(os.environ)
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise


def _show(home: Home) -> bool:
    """Show what became of everything in this home; return whether it adds up."""
    found = report_of(home, lambda _: None)
    # What an algorithm placed is in its own row.
    own = tuple(one for one in found.orders if one.owner is None)
    shown = msgspec.structs.replace(found, orders=own)
    width = shutil.get_terminal_size().columns
    sys.stdout.write(report_text(shown, limit=ORDERS_MAX, width=width))
    return adds_up(found)
