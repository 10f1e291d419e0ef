"""Every figure of docs/benchmarks.md: `python -m bench [--rounds N] [--only WORD]`.

A round measures everything once, each figure right beside its C baseline, so that both meet the
same neighbors. Medians over the rounds are shown with the lowest and the highest. Needs a disk
under `--folder` whose syncs mean something: not a memory file system.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from bench import baselines
from bench.figures import Row, table
from bench.whole_path import Outcome, Phase, Plan

PATIENCE_S = 120
PHASES = [
    Phase(name="64", seconds=1.5, in_flight=64),
    Phase(name="512", seconds=1.5, in_flight=512),
    Phase(name="64 in eights", seconds=1.5, in_flight=64, children=8),
    Phase(name="1000/s", seconds=2, rate=1_000),
    Phase(name="30/s", seconds=4, rate=30),
    Phase(name="skew", seconds=2, rate=50, children=8),
]


class Rounds:
    """What was measured so far: figure by figure, one value a round."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.values: dict[str, list[float]] = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        """Keep one value."""
        self.values[name].append(value)

    def _python(self, module: str, *arguments: str) -> Any:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, str(folder), *arguments],
                check=True,
                stdout=subprocess.PIPE,
                timeout=PATIENCE_S,
            )
        finally:
            shutil.rmtree(folder)
        return msgspec.json.decode(done.stdout)

    def _c(self, figure: str, *arguments: str) -> None:
        found = baselines.run(*arguments)
        for key, value in (found or {}).items():
            self.note(f"C {figure} {key}", value)

    def round_trip(self) -> None:
        """The link beside a C ping-pong."""
        self._c("round trip", "pingpong", "20000")
        found = self._python("bench.round_trip", "10000")
        for key, value in found.items():
            self.note(f"round trip {key}", value)

    def whole_path(self) -> None:
        """All processes beside C ones."""
        folder = str(self._folder)
        for amount in ("64", "512"):
            for writes in ("single", "joined"):
                arguments = ("closed", amount, "1", "whole", writes)
                self._c(f"{amount} {writes}", "pipeline", folder, *arguments)
        for rate, seconds in (("1000", "2"), ("30", "4")):
            self._c(f"{rate}/s", "pipeline", folder, "paced", rate, seconds, "whole", "joined")
        self._cluster(Plan(phases=PHASES), "")
        synced = [Phase(name="64", seconds=1.5, in_flight=64)]
        self._cluster(Plan(phases=synced, exchange_sync="sync"), "synced ")

    def _cluster(self, plan: Plan, prefix: str) -> None:
        found = self._python("bench.whole_path", msgspec.json.encode(plan).decode())
        for outcome in msgspec.convert(found, list[Outcome]):
            for key in Outcome.__struct_fields__[1:]:
                self.note(f"{prefix}{outcome.name} {key}", getattr(outcome, key))

    def row(self, name: str, figure: str, unit: str, **limits: Any) -> Row | None:
        """Return a row; None when it was not measured."""
        ratio_to = limits.pop("ratio_to", None)
        values = self.values.get(figure)
        if not values:
            return None
        baseline = self.values.get(ratio_to) if ratio_to else None
        if ratio_to and not baseline:
            limits.pop("limit", None)
        return Row(name=name, unit=unit, values=values, ratio_to=baseline, **limits)


def rows(rounds: Rounds) -> list[Row]:
    """Return the table of what was measured."""
    at_least: dict[str, Any] = {"at_most": False}
    found = [
        rounds.row(
            "round trip p50", "round trip p50_us", "µs", limit=1.8, ratio_to="C round trip p50_us"
        ),
        rounds.row("round trip p99", "round trip p99_us", "µs", ratio_to="C round trip p99_us"),
        rounds.row(
            "durable dispatch, 1,000/s, p50",
            "1000/s held_p50_us",
            "µs",
            limit=2,
            ratio_to="C 1000/s p50_us",
        ),
        rounds.row(
            "durable dispatch, 1,000/s, p99",
            "1000/s held_p99_us",
            "µs",
            limit=3,
            ratio_to="C 1000/s p99_us",
        ),
        rounds.row("durable dispatch, 30/s, p50", "30/s held_p50_us", "µs", limit=1_000),
        rounds.row("… beside C", "30/s held_p50_us", "µs", ratio_to="C 30/s p50_us"),
        rounds.row("release skew over 8, p99", "skew skew_p99_us", "µs", limit=1_500),
    ]
    for amount, least, share in (("64", 15_000, 0.33), ("512", 25_000, 0.30)):
        rate = f"{amount} children_per_second"
        found += [
            rounds.row(
                f"whole path, {amount} in flight", rate, "children/s", limit=least, **at_least
            ),
            rounds.row(
                "… beside C, a write per message",
                rate,
                "children/s",
                limit=share,
                ratio_to=f"C {amount} single orders_per_second",
                **at_least,
            ),
            rounds.row(
                "… beside C, writes joined",
                rate,
                "children/s",
                ratio_to=f"C {amount} joined orders_per_second",
            ),
        ]
    for name, key in (
        ("8 children a parent, 64 in flight", "64 in eights"),
        ("64 in flight, exchange synced too", "synced 64"),
    ):
        found.append(rounds.row(name, f"{key} children_per_second", "children/s"))
    for process in ("coordinator", "workers", "exchange"):
        for amount in ("64", "512"):
            name = f"CPU a child, {process}, {amount} in flight"
            found.append(rounds.row(name, f"{amount} {process}_us", "µs"))
    return [row for row in found if row is not None]


def machine() -> str:
    """Return what was measured on, without saying where."""
    kernel = platform.release().split("-")[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, Linux {kernel}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="round_trip or whole_path")
    parser.add_argument("--folder", type=Path, default=baselines.BUILD)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    if baselines.compiled("pipeline") is None:
        print("No C compiler here: the baselines are skipped, and limits that need them too.")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        rounds = Rounds(Path(name))
        for number in range(1, asked.rounds + 1):
            for part in ("round_trip", "whole_path"):
                if asked.only in part:
                    print(f"round {number}: {part}", file=sys.stderr, flush=True)
                    getattr(rounds, part)()
    print(f"{machine()}; {asked.rounds} rounds in {time.perf_counter() - begin:.0f} s")
    print(table(rows(rounds)))


if __name__ == "__main__":
    main()
