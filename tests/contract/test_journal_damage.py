"""A journal that was cut down, torn or changed at any byte (F12, I13).

The rule, for one changed or missing byte of a segment:

- in a batch that is not the last: refused, and the place is named;
- in the last batch: that batch is cut off, for nobody can tell it from a torn one;
- behind the last batch: nothing is lost, the byte is made zero again;
- in the zeros behind the batches of an earlier segment: changing one is refused, but a segment
  that merely ends there has lost nothing.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.adapters.journal import Recovered, open_log, read_all, verify
from tandem.domain.errors import JournalCorruptError
from tests.contract.memory_disk import MemoryDisk

SEGMENT = 450
Files = dict[str, bytes]


class Span(msgspec.Struct, frozen=True):
    """Where one batch lies, and its records."""

    name: str
    begin: int
    end: int
    records: tuple[bytes, ...]


class Written(msgspec.Struct, frozen=True):
    """A journal's files and what is in them."""

    files: Files
    spans: tuple[Span, ...]

    @property
    def records(self) -> list[bytes]:
        return [record for span in self.spans for record in span.records]

    @property
    def last(self) -> Span:
        return self.spans[-1]

    def changed(self, name: str, content: bytes) -> Files:
        return {**self.files, name: content}


def written(*, snapshot_after: int | None = None) -> Written:
    """Return a journal of several small segments; the last batch spans several sectors of 64."""
    disk = MemoryDisk()
    _, journal = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    spans: list[Span] = []
    sizes = [(30,), (10, 0, 20), (90,), (60,), (50, 50), (80,), (100, 50)]
    for number, batch in enumerate(sizes, 1):
        records = tuple(bytes([64 + number]) * size for size in batch)
        for record in records:
            journal.append(record)
        journal.commit(lambda: None)
        spans.append(_span(disk, records))
        if number == snapshot_after:
            journal.snapshot(b"state after %d" % number)
    return Written(disk.contents(), tuple(spans))


def _span(disk: MemoryDisk, records: tuple[bytes, ...]) -> Span:
    name = max(name for name in disk.names() if name.startswith("segment"))
    end = len(disk.files[name].seen.rstrip(b"\0"))
    size = 68 + sum(4 + len(record) for record in records)
    return Span(name, end - size, end, records)


def reopened(files: Files) -> tuple[list[bytes], Recovered]:
    """Return what an opened log holds, having shown that it then goes on and is whole."""
    disk = MemoryDisk(files)
    found, journal = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    records = list(found.records)
    if found.snapshot is None:
        assert [record for _, _, record in read_all(disk)] == records
    journal.append(b"and on")
    journal.commit(lambda: None)
    again, _ = open_log(MemoryDisk(disk.contents()), segment_bytes=SEGMENT, reserve_bytes=1)
    assert list(again.records) == [*records, b"and on"]
    assert again.torn_bytes == 0
    return records, found


def refused(files: Files, *, place: str) -> None:
    """See that every use of the log is refused, naming the place, and that nothing changes."""
    uses: list[Callable[[MemoryDisk], object]] = [open_log, verify, lambda disk: [*read_all(disk)]]
    for use in uses:
        disk = MemoryDisk(files)
        with pytest.raises(JournalCorruptError, match=f"^{place}: "):
            use(disk)
        assert disk.contents() == files


def segments(journal: Written) -> Iterator[tuple[str, bytes]]:
    for name, content in journal.files.items():
        if name.startswith("segment"):
            yield name, content


def containing(journal: Written, name: str, offset: int) -> Span | None:
    for span in journal.spans:
        if span.name == name and span.begin <= offset < span.end:
            return span
    return None


def test_the_journal_of_these_tests_has_what_they_need() -> None:
    journal = written()
    assert len({span.name for span in journal.spans}) == 3
    assert journal.last.end - journal.last.begin > 3 * 64
    assert len([span for span in journal.spans if span.name == journal.last.name]) > 1


def test_cut_at_any_byte_a_log_loses_its_last_batch_or_is_refused() -> None:
    """F12: truncated to the last good batch when it is the last segment, else refused."""
    journal = written()
    for name, content in segments(journal):
        for length in range(len(content)):
            left = journal.changed(name, content[:length])
            whole = [
                s for s in journal.spans if s.name < name or (s.name == name and s.end <= length)
            ]
            cut = [s for s in journal.spans if s.name == name and s.end > length]
            if name == journal.last.name:
                records, found = reopened(left)
                assert records == [record for span in whole for record in span.records]
                last = max((span.end for span in whole if span.name == name), default=0)
                assert found.torn_bytes == len(content[last:length].rstrip(b"\0"))
            elif cut and length > cut[0].begin:
                refused(left, place=f"{name}: offset {cut[0].begin}")
            elif cut:
                later = f"segment-{int(name[-8:]) + 1:08d}"
                refused(left, place=f"{later}: offset 0")
            else:
                assert reopened(left)[0] == journal.records


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_change_of_any_byte_is_cut_off_at_the_end_and_refused_before(flip: int) -> None:
    """F12: see the rule at the top of this file, here for every byte of every segment."""
    journal = written()
    for name, content in segments(journal):
        ends = [span.end for span in journal.spans if span.name == name]
        for offset in range(len(content)):
            changed = bytearray(content)
            changed[offset] ^= flip
            files = journal.changed(name, bytes(changed))
            span = containing(journal, name, offset)
            if span is not None and span != journal.last:
                refused(files, place=f"{name}: offset {span.begin}")
            elif span is not None:
                records, found = reopened(files)
                assert records == [record for one in journal.spans[:-1] for record in one.records]
                assert found.torn_bytes == len(bytes(changed).rstrip(b"\0")) - span.begin
            elif name == journal.last.name:
                records, found = reopened(files)
                assert records == journal.records
                assert found.torn_bytes == offset + 1 - ends[-1]
            else:
                refused(files, place=f"{name}: offset {ends[-1]}")


def test_a_torn_last_batch_is_torn_whichever_sectors_were_written() -> None:
    """F12: a later sector may reach the disk without an earlier one."""
    journal = written()
    name, begin, end = journal.last.name, journal.last.begin, journal.last.end
    content = journal.files[name]
    sectors = range(begin // 64 * 64, end, 64)
    for kept in range(2 ** len(sectors)):
        left = bytearray(content[:begin].ljust(len(content), b"\0"))
        for number, sector in enumerate(sectors):
            if kept >> number & 1:
                left[sector : sector + 64] = content[sector : sector + 64]
        records, _ = reopened(journal.changed(name, bytes(left)))
        is_whole = kept == 2 ** len(sectors) - 1
        expected = journal.spans if is_whole else journal.spans[:-1]
        assert records == [record for span in expected for record in span.records]


def test_two_damaged_batches_at_the_end_are_not_one_torn_one() -> None:
    """The first has a good header, so its end is known, and something stands behind it."""
    journal = written()
    before, last = journal.spans[-2], journal.last
    assert before.name == last.name
    changed = bytearray(journal.files[last.name])
    changed[before.end - 1] ^= 1
    changed[last.begin] ^= 1
    refused(journal.changed(last.name, bytes(changed)), place=f"{last.name}: offset {before.begin}")


def test_a_new_segment_without_a_batch_proves_the_one_before() -> None:
    journal = written()
    files = {**journal.files, "segment-00000004": bytes(SEGMENT)}
    assert reopened(files)[0] == journal.records
    changed = bytearray(files[journal.last.name])
    changed[journal.last.end - 1] ^= 1
    files[journal.last.name] = bytes(changed)
    refused(files, place=f"{journal.last.name}: offset {journal.last.begin}")


def test_a_snapshot_proves_the_batches_that_it_stands_for() -> None:
    """The last batch cannot be torn when a snapshot was taken after it."""
    journal = written(snapshot_after=7)
    content = journal.files[journal.last.name]
    changed = journal.changed(journal.last.name, content[: journal.last.end - 1])
    with pytest.raises(JournalCorruptError, match="ends after batch 6, but there is snapshot-0"):
        verify(MemoryDisk(changed))
    changed["snapshot-0000000000000007"] = b"damaged"
    with pytest.raises(JournalCorruptError, match="ends after batch 6, but there is snapshot-0"):
        open_log(MemoryDisk(changed))


def test_a_change_of_any_byte_of_a_snapshot_is_noticed_and_made_good_by_replay() -> None:
    journal = written(snapshot_after=5)
    name = "snapshot-0000000000000005"
    for offset in range(len(journal.files[name])):
        changed = bytearray(journal.files[name])
        changed[offset] ^= 0x10
        files = journal.changed(name, bytes(changed))
        records, found = reopened(files)
        assert (found.snapshot, found.damaged_snapshots) == (None, [name])
        assert records == journal.records
        with pytest.raises(JournalCorruptError, match=f"{name}: offset 0: the snapshot is damaged"):
            verify(MemoryDisk(files))
    for length in range(len(journal.files[name])):
        records, found = reopened(journal.changed(name, journal.files[name][:length]))
        assert (found.snapshot, records) == (None, journal.records)


def test_an_older_snapshot_serves_when_the_newest_is_damaged() -> None:
    disk = MemoryDisk()
    _, journal = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    for number in (1, 2, 3):
        journal.append(b"record %d" % number)
        journal.commit(lambda: None)
        journal.snapshot(b"state %d" % number)
    files = disk.contents() | {"snapshot-0000000000000003": b""}
    found, _ = open_log(MemoryDisk(files), segment_bytes=SEGMENT, reserve_bytes=1)
    assert (found.snapshot, list(found.records)) == (b"state 2", [b"record 3"])
    assert found.damaged_snapshots == ["snapshot-0000000000000003"]


def test_a_snapshot_of_another_log_is_refused() -> None:
    mine, other = written(snapshot_after=5), written(snapshot_after=3)
    disk = MemoryDisk()
    _, journal = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    for _ in range(5):
        journal.append(b"another log")
        journal.commit(lambda: None)
    journal.snapshot(b"its state")
    name = "snapshot-0000000000000005"
    files = mine.changed(name, disk.contents()[name])
    with pytest.raises(
        JournalCorruptError, match=f"{name}: offset 0: it is not a snapshot of this"
    ):
        verify(MemoryDisk(files))
    with pytest.raises(JournalCorruptError, match="does not follow batch 5"):
        open_log(MemoryDisk(files))
    # A good snapshot under a name that is not its own is damage.
    wrong = other.changed(name, other.files["snapshot-0000000000000003"])
    assert open_log(MemoryDisk(wrong))[0].damaged_snapshots == [name]


def test_a_segment_of_another_log_is_refused() -> None:
    """I13: the chain of hashes, not only numbers, joins the segments."""
    mine = written()
    disk = MemoryDisk()
    _, journal = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    for span in mine.spans:
        for record in span.records:
            journal.append(record.lower())
        journal.commit(lambda: None)
    name = "segment-00000002"
    assert disk.contents()[name] != mine.files[name]
    refused(mine.changed(name, disk.contents()[name]), place=f"{name}: offset 0")


def test_a_batch_moved_to_another_place_is_not_a_batch() -> None:
    """Bytes of a journal inside a record, torn, never look like a later batch."""
    journal = written()
    first = journal.files["segment-00000001"]
    disk = MemoryDisk()
    _, other = open_log(disk, segment_bytes=4096, reserve_bytes=1)
    other.append(b"one")
    other.commit(lambda: None)
    other.append(b"batches of a journal: " + first + b"end")
    other.commit(lambda: None)
    torn = bytearray(disk.contents()["segment-00000001"])
    torn[len(torn.rstrip(b"\0")) - 1] ^= 1
    torn[75] ^= 1  # the header of the second batch
    found, _ = open_log(MemoryDisk({"segment-00000001": bytes(torn)}))
    assert list(found.records) == [b"one"]


def test_what_is_cut_off_is_never_read_again() -> None:
    """Behind a shorter new batch stands nothing of the longer torn one."""
    journal = written()
    name, end = journal.last.name, journal.last.end
    content = journal.files[name]
    files = journal.changed(name, content[: end - 1].ljust(len(content), b"\0"))
    disk = MemoryDisk(files)
    _, again = open_log(disk, segment_bytes=SEGMENT, reserve_bytes=1)
    again.append(b"s")
    again.commit(lambda: None)
    after = journal.last.begin + 68 + 4 + 1
    assert disk.contents()[name][after:] == bytes(len(content) - after)


def test_a_read_that_overtakes_a_write_is_not_corruption() -> None:
    """The first read sees batch 7 but not yet batch 6; the second sees both."""
    journal = written()
    before, last = journal.spans[-2], journal.last
    content = journal.files[last.name]
    early = bytearray(content)
    early[before.begin : before.end] = bytes(before.end - before.begin)

    class Overtaken(MemoryDisk):
        def read(self, name: str) -> bytes:
            seen = super().read(name)
            return bytes(early) if name == last.name and self.reads.count(name) == 1 else seen

    assert verify(Overtaken(journal.files)).batches == 7
    assert [record for _, _, record in read_all(Overtaken(journal.files))] == journal.records


def test_a_snapshot_that_gives_way_while_we_look_is_no_fault() -> None:
    journal = written(snapshot_after=5)

    class Pruned(MemoryDisk):
        def read(self, name: str) -> bytes:
            if name.startswith("snapshot"):
                raise FileNotFoundError(name)
            return super().read(name)

    assert verify(Pruned(journal.files)).snapshots == 0


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_a_log_or_refused(noise: bytes, at: int) -> None:
    """Whatever a segment or a snapshot holds, only our own errors come out."""
    journal = written(snapshot_after=5)
    for name, content in journal.files.items():
        if name == "reserve":
            continue
        changed = (content[:at] + noise + content[at + len(noise) :])[: len(content)]
        disk = MemoryDisk(journal.changed(name, changed))
        for use in (open_log, verify):
            with contextlib.suppress(JournalCorruptError):
                use(disk)


class Life:
    """A journal through crashes, beside a plain list of what it must hold."""

    def __init__(self) -> None:
        self.disk = MemoryDisk(is_slow=True)
        self.committed: list[bytes] = []
        self.confirmed = 0
        self.open()

    def open(self) -> None:
        found, self.journal = open_log(self.disk, segment_bytes=SEGMENT, reserve_bytes=1)
        before: list[bytes] = []
        if found.snapshot is not None:
            before = msgspec.msgpack.decode(found.snapshot, type=list[bytes])
        held = [*before, *found.records]
        assert found.first_record == len(before) + 1
        assert self.journal.next_record == len(held) + 1
        assert self.confirmed <= len(held), "a confirmed record is lost"
        assert held == self.committed[: len(held)], "a record is changed, or was never committed"
        self.committed = held
        # What was read back counts from when it is durable, not from when it was read.
        self.commit([])

    def commit(self, sizes: Sequence[int]) -> None:
        for size in sizes:
            record = bytes([len(self.committed) % 255 + 1]) * size
            self.committed.append(record)
            self.journal.append(record)
        total = len(self.committed)

        def done() -> None:
            assert total >= self.confirmed
            self.confirmed = total

        self.journal.commit(done)

    def snapshot(self) -> None:
        if self.journal.is_idle:
            self.journal.snapshot(msgspec.msgpack.encode(self.committed))

    def kill(self) -> None:
        """The process ends; what it wrote is in the page cache, and perhaps nowhere else."""
        killed, self.disk = self.disk, MemoryDisk(self.disk.contents(), is_slow=True)
        for name, file in killed.files.items():
            self.disk.files[name].durable = file.durable
        self.open()

    def power_cut(self, is_kept: Callable[[], bool]) -> None:
        self.disk = MemoryDisk(self.disk.after_power_cut(is_kept, sector_bytes=64), is_slow=True)
        self.open()


Step = tuple[str, list[int]]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.lists(st.integers(0, 200), min_size=1, max_size=4)),
        st.tuples(st.just("sync"), st.just([])),
        st.tuples(st.just("snapshot"), st.just([])),
        st.tuples(st.just("kill"), st.just([])),
        st.tuples(st.just("power cut"), st.lists(st.integers(0, 1), min_size=1, max_size=40)),
    ),
    max_size=40,
)


@given(STEPS)
@example([("commit", [0]), ("power cut", [0, 1]), ("kill", []), ("commit", [0, 171, 200])])
def test_no_confirmed_record_is_ever_lost_and_no_other_made_up(steps: list[Step]) -> None:
    """F12, I8: kills and power cuts at any moment, also while a log is being opened."""
    life = Life()
    for kind, numbers in steps:
        match kind:
            case "commit":
                life.commit(numbers)
            case "sync":
                if life.disk.syncs:
                    life.disk.finish_sync()
            case "snapshot":
                life.snapshot()
            case "kill":
                life.kill()
            case _:
                kept = itertools.cycle(numbers)
                life.power_cut(lambda kept=kept: bool(next(kept)))  # type: ignore[misc]
        verify(MemoryDisk(life.disk.contents()))
    life.disk.finish_syncs()
    assert life.confirmed == len(life.committed)
    life.power_cut(lambda: False)
