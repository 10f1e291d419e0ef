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
from tests.system.running import SHARE_LIST, WAIT_S, environment, processes
from tests.system.verdict import Verdict, judge

VICTIMS = ("worker", "spare", "coordinator", "exchange", "supervisor")
LATEST_S = 0.02
LINES = 20
STARTS_MAX = 5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run: who was killed when, how often the command was typed, and what traded."""

    number: int
    victim: str
    killed_at_s: float | None
    starts: int
    took_s: float
    verdict: Verdict


async def _command(home: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from tandem.cli.main import main; main()",
        *("trade", str(SHARE_LIST), "--home", str(home), "--run", "chaos"),
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
        process = await _command(home)
        killing = asyncio.create_task(_kill(victim, process.pid, home, chance))
        starts = 1
        try:
            code = await asyncio.wait_for(process.wait(), 4 * WAIT_S)
            while code != 0 and starts < STARTS_MAX:
                starts += 1
                process = await _command(home)
                code = await asyncio.wait_for(process.wait(), 4 * WAIT_S)
        finally:
            killing.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
        killed_at_s = None
        with contextlib.suppress(asyncio.CancelledError):
            killed_at_s = await killing
        verdict = await asyncio.to_thread(judge, home, SHARE_LIST)
        return Outcome(
            number=number,
            victim=victim,
            killed_at_s=killed_at_s,
            starts=starts,
            took_s=clock() - began,
            verdict=verdict,
        )


async def _kill(victim: str, supervisor: int, home: Path, chance: random.Random) -> float | None:
    """Kill a little after so many orders of the list were taken; return when, since the first."""
    wanted = chance.randrange(1, LINES)
    began: float | None = None
    clock = asyncio.get_running_loop().time
    async with desk_line(Home(home)) as line:
        while True:
            status = await line.status(WAIT_S)
            taken = status.parents_open + status.parents_done
            if taken and began is None:
                began = clock()
            if taken >= wanted:
                break
            await asyncio.sleep(0.001)
        await asyncio.sleep(chance.uniform(0, LATEST_S))
    filled = [one.pid for one in status.slots if one.pid is not None]
    spares = [one.pid for one in status.workers if one.slot_id is None]
    named = processes(supervisor)
    pids = {
        "worker": chance.choice(filled) if filled else None,
        "spare": chance.choice(spares) if spares else None,
        "supervisor": supervisor,
    }
    pid = pids[victim] if victim in pids else named.get(victim)
    if pid is None:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return clock() - (began or 0.0)


async def _campaign(runs: int, seed: int) -> int:
    heads = f"{'run':>4}  {'killed':<12} {'after':>8}  {'starts':>6}  {'took':>7}  {'fills':>5}"
    _write(f"{heads}  lost  repeated  crossed")
    outcomes = []
    for number in range(runs):
        outcome = await _one(number, seed + number)
        outcomes.append(outcome)
        _print(outcome)
    bad = [one for one in outcomes if not one.verdict.is_good]
    for victim in VICTIMS:
        mine = [one for one in outcomes if one.victim == victim]
        killed = sum(one.killed_at_s is not None for one in mine)
        _write(f"{victim}: {len(mine)} runs, {killed} killed before the list had ended")
    sums = [
        sum(getattr(one.verdict, name) for one in outcomes)
        for name in ("lost", "repeated", "crossed")
    ]
    _write(f"{runs} runs: {sums[0]} lost, {sums[1]} repeated, {sums[2]} crossed (seed {seed})")
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
