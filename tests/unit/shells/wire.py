"""A byte stream held in the hand, and simulated time to run a shell in."""

import asyncio
from collections.abc import Awaitable, Callable

from tandem.sim.world import SECOND_NS, SimProcess, World


def in_simulated_time(body: Callable[[], Awaitable[None]]) -> None:
    """Run `body` to its end; its waiting takes no time."""

    async def main(_: SimProcess) -> None:
        await body()

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(60 * SECOND_NS)
        assert world.complaints == []
        assert [ended.error for ended in world.ended] == [None]


class Wire(asyncio.Transport):
    """One end of a byte stream that a test reads and feeds by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.ended = self.ended or "aborted"

    def close(self) -> None:
        self.ended = self.ended or "closed"
