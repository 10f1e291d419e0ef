"""The link: frames of msgpack messages over one byte stream.

Wire format, little-endian: u32 length of the body, u32 connection number, u64 epoch, u64 frame
sequence from 1, then the body: one msgpack array of messages, each a msgpack array that begins
with its tag. Everything sent in one turn of the loop goes out as one frame where it fits.

A stream neither loses nor reorders, but what carries it might: a frame seen before is dropped, a
gap closes the connection. There is no resume and no replay; both sides say where they stand when
they connect again.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from tandem.domain.errors import ConfigurationError, FrameError
from tandem.domain.link import MESSAGE_BYTES_MAX

M = TypeVar("M")
HEADER = struct.Struct("<IIQQ")
BATCH_MAX = 256
WAITING_MAX = 20_000

# Bound once, because finding them costs as much as most of what they do.
_HEAD = HEADER.size
_unpack = HEADER.unpack_from
_pack = HEADER.pack
_encode = msgspec.msgpack.Encoder().encode


class Link(asyncio.Protocol, Generic[M]):
    """One end of a connection; messages of type M come in, any value goes out.

    `on_messages` gets each frame's messages with the frame's epoch, in order. `on_lost` is called
    once when the connection is over, with our own reason if we ended it. After `drop` nothing
    more comes in.
    """

    def __init__(
        self,
        decoder: msgspec.msgpack.Decoder[list[M]],
        on_messages: "Callable[[Link[M], int, Sequence[M]], None]",
        on_open: "Callable[[Link[M]], None]",
        on_lost: "Callable[[Link[M], str], None]",
    ) -> None:
        self._decode = decoder.decode
        self._on_messages = on_messages
        self._on_open = on_open
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._sent = 0
        self._seen = 0
        self._waiting: list[object] = []
        self._flushing = False
        self._paused = False
        self._reason = "closed by the other end"
        self._dropped = False
        self.epoch = 0
        self.connection = 0
        self.tag: Any = None  # whatever the owner keeps with this connection
        self.bytes_max = MESSAGE_BYTES_MAX  # of a frame or message, both ways
        self.postscript: object | None = None  # goes out behind the next message, not by itself

    @property
    def transport(self) -> asyncio.Transport:
        """The stream beneath."""
        assert self._transport is not None, "the link is not open yet"
        return self._transport

    @property
    def is_open(self) -> bool:
        """Whether words sent now may still arrive."""
        return self._transport is not None and not self._dropped

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the stream."""
        # Not asked with isinstance: uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Hand on the messages of every whole frame."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        try:
            while end - at >= _HEAD and not self._dropped:
                length, _, epoch, sequence = _unpack(data, at)
                if length > self.bytes_max:
                    raise _too_long("frame", length, self.bytes_max)
                begin = at + _HEAD
                if end - begin < length:
                    break
                at = begin + length
                if sequence > self._seen:
                    self._on_messages(self, epoch, self._opened(sequence, data[begin:at]))
        except FrameError as error:
            self.drop(str(error))
        self._rest = data[at:]

    def _opened(self, sequence: int, body: bytes) -> list[M]:
        if sequence != self._seen + 1:
            raise FrameError(f"frame {sequence} after {self._seen}")
        self._seen = sequence
        try:
            return self._decode(body)
        except (msgspec.DecodeError, ConfigurationError) as error:
            raise FrameError(f"frame {sequence}: {error}") from error

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, once."""
        if exc is not None and not self._dropped:
            self._reason = str(exc) or type(exc).__name__
        self._dropped = True
        self._waiting.clear()
        self._on_lost(self, self._reason)

    def drop(self, reason: str) -> None:
        """End the connection at once; nothing more is sent or taken in."""
        if self._dropped:
            return
        self._reason = reason
        self._dropped = True
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    def close(self, reason: str) -> None:
        """Send what waits, then end the connection; nothing more is taken in."""
        if self._dropped:
            return
        self.flush()
        self._reason = reason
        self._dropped = True
        self.transport.close()

    def send(self, message: object) -> None:
        """Send a message at the end of this turn; nothing happens on a lost connection."""
        self.put(message)
        if not self._flushing and not self._paused and not self._dropped:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def put(self, message: object) -> None:
        """Let a message wait for `flush`; nothing happens on a lost connection."""
        if self._dropped:
            return
        self._waiting.append(message)
        if len(self._waiting) > WAITING_MAX:
            self.drop(f"more than {WAITING_MAX} messages wait: the other end does not read")

    def pause_writing(self) -> None:
        """Hold back what is sent from now on."""
        self._paused = True

    def resume_writing(self) -> None:
        """Send what was held back."""
        self._paused = False
        self.flush()

    def flush(self) -> None:
        """Send what waits, unless the other end does not read."""
        self._flushing = False
        waiting = self._waiting
        if self._paused or not waiting:
            return
        self._waiting = []
        if self.postscript is not None:
            waiting.append(self.postscript)
            self.postscript = None
        try:
            frames = self._frames(waiting)
        except FrameError as error:
            # What the other end would refuse is not sent, and what is behind it would have a gap.
            self.drop(str(error))
        else:
            self.transport.write(frames)

    def _frames(self, messages: list[object]) -> bytes:
        if len(messages) <= BATCH_MAX:
            return self._framed(messages)
        starts = range(0, len(messages), BATCH_MAX)
        return b"".join([self._framed(messages[one : one + BATCH_MAX]) for one in starts])

    def _framed(self, messages: Sequence[object]) -> bytes:
        """Return the messages in one frame, or in one each where they do not fit together."""
        body = _encode(messages)
        if len(body) <= self.bytes_max:
            self._sent += 1
            return _pack(len(body), self.connection, self.epoch, self._sent) + body
        if len(messages) == 1:
            raise _too_long(type(messages[0]).__name__, len(body), self.bytes_max)
        return b"".join([self._framed([one]) for one in messages])


def _too_long(what: str, length: int, bytes_max: int) -> FrameError:
    return FrameError(f"{what} of {length} bytes; the limit is {bytes_max}")
