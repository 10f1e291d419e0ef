"""The evaluator's end of the jail: asks the parent process for cells, and speaks with those."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.jail.frames import ANSWER_BYTES_MAX, Frames, frame
from tandem.adapters.jail.page import ControlPage, new_page
from tandem.adapters.jail.parent import (
    MESSAGE_MAX,
    Fork,
    Forked,
    Mode,
    News,
    Ready,
    Refused,
    Unable,
)
from tandem.adapters.jail.ranks import Corner, may_rank
from tandem.domain.errors import ConfigurationError, FrameError, ProcessUnreachableError
from tandem.domain.evaluation import Sight
from tandem.ports import Cell

READY_S: Final = 30.0
_ENDS_S: Final = 0.5
_READ_BYTES: Final = 1 << 18
_SCHED: Final = 2  # clock_getcpuclockid(3): a process' time on processors, by its pid
_NEWS: Final[msgspec.msgpack.Decoder[News]] = msgspec.msgpack.Decoder(News)
OnOpen = Callable[[Cell | str], None]


class _Wanted(msgspec.Struct):
    """A cell that the parent was asked for."""

    channel: socket.socket
    page: ControlPage
    on_open: OnOpen
    on_answer: Callable[[bytes], None]
    on_end: Callable[[], None]
    forget: Callable[[], object]
    corner: Corner | None


class ForkedCell:
    """Satisfies `tandem.ports.Cell`; made by `ForkingJail`."""

    def __init__(self, wanted: _Wanted, *, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._channel = wanted.channel
        self._page = wanted.page
        self._on_answer = wanted.on_answer
        self._on_end = wanted.on_end
        self._forget = wanted.forget
        self._corner = wanted.corner
        self._frames = Frames(ANSWER_BYTES_MAX)
        self._unsent: deque[memoryview] = deque()
        self._is_over = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel, self._on_readable)

    @property
    def running(self) -> int | None:
        """See `Cell.running`."""
        return self._page.running

    @property
    def pss_bytes(self) -> int:
        """What it takes of the machine's memory; what it shares with others counts in part.

        0 when it has ended. Source: proc(5), /proc/PID/smaps_rollup.
        """
        with suppress(OSError):
            lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) << 10
        return 0

    def send(self, payload: bytes) -> None:
        """See `Cell.send`.

        Raises:
            FrameError: the task is too long.
        """
        if self._is_over:
            return
        data = memoryview(frame(payload))
        if not self._unsent:
            data = data[self._write(data) :]
            if not data:
                return
            self._loop.add_writer(self._channel, self._on_writable)
        self._unsent.append(data)

    def stop(self) -> None:
        """See `Cell.stop`."""
        running = self._page.running
        self._page.is_late = True
        if self._page.running != running:  # it has just come to its end, and another began
            self._page.is_late = False

    def look(self) -> Sight:
        """See `Cell.look`."""
        cpu_ns, sleeps = 0, True
        with suppress(OSError):
            cpu_ns = time.clock_gettime_ns((~self.pid << 3) | _SCHED)
            with open(f"/proc/{self.pid}/stat", "rb") as status:  # noqa: PTH123 - it is asked often
                sleeps = is_asleep(status.read())
        return Sight(running=self.running, cpu_ns=cpu_ns, is_asleep=sleeps)

    def rank(self, *, is_behind: bool) -> None:
        """See `Cell.rank`."""
        if self._corner is not None and not self._is_over:
            with suppress(ProcessLookupError):
                self._corner.rank(self.pid, is_behind=is_behind)

    def end(self) -> None:
        """See `Cell.end`."""
        if self._is_over:
            return
        self._is_over = True
        self._forget()
        self._loop.remove_reader(self._channel)
        self._loop.remove_writer(self._channel)
        self._channel.close()
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        os.close(self._pidfd)

    def _write(self, data: memoryview) -> int:
        with suppress(BlockingIOError, ConnectionError):
            return self._channel.send(data)
        return 0

    def _on_writable(self) -> None:
        while self._unsent:
            data = self._unsent[0]
            sent = self._write(data)
            if sent < len(data):
                self._unsent[0] = data[sent:]
                return
            self._unsent.popleft()
        self._loop.remove_writer(self._channel)

    def _on_readable(self) -> None:
        try:
            data = self._channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self._frames.add(data)
        try:
            while not self._is_over and (payload := self._frames.take()) is not None:
                self._on_answer(payload)
        except FrameError:
            data = b""
        if not data and not self._is_over:
            self._loop.remove_reader(self._channel)
            self._on_end()


class ForkingJail:
    """Satisfies `tandem.ports.Jail`; runs on the loop in which it was started.

    `on_lost` is called when the parent process has ended, with all that it had forked; there is
    no other then. It is told the exit code, or minus the signal that killed it.
    """

    def __init__(
        self, mode: Mode, on_lost: Callable[[int], None], parent: str = "tandem.adapters.jail"
    ) -> None:
        """Take a running loop; `parent` is the module that is run as the parent process."""
        self._mode = mode
        self._parent = parent
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._ready: asyncio.Future[str | None] = self._loop.create_future()
        self._wanted: dict[int, _Wanted] = {}
        self._cells: dict[int, ForkedCell] = {}
        self._corner = Corner() if may_rank() else None
        self._number = 0
        self._was_killed = False

    @property
    def cells(self) -> tuple[ForkedCell, ...]:
        """Those that are open, in the order in which they were asked for."""
        return tuple(self._cells.values())

    async def start(self) -> None:
        """Make the parent process; it first tries whether its fences hold.

        Raises:
            ConfigurationError: strategies of others cannot be held here; says what is missing.
            ProcessUnreachableError: somebody killed it; that says nothing of its fences.
        """
        self._spawn()
        try:
            reason = await asyncio.wait_for(self._ready, READY_S)
        except TimeoutError:
            reason = f"its parent process was not ready within {READY_S:.0f} s"
        if reason is not None:
            self.close()
            if self._was_killed:
                raise ProcessUnreachableError("the jail's parent process was killed")
            raise ConfigurationError(f"strategies cannot be {self._mode.value} here: {reason}")

    def open(
        self,
        *,
        memory_bytes: int,
        is_behind: bool,
        on_open: OnOpen,
        on_answer: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        """See `Jail.open`."""
        if self._channel is None:
            self._loop.call_soon(on_open, "the jail has ended")
            return
        self._number += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        descriptor = new_page()
        forget = partial(self._cells.pop, self._number, None)
        wanted = _Wanted(
            ours, ControlPage(descriptor), on_open, on_answer, on_end, forget, self._corner
        )
        self._wanted[self._number] = wanted
        corner = self._corner.processor if is_behind and self._corner else None
        fork = Fork(number=self._number, memory_bytes=memory_bytes, corner=corner)
        message = msgspec.msgpack.encode(fork)
        with theirs:
            try:
                socket.send_fds(self._channel, [message], [theirs.fileno(), descriptor])
            except OSError as error:  # too many at once, or it has just ended
                del self._wanted[self._number]
                ours.close()
                self._loop.call_soon(on_open, f"the jail takes no more now: {error.strerror}")
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """End the parent process, and with it all that it forked."""
        for cell in list(self._cells.values()):
            cell.end()
        for one in self._wanted.values():
            one.channel.close()
        self._wanted.clear()
        self._hang_up()

    def _hang_up(self) -> int:
        """Let go of the parent process; return how it ended."""
        if self._channel is not None:
            self._loop.remove_reader(self._channel)
            self._channel.close()
            self._channel = None
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.kill()
        return process.wait()

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-m",
                    self._parent,
                    str(theirs.fileno()),
                    str(os.getpid()),
                    self._mode.value,
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                # A terminal's Ctrl-C is not for it. It gets no session of its own: Linux shares
                # processors between sessions first, and only within one does who goes behind
                # go behind (sched(7), the autogroup feature).
                process_group=0,
            )
        ours.setblocking(False)
        self._channel = ours
        self._loop.add_reader(ours, self._on_readable)

    def _on_readable(self) -> None:
        assert self._channel is not None
        while True:
            try:
                raw, descriptors, _, _ = socket.recv_fds(self._channel, MESSAGE_MAX, 1)
            except BlockingIOError:
                return
            except ConnectionError:
                raw, descriptors = b"", []
            if not raw:
                self._lose()
                return
            self._hear(_NEWS.decode(raw), descriptors)

    def _hear(self, news: News, descriptors: list[int]) -> None:
        match news:
            case Ready():
                self._tell_ready(None)
            case Forked(number=number, pid=pid):
                wanted = self._wanted.pop(number)
                cell = self._cells[number] = ForkedCell(wanted, pid=pid, pidfd=descriptors[0])
                wanted.on_open(cell)
            case Unable(reason=reason):
                self._tell_ready(reason)
            case Refused(number=number, reason=reason):
                wanted = self._wanted.pop(number)
                wanted.channel.close()
                wanted.on_open(reason)

    def _tell_ready(self, reason: str | None) -> None:
        if not self._ready.done():
            self._ready.set_result(reason)

    def _lose(self) -> None:
        # It hangs up a moment before it has ended; killed by us it would not say how it did.
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDS_S)
        code = self._hang_up()
        self._was_killed = code == -signal.SIGKILL
        self._tell_ready("its parent process ended; what it said stands in the log")
        wanted, self._wanted = self._wanted, {}
        for one in wanted.values():
            one.channel.close()
            one.on_open("the jail has ended")
        self._on_lost(code)


def is_asleep(status: bytes) -> bool:
    """Whether a process wants no processor, by its /proc/PID/stat, which names its state.

    It may have any name. Waiting for the system ("D") is not its own choice. Source: proc(5).
    """
    return status.rpartition(b")")[2].split()[0] not in (b"R", b"D")


def _environment() -> Mapping[str, str]:
    """Return all that the parent process is told: where Tandem is, and to make no threads."""
    return {
        "PYTHONPATH": os.pathsep.join(str(Path(one).resolve()) for one in sys.path if one),
        "PYTHONHASHSEED": "0",  # the order of a set in a strategy is the same everywhere
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
    }
