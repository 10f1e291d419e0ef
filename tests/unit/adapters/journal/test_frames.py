"""The bytes of batches and snapshots."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.journal.frames import (
    GENESIS,
    HEADER_BYTES,
    Head,
    Place,
    Snapshot,
    Tail,
    batch_size,
    checked_records,
    decode_snapshot,
    encode_batch,
    encode_snapshot,
    read_batch,
    read_tail,
    records_of,
)

FIRST = Place(1, 0)
HEADS = st.builds(
    Head,
    batch=st.integers(0, 2**40),
    record=st.integers(0, 2**40),
    hash=st.binary(min_size=32, max_size=32),
)
RECORDS = st.lists(st.binary(max_size=50), min_size=1, max_size=5)


def test_a_log_written_today_can_be_read_tomorrow() -> None:
    """The format on disk: a change here needs a new magic and a reader for this one."""
    block, head = encode_batch([b"one", b""], GENESIS, FIRST)
    assert block.hex() == (
        "544a4231" "0b000000" "7fdda974" "02000000" "0100000000000000" "0100000000000000"
        + "00" * 32
        + "ea50b19f" "03000000" "6f6e65" "00000000"
    )  # fmt: skip
    assert (head.batch, head.record) == (1, 2)
    assert head.hash.hex().startswith("0954d99d")


@given(RECORDS, HEADS, st.integers(1, 1000), st.integers(0, 100))
def test_a_batch_is_read_where_it_was_written_after_what_it_followed(
    records: list[bytes], head: Head, segment: int, offset: int
) -> None:
    place = Place(segment, offset)
    block, after = encode_batch(records, head, place)
    content = bytes(offset) + block + bytes(10)
    batch = read_batch(content, place, head)
    assert batch is not None
    assert (batch.begin, batch.end, batch.head) == (offset, offset + len(block), after)
    assert batch.first_record == head.record + 1
    assert records_of(content, batch) == records
    assert list(checked_records(block, len(block))) == records
    assert len(block) == batch_size(records)
    assert read_batch(content, Place(segment + 1, offset), head) is None
    assert read_batch(bytes(1) + content, Place(segment, offset + 1), head) is None
    for other in (GENESIS, after):
        assert other == head or read_batch(content, place, other) is None


@given(HEADS, st.binary(max_size=100), st.integers(1, 1000))
def test_a_snapshot_is_read_as_it_was_written(head: Head, state: bytes, segment: int) -> None:
    snapshot = Snapshot(head=head, segment=segment, state=state)
    content = encode_snapshot(snapshot)
    assert decode_snapshot(content) == snapshot
    assert decode_snapshot(content + b"\0") is None
    assert decode_snapshot(content[:-1]) is None


def test_zeros_are_nothing_and_anything_else_is_torn() -> None:
    assert read_tail(bytes(200_000), FIRST, GENESIS) == Tail()
    assert read_tail(bytes(150_000) + b"x" + bytes(50_000), FIRST, GENESIS).torn_bytes == 150_001
    assert read_tail(b"", FIRST, GENESIS) == Tail()


def test_a_batch_that_follows_another_one_is_a_fault() -> None:
    block, head = encode_batch([b"record"], GENESIS, FIRST)
    assert read_tail(block, FIRST, head).fault == "batch 1 does not follow batch 1"


def test_a_header_further_on_is_a_fault() -> None:
    _, head = encode_batch([b"record"], GENESIS, FIRST)
    later, _ = encode_batch([b"later"], head, Place(1, 100))
    content = b"x" * 100 + later
    assert read_tail(content, FIRST, GENESIS).fault == "no batch here, but batch 2 at offset 100"
    # Its own payload may be gone: the header alone proves that batch 1 had been durable.
    cut = content[: 100 + HEADER_BYTES]
    assert read_tail(cut, FIRST, GENESIS).fault is not None
    # The same bytes somewhere else prove nothing.
    assert read_tail(b"y" + content, FIRST, GENESIS) == Tail(torn_bytes=len(content) + 1)
