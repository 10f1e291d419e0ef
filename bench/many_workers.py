"""What a thousand workers cost that only live: `python -m bench.many_workers FOLDER COUNT SECONDS`.

One process answers as all of them, each with four heartbeats a second. Prints the share of a core
that the coordinator uses, and its memory, both without an order.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import child_process, cluster_settings
from bench.cluster import Cluster
from bench.stub_workers import more_descriptors
from tandem.core.trading.pulse import Pulse
from tandem.domain.ids import Incarnation

BEAT_S: Final = 0.25
SETTLE_S: Final = 1.0
ALARM_BEATS: Final = 5  # as many as a pool of the usual heartbeat waits for


async def run(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """Let so many live for so long."""
    beat_ns = int(BEAT_S * 1e9)
    pulse: Pulse[Incarnation] = Pulse(heartbeat_ns=beat_ns, alarm_ns=ALARM_BEATS * beat_ns)
    cluster = Cluster(folder, spares=count - cluster_settings.WORKERS, pulse=pulse)
    try:
        await cluster.start_with_stubs(BEAT_S)
        await asyncio.sleep(SETTLE_S)
        before_ns, begin_ns = child_process.cpu_ns(os.getpid()), time.monotonic_ns()
        await asyncio.sleep(seconds)
        used_ns = child_process.cpu_ns(os.getpid()) - before_ns
        share = used_ns / (time.monotonic_ns() - begin_ns)
        up = sum(one.up for one in cluster.shell.desk.state.workers.values())
        assert up == count, f"{up} of {count} workers are there"
        return {"core_percent": share * 100, "memory_mb": child_process.pss_mb(os.getpid())}
    finally:
        cluster.stop()


def main() -> None:
    """Measure and print."""
    more_descriptors()
    figures = uvloop.run(run(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
