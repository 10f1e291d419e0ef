"""CURVE keys over TCP: who has none of the allowed ones is not heard."""

import asyncio
import socket

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
from tests.contract.messages import Heard, until

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
