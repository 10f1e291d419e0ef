"""One seed is one story, in every interpreter; what happens in one part changes no other."""

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import DiskFailedError
from tandem.domain.instant import Instant
from tandem.sim.machine import MARKET_START_NS
from tandem.sim.world import SECOND_NS, ClockFaults, Faults, SimProcess, World
from tests.simulation.stormy_world import NAMES, storm

ROOT = Path(__file__).parents[2]
SEEDS = ("1", "2", "3")


def hashes(hash_seed: str) -> list[str]:
    """Return the trace hashes of a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.stormy_world", *SEEDS],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_same_seed_gives_the_same_trace_hash_in_every_interpreter() -> None:
    first, second = hashes("1"), hashes("2")
    assert first == second
    assert len({*first}) == len(SEEDS)


def test_the_storm_really_blows() -> None:
    for seed in range(6):
        world = storm(seed)
        assert world.loop.callbacks_count > 5_000
        assert world.ended == []
        assert all(isinstance(one.error, DiskFailedError) for one in world.complaints)
        assert {process.name for process in world.table.everyone} == {*NAMES}
        assert len(world.table.everyone) > 2 * len(NAMES)


def test_a_closed_world_leaves_nothing_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for seed in range(4):
        storm(seed, seconds=10)
        gc.collect()
    assert capfd.readouterr() == ("", "")


def test_streams_of_chance_are_independent_and_repeat() -> None:
    with World(7) as one, World(7) as two, World(8) as other:
        expected = [one.random("network").random() for _ in range(3)]
        two.random("disk").random()
        assert [two.random("network").random() for _ in range(3)] == expected
        assert two.random("disk") is two.random("disk")
        assert other.random("network").random() != expected[0]


def test_what_a_scenario_traces_is_part_of_the_hash() -> None:
    with World(1, keep_trace=True) as one, World(1) as two:
        assert one.trace_hash == two.trace_hash
        one.trace("something")
        assert one.trace_hash != two.trace_hash
        assert one.trace_lines == ["0  something\n"]
        two.trace("something")
        assert one.trace_hash == two.trace_hash == two.trace_hash


@given(seed=st.integers(0, 2**32), seconds=st.integers(1, 1_000))
def test_clocks_are_wrong_within_their_bounds_and_never_run_backwards(
    *, seed: int, seconds: int
) -> None:
    faults = Faults(clock=ClockFaults(rate_error_ppb_max=100_000, market_skew_ns_max=10**7))
    seen: list[Instant] = []

    async def main(process: SimProcess) -> None:
        while len(seen) < 3:
            seen.append(process.clock.now())
            await asyncio.sleep(seconds)

    with World(seed, faults) as world:
        world.spawn("one", "home", main)
        world.run(10_000 * SECOND_NS)
    first, second, third = seen
    assert first.now_ns == 0
    assert second.now_ns >= seconds * SECOND_NS
    assert third.now_ns - second.now_ns == pytest.approx(seconds * SECOND_NS, abs=10)
    assert abs(first.market_ns - MARKET_START_NS) <= 10**7
    elapsed_ns = third.market_ns - first.market_ns
    assert elapsed_ns == pytest.approx(2 * seconds * SECOND_NS, rel=1.01e-4)


def test_the_skew_of_a_machine_can_jump() -> None:
    seen: list[int] = []

    async def main(process: SimProcess) -> None:
        seen.append(process.clock.now().market_ns - world.now_ns - MARKET_START_NS)
        await asyncio.sleep(1)
        seen.append(process.clock.now().market_ns - world.now_ns - MARKET_START_NS)

    with World(1) as world:
        world.spawn("one", "home", main)
        world.run(SECOND_NS // 2)
        world.machine("home").market_skew_ns = -5
        world.run(2 * SECOND_NS)
    assert seen == [0, -5]


def test_a_name_is_taken_while_its_process_lives() -> None:
    async def main(_: SimProcess) -> None:
        await asyncio.sleep(1)

    with World(1) as world:
        world.spawn("one", "home", main)
        with pytest.raises(AssertionError, match="alive"):
            world.spawn("one", "home", main)
        world.run(2 * SECOND_NS)
        world.spawn("one", "home", main)


def test_a_process_started_on_a_sleeping_machine_begins_when_it_wakes() -> None:
    seen: list[int] = []

    async def main(_: SimProcess) -> None:
        seen.append(world.now_ns)

    with World(1) as world:
        world.machine("laptop")
        world.sleep("laptop", SECOND_NS)
        world.spawn("one", "laptop", main)
        world.run(2 * SECOND_NS)
    assert seen == [SECOND_NS]
