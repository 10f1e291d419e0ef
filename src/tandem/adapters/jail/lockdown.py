"""Takes from a process everything but computing, and its one pipe. There is no way back.

The order matters. What must be read is read first: nobody may not even read Python's own files.
Then who we are, while we may still change it; the kernel forgets at that moment whom to die with,
so that is said after it. The list of system calls goes before the limit
on open files, which libseccomp needs while it loads; that limit can still be lowered behind it,
and never raised again, because we are not root.

What is not on the list is refused with EPERM and not by death: a strategy that tries to open a
file gets an error with its line, and its neighbours in the process go on.
"""

import ctypes
import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

from tandem.domain.errors import ConfigurationError

NOBODY: Final = 65_534
CHANNEL: Final = 3  # the descriptor of the pipe; 0, 1 and 2 lead nowhere
PR_SET_PDEATHSIG: Final = 1  # prctl(2)
PR_SET_NAME: Final = 15
_PR_SET_NO_NEW_PRIVS: Final = 38

# Memory (LuaJIT makes code, so mprotect is among them), clocks, the end, and what an interpreter
# asks now and then of itself.
_CALLS: Final = (
    *("brk", "mmap", "munmap", "mremap", "mprotect", "madvise"),
    *("clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage"),
    *("futex", "sched_yield", "getrandom", "getpid", "gettid", "getcpu"),
    *("rt_sigreturn", "rt_sigprocmask", "sigaltstack", "restart_syscall"),
    *("exit", "exit_group"),
)


def missing_here() -> str | None:
    """Return what this system lacks for a jail; None when nothing."""
    if sys.platform != "linux":
        return f"this system is {sys.platform}, and only Linux has seccomp"
    try:
        import pyseccomp  # type: ignore[import-untyped]
    except ImportError:
        return "pyseccomp is not installed: pip install 'tandem-trading[strategies]'"
    except (OSError, RuntimeError) as error:
        return f"libseccomp cannot be loaded ({error}): on Debian, apt-get install libseccomp2"
    try:
        pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    except OSError as error:
        return f"libseccomp does not work here: {error}"
    return None


def die_with(parent: int) -> None:
    """Let the kernel end this process when `parent`, which forked it, ends.

    Raises:
        ConfigurationError: the kernel refuses.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel knew
        os._exit(0)


def lock_down(*, memory_bytes: int, parent: int) -> None:
    """Become nobody who can do nothing; `memory_bytes` is what may be taken beyond the present.

    Raises:
        ConfigurationError: the kernel refuses one of the fences; the process must end.
    """
    import pyseccomp

    os.environ.clear()
    most = _taken_bytes() + memory_bytes
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        die_with(parent)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
            resource.setrlimit(kind, (0, 0))
        _forbid_calls(pyseccomp)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    except OSError as error:
        raise ConfigurationError(f"the jail cannot be closed: {error}") from error


def _taken_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]
    return int(pages) * resource.getpagesize()


def _forbid_calls(pyseccomp: ModuleType) -> None:
    calls = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    calls.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for name in _CALLS:
        calls.add_rule(pyseccomp.ALLOW, name)
    for name in ("read", "write"):
        calls.add_rule(pyseccomp.ALLOW, name, pyseccomp.Arg(0, pyseccomp.EQ, CHANNEL))
    # Our own limits only: nobody else's, who may be nobody as well.
    calls.add_rule(pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(0, pyseccomp.EQ, 0))
    calls.load()


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        code = ctypes.get_errno()
        raise ConfigurationError(f"prctl {option}: {os.strerror(code)}")


def open_doors() -> list[str]:
    """Try what a locked process must not be able to do, and return what it could.

    What fails in any other way than by being forbidden counts as open. To be called in a process
    that ends afterwards.
    """
    attempts: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/proc/self/status", os.O_RDONLY),
        "make a file": lambda: os.memfd_create("made"),
        "list a folder": lambda: os.listdir("/"),  # noqa: PTH208 - one bare system call
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "start a process": _fork_and_leave,
        "run a program": lambda: os.execv("/", ["/"]),  # noqa: S606 - it is refused, or is none
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "become root": lambda: os.setuid(0),
        "change another's limits": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE),
        "take more files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        "write elsewhere": lambda: os.write(2, b""),
    }
    return [name for name, attempt in attempts.items() if not _is_forbidden(attempt)]


def _fork_and_leave() -> None:
    if os.fork() == 0:
        os._exit(0)


def _is_forbidden(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError as error:
        return error.errno == errno.EPERM
    except ValueError:  # what Python makes of a limit that must not be raised
        return True
    except OSError:
        return False
    return False
