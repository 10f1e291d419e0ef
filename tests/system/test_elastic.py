"""A pool of evaluators that follows its load, as real processes."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tandem.domain.bars import Span
from tandem.domain.commands import Assign, Command, Done, SaveStrategy, Unassign
from tandem.domain.deciding import Decided
from tandem.domain.evaluation import TaskKey
from tandem.domain.halting import EvaluatorsView
from tandem.domain.ids import CommandId, Lots
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Assignment, AssignmentId, Fixed, Language, StrategyText
from tandem.wiring.asking import desk_line
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records
from tests.system.fleet import prepare
from tests.system.running import pool, processes, stop, tandem

SPEED = 60  # a bar of a minute each second
EACH = 40  # strategies on each instrument
SLOW = StrategyText(
    name="slow",
    language=Language.LUA,
    text="""\
local sum = 0
for i = 1, 15000 do
  sum = sum + math.sin(i)
end
return "flat"
""",
)
WAIT_S = 90.0


async def command_all(home: Home, commands: Sequence[tuple[str, Command]]) -> None:
    async with desk_line(home) as line:
        for name, command in commands:
            answer = await line.command(CommandId(name), command)
            assert isinstance(answer, Done), answer


def assign_all(home: Home, instruments: Sequence[Instrument]) -> list[AssignmentId]:
    """Assign the slow strategy so often that one evaluator needs long for a minute's bars."""
    assignments = [
        Assignment(
            assignment_id=AssignmentId(f"{one.symbol}-{number}"),
            text_hash=SLOW.text_hash,
            name=SLOW.name,
            symbol=one.symbol,
            span=Span.M1,
            sizing=Fixed(quantity=Lots(1)),
        )
        for one in instruments
        for number in range(EACH)
    ]
    commands: list[tuple[str, Command]] = [("save", SaveStrategy(text=SLOW))]
    commands += [(f"assign {one.assignment_id}", Assign(assignment=one)) for one in assignments]
    asyncio.run(command_all(home, commands))
    return [one.assignment_id for one in assignments]


def evaluators_of(home: Home) -> EvaluatorsView:
    view = asyncio.run(ask_evaluators(home))
    assert view is not None
    return view


def wait_until(what: str, is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end_s, what
        time.sleep(0.2)


def decided_in(home: Home) -> dict[TaskKey, Counter[int]]:
    found: dict[TaskKey, Counter[int]] = {}
    for record in decider_records(home):
        for effect in record.effects:
            if isinstance(effect, Decided):
                found.setdefault(effect.task_id.key, Counter())[effect.task_id.number] += 1
    return found


def test_the_pool_grows_with_its_load_and_shrinks_again_and_decides_each_bar_once(
    tmp_path: Path,
) -> None:
    """A42, B15, B23: what is too much for one moves; one is killed on the way, and replaced."""
    home = Home(tmp_path / "home")
    instruments = prepare(home, 8)
    words = ("--begin", "2026-11-23T00:00:00+00:00", "--speed", SPEED, "--evaluators", "1-2")
    with pool(home.folder, "--workers", 3, *words) as process:
        assert "e2" not in processes(process.pid)
        assigned = assign_all(home, instruments)
        wait_until("it does not grow", lambda: "e2" in processes(process.pid))
        wait_until("e2 has no work", lambda: evaluators_of(home).moved > 0)
        killed = processes(process.pid)["e2"]
        os.kill(killed, signal.SIGKILL)
        wait_until(
            "it is not replaced",
            lambda: (
                processes(process.pid).get("e2", killed) != killed
                and len(evaluators_of(home).evaluators) == 2
            ),
        )
        grown = evaluators_of(home)
        assert (grown.wanted, grown.fewest, grown.most) == (2, 1, 2)
        wait_until("nothing is decided", lambda: min(map(len, decided_in(home).values())) > 8)
        commands = [(f"un {one}", Unassign(assignment_id=one)) for one in assigned]
        asyncio.run(command_all(home, commands))
        wait_until("it does not shrink", lambda: "e2" not in processes(process.pid))
        after = evaluators_of(home)
        assert [one.name for one in after.evaluators] == ["e1"]
        assert (after.wanted, after.open_tasks) == (1, 0)
        code, out, err = stop(process)
        assert code == 0, out + err
    assert "evaluators: 2 instead of 1, bars waited" in out
    assert "evaluators: 1 instead of 2, fewer are enough" in out
    decided = decided_in(home)
    assert len(decided) == len(instruments)
    for key, numbers in decided.items():
        assert set(numbers.values()) == {1}, key
        assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1)), key
    code, out, err = tandem("replay", "--home", home.folder)
    assert code == 0, out + err
