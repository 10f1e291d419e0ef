"""Kills a process of a real pool at a random moment of a share list, again and again.

`python -m tests.system.chaos --runs 50` kills worker, spare, coordinator, exchange or supervisor
with SIGKILL, types the same command again where it ended, and then judges by the exchange's own
journal: nothing lost, nothing repeated, no own order met. Exit code 1 on any violation.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home
from tests.system.running import WAIT_S, environment, longer_list, processes
from tests.system.verdict import Verdict, judge

VICTIMS = ("worker", "spare", "coordinator", "exchange", "supervisor")
LATEST_S = 0.02
ROUNDS = 3  # of the paper's twenty lines, each with other quantities
LINES = 20 * ROUNDS
EARLY = 0.2  # so many of the kills come at any time of start and set-up
SET_UP_S = 1.0
STARTS_MAX = 5
TRIES_MAX = 4


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run: who was killed when, how often the command was typed, and what traded."""

    number: int
    victim: str
    killed_at_s: float | None
    starts: int
    took_s: float
    verdict: Verdict


async def _command(home: Path, *, share_list: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from tandem.cli.main import main; main()",
        *("trade", str(share_list), "--home", str(home), "--run", "chaos"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )


async def _one(number: int, seed: int) -> Outcome:
    chance = random.Random(seed)
    victim = VICTIMS[number % len(VICTIMS)]
    clock = asyncio.get_running_loop().time
    began = clock()
    with tempfile.TemporaryDirectory(prefix="tandem-chaos-") as folder:
        home = Path(folder) / "home"
        share_list = longer_list(Path(folder), ROUNDS)
        process = await _command(home, share_list=share_list)
        killing = asyncio.create_task(_kill(victim, process.pid, home, chance))
        starts = 1
        try:
            code = await asyncio.wait_for(process.wait(), 4 * WAIT_S)
            while code != 0 and starts < STARTS_MAX:
                starts += 1
                process = await _command(home, share_list=share_list)
                code = await asyncio.wait_for(process.wait(), 4 * WAIT_S)
        finally:
            killing.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
        killed_at_s = None
        with contextlib.suppress(asyncio.CancelledError):
            killed_at_s = await killing
        verdict = await asyncio.to_thread(judge, home, share_list)
        return Outcome(
            number=number,
            victim=victim,
            killed_at_s=killed_at_s,
            starts=starts,
            took_s=clock() - began,
            verdict=verdict,
        )


async def _kill(victim: str, supervisor: int, home: Path, chance: random.Random) -> float | None:
    """Kill at a random moment; return how long that is after the start, None when too late."""
    clock = asyncio.get_running_loop().time
    began = clock()
    if chance.random() < EARLY:
        await asyncio.sleep(chance.uniform(0, SET_UP_S))
        pid = _by_name(victim, supervisor, chance)
    else:
        pid = await _amid_the_list(victim, supervisor, home, chance)
    if pid is None:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return clock() - began


def _by_name(victim: str, supervisor: int, chance: random.Random) -> int | None:
    """Return a process of a pool that is perhaps still being set up, where nobody is a spare."""
    named = processes(supervisor)
    if victim == "supervisor":
        return supervisor
    if victim in ("worker", "spare"):
        workers = sorted(pid for name, pid in named.items() if name.startswith("p"))
        return chance.choice(workers) if workers else None
    return named.get(victim)


async def _amid_the_list(
    victim: str, supervisor: int, home: Path, chance: random.Random
) -> int | None:
    """Wait until so many orders of the list were taken, and a little; return the victim."""
    wanted = chance.randrange(1, LINES - 3)
    async with desk_line(Home(home)) as line:
        while True:
            status = await line.status(WAIT_S)
            if status.parents_open + status.parents_done >= wanted:
                break
            await asyncio.sleep(0.001)
        await asyncio.sleep(chance.uniform(0, LATEST_S))
        status = await line.status(WAIT_S)
    if victim == "worker":
        filled = [one.pid for one in status.slots if one.pid is not None]
        return chance.choice(filled) if filled else None
    if victim == "spare":
        spares = [one.pid for one in status.workers if one.slot_id is None]
        return chance.choice(spares) if spares else None
    return _by_name(victim, supervisor, chance)


async def _campaign(runs: int, seed: int) -> int:
    heads = f"{'run':>4}  {'killed':<12} {'after':>8}  {'starts':>6}  {'took':>7}  {'fills':>5}"
    _write(f"{heads}  lost  repeated  crossed")
    outcomes = []
    for number in range(runs):
        for again in range(TRIES_MAX):
            outcome = await _one(number, seed + number + again * runs)
            outcomes.append(outcome)
            _print(outcome)
            if outcome.killed_at_s is not None:
                break  # else the list had ended before: the same victim, another moment
    bad = [one for one in outcomes if not one.verdict.is_good]
    for victim in VICTIMS:
        killed = [one.killed_at_s is not None for one in outcomes if one.victim == victim]
        _write(f"{victim}: killed {sum(killed)} times")
    sums = [
        sum(getattr(one.verdict, name) for one in outcomes)
        for name in ("lost", "repeated", "crossed")
    ]
    _write(
        f"{len(outcomes)} runs: {sums[0]} lost, {sums[1]} repeated, {sums[2]} crossed (seed {seed})"
    )
    return 1 if bad else 0


def _print(one: Outcome) -> None:
    after = "-" if one.killed_at_s is None else f"{one.killed_at_s * 1e3:.0f} ms"
    verdict = one.verdict
    _write(
        f"{one.number:>4}  {one.victim:<12} {after:>8}  {one.starts:>6}  {one.took_s:>5.1f} s  "
        f"{verdict.fills:>5}  {verdict.lost:>4}  {verdict.repeated:>8}  {verdict.crossed:>7}"
    )


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    return asyncio.run(_campaign(chosen.runs, chosen.seed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
