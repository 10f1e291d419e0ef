"""Running every part of a round, in processes of their own, and keeping what they said."""

import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import baselines, matching
from bench.whole_path import Outcome, Phase, Plan

PATIENCE_S: Final = 120
PARTS: Final = (
    "round_trip",
    "lan",
    "whole_path",
    "coordinator",
    "takeover",
    "detection",
    "alarms",
    "remote",
    "restart",
    "many",
    "drill",
    "bundle",
    "matching",
    "indicators",
    "tick_to_order",
    "strategies",
    "evaluators",
    "users",
    "bars",
    "start_up",
)
ONCE: Final = ("seed",)  # measured in the first round only: it is long and says its own average
KILLS: Final = 20
HANGS: Final = 15
NEIGHBORS: Final = 16  # of a takeover
ALARM_S, ALARM_NEIGHBORS = 60, 32
CUTS: Final = 8
RECORDS: Final = 49_000  # a snapshot comes with 50,000
MANY: Final = 1_000
OPEN_ORDERS: Final = 1_000
WINDOW_S: Final = 8
SEEDS: Final = 100
PHASES: Final = [
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

    def _note(self, figure: str, found: dict[str, float] | None) -> None:
        for key, value in (found or {}).items():
            self.values[f"{figure} {key}"].append(value)

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

    def round_trip(self) -> None:
        """The link beside a C ping-pong."""
        self._note("C round trip", baselines.run("pingpong", "20000"))
        self._note("bare round trip", self._python("bench.round_trip", "bare", "10000"))
        self._note("round trip", self._python("bench.round_trip", "link", "10000"))

    def lan(self) -> None:
        """The link over mutual TLS beside a C ping-pong over TCP in the clear."""
        for size, count in (("200", "10000"), ("100000", "1000")):
            self._note(f"C TCP {size}", baselines.run("tcp_pingpong", count, size))
            for kind in ("bare", "link"):
                found = self._python("bench.lan_round_trip", kind, count, size)
                self._note(f"TLS {kind} {size}", found)

    def whole_path(self) -> None:
        """All processes beside C ones."""
        folder = str(self._folder)
        for amount in ("64", "512"):
            for writes in ("single", "joined"):
                found = baselines.run("pipeline", folder, "closed", amount, "1", "whole", writes)
                self._note(f"C {amount} {writes}", found)
        for rate, seconds in (("1000", "2"), ("30", "4")):
            found = baselines.run("pipeline", folder, "paced", rate, seconds, "whole", "joined")
            self._note(f"C {rate}/s", found)
        self._cluster(Plan(phases=PHASES), "")
        self._cluster(Plan(phases=PHASES[:2], over_tls=True), "TLS ")
        self._cluster(Plan(phases=PHASES[:1], exchange_sync="sync"), "synced ")

    def coordinator(self) -> None:
        """The coordinator with workers that only answer."""
        self._cluster(Plan(phases=PHASES[1:2], stubs=True), "alone ")

    def _cluster(self, plan: Plan, prefix: str) -> None:
        found = self._python("bench.whole_path", msgspec.json.encode(plan).decode())
        for outcome in msgspec.convert(found, list[Outcome]):
            figures = msgspec.structs.asdict(outcome)
            name = figures.pop("name")
            self._note(f"{prefix}{name}", figures)

    def takeover(self) -> None:
        """kill -9, and the spare's first new order."""
        self._note("takeover", self._python("bench.takeover", str(KILLS)))
        found = self._python("bench.takeover", str(KILLS), str(NEIGHBORS))
        self._note("busy takeover", found)

    def detection(self) -> None:
        """A worker dies, or hangs, and the coordinator knows."""
        for what, count in (("deaths", KILLS), ("hangs", HANGS)):
            self._note(what, self._python("bench.detection", what, str(count)))

    def alarms(self) -> None:
        """Nobody dies or hangs, and the coordinator should know that too."""
        seconds, busy = str(ALARM_S), str(ALARM_NEIGHBORS)
        self._note("alarms", self._python("bench.detection", "alarms", seconds, busy))
        found = self._python("bench.alarms_beside_strategies", seconds)
        self._note("strategic alarms", found)

    def remote(self) -> None:
        """A cable is cut, and another computer's worker goes on."""
        self._note("remote", self._python("bench.remote_takeover", str(CUTS)))

    def restart(self) -> None:
        """The coordinator is started on a journal that is as long as it gets."""
        self._note("restart", self._python("bench.restart", str(RECORDS)))

    def many(self) -> None:
        """A thousand workers live."""
        self._note("many", self._python("bench.many_workers", str(MANY), "8"))

    def drill(self) -> None:
        """The product's own halt drill."""
        self._note("drill", self._python("bench.halt_drill", str(OPEN_ORDERS)))

    def bundle(self) -> None:
        """The paper's experiment."""
        self._note("bundle", self._python("bench.bundle_while_trading", str(WINDOW_S)))

    def matching(self) -> None:
        """The order book by itself."""
        rate = matching.measure("book", matching.run_book, count=50_000, made=matching.as_they_are)
        self._note("matching", {"rate": rate.median})

    def indicators(self) -> None:
        """Indicators, fed bar by bar."""
        self._note("indicators", self._python("bench.indicators", "--json"))

    def evaluators(self) -> None:
        """A dead evaluator, and one that hangs."""
        self._note("evaluators", self._python("bench.evaluators"))

    def users(self) -> None:
        """A thousand users, each in a process of his own."""
        self._note("users", self._python("bench.users"))

    def bars(self) -> None:
        """From bars to orders, through a whole pool."""
        self._note("bars", self._python("bench.bars_to_orders"))

    def tick_to_order(self) -> None:
        """From a quote to the orders that it causes, in the desk."""
        self._note("tick", self._python("bench.tick_to_order", "--json"))

    def strategies(self) -> None:
        """Strategies, evaluated on every bar."""
        self._note("strategies", self._python("bench.strategies", "--json"))

    def start_up(self) -> None:
        """Commands as a trader starts them."""
        self._note("start", self._python("bench.start_up"))

    def seed(self) -> None:
        """A simulated minute of faults, by the campaign's own account."""
        arguments = ("--seeds", str(SEEDS), "--first", "1")
        done = subprocess.run(
            [sys.executable, "-m", "tandem.sim.campaign", *arguments],
            check=False,  # so few seeds need not show everything of interest
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        summary = done.stdout.strip().splitlines()[-1]
        words = summary.split(" core seconds a seed")[0].split()
        self._note("seed", {"s": float(words[-1])})
