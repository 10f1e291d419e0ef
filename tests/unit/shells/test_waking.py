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


class HandClock:
    """A clock that a test sets; `looked` is set when it was asked `wanted` times."""

    def __init__(self, wanted: int) -> None:
        self.now_ns = 0
        self.looks = 0
        self.wanted = wanted
        self.looked = asyncio.Event()

    def now(self) -> Instant:
        self.looks += 1
        if self.looks == self.wanted:
            self.looked.set()
        return Instant(self.now_ns, 0)


async def test_a_moment_that_moves_later_leaves_the_timer_alone() -> None:
    """Moving it costs more than looking once when it goes off."""
    clock = HandClock(wanted=3)
    rung = asyncio.Event()
    waking = Waking(clock, rung.set)
    for due_ns in range(MS, 100 * MS, MS):
        waking.set(due_ns)
    assert clock.looks == 1
    clock.now_ns = 99 * MS - 1
    await clock.looked.wait()  # it has gone off too soon, and waits for the rest
    assert not rung.is_set()
    clock.now_ns += 1
    await rung.wait()


async def test_a_moment_that_was_taken_back_can_be_set_again() -> None:
    clock = LoopClock()
    rung = asyncio.Event()
    waking = Waking(clock, rung.set)
    waking.set(clock.now().now_ns + MS)
    waking.set(None)
    await asyncio.sleep(0.004)
    assert not rung.is_set()
    waking.set(clock.now().now_ns)
    await rung.wait()
