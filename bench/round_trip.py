"""The link's round trip: one 200-byte message to and fro on a Unix socket, two processes.

`python -m bench.round_trip FOLDER COUNT` prints p50 and p99 in microseconds.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop

from bench import child_process
from bench.whole_path import percentile_us
from tandem.adapters.local.network import UnixNetwork
from tandem.shells.link import HEADER, Link

Message = bytes
CONTENT = bytes(200 - HEADER.size - 3)  # with the frame's header and two array headers: 200 bytes


async def echo(folder: Path) -> None:
    """Send back whatever comes."""

    def on_messages(link: Link[Message], _epoch: int, messages: Sequence[Message]) -> None:
        for message in messages:
            link.send(message)

    decoder = msgspec.msgpack.Decoder(list[Message])
    await UnixNetwork().listen(
        str(folder / "echo.sock"),
        lambda: Link(decoder, on_messages, lambda _link: None, lambda _link, _reason: None),
    )
    await asyncio.get_running_loop().create_future()


async def ask(folder: Path, count: int) -> list[int]:
    """Return how long each of `count` round trips took, after a tenth more to warm up."""
    took_ns: list[int] = []
    done = asyncio.Event()
    begin_ns = 0

    def send(link: Link[Message]) -> None:
        nonlocal begin_ns
        begin_ns = time.perf_counter_ns()
        link.send(CONTENT)

    def on_messages(link: Link[Message], _epoch: int, _messages: Sequence[Message]) -> None:
        took_ns.append(time.perf_counter_ns() - begin_ns)
        if len(took_ns) == count + count // 10:
            done.set()
        else:
            send(link)

    decoder = msgspec.msgpack.Decoder(list[Message])
    while True:
        try:
            await UnixNetwork().connect(
                str(folder / "echo.sock"),
                lambda: Link(decoder, on_messages, send, lambda _link, _reason: None),
            )
            break
        except OSError:
            await asyncio.sleep(0.05)
    gc.collect()
    gc.freeze()
    await done.wait()
    return took_ns[count // 10 :]


def main() -> None:
    """Ask, or with no count: echo."""
    folder = Path(sys.argv[1])
    if len(sys.argv) == 2:
        child_process.serve(echo(folder))
        return
    child = child_process.start("bench.round_trip", str(folder))
    try:
        took_ns = uvloop.run(ask(folder, int(sys.argv[2])))
    finally:
        child_process.end([child])
    figures = {"p50_us": percentile_us(took_ns, 0.5), "p99_us": percentile_us(took_ns, 0.99)}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
