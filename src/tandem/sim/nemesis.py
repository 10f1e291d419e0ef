"""Who does harm in a simulated world: a nemesis to processes and links, a liar at the venues."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from tandem.domain.desk import MS, SECOND
from tandem.domain.venue import Login, Misbehave, VenueMessage
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.sim.cluster import HOME, Cluster
from tandem.sim.mix import HONEST, Mix
from tandem.sim.world import SimProcess

FAULTS_NS = 60 * SECOND
SUPERVISE_NS = 200 * MS
STALL_KILL_CHANCE = 0.2
STALL_KILL_NS = 300 * MS
SLEEP_EVERY_S = 20.0
BEYOND_LEASE_NS = 4 * SECOND
TROUBLE_NS = 4 * SECOND  # after a pause or a cut a worker may still look silent


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
        chance, of_exchange = mix.crash_point_chance, mix.exchange_kill_chance
        self._crash_chances = {
            name: chance * of_exchange if name.startswith("exchange") else chance
            for name in cluster.names
        }

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
        if self._cluster.plan.elsewhere:
            for harm in (self._sleep, self._freeze_beyond_lease):
                self._world.after(self._next_ns(SLEEP_EVERY_S), self._again, SLEEP_EVERY_S, harm)
        if self._draws.random() < self._mix.full_disk_chance:
            at_ns = self._draws.randrange(10 * SECOND, 40 * SECOND)
            self._world.after(at_ns, self._fill_disk)
        if self._draws.random() < self._mix.power_cut_chance:
            self._world.after(self._draws.randrange(5 * SECOND, 50 * SECOND), self._power_cut)
        if self._mix.power_cut_last:
            self._world.after(FAULTS_NS - 1 * MS, self._power_cut)
        if self._mix.crash_point_chance or self._mix.faults.disk.stall_chance:
            self._world.crash_points.hook = self._at_point

    def _next_ns(self, every_s: float) -> int:
        return int(self._draws.expovariate(1 / every_s) * SECOND) + 100 * MS

    def _again(self, every_s: float, harm: Callable[[], None]) -> None:
        if self._is_over:
            return
        harm()
        self._world.after(self._next_ns(every_s), self._again, every_s, harm)

    def _at_point(self, process: SimProcess, point: str) -> bool:
        chance = self._crash_chances.get(process.name)
        if chance is None or self._world.loop.now_ns >= FAULTS_NS:
            return False
        if point == "after stall":
            self._kill_while_it_waits(process)
            return False
        if self._draws.random() >= chance:
            return False
        self.done[f"crash {point}"] += 1
        return True

    def _kill_while_it_waits(self, process: SimProcess) -> None:
        """Kill, now and then, the coordinator whose disk hangs: what waits behind it is lost."""
        if process.name == "coordinator" and self._draws.random() < STALL_KILL_CHANCE:
            self.done["kill in a stall"] += 1
            self._world.after(self._draws.randrange(STALL_KILL_NS), self._world.crash, process)

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
        span_ns = int(self._draws.choice((0.1, 0.6, 1.2, 2.0, 5.0)) * SECOND)
        if name == "coordinator":
            self.stalled_until_ns = self._world.now_ns + span_ns
        self._trouble(name, span_ns)
        self._world.after(span_ns, self._resume, self._world.process(name))

    def _far_worker(self) -> str:
        return self._draws.choice(self._cluster.worker_names[-self._cluster.plan.elsewhere :])

    def _sleep(self) -> None:
        """Close the lid of a worker's computer: its boot clock goes on, nothing else does."""
        name = self._far_worker()
        self.done["sleep"] += 1
        span_ns = int(self._draws.choice((0.5, 2.0, 6.0)) * SECOND)
        self._world.sleep(self._world.process(name).machine.name, span_ns)
        self._trouble(name, span_ns)

    def _freeze_beyond_lease(self) -> None:
        """Stop a worker elsewhere for so long that somebody else has its account when it wakes."""
        name = self._far_worker()
        self.done["freeze beyond a lease"] += 1
        self._world.pause(name)
        self._trouble(name, BEYOND_LEASE_NS)
        self._world.after(BEYOND_LEASE_NS, self._resume, self._world.process(name))

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
        """Keep what outlasts the faults.

        Not elsewhere, where nobody can kill it: with every spare cut off its account waits for
        ever, and is shown.
        """
        for worker, (process, venue) in self._stuck.items():
            if process.alive and process.machine.name == HOME:
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
