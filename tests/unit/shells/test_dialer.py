"""Keeping one connection open."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from tandem.ports import Listener, Peer
from tandem.shells.dialer import Dialer
from tandem.shells.link import HEADER, Link
from tests.unit.shells.wire import Wire, in_simulated_time


class Dialed:
    """A network that hands out wires, or refuses so many times."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.wires: list[tuple[Wire, asyncio.Protocol]] = []
        self.called = asyncio.Event()

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        raise AssertionError("nobody listens here")

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        assert address == "there"
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError("not yet")
        wire, protocol = Wire(), make()
        self.wires.append((wire, protocol))
        protocol.connection_made(wire)
        self.called.set()

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        return None


class Caller:
    """A dialer, and everything it told."""

    def __init__(self, network: Dialed) -> None:
        self.network = network
        self.told: list[str] = []
        self.dialer: Dialer[str] = Dialer(
            network,
            "there",
            msgspec.msgpack.Decoder(list[str]),
            on_up=self._on_up,
            on_messages=self._on_messages,
            on_down=lambda: self.told.append("down"),
        )

    def _on_up(self, link: Link[str]) -> None:
        self.told.append("up")
        assert self.dialer.link is link

    def _on_messages(self, epoch: int, messages: Sequence[str]) -> None:
        self.told += messages

    async def until(self, wires: int) -> None:
        while len(self.network.wires) < wires:
            self.network.called.clear()
            await asyncio.wait_for(self.network.called.wait(), 10)


def frame(text: str) -> bytes:
    body = msgspec.msgpack.encode([text])
    return HEADER.pack(len(body), 1, 1, 1) + body


async def test_a_lost_connection_is_dialed_anew_and_only_the_present_one_counts() -> None:
    """F9: nothing of an older connection is handed on."""
    caller = Caller(Dialed())
    task = asyncio.create_task(caller.dialer.run())
    await caller.until(1)
    _, first = caller.network.wires[0]
    first.data_received(frame("one"))
    first.connection_lost(None)
    await caller.until(2)
    _, second = caller.network.wires[1]
    first.data_received(frame("late"))
    first.connection_lost(None)
    second.data_received(frame("two"))
    assert caller.told == ["up", "one", "down", "up", "two"]
    task.cancel()


async def test_hanging_up_drops_the_line_at_once_and_dials_another() -> None:
    caller = Caller(Dialed())
    caller.dialer.hang_up("nobody is there yet")
    task = asyncio.create_task(caller.dialer.run())
    await caller.until(1)
    wire, first = caller.network.wires[0]
    caller.dialer.hang_up("another account")
    assert (wire.ended, caller.told) == ("aborted", ["up", "down"])
    first.connection_lost(None)
    await caller.until(2)
    assert caller.told == ["up", "down", "up"]
    task.cancel()


async def test_words_go_out_on_the_present_line_and_are_lost_without_one() -> None:
    caller = Caller(Dialed())
    caller.dialer.put("lost")
    caller.dialer.flush()
    task = asyncio.create_task(caller.dialer.run())
    await caller.until(1)
    wire, _ = caller.network.wires[0]
    caller.dialer.put("said")
    assert wire.written == []
    caller.dialer.flush()
    (written,) = wire.written
    assert msgspec.msgpack.decode(written[HEADER.size :]) == ["said"]
    task.cancel()


def test_a_refused_call_is_tried_again() -> None:
    async def body() -> None:
        caller = Caller(Dialed(refusals=9))
        task = asyncio.create_task(caller.dialer.run())
        await caller.until(1)
        assert caller.told == ["up"]
        assert caller.network.refusals == 0
        task.cancel()

    in_simulated_time(body)
