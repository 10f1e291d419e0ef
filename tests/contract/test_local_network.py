"""Real Unix sockets, on both event loops."""

import asyncio
import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.processes import start_time
from tandem.domain.errors import ConfigurationError
from tests.contract.lines import Line, Run

CONNECT = """
import asyncio, sys
from tandem.adapters.local.network import UnixNetwork
async def main():
    await UnixNetwork().connect(sys.argv[1], asyncio.Protocol)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def modes(address: str) -> tuple[int, int]:
    status, folder = Path(address).stat(), Path(address).parent.stat()
    assert stat.S_ISSOCK(status.st_mode)
    return stat.S_IMODE(folder.st_mode), stat.S_IMODE(status.st_mode)


def is_there(address: str) -> bool:
    return Path(address).exists()


def remove(address: str) -> None:
    Path(address).unlink()


def write(address: str, text: str) -> None:
    Path(address).write_text(text)


def read(address: str) -> str:
    return Path(address).read_text()


@pytest.fixture(params=["", "x" * 60 + "/" + "y" * 60], ids=["short path", "long path"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "run" / request.param / "coordinator")


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_what_is_said_at_one_end_is_heard_at_the_other(run: Run, address: str) -> None:
    async def talk() -> None:
        network, there, here = UnixNetwork(), Line(), Line()
        listener = await network.listen(address, lambda: there)
        await network.connect(address, lambda: here)
        (await here.made()).write(b"question")
        assert await there.heard.get() == b"question"
        (await there.made()).write(b"answer")
        assert await here.heard.get() == b"answer"
        (await here.made()).close()
        await there.is_lost.wait()
        await here.is_lost.wait()
        listener.close()

    run(talk())


def test_folder_and_socket_are_ours_alone(run: Run, address: str) -> None:
    async def look() -> None:
        listener = await UnixNetwork().listen(address, Line)
        assert modes(address) == (0o700, 0o600)
        listener.close()

    run(look())


def test_a_folder_that_is_open_to_others_is_refused(run: Run, tmp_path: Path) -> None:
    async def refuse() -> None:
        with pytest.raises(ConfigurationError, match="open to others"):
            await UnixNetwork().listen(str(tmp_path / "socket"), Line)

    tmp_path.chmod(0o755)
    run(refuse())


def test_both_ends_see_who_is_at_the_other(run: Run, address: str) -> None:
    async def look() -> None:
        network, there, here = UnixNetwork(), Line(), Line()
        listener = await network.listen(address, lambda: there)
        await network.connect(address, lambda: here)
        for line in (there, here):
            peer = network.peer(await line.made())
            assert peer is not None
            assert (peer.pid, peer.started) == (os.getpid(), start_time(os.getpid()))
        listener.close()
        (await here.made()).close()
        assert network.peer(await here.made()) is None
        await there.is_lost.wait()

    run(look())


def test_another_process_is_seen_until_it_has_gone(run: Run, address: str) -> None:
    async def look() -> None:
        network, there = UnixNetwork(), Line()
        listener = await network.listen(address, lambda: there)
        other = python(CONNECT, address)
        transport = await there.made()
        peer = network.peer(transport)
        assert peer is not None
        assert (peer.pid, peer.started) == (other.pid, start_time(other.pid))
        transport.pause_reading()
        other.kill()
        other.communicate()
        assert network.peer(transport) is None
        listener.close()

    run(look())


def test_a_peer_whose_pid_may_be_anothers_is_not_named(run: Run, address: str) -> None:
    """Its connection has ended, so the start time found may be that of a later process."""

    async def look() -> None:
        network, there = UnixNetwork(), Line()
        listener = await network.listen(address, lambda: there)
        with socket.socket(socket.AF_UNIX) as connection:
            await asyncio.get_running_loop().run_in_executor(None, _connect, connection, address)
            transport = await there.made()
            transport.pause_reading()
            assert network.peer(transport) is not None
        assert start_time(os.getpid()) is not None
        assert network.peer(transport) is None
        listener.close()

    run(look())


def _connect(connection: socket.socket, address: str) -> None:
    folder = os.open(Path(address).parent, os.O_RDONLY)
    connection.connect(f"/proc/self/fd/{folder}/{Path(address).name}")
    os.close(folder)


def test_another_user_is_refused_at_either_end(run: Run, address: str) -> None:
    """Modes do not keep root out, so both ends ask the kernel who the other one is."""

    async def refuse() -> None:
        ours, others, here = UnixNetwork(), UnixNetwork(uid=os.geteuid() + 1), Line()
        listener = await others.listen(address, Line)
        await ours.connect(address, lambda: here)
        await here.is_lost.wait()
        assert Line.ends == [here]
        with pytest.raises(PermissionError, match=f"user {os.geteuid()} listens there"):
            await others.connect(address, Line)
        assert Line.ends == [here]
        listener.close()

    run(refuse())


def test_where_nobody_listens_connecting_is_refused(run: Run, address: str) -> None:
    async def refuse() -> None:
        network = UnixNetwork()
        with pytest.raises(FileNotFoundError):
            await network.connect(address, Line)
        listener = await network.listen(address, Line)
        listener.close()
        assert not is_there(address)
        with pytest.raises(FileNotFoundError):
            await network.connect(address, Line)

    run(refuse())


def test_the_socket_of_a_dead_owner_is_replaced(run: Run, address: str) -> None:
    async def replace() -> None:
        network, there = UnixNetwork(), Line()
        (await network.listen(address, Line)).close()
        with socket.socket(socket.AF_UNIX) as dead:
            folder = os.open(Path(address).parent, os.O_RDONLY)
            dead.bind(f"/proc/self/fd/{folder}/{Path(address).name}")
            os.close(folder)
        with pytest.raises(ConnectionRefusedError):
            await network.connect(address, Line)
        listener = await network.listen(address, lambda: there)
        await network.connect(address, Line)
        await there.made()
        listener.close()

    run(replace())


def test_a_living_owner_is_not_replaced(run: Run, address: str) -> None:
    async def refuse() -> None:
        network = UnixNetwork()
        listener = await network.listen(address, Line)
        with pytest.raises(OSError, match="in use") as refused:
            await network.listen(address, Line)
        assert refused.value.errno == errno.EADDRINUSE
        await network.connect(address, Line)
        listener.close()

    run(refuse())


def test_a_living_owner_with_a_full_backlog_is_not_replaced(run: Run, address: str) -> None:
    async def refuse() -> None:
        network = UnixNetwork()
        (await network.listen(address, Line)).close()
        folder = os.open(Path(address).parent, os.O_RDONLY)
        name = f"/proc/self/fd/{folder}/{Path(address).name}"
        with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
            busy.bind(name)
            busy.listen(0)
            first.connect(name)
            with pytest.raises(BlockingIOError):
                await network.connect(address, Line)
            with pytest.raises(OSError, match="in use"):
                await network.listen(address, Line)
        os.close(folder)

    run(refuse())


def test_what_is_not_a_socket_is_never_removed(run: Run, address: str) -> None:
    async def refuse() -> None:
        network = UnixNetwork()
        (await network.listen(address, Line)).close()
        write(address, "somebody's work")
        with pytest.raises(OSError, match="in use"):
            await network.listen(address, Line)
        assert read(address) == "somebody's work"

    run(refuse())


def test_a_closed_listener_leaves_open_connections_and_anothers_socket(
    run: Run, address: str
) -> None:
    async def close() -> None:
        network, there, here = UnixNetwork(), Line(), Line()
        old = await network.listen(address, lambda: there)
        await network.connect(address, lambda: here)
        await there.made()
        remove(address)
        new = await network.listen(address, Line)
        old.close()
        old.close()
        (await here.made()).write(b"still here")
        assert await there.heard.get() == b"still here"
        await network.connect(address, Line)
        new.close()

    run(close())


def test_many_may_connect_at_once(run: Run, address: str) -> None:
    async def connect() -> None:
        network = UnixNetwork()
        lines: list[Line] = []
        heard = asyncio.Queue[bytes]()

        def make() -> Line:
            lines.append(Line())
            lines[-1].heard = heard
            return lines[-1]

        listener = await network.listen(address, make)
        ours = [Line() for _ in range(50)]
        for line in ours:
            await network.connect(address, lambda line=line: line)  # type: ignore[misc]
        for line in ours:
            (await line.made()).write(b"x")
        for _ in ours:
            await heard.get()
        assert len(lines) == 50
        listener.close()

    run(connect())


def test_a_name_too_long_for_any_socket_is_refused(run: Run, tmp_path: Path) -> None:
    async def refuse() -> None:
        with pytest.raises(OSError, match="too long"):
            await UnixNetwork().listen(str(tmp_path / ("n" * 120)), Line)

    run(refuse())
