"""`make million ORDERS=1000000`: two seeds side by side; 1 when a promise was broken."""

import argparse
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.million.planted import PLANTED
from tests.simulation.million.running import Result, run_seed

SEEN_WITHIN = 20_000  # orders, in which a planted bug must show


def say(*lines: str) -> None:
    """Write lines out, as they are known."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def timed(seed: int, orders: int) -> tuple[Result, float, int]:
    """Run one seed; return with it the seconds and the memory in MB that it took."""
    began = time.perf_counter()
    result = run_seed(seed, orders)
    took = time.perf_counter() - began
    return result, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def million(first: int, orders: int, processes: int) -> int:
    """Run one seed in each process, and print what they saw."""
    each = [orders // processes + (at < orders % processes) for at in range(processes)]
    began = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        results = list(pool.map(timed, range(first, first + processes), each))
    took = time.perf_counter() - began
    seen: Counter[str] = Counter()
    violations: list[str] = []
    for result, seconds, memory in results:
        seen.update(result.seen)
        violations += [f"seed {result.seed}: {one}" for one in result.violations]
        rate = result.orders / seconds
        say(f"seed {result.seed}: {result.orders} orders, {rate:.0f} a second, {memory} MB")
    for what, count in sorted(seen.items()):
        say(f"  {count:>9}  {what}")
    total = sum(one.orders for one, _, _ in results)
    say(f"{total} orders in {took:.0f} s: {total / took:.0f} a second, {processes} processes")
    crosses = sum(count for what, count in seen.items() if "I4" in what)
    say(f"own crosses: {crosses}; broken promises: {len(violations)}")
    say(*violations)
    return 1 if violations else 0


def planted(first: int) -> int:
    """Take each mechanism out; 1 when one of them is not missed."""
    missed = 0
    for name, plant in PLANTED.items():
        undo = plant()
        try:
            result = run_seed(first, SEEN_WITHIN)
        finally:
            undo()
        told = result.violations[0] if result.violations else "NOT SEEN"
        say(f"{name}: after {result.orders} orders: {told}")
        missed += not result.violations
    return 1 if missed else 0


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--planted", action="store_true", help="take mechanisms out instead")
    told = parser.parse_args()
    if told.orders < 1 or told.processes < 1:
        parser.error("--orders and --processes are at least 1")
    if told.planted:
        return planted(told.seed)
    return million(told.seed, told.orders, told.processes)


if __name__ == "__main__":
    sys.exit(main())
