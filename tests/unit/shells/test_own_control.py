"""A process' own control socket, on a simulated network."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tandem.core.trading.worker import Worker
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
from tandem.domain.ids import HaltId, Incarnation
from tandem.shells.own_control import WAITING_MAX, OwnLine, open_own_control
from tandem.shells.worker import WorkerShell
from tandem.sim.world import SECOND_NS, SimProcess, World

AT = "/run/p1.control.sock"


def alive(_request: OwnRequest) -> OwnAnswer:
    return Alive(news=("one",))


def on_simulated_network(body: Callable[[SimProcess], Coroutine[Any, Any, None]]) -> None:
    with World(1) as world:
        world.spawn("one", "home", body)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


def test_every_request_is_answered_in_its_turn() -> None:
    async def main(process: SimProcess) -> None:
        await open_own_control(process.network, AT, alive)
        line = OwnLine(process.network, AT)
        await line.open()
        asked = [asyncio.ensure_future(line.ask(AskAlive())) for _ in range(3)]
        assert await asyncio.gather(*asked) == [Alive(news=("one",))] * 3
        line.close()
        with pytest.raises(ProcessUnreachableError, match="no connection"):
            await line.ask(AskAlive())

    on_simulated_network(main)


def test_what_waits_when_the_connection_is_lost_is_told_so() -> None:
    async def main(process: SimProcess) -> None:
        await open_own_control(process.network, AT, alive)
        line = OwnLine(process.network, AT)
        await line.open()
        asking = asyncio.ensure_future(line.ask(AskAlive()))
        await asyncio.sleep(0)
        line.close()
        with pytest.raises(ProcessUnreachableError, match="done"):
            await asking

    on_simulated_network(main)


def test_only_so_many_answers_are_waited_for() -> None:
    async def main(process: SimProcess) -> None:
        await open_own_control(process.network, AT, alive)
        line = OwnLine(process.network, AT)
        await line.open()
        asked = [asyncio.ensure_future(line.ask(AskAlive())) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(ProcessUnreachableError, match="no answers"):
            await line.ask(AskAlive())
        await asyncio.gather(*asked)

    on_simulated_network(main)


def test_nobody_there_is_an_error_of_the_network() -> None:
    async def main(process: SimProcess) -> None:
        with pytest.raises(OSError, match=AT):
            await OwnLine(process.network, AT).open()

    on_simulated_network(main)


def test_a_worker_without_coordinator_and_venue_is_halted_at_its_own_socket() -> None:
    """C9."""

    async def main(process: SimProcess) -> None:
        shell = WorkerShell(
            Worker(Incarnation("i"), "p1"),
            clock=process.clock,
            network=process.network,
            coordinator="/nobody",
            venues={},
            heartbeat_ns=50_000_000,
        )
        await open_own_control(process.network, AT, shell.answer)
        line = OwnLine(process.network, AT)
        await line.open()
        assert await line.ask(AskAlive()) == Alive()
        before = await line.ask(AskHandHalt())
        assert isinstance(before, HandHaltView)
        assert (before.name, before.halt_id, before.stopped_at_ns) == ("p1", None, None)
        told = await line.ask(HaltWorker(halt_id=HaltId("h"), reason="enough"))
        assert isinstance(told, HandHaltView)
        assert told.halt_id == "h"
        assert told.stopped_at_ns is not None
        assert shell.core.by_hand.is_on
        line.close()

    on_simulated_network(main)
