"""The platter holds exactly what was synced before a crash, plus allowed remains."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import DiskFailedError, DiskFullError, JournalBusyError
from tandem.ports import Disk, File
from tandem.sim.world import SECOND_NS, DiskFaults, Faults, SimProcess, World

MS_NS = 1_000_000
SIZE = 8 * 512
Body = Callable[[Disk], Coroutine[object, object, None]]
Write = tuple[int, int]  # offset and length


def holding(body: Body) -> Callable[[SimProcess], Coroutine[object, object, None]]:
    async def main(process: SimProcess) -> None:
        await body(process.disk("folder"))
        await asyncio.get_running_loop().create_future()

    return main


def run(world: World, body: Body, *, name: str = "one") -> None:
    """Let one process use the folder and hold it until it is crashed."""
    world.spawn(name, "home", holding(body))
    world.run_for(10 * SECOND_NS)


def durable(world: World, name: str = "file") -> bytes:
    return bytes(world.folder("folder", machine="home").files[name].durable)


async def synced(file: File) -> None:
    done = asyncio.get_running_loop().create_future()
    file.sync(lambda: done.set_result(None))
    await done


writes = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(1, 1500)).map(
        lambda pair: (pair[0], min(pair[1], SIZE - pair[0]))
    ),
    max_size=6,
)


@given(before=writes, after=writes, seed=st.integers(0, 1_000))
def test_after_power_loss_all_synced_and_some_unsynced_sectors_are_there(
    before: list[Write], after: list[Write], seed: int
) -> None:
    allowed: list[list[int]] = [[0] for _ in range(SIZE)]

    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        for number, (offset, length) in enumerate(before, 1):
            file.write(offset, bytes([number]) * length)
            for place in range(offset, offset + length):
                allowed[place] = [number]
        await synced(file)
        for number, (offset, length) in enumerate(after, 101):
            file.write(offset, bytes([number]) * length)
            for place in range(offset, offset + length):
                allowed[place].append(number)

    with World(seed) as world:
        run(world, body)
        world.reboot("home")
        content = durable(world)
        assert all(value in allowed[place] for place, value in enumerate(content))
        assert world.folder("folder", machine="home").files["file"].seen == content
        for offset, length in after:
            _require_whole_sectors(content, after, range(offset, offset + length))


def _require_whole_sectors(content: bytes, after: list[Write], places: range) -> None:
    """Inside one sector a single write is there or not: it is never torn."""
    for start in range(places.start - places.start % 512, places.stop, 512):
        sector = range(max(start, places.start), min(start + 512, places.stop))
        touching = [w for w in after if w[0] < sector.stop and w[0] + w[1] > sector.start]
        if len(touching) == 1:
            assert len({content[place] > 100 for place in sector}) == 1


def test_unsynced_writes_are_sometimes_whole_sometimes_torn_sometimes_gone() -> None:
    fates: dict[str, int] = {"whole": 0, "torn": 0, "gone": 0}

    async def body(disk: Disk) -> None:
        disk.create("file", SIZE).write(100, b"x" * 3000)

    for seed in range(60):
        with World(seed) as world:
            run(world, body)
            world.reboot("home")
            count = durable(world).count(b"x")
            fates["whole" if count == 3000 else "torn" if count else "gone"] += 1
    assert min(fates.values()) >= 10


def test_a_plain_kill_loses_nothing_and_makes_nothing_durable() -> None:
    seen: list[bytes] = []

    async def write(disk: Disk) -> None:
        disk.create("file", SIZE).write(0, b"unsynced")

    async def look(disk: Disk) -> None:
        seen.append(disk.read("file")[:8])

    async def settle(disk: Disk) -> None:
        await synced(disk.open("file"))

    with World(1) as world:
        run(world, write)
        world.crash("one")
        run(world, look)
        assert seen == [b"unsynced"]
        assert durable(world) == bytes(SIZE)
        world.crash("one")
        run(world, settle)
        assert durable(world).startswith(b"unsynced")


def test_a_kill_can_be_as_bad_as_power_loss() -> None:
    lost = 0

    async def body(disk: Disk) -> None:
        disk.create("file", SIZE).write(0, b"unsynced")

    for seed in range(20):
        with World(seed, Faults(disk=DiskFaults(kill_loss_chance=1.0))) as world:
            run(world, body)
            world.crash("one")
            lost += durable(world) == bytes(SIZE)
    assert 0 < lost < 20


def test_a_sync_in_flight_at_a_crash_may_or_may_not_count_and_is_never_confirmed() -> None:
    outcomes: list[bool] = []
    confirmed: list[str] = []

    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        file.write(0, b"x" * 512)
        file.sync(lambda: confirmed.append("done"))

    for seed in range(20):
        with World(seed) as world:
            world.spawn("one", "home", holding(body))
            world.run_for(10_000)
            world.reboot("home")
            world.run_for(SECOND_NS)
            outcomes.append(durable(world).startswith(b"x"))
    assert confirmed == []
    assert {True, False} == {*outcomes}


def test_a_sync_covers_what_was_written_before_it_and_syncs_end_in_order() -> None:
    order: list[tuple[int, bytes]] = []

    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        for number in range(5):
            file.write(number, b"x")
            file.sync(lambda number=number: order.append((number, durable(world)[:6])))  # type: ignore[misc]
        file.write(5, b"x")

    with World(3, Faults(disk=DiskFaults(stall_chance=0.5))) as world:
        run(world, body)
        assert [number for number, _ in order] == list(range(5))
        for number, content in order:
            assert content.startswith(b"x" * (number + 1))
        assert durable(world)[5] == 0


def test_sync_takes_time_and_may_stall_or_be_inline() -> None:
    took: list[int] = []

    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        begin = world.now_ns
        await synced(file)
        took.append(world.now_ns - begin)

    for faults in (
        DiskFaults(),
        DiskFaults(stall_chance=1.0),
        DiskFaults(inline_chance=1.0),
    ):
        with World(1, Faults(disk=faults)) as world:
            run(world, body)
    calm, stall, inline = took
    assert 60_000 <= calm <= 400_000
    assert stall > 5 * MS_NS
    assert inline == 0


def test_a_failed_sync_leaves_chance_in_charge_though_readers_see_everything() -> None:
    landed = 0

    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        file.write(0, b"x" * 512)
        with pytest.raises(DiskFailedError):
            file.sync(lambda: None)
        assert disk.read("file").startswith(b"x")
        world.faults = Faults()
        await synced(file)

    for seed in range(20):
        with World(seed, Faults(disk=DiskFaults(fail_chance=1.0))) as world:
            run(world, body)
            assert world.ended == []
            landed += durable(world).startswith(b"x")
    assert 0 < landed < 20


def test_create_replace_and_delete_are_durable_on_return() -> None:
    async def body(disk: Disk) -> None:
        disk.create("file", SIZE)
        disk.create("gone", SIZE)
        disk.replace("whole", b"old")
        disk.replace("whole", b"new content")
        disk.delete("gone")
        disk.delete("never was")
        with pytest.raises(FileNotFoundError):
            disk.read("gone")
        with pytest.raises(FileNotFoundError):
            disk.open("gone")
        with pytest.raises(FileExistsError):
            disk.create("file", SIZE)
        assert disk.names() == ["file", "whole"]

    with World(1) as world:
        run(world, body)
        assert world.ended == []
        world.reboot("home")
        assert durable(world) == bytes(SIZE)
        assert durable(world, "whole") == b"new content"


def test_a_full_disk_refuses_new_files_and_takes_writes_until_something_is_deleted() -> None:
    async def body(disk: Disk) -> None:
        file = disk.create("file", SIZE)
        disk.create("reserve", SIZE)
        disk.replace("whole", b"old")
        world.folder("folder", machine="home").fill()
        with pytest.raises(DiskFullError):
            disk.create("more", 1)
        with pytest.raises(DiskFullError):
            disk.replace("whole", b"new")
        file.write(0, b"x")
        await synced(file)
        disk.delete("reserve")
        disk.create("more", 1)
        disk.replace("whole", b"new")
        world.folder("folder", machine="home").capacity_bytes = None
        disk.create("large", 100 * SIZE)

    with World(1) as world:
        run(world, body)
        assert world.ended == []
        assert durable(world).startswith(b"x")
        assert durable(world, "whole") == b"new"


def test_a_folder_is_held_by_one_living_process() -> None:
    async def nothing(_: Disk) -> None:
        return

    with World(1) as world:
        run(world, nothing, name="one")
        run(world, nothing, name="two")
        assert [(one.name, type(one.error)) for one in world.ended] == [("two", JournalBusyError)]
        world.pause("one")
        world.restart("two")
        world.run_for(SECOND_NS)
        assert len(world.ended) == 2
        world.crash("one")
        world.restart("two")
        world.run_for(SECOND_NS)
        assert len(world.ended) == 2


def test_writes_outside_a_file_and_after_close_are_refused() -> None:
    async def body(disk: Disk) -> None:
        file = disk.create("file", 10)
        for offset in (-1, 8):
            with pytest.raises(ValueError, match="file"):
                file.write(offset, b"xxx")
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.write(0, b"x")
        with pytest.raises(ValueError, match="closed"):
            file.sync(lambda: None)

    with World(1) as world:
        run(world, body)
        assert world.ended == []


def test_a_paused_process_hears_of_its_sync_when_it_runs_again() -> None:
    told: list[int] = []

    async def body(disk: Disk) -> None:
        file = disk.create("file", 10)
        file.write(0, b"x")
        file.sync(lambda: told.append(world.now_ns))

    with World(1) as world:
        world.spawn("one", "home", holding(body))
        world.run(10_000)
        world.pause("one")
        world.run(SECOND_NS)
        assert durable(world) == b"x" + bytes(9)
        assert told == []
        world.resume("one")
        world.run(2 * SECOND_NS)
        assert told == [SECOND_NS]
