"""Unix sockets for the processes of one user on one computer.

Who may connect is settled three times: the folder has mode 0700, the socket 0600, and at both
ends a connection from or to another user (root included) is refused by what the kernel says.
"""

import asyncio
import errno
import fcntl
import os
import select
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tandem.adapters.local.folder import private_folder
from tandem.adapters.local.processes import start_time
from tandem.ports import Listener, Peer

_BACKLOG = 128
_PATH_BYTES = 100  # the kernel's limit is 107, whatever the folder is called
_CREDENTIALS = struct.Struct("iII")  # struct ucred of unix(7): pid, uid, gid
_SHORTAGE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_SHORTAGE_PAUSE_S = 1


class LocalPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Satisfies `tandem.ports.Peer`."""

    pid: int
    started: int
    machine: None = None


class UnixNetwork:
    """Satisfies `tandem.ports.Network`; an address is a path of any length.

    Both ends must belong to user `uid`, which is ours unless said otherwise.
    """

    def __init__(self, uid: int | None = None) -> None:
        self._uid = uid if uid is not None else os.geteuid()

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """See `Network.listen`; the folder is made when it is not there.

        A socket file whose owner has ended is replaced.

        Raises:
            OSError: somebody listens there, or something else has that name.
            ConfigurationError: the folder is not ours alone.
        """
        path = Path(address)
        private_folder(path.parent)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.setblocking(False)
            # Linux gives the file the mode of the socket, so it is never open to others.
            os.fchmod(listening.fileno(), 0o600)
            _bind(listening, path)
            return _UnixListener(listening, path, make, self._uid)
        except OSError:
            listening.close()
            raise

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """See `Network.connect`.

        Raises:
            OSError: nobody listens there, or somebody who is not us.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            # A Unix socket connects at once or not at all.
            with _reachable(Path(address)) as name:
                connection.connect(name)
            _, uid = _credentials(connection)
            if uid != self._uid:
                raise PermissionError(errno.EACCES, f"user {uid} listens there", address)
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(make, sock=connection)
        except OSError:
            connection.close()
            raise

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        """See `Network.peer`.

        The connection is looked at after the start time: while it stands, the process that
        opened it lives, and the start time was its own and not that of a later process.
        """
        connection = transport.get_extra_info("socket")
        if connection is None or transport.is_closing():
            return None
        pid, _ = _credentials(connection)
        started = start_time(pid)
        if started is None or _has_hung_up(connection.fileno()):
            return None
        return LocalPeer(pid=pid, started=started)


class _UnixListener:
    """Accepts connections of one user, and owns them until their protocol does."""

    def __init__(
        self,
        listening: socket.socket,
        path: Path,
        make: Callable[[], asyncio.Protocol],
        uid: int,
    ) -> None:
        self._uid = uid
        self._listening = listening
        self._path = path
        self._identity = _identity(path)
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._adopting: set[asyncio.Task[None]] = set()
        self._is_open = True
        self._resume()

    def close(self) -> None:
        """See `Listener.close`; the socket file goes too, unless it is somebody else's now."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._listening.fileno())
        self._listening.close()
        if _identity(self._path) == self._identity:
            self._path.unlink(missing_ok=True)

    def _resume(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._listening.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        for _ in range(_BACKLOG):
            try:
                connection, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _SHORTAGE:
                    raise
                # Out of descriptors or memory: asking again at once would only burn the CPU.
                self._loop.remove_reader(self._listening.fileno())
                self._loop.call_later(_SHORTAGE_PAUSE_S, self._resume)
                return
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        _, uid = _credentials(connection)
        if uid != self._uid:
            connection.close()
            return
        task = self._loop.create_task(self._adopt(connection))
        self._adopting.add(task)
        task.add_done_callback(lambda ended: self._on_adopted(ended, connection))

    async def _adopt(self, connection: socket.socket) -> None:
        await self._loop.connect_accepted_socket(self._make, connection)

    def _on_adopted(self, task: asyncio.Task[None], connection: socket.socket) -> None:
        """Close what no protocol took over; pass on our own bugs, not a connection's end."""
        self._adopting.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            connection.close()
        if error is not None and not isinstance(error, OSError):
            raise error


def _bind(listening: socket.socket, path: Path) -> None:
    """Bind and listen; the folder is locked meanwhile, so that of two starters one is refused."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if _is_abandoned(path):
            path.unlink()
        with _reachable(path) as name:
            listening.bind(name)
        listening.listen(_BACKLOG)
    finally:
        os.close(folder)


def _is_abandoned(path: Path) -> bool:
    """Return whether `path` is a socket file to which nobody listens."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            with _reachable(path) as name:
                probe.connect(name)
        except ConnectionRefusedError:
            return True
        except BlockingIOError:  # its backlog is full
            return False
    return False


@contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """Yield a name for `path` that is short enough for a socket address."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        status = path.lstat()
        return status.st_dev, status.st_ino
    return None


def _credentials(connection: socket.socket) -> tuple[int, int]:
    """Return pid and uid of the other end, as they were when it connected or listened."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return pid, uid


def _has_hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    return bool(poll.poll(0))
