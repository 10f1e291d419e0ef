"""Strategies in the simulated pool: the market process, its evaluators, and who harms them.

The market process is what `wiring/deciding.py` makes of the very same parts; its store of bars
outlives it, as a disk does. Only some seeds have it, and these have their own stream of chance.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec

from tandem.adapters.journal.log import open_log
from tandem.core.deciding.decider import Decider
from tandem.core.evaluating.crew import Crew
from tandem.domain.bars import FinalBar
from tandem.domain.desk import MS, SECOND
from tandem.domain.market_words import BackFill, FeedFresh, FeedStale, MarketWord, Publish
from tandem.shells.deciding import DeciderRecord, DecidingShell
from tandem.shells.holdings import holdings
from tandem.shells.recording import replay
from tandem.shells.stored_bars import StoredBars
from tandem.sim.bars import MemoryBars
from tandem.sim.cluster import CONTROL_AT, HOME, SEGMENT_BYTES, SNAPSHOT_RECORDS, Cluster
from tandem.sim.evaluators import AT_FIRST, LIMITS, SimulatedBroker, SimulatedWorker, Wires
from tandem.sim.made_up_minutes import SETTINGS, MadeUpMinutes
from tandem.sim.process import SimProcess
from tandem.sim.target_load import ONE_IN

MARKET = "market"
FOLDER = "decisions"
LISTEN_NS = 100 * MS
HARM_EVERY_S = 2.5
SUPERVISE_NS = 250 * MS
KILL_CHANCE = 0.03  # with each bar
SNAPSHOT_EVERY = SNAPSHOT_RECORDS // 2
DECIDER_RECORDS = msgspec.msgpack.Decoder(DeciderRecord)


def has_strategies(seed: int) -> bool:
    """Whether this seed has strategies: every fourth one, and none whose decisions are drawn."""
    return seed % 3 == 2 and seed % ONE_IN != 1


class SimulatedStrategies:
    """All of it, beside one cluster. `shell` is the latest, dead or alive."""

    def __init__(self, cluster: Cluster, seed: int, *, until_ns: int) -> None:
        self.cluster = cluster
        self.is_on = has_strategies(seed)
        self.wires = Wires(cluster.world)
        self.store = MemoryBars()
        self.instruments = [
            one for settings in cluster.exchange_settings.values() for one in settings.instruments
        ][1:]  # on each venue something, and AAA where a roster finds it
        self.store.list_instruments(self.instruments)
        self.minutes = MadeUpMinutes(
            [one.instrument_id for one in self.instruments if self.is_on], seed
        )
        self.shell: DecidingShell | None = None
        self.starts = 0
        self._until_ns = until_ns
        self._draws = cluster.world.random("harm to strategies")
        # Those that run, with their latest process; `crew` says which should.
        self.evaluators: dict[str, SimulatedWorker | None] = {}
        self.crew = Crew(
            start=self._start_evaluator,
            leave=self._let_leave,
            end=cluster.world.crash,
        )
        if self.is_on:
            cluster.names = (*cluster.names, MARKET)

    def start(self) -> None:
        """Start the processes, and the harm."""
        world = self.cluster.world
        if not self.is_on:
            return
        world.spawn(MARKET, HOME, self._run_market)
        self.crew.want(AT_FIRST, now_ns=world.now_ns)
        world.after(SUPERVISE_NS, self._supervise)
        some = self._draws.choice
        faults = self.wires.faults
        faults.lose = some((0.0, 0.002, 0.01))
        faults.repeat = some((0.0, 0.06))
        faults.delay = some((0.0, 0.02, 0.1))
        faults.garbage = some((0.0, 0.0, 0.005))
        faults.unable = some((0.0, 0.01))
        faults.skip = some((0.0, 0.0, 0.01))
        world.after(self._next_ns(), self._harm)
        if self._draws.random() < 0.3:
            world.after(self._draws.randrange(8, 40) * SECOND, self._fill_disk)

    def calm_down(self, last_ns: int) -> None:
        """Harm nothing from now on; a second after `last_ns` tell the last minutes."""
        if not self.is_on:
            return
        self.cluster.world.after(last_ns + SECOND, self._ring)
        faults = self.wires.faults
        faults.lose = faults.repeat = faults.delay = 0.0
        faults.garbage = faults.unable = faults.skip = 0.0
        self._free_disk()

    def _ring(self) -> None:
        self.minutes.ring(self.cluster.world.now_ns)

    # -- processes

    async def _run_market(self, process: SimProcess) -> None:
        self.cluster.end_on_error(process)
        recovered, journal = open_log(
            process.disk(FOLDER), segment_bytes=SEGMENT_BYTES, reserve_bytes=SEGMENT_BYTES
        )
        snapshot = recovered.snapshot
        decider = Decider.restore(snapshot) if snapshot is not None else Decider()
        replay(decider, recovered.records, DECIDER_RECORDS)
        broker = SimulatedBroker(self.wires, process)
        shell = DecidingShell(
            decider,
            journal,
            clock=process.clock,
            network=process.network,
            control=CONTROL_AT,
            store=self.store,
            submit=broker.submit,
            run="simulated",
            snapshot_records=SNAPSHOT_EVERY,
        )
        broker.make = lambda: holdings(shell.decider.state, self.store, broker.is_settled())
        stored = StoredBars(SETTINGS, self.minutes.listings, self.store)
        self.shell = shell
        self.starts += 1
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shell.run())
            tasks.create_task(broker.run())
            tasks.create_task(self._listen(process, shell, stored))

    async def _listen(self, process: SimProcess, shell: DecidingShell, stored: StoredBars) -> None:
        heard_ns = self.cluster.world.now_ns
        while True:
            await asyncio.sleep(LISTEN_NS / SECOND)
            now_ns = self.cluster.world.now_ns
            words = self.minutes.told(after_ns=heard_ns, until_ns=now_ns)
            heard_ns = now_ns
            self._tell(process, shell, stored, words)

    def _tell(
        self,
        process: SimProcess,
        shell: DecidingShell,
        stored: StoredBars,
        words: Sequence[MarketWord],
    ) -> None:
        effects = stored.take(words, process.clock.now())
        finals: list[FinalBar] = [one.final for one in effects if isinstance(one, Publish)]
        if finals:
            self.wires.done["bars published"] += len(finals)
            self.wires.done["bars corrected"] += sum(one.revision > 0 for one in finals)
            shell.on_final(finals)
            if self.cluster.world.now_ns < self._until_ns and self.wires.luck(KILL_CHANCE):
                self.wires.done["kills of market"] += 1  # what is stored may not be recorded yet
                self.cluster.world.after(self._draws.randrange(2 * MS), self._kill, process)
        for effect in effects:
            match effect:
                case FeedStale() | FeedFresh():
                    is_stale = isinstance(effect, FeedStale)
                    shell.on_feed(effect.instrument_id, is_stale=is_stale)
                case BackFill():
                    self.wires.done["gaps asked for"] += 1
                    again = partial(self._send_again, process, shell, stored, effect)
                    delay_s = self._draws.uniform(0.05, 1.5)
                    asyncio.get_running_loop().call_later(delay_s, again)
                case _:
                    pass

    def _send_again(
        self, process: SimProcess, shell: DecidingShell, stored: StoredBars, asked: BackFill
    ) -> None:
        answer = self.minutes.answer(asked, self.cluster.world.now_ns)
        if answer is not None:
            self._tell(process, shell, stored, (answer,))

    async def _run_evaluator(self, process: SimProcess) -> None:
        self.cluster.end_on_error(process)
        worker = SimulatedWorker(self.wires, process)
        self.evaluators[process.name] = worker
        await worker.run()

    # -- their supervisor, whom nothing harms

    def _supervise(self) -> None:
        """Have as many evaluators as the market process wants, and replace those that ended."""
        world, broker = self.cluster.world, self.wires.broker
        if broker is not None and broker.process.alive and not broker.process.paused:
            wanted, before = broker.wanted, self.crew.size
            if wanted is not None:
                self.crew.want(wanted, now_ns=world.now_ns)
            assert LIMITS.fewest <= self.crew.size <= LIMITS.most, f"{self.crew.size} evaluators"
            self.wires.done["evaluators added"] += max(0, self.crew.size - before)
        for name in list(self.evaluators):
            if world.process(name).alive:
                continue
            if self.crew.on_ended(name):
                self.wires.done["evaluators that left"] += 1
                del self.evaluators[name]
            elif self._draws.random() < 0.35:
                world.restart(name)
        world.after(SUPERVISE_NS, self._supervise)

    def _start_evaluator(self, name: str) -> None:
        self.evaluators[name] = None
        self.cluster.world.spawn(name, HOME, self._run_evaluator)

    def _let_leave(self, name: str) -> None:
        process, worker = self.cluster.world.process(name), self.evaluators[name]
        if worker is not None and worker.process is process and not process.paused:
            worker.leave()

    # -- harm

    def _next_ns(self) -> int:
        return int(self._draws.expovariate(1 / HARM_EVERY_S) * SECOND) + 100 * MS

    def _harm(self) -> None:
        world = self.cluster.world
        if world.now_ns >= self._until_ns:
            return
        name = self._draws.choice((MARKET, *self.evaluators, *self.evaluators))
        if self._draws.random() < 0.6:
            self.wires.done[f"kills of {'market' if name == MARKET else 'evaluator'}"] += 1
            world.crash(name)
        else:
            self.wires.done["evaluators and market paused"] += 1
            process = world.process(name)
            world.pause(name)
            world.after(self._draws.choice((50, 600, 2_500)) * MS, world.resume, process)
        world.after(self._next_ns(), self._harm)

    def _kill(self, process: SimProcess) -> None:
        if self.cluster.world.now_ns < self._until_ns:
            self.cluster.world.crash(process)

    def _fill_disk(self) -> None:
        self.wires.done["full disks of the market"] += 1
        self.cluster.world.folder(FOLDER, machine=HOME).fill()
        self.cluster.world.after(self._draws.randint(1, 8) * SECOND, self._free_disk)

    def _free_disk(self) -> None:
        self.cluster.world.folder(FOLDER, machine=HOME).capacity_bytes = None
