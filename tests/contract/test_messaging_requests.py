"""Request-reply over real sockets, on both event loops."""

import asyncio
from pathlib import Path

import pytest
import zmq

from tandem.messaging import words
from tandem.messaging.answers import Limits
from tandem.messaging.client import OPEN_MAX, Client
from tandem.messaging.errors import (
    AddressError,
    ClosedError,
    FullError,
    NoAnswerError,
    RefusedError,
    TooLargeError,
)
from tandem.messaging.places import BYTES_MAX, Bind, Connect
from tandem.messaging.server import Answer, Server
from tandem.messaging.sockets import LoopSocket
from tests.contract.lines import Run
from tests.contract.messages import ipc, until


def shout(asked: bytes) -> bytes:
    if asked == b"no":
        raise RefusedError("never")
    return asked.upper()


async def think(asked: bytes) -> bytes:
    await asyncio.sleep(0)
    return shout(asked)


@pytest.mark.parametrize("answer", [shout, think])
def test_a_request_has_its_reply(run: Run, tmp_path: Path, answer: Answer) -> None:
    async def talk() -> None:
        client = Client(Connect(ipc(tmp_path)))
        early = asyncio.create_task(client.ask(b"early", timeout_s=10))
        await asyncio.sleep(0)
        server = Server(Bind(ipc(tmp_path)), answer)
        assert await early == b"EARLY"
        asked = [client.ask(str(one).encode() + b"x", timeout_s=10) for one in range(200)]
        assert await asyncio.gather(*asked) == [str(one).encode() + b"X" for one in range(200)]
        with pytest.raises(RefusedError, match="never"):
            await client.ask(b"no", timeout_s=10)
        client.close()
        server.close()

    run(talk())


def test_a_repeated_request_is_carried_out_once(run: Run, tmp_path: Path) -> None:
    """The first answers are late, so that each request is sent several times."""
    carried_out: list[bytes] = []

    async def talk() -> None:
        may_answer = asyncio.Event()

        async def answer(asked: bytes) -> bytes:
            carried_out.append(asked)
            await may_answer.wait()
            return asked

        server = Server(Bind(ipc(tmp_path)), answer)
        client = Client(Connect(ipc(tmp_path)), retry_ns=1_000_000)
        asked = [
            asyncio.create_task(client.ask(str(one).encode(), timeout_s=10)) for one in range(5)
        ]
        await until(lambda: server.repeated >= 20)
        may_answer.set()
        assert await asyncio.gather(*asked) == [str(one).encode() for one in range(5)]
        assert len(carried_out) == 5
        client.close()
        server.close()

    run(talk())


def test_an_answer_that_got_lost_is_said_again_and_not_made_again(run: Run, tmp_path: Path) -> None:
    made: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        made.append(asked)
        return b"answer %d" % len(made)

    async def talk() -> None:
        server = Server(Bind(ipc(tmp_path)), answer)
        request = words.encode(words.Request(b"client", 0, 0, b"question"))
        heard: list[bytes] = []
        for count in (1, 2):  # the client's connection breaks; it asks over another one
            line = LoopSocket(
                zmq.DEALER, Connect(ipc(tmp_path)), lambda parts: heard.append(parts[0])
            )
            line.send([request])
            await until(lambda count=count: len(heard) == count)  # type: ignore[misc]
            line.close()
        assert heard == [words.encode(words.Reply(0, b"answer 1"))] * 2
        server.close()

    run(talk())


def test_a_client_finds_a_server_that_was_started_anew(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        client = Client(Connect(ipc(tmp_path)), retry_ns=20_000_000)
        for _ in range(3):
            server = Server(Bind(ipc(tmp_path)), shout)
            assert await client.ask(b"there?", timeout_s=10) == b"THERE?"
            server.close()
        client.close()

    run(talk())


def test_no_answer_in_time_is_said_as_such(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        client = Client(Connect(ipc(tmp_path)))
        with pytest.raises(NoAnswerError, match=r"request 0: no answer in 0\.01 s"):
            await client.ask(b"anybody?", timeout_s=0.01)
        asked = asyncio.create_task(client.ask(b"anybody?", timeout_s=10))
        await asyncio.sleep(0)
        client.close()
        with pytest.raises(ClosedError):
            await asked
        with pytest.raises(ClosedError):
            await client.ask(b"anybody?", timeout_s=10)
        await client.run()

    run(talk())


def test_limits_are_said(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        forever = asyncio.Event()

        async def answer(asked: bytes) -> bytes:
            if asked == b"long":
                return bytes(BYTES_MAX + 1)
            await forever.wait()
            return asked

        server = Server(Bind(ipc(tmp_path)), answer, Limits(open_max=2))
        client = Client(Connect(ipc(tmp_path)))
        with pytest.raises(RefusedError, match=f"its answer has {BYTES_MAX + 1} bytes"):
            await client.ask(b"long", timeout_s=10)
        asked = [asyncio.create_task(client.ask(b"1", timeout_s=10)) for _ in range(3)]
        with pytest.raises(RefusedError, match="2 requests are open, the most"):
            await asked[2]
        asked += [asyncio.create_task(client.ask(b"1", timeout_s=10)) for _ in range(OPEN_MAX - 2)]
        await asyncio.sleep(0)
        with pytest.raises(FullError, match="1000 requests await"):
            await client.ask(b"1", timeout_s=10)
        with pytest.raises(TooLargeError):
            await client.ask(bytes(BYTES_MAX + 1), timeout_s=10)
        client.close()
        server.close()
        await asyncio.gather(*asked, return_exceptions=True)

    run(talk())


def test_bytes_that_are_no_request_are_counted(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        server = Server(Bind(ipc(tmp_path)), shout)
        stranger = LoopSocket(zmq.DEALER, Connect(ipc(tmp_path)), lambda parts: None)
        for said in (b"", b"\xff\xfe", words.encode(words.Leaving())):
            stranger.send([said])
        await until(lambda: server.malformed == 3)
        client = Client(Connect(ipc(tmp_path)))
        assert await client.ask(b"still there?", timeout_s=10) == b"STILL THERE?"
        stranger.close()
        client.close()
        server.close()

    run(talk())


def test_a_fault_of_what_answers_comes_out_of_run(run: Run, tmp_path: Path) -> None:
    async def at_once(asked: bytes) -> bytes:
        raise LookupError(asked.decode())

    async def talk() -> None:
        server = Server(Bind(ipc(tmp_path)), at_once)
        client = Client(Connect(ipc(tmp_path)))
        asked = asyncio.create_task(client.ask(b"who?", timeout_s=10))
        with pytest.raises(LookupError, match="who"):
            await server.run()
        client.close()
        with pytest.raises(ClosedError):
            await asked

    run(talk())


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ipc:///nowhere/at/all", "ipc:///nowhere/at/all: "),
        (f"ipc:///tmp/{'x' * 200}", "longer than a path can be"),
        ("tcp://127.0.0.1:no", "tcp://127.0.0.1:no: Invalid argument"),
        ("carrier pigeon", "carrier pigeon: Invalid argument"),
    ],
)
def test_an_address_that_cannot_be_is_named(run: Run, address: str, reason: str) -> None:
    async def talk() -> None:
        with pytest.raises(AddressError, match=reason):
            Server(Bind(address), shout)

    run(talk())
