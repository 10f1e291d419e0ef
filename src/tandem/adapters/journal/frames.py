"""Batches and snapshots as bytes; pure.

The log is a chain of batches, numbered from 1. A batch carries the hash of the batch before it,
so the last hash vouches for every byte before it. Batches lie in segments: files of zeros that
are filled from the front. A batch never spans two segments, and what it leaves at the end of a
segment stays zero. So **every byte of a segment belongs to a good batch or is zero**, and any
other byte has to be explained.

It can be explained in one way only. Batch k+1 is written after batch k is durable, and a segment
is made after everything before it is durable. Hence only the very last batch can be incomplete:
it is *torn*, nobody was told of it, and it is cut off. That holds whatever part of it reached the
disk, in whatever order. If anything was written after the bad bytes, they had been durable and
were changed since: that is *corruption*, and nothing is repaired. The proofs of a later write are

- a batch header that is good at its place, further on in the same segment,
- any byte that is not zero, after the end of a batch whose header is good,
- the existence of a later segment, or of a snapshot that stands for this batch or a later one.

A header has its own checksum, mixed with its place (segment and offset). So a header is good only
where it was written, never inside a record that happens to hold bytes of a journal; and damage to
a payload does not hide how long its batch was. A record changed in the last batch of all cannot
be told from a torn one, and is cut off; the count of bytes says so.

One thing is asked of the disk: a write does not harm the bytes beside it in the same sector.

Batch: magic, payload length, payload CRC32C, record count, batch number, number of its first
record, hash of the batch before (BLAKE2b, 32 bytes), CRC32C of place and header; then each record
after its length. Little endian.
"""

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from crc32c import crc32c

from tandem.domain.errors import JournalCorruptError

_BATCH_MAGIC = b"TJB1"
_SNAPSHOT_MAGIC = b"TJS1"
_HASH_BYTES = 32
_HEADER = struct.Struct("<4sIIIQQ32s")
_SNAPSHOT = struct.Struct("<4sIQQ32sQ")
_PLACE = struct.Struct("<QQ")
_U32 = struct.Struct("<I")
_ZEROS = bytes(1 << 16)

HEADER_BYTES = _HEADER.size + _U32.size
RECORD_BYTES = _U32.size  # what one record takes besides itself


class Place(NamedTuple):
    """Where bytes lie: in which segment, how many bytes from its beginning."""

    segment: int
    offset: int


class Head(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The end of the chain: the last batch, the last record in it, the hash of that batch."""

    batch: int
    record: int
    hash: bytes


GENESIS = Head(batch=0, record=0, hash=bytes(_HASH_BYTES))


class Batch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One good batch: its bytes in the segment and the chain's head with it."""

    begin: int
    end: int
    first_record: int
    head: Head


class Tail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What lies behind the last good batch of a segment.

    `fault` says why it cannot be torn; without one, `torn_bytes` are to be cut off.
    """

    torn_bytes: int = 0
    fault: str | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A state that stands for all up to `head`; what follows begins in segment `segment`."""

    head: Head
    segment: int
    state: bytes


class _Header(NamedTuple):
    length: int
    payload_crc: int
    records: int
    batch: int
    first_record: int
    previous: bytes


def batch_size(records: Sequence[bytes]) -> int:
    """Return how many bytes a batch of `records` takes."""
    return HEADER_BYTES + RECORD_BYTES * len(records) + sum(map(len, records))


def encode_batch(records: Sequence[bytes], head: Head, place: Place) -> tuple[bytes, Head]:
    """Return the batch after `head`, to be written at `place`, and the head with it."""
    length_of = _U32.pack
    payload = b"".join([piece for one in records for piece in (length_of(len(one)), one)])
    number = head.batch + 1
    header = _HEADER.pack(
        _BATCH_MAGIC,
        len(payload),
        crc32c(payload),
        len(records),
        number,
        head.record + 1,
        head.hash,
    )
    block = b"".join((header, _U32.pack(_header_crc(header, place)), payload))
    return block, Head(batch=number, record=head.record + len(records), hash=_hash(block))


def read_batch(content: bytes, place: Place, head: Head) -> Batch | None:
    """Return the batch at `place` of the segment `content`, if it is whole and follows `head`."""
    header = _read_header(content, place)
    if header is None or not _follows(header, head):
        return None
    begin, end = place.offset, place.offset + HEADER_BYTES + header.length
    block = memoryview(content)[begin:end]
    if len(block) != end - begin or crc32c(block[HEADER_BYTES:]) != header.payload_crc:
        return None
    record = head.record + header.records
    return Batch(
        begin=begin,
        end=end,
        first_record=header.first_record,
        head=Head(batch=header.batch, record=record, hash=_hash(block)),
    )


def read_tail(content: bytes, place: Place, head: Head) -> Tail:
    """Return what lies at `place`, where no batch that follows `head` could be read."""
    used = _used(content, place.offset)
    if used == place.offset:
        return Tail()
    header = _read_header(content, place)
    if header is None:
        return _search(content, place, used)
    if not _follows(header, head):
        return Tail(fault=f"batch {header.batch} does not follow batch {head.batch}")
    if used > place.offset + HEADER_BYTES + header.length:
        return Tail(fault=f"batch {header.batch} is damaged, and something was written after it")
    return Tail(torn_bytes=used - place.offset)


def records_of(content: bytes, batch: Batch) -> list[bytes]:
    """Return the records of a batch that `read_batch` found in `content`.

    Raises:
        JournalCorruptError: the checksums hold, but this was never written by us.
    """
    records: list[bytes] = []
    position = batch.begin + HEADER_BYTES
    while position + RECORD_BYTES <= batch.end:
        begin = position + RECORD_BYTES
        position = begin + _U32.unpack_from(content, position)[0]
        records.append(content[begin:position])
    if position != batch.end or batch.first_record + len(records) != batch.head.record + 1:
        raise JournalCorruptError(f"batch {batch.head.batch}: records do not add up")
    return records


def checked_records(content: bytes, end: int) -> Iterator[bytes]:
    """Yield the records of a segment that was checked up to `end`, without checking again."""
    position = 0
    while position < end:
        batch_end = position + HEADER_BYTES + _U32.unpack_from(content, position + 4)[0]
        position += HEADER_BYTES
        while position < batch_end:
            begin = position + RECORD_BYTES
            position = begin + _U32.unpack_from(content, position)[0]
            yield content[begin:position]


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return `snapshot` as the content of a file."""
    head = snapshot.head
    header = _SNAPSHOT.pack(
        _SNAPSHOT_MAGIC, snapshot.segment, head.batch, head.record, head.hash, len(snapshot.state)
    )
    crc = crc32c(snapshot.state, crc32c(header))
    return b"".join((header, _U32.pack(crc), snapshot.state))


def decode_snapshot(content: bytes) -> Snapshot | None:
    """Return the snapshot in a file, or None when the file is damaged."""
    begin = _SNAPSHOT.size + _U32.size
    if len(content) < begin:
        return None
    magic, segment, batch, record, chain, length = _SNAPSHOT.unpack_from(content)
    state = content[begin:]
    crc = _U32.unpack_from(content, _SNAPSHOT.size)[0]
    if magic != _SNAPSHOT_MAGIC or length != len(state):
        return None
    if crc != crc32c(state, crc32c(content[: _SNAPSHOT.size])):
        return None
    return Snapshot(head=Head(batch=batch, record=record, hash=chain), segment=segment, state=state)


def _search(content: bytes, place: Place, used: int) -> Tail:
    """Look behind a place without a good header for a header that proves a later write."""
    found = content.find(_BATCH_MAGIC, place.offset + 1, used)
    while found != -1:
        header = _read_header(content, Place(place.segment, found))
        if header is not None:
            return Tail(fault=f"no batch here, but batch {header.batch} at offset {found}")
        found = content.find(_BATCH_MAGIC, found + 1, used)
    return Tail(torn_bytes=used - place.offset)


def _read_header(content: bytes, place: Place) -> _Header | None:
    """Return the header that was written at `place`, or None when there is none."""
    block = content[place.offset : place.offset + HEADER_BYTES]
    if len(block) != HEADER_BYTES or not block.startswith(_BATCH_MAGIC):
        return None
    header = block[: _HEADER.size]
    if _U32.unpack_from(block, _HEADER.size)[0] != _header_crc(header, place):
        return None
    return _Header(*_HEADER.unpack(header)[1:])


def _follows(header: _Header, head: Head) -> bool:
    return (
        header.batch == head.batch + 1
        and header.first_record == head.record + 1
        and header.previous == head.hash
    )


def _header_crc(header: bytes, place: Place) -> int:
    return crc32c(_PLACE.pack(*place) + header)


def _hash(block: bytes | memoryview) -> bytes:
    return blake2b(block, digest_size=_HASH_BYTES).digest()


def _used(content: bytes, begin: int) -> int:
    """Return the end of what is not zero at or after `begin`, or `begin` when all is zero."""
    end = len(content)
    while end > begin:
        chunk = content[max(begin, end - len(_ZEROS)) : end]
        if chunk != _ZEROS[: len(chunk)]:
            return end - len(chunk) + len(chunk.rstrip(b"\0"))
        end -= len(chunk)
    return begin
