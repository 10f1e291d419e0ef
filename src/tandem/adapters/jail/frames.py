"""Bytes of a pipe to and from whole frames: a length of four bytes, little-endian, then content."""

import struct
from typing import Final

from tandem.domain.errors import FrameError
from tandem.domain.evaluation import TASK_BYTES_MAX

FRAME_BYTES_MAX: Final = TASK_BYTES_MAX
ANSWER_BYTES_MAX: Final = 1 << 24
HEAD: Final = struct.Struct("<I")


def frame(payload: bytes) -> bytes:
    """Return `payload` as it goes over the pipe.

    Raises:
        FrameError: it is too long.
    """
    if len(payload) > FRAME_BYTES_MAX:
        raise FrameError(f"frame of {len(payload)} bytes, at most {FRAME_BYTES_MAX}")
    return HEAD.pack(len(payload)) + payload


class Frames:
    """Puts frames together again, however they were cut."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._rest = bytearray()

    def add(self, data: bytes) -> None:
        """Take in what came."""
        self._rest += data

    def take(self) -> bytes | None:
        """Return the next whole frame's content; None when more must come first.

        Raises:
            FrameError: the frame is too long.
        """
        if len(self._rest) < HEAD.size:
            return None
        (length,) = HEAD.unpack_from(self._rest)
        if length > self._bytes_max:
            raise FrameError(f"frame of {length} bytes, at most {self._bytes_max}")
        end = HEAD.size + length
        if len(self._rest) < end:
            return None
        payload = bytes(self._rest[HEAD.size : end])
        del self._rest[:end]
        return payload
