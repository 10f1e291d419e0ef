"""Named points in the processes of a real pool at which they can be made to die.

Nothing of this is in the product: `hook` wraps the places where a process of ours touches the
world, and is called by the nursery of a storm in each process that it forks. There is a point
before and one after every message sent, every event decided, all effects of a commit, and every
touch of the disk; `before say Release`, `after disk sync` and so on are their names.

A process is told what to do through a small file, mapped into its memory, so that asking costs
next to nothing: `die|POINT|COUNT` at the so-manieth time from now; `slow|MILLISECONDS` makes each
sync take so much longer; `full` makes the disk refuse new files; empty is nothing.
"""

import errno
import mmap
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tandem.adapters.journal.log import LogJournal
from tandem.adapters.local.disk import FolderDisk, FolderFile
from tandem.adapters.local.processes import LinuxProcesses
from tandem.shells.coordinator import Coordinator
from tandem.shells.exchange import ExchangeShell
from tandem.shells.link import Link
from tandem.shells.recording import Recording
from tandem.shells.stored_bars import StoredBars

ORDER_BYTES: Final = 128
DIED: Final = "died.log"


class Orders:
    """What this process was told. `died` is where it says at which point it ended."""

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_RDWR)
        self._area = mmap.mmap(descriptor, ORDER_BYTES)
        os.close(descriptor)
        self._died = file.parent / DIED
        self._name = file.stem
        self._hits = 0

    def hit(self, point: str) -> None:
        """Die here if that is the order."""
        if not self._area[0]:
            return
        kind, _, rest = self._text().partition("|")
        wanted, _, count = rest.partition("|")
        if kind != "die" or wanted != point:
            return
        self._hits += 1
        if self._hits < int(count):
            return
        self._area[:ORDER_BYTES] = bytes(ORDER_BYTES)
        with self._died.open("a", encoding="utf-8") as log:
            log.write(f"{time.clock_gettime_ns(time.CLOCK_BOOTTIME)} {self._name} {point}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def sync_is_late_s(self) -> float:
        if not self._area[0]:
            return 0.0
        kind, _, rest = self._text().partition("|")
        return float(rest) / 1e3 if kind == "slow" else 0.0

    def is_full(self) -> bool:
        return bool(self._area[0]) and self._text() == "full"

    def _text(self) -> str:
        return bytes(self._area[:ORDER_BYTES]).split(b"\0", 1)[0].decode()


def make(file: Path) -> None:
    """Make an empty order."""
    file.write_bytes(bytes(ORDER_BYTES))


def tell(file: Path, order: str) -> None:
    """Give a process its order; an empty one takes the last one back."""
    raw = order.encode().ljust(ORDER_BYTES, b"\0")
    assert len(raw) == ORDER_BYTES, f"{order} is too long"
    with file.open("r+b") as target:
        target.write(raw)


def hook(orders: Orders) -> None:
    """Put the points into this process."""
    _around(Link, "put", orders, lambda _link, message: f"say {type(message).__name__}")
    _around(Link, "flush", orders, lambda _link: "flush")
    _around(Recording, "feed", orders, lambda _self, event: f"decide {_kind(event)}")
    _around(Coordinator, "_perform", orders, lambda _self, _effects: "perform")
    _around(ExchangeShell, "_perform", orders, lambda _self, _effects: "perform")
    _around(LinuxProcesses, "kill", orders, lambda *_, **__: "kill")
    _around(LinuxProcesses, "watch", orders, lambda *_, **__: "watch")
    _around(StoredBars, "take", orders, lambda *_, **__: "store bars")
    for name in ("append", "commit", "snapshot"):
        _around(LogJournal, name, orders, lambda *_, name=name, **__: name)
    for name in ("write", "sync"):
        _around(FolderFile, name, orders, lambda *_, name=name, **__: f"disk {name}")
    for name in ("create", "replace", "delete"):
        _around(FolderDisk, name, orders, lambda *_, name=name, **__: f"disk {name}")
    _slow_down(orders)
    _fill_up(orders)


def _kind(value: object) -> str:
    """Return what an event or effect is about: for words to or from a worker, these."""
    return type(getattr(value, "message", getattr(value, "request", value))).__name__


def _around(owner: Any, name: str, orders: Orders, point: Callable[..., str]) -> None:
    plain = getattr(owner, name)

    def hooked(*arguments: Any, **named: Any) -> Any:
        here = point(*arguments, **named)
        orders.hit(f"before {here}")
        result = plain(*arguments, **named)
        orders.hit(f"after {here}")
        return result

    setattr(owner, name, hooked)


def _slow_down(orders: Orders) -> None:
    plain = FolderFile.sync

    def slow(self: FolderFile, done: Callable[[], None]) -> None:
        late_s = orders.sync_is_late_s()
        if late_s:
            time.sleep(late_s)  # as a disk that is busy does to whoever waits for it
        plain(self, done)

    FolderFile.sync = slow  # type: ignore[method-assign]


def _fill_up(orders: Orders) -> None:
    for name in ("create", "replace"):
        plain = getattr(FolderDisk, name)

        def full(self: FolderDisk, *arguments: Any, plain: Any = plain) -> Any:
            if orders.is_full():
                from tandem.domain.errors import DiskFullError

                raise DiskFullError(os.strerror(errno.ENOSPC))
            return plain(self, *arguments)

        setattr(FolderDisk, name, full)
