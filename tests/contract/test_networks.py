"""What every network keeps: Unix sockets and mutual TLS, on both event loops."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.adapters.local.network import UnixNetwork
from tandem.ports import Listener, Network
from tests.contract.lan_pool import ANYWHERE, Pool, address_of, dialing
from tests.contract.lines import Line, Run

LONG = bytes(range(256)) * 8_000  # 2 MB


class Pair:
    """A network at each end, and an address where nobody listens yet."""

    def __init__(self, serving: Network, calling: Network, address: str) -> None:
        self.serving = serving
        self.calling = calling
        self.address = address

    async def listen(self, make: Callable[[], asyncio.Protocol]) -> Listener:
        listener = await self.serving.listen(self.address, make)
        if self.address == ANYWHERE:
            self.address = address_of(listener)
        return listener


@pytest.fixture(params=["unix", "tls"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    if request.param == "unix":
        return Pair(UnixNetwork(), UnixNetwork(), str(tmp_path / "run" / "somewhere"))
    pool = Pool(tmp_path / "pool")
    return Pair(pool.network(), dialing(pool.add("laptop")), ANYWHERE)


async def heard(line: Line, length: int) -> bytes:
    content = b""
    while len(content) < length:
        content += await asyncio.wait_for(line.heard.get(), 10)
    return content


def test_what_is_said_at_one_end_is_heard_at_the_other(run: Run, pair: Pair) -> None:
    async def talk() -> None:
        there, here = Line(), Line()
        listener = await pair.listen(lambda: there)
        await pair.calling.connect(pair.address, lambda: here)
        (await here.made()).write(b"question")
        assert await heard(there, 8) == b"question"
        (await there.made()).write(b"answer")
        assert await heard(here, 6) == b"answer"
        (await here.made()).close()
        await there.is_lost.wait()
        await here.is_lost.wait()
        listener.close()

    run(talk())


def test_a_connection_is_open_when_connect_returns(run: Run, pair: Pair) -> None:
    async def connect() -> None:
        here = Line()
        listener = await pair.listen(Line)
        await pair.calling.connect(pair.address, lambda: here)
        assert here.is_made.is_set()
        listener.close()

    run(connect())


def test_whoever_is_called_may_speak_first(run: Run, pair: Pair) -> None:
    class Eager(Line):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            assert self.transport is not None
            self.transport.write(b"who is there?")

    async def connect() -> None:
        here = Line()
        listener = await pair.listen(Eager)
        await pair.calling.connect(pair.address, lambda: here)
        assert await heard(here, 13) == b"who is there?"
        listener.close()

    run(connect())


def test_long_bytes_arrive_whole_and_in_order_both_ways(run: Run, pair: Pair) -> None:
    async def talk() -> None:
        there, here = Line(), Line()
        listener = await pair.listen(lambda: there)
        await pair.calling.connect(pair.address, lambda: here)
        (await here.made()).write(LONG)
        (await there.made()).write(LONG[::-1])
        assert await heard(there, len(LONG)) == LONG
        assert await heard(here, len(LONG)) == LONG[::-1]
        listener.close()

    run(talk())


def test_where_nobody_listens_the_caller_learns_it(run: Run, pair: Pair) -> None:
    async def connect() -> None:
        (await pair.listen(Line)).close()
        with pytest.raises(OSError, match=r"refused|No such file"):
            await pair.calling.connect(pair.address, Line)

    run(connect())


def test_an_address_is_taken_once(run: Run, pair: Pair) -> None:
    async def listen() -> None:
        listener = await pair.listen(Line)
        with pytest.raises(OSError, match="in use"):
            await pair.listen(Line)
        listener.close()

    run(listen())


def test_a_closed_listener_takes_no_more_and_leaves_what_is_open(run: Run, pair: Pair) -> None:
    async def close() -> None:
        there, here = Line(), Line()
        listener = await pair.listen(lambda: there)
        await pair.calling.connect(pair.address, lambda: here)
        await there.made()
        listener.close()
        listener.close()
        with pytest.raises(OSError, match=r"refused|No such file"):
            await pair.calling.connect(pair.address, Line)
        (await here.made()).write(b"still here")
        assert await heard(there, 10) == b"still here"

    run(close())


def test_an_aborted_connection_is_lost_at_both_ends(run: Run, pair: Pair) -> None:
    async def abort() -> None:
        there, here = Line(), Line()
        listener = await pair.listen(lambda: there)
        await pair.calling.connect(pair.address, lambda: here)
        (await there.made()).abort()
        await asyncio.wait_for(here.is_lost.wait(), 10)
        await asyncio.wait_for(there.is_lost.wait(), 10)
        assert pair.serving.peer(await there.made()) is None
        listener.close()

    run(abort())


def test_many_may_connect_at_once(run: Run, pair: Pair) -> None:
    async def connect() -> None:
        lines: list[Line] = []

        def make() -> Line:
            lines.append(Line())
            return lines[-1]

        listener = await pair.listen(make)
        ours = [Line() for _ in range(24)]
        async with asyncio.TaskGroup() as tasks:
            for line in ours:
                tasks.create_task(pair.calling.connect(pair.address, lambda line=line: line))  # type: ignore[misc]
        for line in ours:
            (await line.made()).write(b"x")
        for line in lines:
            assert await heard(line, 1) == b"x"
        assert len(lines) == 24
        listener.close()

    run(connect())


def test_who_is_at_the_other_end_is_known(run: Run, pair: Pair) -> None:
    """A4, A37: a process of this computer by its number, another computer by its name."""

    async def connect() -> None:
        there = Line()
        listener = await pair.listen(lambda: there)
        await pair.calling.connect(pair.address, Line)
        peer = pair.serving.peer(await there.made())
        assert peer is not None
        if isinstance(pair.serving, UnixNetwork):
            assert peer.machine is None
            assert peer.pid > 0
        else:
            assert (peer.machine, peer.pid, peer.started) == ("laptop", 0, 0)
        listener.close()

    run(connect())
