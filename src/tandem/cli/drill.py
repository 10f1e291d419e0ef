"""A drill: one worker process is killed while a list is traded."""

import asyncio
from types import TracebackType
from typing import Final, Self

from tandem.domain.views import SlotView
from tandem.wiring.asking import DeskLine
from tandem.wiring.names import kill_process, now_ns

TAKEOVER_S: Final = 10.0
POLL_S: Final = 0.002


class Drill:
    """Kills the worker of one slot after some lines, and watches the spare take over."""

    def __init__(self, line: DeskLine, *, after: int) -> None:
        self.told = "the list ended before a worker was killed"
        self._line = line
        self._left = after
        self._watch: asyncio.Task[str] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def on_line(self, line_number: int) -> None:
        """Note that a line was taken; after enough of them kill, with its orders under way."""
        self._left -= 1
        if self._left:
            return
        slots = [one for one in (await self._line.status()).slots if one.ready and one.pid]
        if not slots:
            self.told = "no worker was ready to be killed"
            return
        slot = slots[-1]
        assert slot.pid is not None, "chosen for its process"
        killed_ns = now_ns()
        kill_process(slot.pid)
        what = (
            f"after line {line_number} worker {slot.worker} of {slot.slot_id} "
            f"(process {slot.pid}) was killed"
        )
        self._watch = asyncio.create_task(self._until_taken_over(what, slot, killed_ns))

    async def _until_taken_over(self, what: str, slot: SlotView, killed_ns: int) -> str:
        async with asyncio.timeout(TAKEOVER_S):
            while True:
                for one in (await self._line.status()).slots:
                    if one.slot_id == slot.slot_id and one.ready and one.pid != slot.pid:
                        after_ms = (now_ns() - killed_ns) / 1e6
                        return (
                            f"{what}; {one.worker} (process {one.pid}) drives {one.account_id} "
                            f"since {after_ms:.1f} ms after"
                        )
                await asyncio.sleep(POLL_S)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the takeover, or give the watch up with whatever went wrong."""
        if self._watch is None:
            return
        if error is not None:
            self._watch.cancel()
            return
        try:
            self.told = await self._watch
        except TimeoutError:
            self.told = f"nobody took over within {TAKEOVER_S:g} s"
