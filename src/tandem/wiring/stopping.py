"""Ending what is open before the processes go, and seeing at the exchange that it has ended."""

import asyncio
from collections.abc import Callable
from typing import Final

from tandem.adapters.local.clock import SystemClock
from tandem.domain.commands import CancelOrders
from tandem.domain.errors import TandemError
from tandem.domain.ids import CommandId
from tandem.domain.views import StatusView
from tandem.wiring.asking import DeskLine
from tandem.wiring.home import Home
from tandem.wiring.venue_books import venue_books

CANCEL_S: Final = 15.0
POLL_S: Final = 0.05


def open_count(status: StatusView) -> int:
    """Return how many orders are not yet final."""
    return max(status.parents_open, sum(one.open_orders for one in status.slots))


async def cancel_all(home: Home, line: DeskLine, say: Callable[[str], None]) -> bool:
    """Cancel every order; return whether the exchange then has none open.

    It takes at most `CANCEL_S` seconds, and says what is left.
    """
    try:
        async with asyncio.timeout(CANCEL_S):
            command_id = CommandId(f"stop-{SystemClock().now().now_ns}")
            await line.command(command_id, CancelOrders(order_id=None))
            while open_count(await line.status()):
                await asyncio.sleep(POLL_S)
            while left := await _open_at_exchange(home):
                await asyncio.sleep(POLL_S)
    except (TimeoutError, TandemError) as error:
        say(f"not all orders are canceled: {str(error) or f'{CANCEL_S:g} s are over'}")
        return False
    assert not left, "the loop ends when nothing is left"
    say("no order is open at the exchange")
    return True


async def _open_at_exchange(home: Home) -> int:
    return sum(len(one.open_orders) for one in await venue_books(home))
