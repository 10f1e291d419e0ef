"""The evaluator's shell, with a jail made of words. B15, B17, F22."""

import asyncio
from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest

from tandem.core.evaluating.tenants import EvaluatingLimits, Tenants
from tandem.domain.bundle import Holdings
from tandem.domain.errors import FrameError
from tandem.domain.evaluation import (
    OWN_TENANT,
    Cold,
    Evaluated,
    Sight,
    Skipped,
    Task,
    TaskAnswer,
    TenantId,
    TenantQuota,
    answer_bytes,
    answer_of,
    task_bytes,
    task_of,
)
from tandem.ports import Cell
from tandem.shells.evaluator import Evaluator
from tandem.sim.world import SECOND_NS, SimProcess, World
from tests.unit.core.evaluating.test_tenants import MS, a_task, done, said


class Words:
    """A cell that answers what it is told to, or hangs in attachment 4, or ends."""

    def __init__(self, jail: "WordJail", on_answer: Callable[[bytes], None]) -> None:
        self.jail = jail
        self.on_answer = on_answer
        self.running: int | None = None
        self.was_stopped = False
        self.is_over = False
        self.ranks: list[bool] = []

    def send(self, payload: bytes) -> None:
        task = task_of(payload)
        self.jail.sent.append(task)
        if self.jail.hangs:
            self.running = 4
            return
        answer = answer_bytes(done(task, 4))
        asyncio.get_running_loop().call_soon(self._say, answer)

    def _say(self, answer: bytes) -> None:
        if not self.is_over:
            self.on_answer(answer)

    def stop(self) -> None:
        self.was_stopped = True

    def look(self) -> Sight:
        return Sight(running=self.running, cpu_ns=0, is_asleep=True)

    def rank(self, *, is_behind: bool) -> None:
        self.ranks.append(is_behind)

    def end(self) -> None:
        self.is_over = True


class WordJail:
    """Makes cells at once, or says why not."""

    def __init__(self) -> None:
        self.cells: list[Words] = []
        self.sent: list[Task] = []
        self.refusal: str | None = None
        self.hangs = False
        self.on_end: Callable[[], None] = lambda: None

    def open(
        self,
        *,
        memory_bytes: int,
        is_behind: bool,
        on_open: Callable[[Cell | str], None],
        on_answer: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        assert memory_bytes == TenantQuota().memory_bytes
        loop = asyncio.get_running_loop()
        if self.refusal is not None:
            loop.call_soon(on_open, self.refusal)
            return
        self.cells.append(Words(self, on_answer))
        self.on_end = on_end
        loop.call_soon(on_open, self.cells[-1])


async def ask(evaluator: Evaluator, task: Task) -> TaskAnswer:
    return answer_of(await evaluator.do(task_bytes(task)))


def in_a_process(body: object) -> None:
    """Run `body(evaluator, jail, process)` to its end, on a clock that jumps."""
    assert callable(body)

    async def main(process: SimProcess) -> None:
        jail = WordJail()
        tenants = Tenants(EvaluatingLimits(), TenantQuota())
        await body(Evaluator(tenants, jail, process.clock), jail, process)

    with World(1) as world:
        world.spawn("evaluator", "home", main)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


def test_tasks_are_done_by_the_tenants_process_and_answered_to_who_asked() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        tasks = [a_task(number, attached=[4]) for number in range(1, 9)]
        answers = await asyncio.gather(*(ask(evaluator, task) for task in tasks))
        assert answers == [done(task, 4) for task in tasks]
        assert len(jail.cells) == 1
        assert [(one.tenant, one.evaluated) for one in evaluator.meters] == [(OWN_TENANT, 8)]

    in_a_process(body)


def test_a_hang_is_known_within_450_ms_and_the_next_process_does_the_rest() -> None:
    """F22, B15."""

    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        jail.hangs = True
        task, other = a_task(attached=[4]), a_task(2, attached=[4])
        began_ns = process.clock.now().now_ns
        hanging = asyncio.ensure_future(ask(evaluator, task))
        waiting = asyncio.ensure_future(ask(evaluator, other))
        await asyncio.sleep(0.3)
        assert jail.cells[0].was_stopped
        jail.hangs = False
        answer = await hanging
        took_ns = process.clock.now().now_ns - began_ns
        error = "took more than 400 ms and was ended"
        assert answer == Cold(task_id=task.task_id, failed=(said(4, error),))
        assert 400 * MS <= took_ns <= 450 * MS
        assert await waiting == done(other, 4)
        assert [cell.is_over for cell in jail.cells] == [True, False]

    in_a_process(body)


def test_a_process_that_ends_itself_is_replaced_and_its_attachment_has_failed() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        jail.hangs = True
        task = a_task(attached=[4])
        asked = asyncio.ensure_future(ask(evaluator, task))
        await asyncio.sleep(0.1)
        jail.on_end()
        assert await asked == Cold(
            task_id=task.task_id, failed=(said(4, "ended the process it ran in"),)
        )
        await asyncio.sleep(0)
        assert len(jail.cells) == 2

    in_a_process(body)


def test_where_no_process_can_be_made_tasks_are_skipped_with_the_reason() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        jail.refusal = "no memory"
        task = a_task(attached=[4])
        assert await ask(evaluator, task) == Skipped(task_id=task.task_id, reason="no memory")
        jail.refusal = None
        assert await ask(evaluator, task) == done(task, 4)

    in_a_process(body)


def test_a_process_is_told_its_rank_when_it_is_there_and_when_that_changes() -> None:
    """F22."""

    async def body(_: Evaluator, jail: WordJail, process: SimProcess) -> None:
        tenants = Tenants(EvaluatingLimits(proof=1), TenantQuota())
        evaluator = Evaluator(tenants, jail, process.clock)
        for name in ("bob", "eve"):
            await ask(evaluator, a_task(attached=[4], tenant=TenantId(name)))
        assert [cell.ranks for cell in jail.cells] == [[False], [True, False]]

    in_a_process(body)


def test_bytes_that_are_no_task_are_refused() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        with pytest.raises(FrameError, match="not a task"):
            await evaluator.do(b"junk")
        assert jail.cells == []

    in_a_process(body)


def test_who_asks_no_more_is_not_answered_and_disturbs_nobody() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        given_up = asyncio.ensure_future(ask(evaluator, a_task(attached=[4])))
        await asyncio.sleep(0)
        given_up.cancel()
        task = a_task(2, attached=[4])
        assert await ask(evaluator, task) == done(task, 4)
        assert len(jail.sent) == 2

    in_a_process(body)


def test_a_closed_evaluator_leaves_no_process_and_nobody_waiting() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        jail.hangs = True
        waiting = asyncio.ensure_future(ask(evaluator, a_task(attached=[4])))
        opening = asyncio.ensure_future(ask(evaluator, a_task(tenant=TenantId("eve"))))
        await asyncio.sleep(0)
        evaluator.close()
        await asyncio.sleep(0.1)
        assert waiting.cancelled()
        assert opening.cancelled()
        with pytest.raises(asyncio.CancelledError):  # of the one that was warm a moment ago
            await ask(evaluator, a_task(2, attached=[4]))
        assert [cell.is_over for cell in jail.cells] == [True, True]

    in_a_process(body)


def test_an_answer_is_sent_as_bytes() -> None:
    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        task = a_task(attached=[4])
        raw = await evaluator.do(task_bytes(task))
        assert isinstance(answer_of(raw), Evaluated)

    in_a_process(body)


def test_what_is_given_before_work_comes_is_held_and_confirmed_by_its_hash() -> None:
    """B16: what cannot be read is not held, and has another hash."""

    async def body(evaluator: Evaluator, jail: WordJail, process: SimProcess) -> None:
        tasks = tuple(
            msgspec.structs.replace(a_task(number, attached=[4]), only_holds=True)
            for number in (1, 2)
        )
        content = msgspec.msgpack.encode(Holdings(tasks=tasks))
        assert await evaluator.hold(content) == sha256(content).digest()
        assert jail.sent == list(tasks)
        assert await evaluator.hold(b"\xc1") == sha256(b"").digest()
        assert jail.sent == list(tasks)

    in_a_process(body)
