"""`python -m tests.system.lan`: eleven computers trade the share list while cables are pulled.

A coordinator on one computer, and ten with a worker each, in network namespaces of their own,
speak mutual TLS. While the list is traded, workers are killed and cables pulled out of the switch
and put back. Then the journals are judged: nothing lost, nothing repeated, no own order met. Two of
the computers evaluate strategies meanwhile, and each bar must be decided on once.
"""

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tandem.domain.order import FenceClass
from tandem.domain.views import StatusView
from tandem.wiring.asking import DeskLine, desk_line
from tandem.wiring.home import Home
from tandem.wiring.polling import poll
from tandem.wiring.settings import Settings, take_paper
from tests.system.lan import strategies
from tests.system.lan.computers import Computers, may_be_made
from tests.system.running import RUN, environment, longer_list, processes
from tests.system.storm.judge import Blow, Judgement, Ours, Venue, judge
from tests.system.storm.report import print_times, write
from tests.system.verdict import Verdict
from tests.system.verdict import judge as judge_list

MACHINES: Final = 10
PORT: Final = 7_010
CLASSES: Final = "AAAABBAA"
SHARES: Final = 20_000  # of each: the list sells some of them again and again
CASH: Final = Decimal(100_000_000)
LIMITS: Final = """
[limits]
max_open_orders = 10_000
max_position_notional = 1_000_000_000
max_gross_exposure = 10_000_000_000
"""
SET_UP_S: Final = 60.0
TRADE_S: Final = 600.0
STOP_S: Final = 20.0
SHOWN: Final = 8  # last lines of what the command printed
OUT_S: Final = (0.3, 1.0, 2.0, 4.0)


class Lan:
    """The computers, what runs on them, and what was done to them."""

    def __init__(self, folder: Path, computers: Computers, seed: int) -> None:
        self.home = Home(folder / "home")
        self.blows: list[Blow] = []
        self.done: Counter[str] = Counter()
        self._folder = folder
        self._computers = computers
        self._chance = random.Random(seed)
        self._log = (folder / "commands.log").open("ab")
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def make_home(self) -> None:
        """Make the coordinator's home; two of its accounts have leases."""
        self.home.make()
        # While one account waits for its lease, the others are far ahead of it.
        self.home.settings_file.write_text(LIMITS)
        paper = take_paper(self.home, Settings(shares=SHARES, cash=CASH), None)
        accounts = tuple(
            msgspec.structs.replace(one, fence_class=FenceClass(fence_class))
            for one, fence_class in zip(paper.exchange.accounts, CLASSES, strict=True)
        )
        exchange = msgspec.structs.replace(paper.exchange, accounts=accounts)
        paper = msgspec.structs.replace(paper, exchange=exchange)
        self.home.paper_file.write_bytes(msgspec.json.encode(paper))

    def start(self) -> None:
        """Start the coordinator on computer 1, and a worker on each of the others."""
        host = self._computers.address(1)
        self._start(
            1,
            *("up", "--home", self.home.folder, "--plain", "--workers", 0, "--evaluators", 0),
            *("--lan", f"{host}:{PORT}"),
        )

    def join(self, number: int) -> None:
        """Let computer `number` join with one worker."""
        command = [sys.executable, "-c", RUN, "worker", "token", "--home", str(self.home.folder)]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=True
        )
        self._start(
            number,
            *("worker", "join", f"{self._computers.address(1)}:{PORT}"),
            *("--token", done.stdout.split()[0], "--name", f"computer{number}"),
            *("--home", self._folder / f"computer{number}"),
            *("--evaluators", int(number in strategies.HOSTS)),
        )

    def _start(self, number: int, *arguments: object) -> None:
        command = [sys.executable, "-c", RUN, *map(str, arguments)]
        self._running[number] = subprocess.Popen(
            self._computers.inside(self._computers.name(number), command),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(),
        )

    def stop(self) -> None:
        """End everything, the coordinator last."""
        for number in sorted(self._running, reverse=True):
            one = self._running[number]
            one.send_signal(signal.SIGINT)
            try:
                one.wait(STOP_S)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._log.close()

    def workers(self) -> dict[str, int]:
        """Return the workers and evaluators of all computers, by name."""
        found: dict[str, int] = {}
        for number, one in self._running.items():
            if number > 1:
                named = processes(one.pid)
                found |= {name: pid for name, pid in named.items() if name.startswith("computer")}
        return found

    async def rage(self) -> None:
        """Kill workers and pull cables, until canceled."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 1.2))
            if self._chance.random() < 0.5:
                self._kill()
            else:
                await self._pull()

    def _kill(self) -> None:
        workers = self.workers()
        if workers:
            name = self._chance.choice(sorted(workers))
            self._blow("kill", name)
            with suppress(ProcessLookupError):
                os.kill(workers[name], signal.SIGKILL)

    async def _pull(self) -> None:
        number = self._chance.randrange(2, MACHINES + 2)
        for name in self.workers():
            if name.rpartition("-")[0] == f"computer{number}":
                self._blow("cable out", name)
        self._computers.plug(number, is_in=False)
        try:
            await asyncio.sleep(self._chance.choice(OUT_S))
        finally:
            self._computers.plug(number, is_in=True)

    def _blow(self, kind: str, name: str) -> None:
        if strategies.is_evaluator(name):
            self.done[f"evaluator: {kind}"] += 1  # it has no account that could be taken over
            return
        self.blows.append(Blow(time.clock_gettime_ns(time.CLOCK_BOOTTIME), kind, name))
        self.done[kind] += 1


async def _until(line: DeskLine, is_wanted: Callable[[StatusView], bool]) -> None:
    async with asyncio.timeout(SET_UP_S):
        await poll(lambda: line.status(SET_UP_S), is_wanted)


async def _trade(lan: Lan, share_list: Path) -> int:
    """Trade the list by the product's own command, in the middle of it all."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "trade", str(share_list)),
        *("--home", str(lan.home.folder), "--run", "lan"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    async with asyncio.timeout(TRADE_S):
        out, _ = await process.communicate()
    lines = out.decode().splitlines()
    short = [line for line in lines if re.match(r" *\d+  ", line) and not line.endswith("filled")]
    write("\n".join([*lines[:3], "…", *short, *lines[-SHOWN:]]))
    assert process.returncode is not None, "it has ended"
    return process.returncode


async def run(lan: Lan, share_list: Path) -> int:
    """Set everything up, trade, and return the exit code of the command that traded."""
    lan.make_home()
    lan.start()
    async with desk_line(lan.home) as line:
        await line.status(SET_UP_S)
        for number in range(2, MACHINES + 2):
            await asyncio.to_thread(lan.join, number)
        await _until(line, lambda one: sum(slot.ready for slot in one.slots) == len(CLASSES))
        write(f"{MACHINES} computers joined; {len(CLASSES)} accounts trade over mutual TLS")
        await strategies.assign(line)
        raging = asyncio.create_task(lan.rage())
        try:
            code = await _trade(lan, share_list)
            await strategies.until_decided(lan.home)
        finally:
            raging.cancel()
            with suppress(asyncio.CancelledError):
                await raging
        await _until(line, lambda one: not one.parents_open and not one.unknown)
        lan.done["evaluator: lost"] = await strategies.lost(lan.home)
    return code


def report(lan: Lan, judgement: Judgement, verdict: Verdict) -> bool:
    """Print what happened; return whether it was good."""
    for what, count in sorted(lan.done.items()):
        write(f"{what:<22} {count:>4} times")
    print_times(judgement)
    write(
        f"{judgement.orders} orders accepted, {judgement.executions} executions; "
        f"{judgement.lapsed} leases lapsed"
    )
    for bad in (*judgement.lost[:5], *judgement.repeated[:5]):
        write(f"  BAD {bad}")
    lost = verdict.lost + len(judgement.lost)
    repeated = verdict.repeated + len(judgement.repeated)
    crossed = verdict.crossed + judgement.crossed
    write(f"{lost} lost, {repeated} repeated, {crossed} crossed")
    count, missing, twice = strategies.judge(lan.home)
    write(f"{count} decisions of strategies, {missing} missing, {twice} repeated")
    return not (lost or repeated or crossed or missing or twice)


def main(arguments: Sequence[str]) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="lan", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="of the paper's twenty lines")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if not may_be_made():
        write("network namespaces need root and Debian's iproute2 (apt-get install iproute2)")
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-lan-")))
        computers = stack.enter_context(Computers(MACHINES + 1))
        lan = Lan(folder, computers, chosen.seed)
        share_list = longer_list(folder, chosen.rounds)
        try:
            code = asyncio.run(run(lan, share_list))
        except BaseException:
            write((folder / "commands.log").read_text(encoding="utf-8")[-4_000:])
            raise
        finally:
            lan.stop()
        judgement = judge(Venue(lan.home), Ours(lan.home), lan.blows)
        good = report(lan, judgement, judge_list(lan.home.folder, share_list))
    return code or (0 if good else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
