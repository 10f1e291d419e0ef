"""The processes of a pool: exchange, coordinator and workers, each built of its parts."""

import asyncio
import enum
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec

from tandem.adapters.journal import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.processes import LinuxProcesses
from tandem.adapters.local.sync import InlineSync, PageSync, Sync
from tandem.core.matching.exchange import Exchange
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import HEARTBEAT_NS, Pulse
from tandem.core.trading.worker import Worker
from tandem.domain.errors import JournalBusyError
from tandem.domain.exchange import MarketEvents
from tandem.domain.halting import Alive
from tandem.domain.ids import Incarnation, VenueId
from tandem.domain.instrument import Instrument
from tandem.ports import Network
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces, DeskRecord
from tandem.shells.exchange import ExchangeRecord, ExchangeShell
from tandem.shells.own_control import open_own_control
from tandem.shells.recording import replay
from tandem.shells.worker import WorkerShell
from tandem.wiring.alerts import Alerts
from tandem.wiring.dead_man import Watched
from tandem.wiring.halt_file import read_halt
from tandem.wiring.home import Home
from tandem.wiring.memory import spare_what_stays
from tandem.wiring.metrics import MetricsPlan, run_metrics
from tandem.wiring.networks import pool_network, sparing_log
from tandem.wiring.relay import Relay
from tandem.wiring.remote_worker import RemotePool, run_remote_worker
from tandem.wiring.replays import paced
from tandem.wiring.serving import serve
from tandem.wiring.settings import (
    LanPlan,
    ReplayPlan,
    desk_settings,
    exchange_settings,
    paced_limits,
    read_paper,
    read_settings,
    sealed,
    secrets_of,
)
from tandem.wiring.strategies import StrategiesPlan

BUSY_NS: Final = 5_000_000_000
BUSY_POLL_S: Final = 0.02


class Role(enum.StrEnum):
    """What a process is."""

    EXCHANGE = "exchange"
    COORDINATOR = "coordinator"
    WORKER = "worker"
    GATE = "gate"
    METRICS = "metrics"
    RELAY = "relay"
    MARKET = "market"
    EVALUATOR = "evaluator"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is started with.

    With `lan` other computers may reach it; with `pool` it is a worker or an evaluator of another
    computer's pool; `metrics` is where it serves them, `strategies` how user strategies are
    evaluated.
    """

    role: Role
    name: str
    folder: str
    venue_id: VenueId
    replay: ReplayPlan | None = None
    lan: LanPlan | None = None
    pool: RemotePool | None = None
    metrics: MetricsPlan | None = None
    strategies: StrategiesPlan | None = None


def run_role(plan: Plan) -> int:
    """Be that process until told to end; return its exit code."""
    home = Home(Path(plan.folder))
    return serve(role_work(home, plan), home.fault_file(plan.name))


def role_work(home: Home, plan: Plan) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return what that process does."""
    works = {
        Role.EXCHANGE: _run_exchange,
        Role.COORDINATOR: _run_coordinator,
        Role.WORKER: _run_worker,
        Role.GATE: _run_gate,
        Role.METRICS: _run_metrics,
        Role.RELAY: _run_relay,
        Role.MARKET: _run_market,
        Role.EVALUATOR: _run_evaluator,
    }
    return lambda: works[plan.role](home, plan)


def _clock(plan: Plan) -> SystemClock:
    return plan.replay.clock() if plan.replay is not None else SystemClock()


async def _disk(folder: Path, sync: Sync) -> FolderDisk:
    """Return the folder, as ours; a process of a killed pool may take a moment to let it go.

    Raises:
        JournalBusyError: another process has it, and keeps it.
    """
    end_ns = SystemClock().now().now_ns + BUSY_NS
    while True:
        try:
            return FolderDisk(folder, sync)
        except JournalBusyError:
            if SystemClock().now().now_ns > end_ns:
                raise
        await asyncio.sleep(BUSY_POLL_S)


async def _run_exchange(home: Home, plan: Plan) -> None:
    settings = exchange_settings(read_paper(home))
    # A computer that lost its power has lost this market too: nobody waits for the disk here.
    recovered, journal = open_log(await _disk(home.exchange, PageSync()))
    snapshot = recovered.snapshot
    core = Exchange.restore(snapshot) if snapshot is not None else Exchange(settings)
    replay(core, recovered.records, msgspec.msgpack.Decoder(ExchangeRecord))
    spare_what_stays()
    clock = _clock(plan)
    shell = ExchangeShell(
        core,
        journal,
        clock=clock,
        network=_pool_network(home, plan),
        address=home.exchange_socket,
        elsewhere=() if plan.lan is None else (plan.lan.exchange,),
        sealed=sealed,
        feed=_feed(plan, settings.instruments, clock, core.state.market_ns),
    )
    await open_own_control(UnixNetwork(), home.own_socket(plan.name), lambda _: Alive())
    async with asyncio.TaskGroup() as tasks:
        if plan.strategies is not None:
            # Its library is loaded where strategies are evaluated only.
            from tandem.wiring.deciding import CandlePublisher

            publisher = CandlePublisher(home, clock)
            shell.on_candles = publisher.publish
            tasks.create_task(publisher.run())
        tasks.create_task(shell.run())


def _feed(
    plan: Plan, instruments: tuple[Instrument, ...], clock: SystemClock, seen_ns: int
) -> AsyncIterator[MarketEvents] | None:
    """Return the replayed market from where the exchange saw it last in this same run."""
    if plan.replay is None or not plan.replay.places:
        return None
    # A market that is behind what was seen is another run's, which begins again.
    after_ns = seen_ns if seen_ns <= clock.now().market_ns else 0
    return paced(plan.replay, instruments, clock, after_ns)


async def _run_coordinator(home: Home, plan: Plan) -> None:
    paper = read_paper(home)
    chosen = read_settings(home)
    settings = desk_settings(
        paper, paced_limits(chosen.gate, plan.replay), chosen.timings, replay=plan.replay
    )
    recovered, journal = open_log(await _disk(home.coordinator, InlineSync()))
    snapshot = recovered.snapshot
    desk = Desk.restore(snapshot) if snapshot is not None else Desk()
    replay(desk, recovered.records, msgspec.msgpack.Decoder(DeskRecord))
    spare_what_stays()
    pulse: Pulse[Incarnation] = Pulse()
    halt = read_halt(home)
    shell = Coordinator(
        desk,
        journal,
        clock=_clock(plan),
        network=_pool_network(home, plan),
        processes=LinuxProcesses(),
        places=CoordinatorPlaces(
            workers=(home.workers_socket, *(() if plan.lan is None else (plan.lan.workers,))),
            control=home.control_socket,
            venues={paper.exchange.venue_id: home.exchange_socket},
        ),
        settings=settings,
        secrets=secrets_of(paper),
        pulse=pulse,
        halt=halt.command if halt is not None else None,
    )
    alerts = Alerts(read_settings(home).alerts, home.log_file, say=lambda _: None)
    # When the supervisor hangs nobody else can tell; all other alerts are raised by it.
    watched = Watched(SystemClock(), alerts.raise_alert)
    shell.on_silent = lambda name: watched.note(f"worker {name} is silent")
    shell.on_alert = watched.note
    await open_own_control(UnixNetwork(), home.own_socket(plan.name), watched.answer)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(shell.run())
        tasks.create_task(watched.watch())


def _pool_network(home: Home, plan: Plan) -> Network:
    return pool_network(home.lan if plan.lan is not None else None)


async def _run_worker(home: Home, plan: Plan) -> None:
    # No secret is read here: that of its account comes with the grant.
    incarnation = Incarnation(secrets.token_hex(8))
    own_socket = home.own_socket(plan.name)
    if plan.pool is not None:
        core = Worker(incarnation, plan.name, shares_clock=False)
        await run_remote_worker(core, plan.pool, own_socket=own_socket)
        return
    shell = WorkerShell(
        Worker(incarnation, plan.name),
        clock=_clock(plan),
        network=UnixNetwork(),
        coordinator=home.workers_socket,
        venues={plan.venue_id: home.exchange_socket},
        heartbeat_ns=HEARTBEAT_NS,
    )
    await open_own_control(UnixNetwork(), own_socket, shell.answer)
    await shell.run()


async def _run_gate(home: Home, plan: Plan) -> None:
    # What makes certificates is loaded here, and in no process that trades.
    from tandem.wiring.gate import run_gate

    assert plan.lan is not None, "a gate to nowhere"
    await run_gate(
        home.lan,
        plan.lan,
        venue_id=plan.venue_id,
        has_evaluators=plan.strategies is not None,
    )


async def _run_relay(home: Home, plan: Plan) -> None:
    assert plan.lan is not None, "a relay to nowhere"
    network = _pool_network(home, plan)
    await open_own_control(network, home.own_socket(plan.name), lambda _: Alive())
    relay = Relay(network, own_socket=home.own_socket, say=sparing_log())
    await relay.run(plan.lan.halting)


async def _run_metrics(home: Home, plan: Plan) -> None:
    assert plan.metrics is not None, "metrics for nobody"
    await open_own_control(UnixNetwork(), home.own_socket(plan.name), lambda _: Alive())
    await run_metrics(home, plan.metrics)


async def _run_market(home: Home, plan: Plan) -> None:
    # Sockets, stores and indicators are loaded here, and in no process that trades.
    from tandem.wiring.deciding import run_market

    assert plan.strategies is not None, "a market for nobody"
    instruments = exchange_settings(read_paper(home)).instruments
    await run_market(
        home,
        plan.strategies,
        instruments,
        _clock(plan),
        is_replay=plan.replay is not None,
        say=sparing_log(),
        lan=plan.lan,
    )


async def _run_evaluator(home: Home, plan: Plan) -> None:
    from tandem.wiring.evaluating import run_evaluator

    if plan.pool is not None:
        from tandem.wiring.evaluating import run_remote_evaluator

        await run_remote_evaluator(home, plan.pool, plan.name)
        return
    assert plan.strategies is not None, "an evaluator for nobody"
    await run_evaluator(home, plan.strategies, plan.name, _clock(plan), say=sparing_log())
