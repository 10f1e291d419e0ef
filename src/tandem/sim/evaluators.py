"""Simulated evaluators: the very shell in processes that die and stand still, and their broker.

Who does which task is decided by the balancer of `tandem.messaging`. The words between the two
ends are delayed, lost and repeated here as no connection of ZeroMQ would; their order is kept.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256

from tandem.core.evaluating.elastic import Elastic, ElasticLimits, PoolSeen
from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.bundle import holdings_of
from tandem.domain.desk import MS, SECOND
from tandem.domain.errors import FrameError
from tandem.domain.evaluation import (
    Skipped,
    TaskId,
    TaskKey,
    TenantQuota,
    answer_bytes,
    answer_of,
    task_of,
)
from tandem.messaging import words
from tandem.messaging.balancer import Balancer, Effect, Give, GiveUp, Release, Rules, Settle
from tandem.messaging.setting_up import Newcomers, Verdict
from tandem.shells.evaluator import Evaluator
from tandem.sim.process import SimProcess
from tandem.sim.scripts import SimulatedJail
from tandem.sim.world import World

BEAT_NS = 150 * MS
SILENCE_NS = 450 * MS
RULES = Rules(silence_ns=SILENCE_NS, keys_apart=2)
RETRY_S = 1.0
AT_FIRST = 2  # evaluators
LIMITS = ElasticLimits(
    fewest=1,
    most=4,
    late_ns=50 * MS,
    settle_ns=300 * MS,
    quiet_ns=3 * SECOND,
    breath_ns=3 * SECOND,
)


class Faults:
    """How often something goes wrong between broker and evaluators; changed from outside."""

    lose = 0.0
    repeat = 0.0
    delay = 0.0
    garbage = 0.0
    unable = 0.0
    skip = 0.0


class Wires:
    """What carries words between the market process' broker and the evaluators.

    `skipped` are the tasks that an evaluator declined, or answered with nonsense.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.done: Counter[str] = Counter()
        self.skipped: dict[TaskId, None] = {}
        self.broker: SimulatedBroker | None = None
        self.workers: dict[bytes, SimulatedWorker] = {}
        self._draws = world.random("evaluators")
        self._last_ns: dict[tuple[bytes, bool], int] = {}

    def to_worker(self, route: bytes, word: words.Word) -> None:
        """Bring a word to the worker of that route, if it still lives."""
        worker = self.workers.get(route)
        if worker is not None:
            self._carry((route, True), worker.process, partial(worker.hear, word))

    def to_broker(self, route: bytes, word: words.Word) -> None:
        """Bring a word to the broker that is there now."""
        broker = self.broker
        if broker is not None:
            self._carry((route, False), broker.process, partial(broker.hear, route, word))

    def luck(self, chance: float) -> bool:
        """Return whether something happens that has that chance."""
        return chance > 0 and self._draws.random() < chance

    def _carry(
        self, line: tuple[bytes, bool], process: SimProcess, deliver: Callable[[], None]
    ) -> None:
        if self.luck(self.faults.lose):
            self.done["words lost"] += 1
            return
        delay_ns = self._draws.randrange(50_000, 2 * MS)
        if self.luck(self.faults.delay):
            delay_ns += self._draws.randrange(700) * MS
        at_ns = max(self.world.now_ns + delay_ns, self._last_ns.get(line, 0) + 1)
        self._last_ns[line] = at_ns
        loop = self.world.loop
        for _ in range(2 if self.luck(self.faults.repeat) else 1):
            self.world.at(at_ns, loop.deliver, process, deliver)


class SimulatedBroker:
    """The broker's end, in the market process; `submit` is what the decider's shell is given."""

    def __init__(self, wires: Wires, process: SimProcess) -> None:
        self.process = process
        self._wires = wires
        self._run = process.pid * 1_000_000 + process.started
        self._balancer = Balancer(RULES)
        self._newcomers = Newcomers(RULES.workers_max)
        self.make: Callable[[], Awaitable[bytes]] | None = None  # what newcomers shall hold
        self._making: dict[asyncio.Task[None], None] = {}
        self._elastic = Elastic(LIMITS)
        self._waiting: dict[int, tuple[str, bytes, Callable[[bytes], None]]] = {}
        wires.broker = self

    def is_settled(self) -> Callable[[TaskKey], bool]:
        """Return what says whether a series stays where it is when another evaluator comes now."""
        due = self._balancer.due_to_newcomer()
        return lambda key: key.encode() not in due and self._balancer.has_home(key.encode())

    def submit(self, key: str, payload: bytes, done: Callable[[bytes], None]) -> None:
        """Have it done; what nobody could do is given again after a while."""
        now_ns = self._now_ns()
        number, effects = self._balancer.submit(key.encode(), payload=payload, now_ns=now_ns)
        assert number is not None, "too many tasks are open"
        self._waiting[number] = (key, payload, done)
        self._elastic.on_given(number, key, self.process.clock.now())
        self._perform(effects)

    async def run(self) -> None:
        """Ping everybody over and over."""
        while True:
            await asyncio.sleep(BEAT_NS / SECOND)
            self._perform(self._balancer.on_tick(self._now_ns()))
            self._look()
            for load in self._balancer.loads():
                self._balancer.ping(load.worker, self._now_ns())
                ping = words.Ping(self._run, self._balancer.attempts)
                self._wires.to_worker(load.worker, ping)
            for route in self._newcomers:
                self._wires.to_worker(route, words.Ping(self._run, self._balancer.attempts))
            for route in self._newcomers.late(self._now_ns()):
                self._begin_set_up(route)

    @property
    def wanted(self) -> int | None:
        """How many evaluators are wanted: what a supervisor is told."""
        return self._elastic.wanted

    def _look(self) -> None:
        serving = [one for one in self._balancer.loads() if not one.is_leaving]
        busy = sum(one.held > 0 for one in serving)
        seen = PoolSeen(here=len(serving), elsewhere=0, busy=busy)
        self._elastic.on_seen(seen, self.process.clock.now())

    def hear(self, route: bytes, word: words.Word) -> None:
        """Take in what a worker says."""
        now_ns, balancer = self._now_ns(), self._balancer
        match word:
            case words.Ready():
                self._ready(route, word.window)
            case words.Confirmed() if word.run == self._run:
                self._confirmed(route, word)
            case words.Leaving():
                self._newcomers.forget(route)
                self._perform(balancer.on_leaving(route, now_ns))
            case words.Pong() if word.run == self._run:
                held = word.held
                self._perform(balancer.on_pong(route, mark=word.mark, held=held, now_ns=now_ns))
            case words.Done() if word.run == self._run:
                payload = word.payload
                done = balancer.on_done(route, word.attempt, payload=payload, now_ns=now_ns)
                self._perform(done)
            case words.Unable() if word.run == self._run:
                reason = word.reason
                unable = balancer.on_unable(route, word.attempt, reason=reason, now_ns=now_ns)
                self._perform(unable)
            case _:
                self._wires.done["words for an earlier broker"] += 1

    def _ready(self, route: bytes, window: int) -> None:
        if self._balancer.knows(route):
            self._let_in(route, window)
            return
        for other in self._newcomers:
            if other != route and _name(other) == _name(route):
                self._newcomers.forget(other)  # that life is over
        if self._newcomers.on_ready(route, window):
            self._begin_set_up(route)

    def _let_in(self, route: bytes, window: int) -> None:
        now_ns = self._now_ns()
        self._perform(
            self._balancer.on_ready(route, name=_name(route), window=window, now_ns=now_ns)
        )

    def _begin_set_up(self, route: bytes) -> None:
        async def give() -> None:
            assert self.make is not None, "nothing to hold"
            content = await self.make()
            digest = sha256(content).digest()
            number = self._newcomers.on_given(route, digest=digest, now_ns=self._now_ns())
            if number is not None:
                self._wires.to_worker(route, words.SetUp(self._run, number, content))

        making = asyncio.get_running_loop().create_task(give())
        self._making[making] = None
        making.add_done_callback(lambda done: self._making.pop(done, None))

    def _confirmed(self, route: bytes, word: words.Confirmed) -> None:
        verdict = self._newcomers.on_confirmed(route, word.number, digest=word.digest)
        if verdict is Verdict.RIGHT:
            self._wires.done["evaluators that confirmed what they hold"] += 1
            self._let_in(route, self._newcomers.let_in(route))
        elif verdict is Verdict.WRONG:
            self._wires.done["evaluators that hold something else"] += 1
            if self._newcomers.may_try(route):
                self._begin_set_up(route)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Give():
                    task = words.Task(self._run, effect.attempt, effect.payload)
                    self._wires.to_worker(effect.worker, task)
                case Settle():
                    self._settle(effect)
                case GiveUp():
                    self._wires.done["tasks given up"] += 1
                    self._elastic.on_ended(effect.task, self.process.clock.now())
                    again = self._waiting.pop(effect.task)
                    asyncio.get_running_loop().call_later(RETRY_S, self.submit, *again)
                case Release():
                    self._wires.to_worker(effect.worker, words.Goodbye(self._run))
        counts = self._balancer.counts
        self._wires.done["evaluators lost"] += counts.lost
        self._wires.done["tasks done again elsewhere"] += counts.redone
        self._wires.done["outcomes too late"] += counts.late
        self._wires.done["series moved"] += counts.moved + counts.spread
        counts.lost = counts.redone = counts.late = counts.moved = counts.spread = 0

    def _settle(self, effect: Settle) -> None:
        _, _, done = self._waiting.pop(effect.task)
        self._elastic.on_ended(effect.task, self.process.clock.now())
        payload = effect.payload
        try:
            answer = answer_of(payload)
        except FrameError:
            pass  # it was noted where it was made
        else:
            if isinstance(answer, Skipped):
                self._wires.skipped[answer.task_id] = None
        loop = asyncio.get_running_loop()
        loop.call_soon(done, payload)
        if self._wires.luck(self._wires.faults.repeat):
            self._wires.done["answers repeated"] += 1
            later_s = 0.001 + 2.5 * self._wires.world.random("answers").random()
            loop.call_later(later_s, done, payload)

    def _now_ns(self) -> int:
        return self.process.clock.now().now_ns


class SimulatedWorker:
    """An evaluator's process: see `tandem.messaging.worker`, and `wiring/evaluating.py`."""

    def __init__(self, wires: Wires, process: SimProcess) -> None:
        self.process = process
        self._wires = wires
        self._route = f"{process.name}/{process.pid}-{process.started}".encode()
        self._run: int | None = None
        self._held: dict[int, asyncio.Task[None]] = {}
        self._heard_ns = -SILENCE_NS
        self._holding: asyncio.Task[None] | None = None
        self._is_leaving = False
        self._has_left = False
        jail = SimulatedJail(process.clock, wires.world.random("scripts"))
        tenants = Tenants(EvaluatingLimits(), TenantQuota())
        self.evaluator = Evaluator(tenants, jail, process.clock)
        wires.workers[self._route] = self

    async def run(self) -> None:
        """Be the process."""
        while not self._has_left:
            if self._is_leaving:
                self._wires.to_broker(self._route, words.Leaving())
            elif self.process.clock.now().now_ns - self._heard_ns >= SILENCE_NS:
                self._wires.to_broker(self._route, words.Ready(4))
            await asyncio.sleep(BEAT_NS / SECOND)

    def leave(self) -> None:
        """Finish what was begun, and end."""
        self._is_leaving = True

    def hear(self, word: words.Word) -> None:
        """Take in what a broker says."""
        if isinstance(word, words.Goodbye):
            self._has_left = True
            return
        assert isinstance(word, words.SetUp | words.Task | words.Ping), "nothing else is said"
        self._heard_ns = self.process.clock.now().now_ns
        if word.run != self._run:
            for task in self._held.values():
                task.cancel()
            self._held.clear()
            self._run = word.run
            if self._holding is not None:
                self._holding.cancel()
        if isinstance(word, words.Ping):
            pong = words.Pong(word.run, word.mark, list(self._held))
            self._wires.to_broker(self._route, pong)
        elif isinstance(word, words.SetUp):
            if self._holding is not None:
                self._holding.cancel()
            self._holding = asyncio.get_running_loop().create_task(self._hold(word))
        elif word.attempt not in self._held:
            loop = asyncio.get_running_loop()
            self._held[word.attempt] = loop.create_task(self._finish(word))

    async def _hold(self, given: words.SetUp) -> None:
        wires = self._wires
        digest = await self.evaluator.hold(given.payload)
        wires.done["keys held before work came"] += len(holdings_of(given.payload).tasks)
        if wires.luck(wires.faults.garbage):
            digest = b"nonsense"
        wires.to_broker(self._route, words.Confirmed(given.run, given.number, digest))

    async def _finish(self, task: words.Task) -> None:
        wires, faults, task_id = self._wires, self._wires.faults, task_of(task.payload).task_id
        answer: words.Word
        if wires.luck(faults.unable):
            answer = words.Unable(task.run, task.attempt, "another version")
        elif wires.luck(faults.skip):
            declined = Skipped(task_id=task_id, reason="this evaluator is out of order")
            answer = words.Done(task.run, task.attempt, answer_bytes(declined))
        else:
            payload = await self.evaluator.do(task.payload)
            if wires.luck(faults.garbage):
                wires.done["answers that are none"] += 1
                wires.skipped[task_id] = None
                payload = b"nonsense"
            answer = words.Done(task.run, task.attempt, payload)
        if self._held.pop(task.attempt, None) is not None:
            wires.to_broker(self._route, answer)


def _name(route: bytes) -> str:
    return route.rpartition(b"/")[0].decode()
