"""A folder of this computer as a disk.

Files are filled with real zeros when they are made: space that was only reserved
(`posix_fallocate`) is turned into written space at the first write of each block, which makes
every sync slower by a change of the file system's own records. New and replaced files are made
under a hidden name and renamed when they are durable, so a name never stands for half a file.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tandem.adapters.local.ahead import FileAhead
from tandem.adapters.local.folder import private_folder
from tandem.adapters.local.sync import InlineSync, Sync
from tandem.domain.errors import DiskFailedError, DiskFullError, JournalBusyError
from tandem.ports import File

_LOCK_NAME = ".lock"
_HALF_MADE = ".new-"
_AHEAD = ".ahead"
_ZEROS = bytes(1 << 20)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class FolderFile:
    """Satisfies `tandem.ports.File`; made by `FolderDisk`."""

    def __init__(self, path: Path, descriptor: int, sync: Sync) -> None:
        self._path = path
        self._descriptor = descriptor
        self._sync = sync

    def write(self, offset: int, data: bytes) -> None:
        """See `File.write`."""
        with _our_errors(self._path):
            _write(self._descriptor, data, offset=offset)

    def sync(self, done: Callable[[], None]) -> None:
        """See `File.sync`."""
        self._sync.start(self._path, self._descriptor, done)

    def close(self) -> None:
        """See `File.close`."""
        self._sync.settle()
        os.close(self._descriptor)


class FolderView:
    """Satisfies `tandem.ports.ReadableDisk`; the folder may be in use by another process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """See `ReadableDisk.names`; hidden files are our own affair.

        Raises:
            DiskFailedError: there is no such folder, or it cannot be read.
        """
        try:
            paths = list(self._folder.iterdir())
        except OSError as error:
            raise DiskFailedError(f"{self._folder}: {error.strerror}") from error
        return sorted(path.name for path in paths if not path.name.startswith("."))

    def read(self, name: str) -> bytes:
        """See `ReadableDisk.read`."""
        path = _path(self._folder, name)
        with _our_errors(path):
            return path.read_bytes()


class FolderDisk(FolderView):
    """Satisfies `tandem.ports.Disk`: the folder is ours until `close` or the process' end.

    A process that is forked (not executed anew) while the disk is open shares the lock, and
    keeps the folder busy for as long as it lives.
    """

    def __init__(self, folder: Path, sync: Sync | None = None) -> None:
        """Take the folder, making it when it is not there.

        Raises:
            ConfigurationError: the folder cannot be made, or is not ours alone.
            JournalBusyError: another process has it; says which.
        """
        super().__init__(private_folder(folder))
        self._sync = sync if sync is not None else InlineSync()
        self._ahead: FileAhead | None = None
        self._lock = _lock(folder / _LOCK_NAME)
        with _our_errors(folder):
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            for path in (*folder.glob(f"{_HALF_MADE}*"), folder / _AHEAD):
                path.unlink(missing_ok=True)

    def create(self, name: str, size: int) -> File:
        """See `Disk.create`.

        Raises:
            FileExistsError: there is such a file; it stays as it is.
            DiskFullError: no room; nothing is left behind.
            DiskFailedError: the disk refused.
        """
        path = _path(self._folder, name)
        if path.exists():
            raise FileExistsError(errno.EEXIST, "file exists", str(path))
        descriptor = self._take_ahead(path, size)
        if descriptor is None:
            descriptor = self._make(name, size, b"")
        return FolderFile(path, descriptor, self._sync)

    def expect(self, size: int) -> None:
        """See `Disk.expect`; one file at a time is made ahead."""
        if self._ahead is None:
            with suppress(OSError):
                self._ahead = FileAhead(self._folder / _AHEAD, size, self._sync.now)

    def open(self, name: str) -> File:
        """See `Disk.open`."""
        path = _path(self._folder, name)
        with _our_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        return FolderFile(path, descriptor, self._sync)

    def replace(self, name: str, content: bytes) -> None:
        """See `Disk.replace`."""
        os.close(self._make(name, 0, content))

    def delete(self, name: str) -> None:
        """See `Disk.delete`."""
        path = _path(self._folder, name)
        with _our_errors(path):
            path.unlink(missing_ok=True)
            self._sync.now(self._descriptor)

    def close(self) -> None:
        """Give the folder up; files that are open stay usable, but nothing protects them."""
        if self._ahead is not None:
            self._ahead.give_up()
        self._sync.close()
        os.close(self._descriptor)
        os.close(self._lock)

    def _take_ahead(self, path: Path, size: int) -> int | None:
        """Return the open file `path` if it was made ahead, and is as large as it must be."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        if ahead.size != size:
            ahead.give_up()
            return None
        descriptor = ahead.take()
        if descriptor is not None:
            with _our_errors(path):
                ahead.path.rename(path)
                self._sync.now(self._descriptor)
        return descriptor

    def _make(self, name: str, size: int, content: bytes) -> int:
        """Return the open file `name`, durable with its content and `size` zeros after it."""
        path = _path(self._folder, name)
        half_made = self._folder / (_HALF_MADE + name)
        with _our_errors(path):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            descriptor = os.open(half_made, flags, 0o600)
            try:
                _write(descriptor, content, offset=0)
                for begin in range(0, size, len(_ZEROS)):
                    _write(descriptor, _ZEROS[: size - begin], offset=begin)
                self._sync.now(descriptor)
                half_made.rename(path)
                self._sync.now(self._descriptor)
            except OSError:
                os.close(descriptor)
                with suppress(OSError):
                    half_made.unlink(missing_ok=True)
                raise
        return descriptor


def _write(descriptor: int, data: bytes, *, offset: int) -> None:
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        # A full disk takes part of it first and says so only when asked for the rest.
        written += os.pwrite(descriptor, data[written:], offset + written)


def _path(folder: Path, name: str) -> Path:
    is_plain = name != "" and "/" not in name and not name.startswith(".")
    assert is_plain, f"{name!r}: not a plain file name"
    return folder / name


def _lock(path: Path) -> int:
    """Return the lock file, open and locked, with our process id in it."""
    with _our_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            message = f"{path.parent}: in use by process {holder or 'unknown'}"
            raise JournalBusyError(message) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    return descriptor


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"{path}: {error.strerror}") from error
        raise DiskFailedError(f"{path}: {error.strerror}") from error
