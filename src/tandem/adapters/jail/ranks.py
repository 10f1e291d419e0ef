"""Which processes have only the time that nobody else wants. Source: sched(7), SCHED_IDLE.

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


def rank(pid: int, *, is_behind: bool) -> None:
    """Let a process have only the time that nobody else wants, or its share; 0 is this process.

    Raises:
        ProcessLookupError: there is no such process.
    """
    policy = os.SCHED_IDLE if is_behind else os.SCHED_OTHER
    os.sched_setscheduler(pid, policy, os.sched_param(0))
