"""The product's own halt drill: `python -m bench.halt_drill FOLDER ORDERS`.

`tandem halt --drill --kill-coordinator --json` on a new home: so many orders rest at the paper
exchange, the coordinator is killed, and everything is halted. Prints when every worker had
stopped, when every cancel was sent, and when the last order had ended by the exchange's own
journal, in milliseconds after the halt began; and the same with a coordinator that lives.
"""

import subprocess
import sys
from pathlib import Path

import msgspec

from bench.start_up import COMMAND

PATIENCE_S = 100


class Report(msgspec.Struct):
    """What is needed of a drill's report."""

    orders: int
    ended: int
    stopped_ms: float
    sent_ms: float
    last_ended_ms: float


class Drill(msgspec.Struct):
    """The answer of `tandem halt --drill --json`."""

    report: Report


def drill(home: Path, orders: int, *options: str) -> dict[str, float]:
    """Drill once."""
    command = [*COMMAND, "halt", "--drill", "--json", "--orders", str(orders), *options]
    # A drill that missed its limits ends with 1, and its figures count all the same.
    done = subprocess.run(
        [*command, "--home", str(home)], check=False, capture_output=True, timeout=PATIENCE_S
    )
    report = msgspec.json.decode(done.stdout, type=Drill).report
    assert report.ended == report.orders == orders, report
    return {
        "stopped_ms": report.stopped_ms,
        "sent_ms": report.sent_ms,
        "ended_ms": report.last_ended_ms,
    }


def main() -> None:
    """Measure and print."""
    folder, orders = Path(sys.argv[1]), int(sys.argv[2])
    figures = {f"alive {name}": ms for name, ms in drill(folder / "alive", orders).items()}
    killed = drill(folder / "killed", orders, "--kill-coordinator")
    figures |= {f"killed {name}": ms for name, ms in killed.items()}
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
