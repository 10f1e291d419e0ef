"""A timer that rings once, at its moment or a little later."""

import asyncio

from tandem.domain.instant import Instant
from tandem.shells.waking import Waking

MS = 1_000_000


class LoopClock:
    """The loop's own time, as CLOCK_BOOTTIME."""

    def now(self) -> Instant:
        return Instant(int(asyncio.get_running_loop().time() * 1e9), 0)


async def test_it_rings_once_and_never_early() -> None:
    clock = LoopClock()
    rung: list[int] = []
    done = asyncio.Event()

    def ring() -> None:
        rung.append(clock.now().now_ns)
        done.set()

    waking = Waking(clock, ring)
    due_ns = clock.now().now_ns + 3 * MS
    waking.set(due_ns)
    waking.set(due_ns)
    await done.wait()
    assert len(rung) == 1
    assert rung[0] >= due_ns


async def test_another_moment_replaces_the_first_and_none_ends_it() -> None:
    clock = LoopClock()
    rung: list[str] = []
    waking = Waking(clock, lambda: rung.append("early"))
    waking.set(clock.now().now_ns)
    waking.set(None)
    later = asyncio.Event()
    second = Waking(clock, later.set)
    second.set(clock.now().now_ns + 60_000 * MS)
    second.set(clock.now().now_ns - 5 * MS)
    await later.wait()
    assert rung == []
    second.set(clock.now().now_ns)
    second.stop()
