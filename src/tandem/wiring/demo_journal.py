"""The demo's own journal: which commands were stored, which were sent, which were logged."""

import enum
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from tandem.adapters.journal import open_log
from tandem.adapters.local.disk import FolderDisk
from tandem.domain.value import Value
from tandem.wiring.home import Home

SEGMENT_BYTES: Final = 1 << 20


class Step(enum.StrEnum):
    """What happened to a command after it was stored."""

    SENT = "sent"
    LOGGED = "logged"


class Stored(Value, frozen=True, kw_only=True, tag="stored"):
    """All commands of one demo, as they were written."""

    name: str
    texts: tuple[str, ...]


class Stepped(Value, frozen=True, kw_only=True, tag="stepped"):
    """A command of a demo, by its place from 0, came one step further."""

    name: str
    step: Step
    place: int


_DECODER: Final = msgspec.msgpack.Decoder(Stored | Stepped)


class DemoJournal:
    """Every demo of one home; what is noted is on disk before the call returns."""

    def __init__(self, home: Home) -> None:
        """Open it.

        Raises:
            JournalBusyError: another demo runs.
            JournalCorruptError: something changed after it was durable.
        """
        self.home = home
        self.folder: Path = home.folder / "demo"
        self._disk = FolderDisk(self.folder)
        recovered, self._journal = open_log(
            self._disk, segment_bytes=SEGMENT_BYTES, reserve_bytes=SEGMENT_BYTES
        )
        self._runs: dict[str, Stored] = {}
        self._steps: dict[tuple[str, Step, int], None] = {}
        for content in recovered.records:
            self._take(_DECODER.decode(content))

    def run(self, name: str) -> Stored | None:
        """Return the demo of that name."""
        return self._runs.get(name)

    def unfinished(self, texts: Sequence[str]) -> Stored | None:
        """Return the latest demo if it had these commands and was interrupted."""
        if not self._runs:
            return None
        latest = list(self._runs.values())[-1]
        places = range(len(latest.texts))
        is_whole = all(self.has(latest.name, Step.LOGGED, place) for place in places)
        return latest if latest.texts == tuple(texts) and not is_whole else None

    def store(self, name: str, texts: tuple[str, ...]) -> Stored:
        """Store all commands of a new demo, whole or not at all."""
        stored = Stored(name=name, texts=texts)
        self._write(stored)
        return stored

    def has(self, name: str, step: Step, place: int) -> bool:
        """Return whether that command came so far."""
        return (name, step, place) in self._steps

    def note(self, name: str, step: Step, place: int) -> None:
        """Note that a command came one step further."""
        self._write(Stepped(name=name, step=step, place=place))

    def _write(self, record: Stored | Stepped) -> None:
        self._journal.append(msgspec.msgpack.encode(record))
        self._journal.commit(lambda: None)  # the disk is waited for in here
        assert self._journal.is_idle, "a journal whose caller waits is never behind"
        self._take(record)

    def _take(self, record: Stored | Stepped) -> None:
        if isinstance(record, Stored):
            self._runs[record.name] = record
        else:
            self._steps[record.name, record.step, record.place] = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it up."""
        self._journal.close()
        self._disk.close()
