"""What the shells need from the outside world, and nothing more.

Shells are ordinary asyncio code on a running loop. Everything else that they touch (clock,
connections, disk, other processes, randomness) comes through these ports, so that simulation can
run the very same shells on one seed.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from tandem.domain.bars import FinalBar, Span
from tandem.domain.evaluation import Sight
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.ids import InstrumentId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import StoredSeries


class Clock(Protocol):
    """The two clocks of `Instant`."""

    def now(self) -> Instant:
        """Return this moment."""
        ...


class Peer(Protocol):
    """Who is at the other end of a connection.

    On this computer the kernel says it: `started` is the process' start time in clock ticks since
    boot, and with the pid it names one process for ever. Of another computer only its certified
    name is known, and both are 0.
    """

    @property
    def machine(self) -> str | None:
        """Name of the other computer; None for a process on this one."""
        ...

    @property
    def pid(self) -> int:
        """Process id at connect time."""
        ...

    @property
    def started(self) -> int:
        """Start time of that process."""
        ...


class Listener(Protocol):
    """A place where connections arrive."""

    def close(self) -> None:
        """Take no more connections; those that are open stay."""
        ...


class Network(Protocol):
    """Byte streams between processes.

    An address is the path of a Unix socket, or `host:port` for other computers.
    """

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """Accept connections at `address`, each with its own protocol from `make`.

        Raises:
            OSError: the address is taken or cannot be made.
        """
        ...

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """Open a connection to `address`; the protocol from `make` then owns it.

        Raises:
            OSError: nobody listens there, or the other end refused.
        """
        ...

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        """Return who is at the other end; None when the process has already gone."""
        ...


class Processes(Protocol):
    """Other processes on this computer."""

    def watch(self, pid: int, *, started: int, on_exit: Callable[[], None]) -> Callable[[], None]:
        """Call `on_exit` once, soon after that process ended (at once when it is not there).

        Returns a function that ends the watch.
        """
        ...

    def kill(self, pid: int, *, started: int) -> None:
        """End that process at once, if it is still there; its death shows in `watch`."""
        ...


class File(Protocol):
    """One file with a fixed, preallocated size."""

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; durable only after the next `sync`.

        Raises:
            DiskFullError: no room.
            DiskFailedError: the disk refused.
        """
        ...

    def sync(self, done: Callable[[], None]) -> None:
        """Make all that was written durable, then call `done` (perhaps before returning).

        Raises:
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def close(self) -> None:
        """Give the file up; what was not synced may be lost."""
        ...


class ReadableDisk(Protocol):
    """The half of `Disk` that changes nothing; another process may be writing meanwhile."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """Return the whole content.

        Raises:
            FileNotFoundError: no such file.
        """
        ...


class Disk(Protocol):
    """One folder, held by one process at a time. Names are plain file names."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """Return the whole content.

        Raises:
            FileNotFoundError: no such file.
        """
        ...

    def create(self, name: str, size: int) -> File:
        """Make a file of `size` zero bytes, durable with its name, and open it for writing.

        Raises:
            DiskFullError: no room; nothing is left behind.
        """
        ...

    def expect(self, size: int) -> None:
        """Hear that a file of `size` zero bytes will be created soon, and perhaps make it ready.

        To be said as often as one likes; a disk may ignore it.
        """
        ...

    def open(self, name: str) -> File:
        """Open an existing file for writing, its content kept.

        Raises:
            FileNotFoundError: no such file.
        """
        ...

    def replace(self, name: str, content: bytes) -> None:
        """Write `content` under `name` as a whole: after a crash it is the old or the new.

        Durable on return.

        Raises:
            DiskFullError: no room; the old content stays.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file; a missing one is no error."""
        ...


class Journal(Protocol):
    """The log of one process: records in order, each written once and never changed.

    Records are numbered from 1, through restarts and snapshots.
    """

    @property
    def next_record(self) -> int:
        """Number that the next appended record gets."""
        ...

    @property
    def records_since_snapshot(self) -> int:
        """How many committed records a restart would have to replay."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether everything appended is durable."""
        ...

    @property
    def is_short_of_room(self) -> bool:
        """Whether the disk is full and the reserve is being used: refuse new orders."""
        ...

    def append(self, record: bytes) -> None:
        """Add `record` to the next commit; nothing is written yet.

        Raises:
            DiskFailedError: an earlier write failed; the process must end.
        """
        ...

    def commit(self, done: Callable[[], None]) -> None:
        """Make durable, as a whole or not at all, what was appended since the last commit.

        `done` is called when it is, perhaps before returning, perhaps later; never twice, and
        never before that of an earlier commit. With nothing appended it is called when all
        before it is durable. `done` may append and commit. While one batch is being synced,
        later commits wait and may be joined into one.

        Raises:
            DiskFullError: no room, not even in the reserve. What was committed waits: it is
                written, and its `done` called, by `probe_room` or a commit once there is room.
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def snapshot(self, state: bytes) -> None:
        """Keep `state` as standing for every record so far; durable on return.

        Only when `is_idle`. A restart then replays only what follows; older records stay.

        Raises:
            DiskFullError: no room; the journal goes on without this snapshot.
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def probe_room(self) -> None:
        """When short of room, see whether it has returned; to be called now and then.

        Raises:
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def close(self) -> None:
        """Give the journal up; only when `is_idle`, or the process is ending anyway."""
        ...


class Feed(Protocol):
    """Recorded market data of one symbol, wherever it came from."""

    @property
    def symbol(self) -> str:
        """Whose data it is, as venues write it."""
        ...

    @property
    def asset_class(self) -> AssetClass:
        """What kind of market it is of."""
        ...

    @property
    def span_ns(self) -> int | None:
        """How long its bars are; None: single messages."""
        ...

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """Yield all of it from the beginning, oldest first, in the ticks and lots of `instrument`.

        What is malformed is refused; what is well formed and cannot be true is yielded.

        Raises:
            MarketFileError: it cannot be read; names the place and what was expected there.
        """
        ...


class BarStore(Protocol):
    """The history of final bars. One process writes it; others may read meanwhile."""

    def list_instruments(self, instruments: Sequence[Instrument]) -> None:
        """Remember the grids of `instruments`, durably.

        Raises:
            ConfigurationError: bars of one are stored on another grid.
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def add(self, finals: Sequence[FinalBar]) -> None:
        """Keep `finals`, all of them or none; durable on return.

        What is there already, equal, is passed over, so that a repeat does no harm.

        Raises:
            ConfigurationError: its instrument is not listed, its number is not the next one of
                its series, or another bar has it.
            DiskFullError: no room; nothing was kept.
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def bars(
        self, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        """Return the latest revision of each bar that begins from `from_ns` on, before `to_ns`.

        In the order of time. Of what is not known there is none.
        """
        ...

    def last(self, instrument_id: InstrumentId, span: Span, *, count: int) -> list[FinalBar]:
        """Return the latest revisions of the last `count` bars, in the order of time."""
        ...

    def published(
        self, instrument_id: InstrumentId, span: Span, *, after: int, count: int
    ) -> list[FinalBar]:
        """Return up to `count` bars as they were published, from the number `after` + 1 on."""
        ...

    def series(self) -> list[StoredSeries]:
        """Return what there is, by instrument id and span."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class Cell(Protocol):
    """The process of one tenant, in which its strategies are evaluated."""

    @property
    def running(self) -> int | None:
        """The attachment that it evaluates at this moment, as in `Sight`."""
        ...

    def send(self, payload: bytes) -> None:
        """Give it a task; nothing happens when it has ended."""
        ...

    def stop(self) -> None:
        """Ask the strategy that it evaluates now to stop."""
        ...

    def look(self) -> Sight:
        """Return what can be seen of it from outside."""
        ...

    def rank(self, *, is_behind: bool) -> None:
        """Let it have only the time that nobody else wants, or its share, if that can be."""
        ...

    def end(self) -> None:
        """End it by force; nothing more comes of it, not even its end."""
        ...


class Jail(Protocol):
    """Makes processes for tenants."""

    def open(
        self,
        *,
        memory_bytes: int,
        is_behind: bool,
        on_open: Callable[[Cell | str], None],
        on_answer: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        """Make a process that may take `memory_bytes` more than it begins with.

        It begins as `Cell.rank` says, with `is_behind`.

        `on_open` is called once, never from in here: with the cell, or with the reason why there
        is none. `on_answer` gets what the process writes, one answer at a time, and `on_end` is
        called when it has ended by itself or writes what is no frame.
        """
        ...
