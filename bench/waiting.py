"""Waiting for what nobody tells: a look now and then, and not for ever."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 30
LOOK_S = 0.01


async def until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - states are looked at, they set no events
            await asyncio.sleep(LOOK_S)
