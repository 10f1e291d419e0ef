"""Simulated folders: what is on the platter, and what only the kernel holds.

A write changes what readers see at once and the platter when a sync completes, after a drawn
time. When the power fails, or (with `kill_loss_chance`) when the process is killed, each write
that was not synced survives whole, torn at sectors of 512 bytes, or not at all, independently of
the others. After a plain kill the kernel still holds everything, and it is still not durable.
"""

import random
from collections.abc import Callable

import msgspec

from tandem.domain.errors import DiskFailedError, DiskFullError, JournalBusyError
from tandem.sim.loop import SimLoop
from tandem.sim.process import Killed, SimProcess

SECTOR_BYTES = 512
MS_NS = 1_000_000
Range = tuple[int, int]


class DiskFaults(msgspec.Struct, frozen=True, kw_only=True):
    """What disks do; chances are per sync unless they say otherwise. Default: calm.

    `inline` syncs are done before `sync` returns. After a failed sync nobody knows what is on
    the platter, and the kernel believes that all is well.
    """

    sync_ns: Range = (60_000, 400_000)
    stall_chance: float = 0.0
    stall_ns: Range = (5 * MS_NS, 1_000 * MS_NS)
    inline_chance: float = 0.0
    fail_chance: float = 0.0
    kill_loss_chance: float = 0.0  # per death of a process


class Pending(msgspec.Struct):
    """A write that the platter does not hold."""

    offset: int
    data: bytes


class Content:
    """One file: `seen` by readers, `durable` on the platter, and the `pending` difference."""

    __slots__ = ("durable", "pending", "seen")

    def __init__(self, content: bytes) -> None:
        self.seen = bytearray(content)
        self.durable = bytearray(content)
        self.pending: list[Pending] = []

    def write(self, offset: int, data: bytes) -> None:
        """Change what readers see."""
        self.seen[offset : offset + len(data)] = data
        self.pending.append(Pending(offset, data))

    def settle(self, count: int) -> None:
        """Bring the oldest `count` pending writes to the platter."""
        for write in self.pending[:count]:
            self.durable[write.offset : write.offset + len(write.data)] = write.data
        del self.pending[:count]

    def settle_by_chance(self, draws: random.Random) -> None:
        """Let each pending write reach the platter whole, torn, or not at all."""
        for write in self.pending:
            _land(self.durable, write, draws)
        self.pending.clear()

    def forget(self) -> None:
        """Show readers the platter: the kernel's memory is gone."""
        self.seen[:] = self.durable


def _land(platter: bytearray, write: Pending, draws: random.Random) -> None:
    fate = draws.randrange(4)
    if fate == 0:
        return
    end = write.offset + len(write.data)
    start = write.offset
    sectors_kept = draws.randrange(1 + (end - start) // SECTOR_BYTES)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        whole, prefix = fate == 1, fate == 2 and sectors_kept > 0
        if whole or prefix or (fate == 3 and draws.random() < 0.5):
            platter[start:stop] = write.data[start - write.offset : stop - write.offset]
        sectors_kept -= 1
        start = stop


class Folder:
    """One folder of one machine; it outlives the processes that use it.

    `capacity_bytes` None means that there is always room. For other processes and for a scenario
    it is a `tandem.ports.ReadableDisk`.
    """

    def __init__(
        self,
        name: str,
        loop: SimLoop,
        *,
        draws: random.Random,
        faults: Callable[[], DiskFaults],
        trace: Callable[[str], None],
    ) -> None:
        self.name = name
        self.loop = loop
        self.draws = draws
        self.faults = faults
        self.trace = trace
        self.files: dict[str, Content] = {}
        self.capacity_bytes: int | None = None
        self.holder: SimProcess | None = None

    @property
    def used_bytes(self) -> int:
        """How much room the files take."""
        return sum(len(content.seen) for content in self.files.values())

    def fill(self) -> None:
        """Leave no room but what a deleted file gives back."""
        self.capacity_bytes = self.used_bytes

    def require_room(self, size: int) -> None:
        """Raise DiskFullError unless `size` more bytes fit."""
        if self.capacity_bytes is not None and self.used_bytes + size > self.capacity_bytes:
            raise DiskFullError(
                f"{self.name}: {size} bytes more than {self.used_bytes} of {self.capacity_bytes}"
            )

    def names(self) -> list[str]:
        """Return the names of all files, sorted; see `ReadableDisk`."""
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        """Return what a reader sees; see `ReadableDisk`."""
        content = self.files.get(name)
        if content is None:
            raise FileNotFoundError(name)
        return bytes(content.seen)

    def hold(self, process: SimProcess) -> "SimDisk":
        """Open the folder for `process`, alone among the living.

        Raises:
            JournalBusyError: another living process, or this one, holds it.
        """
        if self.holder is not None and self.holder.alive:
            raise JournalBusyError(f"{self.name} is held by {self.holder.name}")
        self.holder = process
        return SimDisk(self, process)

    def lose_power(self) -> None:
        """Let chance decide about everything that was not synced."""
        for _, content in sorted(self.files.items()):
            content.settle_by_chance(self.draws)
            content.forget()

    def holder_died(self) -> None:
        """Its process was killed; the kernel may or may not live on."""
        if self.draws.random() < self.faults().kill_loss_chance:
            self.lose_power()


class SimDisk:
    """Satisfies `tandem.ports.Disk` for one process."""

    def __init__(self, folder: Folder, process: SimProcess) -> None:
        self._folder = folder
        self._process = process

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return self._folder.names()

    def read(self, name: str) -> bytes:
        """Return the whole content; see `Disk.read`."""
        self._require_alive()
        return self._folder.read(name)

    def create(self, name: str, size: int) -> "SimFile":
        """Make a file of zeros; see `Disk.create`."""
        self._process.before("create")
        if name in self._folder.files:
            raise FileExistsError(name)
        self._folder.require_room(size)
        self._folder.files[name] = Content(bytes(size))
        self._folder.trace(f"create {name} {size}")
        self._process.after("create")
        return SimFile(self._folder, self._process, name)

    def expect(self, size: int) -> None:
        """See `Disk.expect`; files are made at once here."""

    def open(self, name: str) -> "SimFile":
        """Open an existing file; see `Disk.open`."""
        self._require_alive()
        if name not in self._folder.files:
            raise FileNotFoundError(name)
        return SimFile(self._folder, self._process, name)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file as a whole; see `Disk.replace`."""
        self._process.before("replace")
        self._folder.require_room(len(content))
        self._folder.files[name] = Content(content)
        self._folder.trace(f"replace {name} {len(content)}")
        self._process.after("replace")

    def delete(self, name: str) -> None:
        """Remove a file; see `Disk.delete`."""
        self._process.before("delete")
        self._folder.files.pop(name, None)
        self._folder.trace(f"delete {name}")
        self._process.after("delete")

    def _require_alive(self) -> None:
        if not self._process.alive:
            raise Killed


class SimFile:
    """Satisfies `tandem.ports.File`."""

    def __init__(self, folder: Folder, process: SimProcess, name: str) -> None:
        self._folder = folder
        self._process = process
        self._name = name
        self._content = folder.files[name]
        self._is_open = True
        self._syncs_due_ns = 0

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; see `File.write`."""
        self._process.before("write")
        self._require_open()
        end = offset + len(data)
        if offset < 0 or end > len(self._content.seen):
            raise ValueError(f"{self._name}: {offset}..{end} of {len(self._content.seen)} bytes")
        self._content.write(offset, bytes(data))
        self._process.after("write")

    def sync(self, done: Callable[[], None]) -> None:
        """Make all that was written durable; see `File.sync`."""
        self._process.before("sync")
        self._require_open()
        folder = self._folder
        faults = folder.faults()
        if faults.fail_chance and folder.draws.random() < faults.fail_chance:
            self._content.settle_by_chance(folder.draws)
            folder.trace(f"sync failed {self._name}")
            raise DiskFailedError(f"{self._name}: the disk did not confirm")
        # Syncs of one file complete in order; each covers what was written before it was asked.
        idle = self._syncs_due_ns <= folder.loop.now_ns
        if idle and faults.inline_chance and folder.draws.random() < faults.inline_chance:
            self._complete(len(self._content.pending))
            self._process.after("sync")
            done()
            return
        low, high = faults.sync_ns
        delay_ns = low + int(folder.draws.random() * (high - low))
        if faults.stall_chance and folder.draws.random() < faults.stall_chance:
            low, high = faults.stall_ns
            delay_ns += low + int(folder.draws.random() * (high - low))
            self._process.after("stall")
        self._syncs_due_ns = max(self._syncs_due_ns, folder.loop.now_ns + delay_ns)
        written = list(self._content.pending)
        folder.loop.at(self._syncs_due_ns, self._land, written, done)
        self._process.after("sync")

    def close(self) -> None:
        """Give the file up; see `File.close`."""
        self._is_open = False

    def _land(self, written: list[Pending], done: Callable[[], None]) -> None:
        # The kernel goes on with it when the process is killed; only nobody hears of it.
        pending = self._content.pending
        last = written[-1] if written else None
        count = next((n + 1 for n, write in enumerate(pending) if write is last), 0)
        self._complete(count)
        self._folder.loop.deliver(self._process, done)

    def _complete(self, count: int) -> None:
        self._content.settle(count)
        self._folder.trace(f"sync {self._name} {count}")

    def _require_open(self) -> None:
        if not self._is_open:
            raise ValueError(f"{self._name} is closed")
