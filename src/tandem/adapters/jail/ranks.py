"""Which processes have only the time that nobody else wants, and where. Source: sched(7).

Behind the others is the scheduler's idle class, on one processor: the one of whoever evaluates for
them. Elsewhere a process of that class makes a processor look busy to the scheduler, which then
leaves an honest process to wait where it is.

Anybody may be put behind, but only who holds CAP_SYS_NICE can bring it back; who holds it not
puts nobody behind.
"""

import functools
import os
from pathlib import Path
from typing import Final

_CAP_SYS_NICE: Final = 23
_STATUS: Final = Path("/proc/self/status")


@functools.cache
def may_rank() -> bool:
    """Return whether this process may put others behind, and bring them back."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return False
    held = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(held >> _CAP_SYS_NICE & 1)


class Corner:
    """One processor of those that a process may use, for who goes behind."""

    def __init__(self) -> None:
        self._all = os.sched_getaffinity(0)
        # Several evaluators of one computer are not to meet on the same one.
        self.processor = sorted(self._all)[os.getpid() % len(self._all)]
        self._is_kept = False

    def rank(self, pid: int, *, is_behind: bool) -> None:
        """Let a process have the time there that nobody else wants, or its share anywhere.

        With the first that goes behind, this process keeps to its corner itself.

        Raises:
            ProcessLookupError: there is no such process.
        """
        if not is_behind:
            go_along(pid, self._all)
            return
        if not self._is_kept:
            self._is_kept = True
            os.sched_setaffinity(0, {self.processor})
        go_behind(pid, processor=self.processor)


def go_behind(pid: int, *, processor: int) -> None:
    """Let a process have the time of that processor that nobody else wants; 0 is this process.

    Raises:
        ProcessLookupError: there is no such process.
    """
    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(pid, {processor})


def go_along(pid: int, processors: set[int]) -> None:
    """Let a process have its share of those processors; 0 is this process.

    Raises:
        ProcessLookupError: there is no such process.
    """
    os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    os.sched_setaffinity(pid, processors)
