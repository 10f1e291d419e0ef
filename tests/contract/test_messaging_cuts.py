"""Cables that are cut again and again amid the traffic: what was under way is gone each time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

from tandem.messaging.broker import Broker
from tandem.messaging.client import Client
from tandem.messaging.history import Depth
from tandem.messaging.places import Bind, Connect
from tandem.messaging.publisher import Publisher
from tandem.messaging.server import Server
from tandem.messaging.subscriber import Subscriber
from tandem.messaging.worker import Worker
from tests.contract.lines import Run
from tests.contract.messages import Heard, ipc, until

CUTS = 5
APART = 20_000  # bytes between two cuts: the five take less than any test here sends


class Cable:
    """Carries bytes between who connects to `outer` and who listens at `inner`; cut now and then.

    It cuts itself by what it carried, so that how fast the machine is changes nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.inner, self.outer = folder / "inner", folder / "outer"
        self.ends: list[asyncio.StreamWriter] = []
        self.carried = self.cuts = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def on_connected(
        self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter
    ) -> None:
        far, far_end = await asyncio.open_unix_connection(self.inner)
        self.ends += [near_end, far_end]
        for source, target in ((near, far_end), (far, near_end)):
            self.tasks.add(asyncio.create_task(self.carry(source, target)))

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(2_000):
                self.carried += len(piece)
                target.write(piece)
                if self.cuts < CUTS and self.carried >= (self.cuts + 1) * APART:
                    self.cuts += 1
                    self.cut()
        target.close()

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()


@asynccontextmanager
async def laid(folder: Path) -> AsyncIterator[Cable]:
    """A cable whose two sides may come and go; it is taken away whatever happens."""
    cable = Cable(folder)
    server = await asyncio.start_unix_server(cable.on_connected, cable.outer)
    try:
        yield cable
    finally:
        server.close()
        cable.cut()
        if cable.tasks:
            await asyncio.wait(cable.tasks)


def test_a_stream_is_whole_after_cuts(run: Run, tmp_path: Path) -> None:
    """B7: through reconnects."""
    count_all = 5_000

    async def talk() -> None:
        heard, depth = Heard(), Depth(messages_max=count_all)
        async with laid(tmp_path) as cable:
            with (
                closing(Subscriber(Bind(ipc(tmp_path, "inner")), heard)),
                closing(
                    Publisher(Connect(ipc(tmp_path, "outer")), name="p", run=1, depth=depth)
                ) as publisher,
            ):
                for count in range(count_all):
                    publisher.publish(b"x", payload=b"%d" % count)
                    if count % 10 == 0:
                        await asyncio.sleep(0)
                await heard.until(count_all)
                assert cable.cuts == CUTS
                assert heard.payloads == [b"%d" % count for count in range(count_all)]

    run(talk())


def test_requests_are_carried_out_once_through_cuts(run: Run, tmp_path: Path) -> None:
    carried_out: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        carried_out.append(asked)
        return asked

    async def talk() -> None:
        asked = [b"%0100d" % count for count in range(900)]
        async with laid(tmp_path) as cable:
            with (
                closing(Server(Bind(ipc(tmp_path, "inner")), answer)),
                closing(Client(Connect(ipc(tmp_path, "outer")), retry_ns=20_000_000)) as client,
            ):
                answers = [asyncio.create_task(client.ask(one, timeout_s=15)) for one in asked]
                assert await asyncio.gather(*answers) == asked
                assert cable.cuts == CUTS
                assert sorted(carried_out) == asked

    run(talk())


def test_each_task_has_one_outcome_through_cuts(run: Run, tmp_path: Path) -> None:
    """B15: a cut worker's tasks are done elsewhere, and it comes back."""

    async def do(payload: bytes) -> bytes:
        await asyncio.sleep(0)
        return payload

    async def talk() -> None:
        async with laid(tmp_path) as cable, AsyncExitStack() as ends:
            broker = ends.enter_context(closing(Broker(Bind(ipc(tmp_path, "inner")), run=1)))
            for one, end in enumerate(("outer", "outer", "inner")):
                worker = Worker(Connect(ipc(tmp_path, end)), do, name=f"{end} {one}")
                ends.enter_context(closing(worker))
            await until(lambda: len(broker.workers()) == 3)
            told: list[object] = []
            payloads = [b"%0100d" % count for count in range(3_000)]
            for count, payload in enumerate(payloads):
                broker.give(b"%d" % (count % 50), payload=payload, on_outcome=told.append)
                if count % 10 == 0:
                    await asyncio.sleep(0)
            await until(lambda: len(told) == len(payloads))
            assert sorted(one for one in told if isinstance(one, bytes)) == payloads
            assert cable.cuts > 0  # who is not cut may have done the rest
            await until(lambda: len(broker.workers()) == 3)

    run(talk())
