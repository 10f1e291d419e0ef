"""Who evaluates strategies beside a pool, as its market process says."""

import asyncio
from typing import Final

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import AskEvaluators, EvaluatorsView
from tandem.shells.own_control import OwnLine
from tandem.wiring.home import Home

ASK_S: Final = 1.0


async def ask_evaluators(home: Home) -> EvaluatorsView | None:
    """Return who does; None when no market process answers, as where no strategies are run."""
    line = OwnLine(UnixNetwork(), home.own_socket("market"))
    try:
        async with asyncio.timeout(ASK_S):
            await line.open()
            view = await line.ask(AskEvaluators())
    except (OSError, TimeoutError, ProcessUnreachableError):
        return None
    finally:
        line.close()
    return view if isinstance(view, EvaluatorsView) else None
