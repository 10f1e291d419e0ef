"""The relay of a pool, and lines of workers of other computers, on a simulated network."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import (
    Alive,
    AskAlive,
    AskHandHalt,
    HaltWorker,
    HandHaltView,
    OwnAnswer,
    OwnRequest,
)
from tandem.domain.ids import HaltId
from tandem.shells.own_control import OwnLine
from tandem.sim.world import SECOND_NS, SimProcess, World
from tandem.wiring.relay import WAITING_MAX, HaltLine, Relay

AT = "/lan/halting"
Body = Callable[[SimProcess], Coroutine[Any, Any, None]]


def own_socket(name: str) -> str:
    return f"/run/{name}.control.sock"


class Stage:
    """A relay at home, and whatever a test lets run beside it or elsewhere."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[str] = []
        self.heard: list[OwnRequest] = []
        world.spawn("relay", "home", self._relay)

    async def _relay(self, process: SimProcess) -> None:
        relay = Relay(process.network, own_socket=own_socket, say=self.said.append)
        await relay.run(AT)

    def worker(self, name: str, machine: str, process_name: str | None = None) -> SimProcess:
        def answer(request: OwnRequest) -> OwnAnswer:
            self.heard.append(request)
            if isinstance(request, AskAlive):
                return Alive()
            halt_id = request.halt_id if isinstance(request, HaltWorker) else None
            return HandHaltView(name=name, account_id=None, now_ns=0, halt_id=halt_id)

        async def main(process: SimProcess) -> None:
            await HaltLine(process.network, AT, answer, clock=process.clock).run()

        return self.world.spawn(process_name or name, machine, main)

    def at_home(self, body: Body, *, until_s: int = 60) -> None:
        """Run `body` to its end."""
        ended: list[bool] = []

        async def main(process: SimProcess) -> None:
            await body(process)
            ended.append(True)

        self.world.spawn("asker", "home", main)
        self.world.run(self.world.now_ns + until_s * SECOND_NS)
        assert self.world.complaints == []
        assert ended == [True]


async def line_to(process: SimProcess, name: str) -> OwnLine:
    """Return a line to a worker's socket here, as soon as there is one."""
    while True:
        line = OwnLine(process.network, own_socket(name))
        try:
            await line.open()
        except OSError:
            await asyncio.sleep(0.01)
        else:
            return line


async def until_lost(line: OwnLine) -> None:
    try:
        while True:
            await line.ask(AskHandHalt())
            await asyncio.sleep(0.01)
    except ProcessUnreachableError:
        return


def test_a_worker_elsewhere_is_halted_at_a_socket_here() -> None:
    """C9."""
    with World(1) as world:
        stage = Stage(world)
        stage.worker("laptop-1", "laptop")

        async def body(process: SimProcess) -> None:
            line = await line_to(process, "laptop-1")
            halt = HaltWorker(halt_id=HaltId("h"), reason="enough")
            asked = [asyncio.ensure_future(line.ask(one)) for one in (AskHandHalt(), halt)]
            before, after = await asyncio.gather(*asked)
            assert isinstance(before, HandHaltView)
            assert isinstance(after, HandHaltView)
            assert (before.halt_id, after.halt_id) == (None, "h")
            await asyncio.sleep(10)
            assert await line.ask(AskAlive()) == Alive()

        stage.at_home(body)
        assert stage.said == []
        assert stage.heard.count(AskAlive()) > 10


@pytest.mark.parametrize("name", ["tower-1", "laptop", "laptop-", "laptop-x", "laptop-1/../p1"])
def test_a_machine_speaks_for_its_own_workers_only(name: str) -> None:
    """A4: a certificate is worth its own name."""
    with World(1) as world:
        stage = Stage(world)
        stage.worker(name, "laptop", "w")

        async def body(process: SimProcess) -> None:
            await asyncio.sleep(3)
            with pytest.raises(OSError, match=r"control\.sock"):
                await OwnLine(process.network, own_socket(name)).open()

        stage.at_home(body)
        assert set(stage.said) == {f"laptop called itself {name!r} and was refused"}


def test_somebody_on_this_computer_is_no_worker_elsewhere() -> None:
    with World(1) as world:
        stage = Stage(world)
        stage.worker("home-1", "home")

        async def body(_process: SimProcess) -> None:
            await asyncio.sleep(3)

        stage.at_home(body)
        assert set(stage.said) == {"None called itself 'home-1' and was refused"}


def test_a_worker_that_is_cut_off_has_no_socket_here_until_it_is_back() -> None:
    """C9: whoever asks meanwhile is told so."""
    with World(1) as world:
        stage = Stage(world)
        worker = stage.worker("laptop-1", "laptop")

        async def body(process: SimProcess) -> None:
            line = await line_to(process, "laptop-1")
            world.pause(worker)
            with pytest.raises(ProcessUnreachableError):
                await line.ask(AskHandHalt())
            with pytest.raises(OSError, match=r"control\.sock"):
                await OwnLine(process.network, own_socket("laptop-1")).open()
            world.resume(worker)
            line = await line_to(process, "laptop-1")
            assert isinstance(await line.ask(AskHandHalt()), HandHaltView)

        stage.at_home(body)


def test_a_second_line_of_one_worker_takes_the_place_of_the_first() -> None:
    with World(1) as world:
        stage = Stage(world)
        stage.worker("laptop-1", "laptop")

        async def body(process: SimProcess) -> None:
            line = await line_to(process, "laptop-1")
            world.crash(world.process("laptop-1"))
            stage.worker("laptop-1", "laptop", "again")
            await until_lost(line)
            line = await line_to(process, "laptop-1")
            assert isinstance(await line.ask(AskHandHalt()), HandHaltView)

        stage.at_home(body)


def test_a_worker_that_hears_nothing_of_the_relay_dials_anew() -> None:
    """C9: a cut may leave a connection that is none."""
    with World(1) as world:
        stage = Stage(world)
        stage.worker("laptop-1", "laptop")

        async def body(process: SimProcess) -> None:
            await line_to(process, "laptop-1")
            world.network.cut("relay", target="laptop")
            await asyncio.sleep(20)
            world.network.heal("relay", target="laptop")
            line = await line_to(process, "laptop-1")
            assert isinstance(await line.ask(AskHandHalt()), HandHaltView)

        stage.at_home(body)


def test_a_worker_that_answers_nothing_is_not_asked_for_ever() -> None:
    with World(1) as world:
        stage = Stage(world)
        worker = stage.worker("laptop-1", "laptop")

        async def body(process: SimProcess) -> None:
            lines = [await line_to(process, "laptop-1") for _ in range(WAITING_MAX // 100 + 1)]
            world.pause(worker)
            asked = [asyncio.ensure_future(one.ask(AskAlive())) for one in lines for _ in range(99)]
            for _ in range(3):
                asked += [asyncio.ensure_future(lines[0].ask(AskAlive()))]
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, ProcessUnreachableError) for one in outcomes)

        stage.at_home(body)
