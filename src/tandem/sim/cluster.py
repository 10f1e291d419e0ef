"""A whole pool in the simulated world: the very shells, two exchanges, and who restarts them.

Nothing here decides anything that a real pool decides: it puts the parts together as `wiring` does
for real processes, and lets a scenario look into them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tandem.adapters.journal.log import open_log
from tandem.core.matching.exchange import Exchange
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import Pulse
from tandem.core.trading.worker import Worker
from tandem.domain.bundle import Bundle
from tandem.domain.desk import (
    MS,
    SECOND,
    DeskEffect,
    DeskEvent,
    DeskSettings,
    SlotSettings,
    Timings,
    VenueSettings,
)
from tandem.domain.exchange import (
    AccountSettings,
    ExchangeEvent,
    ExchangeSettings,
    Fees,
    SyntheticBook,
    SyntheticMarket,
)
from tandem.domain.ids import (
    AccountId,
    DeskId,
    Incarnation,
    InstrumentId,
    Lots,
    MarketId,
    SlotId,
    Ticks,
    VenueId,
)
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.order import FenceClass
from tandem.domain.worker import WorkerEffect
from tandem.ports import Clock, Journal
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces, DeskRecord
from tandem.shells.exchange import ExchangeRecord, ExchangeShell
from tandem.shells.own_control import open_own_control
from tandem.shells.recording import replay
from tandem.shells.worker import WorkerShell
from tandem.sim.process import Killed
from tandem.sim.world import Main, SimProcess, World

HEARTBEAT_NS = 250 * MS
ALARM_NS = 1_250 * MS
SEGMENT_BYTES = 64 * 1024
SNAPSHOT_RECORDS = 150
HOME = "home"  # the coordinator's computer
WORKERS_AT = "/run/workers"
CONTROL_AT = "/run/control"
MARGIN = Decimal(10) ** 9
DESK_RECORDS = msgspec.msgpack.Decoder(DeskRecord)
EXCHANGE_RECORDS = msgspec.msgpack.Decoder(ExchangeRecord)


def own_control_at(name: str) -> str:
    """Return where a worker listens on its own control socket."""
    return f"/run/{name}.control"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of pool it is: two venues of four accounts, in one market or in two.

    The last `elsewhere` of its workers run on computers of their own.
    """

    one_market: bool
    fence_classes: tuple[FenceClass, ...]
    workers: int
    read_lag_ns: int
    latency_ns_max: int
    elsewhere: int = 0


class Cluster:
    """The pool of one world. `desk` and `exchanges` are the latest cores, dead or alive."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.coordinator: Coordinator | None = None
        self.desk_clock: Clock  # of the latest coordinator
        self.exchanges: dict[VenueId, ExchangeShell] = {}
        self.workers: dict[str, WorkerShell] = {}
        self.on_desk: Callable[[DeskEvent, list[DeskEffect]], None] = lambda _e, _f: None
        self.on_exchange: Callable[[VenueId, ExchangeEvent], None] = lambda _v, _e: None
        self.on_worker: Callable[[WorkerShell, WorkerEffect], None] = lambda _w, _e: None
        self.on_performed: Callable[[DeskEffect], None] = lambda _e: None
        self.watched: Callable[[Journal], Journal] = lambda journal: journal
        self.restarts: dict[str, int] = {}
        self.starts: dict[VenueId, int] = {}
        self.dropped: Counter[str] = Counter()
        self.faults: list[tuple[str, BaseException | None]] = []
        self.venues = (VenueId("x"), VenueId("y"))
        self.exchange_settings = {one: self._exchange_settings(one) for one in self.venues}
        self.settings = self._desk_settings()
        self.worker_names = [f"m{number + 1}" for number in range(plan.workers)]
        exchanges = [f"exchange-{one}" for one in self.venues]
        self.names = (*exchanges, "coordinator", *self.worker_names)

    # -- what it is made of

    def _instruments(self, venue_id: VenueId) -> tuple[Instrument, ...]:
        symbols = ("AAA", "BBB") if venue_id == "x" else ("AAA", "CCC")
        market = "m1" if venue_id == "x" or self.plan.one_market else "m2"
        return tuple(
            Instrument(
                instrument_id=InstrumentId(f"{venue_id}:{symbol}"),
                symbol=symbol,
                venue_id=venue_id,
                market_id=MarketId(market if symbol == "AAA" else f"{market}-{venue_id}"),
                base=symbol,
                quote="USD",
                tick_size=Decimal("0.01"),
                lot_size=Decimal(1),
            )
            for symbol in symbols
        )

    def _exchange_settings(self, venue_id: VenueId) -> ExchangeSettings:
        instruments = self._instruments(venue_id)
        first = 0 if venue_id == "x" else 4
        accounts = tuple(
            AccountSettings(
                account_id=AccountId(f"A{number + 1}"),
                secret=f"a{number + 1}",
                owner="trader",
                cash={"USD": Decimal(1_000_000)},
                positions={one.instrument_id: 2_000 for one in instruments},
                fence_class=self.plan.fence_classes[number],
            )
            for number in range(first, first + 4)
        )
        books = tuple(
            SyntheticBook(
                instrument_id=one.instrument_id,
                reference=Ticks(10_000),
                stride=Ticks(1),
                depth=Lots(40),
                levels=2,
            )
            for one in instruments
        )
        return ExchangeSettings(
            venue_id=venue_id,
            instruments=instruments,
            accounts=accounts,
            seed=self.world.seed,
            fees=Fees(maker=Decimal("-0.0001"), taker=Decimal("0.0003")),
            latency_ns_max=self.plan.latency_ns_max,
            read_lag_ns=self.plan.read_lag_ns,
            quotes_every_ns=1 * SECOND,
            misbehavior_open=True,
            synthetic=SyntheticMarket(books=books, step_ns=500 * MS),
        )

    def _desk_settings(self) -> DeskSettings:
        venues = tuple(VenueSettings(venue_id=one) for one in self.venues)
        instruments = tuple(
            one for settings in self.exchange_settings.values() for one in settings.instruments
        )
        limits = Limits(max_duplicates=1_000)
        bundle = Bundle(strategies=(), instruments=instruments, venues=venues, limits=limits)
        return DeskSettings(
            desk_id=DeskId("d"),
            slots=tuple(
                SlotSettings(
                    slot_id=SlotId(f"w{number + 1}"),
                    account_id=AccountId(f"A{number + 1}"),
                    venue_id=self.venues[number // 4],
                    fence_class=fence_class,
                )
                for number, fence_class in enumerate(self.plan.fence_classes)
            ),
            venues=venues,
            instruments=instruments,
            limits=limits,
            bundle=msgspec.msgpack.encode(bundle),
            timings=Timings(poll_ns=2 * SECOND, retry_ns=15 * SECOND),
        )

    # -- its processes

    def start(self) -> None:
        """Start everything."""
        for venue_id in self.venues:
            self.world.spawn(f"exchange-{venue_id}", "venue", self._exchange(venue_id))
        self.world.spawn("coordinator", HOME, self._run_coordinator)
        here = self.plan.workers - self.plan.elsewhere
        for name in self.worker_names[:here]:
            self.world.spawn(name, HOME, self._run_worker)
        for name in self.worker_names[here:]:
            self.world.spawn(name, f"of-{name}", self._run_worker)

    def _exchange(self, venue_id: VenueId) -> Main:
        async def run(process: SimProcess) -> None:
            self.end_on_error(process)
            recovered, journal = open_log(
                process.disk(f"exchange-{venue_id}"), segment_bytes=SEGMENT_BYTES
            )
            core = (
                Exchange.restore(recovered.snapshot)
                if recovered.snapshot is not None
                else Exchange(self.exchange_settings[venue_id])
            )
            replay(core, recovered.records, EXCHANGE_RECORDS)
            shell = ExchangeShell(
                core,
                journal,
                clock=process.clock,
                network=process.network,
                address=f"/venue/{venue_id}",
                snapshot_records=SNAPSHOT_RECORDS,
            )
            shell.recording.on_event = lambda event, _: self.on_exchange(venue_id, event)
            self.exchanges[venue_id] = shell
            self.starts[venue_id] = self.starts.get(venue_id, 0) + 1
            self._count("exchange")
            await shell.run()

        return run

    async def _run_coordinator(self, process: SimProcess) -> None:
        self.end_on_error(process)
        recovered, journal = open_log(
            process.disk("coordinator"), segment_bytes=SEGMENT_BYTES, reserve_bytes=SEGMENT_BYTES
        )
        desk = Desk.restore(recovered.snapshot) if recovered.snapshot is not None else Desk()
        replay(desk, recovered.records, DESK_RECORDS)
        accounts = [
            one for settings in self.exchange_settings.values() for one in settings.accounts
        ]
        shell = Coordinator(
            desk,
            self.watched(journal),
            clock=process.clock,
            network=process.network,
            processes=process.processes,
            places=CoordinatorPlaces(
                workers=(WORKERS_AT,),
                control=CONTROL_AT,
                venues={one: f"/venue/{one}" for one in self.venues},
            ),
            settings=self.settings,
            secrets={one.account_id: one.secret for one in accounts},
            pulse=Pulse(heartbeat_ns=HEARTBEAT_NS, alarm_ns=ALARM_NS),
            snapshot_records=SNAPSHOT_RECORDS,
        )
        self.desk_clock = process.clock
        shell.recording.on_event = lambda event, effects: self.on_desk(event, effects)
        shell.on_performed = lambda effect: self.on_performed(effect)
        shell.dropped = self.dropped
        self.coordinator = shell
        self._count("coordinator")
        await shell.run()

    async def _run_worker(self, process: SimProcess) -> None:
        self.end_on_error(process)
        incarnation = Incarnation(f"{process.name}-{process.pid}-{process.started}")
        shell = WorkerShell(
            Worker(incarnation, process.name, shares_clock=process.machine.name == HOME),
            clock=process.clock,
            network=process.network,
            coordinator=WORKERS_AT,
            venues={one: f"/venue/{one}" for one in self.venues},
            heartbeat_ns=HEARTBEAT_NS,
        )
        shell.on_performed = lambda effect: self.on_worker(shell, effect)
        self.workers[process.name] = shell
        self._count("worker")
        await open_own_control(process.network, own_control_at(process.name), shell.answer)
        await shell.run()

    def end_on_error(self, process: SimProcess) -> None:
        """An error that nobody caught ends the process, as in a real one."""

        def on_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            if isinstance(error, Killed):
                return
            self.faults.append((process.name, error))
            self.world.crash(process)

        asyncio.get_running_loop().set_exception_handler(on_error)

    def _count(self, what: str) -> None:
        self.restarts[what] = self.restarts.get(what, 0) + 1
