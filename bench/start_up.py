"""Commands as a trader starts them: help, and from `tandem up` to the first fill.

`python -m bench.start_up FOLDER` prints seconds, and what a worker forked by the pool's nursery
uses of memory.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.child_process import pss_mb

HELPS = 5
PATIENCE_S = 30
COMMAND = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'tandem'; from tandem.cli.main import main; main()",
)


class Slot(msgspec.Struct):
    """What is needed of one line of `tandem workers --json`."""

    pid: int | None


class Workers(msgspec.Struct):
    """The answer of `tandem workers --json`."""

    slots: list[Slot]


def help_s() -> float:
    """Return how long `tandem --help` takes, in the middle."""
    took_s = []
    for _ in range(HELPS):
        begin = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
        took_s.append(time.perf_counter() - begin)
    return statistics.median(took_s)


def first_fill(home: Path) -> tuple[float, float]:
    """Return seconds from `tandem up` to the first fill shown, and the largest worker's memory."""
    at_home = ("--home", str(home))
    begin = time.perf_counter()
    up = subprocess.Popen(
        [*COMMAND, "up", "--plain", "--on-exit", "cancel", *at_home], stdout=subprocess.DEVNULL
    )
    try:
        buy = [*COMMAND, "order", "buy", "TSLA", "8", "--wait", *at_home]
        while subprocess.run(buy, capture_output=True, timeout=PATIENCE_S).returncode:
            if time.perf_counter() - begin > PATIENCE_S:
                raise TimeoutError("no order was filled")
        filled_s = time.perf_counter() - begin
        shown = subprocess.run(
            [*COMMAND, "workers", "--json", *at_home], check=True, capture_output=True
        )
        slots = msgspec.json.decode(shown.stdout, type=Workers).slots
        memory = max(pss_mb(one.pid) for one in slots if one.pid is not None)
    finally:
        os.kill(up.pid, signal.SIGINT)
        up.wait(timeout=PATIENCE_S)
    return filled_s, memory


def main() -> None:
    """Measure and print."""
    filled_s, memory = first_fill(Path(sys.argv[1]) / "home")
    figures = {"help_s": help_s(), "first_fill_s": filled_s, "forked_mb": memory}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
