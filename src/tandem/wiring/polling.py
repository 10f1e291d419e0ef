"""Looking again until it is as wanted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")
EVERY_S: Final = 0.02


async def poll(
    look: Callable[[], Awaitable[T]], is_enough: Callable[[T], bool], every_s: float = EVERY_S
) -> T:
    """Return the first thing seen that is enough; looks for ever, so give it a timeout."""
    while True:
        seen = await look()
        if is_enough(seen):
            return seen
        await asyncio.sleep(every_s)
