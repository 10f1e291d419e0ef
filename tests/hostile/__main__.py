"""Prints what becomes of every hostile strategy, and how long its neighbor waits meanwhile.

Run as `make hostile`. Exits with 1 when one escaped, or somebody heard something else.
"""

import asyncio
import itertools
import statistics
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from tandem.domain.strategies import Language
from tests.hostile.corpus import Outcome, Script, scripts
from tests.hostile.running import BOB, SERIES, STRATEGIES, Bench, Case, bench

ROUNDS: Final = 15
BARS: Final = 300
OUT: Final = sys.stdout


async def main() -> int:
    """Return the exit code."""
    cases = []
    async with bench() as jailed:
        expected = await jailed.honest(BOB, "alone")
        for language in Language:
            for script in scripts(language):
                case = await jailed.case(script, expected)
                OUT.write(f"{language:7} {_line(case)}\n")
                OUT.flush()
                cases.append(case)
        OUT.write(f"{_summary(cases)}\n")
        OUT.write(f"a tenant's memory: {_memory(jailed)}\n")
    async with bench() as jailed:
        OUT.write(f"{await _waiting(jailed)}\n")
    return 0 if all(not one.is_escaped and one.are_neighbors_right for one in cases) else 1


def _line(case: Case) -> str:
    wrong = "" if case.outcome is case.script.expected else f" (expected {case.script.expected})"
    escaped = " ESCAPED" if case.is_escaped else ""
    changed = "" if case.are_neighbors_right else " NEIGHBORS CHANGED"
    words = case.words.encode("ascii", "replace").decode()[:60]
    outcome = f"{case.outcome}{wrong}{escaped}{changed}"
    return f"{case.script.name:30} {outcome:9} {case.took_ms:6.0f} ms  {words}"


def _summary(cases: list[Case]) -> str:
    counts = ", ".join(
        f"{sum(one.outcome is outcome for one in cases)} {outcome}" for outcome in Outcome
    )
    escaped = sum(one.is_escaped for one in cases)
    changed = sum(not one.are_neighbors_right for one in cases)
    longest = max(cases, key=lambda one: one.took_ms)
    return (
        f"\n{len(cases)} scripts: {counts}; {escaped} escaped, neighbors changed by {changed}; "
        f"the longest took {longest.took_ms:.0f} ms ({longest.script.name})"
    )


def _memory(jailed: Bench) -> str:
    sizes = [cell.pss_bytes / 2**20 for cell in jailed.jail.cells]
    return f"{statistics.median(sizes):.1f} MB (PSS, median of {len(sizes)} processes)"


async def _waiting(jailed: Bench) -> str:
    """Measure Bob alone and beside Eve, in turns."""
    alone, beside = [], []
    attackers = itertools.cycle([*scripts(Language.PYTHON), *scripts(Language.LUA)])
    await jailed.times_ms("warm", BARS)
    for number in range(ROUNDS):
        alone.append(_p99(await jailed.times_ms(f"alone {number}", BARS)))
        async with _attacked(jailed, attackers):
            beside.append(_p99(await jailed.times_ms(f"beside {number}", BARS)))
    first, second = statistics.median(alone), statistics.median(beside)
    return (
        f"neighbor's p99 of {BARS} bars of {SERIES} series with {STRATEGIES} strategies each, "
        f"median of {ROUNDS}: alone {first:.2f} ms "
        f"({min(alone):.2f} to {max(alone):.2f}), beside attackers {second:.2f} ms "
        f"({min(beside):.2f} to {max(beside):.2f}), ratio {second / first:.2f} (wanted: 1.2)"
    )


def _p99(times_ms: list[float]) -> float:
    return statistics.quantiles(times_ms, n=100)[98]


@asynccontextmanager
async def _attacked(jailed: Bench, attackers: Iterator[Script]) -> AsyncIterator[None]:
    """Keep attacking, one script after the other, while the body runs."""

    async def attack() -> None:
        for script in attackers:
            await jailed.attack(script)

    attacking = asyncio.ensure_future(attack())
    try:
        yield
    finally:
        attacking.cancel()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
