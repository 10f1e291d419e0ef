"""Strategies that decide during a storm: honest ones, one that hangs at times, one that fails.

The honest ones count their bars, so that by what they remember too each bar was decided once.
Nobody else trades their symbols: what they hold is what was traded there.
"""

import asyncio
import contextlib
from typing import Final

from tandem.domain.bars import Span
from tandem.domain.commands import Assign, Command, Refused, SaveStrategy
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.ids import CommandId, Lots, SlotId
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    StrategyText,
)
from tandem.domain.strategy_views import StrategiesView
from tandem.wiring.asking import DeskLine

SYMBOLS: Final = ("AAPL", "MSFT", "TSLA")
GOOD_FOR_NS: Final = 60 * Span.M1.ns  # a minute of ours: longer than anybody is away
LOOK_EVERY_S: Final = 0.5
INSIST_S: Final = 60.0
QUIET_S: Final = 30.0
HANGS: Final = "hangs"
FAILS: Final = "fails"
_COUNT: Final = "state.n = (state.n or 0) + 1\n"


def _lua(name: str, text: str) -> StrategyText:
    return StrategyText(name=name, language=Language.LUA, text=_COUNT + text)


def _python(name: str, text: str) -> StrategyText:
    lines = (_COUNT + text).splitlines()
    body = "".join(f"    {line}\n" for line in lines)
    text = f"def decide(state, open, close, ta):\n{body}"
    return StrategyText(name=name, language=Language.PYTHON, text=text)


HONEST: Final = (
    _lua("rises", "if close() > open() then return 'long' else return 'flat' end\n"),
    _python("falls", "if close() < open():\n    return 'long'\nreturn 'flat'\n"),
    _lua("cross", "local ema, sma = ta.ema(2), ta.sma(3)\nreturn ema() > sma() and 1 or 0\n"),
    _python("halves", "ema = ta.ema(3)\nreturn 0.5 if close() > ema() else 0\n"),
)
BAD: Final = (
    _python(HANGS, "while state.n == 3:\n    pass\nreturn 'long'\n"),
    _lua(FAILS, "if state.n == 4 then error('on purpose') end\nreturn 'long'\n"),
)


def is_bad(assignment_id: AssignmentId) -> bool:
    """Whether this one is to be suspended, and no other."""
    return assignment_id.startswith((HANGS, FAILS))


def assignments() -> list[Assignment]:
    """Return everything that is assigned: each honest one to each symbol, the bad ones to one."""
    made = [
        _assignment(text, symbol, Span.M1, ("w1", "w2", "w3"))
        for text in HONEST
        for symbol in SYMBOLS
    ]
    made += [_assignment(text, SYMBOLS[0], Span.M3, ("w4",)) for text in HONEST[:2]]
    made += [
        _assignment(text, symbol, Span.M1, ("w2", "w5"))
        for text, symbol in zip(BAD, SYMBOLS, strict=False)
    ]
    return made


def _assignment(text: StrategyText, symbol: str, span: Span, slots: tuple[str, ...]) -> Assignment:
    return Assignment(
        assignment_id=AssignmentId(f"{text.name}-{symbol}-{span}"),
        text_hash=text.text_hash,
        name=text.name,
        symbol=symbol,
        span=span,
        sizing=Fixed(quantity=Lots(10)),
        slots=tuple(SlotId(one) for one in slots),
        good_for_ns=GOOD_FOR_NS,
    )


class Assigner:
    """Assigns everything; then, until canceled, assigns the bad ones anew when they are suspended.

    `refused` has what the desk did not take, which is nothing where all is well.
    """

    def __init__(self, line: DeskLine) -> None:
        self._line = line
        self._number = 0
        self.refused: list[str] = []
        self.anew = 0

    async def run(self) -> None:
        """Do it all."""
        for text in (*HONEST, *BAD):
            await self._insist(SaveStrategy(text=text))
        for assignment in assignments():
            await self._insist(Assign(assignment=assignment))
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(CoordinatorUnreachableError):
                for one in (await self._line.strategies()).assignments:
                    if one.suspended is not None and is_bad(one.assignment.assignment_id):
                        await self._insist(Assign(assignment=one.assignment))
                        self.anew += 1

    async def _insist(self, command: Command) -> None:
        self._number += 1
        command_id = CommandId(f"assigner-{self._number}")
        while True:
            with contextlib.suppress(CoordinatorUnreachableError):
                answer = await self._line.command(command_id, command, INSIST_S)
                if isinstance(answer, Refused):
                    self.refused.append(f"{command}: {answer.text}")
                return


async def lacking(line: DeskLine) -> list[str]:
    """Wait until everybody holds what he wants; return who does not, and why."""
    found = ["nobody answered"]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while found:
                await asyncio.sleep(LOOK_EVERY_S)
                with contextlib.suppress(CoordinatorUnreachableError):
                    found = _lacking(await line.strategies())
    return found


def _lacking(view: StrategiesView) -> list[str]:
    return [
        f"{one.assignment.assignment_id} on {held.slot_id}: {held.held} held, {held.wanted} wanted"
        f" ({held.note})"
        for one in view.assignments
        for held in one.held
        if held.held_lots != held.wanted_lots
    ]
