"""Every figure of docs/benchmarks.md: `python -m bench [--rounds N] [--only PART]`.

A round measures everything once, each figure right beside its C baseline, so that both meet the
same neighbors. Medians over the rounds are shown with the lowest and the highest; false alarms are
added up. Needs a disk under `--folder` whose syncs mean something: not a memory file system.

With `--priority N` everything, baselines included, runs at that nice value (a negative one needs
the right to it), also where the kernel groups processes by session.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench import baselines
from bench.figures import Row, table
from bench.measuring import ONCE, PARTS, Rounds

Limit = tuple[float | None, str]  # None: only shown; and the figure's unit
LEAST = {"64": (15_000, 0.33), "512": (25_000, 0.30)}  # children/s, and × C


class Sheet:
    """Rows of what was measured; what was not is left out."""

    def __init__(self, values: dict[str, list[float]]) -> None:
        self._values = values
        self.rows: list[Row] = []

    def add(  # noqa: PLR0913 - each row says what it is beside what
        self,
        name: str,
        figure: str,
        limit: Limit,
        *,
        baseline: str = "",
        beside: str = "C",
        at_most: bool = True,
        is_counted: bool = False,
    ) -> None:
        """Add a figure; with a baseline the limit is about their ratio."""
        values = self._values.get(figure)
        if not values:
            return
        ratio_to = self._values.get(baseline)
        is_judged = ratio_to is not None or not baseline
        self.rows.append(
            Row(
                name=name,
                unit=limit[1],
                values=values,
                limit=limit[0] if is_judged else None,
                at_most=at_most,
                ratio_to=ratio_to,
                beside=beside,
                is_counted=is_counted,
            )
        )


def rows(values: dict[str, list[float]]) -> list[Row]:
    """Return the table of what was measured."""
    sheet = Sheet(values)
    _path_rows(sheet)
    _rate_rows(sheet)
    _death_rows(sheet)
    _start_rows(sheet)
    _other_rows(sheet)
    _user_rows(sheet)
    return sheet.rows


def _path_rows(sheet: Sheet) -> None:
    shown = (None, "µs")
    sheet.add(
        "link round trip, p50", "round trip p50_us", (1.8, "µs"), baseline="C round trip p50_us"
    )
    sheet.add(
        "… the event loop alone", "bare round trip p50_us", shown, baseline="C round trip p50_us"
    )
    sheet.add("link round trip, p99", "round trip p99_us", shown, baseline="C round trip p99_us")
    for size, name in (("200", "mutual TLS round trip"), ("100000", "… of 100 KB")):
        tcp = f"C TCP {size} p50_us"
        sheet.add(f"{name}, p50", f"TLS link {size} p50_us", (3, "µs"), baseline=tcp)
        sheet.add("… TLS and the event loop alone", f"TLS bare {size} p50_us", shown, baseline=tcp)
    durable = "durable dispatch, 1,000/s"
    sheet.add(f"{durable}, p50", "1000/s held_p50_us", (2, "µs"), baseline="C 1000/s p50_us")
    sheet.add(f"{durable}, p99", "1000/s held_p99_us", (3, "µs"), baseline="C 1000/s p99_us")
    sheet.add("durable dispatch, 30/s, p50", "30/s held_p50_us", (1_000, "µs"))
    sheet.add("… beside C", "30/s held_p50_us", shown, baseline="C 30/s p50_us")
    sheet.add("release skew over 8, p99", "skew skew_p99_us", (1_500, "µs"))


def _rate_rows(sheet: Sheet) -> None:
    unit = "children/s"
    for amount, (least, share) in LEAST.items():
        rate = f"{amount} children_per_second"
        sheet.add(f"whole path, {amount} in flight", rate, (least, unit), at_most=False)
        for name, limit, writes in (
            ("… beside C, a write per message", share, "single"),
            ("… beside C, writes joined", None, "joined"),
        ):
            baseline = f"C {amount} {writes} orders_per_second"
            sheet.add(name, rate, (limit, unit), baseline=baseline, at_most=False)
        sheet.add(
            "… over mutual TLS",
            f"TLS {rate}",
            (0.7, unit),
            baseline=rate,
            beside="Unix",
            at_most=False,
        )
    for name, figure in (
        ("whole path, 64, 8 a parent", "64 in eights children_per_second"),
        ("whole path, 64, exchange synced too", "synced 64 children_per_second"),
    ):
        sheet.add(name, figure, (None, unit))
    alone = "alone 512 children_per_second"
    sheet.add("coordinator alone, 512 in flight", alone, (35_000, unit), at_most=False)
    for amount in LEAST:
        for process in ("coordinator", "workers", "exchange"):
            name = f"CPU a child, {amount} in flight: {process}"
            sheet.add(name, f"{amount} {process}_us", (None, "µs"))


def _death_rows(sheet: Sheet) -> None:
    shown, first = (None, "ms"), "kill -9 → spare's first order"
    sheet.add(f"{first}, p50", "takeover p50_ms", shown)
    sheet.add(f"{first}, p99", "takeover p99_ms", (20, "ms"))
    sheet.add("… beside 16 busy processes, p50", "busy takeover p50_ms", shown)
    sheet.add("… beside 16 busy processes, p99", "busy takeover p99_ms", (100, "ms"))
    for what, figure, limit in (("death", "deaths", 10), ("hang", "hangs", 400)):
        sheet.add(f"a worker's {what} known, p50", f"{figure} p50_ms", shown)
        sheet.add(f"a worker's {what} known, p99", f"{figure} p99_ms", (limit, "ms"))
    sheet.add(
        "false alarms, 60 s a round, 32 busy, stalls", "alarms count", (0, ""), is_counted=True
    )
    sheet.add(
        "… 60 s a round, 200 x 50 strategies, stalls",
        "strategic alarms count",
        (0, ""),
        is_counted=True,
    )
    for letter, limit in (("A", 1_600), ("B", 3_300), ("C", 3_300)):
        name = f"cut cable → new order, class {letter}"
        sheet.add(f"{name}, p50", f"remote {letter} p50_ms", shown)
        sheet.add(f"{name}, p99", f"remote {letter} p99_ms", (limit, "ms"))
    for kind in ("alive", "killed"):
        name = f"halt, 1,000 orders, coordinator {kind}"
        sheet.add(f"{name}: stopped", f"drill {kind} stopped_ms", (100, "ms"))
        sheet.add("… all cancels sent", f"drill {kind} sent_ms", (1_000, "ms"))
        sheet.add("… all orders ended", f"drill {kind} ended_ms", (1_000, "ms"))


def _start_rows(sheet: Sheet) -> None:
    sheet.add("coordinator back, 49,000 records", "restart back_s", (2, "s"))
    sheet.add("… with none since its snapshot", "restart empty_s", (None, "s"))
    sheet.add("… for a record", "restart record_us", (None, "µs"))
    sheet.add("… a million, which never come, by that", "restart million_s", (2, "s"))
    sheet.add("the loop held by a snapshot", "restart snapshot_ms", (None, "ms"))
    sheet.add("1,000 workers that live, of a core", "many core_percent", (25, "%"))
    sheet.add("… the coordinator's memory (PSS)", "many memory_mb", (50, "MB"))
    for name in ("p50", "p99"):
        limit = 1.5 if name == "p99" else None
        sheet.add(
            f"order path while 5 MB are sent, {name}",
            f"bundle with {name}_us",
            (limit, "µs"),
            baseline=f"bundle without {name}_us",
            beside="without",
        )


def _other_rows(sheet: Sheet) -> None:
    sheet.add("matching", "matching rate", (300_000, "operations/s"), at_most=False)
    for name, limit in (("p50", 50), ("p99", 200)):
        sheet.add(f"tick → decision → order's frame, {name}", f"tick 1 {name}_us", (limit, "µs"))
    sheet.add("… eight orders' frames, p50", "tick 8 p50_us", (None, "µs"))
    sheet.add("a bar to an indicator, the median one", "indicators median_us", (0.5, "µs"))
    sheet.add("… the slowest of those that are liked", "indicators liked_us", (0.5, "µs"))
    sheet.add("… the slowest of all", "indicators slowest_us", (None, "µs"))
    sheet.add("evaluator known dead → 1,000 strategies", "evaluators again", (100, "ms"))
    sheet.add("… the slowest of ten", "evaluators again_most", (None, "ms"))
    sheet.add("a strategy hangs → known", "evaluators hang_most", (450, "ms"))
    sheet.add("200 x 50: bar → orders, p50", "bars p50", (None, "ms"))
    sheet.add("200 x 50: bar → orders, p99", "bars p99", (250, "ms"))
    sheet.add("a bar to a Lua strategy with two indicators", "strategies alone_us", (3, "µs"))
    sheet.add("… to 1,000 strategies on 200 instruments", "strategies many_s", (0.4, "s"))
    sheet.add("… their process's memory", "strategies many_mb", (400, "MB"))
    sheet.add("… in the paper's way, by one", "strategies fresh_s", (None, "s"))
    sheet.add("one of 10,000 different scripts", "strategies script_bytes", (2_500, "bytes"))
    sheet.add("a simulated seed", "seed s", (1, "core s"))
    sheet.add("a worker's memory (PSS), spawned", "64 worker_mb", (40, "MB"))
    sheet.add("a worker's memory (PSS), forked", "start forked_mb", (20, "MB"))
    sheet.add("tandem --help", "start help_s", (0.3, "s"))
    sheet.add("tandem up → first fill", "start first_fill_s", (3, "s"))


def _user_rows(sheet: Sheet) -> None:
    shown, users = (None, "ms"), "1,000 users x 5 strategies"
    sheet.add(f"{users}: bar → answer, p50", "users two p50_ms", shown)
    sheet.add(f"{users}: bar → answer, p99", "users two p99_ms", (1_000, "ms"))
    sheet.add("… 500 with one evaluator, p99", "users one p99_ms", shown)
    sheet.add("… answers, two evaluators", "users two rate", (None, "users/s"), at_most=False)
    sheet.add(
        "… beside one with half of them",
        "users two rate",
        (None, "users/s"),
        baseline="users one rate",
        beside="one",
        at_most=False,
    )
    sheet.add(
        "… an evaluator's CPU for a user's bar, of two",
        "users two evaluating_us",
        (1.2, "µs"),
        baseline="users one evaluating_us",
        beside="one",
    )
    sheet.add("… CPU where tasks are given, for the same", "users two central_us", (None, "µs"))
    sheet.add("… that had moved, and were cold", "users two cold_percent", (1, "%"))
    sheet.add("… that were ended by force", "users two ended", (0, "users"))
    sheet.add("… until all have begun", "users two first_s", (None, "s"))
    sheet.add("… memory (PSS) of one", "users two tenant_mb", (None, "MB"))
    sheet.add("half as many again as processes: cold", "users churn cold_percent", (60, "%"))
    sheet.add("… each of those takes", "users churn cold_ms", shown)


def machine() -> str:
    """Return what was measured on, without saying where."""
    kernel = platform.release().split("-")[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, Linux {kernel}"


def prioritize(priority: int) -> None:
    """Run, with all that is started from here, at that nice value."""
    with suppress(PermissionError):  # a session's leader has its group already
        os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, priority)
    group = Path("/proc/self/autogroup")
    if group.exists():
        group.write_text(str(priority), encoding="ascii")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(*PARTS, *ONCE))
    parser.add_argument("--folder", type=Path, default=baselines.BUILD)
    parser.add_argument("--priority", type=int)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.priority is not None:
        prioritize(asked.priority)
    begin = time.perf_counter()
    if baselines.compiled("pipeline") is None:
        print("No C compiler here: baselines are skipped, and so are limits that need them.")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        rounds = Rounds(Path(name))
        for number in range(1, asked.rounds + 1):
            for part in (*PARTS, *(ONCE if number == 1 else ())):
                if asked.only in (None, part):
                    print(f"round {number}: {part}", file=sys.stderr, flush=True)
                    getattr(rounds, part)()
    took = f"{asked.rounds} rounds in {time.perf_counter() - begin:.0f} s"
    print(f"{machine()}; {took}; load {os.getloadavg()[0]:.1f} at the end")
    print(table(rows(rounds.values)))


if __name__ == "__main__":
    main()
