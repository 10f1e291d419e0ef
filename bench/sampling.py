"""Where a process spends its CPU time, by looking at its stack every few milliseconds of it.

Unlike a tracing profiler this leaves the shares as they are: a function that is called often does
not look slower than it is. Time in C shows at the Python line that called it.
"""

import collections
import json
import signal
from pathlib import Path
from types import FrameType

INTERVAL_S = 0.001
Place = tuple[str, int, str]  # file, line, function


class Samples:
    """Stacks seen, from `start` on; `write` ends it."""

    def __init__(self) -> None:
        self._stacks: collections.Counter[tuple[Place, ...]] = collections.Counter()

    def start(self) -> None:
        """Begin; only in the main thread."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            code = frame.f_code
            stack.append((code.co_filename, frame.f_lineno, code.co_qualname))
            frame = frame.f_back
        self._stacks[tuple(stack)] += 1

    def write(self, path: Path) -> None:
        """Stop, and write what was seen: a list of count and stack, innermost first."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        path.write_text(json.dumps([(count, stack) for stack, count in self._stacks.items()]))
