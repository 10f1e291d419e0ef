"""How many callbacks a second the simulated loop runs, and what a message over it costs.

Each figure is the median of several worlds, with the slowest and the fastest.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable

from tandem.sim.world import SECOND_NS, SimProcess, World

FRAME = bytes(200)


async def ticks(_: SimProcess) -> None:
    """Wait for the next timer, again and again: the cheapest thing a task does."""
    for _round in range(1_000_000):
        await asyncio.sleep(0.001)


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve(process: SimProcess) -> None:
    await process.network.listen("/echo", Echo)
    await asyncio.get_running_loop().create_future()


class Asker(Echo):
    """Sends the first frame, then echoes: one frame goes to and fro for ever."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(FRAME)


async def ask(process: SimProcess) -> None:
    await asyncio.sleep(0.01)
    await process.network.connect("/echo", Asker)
    await asyncio.get_running_loop().create_future()


async def journal(process: SimProcess) -> None:
    file = process.disk("journal").create("segment", 1 << 16)
    synced = asyncio.Event()
    while True:
        synced.clear()
        file.write(0, FRAME)
        file.sync(synced.set)
        await synced.wait()


def measure(name: str, start: Callable[[World], None], *, seconds: int, rounds: int) -> None:
    microseconds = []
    callbacks = 0
    for seed in range(rounds):
        with World(seed) as world:
            start(world)
            begin = time.perf_counter()
            world.run(seconds * SECOND_NS)
            took = time.perf_counter() - begin
            callbacks = world.loop.callbacks_count
            microseconds.append(took / callbacks * 1e6)
    low, high = min(microseconds), max(microseconds)
    middle = statistics.median(microseconds)
    print(
        f"{name:<28} {callbacks:>9,} callbacks  {1e6 / middle:>9,.0f}/s  "
        f"{middle:5.2f} µs each ({low:.2f}–{high:.2f})"
    )


def start_timers(world: World) -> None:
    for number in range(10):
        world.spawn(f"timer-{number}", "one", ticks)


def start_echo(world: World) -> None:
    world.spawn("server", "one", serve)
    for number in range(8):
        world.spawn(f"asker-{number}", "one", ask)


def start_journal(world: World) -> None:
    world.spawn("journal", "one", journal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    measure("10 processes with timers", start_timers, seconds=10, rounds=rounds)
    measure("8 frames to and fro", start_echo, seconds=2, rounds=rounds)
    measure("write, sync, wait", start_journal, seconds=10, rounds=rounds)


if __name__ == "__main__":
    main()
