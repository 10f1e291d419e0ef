"""The process of which all others are forked: everything is imported here once, and frozen.

It is tied to the supervisor and its children to it, by the kernel: when the supervisor ends, by
whatever, nothing of the pool is left. It runs no loop and holds nothing but its socket, so that
what it forks starts clean. Run as `python -m tandem.wiring.nursery DESCRIPTOR SUPERVISOR`.
"""

import gc
import os
import select
import signal
import socket
import sys
from typing import Final

import msgspec

from tandem.wiring.roles import Plan, run_role
from tandem.wiring.serving import die_with, forbid_dumps, name_process, new_loop

MESSAGE_MAX: Final = 65_536


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag="forked"):
    """The process of that name runs."""

    name: str
    pid: int


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """That process has ended: an exit code, or minus the signal that ended it."""

    pid: int
    code: int


News = Forked | Ended
_PLANS: Final = msgspec.msgpack.Decoder(Plan)


def main() -> int:
    """Fork what the supervisor asks for, and tell it who ended; until it hangs up."""
    descriptor, supervisor = int(sys.argv[1]), int(sys.argv[2])
    die_with(supervisor)
    forbid_dumps()
    name_process("nursery")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    new_loop().close()  # imports what a loop needs
    channel = socket.socket(fileno=descriptor)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    gc.collect()
    gc.freeze()
    while True:
        readable, _, _ = select.select([descriptor, wake], [], [])
        if wake in readable:
            os.read(wake, MESSAGE_MAX)
            _reap(channel)
        if descriptor in readable:
            raw = channel.recv(MESSAGE_MAX)
            if not raw:
                return 0
            plan = _PLANS.decode(raw)
            pid = _fork(plan, channel, (wake, waker))
            _tell(channel, Forked(name=plan.name, pid=pid))


def _fork(plan: Plan, channel: socket.socket, pipe: tuple[int, int]) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel.close()
        for descriptor in pipe:
            os.close(descriptor)
        die_with(nursery)
        name_process(plan.name)
        code = run_role(plan)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(channel, Ended(pid=pid, code=os.waitstatus_to_exitcode(status)))


def _tell(channel: socket.socket, news: News) -> None:
    channel.sendall(msgspec.msgpack.encode(news))


if __name__ == "__main__":
    sys.exit(main())
