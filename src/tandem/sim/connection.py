"""A simulated connection: two byte streams, and the transport at each end.

A stream keeps the order of its bytes and each byte once, unless the link is hostile. What was
written at one instant may travel as one chunk. Arrived bytes lie in the kernel of the receiving
end until its process runs and reads. Between the two ends there is room for `KERNEL_BYTES_MAX`;
the rest waits in the memory of the writing process, and dies with it.
"""

import asyncio
import errno
import zlib
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tandem.sim.loop import SimLoop
from tandem.sim.process import Killed, SimProcess

KERNEL_BYTES_MAX = 212_992  # net.core.wmem_default
READ_BYTES_MAX = 262_144  # what asyncio reads at once
HIGH_WATER_BYTES = 65_536


class Chunk:
    """Bytes under way, or (`content` None) the end of the stream and its reason."""

    __slots__ = ("content", "due_ns", "reason", "sent_ns")

    def __init__(
        self, content: bytearray | None, reason: Exception | None, *, sent_ns: int, due_ns: int
    ) -> None:
        self.content = content
        self.reason = reason
        self.sent_ns = sent_ns
        self.due_ns = due_ns


class Wire(Protocol):
    """What a stream asks of the network it runs on."""

    loop: SimLoop
    trace: Callable[[str], None]

    def travel_ns(self, source: SimProcess, *, target: SimProcess) -> int:
        """Draw how long a chunk takes."""
        ...

    def is_cut(self, source: SimProcess, *, target: SimProcess) -> bool:
        """Return whether nothing passes at the moment."""
        ...

    def park(self, again: Callable[[], None]) -> None:
        """Call `again` when a cut has healed."""
        ...

    def strike(self, stream: "Stream", data: bytes) -> bool:
        """Let chance harm `data`, about to be sent; True when it was dealt with."""
        ...

    def read_size(self, available: int) -> int:
        """Draw how many of the available bytes the next read returns."""
        ...


class Stream:
    """One direction of a connection; belongs to the transport that reads it."""

    __slots__ = (
        "_is_parked",
        "_wire",
        "arrived",
        "broken",
        "chunks",
        "ended",
        "number",
        "reason",
        "source",
        "target",
        "under_way",
    )

    def __init__(self, wire: Wire, number: int) -> None:
        self.number = number
        self.arrived = bytearray()
        self.chunks: deque[Chunk] = deque()
        self.under_way = 0  # bytes
        self.broken = False  # what is sent from now on vanishes
        self.ended = False  # the end has arrived, behind all bytes
        self.reason: Exception | None = None
        self._wire = wire
        self._is_parked = False
        self.source: SimTransport
        self.target: SimTransport

    @property
    def room(self) -> int:
        """How many more bytes the kernel takes."""
        return KERNEL_BYTES_MAX - self.under_way - len(self.arrived)

    def send(self, data: bytes) -> None:
        """Put `data` on its way, unless chance decides otherwise."""
        if not self.broken and not self._wire.strike(self, data):
            self.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        """Put `data` on its way."""
        self.under_way += len(data)
        if self.chunks:
            last = self.chunks[-1]
            if last.sent_ns == self._wire.loop.now_ns and last.content is not None:
                last.content += data
                return
        delay_ns = self._wire.travel_ns(self.source.process, target=self.target.process)
        self._schedule(bytearray(data), None, delay_ns=delay_ns)

    def finish(self, reason: Exception | None, *, delay_ns: int) -> None:
        """Let the stream end behind all that is under way, not before `delay_ns` has passed."""
        if not self.broken:
            self.broken = True
            self._schedule(None, reason, delay_ns=delay_ns)

    def truncate(self, bytes_kept: int, *, late_ns: int) -> None:
        """Lose what is under way but for its first `bytes_kept`, which come `late_ns` late."""
        if self.broken:
            return
        kept: deque[Chunk] = deque()
        now_ns = self._wire.loop.now_ns
        self.under_way = 0
        for chunk in self.chunks:
            if chunk.content is None or bytes_kept <= 0:
                break
            del chunk.content[bytes_kept:]
            bytes_kept -= len(chunk.content)
            self.under_way += len(chunk.content)
            if late_ns:
                chunk.due_ns = max(chunk.due_ns, now_ns + late_ns)
                self._wire.loop.at(chunk.due_ns, self._arrive)
            kept.append(chunk)
        self.chunks = kept

    def swap_last(self, data: bytes) -> bool:
        """Put `data` before the last chunk under way; False when there is none."""
        if not self.chunks or self.chunks[-1].content is None:
            return False
        self.under_way += len(data)
        last = self.chunks[-1]
        last.content = bytearray(data) + (last.content or b"")
        return True

    def take(self, count: int) -> bytes:
        """Remove and return the first `count` arrived bytes, and let the writer go on."""
        data = bytes(self.arrived[:count])
        del self.arrived[:count]
        if self.source.backlog:
            self._wire.loop.deliver(self.source.process, self.source.drain)
        return data

    def discard(self) -> None:
        """Forget all that arrived: nobody will read it."""
        self.arrived.clear()
        self.chunks.clear()
        self.under_way = 0

    def travel_ns(self) -> int:
        """Draw how long the next chunk takes."""
        return self._wire.travel_ns(self.source.process, target=self.target.process)

    def _schedule(
        self, content: bytearray | None, reason: Exception | None, *, delay_ns: int
    ) -> None:
        loop = self._wire.loop
        due_ns = loop.now_ns + delay_ns
        self.chunks.append(Chunk(content, reason, sent_ns=loop.now_ns, due_ns=due_ns))
        loop.at(due_ns, self._arrive)

    def _arrive(self) -> None:
        """Take in all that is due and not behind something that is not."""
        chunks = self.chunks
        now_ns = self._wire.loop.now_ns
        if not chunks or chunks[0].due_ns > now_ns or self._is_parked:
            return
        if self._wire.is_cut(self.source.process, target=self.target.process):
            self._is_parked = True
            self._wire.park(self._unpark)
            return
        while chunks and chunks[0].due_ns <= now_ns:
            chunk = chunks.popleft()
            if chunk.content is None:
                self.ended = True
                self.reason = chunk.reason
            else:
                self.under_way -= len(chunk.content)
                self.arrived += chunk.content
        self.target.offer()

    def _unpark(self) -> None:
        self._is_parked = False
        self._wire.loop.after(self.travel_ns(), self._arrive)


class SimTransport(asyncio.Transport):
    """One end of a connection, as asyncio's own transports behave on a Unix socket."""

    def __init__(self, wire: Wire, process: SimProcess, incoming: Stream, *, address: str) -> None:
        super().__init__({"sockname": address, "peername": address})
        self.process = process
        self.incoming = incoming
        self.outgoing: Stream
        self.is_open = True  # in the kernel
        self._wire = wire
        self._loop = wire.loop
        self._protocol: asyncio.Protocol | None = None
        self.backlog = bytearray()  # waits in the process for room in the kernel
        self._closing = False
        self._reading = True
        self._offered = False
        self._told_to_pause = False
        self._high_bytes = HIGH_WATER_BYTES
        self._low_bytes = HIGH_WATER_BYTES // 4

    def __repr__(self) -> str:
        return f"<SimTransport {self.incoming.number} of {self.process}>"

    # What the kernel and the network do.

    def attach(self, protocol: asyncio.Protocol) -> None:
        """Give the new connection to `protocol`; called in its process."""
        self._protocol = protocol
        protocol.connection_made(self)
        if self.incoming.arrived or self.incoming.ended:
            self.offer()

    def offer(self) -> None:
        """Tell the process that there is something to read, once until it has looked."""
        if self._protocol is not None and not self._offered and self.is_open:
            self._offered = True
            self._loop.deliver(self.process, self._read)

    def drain(self) -> None:
        """Hand the kernel what now fits; called in the process."""
        if not self.is_open or not self.backlog:
            return
        room = len(self.backlog) if self.outgoing.broken else self.outgoing.room
        if room > 0:
            self.outgoing.send(bytes(self.backlog[:room]))
            del self.backlog[:room]
        if self._told_to_pause and len(self.backlog) <= self._low_bytes:
            self._told_to_pause = False
            self._tell("resume_writing")
        if self._closing and not self.backlog:
            self._loop.enqueue(self.process, self._lose, None)

    @property
    def is_attached(self) -> bool:
        """Whether a protocol owns the connection."""
        return self._protocol is not None

    def hang_up(self, reason: Exception | None, *, delay_ns: int) -> None:
        """Close the kernel's end: the other end reads what is under way, then the end."""
        if self.is_open:
            self.is_open = False
            self.process.transports.pop(self, None)
            self.incoming.broken = True
            self.incoming.discard()
            self.outgoing.finish(reason, delay_ns=delay_ns)

    # What the process does.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`; see `asyncio.WriteTransport.write`."""
        self.process.before("send")
        if not data or self._closing or not self.is_open:
            return
        outgoing = self.outgoing
        if self.backlog or self.process.paused or len(data) > outgoing.room:
            self._queue(bytes(data))
        else:
            outgoing.send(bytes(data))
        self.process.after("send")

    def close(self) -> None:
        """Send what is buffered, then close; nothing more is read."""
        if self._closing:
            return
        self._closing = True
        if not self.backlog:
            self._loop.enqueue(self.process, self._lose, None)

    def abort(self) -> None:
        """Close and lose what is buffered."""
        self._fail(None)

    def is_closing(self) -> bool:
        """Return whether it is closed or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Leave what arrives in the kernel."""
        self._reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        if self.incoming.arrived or self.incoming.ended:
            self.offer()

    def is_reading(self) -> bool:
        """Return whether arriving bytes are read."""
        return self._reading and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the protocol is told to pause and to resume writing."""
        if high is None:
            high = HIGH_WATER_BYTES if low is None else 4 * low
        self._high_bytes = high
        self._low_bytes = high // 4 if low is None else low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high limit."""
        return self._low_bytes, self._high_bytes

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait in this process."""
        return len(self.backlog)

    def can_write_eof(self) -> bool:
        """Return False: nobody here closes half a connection."""
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the connection to another protocol."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that owns the connection."""
        assert self._protocol is not None
        return self._protocol

    def _queue(self, data: bytes) -> None:
        if self.process.paused and not self.backlog:
            # It stopped in the middle of a callback, just before this call: send on waking up.
            self.process.notices_held.append((self.drain, ()))
        elif not self.backlog and self.outgoing.room > 0:
            room = self.outgoing.room
            self.outgoing.send(data[:room])
            data = data[room:]
        self.backlog += data
        if len(self.backlog) > self._high_bytes and not self._told_to_pause:
            self._told_to_pause = True
            self._tell("pause_writing")

    def _tell(self, what: str) -> None:
        try:
            getattr(self._protocol, what)()
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 (as asyncio does)
            message = f"protocol.{what}() failed"
            self._loop.call_exception_handler({"message": message, "exception": error})

    def _read(self) -> None:
        self._offered = False
        if not self.is_open or self._protocol is None:
            return
        if not self._reading or self._closing:
            if self.incoming.ended and self.backlog:
                self._fail(BrokenPipeError(errno.EPIPE, "the other end is closed"))
            return
        incoming = self.incoming
        if incoming.arrived:
            size = self._wire.read_size(min(len(incoming.arrived), READ_BYTES_MAX))
            data = incoming.take(size)
            self._wire.trace(f"read {incoming.number} {size} {zlib.crc32(data)}")
            try:
                self._protocol.data_received(data)
            except BaseException as error:  # noqa: BLE001 (as asyncio does)
                self._on_escape("data_received", error)
            if (incoming.arrived or incoming.ended) and not self._offered and self.is_reading():
                self._offered = True
                self._loop.enqueue(self.process, self._read)
        elif incoming.ended:
            incoming.ended = False
            self._wire.trace(f"end {incoming.number} {incoming.reason!r}")
            if incoming.reason is not None:
                self._fail(incoming.reason)
            elif not self._is_kept_open(self._protocol):
                self.close()

    def _is_kept_open(self, protocol: asyncio.Protocol) -> bool:
        """Tell that nothing more comes; whether nobody need close any more."""
        try:
            return bool(protocol.eof_received())
        except BaseException as error:  # noqa: BLE001 (as asyncio does)
            self._on_escape("eof_received", error)
            return True

    def _on_escape(self, what: str, error: BaseException) -> None:
        """Do as asyncio does about what its protocol raised; called where that is handled."""
        if isinstance(error, Killed | SystemExit | KeyboardInterrupt):
            raise error
        message = f"protocol.{what}() failed"
        self._loop.call_exception_handler({"message": message, "exception": error})
        self._fail(error)

    def _fail(self, error: BaseException | None) -> None:
        if self.is_open:
            self._closing = True
            self.backlog.clear()
            self._loop.enqueue(self.process, self._lose, error)

    def _lose(self, error: BaseException | None) -> None:
        """Close, and tell the protocol, once."""
        if not self.is_open:
            return
        reset = ConnectionResetError("closed with unread bytes") if self.incoming.arrived else None
        self.hang_up(reset, delay_ns=self.outgoing.travel_ns())
        assert self._protocol is not None
        self._protocol.connection_lost(error if isinstance(error, Exception) else None)
