"""Record, then act: how a shell runs a core (docs/protocol.md, "Record, then act").

Each event is decided, and one record of it and its effects appended; what came in one turn of the
loop is committed together, and when that is durable the effects are performed in order. Nothing
that anybody can see happens before it is on disk. Starting is replaying: the recorded events must
give the recorded effects, byte for byte, and none of them is performed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import msgspec

from tandem.domain.errors import DiskFullError, ReplayMismatchError
from tandem.domain.instant import Instant
from tandem.ports import Clock, Journal
from tandem.shells.waking import Waking

E = TypeVar("E")
F = TypeVar("F")
EventIn = TypeVar("EventIn", contravariant=True)
SNAPSHOT_RECORDS = 50_000
_ENCODER = msgspec.msgpack.Encoder()


class Record(msgspec.Struct, Generic[E, F], frozen=True, array_like=True, gc=False):
    """One event and what was to be done about it; `number` rises by one."""

    number: int
    now: Instant
    event: E
    effects: list[F]


class Core(Protocol[EventIn, F]):
    """A sequential machine: see `Desk` and `Exchange`."""

    @property
    def next_due_ns(self) -> int | None:
        """When it wants to be woken, in CLOCK_BOOTTIME."""
        ...

    def on(self, event: EventIn, now: Instant) -> list[F]:
        """Decide."""
        ...

    def snapshot(self) -> bytes:
        """Return the whole state."""
        ...


def replay(
    core: Core[E, F], records: Iterable[bytes], decoder: msgspec.msgpack.Decoder[Record[E, F]]
) -> int:
    """Feed recorded events to `core`; return the number of the last record, 0 when none.

    Raises:
        ReplayMismatchError: an event gave other effects than those recorded with it.
    """
    last = 0
    for content in records:
        record = decoder.decode(content)
        effects = core.on(record.event, record.now)
        again = _ENCODER.encode(Record(record.number, record.now, record.event, effects))
        if again != content:
            kind = type(record.event).__name__
            raise ReplayMismatchError(
                f"record {record.number} ({kind}): replay gives other effects than recorded"
            )
        last = record.number
    return last


class Recording(Generic[E, F]):
    """Runs one core over one journal.

    `perform` gets the effects of each commit, in order, after their records are durable. `due`
    makes the event that wakes the core. A snapshot is taken when so many records have come since
    the last one.
    """

    def __init__(  # noqa: PLR0913 - a core, its ports, and two settings
        self,
        core: Core[E, F],
        journal: Journal,
        clock: Clock,
        perform: Callable[[Sequence[F]], None],
        due: Callable[[], E],
        *,
        snapshot_records: int = SNAPSHOT_RECORDS,
    ) -> None:
        self.core = core
        self._journal = journal
        self._clock = clock
        self._perform = perform
        self._due = due
        self._snapshot_records = snapshot_records
        self._effects: list[F] = []
        self._waiting: list[Callable[[], None]] = []
        self._scheduled = False
        self._is_broken = False
        self._waking = Waking(clock, self._ring)
        self.on_event: Callable[[E, list[F]], None] | None = None

    @property
    def next_record(self) -> int:
        """The number of the next event's record."""
        return self._journal.next_record

    @property
    def is_short_of_room(self) -> bool:
        """Whether the disk is nearly full."""
        return self._journal.is_short_of_room

    @property
    def is_idle(self) -> bool:
        """Whether everything fed is durable and performed."""
        return self._journal.is_idle and not self._scheduled

    def feed(self, event: E) -> None:
        """Let the core decide about `event`; its effects follow when it is durable.

        Should the core raise, the event is not recorded, nothing more is fed, and the process
        must end: whoever runs the loop sees to that.
        """
        assert not self._is_broken, "the core raised: what it holds now is not its records' state"
        now = self._clock.now()
        self._is_broken = True
        effects = self.core.on(event, now)
        self._is_broken = False
        number = self._journal.next_record
        self._journal.append(_ENCODER.encode(Record(number, now, event, effects)))
        self._effects.extend(effects)
        if self.on_event is not None:
            self.on_event(event, effects)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._commit)

    def after_durable(self, call: Callable[[], None]) -> None:
        """Call when everything fed so far is durable and performed: for answers to questions."""
        self._waiting.append(call)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._commit)

    def _commit(self) -> None:
        self._scheduled = False
        effects, self._effects = self._effects, []
        waiting, self._waiting = self._waiting, []

        def done() -> None:
            self._perform(effects)
            for call in waiting:
                call()

        # Without room what was committed waits; `probe_room` writes it and calls `done`.
        with suppress(DiskFullError):
            self._journal.commit(done)
        self._waking.set(self.core.next_due_ns)
        if self._journal.records_since_snapshot >= self._snapshot_records:
            self._snapshot()

    def _snapshot(self) -> None:
        if self._journal.is_idle and not self._effects:
            with suppress(DiskFullError):
                self._journal.snapshot(self.core.snapshot())

    def probe_room(self) -> None:
        """See whether room has returned; to be called now and then."""
        self._journal.probe_room()

    def _ring(self) -> None:
        due_ns = self.core.next_due_ns
        if due_ns is not None and due_ns <= self._clock.now().now_ns:
            self.feed(self._due())
        else:
            self._waking.set(due_ns)

    def stop(self) -> None:
        """Wake the core no more."""
        self._waking.stop()
