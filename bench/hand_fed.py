"""Byte streams and a network held in the hand: a shell on them meets nothing of the kernel's."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from tandem.ports import Listener, Peer
from tandem.shells.link import HEADER

ENCODER = msgspec.msgpack.Encoder()


class Stream(asyncio.Transport):
    """A byte stream to one protocol; what that writes is thrown away."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._frames = 0
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Throw it away."""

    def abort(self) -> None:
        """Complain: nothing here should end a connection."""
        raise AssertionError("a connection was dropped")

    def frame(self, messages: Sequence[object]) -> bytes:
        """Return the next frame to `feed`."""
        self._frames += 1
        body = ENCODER.encode(messages)
        return HEADER.pack(len(body), 1, 1, self._frames) + body

    async def feed(self, *frames: bytes) -> None:
        """Let them come in, one a turn of the loop."""
        for frame in frames:
            self._protocol.data_received(frame)
            await asyncio.sleep(0)


class HandNetwork:
    """Satisfies `tandem.ports.Network`; `streams` are what was dialed, by address."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self._make: Callable[[], asyncio.Protocol] | None = None

    async def listen(self, _address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """Listen for `dial`."""
        self._make = make
        return self

    def dial(self) -> Stream:
        """Return a new connection to whoever listens."""
        assert self._make is not None, "nobody listens"
        return Stream(self._make())

    def close(self) -> None:
        """Listen no more."""
        self._make = None

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """Connect at once."""
        self.streams[address] = Stream(make())

    def peer(self, _transport: asyncio.BaseTransport) -> Peer | None:
        """Nobody is at the other end."""
        return None
