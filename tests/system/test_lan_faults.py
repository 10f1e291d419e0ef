"""The bad cable is as bad as it says: what the tests of several computers rest on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.system.lan.fault_proxy import Cable, obey, serve

SOON_S = 5.0
NEVER_S = 0.05


@asynccontextmanager
async def echo_behind(cable: Cable) -> AsyncIterator[tuple[str, int]]:
    """Yield the address of a proxy before a server that says everything twice."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            while data := await reader.read(1_000):
                writer.write(data * 2)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        target = server.sockets[0].getsockname()[:2]
        async with await serve(cable, ("127.0.0.1", 0), target) as proxy:
            yield proxy.sockets[0].getsockname()[:2]
            cable.reset()


async def test_a_sound_cable_carries_everything_and_the_end() -> None:
    cable = Cable()
    async with asyncio.timeout(SOON_S), echo_behind(cable) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"abc")
        assert await reader.readexactly(6) == b"abcabc"
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("way", ["there", "back", "both"])
async def test_what_is_cut_waits_and_comes_when_it_is_healed(way: str) -> None:
    """F7."""
    cable = Cable()
    async with asyncio.timeout(SOON_S), echo_behind(cable) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"a")
        assert await reader.readexactly(2) == b"aa"
        assert obey(cable, f"cut {way}") == "ok"
        writer.write(b"b")
        answer = asyncio.ensure_future(reader.readexactly(2))
        done, _ = await asyncio.wait([answer], timeout=NEVER_S)
        assert not done
        assert obey(cable, "heal") == "ok"
        assert await answer == b"bb"
        writer.close()


async def test_late_bytes_stay_in_order() -> None:
    cable = Cable()
    obey(cable, "delay 1 5")
    async with asyncio.timeout(SOON_S), echo_behind(cable) as address:
        reader, writer = await asyncio.open_connection(*address)
        for number in range(20):
            writer.write(bytes([number]))
            await asyncio.sleep(0)
        assert sorted(await reader.readexactly(40)) == sorted([*range(20)] * 2)
        writer.close()


async def test_a_reset_ends_every_connection() -> None:
    cable = Cable()
    async with asyncio.timeout(SOON_S), echo_behind(cable) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"a")
        await reader.readexactly(2)
        assert obey(cable, "reset") == "ok"
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()


def test_an_order_that_is_none_says_so() -> None:
    assert obey(Cable.__new__(Cable), "cut left") == "no such order: 'cut left'"
