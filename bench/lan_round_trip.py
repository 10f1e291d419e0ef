"""The link's round trip to another computer: mutual TLS over TCP, two processes, on loopback.

`python -m bench.lan_round_trip FOLDER link|bare COUNT BYTES` prints p50 and p99 in microseconds.
BYTES is the whole frame with its header. Bare: the same bytes over the same TLS, without our link.
"""

import asyncio
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from bench import child_process
from bench.lan_certificates import certify
from bench.round_trip import DECODER, Stopwatch, link_echo
from bench.waiting import until
from bench.whole_path import percentile_us
from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import Door, TlsListener, TlsNetwork
from tandem.shells.link import HEADER, Link


class BareEcho(asyncio.Protocol):
    """Sends whole messages back."""

    def __init__(self, bytes_each: int) -> None:
        self._bytes = bytes_each
        self._heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the stream."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Send back as much, once all of it is here."""
        self._heard += len(data)
        if self._heard == self._bytes:
            self._heard = 0
            self.on_whole()

    def on_whole(self) -> None:
        """A message is here."""
        self.transport.write(bytes(self._bytes))


class BareAsker(BareEcho):
    """Sends the first message, then one for each answer."""

    def __init__(self, watch: Stopwatch, bytes_each: int) -> None:
        super().__init__(bytes_each)
        self._watch = watch

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._ask()

    def on_whole(self) -> None:
        """Take the time, and send again."""
        if self._watch.is_wanted_again():
            self._ask()

    def _ask(self) -> None:
        self._watch.sending()
        self.transport.write(bytes(self._bytes))


def link_asker(watch: Stopwatch, bytes_each: int) -> asyncio.Protocol:
    """Return our link, asking as `BareAsker` does."""
    around = len(msgspec.msgpack.encode([bytes(bytes_each)])) - bytes_each + HEADER.size
    content = bytes(bytes_each - around)

    def send(link: Link[bytes]) -> None:
        watch.sending()
        link.send(content)

    def on_messages(link: Link[bytes], _epoch: int, _messages: Sequence[bytes]) -> None:
        if watch.is_wanted_again():
            send(link)

    return Link(DECODER, on_messages, send, lambda _link, _reason: None)


async def echo(folder: Path, bytes_each: int, *, is_bare: bool) -> None:
    """Serve for ever."""
    door = Door(context=contexts.serving(folder, asks_certificate=True))
    network = TlsNetwork(door=door, say=lambda _: None)
    listener = await network.listen(
        "127.0.0.1:0", (lambda: BareEcho(bytes_each)) if is_bare else link_echo
    )
    half_written = folder / "address.new"
    half_written.write_text(cast(TlsListener, listener).address, encoding="ascii")
    half_written.rename(folder / "address")
    await asyncio.get_running_loop().create_future()


async def ask(folder: Path, watch: Stopwatch, bytes_each: int, *, is_bare: bool) -> list[int]:
    """Return how long each round trip took, after a tenth more to warm up."""
    await until((folder / "address").exists)
    address = (folder / "address").read_text(encoding="ascii")
    network = TlsNetwork(dialing=contexts.dialing(folder), say=lambda _: None)
    gc.collect()
    gc.freeze()
    await network.connect(
        address,
        lambda: BareAsker(watch, bytes_each) if is_bare else link_asker(watch, bytes_each),
    )
    await watch.done.wait()
    return watch.took_ns


def main() -> None:
    """Ask, or with no count: echo."""
    folder, is_bare = Path(sys.argv[1]), sys.argv[2] == "bare"
    if len(sys.argv) == 4:
        child_process.serve(echo(folder, int(sys.argv[3]), is_bare=is_bare))
        return
    count, bytes_each = int(sys.argv[3]), int(sys.argv[4])
    certify(folder)
    child = child_process.start("bench.lan_round_trip", str(folder), sys.argv[2], sys.argv[4])
    try:
        took_ns = uvloop.run(ask(folder, Stopwatch(count), bytes_each, is_bare=is_bare))
    finally:
        child_process.end([child])
    figures = {"p50_us": percentile_us(took_ns, 0.5), "p99_us": percentile_us(took_ns, 0.99)}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
