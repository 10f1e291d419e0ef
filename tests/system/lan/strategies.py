"""Strategies on the LAN: evaluated by two of the computers, of which none is the market's own.

They want nothing, so that they trade nothing: what counts is that each bar is decided on once.
"""

import asyncio
from collections import Counter
from typing import Final

from tandem.domain.bars import Span
from tandem.domain.commands import Assign, Done, SaveStrategy
from tandem.domain.deciding import Decided
from tandem.domain.ids import CommandId, Lots
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
)
from tandem.wiring.asking import DeskLine
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home
from tandem.wiring.journals import decider_records
from tests.system.running import SHARE_LIST

HOSTS: Final = (2, 3)  # computers with an evaluator each
BARS: Final = 3  # of each symbol, at least
DECIDED_S: Final = 400.0
LOOK_S: Final = 1.0
TEXT: Final = StrategyText(
    name="watch",
    language=Language.LUA,
    text="local sma = ta.sma(3)\nstate.n = (state.n or 0) + 1\nstate.sma = sma()\nreturn 0\n",
)


def is_evaluator(name: str) -> bool:
    """Return whether the process of that name is one."""
    return "-e" in name


def symbols() -> list[str]:
    """Return what the share list trades."""
    lines = SHARE_LIST.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(line.split()[0] for line in lines))


async def assign(line: DeskLine) -> None:
    """Assign the strategy to each of them."""
    await line.command(CommandId("save"), SaveStrategy(text=TEXT))
    for symbol in symbols():
        assignment = Assignment(
            assignment_id=AssignmentId(f"watch-{symbol}"),
            text_hash=TEXT.text_hash,
            name=TEXT.name,
            symbol=symbol,
            span=Span.M1,
            sizing=Fixed(quantity=Lots(1)),
        )
        answer = await line.command(CommandId(f"assign-{symbol}"), Assign(assignment=assignment))
        assert isinstance(answer, Done), answer


def decided(home: Home) -> dict[str, list[int]]:
    """Return the begins of the bars that were decided on, by assignment, as they are recorded."""
    found: dict[str, list[int]] = {}
    for record in decider_records(home):
        for effect in record.effects:
            if isinstance(effect, Decided):
                for one in effect.decisions:
                    found.setdefault(one.assignment_id, []).append(one.begin_ns)
    return found


async def until_decided(home: Home) -> None:
    """Wait until enough bars were decided on."""
    async with asyncio.timeout(DECIDED_S):
        while True:
            found = decided(home)
            if all(len(found.get(f"watch-{one}", ())) >= BARS for one in symbols()):
                return
            await asyncio.sleep(LOOK_S)


async def lost(home: Home) -> int:
    """Return how often an evaluator was lost."""
    view = await ask_evaluators(home)
    assert view is not None, "no market process answers"
    assert all(not one.is_here for one in view.evaluators), "one runs beside the market process"
    return view.lost


def judge(home: Home) -> tuple[int, int, int]:
    """Return how many decisions there were, and how many are missing and repeated."""
    count = missing = repeated = 0
    for begins in decided(home).values():
        count += len(begins)
        repeated += sum(times - 1 for times in Counter(begins).values())
        wanted = range(min(begins), max(begins) + 1, Span.M1.ns)
        missing += len(set(wanted) - set(begins))
    return count, missing, repeated
