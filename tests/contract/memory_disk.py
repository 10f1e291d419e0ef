"""A small disk in memory that can be slow, full, broken, or lose power."""

from collections import deque
from collections.abc import Callable

from tandem.domain.errors import DiskFailedError, DiskFullError


class MemoryFile:
    """Content as a reader sees it, and as it is on the platter."""

    def __init__(self, disk: "MemoryDisk", content: bytes) -> None:
        self._disk = disk
        self.seen = bytearray(content)
        self.durable = bytes(content)
        self.written: list[tuple[int, bytes]] = []
        self.is_open = False

    def write(self, offset: int, data: bytes) -> None:
        assert self.is_open
        if self._disk.is_refusing_writes:
            raise DiskFullError("no room to copy on write")
        assert offset + len(data) <= len(self.seen), "a file keeps its size"
        self.written.append((offset, data))
        self.seen[offset : offset + len(data)] = data

    def sync(self, done: Callable[[], None]) -> None:
        assert self.is_open
        self._disk.start_sync(self, bytes(self.seen), done)

    def close(self) -> None:
        assert self.is_open
        self.is_open = False


class MemoryDisk:
    """Satisfies `tandem.ports.Disk`.

    With `is_slow` a sync is confirmed by `finish_sync`, not before. `room` is what all files
    together may take. What is lost in a power cut is drawn sector by sector.
    """

    def __init__(
        self, files: dict[str, bytes] | None = None, *, is_slow: bool = False, room: int = 1 << 30
    ) -> None:
        self.files = {name: MemoryFile(self, content) for name, content in (files or {}).items()}
        self.is_slow = is_slow
        self.room = room
        self.is_broken = False
        self.is_refusing_writes = False
        self.reads: list[str] = []
        self.expected: list[int] = []
        self.syncs: deque[tuple[MemoryFile, bytes, Callable[[], None]]] = deque()

    def names(self) -> list[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        return bytes(self._file(name).seen)

    def create(self, name: str, size: int) -> MemoryFile:
        assert name not in self.files
        self._take_room(size)
        file = self.files[name] = MemoryFile(self, bytes(size))
        file.is_open = True
        return file

    def expect(self, size: int) -> None:
        self.expected.append(size)

    def open(self, name: str) -> MemoryFile:
        file = self._file(name)
        assert not file.is_open
        file.is_open = True
        return file

    def replace(self, name: str, content: bytes) -> None:
        self._take_room(len(content))
        self.files[name] = MemoryFile(self, content)

    def delete(self, name: str) -> None:
        self.files.pop(name, None)

    def start_sync(self, file: MemoryFile, content: bytes, done: Callable[[], None]) -> None:
        if self.is_broken:
            raise DiskFailedError("the disk is broken")
        self.syncs.append((file, content, done))
        if not self.is_slow:
            self.finish_sync()

    def finish_sync(self) -> None:
        file, content, done = self.syncs.popleft()
        file.durable = content
        done()

    def finish_syncs(self) -> None:
        while self.syncs:
            self.finish_sync()

    def contents(self) -> dict[str, bytes]:
        """Return every file as a killed process leaves it: all that was written."""
        return {name: bytes(file.seen) for name, file in self.files.items()}

    def after_power_cut(
        self, is_kept: Callable[[], bool], *, sector_bytes: int = 512
    ) -> dict[str, bytes]:
        """Return every file as a power cut leaves it.

        Each sector that was written since the last sync is the new one when `is_kept` says so,
        else the old one.
        """
        left: dict[str, bytes] = {}
        for name, file in self.files.items():
            old = file.durable.ljust(len(file.seen), b"\0")
            pieces: list[bytes] = []
            for begin in range(0, len(old), sector_bytes):
                before = old[begin : begin + sector_bytes]
                after = bytes(file.seen[begin : begin + sector_bytes])
                pieces.append(after if before != after and is_kept() else before)
            left[name] = b"".join(pieces)
        return left

    def _file(self, name: str) -> MemoryFile:
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]

    def _take_room(self, size: int) -> None:
        if self.is_broken:
            raise DiskFailedError("the disk is broken")
        if sum(len(file.seen) for file in self.files.values()) + size > self.room:
            raise DiskFullError("no room in memory")
