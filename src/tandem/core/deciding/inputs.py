"""What a decision was made of, as hashes: the same inputs have the same one, wherever evaluated."""

import struct
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from tandem.domain.bars import Bar
from tandem.domain.evaluation import Attached, AttachmentNumber
from tandem.domain.strategies import Assignment

_PACKED = struct.Struct("<6q?")
_SIZE = 16


def attached_of(
    assignment: Assignment, number: AttachmentNumber, *, state: str, position_ppm: int
) -> Attached:
    """Return an assignment as an evaluator needs it, with what it last answered."""
    return Attached(
        number=number,
        text_hash=assignment.text_hash,
        parameters=assignment.parameters,
        state=state,
        position_ppm=position_ppm,
        others=assignment.others,
        may_short=assignment.may_short,
    )


def chained(chain: str, bar: Bar) -> str:
    """Return the chain with one bar more; "" is the chain of no bars."""
    packed = _PACKED.pack(
        *(bar.begin_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.is_filled)
    )
    return blake2b(bytes.fromhex(chain) + packed, digest_size=_SIZE).hexdigest()


def chain_of(bars: Iterable[Bar]) -> str:
    """Return the chain of bars, oldest first."""
    chain = ""
    for bar in bars:
        chain = chained(chain, bar)
    return chain


def inputs_hash(attached: Attached, chain: str, others: tuple[str, ...] = ()) -> str:
    """Return the hash of everything that one evaluation was given.

    `chain` is that of its bars, the last one included, `others` are those of the other series that
    it looks at, in its order. The attachment's number does not count.
    """
    given = msgspec.structs.replace(attached, number=0)
    return blake2b(msgspec.msgpack.encode((given, chain, *others)), digest_size=_SIZE).hexdigest()
