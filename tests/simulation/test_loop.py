"""Ordinary asyncio code runs on the simulated loop, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.sim.loop import StuckError
from tandem.sim.world import SECOND_NS, ClockFaults, Faults, SimProcess, World

MS_NS = 1_000_000
WRONG_CLOCKS = Faults(
    clock=ClockFaults(
        rate_error_ppb_max=100_000, market_skew_ns_max=20 * MS_NS, uptime_ns_max=10**15
    )
)


def run(body: Callable[[], Awaitable[None]], *, seconds: int = 60, seed: int = 1) -> World:
    """Run `body` as the only process of a world, to its end."""

    async def main(_: SimProcess) -> None:
        await body()

    with World(seed, WRONG_CLOCKS) as world:
        world.spawn("one", "home", main)
        world.run(seconds * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]
    return world


def test_sleep_moves_the_time_and_nothing_else() -> None:
    seen: list[float] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()
        for delay in (0.0, 0.5, 20.0):
            before = loop.time()
            await asyncio.sleep(delay)
            seen.append(loop.time() - before)

    world = run(body)
    assert seen == pytest.approx([0.0, 0.5, 20.0], abs=1e-6)
    assert world.ended[0].time_ns == pytest.approx(20.5 * SECOND_NS, rel=1.1e-4)


def test_task_group_waits_for_all_and_gives_results() -> None:
    results: list[int] = []

    async def square(number: int) -> int:
        await asyncio.sleep(number)
        return number * number

    async def body() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(square(number)) for number in (3, 1, 2)]
        results.extend(task.result() for task in tasks)

    run(body)
    assert results == [9, 1, 4]


def test_task_group_cancels_the_others_when_one_fails() -> None:
    seen: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            seen.append(name)

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("one failed")

    async def body() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(wait(f"task-{number}"))
                group.create_task(fail())
        except* ValueError:
            seen.append("failed")

    run(body)
    assert seen.pop() == "failed"
    assert sorted(seen) == sorted(f"task-{number}" for number in range(20))


def test_timeout_and_wait_for_end_what_takes_too_long() -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25):
                await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.25)
        assert await asyncio.wait_for(asyncio.sleep(0.1, "done"), 1) == "done"
        assert loop.time() - begin == pytest.approx(0.6, abs=1e-6)

    run(body)


def test_queue_event_lock_and_condition_work() -> None:
    async def body() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
        taken: list[int] = []
        full = asyncio.Event()

        async def fill() -> None:
            for number in range(10):
                await queue.put(number)
            full.set()

        async def empty() -> None:
            for _ in range(10):
                await asyncio.sleep(0.01)
                taken.append(await queue.get())

        async with asyncio.TaskGroup() as group:
            group.create_task(fill())
            group.create_task(empty())
            await full.wait()
        assert taken == list(range(10))
        condition = asyncio.Condition()

        async def notify() -> None:
            async with condition:
                condition.notify_all()

        async with asyncio.TaskGroup() as group, condition:
            group.create_task(notify())
            await condition.wait()

    run(body)


def test_gather_and_wait_work() -> None:
    async def body() -> None:
        assert await asyncio.gather(*(asyncio.sleep(1, n) for n in range(3))) == [0, 1, 2]
        tasks = {asyncio.ensure_future(asyncio.sleep(n, n)) for n in range(1, 4)}
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [1]
        await asyncio.wait(waiting)

    run(body)


def test_an_abandoned_generator_is_finished() -> None:
    seen: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0.1)
            seen.append("finished")

    async def body() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(1)

    run(body)
    assert seen == ["finished"]


def test_soon_runs_in_order_and_before_any_timer() -> None:
    seen: list[int] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0, seen.append, 4)
        for number in (1, 2, 3):
            loop.call_soon(seen.append, number)
        await asyncio.sleep(0.001)

    run(body)
    assert seen == [1, 2, 3, 4]


def test_a_canceled_handle_never_runs() -> None:
    seen: list[str] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()
        handles = [loop.call_soon(seen.append, "soon"), loop.call_later(1, seen.append, "later")]
        for handle in handles:
            handle.cancel()
        assert all(handle.cancelled() for handle in handles)
        await asyncio.sleep(2)

    run(body)
    assert seen == []


@given(delays=st.lists(st.floats(0, 10), min_size=1, max_size=20), seed=st.integers(0, 2**32))
def test_time_never_runs_backwards_and_no_timer_is_early(delays: list[float], seed: int) -> None:
    seen: list[float] = []
    early: list[float] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()

        async def wait(delay: float) -> None:
            due = loop.time() + delay
            await asyncio.sleep(delay)
            seen.append(loop.time())
            if loop.time() < due:
                early.append(due - loop.time())

        await asyncio.gather(*(wait(delay) for delay in delays))

    run(body, seed=seed)
    assert len(seen) == len(delays)
    assert all(before <= after for before, after in pairwise(seen))
    assert early == []


def test_an_exception_in_a_callback_is_a_complaint_and_the_process_goes_on() -> None:
    async def main(_: SimProcess) -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(2 * SECOND_NS)
        assert [ended.error for ended in world.ended] == [None]
        assert [(one.name, type(one.error)) for one in world.complaints] == [("one", ValueError)]


def test_each_process_has_its_own_exception_handler() -> None:
    seen: list[str] = []

    async def careful(_: SimProcess) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: seen.append(context["message"]))
        loop.call_soon(int, "no number")
        await asyncio.sleep(1)

    async def careless(_: SimProcess) -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    with World(1) as world:
        world.spawn("careful", "home", careful)
        world.spawn("careless", "home", careless)
        world.run(2 * SECOND_NS)
        assert len(seen) == 1
        assert [one.name for one in world.complaints] == ["careless"]


def test_waiting_without_waiting_is_found() -> None:
    async def main(_: SimProcess) -> None:
        for _round in range(10**9):
            await asyncio.sleep(0)

    with World(1) as world:
        world.spawn("busy", "home", main)
        with pytest.raises(StuckError, match="busy"):
            world.run(SECOND_NS)


def test_threads_are_refused() -> None:
    async def main(_: SimProcess) -> None:
        await asyncio.to_thread(int)

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(SECOND_NS)
        assert [type(ended.error) for ended in world.ended] == [NotImplementedError]


def test_what_a_check_finds_comes_out_of_run() -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(world.now_ns)
        assert world.now_ns < SECOND_NS, "later than expected"

    async def main(_: SimProcess) -> None:
        for _round in range(10):
            await asyncio.sleep(0.2)

    with World(1) as world:
        world.spawn("one", "home", main)
        with pytest.raises(AssertionError, match="later than expected"):
            world.run(10 * SECOND_NS, check)
    assert calls == sorted(calls)
    assert len(calls) > 5
