"""Other processes, by pidfd.

A pid can be given to a new process after its owner ended; a pidfd stands for one process for
ever. So a pidfd is opened first and the start time read after it: when that is the expected one,
the pidfd stands for the expected process, and from then on no pid is used.
"""

import asyncio
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

from tandem.domain.errors import ConfigurationError

_START_FIELD = 22 - 3  # "starttime" of proc(5), counted after the name, which may hold spaces


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it is not there.

    Source: proc(5), /proc/PID/stat, field 22.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[_START_FIELD])


class LinuxProcesses:
    """Satisfies `tandem.ports.Processes`; `watch` needs a running loop."""

    def __init__(self) -> None:
        """Check that this system can do it.

        Raises:
            ConfigurationError: it cannot.
        """
        try:
            os.close(os.pidfd_open(os.getpid()))
        except OSError as error:
            message = f"no pidfds here (Linux 5.3 or later has them): {error.strerror}"
            raise ConfigurationError(message) from error
        if start_time(os.getpid()) is None:
            raise ConfigurationError("/proc is not there, or hides our own process")

    def watch(self, pid: int, *, started: int, on_exit: Callable[[], None]) -> Callable[[], None]:
        """See `Processes.watch`; `on_exit` is called by the loop, never from in here."""
        loop = asyncio.get_running_loop()
        descriptor = _open(pid, started=started)
        if descriptor is None:
            return loop.call_soon(on_exit).cancel
        watch = _Watch(loop, descriptor, on_exit)
        loop.add_reader(descriptor, watch.on_readable)
        return watch.end

    def kill(self, pid: int, *, started: int) -> None:
        """See `Processes.kill`.

        Raises:
            PermissionError: the process is another user's.
        """
        descriptor = _open(pid, started=started)
        if descriptor is None:
            return
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)


class _Watch:
    """One open pidfd; readable once its process has ended."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, on_exit: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._descriptor: int | None = descriptor
        self._on_exit = on_exit

    def on_readable(self) -> None:
        if self._descriptor is not None:
            self.end()
            self._on_exit()

    def end(self) -> None:
        if self._descriptor is None:
            return
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None


def _open(pid: int, *, started: int) -> int | None:
    """Return a pidfd of that very process, or None when it has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if start_time(pid) == started and not poll.poll(0):
        return descriptor
    os.close(descriptor)
    return None
