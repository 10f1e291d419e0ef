"""How many tenants' processes an evaluator may have here: by memory, and by open files."""

import os
import resource
from typing import Final

from tandem.messaging.balancer import Rules

_TENANT_BYTES: Final = 10 << 20  # measured, with five strategies and 2,000 bars
_TENANT_FILES: Final = 4  # its pipe, its page, its pidfd; and one while it is made
_OWN_FILES: Final = 256
_SHARE: Final = 4  # a quarter of the memory, for each evaluator
_LEAST: Final = Rules().window_max + 1  # so many tenants may have work here at once, and one more


def processes_here() -> int:
    """Return how many there may be; the limit on open files is raised for them, if it can be."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, files = room(memory_bytes, files=hard)
    if 0 <= soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return processes


def room(memory_bytes: int, *, files: int) -> tuple[int, int]:
    """Return how many processes there may be, and how many open files they need.

    `files` is how many there may be; below 0 they are not limited.
    """
    processes = memory_bytes // _SHARE // _TENANT_BYTES
    if files >= 0:
        processes = min(processes, (files - _OWN_FILES) // _TENANT_FILES)
    processes = max(processes, _LEAST)
    needed = processes * _TENANT_FILES + _OWN_FILES
    return processes, needed if files < 0 else min(needed, files)
