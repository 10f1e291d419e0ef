"""The control page: one page of memory that an evaluator and a tenant's process share.

Byte 0 is the late flag: not 0 asks the strategy that runs to stop. Bytes 4 to 7 are the number of
the attachment that is evaluated, -1 when none is: little-endian and signed. The process can write
to it what it likes, and harms only itself.
"""

import mmap
import os
import struct
from typing import Final

PAGE_BYTES: Final = mmap.PAGESIZE
LATE_AT: Final = 0
RUNNING_AT: Final = 4
_RUNNING: Final = struct.Struct("<i")
_NOBODY: Final = -1


def new_page() -> int:
    """Return a descriptor of a page that nobody else has, and in which nobody runs."""
    descriptor = os.memfd_create("control", os.MFD_CLOEXEC)
    os.truncate(descriptor, PAGE_BYTES)
    os.pwrite(descriptor, _RUNNING.pack(_NOBODY), RUNNING_AT)
    return descriptor


class ControlPage:
    """One side's sight of the page behind a descriptor, which may be closed then."""

    def __init__(self, descriptor: int) -> None:
        self.memory = mmap.mmap(descriptor, PAGE_BYTES)

    @property
    def running(self) -> int | None:
        """Who is evaluated."""
        (number,) = _RUNNING.unpack_from(self.memory, RUNNING_AT)
        return None if number == _NOBODY else int(number)

    @running.setter
    def running(self, number: int | None) -> None:
        _RUNNING.pack_into(self.memory, RUNNING_AT, _NOBODY if number is None else number)

    @property
    def is_late(self) -> bool:
        """Whether the strategy that runs is asked to stop."""
        return self.memory[LATE_AT] != 0

    @is_late.setter
    def is_late(self, is_late: bool) -> None:
        self.memory[LATE_AT] = is_late
