"""Secrets are on the TLS link to whoever needs them, and nowhere else."""

import os
import selectors
import socket
import threading
from pathlib import Path
from types import TracebackType

import msgspec

from tandem.wiring.home import Home
from tandem.wiring.settings import Settings, take_paper
from tests.system.lan_running import HERE, free_ports, lines_until, machine, token_of
from tests.system.running import memory_of, pool, processes, tandem, wait_for
from tests.system.test_lan import taken_over

PROXY = "127.0.0.2"  # another address of this computer: the same ports are free there


class Tap:
    """Passes on what goes to five ports of a pool, both ways, and keeps every byte."""

    def __init__(self, port: int) -> None:
        self.seen = bytearray()
        self._selector = selectors.DefaultSelector()
        self._others: dict[socket.socket, socket.socket] = {}
        for number in range(port, port + 5):
            listening = socket.create_server((PROXY, number))
            self._selector.register(listening, selectors.EVENT_READ, number)
        self._wake, waker = socket.socketpair()
        self._waker = waker
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Tap":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waker.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._wake:
                    return
                if key.data is not None:
                    self._connect(key.fileobj, key.data)
                elif key.fileobj in self._others:
                    self._pass_on(key.fileobj)

    def _connect(self, listening: socket.socket, port: int) -> None:
        near, _ = listening.accept()
        far = socket.create_connection((HERE, port))
        for one, other in ((near, far), (far, near)):
            self._others[one] = other
            self._selector.register(one, selectors.EVENT_READ, None)

    def _pass_on(self, one: socket.socket) -> None:
        other = self._others[one]
        try:
            content = one.recv(65_536)
            self.seen += content
            other.sendall(content)
        except OSError:
            content = b""
        if not content:
            for end in (one, other):
                del self._others[end]
                self._selector.unregister(end)
                end.close()


def test_secrets_travel_sealed_and_are_kept_nowhere(tmp_path: Path) -> None:
    """A6, I15: by all bytes on the wire, both homes, both logs, journals and memories."""
    tower, laptop = Home(tmp_path / "tower"), tmp_path / "laptop"
    planted = _planted(tower)
    port = free_ports()
    with (
        pool(tower.folder, "--workers", 4, "--lan", f"{HERE}:{port}"),
        Tap(port) as tap,
    ):
        token = token_of(tower.folder)
        arguments = (f"{PROXY}:{port}", "--token", token, "--name", "laptop")
        with machine(laptop, *arguments) as process:
            lines_until(process, "in the pool")
            worker = taken_over(tower.folder, "laptop")
            code, out, err = tandem("order", "buy", "T", 16, "--wait", "--home", tower.folder)
            assert code == 0, out + err
            status = wait_for(tower.folder, lambda _: True)
            own = next(slot.account_id for slot in status.slots if slot.worker == worker)
            if os.geteuid() == 0:  # nobody else may look
                memory = memory_of(processes(process.pid)[worker])
                known = [key for key, secret in planted.items() if secret in memory]
                assert known == [own]
            for pid in processes(process.pid).values():
                limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
                core = next(line for line in limits.splitlines() if line.startswith("Max core"))
                assert core.split()[4:6] == ["0", "0"]
        code, out, err = tandem("log", "show", "--json", "--home", tower.folder)
        assert code == 0, err
    hidden = {**planted, "token": token.encode(), "machine": _private(laptop / "joined")}
    for name in ("authority", "server"):
        hidden[name] = _private(tower.lan, name)
    assert len(tap.seen) > 10_000
    assert b"in the pool" not in tap.seen
    assert b"heartbeat" not in tap.seen
    for what, secret in hidden.items():
        assert secret not in tap.seen, f"{what} on the wire"
        assert secret not in out.encode(), f"{what} in the journal"
    kept = {path for folder in (tower.folder, laptop) for path in folder.rglob("*")}
    for path in kept - {tower.paper_file}:
        if path.is_file() and path.suffix != ".key":
            content = path.read_bytes()
            for what, secret in hidden.items():
                assert secret not in content, f"{what} in {path}"


def test_the_processes_of_a_pool_leave_no_core_dumps(tmp_path: Path) -> None:
    """I15: not as files, and not to a program that the kernel starts."""
    home = tmp_path / "home"
    with pool(home, "--workers", 2) as process:
        for name, pid in processes(process.pid).items():
            # The kernel gives what belongs to a process that cannot be dumped to root.
            limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
            core = next(line for line in limits.splitlines() if line.startswith("Max core"))
            assert core.split()[4:6] == ["0", "0"], name
            filtered = Path(f"/proc/{pid}/coredump_filter")
            assert filtered.stat().st_uid == 0, name


def _planted(home: Home) -> dict[str, bytes]:
    """Give each account of a new home a secret that stands nowhere by chance."""
    home.make()
    paper = take_paper(home, Settings(accounts=4), None)
    accounts = tuple(
        msgspec.structs.replace(one, secret=f"planted-{number * 7919 + 10_007}-{one.account_id}")
        for number, one in enumerate(paper.exchange.accounts)
    )
    exchange = msgspec.structs.replace(paper.exchange, accounts=accounts)
    marked = msgspec.structs.replace(paper, exchange=exchange)
    home.paper_file.write_bytes(msgspec.json.encode(marked))
    return {one.account_id: one.secret.encode() for one in accounts}


def _private(folder: Path, name: str = "machine") -> bytes:
    """Return a line of a private key."""
    return (folder / f"{name}.key").read_bytes().splitlines()[1]
