"""Ending what is open before the processes go, and seeing at the exchange that it has ended."""

import asyncio
from collections.abc import Callable
from typing import Final

from tandem.domain.commands import CancelOrders
from tandem.domain.errors import TandemError
from tandem.wiring.asking import DeskLine
from tandem.wiring.home import Home
from tandem.wiring.names import fresh_command
from tandem.wiring.polling import poll
from tandem.wiring.venue_books import venue_books

CANCEL_S: Final = 15.0
ENDED: Final = ("done", "halted")


async def open_count(line: DeskLine, wait_s: float = CANCEL_S) -> int:
    """Return how many orders, two-sided quotes, pairs and algorithms have not ended."""
    status = await line.status(wait_s)
    view = await line.orders()
    phases = [*(one.phase for one in view.both), *(one.phase for one in view.algos)]
    lasting = sum(one not in ENDED for one in phases)
    return max(status.parents_open, sum(one.open_orders for one in status.slots)) + lasting


async def cancel_all(home: Home, line: DeskLine, say: Callable[[str], None]) -> bool:
    """Cancel every order; return whether the exchange then has none open.

    It takes at most `CANCEL_S` seconds, and says what is left.
    """

    async def at_exchange() -> int:
        return sum(len(one.open_orders) for one in await venue_books(home))

    try:
        async with asyncio.timeout(CANCEL_S):
            stop = CancelOrders(order_id=None, is_closing=True)
            await line.command(fresh_command("stop"), stop)
            await poll(lambda: open_count(line), lambda count: count == 0)
            await poll(at_exchange, lambda count: count == 0)
    except (TimeoutError, TandemError) as error:
        reason = error if isinstance(error, TandemError) else f"{CANCEL_S:g} s are over"
        say(f"not every order could be canceled: {reason}")
        return False
    say("every open order is canceled; none is open at the exchange")
    return True
