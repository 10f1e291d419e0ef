"""A file of zeros that is made ahead of its need, by a thread of its own.

To fill a segment of the journal takes some ten milliseconds, in which nothing else of the loop
happens. A thread does it while the segment before is still in use, a piece at a time and each
made durable at once, so that the syncs of the journal never queue behind all of it.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PIECE_BYTES = 1 << 20
PAUSE_S = 0.02


class FileAhead:
    """One file under a name that nobody looks at; it is either taken or given up.

    When the disk refuses there is simply nothing to take: whoever makes the file without us will
    be told why.
    """

    def __init__(self, path: Path, size: int, make_durable: Callable[[int], None]) -> None:
        """Begin to make it.

        Raises:
            OSError: not even an empty file can be made.
        """
        self.path = path
        self.size = size
        self._make_durable = make_durable
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._is_whole = False
        self._is_given_up = False
        self._is_awaited = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="file ahead", daemon=True)
        self._thread.start()

    def take(self) -> int | None:
        """Return the open file, durable and whole; None when it could not be made.

        What is still missing is waited for, which is no more than making the file would take.
        """
        self._is_awaited.set()
        self._thread.join()
        if self._is_whole:
            return self._descriptor
        self._remove()
        return None

    def give_up(self) -> None:
        """Leave nothing behind."""
        self._is_given_up = True
        self._is_awaited.set()
        self._thread.join()
        self._remove()

    def _remove(self) -> None:
        os.close(self._descriptor)
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _fill(self) -> None:
        zeros = bytes(PIECE_BYTES)
        done = 0
        with suppress(OSError):
            while done < self.size and not self._is_given_up:
                done += os.pwrite(self._descriptor, zeros[: self.size - done], done)
                self._make_durable(self._descriptor)
                self._is_awaited.wait(PAUSE_S)
            self._is_whole = done >= self.size
