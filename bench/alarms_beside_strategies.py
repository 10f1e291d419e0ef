"""Who is called silent though he lives, in a pool whose strategies are busy.

`python -m bench.alarms_beside_strategies FOLDER SECONDS`: a real pool on a made-up market decides
200 instruments x 50 strategies every three seconds, and trades what they want. The coordinator is
stopped for half a second now and then, as for the other false alarms. Nobody dies or hangs;
printed is how many workers, by the coordinator's journal, and other processes, by the
supervisor's log, were said to.
"""

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import msgspec

from bench.detection import STALL_EVERY_S, STALL_S
from tandem.domain.deciding import Decided
from tandem.domain.desk import WorkerDied, WorkerSilent
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records, desk_records
from tests.system import fleet
from tests.system.running import pool, processes, stop

INSTRUMENTS: Final = 200
STRATEGIES: Final = 50
SPEED: Final = 20
EVALUATORS: Final = 2
BEGIN: Final = "2026-11-23T00:00:00+00:00"


def run(home: Home, seconds: float) -> dict[str, float]:
    """Harm nobody for so long; return who was thought to be harmed, and what was decided."""
    instruments = fleet.prepare(home, INSTRUMENTS)
    words = ("--begin", BEGIN, "--speed", SPEED, "--evaluators", EVALUATORS)
    with pool(home.folder, "--workers", fleet.WORKERS, *words) as process:
        asyncio.run(fleet.assign_all(home, instruments, STRATEGIES))
        began_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        coordinator = processes(process.pid)["coordinator"]
        end_s = time.monotonic() + seconds
        stalls = 0
        while time.monotonic() < end_s:
            os.kill(coordinator, signal.SIGSTOP)
            time.sleep(STALL_S)
            os.kill(coordinator, signal.SIGCONT)
            stalls += 1
            time.sleep(STALL_EVERY_S - STALL_S)
        ended_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        code, out, err = stop(process)
    if code != 0:
        raise SystemExit(f"the pool ended with {code}: {out[-500:]} {err[-500:]}")
    workers = {
        record.event.incarnation
        for record in desk_records(home)
        if isinstance(record.event, WorkerSilent | WorkerDied)
        and began_ns <= record.now.now_ns <= ended_ns
    }
    # "the market process is silent …", not "worker w1 is silent": those stand in the journal.
    others = [line for line in out.splitlines() if re.search(r"\bthe \S+.* is silent for", line)]
    decided = sum(
        effect.count
        for record in decider_records(home)
        for effect in record.effects
        if isinstance(effect, Decided)
    )
    if not decided:
        raise SystemExit("nothing was decided")
    count = len(workers) + len(others)
    return {"count": count, "stalls": stalls, "decisions": decided}


def main() -> int:
    """Measure and print."""
    with redirect_stdout(sys.stderr):
        figures = run(Home(Path(sys.argv[1]) / "home"), float(sys.argv[2]))
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
