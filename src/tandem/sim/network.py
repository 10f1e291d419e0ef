"""Connections between simulated processes, and everything that can happen to them.

Addresses are one space for the whole world. A cut keeps bytes, ends of streams and connection
attempts waiting until it heals, as TCP does; a break loses them, but for a prefix of what was
under way, and that prefix may come late, even after the two sides have connected anew.
"""

import asyncio
import errno
import random
from collections.abc import Callable

import msgspec

from tandem.ports import Listener, Peer
from tandem.sim.connection import SimTransport, Stream
from tandem.sim.loop import SimLoop
from tandem.sim.process import SimProcess

MS_NS = 1_000_000
Range = tuple[int, int]


class NetworkFaults(msgspec.Struct, frozen=True, kw_only=True):
    """What the network does; a chance is per chunk unless it says otherwise. Default: calm.

    `delay` holds a chunk, and all behind it, back. `break` ends a connection: each end hears of
    it after its own `notice`; what survives arrives `late` with `late_chance`. Death of a process
    loses what it had under way only with `tail_loss_chance` (Unix sockets: never).
    `drop`, `repeat` and `swap` make the link hostile: single chunks are lost, doubled or change
    places. `split` is per read and returns only a part.
    """

    latency_ns: Range = (20_000, 200_000)
    remote_latency_ns: Range = (200_000, 2 * MS_NS)
    delay_chance: float = 0.0
    delay_ns: Range = (MS_NS, 300 * MS_NS)
    break_chance: float = 0.0
    notice_ns: Range = (0, 50 * MS_NS)
    late_chance: float = 0.0
    late_ns: Range = (MS_NS, 2_000 * MS_NS)
    death_notice_ns: Range = (500_000, 5 * MS_NS)
    tail_loss_chance: float = 0.0
    connect_refused_chance: float = 0.0  # per attempt
    connect_delay_chance: float = 0.0  # per attempt
    connect_delay_ns: Range = (MS_NS, 500 * MS_NS)
    drop_chance: float = 0.0
    repeat_chance: float = 0.0
    swap_chance: float = 0.0
    split_chance: float = 0.0


class SimPeer(msgspec.Struct, frozen=True):
    """Satisfies `tandem.ports.Peer`."""

    pid: int
    started: int
    machine: str | None = None


class SimListener:
    """A place where connections arrive, for as long as its process lives."""

    def __init__(
        self, process: SimProcess, make: Callable[[], asyncio.Protocol], address: str
    ) -> None:
        self.process = process
        self.make = make
        self.address = address
        self.is_open = True

    def close(self) -> None:
        """Take no more connections; see `Listener.close`."""
        self.is_open = False

    @property
    def answers(self) -> bool:
        """Whether the kernel takes connections for it."""
        return self.is_open and self.process.alive


class SimNetwork:
    """All connections of the world. `faults` may be exchanged at any time."""

    def __init__(
        self,
        loop: SimLoop,
        *,
        draws: random.Random,
        trace: Callable[[str], None],
        faults: NetworkFaults,
    ) -> None:
        self.loop = loop
        self.trace = trace
        self._draws = draws
        self._connections = 0
        self._listeners: dict[str, SimListener] = {}
        self._cuts: dict[tuple[str, str], int] = {}
        self._parked: list[Callable[[], None]] = []
        self.faults = faults

    @property
    def faults(self) -> NetworkFaults:
        """What may happen from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: NetworkFaults) -> None:
        self._faults = faults
        self._strike_chance = (
            faults.break_chance + faults.drop_chance + faults.repeat_chance + faults.swap_chance
        )

    # For scenarios.

    def cut(self, source: str, *, target: str, both_ways: bool = True) -> None:
        """Let nothing pass from `source` to `target`, names of processes or of machines.

        Cuts of one pair are counted: each needs its own `heal`.
        """
        for pair in _pairs(source, target=target, both_ways=both_ways):
            self._cuts[pair] = self._cuts.get(pair, 0) + 1
        self.trace(f"cut {source} {target} {both_ways}")

    def heal(self, source: str, *, target: str, both_ways: bool = True) -> None:
        """End one such cut; what waited goes on. None there is no error."""
        for pair in _pairs(source, target=target, both_ways=both_ways):
            count = self._cuts.pop(pair, 0)
            if count > 1:
                self._cuts[pair] = count - 1
        self.trace(f"heal {source} {target} {both_ways}")
        parked, self._parked = self._parked, []
        for again in parked:
            again()

    def heal_all(self) -> None:
        """End every cut."""
        for source, target in list(self._cuts):
            while (source, target) in self._cuts:
                self.heal(source, target=target, both_ways=False)

    def break_all(self, process: SimProcess, other: str) -> int:
        """Break each connection of `process` with that process or machine; return how many."""
        broken = []
        for end in process.transports:
            reader = end.outgoing.target.process
            if not end.outgoing.broken and other in (reader.name, reader.machine.name):
                broken.append(end)
        for end in broken:
            self._break(end.incoming)
        return len(broken)

    def sever(self, process: SimProcess) -> None:
        """Close what a process that just died had open."""
        for end in list(process.transports):
            if self._draws.random() < self._faults.tail_loss_chance:
                self._lose_tail(end.outgoing)
            end.hang_up(None, delay_ns=self._draw(self._faults.death_notice_ns))

    # For processes.

    def listen(
        self, process: SimProcess, address: str, make: Callable[[], asyncio.Protocol]
    ) -> SimListener:
        """Let `process` take connections at `address`."""
        former = self._listeners.get(address)
        if former is not None and former.answers:
            raise OSError(errno.EADDRINUSE, f"{address} is taken by {former.process.name}")
        listener = SimListener(process, make, address)
        self._listeners[address] = listener
        self.trace(f"listen {address}")
        return listener

    async def connect(
        self, process: SimProcess, address: str, make: Callable[[], asyncio.Protocol]
    ) -> None:
        """Connect `process` to `address`."""
        dial = Dial(process, address, make, self.loop.create_future())
        delay_ns = self._draw(self._faults.latency_ns)
        if self._draws.random() < self._faults.connect_delay_chance:
            delay_ns += self._draw(self._faults.connect_delay_ns)
        self.loop.after(delay_ns, self._knock, dial)
        try:
            await dial.answer
        except asyncio.CancelledError:
            if dial.end is not None and dial.end.is_attached:
                dial.end.abort()
            raise

    # For streams.

    def travel_ns(self, source: SimProcess, *, target: SimProcess) -> int:
        """Draw how long a chunk takes."""
        faults = self._faults
        local = source.machine is target.machine
        low, high = faults.latency_ns if local else faults.remote_latency_ns
        delay_ns = low + int(self._draws.random() * (high - low))
        if faults.delay_chance and self._draws.random() < faults.delay_chance:
            delay_ns += self._draw(faults.delay_ns)
        return delay_ns

    def is_cut(self, source: SimProcess, *, target: SimProcess) -> bool:
        """Return whether nothing passes at the moment."""
        cuts = self._cuts
        if not cuts:
            return False
        home, there = source.machine.name, target.machine.name
        return (
            (source.name, target.name) in cuts
            or (source.name, there) in cuts
            or (home, target.name) in cuts
            or (home, there) in cuts
        )

    def park(self, again: Callable[[], None]) -> None:
        """Call `again` when a cut has healed."""
        self._parked.append(again)

    def strike(self, stream: Stream, data: bytes) -> bool:
        """Let chance harm `data`, about to be sent; True when it was dealt with."""
        if not self._strike_chance:
            return False
        luck = self._draws.random()
        if luck >= self._strike_chance:
            return False
        faults = self._faults
        if luck < faults.break_chance:
            stream.pass_on(data)
            self._break(stream)
            return True
        luck -= faults.break_chance
        if luck < faults.drop_chance:
            self.trace(f"drop {stream.number} {len(data)}")
            return True
        luck -= faults.drop_chance
        if luck < faults.repeat_chance:
            self.trace(f"repeat {stream.number} {len(data)}")
            stream.pass_on(data + data)
            return True
        swapped = stream.swap_last(data)
        self.trace(f"swap {stream.number} {swapped}")
        return swapped

    def read_size(self, available: int) -> int:
        """Draw how many of the available bytes the next read returns."""
        split_chance = self._faults.split_chance
        if split_chance and available > 1 and self._draws.random() < split_chance:
            return 1 + int(self._draws.random() * (available - 1))
        return available

    # Inside.

    def _draw(self, span: Range) -> int:
        low, high = span
        return low + int(self._draws.random() * (high - low))

    def _break(self, stream: Stream) -> None:
        """End the connection of `stream`; both its ends hear of it in their own time."""
        self.trace(f"break {stream.number}")
        for direction in (stream, stream.source.incoming):
            self._lose_tail(direction)
            reason = ConnectionResetError(errno.ECONNRESET, "connection broken")
            direction.finish(reason, delay_ns=self._draw(self._faults.notice_ns))

    def _lose_tail(self, stream: Stream) -> None:
        late_ns = 0
        if self._draws.random() < self._faults.late_chance:
            late_ns = self._draw(self._faults.late_ns)
        stream.truncate(self._draws.randint(0, stream.under_way), late_ns=late_ns)

    def _knock(self, dial: "Dial") -> None:
        """The attempt reaches the listener's computer."""
        if not dial.process.alive or dial.answer.cancelled():
            return
        listener = self._listeners.get(dial.address)
        refused = self._draws.random() < self._faults.connect_refused_chance
        if listener is None:
            dial.refuse(self.loop, FileNotFoundError(errno.ENOENT, f"no {dial.address}"))
        elif self.is_cut(dial.process, target=listener.process) or self.is_cut(
            listener.process, target=dial.process
        ):
            self.park(lambda: self._knock(dial))
        elif refused or not listener.answers:
            reason = ConnectionRefusedError(errno.ECONNREFUSED, f"{dial.address} refused")
            dial.refuse(self.loop, reason)
        else:
            self._establish(dial, listener)

    def _establish(self, dial: "Dial", listener: SimListener) -> None:
        client, server = self._pair(dial, listener)
        self.trace(f"connect {client.incoming.number} {dial.address}")
        dial.end = client
        back_ns = self.travel_ns(listener.process, target=dial.process)
        accept_ns = self._draw(self._faults.latency_ns)
        self.loop.after(back_ns, self.loop.deliver, dial.process, dial.open)
        self.loop.after(accept_ns, self.loop.deliver, listener.process, _accept, listener, server)

    def _pair(self, dial: "Dial", listener: SimListener) -> tuple[SimTransport, SimTransport]:
        ends = []
        for process in (dial.process, listener.process):
            self._connections += 1
            incoming = Stream(self, self._connections)
            end = SimTransport(self, process, incoming, address=dial.address)
            process.transports[end] = None
            ends.append(end)
        client, server = ends
        for end, other in ((client, server), (server, client)):
            end.incoming.source, end.incoming.target = other, end
            end.outgoing = other.incoming
        return client, server


class Dial:
    """One attempt of a process to connect."""

    def __init__(
        self,
        process: SimProcess,
        address: str,
        make: Callable[[], asyncio.Protocol],
        answer: asyncio.Future[None],
    ) -> None:
        self.process = process
        self.address = address
        self.make = make
        self.answer = answer
        self.end: SimTransport | None = None

    def refuse(self, loop: SimLoop, reason: OSError) -> None:
        """Let the attempt fail."""
        loop.deliver(self.process, self._fail, reason)

    def open(self) -> None:
        """Give the connection to a new protocol; called in the process."""
        assert self.end is not None
        if self.answer.done():  # nobody waits any more
            self.end.hang_up(None, delay_ns=0)
            return
        try:
            self.end.attach(self.make())
        except Exception as error:  # noqa: BLE001 (the caller of connect takes it)
            self.end.hang_up(None, delay_ns=0)
            self._fail(error)
        else:
            if self.answer.done():  # given up by the protocol itself
                self.end.abort()
            else:
                self.answer.set_result(None)

    def _fail(self, reason: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(reason)


def _accept(listener: SimListener, end: SimTransport) -> None:
    """Give an arrived connection to a new protocol; called in the listener's process."""
    if not end.is_open:
        return
    if not listener.is_open:
        end.hang_up(ConnectionResetError(errno.ECONNRESET, "nobody accepts"), delay_ns=0)
        return
    try:
        end.attach(listener.make())
    except Exception:
        end.hang_up(None, delay_ns=0)
        raise


class ProcessNetwork:
    """Satisfies `tandem.ports.Network` for one process."""

    def __init__(self, network: SimNetwork, process: SimProcess) -> None:
        self._network = network
        self._process = process

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """Accept connections at `address`; see `Network.listen`."""
        self._process.before("listen")
        listener = self._network.listen(self._process, address, make)
        self._process.after("listen")
        return listener

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """Open a connection to `address`; see `Network.connect`."""
        self._process.before("connect")
        await self._network.connect(self._process, address, make)
        self._process.after("connect")

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        """Return who is at the other end; see `Network.peer`."""
        assert isinstance(transport, SimTransport)
        other = transport.outgoing.target
        if transport.is_closing() or not other.is_open:
            return None
        there = other.process.machine.name
        if there != self._process.machine.name:
            return SimPeer(0, 0, there)
        return SimPeer(other.process.pid, other.process.started)


def _pairs(source: str, *, target: str, both_ways: bool) -> list[tuple[str, str]]:
    return [(source, target), (target, source)] if both_ways else [(source, target)]
