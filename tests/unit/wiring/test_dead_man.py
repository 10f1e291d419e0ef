"""Who is silent, told by another one, on a simulated network and clock."""

import asyncio
from collections.abc import Awaitable, Callable

from tandem.domain.desk import SECOND
from tandem.domain.halting import Alive, AskAlive, Leave, OwnAnswer, OwnRequest
from tandem.shells.own_control import OwnLine, open_own_control
from tandem.sim.world import SECOND_NS, SimProcess, World
from tandem.wiring.dead_man import NEWS_MAX, DeadMan, Watched

AT = {"coordinator": "/run/coordinator.control.sock"}
Body = Callable[[SimProcess, "Stage"], Awaitable[None]]


class Stage:
    """A watch, and what it told."""

    def __init__(self, process: SimProcess) -> None:
        self.reports: list[str] = []
        self.killed: list[str] = []
        self.dead_man = DeadMan(
            process.network, process.clock, report=self.reports.append, kill=self.killed.append
        )


def run(server: Callable[[OwnRequest], OwnAnswer], freeze_after_s: float, body: Body) -> None:
    """Let one process answer at first, freeze it, and let `body` watch from another."""
    with World(1) as world:

        async def answer(process: SimProcess) -> None:
            await open_own_control(process.network, AT["coordinator"], server)
            await asyncio.sleep(1_000)

        async def watch(process: SimProcess) -> None:
            stage = Stage(process)
            watching = asyncio.ensure_future(stage.dead_man.watch(AT))
            await body(process, stage)
            watching.cancel()

        server_process = world.spawn("coordinator", "home", answer)
        world.spawn("supervisor", "home", watch)
        world.run(int(freeze_after_s * SECOND_NS))
        world.pause(server_process)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


def test_silence_is_reported_after_its_alarm_and_then_ends_the_process() -> None:
    """C15."""

    async def body(_process: SimProcess, stage: Stage) -> None:
        await asyncio.sleep(3)
        assert stage.reports == []
        await asyncio.sleep(2)
        assert stage.reports == ["the coordinator is silent for 1000 ms"]
        assert stage.killed == []
        await asyncio.sleep(5)
        assert len(stage.reports) == 2
        assert stage.killed == ["coordinator"]

    run(lambda _: Alive(), 3.1, body)


def test_one_that_is_added_is_watched_told_to_leave_and_removed() -> None:
    """C15, B15: evaluators come and go while others are watched."""
    asked: list[OwnRequest] = []

    def answer(request: OwnRequest) -> OwnAnswer:
        asked.append(request)
        return Alive(evaluators=3)

    with World(1) as world:
        heard: list[tuple[str, int | None]] = []
        reports: list[str] = []

        async def listen(process: SimProcess) -> None:
            await open_own_control(process.network, AT["coordinator"], answer)
            await asyncio.sleep(1_000)

        async def watch(process: SimProcess) -> None:
            dead_man = DeadMan(
                process.network,
                process.clock,
                report=reports.append,
                kill=reports.append,
                on_alive=lambda name, alive: heard.append((name, alive.evaluators)),
            )
            dead_man.add("early", address=AT["coordinator"])  # before anything is watched
            watching = asyncio.ensure_future(dead_man.watch({}))
            await asyncio.sleep(1)
            dead_man.add("late", address=AT["coordinator"])
            dead_man.add("late", address=AT["coordinator"])
            dead_man.tell_to_leave("late")  # not connected yet
            await asyncio.sleep(1)
            assert set(heard) == {("early", 3), ("late", 3)}
            assert Leave() not in asked
            dead_man.tell_to_leave("late")
            await asyncio.sleep(1)
            assert asked.count(Leave()) == 1
            for name in ("late", "late", "stranger"):
                dead_man.remove(name)
            heard.clear()
            await asyncio.sleep(10)
            assert set(heard) == {("early", 3)}
            assert reports == []
            watching.cancel()

        world.spawn("coordinator", "home", listen)
        world.spawn("supervisor", "home", watch)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


def test_what_the_watched_one_saw_is_reported_once() -> None:
    """C15: silent workers are seen by the coordinator."""
    news = ["worker p3 is silent"]

    def answer(_request: OwnRequest) -> OwnAnswer:
        told, news[:] = tuple(news), []
        return Alive(news=told)

    async def body(_process: SimProcess, stage: Stage) -> None:
        await asyncio.sleep(2)
        assert stage.reports == ["worker p3 is silent"]

    run(answer, 50, body)


def test_a_process_that_has_ended_is_not_called_silent() -> None:
    """C15: its successor may take long to read its journal."""

    async def body(_process: SimProcess, stage: Stage) -> None:
        await asyncio.sleep(3)
        stage.dead_man.forget("coordinator")
        stage.dead_man.forget("nobody")
        await asyncio.sleep(20)
        assert stage.reports == stage.killed == []

    run(lambda _: Alive(), 2.9, body)


def test_a_supervisor_that_asks_no_more_is_noticed_once_by_whom_it_watched() -> None:
    """C15: when it hangs nobody else would tell."""

    async def main(process: SimProcess) -> None:
        told: list[str] = []
        watched = Watched(process.clock, told.append)
        watching = asyncio.ensure_future(watched.watch())
        await asyncio.sleep(5)
        assert told == []
        await open_own_control(process.network, AT["coordinator"], watched.answer)
        line = OwnLine(process.network, AT["coordinator"])
        await line.open()
        for number in range(NEWS_MAX + 1):
            watched.note(f"news {number}")
        answer = await line.ask(AskAlive())
        assert isinstance(answer, Alive)
        assert answer.news[0] == "news 1"
        assert await line.ask(AskAlive()) == Alive()
        assert told == []
        await asyncio.sleep(10)
        assert told == ["the supervisor is silent for 1000 ms"]
        watching.cancel()

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(60 * SECOND)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]
