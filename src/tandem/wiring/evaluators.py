"""Who evaluates strategies beside a pool, and how far, as its market process says."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import (
    AskEvaluated,
    AskEvaluators,
    EvaluatedAssignment,
    EvaluatedView,
    EvaluatorsView,
)
from tandem.domain.strategies import AssignmentId
from tandem.shells.own_control import OwnLine
from tandem.wiring.home import Home

ASK_S: Final = 1.0
Found = TypeVar("Found")


async def ask_evaluators(home: Home) -> EvaluatorsView | None:
    """Return who does; None when no market process answers, as where no strategies are run."""

    async def ask(line: OwnLine) -> EvaluatorsView | None:
        view = await line.ask(AskEvaluators())
        return view if isinstance(view, EvaluatorsView) else None

    return await _ask(home, ask)


async def ask_evaluated(home: Home) -> dict[AssignmentId, EvaluatedAssignment] | None:
    """Return how far each assignment is evaluated; None when no market process answers."""

    async def ask(line: OwnLine) -> dict[AssignmentId, EvaluatedAssignment]:
        found: dict[AssignmentId, EvaluatedAssignment] = {}
        begin = 0
        while True:
            view = await line.ask(AskEvaluated(begin=begin))
            assert isinstance(view, EvaluatedView)
            found |= {one.assignment_id: one for one in view.assignments}
            begin += len(view.assignments)
            if begin >= view.total or not view.assignments:
                return found

    return await _ask(home, ask)


async def _ask(home: Home, ask: Callable[[OwnLine], Awaitable[Found]]) -> Found | None:
    line = OwnLine(UnixNetwork(), home.own_socket("market"))
    try:
        async with asyncio.timeout(ASK_S):
            await line.open()
            return await ask(line)
    except (OSError, TimeoutError, ProcessUnreachableError):
        return None
    finally:
        line.close()
