"""What every `Journal` promises, on every disk; damage is in test_journal_damage."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tandem.adapters.journal import LogJournal, Recovered, open_log, read_all, verify
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import PageSync
from tandem.domain.errors import DiskFailedError, DiskFullError, JournalCorruptError
from tandem.ports import Disk
from tests.contract.memory_disk import MemoryDisk

MAKERS: dict[str, Callable[[Path], Disk]] = {
    "memory": lambda _: MemoryDisk(),
    "slow memory": lambda _: MemoryDisk(is_slow=True),
    "folder": lambda folder: FolderDisk(folder, PageSync()),
}
SMALL = 1000  # bytes of a segment: a few batches


@pytest.fixture(params=MAKERS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    made = MAKERS[request.param](tmp_path / "disk")
    yield made
    if isinstance(made, FolderDisk):
        made.close()


def opened(disk: Disk, *, reserve_bytes: int = 500) -> tuple[Recovered, LogJournal]:
    found, journal = open_log(disk, segment_bytes=SMALL, reserve_bytes=reserve_bytes)
    settle(disk)
    return found, journal


def settle(disk: Disk) -> None:
    if isinstance(disk, MemoryDisk):
        disk.finish_syncs()


def keep(disk: Disk, journal: LogJournal, *records: bytes) -> None:
    """Commit records together and see that they are confirmed."""
    confirmed: list[bool] = []
    for record in records:
        journal.append(record)
    journal.commit(lambda: confirmed.append(True))
    settle(disk)
    assert confirmed == [True]


def numbered(count: int, *, size: int = 100) -> list[bytes]:
    return [b"%d" % number * (size // len(b"%d" % number)) for number in range(1, count + 1)]


# --- what comes back --------------------------------------------------------------------------


def test_a_new_log_is_empty(disk: Disk) -> None:
    found, journal = opened(disk)
    assert (found.snapshot, found.first_record, list(found.records)) == (None, 1, [])
    assert (found.torn_bytes, found.damaged_snapshots) == (0, [])
    assert journal.next_record == 1
    assert journal.is_idle


def test_records_come_back_in_order_through_many_segments(disk: Disk) -> None:
    records = numbered(40)
    _, journal = opened(disk)
    for record in records:
        keep(disk, journal, record)
    journal.close()
    found, again = opened(disk)
    assert list(found.records) == records
    assert again.next_record == 41
    assert "segment-00000007" in disk.names()


def test_a_log_goes_on_where_it_ended(disk: Disk) -> None:
    records = numbered(30)
    for number, record in enumerate(records):
        found, journal = opened(disk)
        assert list(found.records) == records[:number]
        assert journal.next_record == number + 1
        keep(disk, journal, record)
        journal.close()
    assert [record for _, _, record in read_all(disk)] == records


def test_empty_records_and_those_larger_than_a_segment_are_kept(disk: Disk) -> None:
    records = [b"", b"x" * (3 * SMALL), b"", b"after"]
    _, journal = opened(disk)
    for record in records:
        keep(disk, journal, record)
    journal.close()
    found, _ = opened(disk)
    assert list(found.records) == records


def test_what_was_appended_but_not_committed_is_not_there(disk: Disk) -> None:
    _, journal = opened(disk)
    keep(disk, journal, b"committed")
    journal.append(b"appended")
    assert not journal.is_idle
    journal.close()
    found, _ = opened(disk)
    assert list(found.records) == [b"committed"]


def test_batches_and_records_are_numbered_from_one(disk: Disk) -> None:
    _, journal = opened(disk)
    keep(disk, journal, b"a", b"b")
    keep(disk, journal, b"c")
    assert list(read_all(disk)) == [(1, 1, b"a"), (1, 2, b"b"), (2, 3, b"c")]


def test_a_whole_log_is_verified_while_it_is_in_use(disk: Disk) -> None:
    _, journal = opened(disk)
    for record in numbered(20):
        keep(disk, journal, record)
    journal.snapshot(b"twenty")
    keep(disk, journal, b"more")
    segments: list[tuple[int, int]] = []
    checked = verify(disk, lambda number, last: segments.append((number, last)))
    assert (checked.batches, checked.records, checked.snapshots) == (21, 21, 1)
    assert (checked.torn_bytes, checked.size_bytes) == (0, 21 * 72 + 20 * 100 + 4)
    assert segments == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    keep(disk, journal, b"changes the hash")
    records: list[bytes] = []
    assert verify(disk, on_records=records.extend).head_hash != checked.head_hash
    assert records == [*numbered(20), b"more", b"changes the hash"]


# --- confirmation -----------------------------------------------------------------------------


def test_commits_are_confirmed_in_order(disk: Disk) -> None:
    _, journal = opened(disk)
    confirmed: list[int] = []
    for number in range(20):
        if number % 3:
            journal.append(b"record")
        journal.commit(lambda number=number: confirmed.append(number))  # type: ignore[misc]
    settle(disk)
    assert confirmed == list(range(20))


def test_a_commit_of_nothing_is_confirmed_and_writes_nothing(disk: Disk) -> None:
    _, journal = opened(disk)
    keep(disk, journal)
    assert verify(disk).batches == 0


def test_confirming_may_append_and_commit_without_end(disk: Disk) -> None:
    """No recursion: a confirmed effect may at once be the next event, thousands of times."""
    _, journal = opened(disk)
    left = 3000

    def on_done() -> None:
        nonlocal left
        left -= 1
        if left:
            journal.append(b"%d" % left)
            journal.commit(on_done)

    journal.append(b"first")
    journal.commit(on_done)
    settle(disk)
    assert left == 0
    assert journal.next_record == 3001


def test_an_error_while_confirming_leaves_the_journal_usable(disk: Disk) -> None:
    _, journal = opened(disk)

    def broken() -> None:
        raise ValueError("an effect failed")

    with pytest.raises(ValueError, match="an effect failed"):
        keep_with(disk, journal, broken)
    keep(disk, journal, b"next")


def keep_with(disk: Disk, journal: LogJournal, done: Callable[[], None]) -> None:
    journal.append(b"record")
    journal.commit(done)
    settle(disk)


def test_nothing_is_confirmed_before_it_is_durable() -> None:
    """I8: what `done` performs is never ahead of the disk."""
    disk = MemoryDisk(is_slow=True)
    _, journal = opened(disk)
    confirmed: list[str] = []
    journal.append(b"record")
    journal.commit(lambda: confirmed.append("record"))
    assert not confirmed
    assert not journal.is_idle
    before = disk.after_power_cut(lambda: False)
    disk.finish_sync()
    assert confirmed == ["record"]
    assert journal.is_idle
    assert [*open_log(MemoryDisk(before))[0].records] == []
    assert [*open_log(MemoryDisk(disk.after_power_cut(lambda: False)))[0].records] == [b"record"]


def test_a_batch_is_written_only_after_the_one_before_is_durable() -> None:
    disk = MemoryDisk(is_slow=True)
    _, journal = opened(disk)
    for record in (b"one", b"two", b"three"):
        journal.append(record)
        journal.commit(lambda: None)
    assert len(disk.syncs) == 1
    assert [record for _, _, record in read_all(disk)] == [b"one"]
    disk.finish_sync()
    assert len(disk.syncs) == 1
    assert list(read_all(disk)) == [(1, 1, b"one"), (2, 2, b"two"), (2, 3, b"three")]


def test_the_next_batch_is_on_its_way_before_effects_are_performed() -> None:
    disk = MemoryDisk(is_slow=True)
    _, journal = opened(disk)
    on_the_way: list[int] = []
    for record in (b"one", b"two"):
        journal.append(record)
        journal.commit(lambda: on_the_way.append(len(disk.syncs)))
    disk.finish_sync()
    assert on_the_way == [1]


def test_joined_commits_stay_below_a_limit() -> None:
    disk = MemoryDisk(is_slow=True)
    _, journal = opened(disk)
    for _ in range(5):
        journal.append(b"x" * 400_000)
        journal.commit(lambda: None)
    disk.finish_syncs()
    assert [batch for batch, _, _ in read_all(disk)] == [1, 2, 2, 3, 3]


def test_the_first_batch_waits_until_the_old_ones_are_confirmed_again() -> None:
    """Read back after a kill, the last batch may be in the page cache only."""
    disk = MemoryDisk(is_slow=True)
    _, journal = opened(disk)
    journal.append(b"written, never synced")
    journal.commit(lambda: None)
    killed = MemoryDisk(disk.contents(), is_slow=True)
    killed.files["segment-00000001"].durable = bytes(SMALL)
    found, again = open_log(killed, segment_bytes=SMALL, reserve_bytes=500)
    assert list(found.records) == [b"written, never synced"]
    assert not again.is_idle
    confirmed: list[str] = []
    again.append(b"restarted")
    again.commit(lambda: confirmed.append("restarted"))
    assert list(read_all(killed)) == [(1, 1, b"written, never synced")]
    killed.finish_sync()
    after_cut = MemoryDisk(killed.after_power_cut(lambda: False))
    assert list(open_log(after_cut)[0].records) == [b"written, never synced"]
    killed.finish_sync()
    assert confirmed == ["restarted"]


def test_the_last_batch_is_written_again_and_no_other() -> None:
    """F11: after a failed sync the kernel may call a page clean that never reached the disk."""
    disk = MemoryDisk()
    _, journal = opened(disk)
    for record in (b"one", b"two"):
        keep(disk, journal, record)
    before, last = disk.files["segment-00000001"].written
    left = MemoryDisk(disk.contents())
    opened(left)
    assert left.files["segment-00000001"].written == [last]
    assert before[0] < last[0]


# --- snapshots --------------------------------------------------------------------------------


def test_the_next_segment_is_expected_when_half_of_one_is_full() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    for record in numbered(2):
        keep(disk, journal, record)
    assert disk.expected == []
    keep(disk, journal, b"x" * 200)
    assert disk.expected == [SMALL]


def test_a_snapshot_stands_for_all_before_it(disk: Disk) -> None:
    _, journal = opened(disk)
    for record in numbered(20):
        keep(disk, journal, record)
    assert journal.records_since_snapshot == 20
    journal.snapshot(b"twenty")
    assert journal.records_since_snapshot == 0
    keep(disk, journal, b"twenty-one")
    journal.close()
    found, again = opened(disk)
    assert (found.snapshot, found.first_record) == (b"twenty", 21)
    assert list(found.records) == [b"twenty-one"]
    assert (again.next_record, again.records_since_snapshot) == (22, 1)


def test_opening_reads_nothing_before_the_snapshot() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    for record in numbered(20):
        keep(disk, journal, record)
    journal.snapshot(b"twenty")
    keep(disk, journal, b"twenty-one")
    left = MemoryDisk(disk.contents())
    found, _ = opened(left)
    assert list(found.records) == [b"twenty-one"]
    assert set(left.reads) == {"snapshot-0000000000000020", "segment-00000005"}


def test_a_snapshot_is_enough_when_nothing_came_after_it(disk: Disk) -> None:
    _, journal = opened(disk)
    keep(disk, journal, b"record")
    journal.snapshot(b"state")
    journal.close()
    for _ in range(2):
        found, journal = opened(disk)
        assert (found.snapshot, list(found.records)) == (b"state", [])
        journal.close()
    _, journal = opened(disk)
    keep(disk, journal, b"next")
    assert list(read_all(disk)) == [(1, 1, b"record"), (2, 2, b"next")]


def test_snapshots_may_be_taken_of_nothing_and_twice_in_a_row(disk: Disk) -> None:
    _, journal = opened(disk)
    journal.snapshot(b"nothing")
    journal.snapshot(b"still nothing")
    keep(disk, journal, b"record")
    journal.snapshot(b"one")
    journal.snapshot(b"one again")
    journal.close()
    found, _ = opened(disk)
    assert (found.snapshot, list(found.records)) == (b"one again", [])
    assert verify(disk).snapshots == 2


def test_only_the_newest_snapshots_are_kept(disk: Disk) -> None:
    _, journal = opened(disk)
    for number in range(1, 6):
        keep(disk, journal, b"record")
        journal.snapshot(b"%d" % number)
    assert [name for name in disk.names() if name.startswith("snapshot")] == [
        "snapshot-0000000000000004",
        "snapshot-0000000000000005",
    ]
    assert verify(disk).records == 5


def test_a_snapshot_is_refused_while_records_are_on_their_way() -> None:
    _, journal = opened(MemoryDisk(is_slow=True))
    journal.append(b"record")
    with pytest.raises(AssertionError):
        journal.snapshot(b"appended")
    journal.commit(lambda: None)
    with pytest.raises(AssertionError):
        journal.snapshot(b"in flight")


# --- a full disk ------------------------------------------------------------------------------


def fill(disk: MemoryDisk, journal: LogJournal) -> None:
    """Write until the reserve has been given back."""
    while not journal.is_short_of_room:
        keep(disk, journal, b"x" * 100)


def test_the_reserve_is_given_back_when_the_disk_is_full() -> None:
    """F11: what comes in after that, such as cancels, still has room."""
    disk = MemoryDisk(room=3 * SMALL + 700)
    _, journal = opened(disk, reserve_bytes=600)
    assert "reserve" in disk.names()
    fill(disk, journal)
    written = journal.next_record - 1
    assert "reserve" not in disk.names()
    keep(disk, journal, b"cancel")
    assert verify(disk).records == written + 1
    found, _ = opened(MemoryDisk(disk.contents(), room=disk.room))
    assert len(list(found.records)) == written + 1


def test_without_room_or_reserve_a_commit_waits_until_room_returns() -> None:
    """F11: nothing is confirmed that was not written, and nothing is written twice."""
    disk = MemoryDisk(room=3 * SMALL + 700)
    _, journal = opened(disk, reserve_bytes=600)
    fill(disk, journal)
    confirmed: list[bool] = []

    def write_on() -> None:
        for _ in range(20):
            journal.append(b"y" * 100)
            journal.commit(lambda: confirmed.append(True))

    with pytest.raises(DiskFullError):
        write_on()
    last = len(confirmed)
    journal.probe_room()
    assert journal.is_short_of_room
    disk.room += 600  # enough for a reserve, and for the segment that it becomes
    journal.probe_room()
    assert len(confirmed) == last + 1
    assert journal.is_short_of_room
    disk.room += 10 * SMALL
    journal.probe_room()
    assert not journal.is_short_of_room
    assert "reserve" in disk.names()
    keep(disk, journal, b"z")
    assert verify(disk).records == journal.next_record - 1


def test_probing_again_without_enough_room_changes_nothing() -> None:
    disk = MemoryDisk(room=SMALL + 650)
    _, journal = opened(disk, reserve_bytes=600)
    fill(disk, journal)
    with pytest.raises(DiskFullError):
        keep(disk, journal, b"w" * 2 * SMALL)
    disk.room += 800  # a reserve fits, the batch that waits does not, even instead of it
    journal.probe_room()
    assert journal.is_short_of_room
    disk.room += 2 * SMALL
    journal.probe_room()
    assert verify(disk).records == journal.next_record - 1


def test_a_log_is_opened_on_a_full_disk() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    keep(disk, journal, b"record")
    journal.close()
    disk.delete("reserve")
    disk.room = SMALL
    found, journal = opened(disk)
    assert list(found.records) == [b"record"]
    assert journal.is_short_of_room
    keep(disk, journal, b"cancel")


def test_a_snapshot_without_room_leaves_the_journal_going() -> None:
    disk = MemoryDisk(room=SMALL + 600)
    _, journal = opened(disk)
    keep(disk, journal, b"record")
    with pytest.raises(DiskFullError):
        journal.snapshot(b"s" * 500)
    keep(disk, journal, b"next")
    found, _ = opened(MemoryDisk(disk.contents()))
    assert list(found.records) == [b"record", b"next"]


def test_a_disk_that_copies_on_write_is_given_the_reserve_too() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    keep(disk, journal, b"record")
    disk.is_refusing_writes = True
    with pytest.raises(DiskFullError):
        keep(disk, journal, b"lost")
    assert "reserve" not in disk.names()
    with pytest.raises(DiskFailedError, match="failed before"):
        journal.append(b"after half a batch")


def test_a_disk_that_copies_on_write_goes_on_in_the_reserve() -> None:
    class FullUntilDeleted(MemoryDisk):
        def delete(self, name: str) -> None:
            super().delete(name)
            self.is_refusing_writes = False

    disk = FullUntilDeleted()
    _, journal = opened(disk)
    keep(disk, journal, b"record")
    disk.is_refusing_writes = True
    keep(disk, journal, b"cancel")
    assert journal.is_short_of_room
    assert verify(disk).records == 2


# --- a broken disk ----------------------------------------------------------------------------


def test_a_failed_sync_is_never_tried_again() -> None:
    """F11: the disk may have dropped what it could not write; only the end is safe."""
    disk = MemoryDisk()
    _, journal = opened(disk)
    disk.is_broken = True
    journal.append(b"record")
    confirmed: list[str] = []
    with pytest.raises(DiskFailedError, match="broken"):
        journal.commit(lambda: confirmed.append("record"))
    disk.is_broken = False
    refused: list[Callable[[], None]] = [
        lambda: journal.append(b"next"),
        lambda: journal.commit(lambda: None),
        lambda: journal.snapshot(b"state"),
        journal.probe_room,
    ]
    for call in refused:
        with pytest.raises(DiskFailedError, match="failed before: the disk is broken"):
            call()
    assert not confirmed


def test_a_disk_that_breaks_at_a_snapshot_ends_the_journal() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    disk.is_broken = True
    with pytest.raises(DiskFailedError, match="broken"):
        journal.snapshot(b"state")
    with pytest.raises(DiskFailedError, match="failed before"):
        journal.append(b"next")


def test_a_disk_that_breaks_at_the_reserve_ends_the_journal() -> None:
    disk = MemoryDisk(room=SMALL)
    _, journal = opened(disk, reserve_bytes=2 * SMALL)
    assert journal.is_short_of_room
    disk.is_broken = True
    with pytest.raises(DiskFailedError, match="broken"):
        journal.probe_room()
    with pytest.raises(DiskFailedError, match="failed before"):
        journal.append(b"next")


# --- what is missing --------------------------------------------------------------------------


def test_a_missing_segment_is_refused() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    for record in numbered(30):
        keep(disk, journal, record)
    segments = [name for name in disk.names() if name.startswith("segment")]
    for name in segments[:-1]:
        left = MemoryDisk({key: file for key, file in disk.contents().items() if key != name})
        for use in (open_log, verify, lambda one: list(read_all(one))):
            with pytest.raises(JournalCorruptError, match=f"{name}: the file is missing"):
                use(left)


def test_segments_before_a_snapshot_may_have_been_put_away() -> None:
    disk = MemoryDisk()
    _, journal = opened(disk)
    for record in numbered(20):
        keep(disk, journal, record)
    journal.snapshot(b"twenty")
    keep(disk, journal, b"twenty-one")
    left = {name: file for name, file in disk.contents().items() if name > "segment-00000004"}
    found, _ = opened(MemoryDisk(left))
    assert (found.snapshot, list(found.records)) == (b"twenty", [b"twenty-one"])
    with pytest.raises(JournalCorruptError, match="segment-00000001: the file is missing"):
        verify(MemoryDisk(left))
    left["snapshot-0000000000000020"] = b"damaged"
    with pytest.raises(JournalCorruptError, match="segment-00000001: the file is missing"):
        open_log(MemoryDisk(left))
