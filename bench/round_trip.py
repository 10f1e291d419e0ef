"""The link's round trip: one 200-byte message to and fro on a Unix socket, two processes.

`python -m bench.round_trip FOLDER link|bare COUNT` prints p50 and p99 in microseconds. Bare: the
same bytes through the same event loop, without our link.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from bench import child_process
from bench.waiting import until
from bench.whole_path import percentile_us
from tandem.adapters.local.network import UnixNetwork
from tandem.shells.link import HEADER, Link

DECODER = msgspec.msgpack.Decoder(list[bytes])
CONTENT = bytes(200 - HEADER.size - 3)  # with the frame's header and two array headers: 200 bytes


class BareEcho(asyncio.Protocol):
    """Sends back whatever comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the stream."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)


class Stopwatch:
    """Sends again as soon as an answer is there, and takes the time of each."""

    def __init__(self, count: int) -> None:
        self._count = count + count // 10
        self._warm = count // 10
        self._begin_ns = 0
        self._took_ns: list[int] = []
        self.done = asyncio.Event()

    def sending(self) -> None:
        """A message leaves now."""
        self._begin_ns = time.perf_counter_ns()

    def is_wanted_again(self) -> bool:
        """An answer is here; say whether another message should leave."""
        self._took_ns.append(time.perf_counter_ns() - self._begin_ns)
        if len(self._took_ns) == self._count:
            self.done.set()
        return not self.done.is_set()

    @property
    def took_ns(self) -> list[int]:
        """The round trips after warming up."""
        return self._took_ns[self._warm :]


class BareAsker(BareEcho):
    """Sends the first message, then one for each answer."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._watch.sending()
        self.transport.write(bytes(200))

    def data_received(self, data: bytes) -> None:
        """Take the time, and send again."""
        if self._watch.is_wanted_again():
            self._watch.sending()
            self.transport.write(data)


def link_echo() -> asyncio.Protocol:
    """Return our link, sending back whatever comes, as shells do: put, then flush."""

    def on_messages(link: Link[bytes], _epoch: int, messages: Sequence[bytes]) -> None:
        for message in messages:
            link.put(message)
        link.flush()

    return Link(DECODER, on_messages, lambda _link: None, lambda _link, _reason: None)


def link_asker(watch: Stopwatch) -> asyncio.Protocol:
    """Return our link, asking as `BareAsker` does."""

    def send(link: Link[bytes]) -> None:
        watch.sending()
        link.put(CONTENT)
        link.flush()

    def on_messages(link: Link[bytes], _epoch: int, _messages: Sequence[bytes]) -> None:
        if watch.is_wanted_again():
            send(link)

    return Link(DECODER, on_messages, send, lambda _link, _reason: None)


async def echo(address: str, *, is_bare: bool) -> None:
    """Serve for ever."""
    await UnixNetwork().listen(address, BareEcho if is_bare else link_echo)
    await asyncio.get_running_loop().create_future()


async def ask(address: str, count: int, *, is_bare: bool) -> list[int]:
    """Return how long each of `count` round trips took, after a tenth more to warm up."""
    watch = Stopwatch(count)
    await until(Path(address).exists)
    gc.collect()
    gc.freeze()
    await UnixNetwork().connect(address, lambda: BareAsker(watch) if is_bare else link_asker(watch))
    await watch.done.wait()
    return watch.took_ns


def main() -> None:
    """Ask, or with no count: echo."""
    address = str(Path(sys.argv[1]) / "echo.sock")
    is_bare = sys.argv[2] == "bare"
    if len(sys.argv) == 3:
        child_process.serve(echo(address, is_bare=is_bare))
        return
    child = child_process.start("bench.round_trip", sys.argv[1], sys.argv[2])
    try:
        took_ns = uvloop.run(ask(address, int(sys.argv[3]), is_bare=is_bare))
    finally:
        child_process.end([child])
    figures = {"p50_us": percentile_us(took_ns, 0.5), "p99_us": percentile_us(took_ns, 0.99)}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
