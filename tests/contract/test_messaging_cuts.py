"""Cables that are cut again and again amid the traffic: what was under way is gone each time."""

import asyncio
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


class Cable:
    """Carries bytes between who connects to `outer` and who listens at `inner`, until it is cut."""

    def __init__(self, folder: Path) -> None:
        self.inner, self.outer = folder / "inner", folder / "outer"
        self.ends: list[asyncio.StreamWriter] = []
        self.carried = self.cuts = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def lay(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self.on_connected, self.outer)

    async def on_connected(
        self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter
    ) -> None:
        far, far_end = await asyncio.open_unix_connection(self.inner)
        self.ends += [near_end, far_end]
        for source, target in ((near, far_end), (far, near_end)):
            task = asyncio.create_task(self.carry(source, target))
            self.tasks.add(task)

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(2_000):
            self.carried += len(piece)
            target.write(piece)
        target.close()

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()

    async def cut_often(self) -> None:
        for _ in range(CUTS):
            before = self.carried
            await until(lambda before=before: self.carried > before + 20_000)  # type: ignore[misc]
            self.cut()
            self.cuts += 1

    async def take_away(self, server: asyncio.Server) -> None:
        self.cut()
        await asyncio.wait(self.tasks)
        server.close()


def test_a_stream_is_whole_after_cuts(run: Run, tmp_path: Path) -> None:
    """B7: through reconnects."""
    count_all = 5_000

    async def talk() -> None:
        cable, heard = Cable(tmp_path), Heard()
        subscriber = Subscriber(Bind(ipc(tmp_path, "inner")), heard)
        server = await cable.lay()
        depth = Depth(messages_max=count_all)
        publisher = Publisher(Connect(ipc(tmp_path, "outer")), name="p", run=1, depth=depth)
        cutting = asyncio.create_task(cable.cut_often())
        for count in range(count_all):
            publisher.publish(b"x", payload=b"%d" % count)
            if count % 10 == 0:
                await asyncio.sleep(0)
        await heard.until(count_all)
        await cutting
        assert heard.payloads == [b"%d" % count for count in range(count_all)]
        publisher.close()
        subscriber.close()
        await cable.take_away(server)

    run(talk())


def test_requests_are_carried_out_once_through_cuts(run: Run, tmp_path: Path) -> None:
    carried_out: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        carried_out.append(asked)
        return asked

    async def talk() -> None:
        cable = Cable(tmp_path)
        answering = Server(Bind(ipc(tmp_path, "inner")), answer)
        server = await cable.lay()
        client = Client(Connect(ipc(tmp_path, "outer")), retry_ns=20_000_000)
        asked = [b"%0100d" % count for count in range(900)]
        cutting = asyncio.create_task(cable.cut_often())
        answers = [asyncio.create_task(client.ask(one, timeout_s=15)) for one in asked]
        assert await asyncio.gather(*answers) == asked
        cutting.cancel()
        assert cable.cuts > 0
        assert sorted(carried_out) == asked
        client.close()
        answering.close()
        await cable.take_away(server)

    run(talk())


def test_each_task_has_one_outcome_through_cuts(run: Run, tmp_path: Path) -> None:
    """B15: a cut worker's tasks are done elsewhere, and it comes back."""

    async def talk() -> None:
        cable = Cable(tmp_path)
        broker = Broker(Bind(ipc(tmp_path, "inner")), run=1)
        server = await cable.lay()

        async def do(payload: bytes) -> bytes:
            await asyncio.sleep(0)
            return payload

        workers = [
            Worker(Connect(ipc(tmp_path, end)), do, name=f"{end} {one}")
            for one, end in enumerate(("outer", "outer", "inner"))
        ]
        await until(lambda: len(broker.workers()) == 3)
        told: list[object] = []
        payloads = [b"%0100d" % count for count in range(3_000)]
        cutting = asyncio.create_task(cable.cut_often())
        for count, payload in enumerate(payloads):
            broker.give(b"%d" % (count % 50), payload=payload, on_outcome=told.append)
            if count % 10 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(told) == len(payloads))
        assert sorted(one for one in told if isinstance(one, bytes)) == payloads
        cutting.cancel()
        assert cable.cuts > 0
        await until(lambda: len(broker.workers()) == 3)
        for worker in workers:
            worker.close()
        broker.close()
        await cable.take_away(server)

    run(talk())
