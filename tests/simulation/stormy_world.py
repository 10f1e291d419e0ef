"""A world in which everything goes wrong at once; its trace must depend on the seed alone.

Run as a program it prints the trace hash of each seed given.
"""

import asyncio
import sys
from collections.abc import Callable

from tandem.sim.world import (
    SECOND_NS,
    ClockFaults,
    DiskFaults,
    Faults,
    Main,
    NetworkFaults,
    ProcessFaults,
    SimProcess,
    World,
)

LOG_BYTES = 1 << 16
STORM = Faults(
    network=NetworkFaults(
        delay_chance=0.02,
        break_chance=0.005,
        late_chance=0.5,
        tail_loss_chance=0.5,
        connect_refused_chance=0.1,
        connect_delay_chance=0.1,
        drop_chance=0.002,
        repeat_chance=0.002,
        swap_chance=0.002,
        split_chance=0.1,
    ),
    disk=DiskFaults(stall_chance=0.02, inline_chance=0.1, fail_chance=0.001, kill_loss_chance=0.5),
    processes=ProcessFaults(pid_reuse_chance=0.3),
    clock=ClockFaults(
        rate_error_ppb_max=100_000, market_skew_ns_max=20_000_000, uptime_ns_max=10**15
    ),
)
NAMES = ("server", "client-0", "client-1", "client-2")


class Link(asyncio.Protocol):
    """One end of a connection; what arrives is queued, None at the end."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.arrived.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.arrived.put_nowait(None)


class Echo(Link):
    """Journals what it gets, and answers when that is durable."""

    def __init__(self, server: "Server") -> None:
        super().__init__()
        self._server = server

    def data_received(self, data: bytes) -> None:
        self._server.journal(data, lambda: self.transport.write(data))


class Server:
    """Takes connections, and writes everything down before it answers."""

    def __init__(self, process: SimProcess) -> None:
        self._process = process
        disk = process.disk("journal")
        process.disk("second folder")
        self._file = disk.open("log") if "log" in disk.names() else disk.create("log", LOG_BYTES)
        self._at = 0

    def journal(self, data: bytes, done: Callable[[], None]) -> None:
        if self._at + len(data) > LOG_BYTES:
            self._at = 0
        self._file.write(self._at, data)
        self._at += len(data)
        self._file.sync(done)

    async def run(self) -> None:
        await self._process.network.listen("/run/server", lambda: Echo(self))
        await asyncio.get_running_loop().create_future()


async def serve(process: SimProcess) -> None:
    await Server(process).run()


async def ask(process: SimProcess) -> None:
    while True:
        link = Link()
        try:
            async with asyncio.timeout(0.5):
                await process.network.connect("/run/server", lambda link=link: link)  # type: ignore[misc]
        except OSError:
            await asyncio.sleep(0.05)
            continue
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_listen(process, link))
                for number in range(5):
                    group.create_task(_talk(process, link, number))
        except* ConnectionError:
            await asyncio.sleep(0.02)


async def _listen(process: SimProcess, link: Link) -> None:
    peer = process.network.peer(link.transport)
    if peer is not None:
        process.processes.watch(peer.pid, started=peer.started, on_exit=link.transport.abort)
    while await link.arrived.get() is not None:
        pass
    raise ConnectionError


async def _talk(process: SimProcess, link: Link, number: int) -> None:
    try:
        while True:
            await asyncio.sleep(0.02 * (number + 1))
            link.transport.write(bytes([number]) * 300)
    finally:
        # The order in which a group cancels its tasks is part of what must not change.
        world_of[process].trace(f"canceled {number} {process.clock.now()}")


world_of: dict[SimProcess, World] = {}


def storm(seed: int, *, seconds: int = 20) -> World:
    """Run the world of `seed` to its end and close it."""
    with World(seed, STORM) as world:
        chance = world.random("storm")
        for name in NAMES:
            machine = "home" if name != "client-2" else "far"
            world.spawn(name, machine, _remembered(world, serve if name == "server" else ask))

        def strike() -> None:
            name = chance.choice(NAMES)
            blow = chance.randrange(6)
            if blow == 0:
                world.crash(name)
                world.after(chance.randrange(SECOND_NS), world.restart, name)
            elif blow == 1:
                world.pause(name)
                world.after(chance.randrange(SECOND_NS), world.resume, name)
            elif blow == 2:
                world.network.cut(
                    name, target=chance.choice(NAMES), both_ways=chance.random() < 0.5
                )
                world.after(chance.randrange(SECOND_NS), world.network.heal_all)
            elif blow == 3 and chance.random() < 0.3:
                world.sleep("home", chance.randrange(SECOND_NS))
            elif blow == 4 and chance.random() < 0.3:
                world.reboot("home")
            for ended in NAMES:
                if not world.process(ended).alive:
                    world.after(2 * SECOND_NS, world.restart, ended)
            world.after(chance.randrange(SECOND_NS), strike)

        world.after(SECOND_NS, strike)
        world.run(seconds * SECOND_NS)
    world_of.clear()
    return world


def _remembered(world: World, main: Main) -> Main:
    async def remember(process: SimProcess) -> None:
        world_of[process] = world
        await main(process)

    return remember


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        sys.stdout.write(f"{storm(int(argument)).trace_hash}\n")
