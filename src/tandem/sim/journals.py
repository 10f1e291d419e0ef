"""What a checker sees of a journal: which records are durable, and what the disk would hold."""

from collections.abc import Callable

from tandem.ports import Journal
from tandem.sim.disk import Folder


class WatchedJournal:
    """The coordinator's journal, telling which releases are durable."""

    def __init__(self, journal: Journal, durable: Callable[[bytes], None]) -> None:
        self._journal = journal
        self._durable = durable
        self._appended: list[bytes] = []

    @property
    def next_record(self) -> int:
        """See `Journal.next_record`."""
        return self._journal.next_record

    @property
    def records_since_snapshot(self) -> int:
        """See `Journal.records_since_snapshot`."""
        return self._journal.records_since_snapshot

    @property
    def is_idle(self) -> bool:
        """See `Journal.is_idle`."""
        return self._journal.is_idle

    @property
    def is_short_of_room(self) -> bool:
        """See `Journal.is_short_of_room`."""
        return self._journal.is_short_of_room

    def append(self, record: bytes) -> None:
        """See `Journal.append`."""
        self._appended.append(record)
        self._journal.append(record)

    def commit(self, done: Callable[[], None]) -> None:
        """See `Journal.commit`."""
        appended, self._appended = self._appended, []

        def durable() -> None:
            for record in appended:
                self._durable(record)
            done()

        self._journal.commit(durable)

    def snapshot(self, state: bytes) -> None:
        """See `Journal.snapshot`."""
        self._journal.snapshot(state)

    def probe_room(self) -> None:
        """See `Journal.probe_room`."""
        self._journal.probe_room()

    def close(self) -> None:
        """See `Journal.close`."""
        self._journal.close()


class Platter:
    """What a disk would hold if the power went now, to be read only."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """See `Disk.names`."""
        return sorted(self._folder.files)

    def read(self, name: str) -> bytes:
        """See `Disk.read`."""
        return bytes(self._folder.files[name].durable)
