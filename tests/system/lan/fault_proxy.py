"""A cable that can be bad: forwards TCP, and on request late, one way only, or not at all.

`python -m tests.system.lan.fault_proxy LISTEN:PORT=TARGET:PORT …` takes one order a line on its
standard input, and answers each with `ok`:

    cut there | cut back | cut both    let nothing through that way, and keep connections open
    heal                               let everything through again, what waited first
    delay MILLISECONDS [JITTER]        let everything come so late, never out of order
    reset                              end all connections at once

A cut keeps what was under way, as a network does that sends again for a while. A proxy that lost
its standard input ends.
"""

import asyncio
import contextlib
import random
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Literal

Way = Literal["there", "back"]
CHUNK = 65_536
WAYS: tuple[Way, ...] = ("there", "back")


class Cable:
    """What all connections of one proxy suffer."""

    def __init__(self) -> None:
        self.open = {way: asyncio.Event() for way in WAYS}
        self.delay_s = 0.0
        self.jitter_s = 0.0
        self.writers: set[asyncio.StreamWriter] = set()
        self._chance = random.Random(1)
        self.heal()

    def cut(self, ways: Sequence[Way]) -> None:
        for way in ways:
            self.open[way].clear()

    def heal(self) -> None:
        for event in self.open.values():
            event.set()

    def late_s(self) -> float:
        return self.delay_s + self.jitter_s * self._chance.random()

    def reset(self) -> None:
        for writer in self.writers:
            if writer.is_closing():
                continue
            # A linger of zero makes the end a reset.
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def carry(
    cable: Cable, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes one way until an end; each chunk as late as it is, and in order."""
    clock = asyncio.get_running_loop().time
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1_000)

    async def take() -> None:
        while data := await reader.read(CHUNK):
            await waiting.put((clock() + cable.late_s(), data))
        await waiting.put((0.0, b""))

    taking = asyncio.create_task(take())
    try:
        while True:
            due, data = await waiting.get()
            if due > clock():
                await asyncio.sleep(due - clock())
            await cable.open[way].wait()
            if not data:
                break
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    finally:
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await taking


async def serve(cable: Cable, listen: tuple[str, int], target: tuple[str, int]) -> asyncio.Server:
    """Stand between who connects to `listen` and `target`."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cable.writers.add(writer)
        there_writer = None
        try:
            await cable.open["there"].wait()
            there_reader, there_writer = await asyncio.open_connection(*target)
            cable.writers.add(there_writer)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(carry(cable, "there", reader, there_writer))
                tasks.create_task(carry(cable, "back", there_reader, writer))
        except* (OSError, asyncio.CancelledError):
            pass  # one end has gone, or the proxy is going: so does the other
        finally:
            for one in (writer, there_writer):
                if one is not None:
                    cable.writers.discard(one)
                    one.close()

    return await asyncio.start_server(on_connection, *listen)


def obey(cable: Cable, order: str) -> str:
    """Carry out one order; return the answer."""
    match order.split():
        case ["cut", "both"]:
            cable.cut(WAYS)
        case ["cut", ("there" | "back") as way]:
            cable.cut([way])
        case ["heal"]:
            cable.heal()
        case ["delay", delay, *rest]:
            cable.delay_s = float(delay) / 1e3
            cable.jitter_s = float(rest[0]) / 1e3 if rest else 0.0
        case ["reset"]:
            cable.reset()
        case _:
            return f"no such order: {order!r}"
    return "ok"


def _ends(argument: str) -> tuple[tuple[str, int], tuple[str, int]]:
    listen, _, target = argument.partition("=")
    (host, _, port), (there, _, there_port) = listen.rpartition(":"), target.rpartition(":")
    return (host, int(port)), (there, int(there_port))


async def run(arguments: Sequence[str]) -> None:
    """Be the proxy until standard input ends."""
    cable = Cable()
    servers = [await serve(cable, *_ends(one)) for one in arguments]
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sys.stdout.write("ok\n")
    sys.stdout.flush()
    while line := await orders.readline():
        sys.stdout.write(f"{obey(cable, line.decode())}\n")
        sys.stdout.flush()
    for server in servers:
        server.close()
    cable.reset()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:]))
