"""Writing the log, and opening it again after any end of the process.

Opening checks everything after the newest good snapshot before a record is handed out. Three
things make what was read as good as what was confirmed:

- A torn tail is overwritten with zeros, so its bytes can never be mistaken for a batch later.
- The last good batch is written once more. It may be in the page cache without being on the disk
  (a process killed between write and sync, or a sync that failed), and all before it was
  confirmed by its own sync.
- Both are synced before the first new batch is written.

Writing keeps to the rule that `frames` builds on: one batch at a time, the next one only when it
is durable, and a new segment or snapshot only when nothing is under way.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tandem.adapters.journal.frames import (
    GENESIS,
    Head,
    Place,
    Snapshot,
    batch_size,
    checked_records,
    encode_batch,
    encode_snapshot,
)
from tandem.adapters.journal.reading import (
    Contents,
    Walk,
    contents,
    read_snapshot,
    segment_name,
    snapshot_name,
)
from tandem.domain.errors import DiskFailedError, DiskFullError, JournalCorruptError
from tandem.ports import Disk, File

RESERVE_NAME = "reserve"
SEGMENT_BYTES = 16 << 20
RESERVE_BYTES = 4 << 20
JOINED_BYTES = 1 << 20  # several waiting commits are joined up to this size
COMMIT_BYTES = 64 << 20  # the most that one commit may hold
SNAPSHOTS_KEPT = 2


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier process left.

    `records` are those after `snapshot` (or from the first), read one segment at a time; their
    numbers begin at `first_record`. `torn_bytes` were behind the last batch and are cut off;
    nobody had been told of them. `damaged_snapshots` were passed over for an older one, or for
    replaying more.
    """

    snapshot: bytes | None
    first_record: int
    records: Iterator[bytes]
    torn_bytes: int
    damaged_snapshots: Sequence[str]


class _Commit(msgspec.Struct, frozen=True):
    records: list[bytes]
    done: Callable[[], None]


class _Opened(msgspec.Struct, frozen=True, kw_only=True):
    """How a log ends: where the journal goes on."""

    head: Head
    snapshot_record: int
    segment: int
    is_made: bool
    size: int
    offset: int
    last_batch: bytes
    torn_bytes: int


def open_log(
    disk: Disk, *, segment_bytes: int = SEGMENT_BYTES, reserve_bytes: int = RESERVE_BYTES
) -> tuple[Recovered, "LogJournal"]:
    """Return what the log on `disk` holds, and the journal that goes on with it.

    Segments before the newest good snapshot are not read. A new log is an empty one.

    Raises:
        JournalCorruptError: something changed after it was durable, or is missing; names the
            file and the offset. Nothing was changed.
        DiskFailedError: the disk did not confirm.
    """
    found = contents(disk)
    snapshot, damaged = _newest_snapshot(disk, found)
    head = snapshot.head if snapshot is not None else GENESIS
    first = snapshot.segment if snapshot is not None else 1
    _refuse_missing(found, first)
    walk = Walk(disk, found, first=first, head=head)
    ends: dict[int, int] = {}
    for _, batch in walk.batches():
        ends[walk.segment] = batch.end
    recovered = Recovered(
        snapshot=snapshot.state if snapshot is not None else None,
        first_record=head.record + 1,
        records=_records(disk, ends),
        torn_bytes=walk.torn_bytes,
        damaged_snapshots=damaged,
    )
    opened = _Opened(
        head=walk.head,
        snapshot_record=head.record,
        segment=walk.segment,
        is_made=walk.segment in found.segments,
        size=walk.size,
        offset=walk.offset,
        last_batch=walk.last_batch,
        torn_bytes=walk.torn_bytes,
    )
    journal = LogJournal(disk, opened, segment_bytes=segment_bytes, reserve_bytes=reserve_bytes)
    return recovered, journal


class LogJournal:
    """Satisfies `tandem.ports.Journal` over a `Disk`; made by `open_log`."""

    def __init__(
        self, disk: Disk, opened: _Opened, *, segment_bytes: int, reserve_bytes: int
    ) -> None:
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._reserve_bytes = reserve_bytes
        self._head = opened.head
        self._snapshot_record = opened.snapshot_record
        # The segment that `_file` is; without a file, the one that is made next.
        self._segment = opened.segment
        self._file: File | None = None
        self._size = opened.size
        self._offset = opened.offset
        self._appended: list[bytes] = []
        self._appended_bytes = 0
        self._waiting: deque[_Commit] = deque()
        self._next_record = opened.head.record + 1
        self._in_flight: list[_Commit] | None = None
        self._durable: deque[_Commit] = deque()
        self._is_running = False
        self._is_short_of_room = False
        self._failure: str | None = None
        if opened.is_made:
            self._file = disk.open(segment_name(opened.segment))
            self._confirm(self._file, opened)
        if RESERVE_NAME not in disk.names():
            self._make_reserve()

    @property
    def next_record(self) -> int:
        """See `Journal.next_record`."""
        return self._next_record

    @property
    def records_since_snapshot(self) -> int:
        """See `Journal.records_since_snapshot`."""
        return self._head.record - self._snapshot_record

    @property
    def is_idle(self) -> bool:
        """See `Journal.is_idle`."""
        return self._in_flight is None and not self._waiting and not self._appended

    @property
    def is_short_of_room(self) -> bool:
        """See `Journal.is_short_of_room`."""
        return self._is_short_of_room

    def append(self, record: bytes) -> None:
        """See `Journal.append`."""
        self._refuse_after_failure()
        self._next_record += 1
        self._appended.append(record)
        self._appended_bytes += len(record)
        assert self._appended_bytes <= COMMIT_BYTES, f"{self._appended_bytes} bytes in one commit"

    def commit(self, done: Callable[[], None]) -> None:
        """See `Journal.commit`."""
        self._refuse_after_failure()
        self._waiting.append(_Commit(self._appended, done))
        self._appended, self._appended_bytes = [], 0
        self._run()

    def snapshot(self, state: bytes) -> None:
        """See `Journal.snapshot`."""
        self._refuse_after_failure()
        assert self.is_idle, "a snapshot while records are on their way"
        is_begun = self._file is not None and self._offset > 0
        segment = self._segment + 1 if is_begun else self._segment
        content = encode_snapshot(Snapshot(head=self._head, segment=segment, state=state))
        try:
            self._disk.replace(snapshot_name(self._head.batch), content)
            for batch in contents(self._disk).snapshots[:-SNAPSHOTS_KEPT]:
                self._disk.delete(snapshot_name(batch))
        except DiskFailedError as error:
            self._failure = str(error)
            raise
        self._snapshot_record = self._head.record
        if is_begun:
            self._leave_segment()

    def probe_room(self) -> None:
        """See `Journal.probe_room`."""
        self._refuse_after_failure()
        if self._is_short_of_room:
            self._make_reserve()
        if self._waiting and not self._is_short_of_room:
            with contextlib.suppress(DiskFullError):
                self._run()

    def close(self) -> None:
        """See `Journal.close`."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _confirm(self, file: File, opened: _Opened) -> None:
        """Write the last batch again, zeros over what was torn, and sync: see the module."""
        block = opened.last_batch + bytes(opened.torn_bytes)
        if block:
            file.write(opened.offset - len(opened.last_batch), block)
        # Even with nothing to write: zeros over a torn tail may be an earlier process', unsynced.
        self._in_flight = []
        file.sync(self._on_synced)

    def _on_synced(self) -> None:
        assert self._in_flight is not None, "a sync was confirmed twice"
        self._durable.extend(self._in_flight)
        self._in_flight = None
        self._run()

    def _run(self) -> None:
        """Start what can be started, then tell what is durable; never within itself.

        The next batch is on its way to the disk before the effects of the last are performed.
        """
        if self._is_running:
            return
        self._is_running = True
        try:
            while True:
                if self._in_flight is None and self._waiting:
                    self._write_next()
                if not self._durable:
                    return
                while self._durable:
                    self._durable.popleft().done()
        finally:
            self._is_running = False

    def _write_next(self) -> None:
        commits = self._next_commits()
        records = [record for commit in commits for record in commit.records]
        try:
            if records:
                self._write(records, commits)
        except DiskFailedError as error:
            self._failure = str(error)
            raise
        if not records:
            self._take(commits)
            self._durable.extend(commits)

    def _next_commits(self) -> list[_Commit]:
        """Return the first waiting commits that together make a batch of a reasonable size."""
        if len(self._waiting) == 1:
            return list(self._waiting)
        commits: list[_Commit] = []
        size = 0
        for commit in self._waiting:
            size += batch_size(commit.records)
            if commits and size > JOINED_BYTES:
                break
            commits.append(commit)
        return commits

    def _write(self, records: list[bytes], commits: list[_Commit]) -> None:
        needed = batch_size(records)
        if self._file is not None and self._offset + needed > self._size:
            self._leave_segment()
        file = self._file if self._file is not None else self._make_segment(needed)
        place = Place(self._segment, self._offset)
        block, head = encode_batch(records, self._head, place)
        self._put(file, block)
        self._take(commits)
        self._head = head
        self._offset += needed
        self._in_flight = commits
        file.sync(self._on_synced)
        if self._offset > self._size // 2:
            # To fill the next segment with zeros takes long, and nothing is confirmed meanwhile.
            self._disk.expect(self._segment_bytes)

    def _take(self, commits: list[_Commit]) -> None:
        for _ in commits:
            self._waiting.popleft()

    def _put(self, file: File, block: bytes) -> None:
        """Write into a segment; one that copies on write may find the disk full even here."""
        try:
            file.write(self._offset, block)
        except DiskFullError as error:
            self._spend_reserve(error)
            try:
                file.write(self._offset, block)
            except DiskFullError as again:
                # Half a batch may be there now. A restart cuts it off; we cannot go on over it.
                self._failure = str(again)
                raise

    def _leave_segment(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        self._segment += 1

    def _make_segment(self, needed: int) -> File:
        """Make the next segment, large enough for `needed` bytes, from the reserve if need be."""
        name = segment_name(self._segment)
        size = max(needed, self._segment_bytes)
        try:
            file = self._disk.create(name, size)
        except DiskFullError as error:
            self._spend_reserve(error)
            size = max(needed, min(self._segment_bytes, self._reserve_bytes))
            file = self._disk.create(name, size)
        self._file, self._size, self._offset = file, size, 0
        return file

    def _spend_reserve(self, error: DiskFullError) -> None:
        """Give the reserve back to the disk, or raise `error` when that was done before."""
        if RESERVE_NAME not in self._disk.names():
            self._is_short_of_room = True
            raise error
        self._is_short_of_room = True
        self._disk.delete(RESERVE_NAME)

    def _make_reserve(self) -> None:
        try:
            self._disk.create(RESERVE_NAME, self._reserve_bytes).close()
            self._is_short_of_room = False
        except DiskFullError:
            self._is_short_of_room = True
        except DiskFailedError as error:
            self._failure = str(error)
            raise

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise DiskFailedError(f"the journal failed before: {self._failure}")


def _newest_snapshot(disk: Disk, found: Contents) -> tuple[Snapshot | None, list[str]]:
    """Return the newest good snapshot, and the names of the damaged ones that are newer."""
    damaged: list[str] = []
    for batch in reversed(found.snapshots):
        snapshot = read_snapshot(disk, batch)
        if snapshot is not None:
            return snapshot, damaged
        damaged.append(snapshot_name(batch))
    return None, damaged


def _refuse_missing(found: Contents, first: int) -> None:
    """Refuse when segment `first` should be there and is not.

    It need not be there when it would be the next one to be made.
    """
    lowest, newest = (found.segments[0], found.segments[-1]) if found.segments else (1, 0)
    if not lowest <= first <= newest + 1:
        missing = first if first < lowest else newest + 1
        raise JournalCorruptError(f"{segment_name(missing)}: the file is missing")


def _records(disk: Disk, ends: dict[int, int]) -> Iterator[bytes]:
    for segment, end in ends.items():
        yield from checked_records(disk.read(segment_name(segment)), end)
