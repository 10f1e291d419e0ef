"""The market process' end of its evaluators, over a real broker and real workers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tandem.adapters.local.clock import SystemClock
from tandem.core.evaluating.elastic import ElasticLimits
from tandem.domain.evaluation import TaskKey
from tandem.domain.halting import Alive, AskAlive, AskEvaluators, EvaluatorsView
from tandem.messaging.broker import Broker
from tandem.messaging.errors import RefusedError
from tandem.messaging.places import Bind, Connect
from tandem.messaging.worker import Worker
from tandem.wiring.evaluator_pool import RULES, EvaluatorPool
from tandem.wiring.polling import poll

MS = 1_000_000
LIMITS = ElasticLimits(
    fewest=1, most=3, late_ns=20 * MS, settle_ns=100 * MS, quiet_ns=300 * MS, breath_ns=300 * MS
)
WAIT_S = 10.0


class Stage:
    """A pool at an address, with workers that come and go."""

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup) -> None:
        self._place = f"ipc://{folder / 'tasks.ipc'}"
        self._tasks = tasks
        self.said: list[str] = []
        self.broker = Broker(Bind(self._place), RULES, run=1)
        self.pool = EvaluatorPool(self.broker, LIMITS, SystemClock(), self.said.append)
        self.running = [
            tasks.create_task(self.broker.run()),
            tasks.create_task(self.pool.run()),
        ]
        self.workers: list[Worker] = []

    def join(self, name: str, seconds: float) -> Worker:
        """Let a worker come that does one task after the other, each in that time."""
        turn = asyncio.Lock()

        async def do(payload: bytes) -> bytes:
            async with turn:
                await asyncio.sleep(seconds)
            if payload == b"refuse me once" and not self.said:
                raise RefusedError("not now")
            return b"did " + payload

        worker = Worker(Connect(self._place), do, name=name, window=64)
        self.workers.append(worker)
        self.running.append(self._tasks.create_task(worker.run()))
        return worker

    def wanted(self) -> int | None:
        answer = self.pool.answer(AskAlive())
        assert isinstance(answer, Alive)
        return answer.evaluators

    def view(self) -> EvaluatorsView:
        answer = self.pool.answer(AskEvaluators())
        assert isinstance(answer, EvaluatorsView)
        return answer

    async def until_wanted(self, is_it: Callable[[int | None], bool]) -> None:
        async def wanted() -> int | None:
            return self.wanted()

        async with asyncio.timeout(WAIT_S):
            await poll(wanted, is_it)


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    async with asyncio.TaskGroup() as tasks:
        stage = Stage(folder, tasks)
        yield stage
        for worker in stage.workers:
            worker.close()
        stage.broker.close()
        for one in stage.running:
            one.cancel()


async def test_more_are_wanted_while_series_wait_and_fewer_when_all_is_calm(
    tmp_path: Path,
) -> None:
    """B15, B23: each task has its outcome once, whoever comes and leaves."""
    async with staged(tmp_path) as stage:
        assert stage.wanted() is None
        stage.join("e1", 0.01)
        await stage.until_wanted(lambda count: count == 1)
        outcomes: list[bytes] = []
        for number in range(40):
            stage.pool.submit(f"series {number % 20}", b"%d" % number, outcomes.append)
        view = stage.view()
        assert (view.open_tasks, view.fewest, view.most) == (40, 1, 3)
        await stage.until_wanted(lambda count: count != 1)
        second = stage.join("e2", 0.001)

        async def outcomes_count() -> int:
            return len(outcomes)

        async with asyncio.timeout(WAIT_S):
            await poll(outcomes_count, lambda count: count == 40)
        settled = stage.pool.is_settled()
        moving = [one for one in range(20) if not settled(TaskKey(f"series {one}"))]
        assert 0 < len(moving) < 20  # a third one would take some of them over
        for number in range(20):
            stage.pool.submit(f"series {number}", b"again", outcomes.append)
        async with asyncio.timeout(WAIT_S):
            await poll(outcomes_count, lambda count: count == 60)
        assert stage.view().moved > 0
        assert [(one.name, one.is_here) for one in stage.view().evaluators] == [
            ("e1", True),
            ("e2", True),
        ]
        assert await second.leave(timeout_s=WAIT_S)
        assert stage.view().lost == 0
        assert sorted(outcomes) == sorted([b"did %d" % n for n in range(40)] + [b"did again"] * 20)


async def test_a_task_that_was_refused_is_given_again(tmp_path: Path) -> None:
    """B15: what is not decided now is decided later."""
    async with staged(tmp_path) as stage:
        stage.join("e1", 0.0)
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        stage.pool.submit("series", b"refuse me once", done.set_result)
        async with asyncio.timeout(WAIT_S):
            assert await done == b"did refuse me once"
        assert stage.said == ["series: not now"]
        assert stage.view().open_tasks == 0
