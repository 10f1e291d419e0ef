"""One seed: a minute of faults over eight accounts, then calm, and everything must be settled.

The fault mix is drawn from the seed, so that many seeds see many different worlds: some with one
fault only, some with all of them. See `tandem.sim.checker` for what must be true.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from tandem.domain.desk import MS, SECOND
from tandem.domain.errors import DiskFailedError, DiskFullError
from tandem.domain.order import FenceClass
from tandem.domain.venue import Login, Misbehave, Misbehavior, VenueMessage
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.sim.checker import Checker, Violation
from tandem.sim.cluster import Cluster, Plan
from tandem.sim.load import Trader, intentions
from tandem.sim.process import Killed
from tandem.sim.world import (
    CALM,
    ClockFaults,
    DiskFaults,
    Faults,
    NetworkFaults,
    ProcessFaults,
    SimProcess,
    World,
    story,
)

FAULTS_NS = 60 * SECOND
CALM_NS = 60 * SECOND
SUPERVISE_NS = 200 * MS
TROUBLE_NS = 4 * SECOND  # after a pause or a cut a worker may still look silent
HONEST = Misbehavior()


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults this seed has, and how often they come."""

    faults: Faults
    kill_every_s: float
    pause_every_s: float
    break_every_s: float
    exchange_kill_chance: float
    coordinator_kill_chance: float
    crash_point_chance: float
    full_disk_chance: float
    power_cut_chance: float
    lies: Misbehavior


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one seed showed."""

    seed: int
    trace_hash: str
    violations: list[Violation]
    counters: dict[str, int]
    callbacks: int
    settled_ns: int


def draw_plan(draws: random.Random) -> Plan:
    """Return the pool of a seed."""
    mostly = draws.choice(("A", "A", "AAB", "AAAB", "AABC"))
    return Plan(
        one_market=draws.random() < 0.5,
        fence_classes=tuple(FenceClass(draws.choice(mostly)) for _ in range(8)),
        workers=draws.choice((9, 9, 10, 11)),
        read_lag_ns=draws.choice((0, 20 * MS, 45 * MS)),
        latency_ns_max=draws.choice((0, 2 * MS, 20 * MS)),
    )


def draw_mix(draws: random.Random) -> Mix:
    """Return the faults of a seed."""
    some = draws.choice
    network = NetworkFaults(
        latency_ns=(20_000, some((100_000, 2 * MS))),
        delay_chance=some((0.0, 0.005, 0.03)),
        delay_ns=(1 * MS, some((300, 300, 900)) * MS),
        break_chance=some((0.0, 0.0005, 0.003)),
        late_chance=some((0.0, 0.3, 0.8)),
        connect_refused_chance=some((0.0, 0.05)),
        connect_delay_chance=some((0.0, 0.1)),
        drop_chance=some((0.0, 0.0, 0.001)),
        repeat_chance=some((0.0, 0.001, 0.01)),
        swap_chance=some((0.0, 0.0, 0.001)),
        split_chance=some((0.0, 0.05)),
    )
    disk = DiskFaults(
        stall_chance=some((0.0, 0.002)),
        inline_chance=some((0.0, 0.5, 1.0)),
        fail_chance=some((0.0, 0.0, 0.0005)),
        kill_loss_chance=some((0.0, 0.3)),
    )
    clock = ClockFaults(
        rate_error_ppb_max=some((0, 50_000)),
        market_skew_ns_max=some((0, 5 * SECOND)),
        uptime_ns_max=10_000 * SECOND,
    )
    lies = Misbehavior(
        lose_report=some((0.0, 0.02, 0.1)),
        repeat_report=some((0.0, 0.05, 0.2)),
        delay_report=some((0.0, 0.05, 0.2)),
        contradict=some((0.0, 0.02, 0.1)),
        lose_request=some((0.0, 0.02, 0.1)),
        reject=some((0.0, 0.02, 0.1)),
        unclear=some((0.0, 0.02, 0.1)),
        delay_ns_max=some((50 * MS, 500 * MS, 2 * SECOND)),
        read_lag_ns=some((0, 40 * MS)),
        skew_ns=some((-30 * MS, 0, 30 * MS)),
    )
    return Mix(
        faults=Faults(
            network=network,
            disk=disk,
            clock=clock,
            processes=ProcessFaults(pid_reuse_chance=some((0.0, 0.3))),
        ),
        kill_every_s=some((4.0, 10.0, 30.0)),
        pause_every_s=some((5.0, 15.0, 60.0)),
        break_every_s=some((4.0, 20.0)),
        exchange_kill_chance=some((0.0, 0.1)),
        coordinator_kill_chance=some((0.1, 0.3)),
        crash_point_chance=some((0.0, 0.0003, 0.001)),
        full_disk_chance=some((0.0, 0.0, 0.5)),
        power_cut_chance=some((0.0, 0.0, 0.3)),
        lies=lies,
    )


class Liar:
    """Tells the exchanges how to misbehave; they obey and journal it."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._links: dict[str, Link[VenueMessage]] = {}
        self._cluster = cluster
        self._seed = seed
        self.lies = HONEST

    async def run(self, process: SimProcess) -> None:
        """Be the process: keep a session with each exchange, and repeat what they must do."""
        decoder = msgspec.msgpack.Decoder(list[VenueMessage])
        async with asyncio.TaskGroup() as tasks:
            for venue_id in self._cluster.venues:
                dialer: Dialer[VenueMessage] = Dialer(
                    process.network,
                    f"/venue/{venue_id}",
                    decoder,
                    on_up=partial(self._up, venue_id),
                    on_messages=_ignore,
                    on_down=partial(self._down, venue_id),
                )
                tasks.create_task(dialer.run())
            while True:
                await asyncio.sleep(1.0)
                self.tell()

    def _up(self, venue_id: str, link: Link[VenueMessage]) -> None:
        self._links[venue_id] = link
        link.send(Login(account_id=None, secret=""))
        self.tell()

    def _down(self, venue_id: str) -> None:
        self._links.pop(venue_id, None)

    def tell(self) -> None:
        """Say it again: a crash may have lost it."""
        for link in self._links.values():
            link.send(Misbehave(misbehavior=self.lies, seed=self._seed))


def _ignore(_epoch: int, _messages: Sequence[VenueMessage]) -> None:
    pass


class Nemesis:
    """Does harm, as the mix says, until the faults end."""

    def __init__(self, cluster: Cluster, mix: Mix) -> None:
        self._world = cluster.world
        self._cluster = cluster
        self._mix = mix
        self._draws = cluster.world.random("nemesis")
        self.done: Counter[str] = Counter()
        self.stalled_until_ns = 0
        self._stuck: dict[str, tuple[SimProcess, str]] = {}
        self._troubled_until: dict[str, int] = {}

    @property
    def _is_over(self) -> bool:
        return self._world.now_ns >= FAULTS_NS

    def start(self) -> None:
        """Begin some seconds after the pool."""
        self._world.after(500 * MS, self._supervise)
        for every_s, harm in (
            (self._mix.kill_every_s, self._kill),
            (self._mix.pause_every_s, self._pause),
            (self._mix.break_every_s, self._cut),
            (self._mix.break_every_s, self._break),
            (60.0, self._stick),
        ):
            self._world.after(self._next_ns(every_s), self._again, every_s, harm)
        if self._draws.random() < self._mix.full_disk_chance:
            at_ns = self._draws.randrange(10 * SECOND, 40 * SECOND)
            self._world.after(at_ns, self._fill_disk)
        if self._draws.random() < self._mix.power_cut_chance:
            self._world.after(self._draws.randrange(5 * SECOND, 50 * SECOND), self._power_cut)
        if self._mix.crash_point_chance:
            self._world.crash_points.hook = self._at_point

    def _next_ns(self, every_s: float) -> int:
        return int(self._draws.expovariate(1 / every_s) * SECOND) + 100 * MS

    def _again(self, every_s: float, harm: Callable[[], None]) -> None:
        if self._is_over:
            return
        harm()
        self._world.after(self._next_ns(every_s), self._again, every_s, harm)

    def _at_point(self, process: SimProcess, point: str) -> bool:
        if self._is_over or process.name not in self._cluster.names:
            return False
        chance = self._mix.crash_point_chance
        if process.name.startswith("exchange"):
            chance *= self._mix.exchange_kill_chance
        if self._draws.random() >= chance:
            return False
        self.done[f"crash {point}"] += 1
        return True

    def _victim(self) -> str:
        luck = self._draws.random()
        if luck < self._mix.coordinator_kill_chance:
            return "coordinator"
        if luck < self._mix.coordinator_kill_chance + self._mix.exchange_kill_chance:
            return self._draws.choice(("exchange-x", "exchange-y"))
        return self._draws.choice(self._cluster.worker_names)

    def _kill(self) -> None:
        name = self._victim()
        self.done[f"kill {name.split('-')[0].rstrip('0123456789')}"] += 1
        self._world.crash(name)

    def _pause(self) -> None:
        name = self._victim()
        self.done["pause"] += 1
        self._world.pause(name)
        span_ns = int(self._draws.choice((0.1, 0.6, 1.0, 2.0, 5.0)) * SECOND)
        if name == "coordinator":
            self.stalled_until_ns = self._world.now_ns + span_ns
        self._trouble(name, span_ns)
        self._world.after(span_ns, self._resume, self._world.process(name))

    def _resume(self, process: SimProcess) -> None:
        self._world.resume(process)

    def _trouble(self, name: str, span_ns: int) -> None:
        until_ns = self._world.now_ns + span_ns + TROUBLE_NS
        self._troubled_until[name] = max(until_ns, self._troubled_until.get(name, 0))

    def is_needless(self, name: str) -> bool:
        """Whether killing this worker now is a mistake: only the coordinator itself was away.

        Judged in worlds whose links are calm, where nothing else explains a silence.
        """
        network = self._mix.faults.network
        calm = not (network.break_chance or network.delay_chance or network.drop_chance)
        calm = calm and not (network.swap_chance or network.connect_refused_chance)
        now_ns = self._world.now_ns
        stalled = now_ns - TROUBLE_NS < self.stalled_until_ns <= now_ns
        return calm and stalled and now_ns > self._troubled_until.get(name, TROUBLE_NS)

    def _break(self) -> None:
        """Lose a worker's connections; what was under way may come late."""
        worker = self._draws.choice(self._cluster.worker_names)
        other = self._draws.choice(("coordinator", "exchange-x", "exchange-y"))
        process = self._world.process(worker)
        if process.alive and self._world.network.break_all(process, other):
            self.done["break"] += 1
            self._trouble(worker, 0)
            if self._draws.random() < 0.3:
                self._world.crash(worker)

    def _stick(self) -> None:
        """Cut a worker off its venues for as long as it lives: it still answers us."""
        worker = self._draws.choice(self._cluster.worker_names)
        process = self._world.process(worker)
        if not process.alive or worker in self._stuck:
            return
        self.done["stuck worker"] += 1
        venue = self._draws.choice(("exchange-x", "exchange-y"))
        self._stuck[worker] = (process, venue)
        self._world.network.cut(worker, target=venue)

    def free_the_dead(self) -> None:
        """A new process has new connections: the cut of the dead one is not its own."""
        for worker, (process, venue) in list(self._stuck.items()):
            if not process.alive:
                del self._stuck[worker]
                self._world.network.heal(worker, target=venue)

    def stick_again(self) -> None:
        """Keep what outlasts the faults."""
        for worker, (process, venue) in self._stuck.items():
            if process.alive:
                self._world.network.cut(worker, target=venue)

    def _cut(self) -> None:
        worker = self._draws.choice(self._cluster.worker_names)
        other = self._draws.choice(("coordinator", "exchange-x", "exchange-y"))
        span_ns = int(self._draws.choice((0.2, 1.0, 2.5, 6.0)) * SECOND)
        self.done["cut"] += 1
        self._trouble(worker, span_ns)
        both_ways = self._draws.random() < 0.7
        network = self._world.network
        network.cut(worker, target=other, both_ways=both_ways)
        self._world.after(span_ns, partial(network.heal, worker, target=other, both_ways=both_ways))

    def _fill_disk(self) -> None:
        folder = self._world.folder("coordinator", machine="home")
        folder.fill()
        self.done["full disk"] += 1
        self._world.after(self._draws.randint(2, 15) * SECOND, self._free_disk)

    def _free_disk(self) -> None:
        self._world.folder("coordinator", machine="home").capacity_bytes = None

    def _power_cut(self) -> None:
        self.done["power cut"] += 1
        self._world.reboot("home")

    def _supervise(self) -> None:
        """Restart what is dead, after a while, as the supervisor does."""
        self.free_the_dead()
        for name in (*self._cluster.names, "trader", "liar"):
            if not self._world.process(name).alive and self._draws.random() < 0.35:
                self._world.restart(name)
                self._trouble(name, 0)
        self._world.after(SUPERVISE_NS, self._supervise)


def run_seed(seed: int, *, keep_trace: bool = False) -> Result:
    """Run one seed and return what was seen; no violation is an exception."""
    draws = random.Random(f"{seed} scenario")
    plan, mix = draw_plan(draws), draw_mix(draws)
    with World(seed, faults=mix.faults, keep_trace=keep_trace) as world:
        cluster = Cluster(world, plan)
        checker = Checker(cluster)
        trader = Trader(
            intentions(draws, count=draws.randint(15, 40), until_ns=55 * SECOND),
            workers=plan.workers,
        )
        liar = Liar(cluster, seed)
        nemesis = Nemesis(cluster, mix)
        cluster.start()
        world.spawn("trader", "home", trader.run)
        world.spawn("liar", "home", liar.run)
        checker.is_needless = nemesis.is_needless
        nemesis.start()
        world.run(3 * SECOND)
        liar.lies = mix.lies
        world.run(FAULTS_NS)
        _calm_down(cluster, liar)
        nemesis.stick_again()
        settled_ns = _settle(cluster, checker, trader)
        checker.check_end()
        for line in trader.contradictions:
            checker.bad("answers", text=line)
        if not trader.is_answered:
            checker.bad("I2", text=f"never answered: {list(trader.open)}")
        for ended in world.ended:
            if ended.error is not None and not _is_disk(ended.error):
                checker.bad("crash", text=story(ended)[-600:])
        for name, fault in cluster.faults:
            if not isinstance(fault, DiskFailedError | DiskFullError):
                checker.bad("crash", text=f"{name}: {type(fault).__name__}: {fault}")
        for complaint in world.complaints:
            if not isinstance(complaint.error, Killed):  # the dead may complain
                checker.bad("crash", text=str(complaint)[-600:])
        counters = _counters(cluster, checker, nemesis, trader)
        return Result(
            seed=seed,
            trace_hash=world.trace_hash,
            violations=checker.violations,
            counters=dict(counters),
            callbacks=world.loop.callbacks_count,
            settled_ns=settled_ns,
        )


def _is_disk(error: BaseException) -> bool:
    """Whether a process ended because its disk failed it or had no room, as it must."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return isinstance(error, DiskFailedError | DiskFullError)


def _calm_down(cluster: Cluster, liar: Liar) -> None:
    world = cluster.world
    world.faults = CALM
    world.network.heal_all()
    liar.lies = HONEST
    world.folder("coordinator", machine="home").capacity_bytes = None
    for name in (*cluster.names, "trader", "liar"):
        world.resume(name)


def _settle(cluster: Cluster, checker: Checker, trader: Trader) -> int:
    """Let the calm world run until everything is settled; return how long that took."""
    world = cluster.world
    began_ns = world.now_ns
    world.after(5 * SECOND, trader.cancel_all)
    while world.now_ns - began_ns < CALM_NS:
        world.run_for(500 * MS)
        if world.now_ns - began_ns > 25 * SECOND:
            _ask_person(checker, trader)
        if checker.is_settled and trader.is_answered and world.now_ns - began_ns > 6 * SECOND:
            break
    settled_ns = world.now_ns - began_ns
    for _ in range(100):
        coordinator = cluster.coordinator
        if coordinator is not None and coordinator.recording.is_idle:
            break
        world.run_for(1 * MS)
    return settled_ns


def _ask_person(checker: Checker, trader: Trader) -> None:
    """Somebody looks at the venue, and says of an order that is not there that it never came."""
    known = {
        record.order.client_order_id
        for shell in checker.cluster.exchanges.values()
        for account in shell.core.state.accounts
        for record in account.records.values()
    }
    for key, attempt in checker.desk.state.attempts.items():
        if attempt.for_person and key not in known:
            trader.resolve(key)


def _counters(cluster: Cluster, checker: Checker, nemesis: Nemesis, trader: Trader) -> Counter[str]:
    counters: Counter[str] = Counter()
    assert cluster.coordinator is not None, "no coordinator was started"
    for key, count in cluster.coordinator.desk.state.counters.items():
        counters[key] += count
    for shell in cluster.workers.values():
        for key, count in shell.core.counters.items():
            counters[f"worker: {key}"] += count
    for key, count in cluster.dropped.items():
        counters[key] += count
    for key, count in nemesis.done.items():
        counters[f"nemesis: {key}"] += count
    counters["nemesis: disk failed"] += sum(
        isinstance(fault, DiskFailedError) for _, fault in cluster.faults
    )
    for key, count in cluster.restarts.items():
        counters[f"starts: {key}"] += count
    for refused in trader.refused.values():
        counters[f"refused: {refused.reason}"] += 1
    counters.update({f"seen: {key}": count for key, count in checker.seen.items()})
    return counters
