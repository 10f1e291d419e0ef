"""`tandem up`: a pool, supervised until it is told to end."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TextIO

import msgspec
from cyclopts import Parameter

from tandem.cli.calling import BadInputError, HomeOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.screen import Screen
from tandem.domain.errors import TandemError
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.begins import plan_begin
from tandem.wiring.feeds import places_of
from tandem.wiring.home import Home
from tandem.wiring.metrics import MetricsPlan, MetricsSettings
from tandem.wiring.pool import own_pool
from tandem.wiring.settings import (
    LanPlan,
    LanSettings,
    ReplayPlan,
    Settings,
    lan_plan,
    plan_replay,
    read_settings,
)
from tandem.wiring.stopping import cancel_all, open_count
from tandem.wiring.strategies import StrategiesPlan, plan_strategies
from tandem.wiring.supervisor import Supervisor

app = new_app()
SHOW_EVERY_S: Final = 0.5
ASK_S: Final = 30.0
STATUS_S: Final = 3.0


@Parameter(name="*")
@dataclass(frozen=True)
class UpOptions:
    """How a pool is started.

    Attributes:
        workers: Worker processes; an even number of them trade, one account each, the odd one is
            the spare.
        replay: Recorded market data to trade on instead of the synthetic market: a path, several
            with commas between them or by saying --replay again.
        compare: A second feed of the same symbols, only held against the first: while they differ
            no new risk is taken.
        begin: When the synthetic market's clock begins, such as 2026-11-27T14:30Z.
        speed: How fast the recording is played, or that clock runs, such as 10 or 1/2.
        seed: Of the synthetic market, when the home is new.
        on_exit: What becomes of open orders at the end, when nobody is asked.
        lan: Let other computers join at PORT or HOST:PORT; the four ports behind it are used too.
        metrics: Serve metrics for Prometheus at PORT of this computer, or at HOST:PORT.
        evaluators: Processes that evaluate user strategies: a number, or the fewest and the most,
            such as 1-4, between which their number follows the load. Unless given, from one to
            nearly as many as there are processors, where all is installed that they need (the
            extra `strategies`). 0 for none: then strategies are evaluated on other
            computers that join (--lan), or not at all.
        strategies: Evaluate user strategies, where all is installed that they need.
        plain: Print lines instead of a table that is drawn again and again.
    """

    workers: int | None = None
    replay: list[str] | None = None
    compare: list[str] | None = None
    begin: str | None = None
    speed: str = "1"
    seed: int | None = None
    on_exit: Literal["cancel", "keep"] | None = None
    lan: str | None = None
    metrics: str | None = None
    evaluators: str | None = None
    strategies: Annotated[bool, Parameter(negative="--no-strategies")] = True
    plain: Annotated[bool, Parameter(negative="")] = False


@app.command
def up(*, options: UpOptions | None = None, home: HomeOption = None) -> int:
    """Start a pool: coordinator, workers, a spare and a paper exchange, until Ctrl-C.

    Processes that end are replaced. At the end nothing is left running; the journals stay, and
    the next start goes on from them.

    Args:
        options: How it is started.
        home: Where journals and sockets are.
    """
    chosen = options if options is not None else UpOptions()
    return finish(lambda: run_pool(chosen, home_of(home), sys.stdout))


async def run_pool(options: UpOptions, home: Home, out: TextIO) -> int:
    """Supervise a pool until SIGINT or SIGTERM; return the exit code.

    Raises:
        HomeBusyError: another process does so in this home.
        PoolFailedError: it could not be set up, or a process ends again and again.
    """
    settings = read_settings(home)
    if options.seed is not None:
        settings = msgspec.structs.replace(settings, seed=options.seed)
    replay = market_clock(
        options.replay or [],
        options.begin,
        speed=options.speed,
        compared=options.compare or [],
    )
    lan = _lan(options, settings)
    if lan is not None and replay is not None:
        raise BadInputError("--replay: a recorded market is traded on one computer, without --lan")
    screen = Screen(out, redraws=out.isatty() and not options.plain)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    workers = options.workers if options.workers is not None else settings.workers
    pool = own_pool(
        home,
        workers=workers,
        replay=replay,
        say=screen.say,
        settings=settings,
        lan=lan,
        metrics=_metrics(options, settings),
        strategies=_strategies(options, lan),
    )
    async with pool as supervisor, desk_line(home) as line:
        screen.say(f"ready, home {home.folder}; Ctrl-C ends it")
        await _show(supervisor, line, screen, stop)
        on_exit = options.on_exit or settings.on_exit
        is_clean = await _end(home, line, screen, on_exit)
        failed = supervisor.has_failed
        await supervisor.raise_failure()
    screen.say("all processes have ended")
    return OK if is_clean and not failed else FAILED


def market_clock(
    replay: Sequence[str], begin: str | None, *, speed: str, compared: Sequence[str] = ()
) -> ReplayPlan | None:
    """Return the market's own clock; None when it is UTC, at the pace of life.

    Raises:
        BadInputError: both a recording and a beginning, or a speed without either.
        ConfigurationError: one of them cannot be.
    """
    if replay and begin is not None:
        raise BadInputError("--begin: a recorded market (--replay) begins when it was recorded")
    if replay:
        return plan_replay(places_of(replay), speed, compared=places_of(compared))
    if compared:
        raise BadInputError("--compare: only with a market that is replayed (--replay)")
    if begin is not None:
        return plan_begin(begin, speed=speed)
    if speed != "1":
        raise BadInputError("--speed: only a market with --replay or --begin has one")
    return None


def _lan(options: UpOptions, settings: Settings) -> LanPlan | None:
    """Return where other computers join; None when they do not."""
    if options.lan is not None:
        announce = settings.lan.announce if settings.lan is not None else True
        return lan_plan(LanSettings(address=options.lan, announce=announce))
    return lan_plan(settings.lan) if settings.lan is not None else None


def _strategies(options: UpOptions, lan: LanPlan | None) -> StrategiesPlan | None:
    """Return how strategies are evaluated; None when they are not."""
    if not options.strategies:
        return None
    return plan_strategies(options.evaluators, may_be_elsewhere=lan is not None)


def _metrics(options: UpOptions, settings: Settings) -> MetricsPlan | None:
    """Return where metrics are served; None when they are not."""
    chosen = settings.metrics
    if options.metrics is not None:
        chosen = MetricsSettings(address=options.metrics)
    return chosen.plan if chosen is not None else None


async def _show(
    supervisor: Supervisor, line: DeskLine, screen: Screen, stop: asyncio.Event
) -> None:
    """Show the pool until it is to end, or cannot go on."""
    while not stop.is_set() and not supervisor.has_failed:
        try:
            screen.show(await line.status(STATUS_S), supervisor.pids)
        except TandemError:
            screen.say("the coordinator does not answer")
        try:
            async with asyncio.timeout(SHOW_EVERY_S):
                await stop.wait()
        except TimeoutError:
            continue


async def _end(home: Home, line: DeskLine, screen: Screen, on_exit: str) -> bool:
    """Do with open orders as wanted; return whether nothing unwanted is left."""
    try:
        count = await open_count(line, STATUS_S)
    except TandemError as error:
        screen.say(f"nobody knows whether orders are open: {error}")
        return False
    if count == 0:
        return True
    if screen.redraws and sys.stdin.isatty():
        on_exit = await _ask(count, screen, on_exit)
    if on_exit == "keep":
        screen.say(f"{count} orders stay open at the exchange")
        return True
    screen.say(f"canceling {count} open orders")
    return await cancel_all(home, line, screen.say)


async def _ask(count: int, screen: Screen, on_exit: str) -> str:
    """Ask on the terminal; without an answer in time it is as the option says."""
    usual = "Y/n" if on_exit == "cancel" else "y/N"
    screen.ask(f"{count} orders are open. Cancel them? [{usual}] ")
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()

    def on_readable() -> None:
        loop.remove_reader(sys.stdin)
        answered.set_result(sys.stdin.readline().strip().lower())

    loop.add_reader(sys.stdin, on_readable)
    try:
        async with asyncio.timeout(ASK_S):
            answer = await answered
    except TimeoutError:
        loop.remove_reader(sys.stdin)
        answer = ""
    return {"y": "cancel", "n": "keep"}.get(answer[:1], on_exit)
