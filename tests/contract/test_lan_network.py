"""Who is kept out of a pool's TLS ports, how it learns why, and how the pool does."""

import asyncio
import contextlib
import shutil
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import HANDSHAKES_OF_ONE_MAX, TlsNetwork
from tandem.adapters.lan.refusals import LINES_MAX, SparingLog
from tests.contract.lan_pool import ANYWHERE, Pool, address_of, dialing, now_s
from tests.contract.lines import Line, Run


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path / "pool")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


def refused(run: Run, pool: Pool, machine: Path, *, told: str, said: str) -> None:
    """See that a machine is refused, and that both sides know why."""

    async def connect() -> None:
        listener = await pool.network().listen(ANYWHERE, Line)
        with pytest.raises(ConnectionError, match=told):
            await dialing(machine).connect(address_of(listener), Line)
        await until(lambda: any(said in one for one in pool.said))
        listener.close()

    run(connect())


def test_a_removed_machine_is_told_so(run: Run, pool: Pool) -> None:
    machine = pool.add("laptop")
    pool.machines.remove("laptop", now_s())
    reason = "laptop was removed from the pool"
    refused(run, pool, machine, told=reason, said=f"127.0.0.1 refused: {reason}")


def test_a_machine_whose_certificate_was_replaced_is_told_so(run: Run, pool: Pool) -> None:
    machine = pool.add("laptop")
    shutil.copytree(machine, pool.folder / "old")
    pool.machines.remove("laptop", now_s())
    shutil.rmtree(machine)
    pool.add("laptop")
    refused(run, pool, pool.folder / "old", told="newer certificate", said="newer certificate")


def test_a_machine_that_the_pool_does_not_know_is_told_so(run: Run, pool: Pool) -> None:
    machine = pool.add("laptop")
    (pool.folder / "machines.json").unlink()
    refused(run, pool, machine, told="no machine laptop is known", said="no machine laptop")


def test_an_expired_certificate_is_refused(run: Run, pool: Pool) -> None:
    machine = pool.add("laptop", days=-2)
    refused(run, pool, machine, told="certificate", said="certificate has expired")


def test_a_certificate_of_another_pool_is_refused(run: Run, pool: Pool, tmp_path: Path) -> None:
    machine = Pool(tmp_path / "other").add("laptop")
    # It knows our authority all the same; otherwise it would be the one to hang up.
    shutil.copy(pool.folder / "authority.crt", machine / "authority.crt")
    refused(run, pool, machine, told="certificate", said="not one of this pool")


def test_a_machine_does_not_talk_to_another_pool(run: Run, pool: Pool, tmp_path: Path) -> None:
    machine = Pool(tmp_path / "other").add("laptop")
    refused(run, pool, machine, told="not one of this pool", said="refused")


def test_without_a_certificate_nobody_comes_in(run: Run, pool: Pool) -> None:
    async def connect() -> None:
        listener = await pool.network().listen(ANYWHERE, Line)
        context = contexts.joining(pool.authority.certificate.decode())
        network = TlsNetwork(dialing=context, say=pool.said.append)
        with pytest.raises(ConnectionError):
            await network.connect(address_of(listener), Line)
        await until(lambda: any("showed no certificate" in one for one in pool.said))
        listener.close()

    run(connect())


def test_a_machine_cannot_pose_as_the_coordinator(run: Run, pool: Pool) -> None:
    """Its certificate is good for calling only."""
    impostor, victim = pool.add("impostor"), pool.add("victim")
    for name in ("crt", "key"):
        shutil.copy(impostor / f"machine.{name}", pool.folder / f"server.{name}")
    refused(run, pool, victim, told="not one of this pool", said="refused")


@pytest.mark.parametrize("content", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"tandem"])
def test_whoever_speaks_in_plain_is_refused(run: Run, pool: Pool, content: bytes) -> None:
    async def connect() -> None:
        listener = await pool.network(handshake_s=0.3).listen(ANYWHERE, Line)
        host, port = address_of(listener).split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(content)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = await reader.read()
        assert b"tandem" not in answer
        assert len(answer) <= 7  # at most an alert
        await until(lambda: any("127.0.0.1 refused" in one for one in pool.said))
        writer.close()
        listener.close()

    run(connect())


def test_older_versions_of_tls_are_refused(run: Run, pool: Pool) -> None:
    machine = pool.add("laptop")
    context = contexts.dialing(machine)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def connect() -> None:
        listener = await pool.network().listen(ANYWHERE, Line)
        network = TlsNetwork(dialing=context, say=pool.said.append)
        with pytest.raises(ConnectionError):
            await network.connect(address_of(listener), Line)
        await until(lambda: any("does not speak TLS 1.3" in one for one in pool.said))
        listener.close()

    run(connect())


def test_the_connections_of_a_machine_that_is_removed_end(run: Run, pool: Pool) -> None:
    async def remove() -> None:
        machine, other = pool.add("laptop"), pool.add("other")
        removed, kept = Line(), Line()
        listener = await pool.network().listen(ANYWHERE, Line)
        await dialing(machine).connect(address_of(listener), lambda: removed)
        await dialing(other).connect(address_of(listener), lambda: kept)
        pool.machines.remove("laptop", now_s())
        await asyncio.wait_for(removed.is_lost.wait(), 10)
        assert not kept.is_lost.is_set()
        assert any("connection of laptop is ended" in one for one in pool.said)
        listener.close()

    run(remove())


def test_a_caller_that_says_nothing_does_not_stay(run: Run, pool: Pool) -> None:
    async def connect() -> None:
        listener = await pool.network(handshake_s=0.2).listen(ANYWHERE, Line)
        host, port = address_of(listener).split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        listener.close()

    run(connect())


def test_one_host_cannot_take_all_the_room_before_the_handshake(run: Run, pool: Pool) -> None:
    async def crowd() -> None:
        listener = await pool.network().listen(ANYWHERE, Line)
        host, port = address_of(listener).split(":")
        crowd = [
            await asyncio.open_connection(host, int(port)) for _ in range(HANDSHAKES_OF_ONE_MAX)
        ]
        reader, writer = await asyncio.open_connection(host, int(port))
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert any("too many connections" in one for one in pool.said)
        for _, one in [*crowd, (reader, writer)]:
            one.close()
        machine = pool.add("laptop")

        async def connect() -> bool:
            try:
                await dialing(machine).connect(address_of(listener), Line)
            except ConnectionError:
                return False
            return True

        async with asyncio.timeout(10):
            while True:
                if await connect():
                    break
                await asyncio.sleep(0.01)
        listener.close()

    run(crowd())


def test_a_server_that_does_not_speak_tls_is_named(run: Run, pool: Pool) -> None:
    async def connect() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionError, match=rf"{address}: it does not speak TLS"):
            await dialing(pool.add("laptop")).connect(address, Line)
        server.close()

    run(connect())


def test_small_messages_leave_at_once(run: Run, pool: Pool) -> None:
    """A37: Nagle's algorithm is off at both ends."""

    async def connect() -> None:
        there, here = Line(), Line()
        listener = await pool.network().listen(ANYWHERE, lambda: there)
        await dialing(pool.add("laptop")).connect(address_of(listener), lambda: here)
        for line in (there, here):
            connection = (await line.made()).get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        listener.close()

    run(connect())


def test_a_thousand_knocks_leave_a_few_lines_in_the_log() -> None:
    said: list[str] = []
    now_s = 0.0
    log = SparingLog(said.append, lambda: now_s)
    for _ in range(1_000):
        log.say("refused")
    assert len(said) == LINES_MAX
    now_s = 60.0
    log.say("refused again")
    assert said[LINES_MAX:] == [
        f"{1_000 - LINES_MAX} more like these were not written",
        "refused again",
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "hung up instead of letting us in"),
        (b"\x05ab", "hung up instead of letting us in"),
        (b"\x06no\x1b[2J", r"refused: no\?\[2J"),
        (b"\x02\xff\xfe", "refused: \ufffd\ufffd"),
    ],
)
def test_whatever_a_server_says_instead_of_come_in_is_an_error_in_words(
    run: Run, pool: Pool, said: bytes, told: str
) -> None:
    async def connect() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            writer.close()

        context = contexts.serving(pool.folder, asks_certificate=True)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionError, match=told):
            await dialing(pool.add("laptop")).connect(address, Line)
        server.close()

    run(connect())


def test_the_first_words_may_come_together_with_come_in(run: Run, pool: Pool) -> None:
    async def connect() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\x00hello")

        context = contexts.serving(pool.folder, asks_certificate=True)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        here = Line()
        await dialing(pool.add("laptop")).connect(address, lambda: here)
        assert await asyncio.wait_for(here.heard.get(), 10) == b"hello"
        server.close()

    run(connect())


def test_a_caller_is_told_of_each_new_reason_once(run: Run, pool: Pool) -> None:
    async def connect() -> None:
        said: list[str] = []
        machine = pool.add("laptop")
        network = dialing(machine, said.append)
        listener = await pool.network().listen(ANYWHERE, Line)
        address = address_of(listener)
        pool.machines.remove("laptop", now_s())
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await network.connect(address, Line)
        assert said == [f"{address}: refused: laptop was removed from the pool"]
        listener.close()
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await network.connect(address, Line)
        assert said[1:] == [f"{address}: connection refused"]

    run(connect())
