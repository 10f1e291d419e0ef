"""Record, then act: nothing is done before it is on disk, and replay gives the same."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tandem.domain.errors import DiskFullError, ReplayMismatchError
from tandem.domain.instant import Instant
from tandem.shells.recording import Record, Recording, replay
from tests.unit.shells.wire import in_simulated_time

DECODER = msgspec.msgpack.Decoder(Record[str, str])


class Echo:
    """A core that wants said what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.next_due_ns: int | None = None

    def on(self, event: str, now: Instant) -> list[str]:
        if event == "raise":
            raise ValueError(event)
        self.heard.append(event)
        if event == "due":
            self.next_due_ns = None
        return [f"{event}!", f"{len(self.heard)}"]

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode(self.heard)


class Paper:
    """A journal whose disk a test holds in its hand."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.waiting: list[Callable[[], None]] = []
        self.snapshots: list[bytes] = []
        self.records_since_snapshot = 0
        self.is_full = False
        self.is_short_of_room = False
        self.probed = 0

    @property
    def next_record(self) -> int:
        return len(self.records) + 1

    @property
    def is_idle(self) -> bool:
        return not self.waiting

    def append(self, record: bytes) -> None:
        self.records.append(record)
        self.records_since_snapshot += 1

    def commit(self, done: Callable[[], None]) -> None:
        self.waiting.append(done)
        if self.is_full:
            raise DiskFullError("no room")

    def sync(self) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done()

    def snapshot(self, state: bytes) -> None:
        if self.is_full:
            raise DiskFullError("no room")
        self.snapshots.append(state)
        self.records_since_snapshot = 0

    def probe_room(self) -> None:
        self.probed += 1

    def close(self) -> None:
        raise AssertionError("nobody closes it here")


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_ns = 1_000

    def now(self) -> Instant:
        return Instant(self.now_ns, 5)


class Bench:
    def __init__(self, snapshot_records: int = 1_000) -> None:
        self.core, self.journal, self.clock = Echo(), Paper(), Hand()
        self.done: list[str] = []
        self.recording: Recording[str, str] = Recording(
            self.core,
            self.journal,
            self.clock,
            self.done.extend,
            lambda: "due",
            snapshot_records=snapshot_records,
        )


async def turn() -> None:
    await asyncio.sleep(0)


async def test_effects_are_performed_in_order_after_their_record_is_durable() -> None:
    """I8 F1: nothing that anybody can see happens before it is on disk."""
    bench = Bench()
    bench.recording.feed("a")
    bench.recording.feed("b")
    assert (bench.done, bench.recording.next_record) == ([], 3)
    assert not bench.recording.is_idle
    await turn()
    assert bench.done == []
    assert len(bench.journal.waiting) == 1  # both in one commit
    bench.journal.sync()
    assert bench.done == ["a!", "1", "b!", "2"]
    assert bench.recording.is_idle


async def test_one_record_holds_the_event_the_moment_and_the_effects() -> None:
    bench = Bench()
    bench.recording.feed("a")
    assert DECODER.decode(bench.journal.records[0]) == Record(
        1, Instant(1_000, 5), "a", ["a!", "1"]
    )


async def test_an_answer_waits_for_everything_fed_before_it() -> None:
    """Nobody ever sees what the disk does not hold."""
    bench = Bench()
    bench.recording.feed("a")
    bench.recording.after_durable(lambda: bench.done.append("answer"))
    await turn()
    assert bench.done == []
    bench.journal.sync()
    assert bench.done == ["a!", "1", "answer"]
    bench.recording.after_durable(lambda: bench.done.append("another"))
    bench.recording.after_durable(lambda: bench.done.append("and another"))
    await turn()
    bench.journal.sync()
    assert bench.done[3:] == ["another", "and another"]


async def test_whoever_watches_sees_every_event_with_its_effects() -> None:
    bench = Bench()
    seen: list[tuple[str, list[str]]] = []
    bench.recording.on_event = lambda event, effects: seen.append((event, effects))
    bench.recording.feed("a")
    assert seen == [("a", ["a!", "1"])]


async def test_a_full_disk_keeps_effects_until_there_is_room() -> None:
    """F11."""
    bench = Bench()
    bench.journal.is_full = bench.journal.is_short_of_room = True
    bench.recording.feed("a")
    await turn()
    assert bench.done == []
    assert bench.recording.is_short_of_room
    bench.recording.probe_room()
    assert bench.journal.probed == 1
    bench.journal.sync()
    assert bench.done == ["a!", "1"]


async def test_a_core_that_raises_is_not_recorded_and_never_fed_again() -> None:
    bench = Bench()
    with pytest.raises(ValueError, match="raise"):
        bench.recording.feed("raise")
    assert bench.journal.records == []
    with pytest.raises(AssertionError, match="the core raised"):
        bench.recording.feed("a")


# -- snapshots


async def test_a_snapshot_is_taken_after_so_many_records_when_nothing_waits() -> None:
    bench = Bench(snapshot_records=2)
    bench.recording.feed("a")
    bench.recording.feed("b")
    await turn()
    assert bench.journal.snapshots == []  # the commit is not durable
    bench.journal.sync()
    bench.recording.feed("c")
    bench.journal.commit = lambda done: done()  # type: ignore[method-assign]
    await turn()
    assert bench.journal.snapshots == [bench.core.snapshot()]


async def test_without_room_for_a_snapshot_the_journal_goes_on_without() -> None:
    bench = Bench(snapshot_records=1)
    bench.journal.commit = lambda done: done()  # type: ignore[method-assign]
    bench.journal.is_full = True
    bench.recording.feed("a")
    await turn()
    assert bench.journal.snapshots == []


# -- time


def test_the_core_is_woken_at_its_moment_and_not_before() -> None:
    async def body() -> None:
        bench = Bench()
        bench.core.next_due_ns = 1_000 + 2_000_000
        bench.recording.feed("a")
        await asyncio.sleep(1)
        assert bench.core.heard == ["a"]  # its clock has not moved: it is asked again
        bench.clock.now_ns += 2_000_000
        await asyncio.sleep(1)
        assert bench.core.heard == ["a", "due"]

    in_simulated_time(body)


def test_an_earlier_moment_takes_the_place_of_a_later_one() -> None:
    async def body() -> None:
        bench = Bench()
        bench.core.next_due_ns = 10**15
        bench.recording.feed("a")
        await asyncio.sleep(1)
        bench.core.next_due_ns = 500
        bench.recording.feed("b")
        await asyncio.sleep(1)
        assert bench.core.heard == ["a", "b", "due"]

    in_simulated_time(body)


def test_a_stopped_recording_wakes_nobody() -> None:
    async def body() -> None:
        bench = Bench()
        bench.recording.stop()
        bench.core.next_due_ns = 1_000
        bench.recording.feed("a")
        await asyncio.sleep(0)
        bench.recording.stop()
        await asyncio.sleep(1)
        assert bench.core.heard == ["a"]

    in_simulated_time(body)


# -- replay


async def test_replay_feeds_the_events_and_performs_nothing() -> None:
    """C6 I11 F19."""
    bench = Bench()
    for event in "abc":
        bench.recording.feed(event)
    again = Echo()
    assert replay(again, bench.journal.records, DECODER) == 3
    assert again.snapshot() == bench.core.snapshot()
    assert replay(Echo(), [], DECODER) == 0


async def test_replay_that_gives_something_else_names_the_place() -> None:
    """C6."""
    bench = Bench()
    for event in "abc":
        bench.recording.feed(event)
    with pytest.raises(ReplayMismatchError, match=r"record 2 \(str\)"):
        replay(Echo(), bench.journal.records[1:], DECODER)
