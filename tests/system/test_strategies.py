"""Strategies on real processes: from a recorded market to orders, through killed processes."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tandem.domain.bars import Span
from tandem.domain.commands import Assign, SaveStrategy, SetTargets
from tandem.domain.deciding import Decided
from tandem.domain.desk import Commanded
from tandem.domain.ids import CommandId, Lots
from tandem.domain.strategies import (
    FULL_PPM,
    Answer,
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
)
from tandem.wiring.asking import desk_line
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records, desk_records
from tests.system.running import (
    ROOT,
    WAIT_S,
    children,
    pool,
    processes,
    stop,
    tandem,
)

COINBASE = ROOT / "examples" / "data" / "crypto" / "coinbase" / "minute" / "btcusd"
MARKET = ("--replay", COINBASE, "--speed", "120")
WITH = ("--evaluators", 1)
JAILS = 5  # more than a process may fail by its own fault
PAPER = StrategyText(
    name="paper",
    language=Language.LUA,
    text="""\
-- Simple moving average
local sma = ta.sma(10)

-- Exponential moving average
local ema = ta.ema(10)

-- Short term > long term
if sma() > ema() then
  return "short"
else
  return "long"
end
""",
)


async def assign_paper(home: Home) -> None:
    assignment = Assignment(
        assignment_id=AssignmentId("paper-1"),
        text_hash=PAPER.text_hash,
        name=PAPER.name,
        symbol="BTCUSD",
        span=Span.M1,
        sizing=Fixed(quantity=Lots(1_000_000)),
    )
    async with desk_line(home) as line:
        await line.command(CommandId("save"), SaveStrategy(text=PAPER))
        await line.command(CommandId("assign"), Assign(assignment=assignment))


def decided_in(home: Home) -> dict[int, list[Answer]]:
    """Return the answers that were decided on, by the begin of their bars."""
    found: dict[int, list[Answer]] = {}
    for record in decider_records(home):
        for effect in record.effects:
            if isinstance(effect, Decided):
                for one in effect.decisions:
                    found.setdefault(one.begin_ns, []).append(one.answer)
    return found


def wait_until_decided(home: Home, bars: int) -> None:
    wait_until(lambda: len(decided_in(home)) > bars)


def wait_until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 2 * WAIT_S
    while not is_so():
        assert time.monotonic() < end_s, "it did not come to that"
        time.sleep(0.1)


def test_a_strategy_trades_through_killed_processes_and_decides_each_bar_once(
    tmp_path: Path,
) -> None:
    """A41, B15, B16, B19, B20, B25: an evaluator and the market process are killed on the way.

    What is decided comes to the desk as commands in the same log as a person's, and each decision
    is the same when it is made again afterwards.
    """
    home = Home(tmp_path / "home")
    with pool(home.folder, "--workers", 5, *MARKET, *WITH) as process:
        asyncio.run(assign_paper(home))
        wait_until_decided(home, 4)
        os.kill(processes(process.pid)["e1"], signal.SIGKILL)
        wait_until_decided(home, len(decided_in(home)) + 4)
        os.kill(processes(process.pid)["market"], signal.SIGKILL)
        wait_until_decided(home, len(decided_in(home)) + 4)
        code, out, err = tandem("halt", "--home", home.folder)
        assert code == 0, out + err
        code, out, err = stop(process)
        assert code == 0, out + err
    assert not [one for one in home.folder.rglob("*") if one.name.endswith(("-wal", ".ipc"))]
    decided = decided_in(home)
    assert Counter(map(len, decided.values())) == {1: len(decided)}
    begins = sorted(decided)
    assert begins == list(range(begins[0], begins[-1] + 1, Span.M1.ns)), "a bar is missing"
    assert {one.position_ppm for (one,) in decided.values()} <= {0, FULL_PPM, None}
    told = [
        target
        for record in desk_records(home)
        if isinstance(record.event, Commanded)
        and isinstance(record.event.asked.command, SetTargets)
        for target in record.event.asked.command.targets
    ]
    assert {one.begin_ns for one in told} <= set(begins), "a target that nobody decided"
    assert told, "no target came to the desk"
    code, out, err = tandem("replay", "--home", home.folder)
    assert code == 0, out + err
    assert "decisions: " in out
    code, out, err = tandem("log", "verify", "--home", home.folder)
    assert code == 0, out + err
    for begin_ns in (begins[0], begins[len(begins) // 2], begins[-1]):
        at = datetime.fromtimestamp(begin_ns // 1_000_000_000, UTC).isoformat()
        code, out, err = tandem("strategy", "explain", "paper-1", "--at", at, "--home", home.folder)
        assert code == 0, out + err
        assert "  answer      the same\n" in out


def test_a_jail_that_others_kill_again_and_again_is_made_anew(tmp_path: Path) -> None:
    """B15: that is no fault of its evaluator's, which nobody gives up for it."""
    home = Home(tmp_path / "home")
    killed: set[int] = set()

    def jails(supervisor: int) -> set[int]:
        evaluator = processes(supervisor).get("e1")
        is_ready = evaluator is not None and Path(home.own_socket("e1")).exists()
        return set(children(evaluator) if evaluator is not None and is_ready else ()) - killed

    with pool(home.folder, "--workers", 2, *WITH) as process:
        for _ in range(JAILS):
            wait_until(lambda: jails(process.pid) != set())
            (jail,) = jails(process.pid)
            killed.add(jail)
            os.kill(jail, signal.SIGKILL)
        wait_until(lambda: jails(process.pid) != set())
        code, out, err = stop(process)
    assert code == 0, out + err
    assert "again and again" not in out
    assert out.count("ended: killed by SIGKILL") == JAILS
