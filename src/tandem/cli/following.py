"""Following many orders to their end, a few at a time."""

import asyncio
from collections.abc import Sequence
from typing import Final, TextIO

from tandem.domain.views import ParentView
from tandem.wiring.asking import DeskLine
from tandem.wiring.names import now_ns

ASKED_MAX: Final = 100
POLL_S: Final = 0.02
PROGRESS_NS: Final = 1_000_000_000


class Following:
    """Orders that were taken, and the last that was seen of each.

    The desk forgets orders some time after their end, so a long list is looked at while it is
    being sent.
    """

    def __init__(self, desk: DeskLine) -> None:
        self._desk = desk
        self._left: list[str] = []
        self._count = 0
        self.views: dict[str, ParentView] = {}

    async def add(self, order_id: str) -> None:
        """Follow one more order."""
        self._left.append(order_id)
        self._count += 1
        if self._count % ASKED_MAX == 0:
            await self._look()

    async def _look(self) -> bool:
        """Look at the oldest orders that have not ended; return whether any of them has not."""
        asked, rest = self._left[:ASKED_MAX], self._left[ASKED_MAX:]
        found: Sequence[ParentView] = (await self._desk.orders(asked)).parents
        self.views |= {one.parent_id: one for one in found}
        open_ids: list[str] = [one.parent_id for one in found if one.phase != "done"]
        self._left = rest + open_ids
        return bool(open_ids)

    async def until_ended(self, err: TextIO) -> None:
        """Wait until all have ended, saying now and then how many have; give it a timeout."""
        told_ns = now_ns()
        while self._left:
            waits = await self._look()
            if now_ns() - told_ns > PROGRESS_NS:
                told_ns = now_ns()
                err.write(f"{self._count - len(self._left)} of {self._count} orders have ended\n")
                err.flush()
            if waits:
                await asyncio.sleep(POLL_S)
