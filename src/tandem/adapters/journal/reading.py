"""Walking through a log, checking every byte; nothing is changed.

A log that is being written can be read too: the names are taken first, so every segment but the
last of them is finished. In the last one, a read can overtake a write; so a fault there counts
only when a second read shows it at the same place.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tandem.adapters.journal.frames import (
    GENESIS,
    Batch,
    Head,
    Place,
    Snapshot,
    decode_snapshot,
    read_batch,
    read_tail,
    records_of,
)
from tandem.domain.errors import JournalCorruptError
from tandem.ports import ReadableDisk

_SEGMENT = re.compile(r"segment-(\d{8})")
_SNAPSHOT = re.compile(r"snapshot-(\d{16})")


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal's folder holds: numbers of segments, and batches of snapshots, rising."""

    segments: Sequence[int]
    snapshots: Sequence[int]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole log holds; `size_bytes` is that of its batches.

    `torn_bytes` are behind the last batch: never confirmed to anybody, or being written now.
    """

    batches: int
    records: int
    size_bytes: int
    head_hash: bytes
    torn_bytes: int
    snapshots: int


def segment_name(number: int) -> str:
    """Return the file name of a segment; they are numbered from 1."""
    return f"segment-{number:08d}"


def snapshot_name(batch: int) -> str:
    """Return the file name of the snapshot that stands for all up to `batch`."""
    return f"snapshot-{batch:016d}"


def contents(disk: ReadableDisk) -> Contents:
    """Return the segments and snapshots on `disk`.

    Raises:
        JournalCorruptError: a segment between two others is missing.
    """
    names = disk.names()
    segments = sorted(int(found[1]) for name in names if (found := _SEGMENT.fullmatch(name)))
    snapshots = sorted(int(found[1]) for name in names if (found := _SNAPSHOT.fullmatch(name)))
    for before, after in itertools.pairwise(segments):
        if after != before + 1:
            raise JournalCorruptError(f"{segment_name(before + 1)}: the file is missing")
    return Contents(segments=segments, snapshots=snapshots)


def read_snapshot(disk: ReadableDisk, batch: int) -> Snapshot | None:
    """Return the snapshot for `batch`, or None when its file is damaged.

    Raises:
        FileNotFoundError: it is not there (any more).
    """
    snapshot = decode_snapshot(disk.read(snapshot_name(batch)))
    return snapshot if snapshot is not None and snapshot.head.batch == batch else None


class Walk:
    """One walk over the segments from `first` on, where the chain continues at `head`.

    After the last batch it says how the log ends: the chain's `head`; the last `segment`, its
    `size`, the `offset` behind its last batch and that batch's bytes; `torn_bytes` behind it.
    """

    def __init__(self, disk: ReadableDisk, found: Contents, *, first: int, head: Head) -> None:
        self._disk = disk
        self._numbers = [number for number in found.segments if number >= first]
        self._newest_snapshot = max(found.snapshots, default=0)
        self.head = head
        self.segment = first
        self.size = 0
        self.offset = 0
        self.last_batch = b""
        self.torn_bytes = 0

    def batches(self) -> Iterator[tuple[bytes, Batch]]:
        """Yield each segment's content with each of its batches, in order.

        Raises:
            JournalCorruptError: something changed after it was durable; names the place.
        """
        for number in self._numbers:
            yield from self._segment(number, is_last=number == self._numbers[-1])
        if self._newest_snapshot > self.head.batch:
            place = f"{segment_name(self.segment)}: offset {self.offset}"
            name = snapshot_name(self._newest_snapshot)
            raise JournalCorruptError(
                f"{place}: the log ends after batch {self.head.batch}, but there is {name}"
            )

    def _segment(self, number: int, *, is_last: bool) -> Iterator[tuple[bytes, Batch]]:
        self.segment, self.offset, self.last_batch = number, 0, b""
        fault_offset = -1
        last_begin = 0
        while True:
            content = self._disk.read(segment_name(number))
            self.size = len(content)
            while True:
                batch = read_batch(content, Place(number, self.offset), self.head)
                if batch is None:
                    break
                self.head, self.offset = batch.head, batch.end
                last_begin = batch.begin
                yield content, batch
            self.last_batch = content[last_begin : self.offset]
            fault = self._judge(content, is_last=is_last)
            if fault is None:
                return
            if not is_last or self.offset == fault_offset:
                place = f"{segment_name(number)}: offset {self.offset}"
                raise JournalCorruptError(f"{place}: {fault}")
            fault_offset = self.offset

    def _judge(self, content: bytes, *, is_last: bool) -> str | None:
        tail = read_tail(content, Place(self.segment, self.offset), self.head)
        if tail.torn_bytes and not is_last:
            return f"no batch here, but there is {segment_name(self.segment + 1)}"
        self.torn_bytes = tail.torn_bytes
        return tail.fault


def read_all(disk: ReadableDisk) -> Iterator[tuple[int, int, bytes]]:
    """Yield batch number, record number and record, from the first ever written.

    Raises:
        JournalCorruptError: see `verify`; what was yielded before is good.
    """
    for content, batch in _whole(disk, contents(disk)).batches():
        for number, record in enumerate(records_of(content, batch), batch.first_record):
            yield batch.head.batch, number, record


def verify(
    disk: ReadableDisk,
    on_segment: Callable[[int, int], None] | None = None,
    on_records: Callable[[list[bytes]], None] | None = None,
) -> Verified:
    """Return what the log holds, after checking all of it from the first byte.

    Args:
        disk: where the log is; it may be in use.
        on_segment: told the number of each segment before it is read, and of the last one.
        on_records: told the records of each batch, in order.

    Raises:
        JournalCorruptError: something changed after it was durable, or is missing; names the
            file and the offset.
    """
    found = contents(disk)
    walk = _whole(disk, found)
    snapshots = [snapshot for batch in found.snapshots if (snapshot := _snapshot(disk, batch))]
    expected = {snapshot.head.batch: snapshot.head for snapshot in snapshots}
    size = 0
    told = 0
    _compare(expected, GENESIS)
    for content, batch in walk.batches():
        if on_segment is not None and walk.segment != told:
            told = walk.segment
            on_segment(told, found.segments[-1])
        size += batch.end - batch.begin
        records = records_of(content, batch)
        if on_records is not None:
            on_records(records)
        _compare(expected, batch.head)
    return Verified(
        batches=walk.head.batch,
        records=walk.head.record,
        size_bytes=size,
        head_hash=walk.head.hash,
        torn_bytes=walk.torn_bytes,
        snapshots=len(snapshots),
    )


def _whole(disk: ReadableDisk, found: Contents) -> Walk:
    if found.segments and found.segments[0] != 1:
        raise JournalCorruptError(f"{segment_name(1)}: the file is missing")
    return Walk(disk, found, first=1, head=GENESIS)


def _snapshot(disk: ReadableDisk, batch: int) -> Snapshot | None:
    """Return a snapshot; None when it gave way to newer ones while we looked."""
    try:
        snapshot = read_snapshot(disk, batch)
    except FileNotFoundError:
        return None
    if snapshot is None:
        raise JournalCorruptError(f"{snapshot_name(batch)}: offset 0: the snapshot is damaged")
    return snapshot


def _compare(expected: dict[int, Head], head: Head) -> None:
    if expected.get(head.batch, head) != head:
        name = snapshot_name(head.batch)
        raise JournalCorruptError(f"{name}: offset 0: it is not a snapshot of this log")
