"""Names that nobody else has, and killing a worker process for a drill."""

import contextlib
import os
import secrets
import signal
from datetime import UTC, datetime

from tandem.adapters.local.clock import SystemClock
from tandem.domain.ids import CommandId


def fresh_name(stem: str) -> str:
    """Return `stem` with the time and a few random letters: a name that can be typed again."""
    return _fresh(stem, letters=4)


def fresh_command(stem: str) -> CommandId:
    """Return a command id that was never used: a thousand in one second do not meet either."""
    return CommandId(_fresh(stem, letters=16))


def _fresh(stem: str, *, letters: int) -> str:
    seconds = SystemClock().now().market_ns // 1_000_000_000
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{stem}-{time:%Y%m%d-%H%M%S}-{secrets.token_hex(letters // 2)}"


def now_ns() -> int:
    """Return CLOCK_BOOTTIME, by which the hops of orders are timed."""
    return SystemClock().now().now_ns


def kill_process(pid: int) -> None:
    """End a process of ours at once, as a crash would; one that has gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
