"""Neighbors: processes that want a core for themselves all the time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Each looks now and then whether its parent is there, so that none is ever left behind.
SPIN = (
    "import os\n"
    "parent = os.getppid()\n"
    "while os.getppid() == parent:\n"
    "    for _ in range(100_000): pass\n"
)


@contextmanager
def neighbors(count: int) -> Iterator[None]:
    """Have so many busy processes meanwhile."""
    running = [
        subprocess.Popen([sys.executable, "-S", "-E", "-c", SPIN], stdin=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for one in running:
            one.kill()
        for one in running:
            one.wait()
