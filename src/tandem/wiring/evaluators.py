"""Who evaluates strategies beside a pool, and how far, as its market process says."""

import asyncio
from typing import Final

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import (
    AskEvaluated,
    AskEvaluators,
    EvaluatedAssignment,
    EvaluatedView,
    EvaluatorsView,
    OwnAnswer,
    OwnRequest,
)
from tandem.domain.strategies import AssignmentId
from tandem.shells.own_control import OwnLine
from tandem.wiring.home import Home

ASK_S: Final = 1.0


async def ask_evaluators(home: Home) -> EvaluatorsView | None:
    """Return who does; None when no market process answers, as where no strategies are run."""
    view = await _ask(home, AskEvaluators())
    return view if isinstance(view, EvaluatorsView) else None


async def ask_evaluated(home: Home) -> dict[AssignmentId, EvaluatedAssignment] | None:
    """Return how far each assignment is evaluated; None when no market process answers."""
    found: dict[AssignmentId, EvaluatedAssignment] = {}
    begin, total = 0, 1
    while begin < total:
        view = await _ask(home, AskEvaluated(begin=begin))
        if not isinstance(view, EvaluatedView):
            return None
        found |= {one.assignment_id: one for one in view.assignments}
        # Some may have gone meanwhile: at an empty page there are no more.
        begin, total = begin + len(view.assignments), view.total if view.assignments else 0
    return found


async def _ask(home: Home, request: OwnRequest) -> OwnAnswer | None:
    line = OwnLine(UnixNetwork(), home.own_socket("market"))
    try:
        async with asyncio.timeout(ASK_S):
            await line.open()
            return await line.ask(request)
    except (OSError, TimeoutError, ProcessUnreachableError):
        return None
    finally:
        line.close()
