"""A crashed process runs nothing more, a paused one keeps order and catches up."""

import asyncio
import gc
from collections.abc import Callable

import pytest

from tandem.sim.process import Killed
from tandem.sim.world import (
    SECOND_NS,
    DiskFaults,
    Faults,
    ProcessFaults,
    SimProcess,
    World,
    story,
)

MS_NS = 1_000_000


async def forever(_: SimProcess) -> None:
    await asyncio.get_running_loop().create_future()


def test_a_crashed_process_runs_nothing_more(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.sleep(2)
        except asyncio.CancelledError:
            seen.append(f"{name} canceled")
        finally:
            seen.append(f"{name} finally")
            try:
                await asyncio.sleep(1)
                seen.append(f"{name} after finally")
            finally:
                try:
                    await asyncio.sleep(1)
                finally:
                    await asyncio.sleep(1)
                    seen.append(f"{name} after finally")

    async def main(_: SimProcess) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(3, seen.append, "timer")
        loop.call_soon(loop.call_soon, seen.append, "before")
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(wait(f"task-{number}"))
            await asyncio.sleep(10)

    with World(1) as world:
        world.spawn("one", "home", main)
        world.at(SECOND_NS, world.crash, "one")
        world.run(60 * SECOND_NS)
        gc.collect()
        assert seen == ["before"]
        assert world.ended == []
        complaints = world.complaints
    del world
    gc.collect()
    assert complaints == []
    assert "after finally" not in " ".join(seen)
    assert capfd.readouterr() == ("", "")


def test_a_crash_in_the_middle_of_a_callback_ends_it_there() -> None:
    seen: list[str] = []

    async def main(process: SimProcess) -> None:
        disk = process.disk("folder")
        file = disk.create("file", 1024)
        seen.append("created")
        file.write(0, b"first")
        seen.append("written")
        try:
            file.sync(lambda: seen.append("synced"))
        finally:
            # Its own memory may still change; the world does not.
            asyncio.get_running_loop().call_soon(seen.append, "after death")
            with pytest.raises(Killed):
                disk.replace("other", b"never")
        seen.append("survived")

    with World(1) as world:
        world.crash_points.hook = lambda _, point: point == "before sync"
        process = world.spawn("one", "home", main)
        world.run(SECOND_NS)
        assert not process.alive
        assert seen == ["created", "written"]
        assert sorted(world.folder("folder", machine="home").files) == ["file"]


def test_every_port_of_a_dead_process_raises() -> None:
    raised: list[str] = []

    async def main(process: SimProcess) -> None:
        disk = process.disk("folder")
        file = disk.create("file", 1024)
        world.crash(process)
        calls: dict[str, Callable[[], object]] = {
            "create": lambda: disk.create("other", 1),
            "open": lambda: disk.open("file"),
            "read": lambda: disk.read("file"),
            "replace": lambda: disk.replace("file", b"never"),
            "delete": lambda: disk.delete("file"),
            "write": lambda: file.write(0, b"never"),
            "sync": lambda: file.sync(lambda: None),
            "kill": lambda: process.processes.kill(other.pid, started=other.started),
            "watch": lambda: process.processes.watch(
                other.pid, started=other.started, on_exit=lambda: None
            ),
            "listen": process.network.listen("/run/one", asyncio.Protocol).__await__().__next__,
            "connect": process.network.connect("/run/one", asyncio.Protocol).__await__().__next__,
        }
        for name, call in calls.items():
            with pytest.raises(Killed):
                call()
            raised.append(name)
        assert len(raised) == len(calls)

    with World(1) as world:
        other = world.spawn("other", "home", forever)
        world.spawn("one", "home", main)
        world.run(SECOND_NS)
        assert len(raised) == 11
        assert other.alive
        assert world.folder("folder", machine="home").read("file") == bytes(1024)


@pytest.mark.parametrize("point", ["before write", "after write"])
def test_death_before_or_after_an_effect_leaves_it_undone_or_done(point: str) -> None:
    async def main(process: SimProcess) -> None:
        process.disk("folder").create("file", 1024).write(0, b"first")

    with World(1) as world:
        world.crash_points.hook = lambda _, here: here == point
        world.spawn("one", "home", main)
        world.run(SECOND_NS)
        content = world.folder("folder", machine="home").files["file"]
        assert content.seen.startswith(b"first") == (point == "after write")
        assert world.ended == []


def test_a_paused_process_keeps_order_and_catches_up() -> None:
    seen: list[tuple[int, int]] = []

    async def main(_: SimProcess) -> None:
        for number in range(100):
            asyncio.get_running_loop().call_later(0.01 * number, note, number)
        await asyncio.sleep(2)

    def note(number: int) -> None:
        seen.append((number, world.now_ns))

    with World(1) as world:
        world.spawn("one", "home", main)
        world.at(300 * MS_NS + 1, world.pause, "one")
        world.at(700 * MS_NS, world.resume, "one")
        world.run(650 * MS_NS)
        assert [number for number, _ in seen] == list(range(31))
        world.run(3 * SECOND_NS)
        assert [number for number, _ in seen] == list(range(100))
        assert {time_ns for number, time_ns in seen if 31 <= number < 70} == {700 * MS_NS}
        assert len(world.ended) == 1


@pytest.mark.parametrize("seed", range(8))
def test_what_was_ready_before_a_pause_comes_first_after_it(seed: int) -> None:
    seen: list[str] = []

    async def main(process: SimProcess) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, seen.append, "timer")
        file = process.disk("folder").create("file", 512)
        file.sync(lambda: seen.append("synced"))
        world.pause(process)
        loop.call_soon(seen.append, "ready")
        await asyncio.sleep(1)

    with World(seed) as world:
        world.spawn("one", "home", main)
        world.run(SECOND_NS)
        assert seen == []
        world.resume("one")
        world.run(3 * SECOND_NS)
        assert seen[0] == "ready"
        assert sorted(seen[1:]) == ["synced", "timer"]


def test_a_paused_process_can_be_killed() -> None:
    with World(1) as world:
        process = world.spawn("one", "home", forever)
        world.run(SECOND_NS)
        world.pause("one")
        world.crash("one")
        world.resume("one")
        world.run(2 * SECOND_NS)
        assert not process.alive


def test_a_process_ends_with_its_main_and_all_its_tasks() -> None:
    seen: list[str] = []

    async def main(_: SimProcess) -> None:
        asyncio.get_running_loop().call_later(2, seen.append, "too late")
        await asyncio.sleep(1)
        raise ValueError("as planned")

    async def leave(_: SimProcess) -> None:
        raise SystemExit(3)

    with World(1) as world:
        world.spawn("one", "home", main)
        world.spawn("two", "home", leave)
        world.run(5 * SECOND_NS)
        assert seen == []
        assert [(one.name, type(one.error)) for one in world.ended] == [
            ("two", SystemExit),
            ("one", ValueError),
        ]
        assert "as planned" in story(world.ended[1])
        assert not world.process("one").alive


def test_a_restart_is_another_process_of_the_same_name() -> None:
    with World(1) as world:
        first = world.spawn("one", "home", forever)
        world.run(SECOND_NS)
        assert world.restart("one") is first
        world.crash("one")
        second = world.restart("one")
        assert second.alive
        assert (first.pid, first.started) != (second.pid, second.started)
        assert world.process("one") is second
        assert world.names == ["one"]


def test_a_reused_pid_has_another_start_time() -> None:
    faults = Faults(processes=ProcessFaults(pid_reuse_chance=1.0))
    with World(1, faults) as world:
        first = world.spawn("one", "home", forever)
        world.crash("one")
        second = world.restart("one")
        assert first.pid == second.pid
        assert first.started != second.started


def test_a_watch_tells_of_a_death_once_and_soon() -> None:
    told: list[str] = []

    async def watch(process: SimProcess) -> None:
        processes = process.processes
        processes.watch(victim.pid, started=victim.started, on_exit=lambda: told.append("died"))
        processes.watch(
            victim.pid, started=victim.started + 1, on_exit=lambda: told.append("never was")
        )
        stop = processes.watch(
            victim.pid, started=victim.started, on_exit=lambda: told.append("stopped")
        )
        stop()
        await asyncio.get_running_loop().create_future()

    with World(1) as world:
        victim = world.spawn("victim", "home", forever)
        world.spawn("watcher", "home", watch)
        world.run(SECOND_NS)
        assert told == ["never was"]
        world.crash("victim")
        assert told == ["never was"]
        world.run(SECOND_NS + 5 * MS_NS)
        assert told == ["never was", "died"]
        world.restart("victim")
        world.crash("victim")
        world.run(3 * SECOND_NS)
        assert told == ["never was", "died"]


def test_a_process_of_another_machine_is_not_there() -> None:
    told: list[str] = []

    async def watch(process: SimProcess) -> None:
        process.processes.kill(victim.pid, started=victim.started)
        process.processes.watch(
            victim.pid, started=victim.started, on_exit=lambda: told.append("not there")
        )
        await asyncio.get_running_loop().create_future()

    with World(1) as world:
        victim = world.spawn("victim", "far", forever)
        world.spawn("watcher", "home", watch)
        world.run(SECOND_NS)
        assert victim.alive
        assert told == ["not there"]


def test_kill_ends_a_process_at_once_and_only_that_run() -> None:
    seen: list[str] = []

    async def beat(_: SimProcess) -> None:
        for _round in range(100):
            await asyncio.sleep(0.1)
            seen.append("beat")

    async def kill(process: SimProcess) -> None:
        await asyncio.sleep(0.55)
        process.processes.kill(victim.pid, started=victim.started + 1)
        assert victim.alive
        process.processes.kill(victim.pid, started=victim.started)
        assert not victim.alive
        process.processes.kill(victim.pid, started=victim.started)
        process.processes.kill(process.pid, started=process.started)
        seen.append("the dead spoke")

    with World(1) as world:
        victim = world.spawn("victim", "home", beat)
        world.spawn("killer", "home", kill)
        world.run(5 * SECOND_NS)
        assert seen == ["beat"] * 5
        assert world.ended == []


def test_sleep_stops_timers_and_the_monotonic_clock_but_not_the_boot_clock() -> None:
    seen: list[tuple[float, int, int]] = []

    async def main(process: SimProcess) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            await asyncio.sleep(10)
            now = process.clock.now()
            seen.append((loop.time(), now.now_ns, world.now_ns))

    with World(1) as world:
        world.spawn("one", "laptop", main)
        world.at(5 * SECOND_NS, world.sleep, "laptop", 100 * SECOND_NS)
        world.run(104 * SECOND_NS)
        assert seen == []
        world.run(200 * SECOND_NS)
        assert seen == [
            (10.0, 110 * SECOND_NS, 110 * SECOND_NS),
            (20.0, 120 * SECOND_NS, 120 * SECOND_NS),
        ]


def test_a_timer_that_came_due_in_sleep_still_waits_for_its_time() -> None:
    seen: list[int] = []

    async def main(_: SimProcess) -> None:
        asyncio.get_running_loop().call_later(6, lambda: seen.append(world.now_ns))
        await asyncio.sleep(60)

    with World(1) as world:
        world.spawn("one", "laptop", main)
        world.at(5 * SECOND_NS, world.sleep, "laptop", 10 * SECOND_NS)
        world.run(60 * SECOND_NS)
        assert seen == [16 * SECOND_NS]


def test_a_process_that_is_stopped_and_asleep_runs_when_it_is_neither() -> None:
    seen: list[int] = []

    async def main(_: SimProcess) -> None:
        for _round in range(100):
            await asyncio.sleep(0.1)
            seen.append(world.now_ns // SECOND_NS)

    for stop, resume in ((1, 5), (3, 5), (1, 3), (3, 4)):
        seen.clear()
        with World(1) as world:
            world.spawn("one", "laptop", main)
            world.at(stop * SECOND_NS + 1, world.pause, "one")
            world.at(2 * SECOND_NS + 1, world.sleep, "laptop", 2 * SECOND_NS)
            world.at(resume * SECOND_NS + 1, world.resume, "one")
            world.run(9 * SECOND_NS)
            first, last = min(stop, 2), max(resume, 4)
            assert not [time for time in seen if first < time < last]
            assert [time for time in seen if time > last]


def test_a_reboot_ends_a_sleep_and_the_next_one_lasts() -> None:
    with World(1) as world:
        world.machine("laptop")
        world.sleep("laptop", 10 * SECOND_NS)
        world.at(2 * SECOND_NS, world.reboot, "laptop")
        world.run(3 * SECOND_NS)
        assert not world.machine("laptop").asleep
        world.sleep("laptop", 20 * SECOND_NS)
        world.run(22 * SECOND_NS)
        assert world.machine("laptop").asleep
        world.run(24 * SECOND_NS)
        assert not world.machine("laptop").asleep


def test_a_reboot_ends_all_processes_and_starts_the_boot_clock_at_zero() -> None:
    instants: list[tuple[int, int]] = []

    async def main(process: SimProcess) -> None:
        now = process.clock.now()
        instants.append((now.now_ns, now.market_ns))
        await asyncio.get_running_loop().create_future()

    with World(1) as world:
        one = world.spawn("one", "home", main)
        other = world.spawn("other", "far", forever)
        world.run(SECOND_NS)
        world.sleep("home", SECOND_NS)
        world.reboot("home")
        assert not one.alive
        assert other.alive
        world.restart("one")
        world.run(3 * SECOND_NS)
        (_, market_first), (boot_second, market_second) = instants
        assert boot_second == 0
        assert market_second - market_first == SECOND_NS


def test_a_fault_of_the_kernel_at_death_is_not_drawn_for_a_clean_end() -> None:
    async def main(process: SimProcess) -> None:
        file = process.disk("folder").create("file", 1024)
        file.write(0, b"x" * 1024)

    with World(1, Faults(disk=DiskFaults(kill_loss_chance=1.0))) as world:
        world.spawn("one", "home", main)
        world.run(SECOND_NS)
        content = world.folder("folder", machine="home").files["file"]
        assert content.seen == b"x" * 1024
        assert content.durable == bytes(1024)
