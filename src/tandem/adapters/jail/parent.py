"""The process of which tenants' processes are forked: everything is imported here once, and frozen.

It is started afresh and with nothing but a few words of environment, so that no secret of
whoever uses it is ever in its memory. It holds nothing but its socket. Run as
`python -m tandem.adapters.jail DESCRIPTOR STARTER MODE`.
"""

import enum
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

import msgspec

from tandem.adapters.jail.child import new_engine, serve, warm_up
from tandem.adapters.jail.lockdown import CHANNEL, die_with, lock_down, missing_here, open_doors
from tandem.adapters.jail.page import ControlPage
from tandem.adapters.jail.ranks import go_along, go_behind
from tandem.domain.errors import ConfigurationError

MESSAGE_MAX: Final = 4_096
_REAP_S: Final = 1.0
_PROOF_BYTES: Final = 64 << 20
_NICENESS: Final = 5  # who trades goes before who thinks
_TRIED: Final = "tried: "


class Mode(enum.StrEnum):
    """How much is taken from a tenant's process."""

    JAILED = "jailed"  # everything: for strategies of others
    TRUSTED = "trusted"  # nothing, it is only a process of its own: for the user's own strategies


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag="fork"):
    """Make a process; with it come the descriptors of its channel and of its control page."""

    number: int
    memory_bytes: int
    corner: int | None  # the processor on which it begins behind the others


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """All is imported, and what was forked to try the fences could not do anything."""


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag="forked"):
    """It runs; with this comes its pidfd."""

    number: int
    pid: int


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """There can be no such process now."""

    number: int
    reason: str


class Unable(msgspec.Struct, frozen=True, kw_only=True, tag="unable"):
    """There can be no process here at all."""

    reason: str


News = Ready | Unable | Forked | Refused
_FORKS: Final = msgspec.msgpack.Decoder(Fork)


def main() -> int:
    """Fork what is asked for until the starter hangs up; return the exit code."""
    descriptor, starter, mode = int(sys.argv[1]), int(sys.argv[2]), Mode(sys.argv[3])
    die_with(starter)
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=descriptor)
    warm_up()
    reason = _fault(mode)
    if reason is not None:
        _tell(channel, Unable(reason=reason))
        return 1
    gc.collect()
    gc.freeze()
    with suppress(ConnectionError):  # the starter hung up before it heard all
        _tell(channel, Ready())
        _fork_what_is_asked(channel, mode)
    return 0


def _fork_what_is_asked(channel: socket.socket, mode: Mode) -> None:
    while True:
        readable, _, _ = select.select([channel], [], [], _REAP_S)
        _reap()
        if not readable:
            continue
        raw, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_MAX, 2)
        if not raw:
            return
        _fork(channel, _FORKS.decode(raw), descriptors, mode)


def _fault(mode: Mode) -> str | None:
    """Return why this system cannot hold anybody, after trying; None when it can."""
    if mode is Mode.TRUSTED:
        return None
    reason = missing_here()
    if reason is not None:
        return reason
    parent, (reading, writing) = os.getpid(), os.pipe()
    pid = os.fork()
    if pid == 0:
        _try_the_fences(parent, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        reason = said.read().decode()
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 or not reason.startswith(_TRIED):
        return reason or "the process that tried the fences died of it"
    doors = reason.removeprefix(_TRIED)
    return f"a jailed process could {doors}" if doors else None


def _try_the_fences(parent: int, writing: int) -> NoReturn:
    os.dup2(writing, CHANNEL)
    try:
        lock_down(memory_bytes=_PROOF_BYTES, parent=parent)
        os.write(CHANNEL, (_TRIED + ", ".join(open_doors())).encode())
    except ConfigurationError as error:
        os.write(CHANNEL, str(error).encode())
    finally:
        os._exit(0)


def _fork(channel: socket.socket, fork: Fork, descriptors: list[int], mode: Mode) -> None:
    """Make a process; in it, this never returns."""
    parent = os.getpid()
    try:
        with _behind(fork.corner):
            pid = os.fork()
            if pid == 0:
                _live(fork, descriptors, mode, parent)
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        reason = f"no process can be made: {error.strerror}"
        _tell(channel, Refused(number=fork.number, reason=reason))
        return
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    _tell(channel, Forked(number=fork.number, pid=pid), pidfd)
    os.close(pidfd)


@contextmanager
def _behind(corner: int | None) -> Iterator[None]:
    """Be behind the others meanwhile: so is who is forked, and the making of it."""
    if corner is None:
        yield
        return
    processors = os.sched_getaffinity(0)
    go_behind(0, processor=corner)
    try:
        yield
    finally:
        go_along(0, processors)


def _live(fork: Fork, descriptors: list[int], mode: Mode, parent: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        theirs, page_descriptor = descriptors
        page = ControlPage(page_descriptor)
        engine = new_engine(page, fork.memory_bytes)
        _hold_nothing_but(theirs)
        if mode is Mode.JAILED:
            lock_down(memory_bytes=fork.memory_bytes, parent=parent)
        else:
            die_with(parent)
        serve(CHANNEL, page, engine)
        code = 0
    finally:
        os._exit(code)


def _hold_nothing_but(channel: int) -> None:
    """Close every descriptor but the channel, which becomes the first behind those of the system.

    Those, 0 to 2, lead to /dev/null: else a library that complains would write to the channel.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    ours = os.dup(channel)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    if ours != CHANNEL:
        os.dup2(ours, CHANNEL)
    os.closerange(CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))


def _reap() -> None:
    """Let go of those who ended; until then their pids stay theirs."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tell(channel: socket.socket, news: News, *descriptors: int) -> None:
    socket.send_fds(channel, [msgspec.msgpack.encode(news)], list(descriptors))
