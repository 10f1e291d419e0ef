"""Three ways to make writes durable, of which a disk is given one.

An error of a sync is never tried again: the kernel may have dropped the pages it could not
write, and then a second sync says that all is well.
"""

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tandem.domain.errors import DiskFailedError


class Sync(Protocol):
    """How writes become durable; one for each disk."""

    def now(self, descriptor: int) -> None:
        """Make a file or folder durable before returning.

        Raises:
            OSError: the disk did not confirm.
        """
        ...

    def start(self, path: Path, descriptor: int, done: Callable[[], None]) -> None:
        """Make a file's content durable, then call `done`, in the order of the calls.

        Raises:
            DiskFailedError: the disk did not confirm; the process must end.
        """
        ...

    def settle(self) -> None:
        """Return when nothing is under way, so that files can be closed."""
        ...

    def close(self) -> None:
        """Give up what was needed for it."""
        ...


class InlineSync:
    """The caller waits for the disk: best when a sync takes well below a millisecond."""

    def now(self, descriptor: int) -> None:
        """See `Sync.now`."""
        os.fsync(descriptor)

    def start(self, path: Path, descriptor: int, done: Callable[[], None]) -> None:
        """See `Sync.start`; `done` is called before returning."""
        _sync(path, descriptor)
        done()

    def settle(self) -> None:
        """See `Sync.settle`; nothing is ever under way."""

    def close(self) -> None:
        """See `Sync.close`; nothing was needed."""


class PageSync:
    """Nobody waits for the disk: writes outlive the process, but not the power.

    For the paper exchange: a computer without power has lost its market too.
    """

    def now(self, descriptor: int) -> None:
        """See `Sync.now`; it promises nothing here."""

    def start(self, path: Path, descriptor: int, done: Callable[[], None]) -> None:  # noqa: ARG002
        """See `Sync.start`; `done` is called before returning."""
        done()

    def settle(self) -> None:
        """See `Sync.settle`; nothing is ever under way."""

    def close(self) -> None:
        """See `Sync.close`; nothing was needed."""


class ThreadSync:
    """One thread waits for the disk while the loop goes on: for slow disks.

    `on_failure` is called in the loop when the disk did not confirm. No `done` is called from
    then on, and the process must end.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_failure: Callable[[DiskFailedError], None]
    ) -> None:
        self._loop = loop
        self._on_failure = on_failure
        # Bounded by its user: the journal has one sync under way at a time.
        self._work: queue.Queue[tuple[Path, int, Callable[[], None]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, name="sync", daemon=True)
        self._thread.start()

    def now(self, descriptor: int) -> None:
        """See `Sync.now`."""
        os.fsync(descriptor)

    def start(self, path: Path, descriptor: int, done: Callable[[], None]) -> None:
        """See `Sync.start`; `done` is called later, in the loop."""
        self._work.put((path, descriptor, done))

    def settle(self) -> None:
        """See `Sync.settle`."""
        self._work.join()

    def close(self) -> None:
        """See `Sync.close`; ends the thread."""
        self._work.put(None)
        self._thread.join()

    def _serve(self) -> None:
        has_failed = False
        while (item := self._work.get()) is not None:
            if not has_failed:
                has_failed = not self._confirm(*item)
            self._work.task_done()

    def _confirm(self, path: Path, descriptor: int, done: Callable[[], None]) -> bool:
        try:
            _sync(path, descriptor)
        except DiskFailedError as error:
            failure = error
            self._tell(lambda: self._on_failure(failure))
            return False
        self._tell(done)
        return True

    def _tell(self, call: Callable[[], None]) -> None:
        # A loop that was closed meanwhile has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _sync(path: Path, descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    except OSError as error:
        raise DiskFailedError(f"{path}: sync: {error.strerror}") from error
