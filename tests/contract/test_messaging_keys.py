"""CURVE keys over TCP: who has none of the allowed ones is not heard."""

import asyncio
import socket
from pathlib import Path

import pytest
import zmq

from tandem.messaging.broker import Broker
from tandem.messaging.client import Client
from tandem.messaging.errors import NoAnswerError
from tandem.messaging.places import Bind, BindKeys, Connect, ConnectKeys, new_keys
from tandem.messaging.publisher import Publisher
from tandem.messaging.server import Server
from tandem.messaging.sockets import LoopSocket
from tandem.messaging.subscriber import Subscriber
from tandem.messaging.worker import Worker
from tests.contract.lines import Run
from tests.contract.messages import Heard, ipc, until

OURS, THEIRS, STRANGE = new_keys(), new_keys(), new_keys()
DOOR = BindKeys(own=OURS, allowed=frozenset([THEIRS.public]))
KEYS = ConnectKeys(own=THEIRS, server=OURS.public)


def free_address() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{one.getsockname()[1]}"


def echo(payload: bytes) -> bytes:
    return payload


def test_every_pattern_works_encrypted(run: Run) -> None:
    async def requests(address: str) -> None:
        server, client = Server(Bind(address, DOOR), echo), Client(Connect(address, KEYS))
        assert await client.ask(b"question", timeout_s=10) == b"question"
        server.close()
        client.close()

    async def streams(address: str) -> None:
        heard = Heard()
        subscriber = Subscriber(Bind(address, DOOR), heard)
        publisher = Publisher(Connect(address, KEYS), name="adapter", run=1)
        publisher.publish(b"minutes", payload=b"bar")
        await heard.until(1)
        subscriber.close()
        publisher.close()

    async def tasks(address: str) -> None:
        broker = Broker(Bind(address, DOOR), run=1)
        worker = Worker(Connect(address, KEYS), echo, name="w")
        assert await broker.submit(b"k", payload=b"task") == b"task"
        broker.close()
        worker.close()

    async def talk() -> None:
        for pattern in (requests, streams, tasks):
            await pattern(free_address())

    run(talk())


@pytest.mark.parametrize(
    "keys",
    [
        None,
        ConnectKeys(own=STRANGE, server=OURS.public),
        ConnectKeys(own=THEIRS, server=STRANGE.public),
    ],
    ids=["plain text", "an unknown key", "another server's key"],
)
def test_who_has_no_allowed_key_is_not_heard(run: Run, keys: ConnectKeys | None) -> None:
    asked: list[bytes] = []

    def answer(payload: bytes) -> bytes:
        asked.append(payload)
        return payload

    async def talk() -> None:
        address = free_address()
        server = Server(Bind(address, DOOR), answer)
        known, stranger = Client(Connect(address, KEYS)), Client(Connect(address, keys))
        with pytest.raises(NoAnswerError):
            await stranger.ask(b"stranger", timeout_s=0.5)
        assert await known.ask(b"known", timeout_s=10) == b"known"
        assert asked == [b"known"]
        for end in (known, stranger):
            end.close()
        server.close()

    run(talk())


def test_a_refused_key_is_told_so_at_the_handshake(run: Run) -> None:
    """The monitor of a raw socket sees the refusal, so that its silence above is no accident."""

    async def talk() -> None:
        address = free_address()
        server = Server(Bind(address, DOOR), echo)
        context = zmq.Context()
        raw = context.socket(zmq.DEALER)
        raw.linger = 0
        raw.curve_publickey, raw.curve_secretkey = STRANGE.public, STRANGE.secret
        raw.curve_serverkey = OURS.public
        monitor = raw.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        raw.connect(address)
        assert await asyncio.to_thread(monitor.poll, 5_000)
        raw.disable_monitor()
        monitor.close()
        raw.close()
        context.term()
        server.close()

    run(talk())


def test_a_broker_takes_workers_of_named_holders_beside_its_own(run: Run, tmp_path: Path) -> None:
    """B15: at two addresses, one of them encrypted; a name that is another's is not taken."""
    members = {THEIRS.public: "laptop"}

    async def share() -> None:
        address = free_address()
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        broker.admit(Bind(address, BindKeys(own=OURS, allowed=members.get)))
        here = Worker(Connect(ipc(tmp_path)), echo, name="e1")
        there = Worker(Connect(address, KEYS), echo, name="laptop-e1")
        stranger = Worker(
            Connect(address, ConnectKeys(own=STRANGE, server=OURS.public)), echo, name="laptop-e2"
        )
        impostors = [Worker(Connect(address, KEYS), echo, name=one) for one in ("e1", "laptop-x-1")]
        await until(lambda: broker.malformed > 4)
        await until(lambda: len(broker.workers()) == 2)
        assert {one.name for one in broker.workers()} == {"e1", "laptop-e1"}
        here.close()
        assert await broker.submit(b"k", payload=b"far away") == b"far away"
        for end in (there, stranger, *impostors):
            end.close()
        broker.close()

    run(share())


def test_who_holds_no_allowed_key_any_more_is_cut_off(run: Run, tmp_path: Path) -> None:
    """What it had is done elsewhere, and it never comes in again; the others do by themselves."""
    second = new_keys()
    members = {THEIRS.public: "laptop", second.public: "attic"}
    refused: list[bytes] = []

    def holder(key: bytes) -> str | None:
        if key not in members:
            refused.append(key)
        return members.get(key)

    async def share() -> None:
        address = free_address()
        door = Bind(address, BindKeys(own=OURS, allowed=holder))
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        broker.admit(door)
        begun: list[bytes] = []

        async def hang(payload: bytes) -> bytes:
            begun.append(payload)
            await asyncio.Event().wait()
            return payload

        removed = Worker(Connect(address, KEYS), hang, name="laptop-e1")
        await until(lambda: len(broker.workers()) == 1)
        task = asyncio.create_task(broker.submit(b"k", payload=b"task"))
        await until(lambda: begun == [b"task"])
        keys = ConnectKeys(own=second, server=OURS.public)
        stays = Worker(Connect(address, keys), echo, name="attic-e1")
        await until(lambda: len(broker.workers()) == 2)
        del members[THEIRS.public]
        broker.admit(door)
        assert broker.workers() == []
        assert await task == b"task"
        assert [one.name for one in broker.workers()] == ["attic-e1"]
        assert broker.counts.given_up == 0
        await until(lambda: len(refused) > 2)  # it tries again and again
        assert set(refused) == {THEIRS.public}
        assert [one.name for one in broker.workers()] == ["attic-e1"]
        assert begun == [b"task"]
        members[THEIRS.public] = "laptop"
        await until(lambda: len(broker.workers()) == 2)
        for end in (removed, stays):
            end.close()
        broker.close()

    run(share())


def test_when_it_cannot_be_judged_nobody_is_let_in(run: Run) -> None:
    """An error of who judges closes the end that asked, and comes out of it."""

    def judge(_key: bytes) -> str | None:
        raise RuntimeError("the list of members is gone")

    async def share() -> None:
        address = free_address()
        server = Server(Bind(address, BindKeys(own=OURS, allowed=judge)), echo)
        client = Client(Connect(address, KEYS))
        with pytest.raises(RuntimeError, match="members is gone"):
            await server.run()
        with pytest.raises(NoAnswerError):
            await client.ask(b"question", timeout_s=0.5)
        client.close()

    run(share())


def test_nothing_can_be_read_on_the_way(run: Run, tmp_path: Path) -> None:
    """Between a broker and a worker with keys; the same words without keys can be."""
    task, outcome = b"buy low, sell high" * 9, b"what came of it" * 9

    async def overheard(keys: tuple[BindKeys, ConnectKeys] | tuple[None, None]) -> bytes:
        inner, outer = free_address(), free_address()
        port = int(inner.rpartition(":")[2])
        kept = bytearray()

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while part := await source.read(65_536):
                kept.extend(part)
                sink.write(part)
            sink.close()

        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(carry(reader, to_writer), carry(to_reader, writer))

        listener = await asyncio.start_server(pass_on, "127.0.0.1", int(outer.rpartition(":")[2]))
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        broker.admit(Bind(inner, keys[0]))
        worker = Worker(Connect(outer, keys[1]), lambda _: outcome, name="laptop-e1")
        assert await broker.submit(b"k", payload=task) == outcome
        worker.close()
        broker.close()
        listener.close()
        return bytes(kept)

    async def talk() -> None:
        door = BindKeys(own=OURS, allowed={THEIRS.public: "laptop"}.get)
        sealed, plain = await overheard((door, KEYS)), await overheard((None, None))
        for word in (task, outcome, b"laptop-e1", b"Ready"):
            assert word in plain
            assert word not in sealed
        assert b"CURVE" in sealed

    run(talk())


def test_keys_hide_their_secret() -> None:
    keys = new_keys()
    assert keys.secret.decode() not in repr(
        Bind("tcp://*:1", BindKeys(own=keys, allowed=frozenset()))
    )
    assert keys.public.decode() in repr(keys)


def test_without_keys_a_socket_is_plain(run: Run) -> None:
    async def talk() -> None:
        address = free_address()
        heard: list[bytes] = []
        there = LoopSocket(zmq.DEALER, Bind(address), lambda parts: heard.extend(parts))
        here = LoopSocket(zmq.DEALER, Connect(address), lambda parts: None)
        assert here.send([b"plain"])
        await until(lambda: heard != [])
        assert heard == [b"plain"]
        there.close()
        here.close()

    run(talk())
