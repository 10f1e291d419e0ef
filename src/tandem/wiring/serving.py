"""One process: a loop that works until it is told to end, and says why when it fails.

A bug ends the process: whatever a callback raises is written to the process' fault file, with the
event that was being decided, and the exit code says so. The supervisor starts it anew.
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.shells.recording import Recording

EXIT_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
_COMM_MAX: Final = 15
_EVENT_LENGTH: Final = 2_000


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a process ended; `event` is what its core was deciding about, if it was."""

    text: str
    event: str
    where: str


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop where there is one, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def die_with(parent: int) -> None:
    """Let the kernel end this process when `parent`, which started it, ends.

    Raises:
        ConfigurationError: the kernel does not know how.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        reason = os.strerror(ctypes.get_errno())
        raise ConfigurationError(f"cannot tie a process to its parent: {reason}")
    if os.getppid() != parent:  # it ended before the kernel knew
        os._exit(0)


def forbid_dumps() -> None:
    """Let no memory of this process, or of those it forks, end in a core file.

    The limit counts where cores go to files; that the process cannot be dumped counts also where
    the kernel pipes them to a program. It also keeps other processes of this user from reading
    its memory.

    Raises:
        ConfigurationError: the kernel refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        reason = os.strerror(ctypes.get_errno())
        raise ConfigurationError(f"cannot forbid core dumps: {reason}")


def name_process(name: str) -> None:
    """Let `ps -o comm` and `top` show which process of the pool this is."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:_COMM_MAX], 0, 0, 0)


def serve(
    work: Callable[[], Coroutine[Any, Any, None]],
    fault_file: Path,
    signals: Sequence[int] = (signal.SIGTERM,),
) -> int:
    """Run until one of `signals`; return the exit code, after a failure with a fault file."""
    faults: list[BaseException] = []
    with asyncio.Runner(loop_factory=new_loop) as runner:
        try:
            runner.run(_serve(work, faults, signals))
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - the one place where anything is caught
            faults.append(error)
    if not faults:
        return 0
    fault = _described(faults[0])
    sys.stderr.write(fault.where)
    fault_file.write_bytes(msgspec.json.encode(fault))
    return EXIT_FAULT


async def _serve(
    work: Callable[[], Coroutine[Any, Any, None]],
    faults: list[BaseException],
    signals: Sequence[int],
) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work())

    def on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, OSError):  # a connection that broke is no bug
            loop.default_exception_handler(context)
            return
        faults.append(error)
        task.cancel()

    loop.set_exception_handler(on_exception)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _described(error: BaseException) -> Fault:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    event = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is Recording.feed.__code__:
            event = repr(frame.f_locals.get("event"))[:_EVENT_LENGTH]
    where = "".join(traceback.format_exception(error))
    return Fault(text=f"{type(error).__name__}: {error}", event=event, where=where)


def read_fault(fault_file: Path) -> Fault | None:
    """Return what a fault file says, and remove it; None when there is none."""
    try:
        return msgspec.json.decode(fault_file.read_bytes(), type=Fault)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    finally:
        fault_file.unlink(missing_ok=True)
