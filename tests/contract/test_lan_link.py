"""The link over TLS: how long a message may be, and what the other side is told."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tandem.adapters.lan.network import TlsNetwork
from tandem.domain.link import BUNDLE_BYTES_MAX, MESSAGE_BYTES_MAX
from tandem.shells.link import HEADER, Link
from tests.contract.lan_pool import ANYWHERE, Pool, address_of, dialing
from tests.contract.lines import Run

DECODER = msgspec.msgpack.Decoder(list[bytes])
AROUND = 6  # bytes that msgpack puts around one long message


class End:
    """One end of a link, and what it heard."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.opened: asyncio.Queue[Link[bytes]] = asyncio.Queue()
        self.lost: asyncio.Queue[str] = asyncio.Queue()

    def make(self) -> Link[bytes]:
        def on_messages(_link: Link[bytes], _epoch: int, messages: Sequence[bytes]) -> None:
            for message in messages:
                self.heard.put_nowait(message)

        return Link(
            DECODER,
            on_messages,
            self.opened.put_nowait,
            lambda _link, reason: self.lost.put_nowait(reason),
        )


async def linked(pool: Pool, calling: TlsNetwork) -> tuple[End, Link[bytes], End, Link[bytes]]:
    here, there = End(), End()
    listener = await pool.network().listen(ANYWHERE, there.make)
    await calling.connect(address_of(listener), here.make)
    ours, theirs = await here.opened.get(), await there.opened.get()
    listener.close()
    return here, ours, there, theirs


def test_a_message_of_100000_bytes_arrives_and_one_more_byte_is_refused(
    run: Run, tmp_path: Path
) -> None:
    """A37, A39."""
    pool = Pool(tmp_path / "pool")
    calling = dialing(pool.add("laptop"))

    async def talk() -> None:
        here, ours, there, _ = await linked(pool, calling)
        content = bytes(MESSAGE_BYTES_MAX - AROUND)
        ours.send(content)
        assert await asyncio.wait_for(there.heard.get(), 10) == content
        ours.send(content + b"x")
        reason = await asyncio.wait_for(here.lost.get(), 10)
        assert "of 100001 bytes; the limit is 100000" in reason
        await asyncio.wait_for(there.lost.get(), 10)
        assert there.heard.empty()

    run(talk())


def test_a_frame_that_says_it_is_longer_ends_the_connection(run: Run, tmp_path: Path) -> None:
    """A39: before it is read."""
    pool = Pool(tmp_path / "pool")
    calling = dialing(pool.add("laptop"))

    async def talk() -> None:
        here, ours, there, _ = await linked(pool, calling)
        ours.transport.write(HEADER.pack(MESSAGE_BYTES_MAX + 1, 0, 0, 1))
        reason = await asyncio.wait_for(there.lost.get(), 10)
        assert reason == "frame of 100001 bytes; the limit is 100000"
        await asyncio.wait_for(here.lost.get(), 10)

    run(talk())


def test_a_bundle_of_five_megabytes_arrives_in_parts(run: Run, tmp_path: Path) -> None:
    """A38."""
    pool = Pool(tmp_path / "pool")
    calling = dialing(pool.add("laptop"))
    part = bytes(range(250)) * 360
    count = BUNDLE_BYTES_MAX // len(part)

    async def talk() -> None:
        here, ours, there, _ = await linked(pool, calling)
        for _ in range(count):
            ours.send(part)
        for _ in range(count):
            assert await asyncio.wait_for(there.heard.get(), 10) == part
        ours.drop("done")
        await asyncio.wait_for(there.lost.get(), 10)
        await asyncio.wait_for(here.lost.get(), 10)

    run(talk())
