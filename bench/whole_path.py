"""Orders through all processes: `python -m bench.whole_path FOLDER PLAN`, PLAN as JSON.

A plan is a list of phases that one cluster goes through. Prints one JSON list of outcomes.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from bench import child_process
from bench.cluster import Cluster, free_ports, usage
from bench.cluster_settings import USUAL, Shape
from bench.load import Load
from bench.sampling import Samples
from tandem.core.trading.state import Parent

WARM_S = 0.4


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What is done for how long: `in_flight` children always on their way, or `rate` parents/s."""

    name: str
    seconds: float
    in_flight: int = 0
    rate: float = 0
    children: int = 1


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one cluster goes through."""

    phases: list[Phase]
    exchange_sync: str = "page"
    stubs: bool = False  # workers that only answer, and no exchange
    over_tls: bool = False  # workers dial over mutual TLS
    samples: str = ""  # folder for samples of the last phase's cluster


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One phase's figures; times from decision to the worker's receipt, skews within a parent."""

    name: str
    children_per_second: float
    coordinator_us: float
    workers_us: float
    exchange_us: float
    records_per_batch: float
    held_p50_us: float
    held_p99_us: float
    skew_p50_us: float
    skew_p99_us: float
    worker_mb: float


class Times:
    """When workers held what was decided, from the desk's own record of each attempt."""

    def __init__(self, cluster: Cluster) -> None:
        self._attempts = cluster.shell.desk.state.attempts
        self.held_ns: list[int] = []
        self.skew_ns: list[int] = []

    def note(self, parent: Parent) -> None:
        """Take the times of an ended parent."""
        held = []
        for client_order_id in parent.attempts:
            attempt = self._attempts[client_order_id]
            released = next(hop.at_ns for hop in attempt.hops if hop.what == "released")
            assert attempt.sent_ns is not None
            held.append(attempt.sent_ns)
            self.held_ns.append(attempt.sent_ns - released)
        self.skew_ns.append(max(held) - min(held))


def percentile_us(values_ns: list[int], share: float) -> float:
    """Return the value below which `share` of the values lie, in microseconds."""
    if not values_ns:
        return 0.0
    ordered = sorted(values_ns)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e3


async def run_phase(cluster: Cluster, phase: Phase) -> Outcome:
    """Warm up, then measure."""
    load = Load(cluster.shell, children=phase.children)
    load.attach()
    journal = cluster.shell.recording._journal
    times = Times(cluster)
    if phase.in_flight:
        load.keep(phase.in_flight)
        await asyncio.sleep(WARM_S)
    else:
        await load.pace(phase.rate, WARM_S)
        load.notes.append(times.note)
    own_pid = os.getpid()
    before, ended, records = usage(cluster, own_pid), load.ended, journal.next_record
    batches = journal._head.batch  # type: ignore[attr-defined]
    begin_ns = time.perf_counter_ns()
    if phase.in_flight:
        await asyncio.sleep(phase.seconds)
    else:
        await load.pace(phase.rate, phase.seconds)
    took_s = (time.perf_counter_ns() - begin_ns) / 1e9
    count = (load.ended - ended) * phase.children
    after = usage(cluster, own_pid)
    batches = journal._head.batch - batches  # type: ignore[attr-defined]
    records = journal.next_record - records
    load.stop()
    await load.drained()
    each_us = 1e-3 / max(1, count)
    return Outcome(
        name=phase.name,
        children_per_second=count / took_s,
        coordinator_us=(after.coordinator_ns - before.coordinator_ns) * each_us,
        workers_us=(after.workers_ns - before.workers_ns) * each_us,
        exchange_us=(after.exchange_ns - before.exchange_ns) * each_us,
        records_per_batch=records / max(1, batches),
        held_p50_us=percentile_us(times.held_ns, 0.5),
        held_p99_us=percentile_us(times.held_ns, 0.99),
        skew_p50_us=percentile_us(times.skew_ns, 0.5),
        skew_p99_us=percentile_us(times.skew_ns, 0.99),
        worker_mb=max(child_process.pss_mb(one.pid) for one in cluster.workers),
    )


async def run(folder: Path, plan: Plan) -> list[Outcome]:
    """Go through the plan with one cluster."""
    samples = Path(plan.samples) if plan.samples else None
    shape = Shape(ports=free_ports()) if plan.over_tls else USUAL
    cluster = Cluster(folder, spares=0 if plan.stubs else 1, samples=samples, shape=shape)
    own = Samples()
    try:
        if plan.stubs:
            await cluster.start_with_stubs()
        else:
            await cluster.start(exchange_sync=plan.exchange_sync)
        if samples is not None:
            own.start()
        outcomes = [await run_phase(cluster, phase) for phase in plan.phases]
        if samples is not None:
            own.write(samples / "coordinator.json")
        return outcomes
    finally:
        cluster.stop()


def main() -> None:
    """Run the plan and print its outcomes."""
    plan = msgspec.json.decode(sys.argv[2], type=Plan)
    outcomes = uvloop.run(run(Path(sys.argv[1]), plan))
    sys.stdout.write(msgspec.json.encode(outcomes).decode() + "\n")


if __name__ == "__main__":
    main()
