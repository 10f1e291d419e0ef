"""A supervisor's end of its nursery: asks for processes, and hears of their ends."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tandem.wiring.nursery import MESSAGE_MAX, News
from tandem.wiring.roles import Plan

NURSERY = "tandem.wiring.nursery"  # the module; a test may put points of failure into its children
_NEWS: Final = msgspec.msgpack.Decoder(News)


class Nursing:
    """One nursery. `on_news` hears what it says, `on_ended` that it is gone, with its children.

    What the processes say goes to `log`; what they print too, or to the descriptor `out`.
    """

    def __init__(
        self,
        log: Path,
        *,
        on_news: Callable[[News], None],
        on_ended: Callable[[], None],
        out: int | None = None,
    ) -> None:
        self._log = log
        self._out = out
        self._on_news = on_news
        self._on_ended = on_ended
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Others write to it too: alerts do.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self._log, flags, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-m",
                    NURSERY,
                    str(theirs.fileno()),
                    str(os.getpid()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=self._out if self._out is not None else log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C is for the supervisor alone
            )
        finally:
            os.close(log)
            theirs.close()
        ours.setblocking(False)
        self._channel = ours
        asyncio.get_running_loop().add_reader(ours, self._on_readable)

    def close(self) -> None:
        """End it, and whoever of its children still lives: the kernel does."""
        if self._channel is not None:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def fork(self, plan: Plan) -> None:
        """Ask for a process; the news will tell its id."""
        assert self._channel is not None, "no nursery"
        self._channel.send(msgspec.msgpack.encode(plan))

    def _on_readable(self) -> None:
        assert self._channel is not None, "news without a nursery"
        try:
            raw = self._channel.recv(MESSAGE_MAX)
        except BlockingIOError:
            return
        except ConnectionResetError:
            raw = b""
        if raw:
            self._on_news(_NEWS.decode(raw))
        else:
            self.close()
            self._on_ended()
