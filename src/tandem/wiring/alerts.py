"""Telling a person that something is wrong: a line in the log, and a command of theirs.

The command is started with the text as its last argument and in TANDEM_ALERT, without a shell. It
has a limited time and is not started more often than so many times a minute; what it says and how
it ends changes nothing here.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from tandem.adapters.local.clock import SystemClock
from tandem.domain.errors import ConfigurationError
from tandem.ports import Clock

PER_MINUTE_MAX: Final = 600
SECONDS_MAX: Final = 600
MINUTE_NS: Final = 60_000_000_000


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `alerts` of `tandem.toml`: an empty command is none."""

    command: tuple[str, ...] = ()
    per_minute: int = 10
    seconds: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.per_minute <= PER_MINUTE_MAX:
            raise ConfigurationError(
                f"alerts: per_minute is {self.per_minute}, expected 1 to {PER_MINUTE_MAX}"
            )
        if not 1 <= self.seconds <= SECONDS_MAX:
            raise ConfigurationError(
                f"alerts: seconds is {self.seconds}, expected 1 to {SECONDS_MAX}"
            )


class Alerts:
    """Raises alerts; `say` is told each text, and why the command did not run.

    `close` ends the commands that still run.
    """

    def __init__(
        self,
        settings: AlertSettings,
        log: Path,
        *,
        say: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._log = log
        self._say = say
        self._clock = clock if clock is not None else SystemClock()
        self._started: deque[int] = deque()
        self._running: dict[asyncio.Task[None], None] = {}

    def raise_alert(self, text: str) -> None:
        """Say, log and run; returns at once."""
        self._say(text)
        now = self._clock.now()
        seconds = now.market_ns // 1_000_000_000
        line = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ} alert: {text}\n"
        self._write(line)
        if self._settings.command and self._may_run(now.now_ns):
            task = asyncio.get_running_loop().create_task(self._run(text))
            self._running[task] = None
            task.add_done_callback(lambda ended: self._running.pop(ended, None))

    async def close(self) -> None:
        """End what still runs."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _may_run(self, now_ns: int) -> bool:
        while self._started and now_ns - self._started[0] > MINUTE_NS:
            self._started.popleft()
        if len(self._started) >= self._settings.per_minute:
            self._write("alert: its command ran often enough this minute\n")
            return False
        self._started.append(now_ns)
        return True

    def _write(self, line: str) -> None:
        try:
            descriptor = os.open(
                self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            self._say(f"{self._log}: {error}")
            return
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(line)

    async def _run(self, text: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._settings.command,
                text,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "TANDEM_ALERT": text},
                start_new_session=True,
            )
        except OSError as error:
            self._say(f"the command for alerts cannot be started: {error}")
            return
        try:
            async with asyncio.timeout(self._settings.seconds):
                await process.wait()
        except TimeoutError:
            self._say(f"the command for alerts ran longer than {self._settings.seconds} s")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
