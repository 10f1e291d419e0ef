"""Alerts: said, logged, and handed to a command within bounds."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.domain.instant import Instant
from tandem.wiring.alerts import MINUTE_NS, Alerts, AlertSettings

TELL = "import os,sys; open(sys.argv[1], 'a').write(sys.argv[2] + '|' + os.environ['TANDEM_ALERT'])"


class HandClock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_ns = 1

    def now(self) -> Instant:
        return Instant(self.now_ns, 0)


class Told:
    """Alerts with a command, and all that came of them."""

    def __init__(
        self, folder: Path, *command: str, per_minute: int = 10, seconds: int = 10
    ) -> None:
        self.said: list[str] = []
        self.log = folder / "log.txt"
        self.clock = HandClock()
        settings = AlertSettings(command=command, per_minute=per_minute, seconds=seconds)
        self.alerts = Alerts(settings, self.log, say=self.said.append, clock=self.clock)

    async def finished(self) -> None:
        await asyncio.gather(*self.alerts._running)


async def test_an_alert_is_said_logged_and_given_to_the_command_without_a_shell(
    tmp_path: Path,
) -> None:
    """C15."""
    out = tmp_path / "out"
    told = Told(tmp_path, sys.executable, "-c", TELL, str(out))
    told.alerts.raise_alert("the disk; $(rm -rf x) is 'full'")
    await told.finished()
    assert told.said == ["the disk; $(rm -rf x) is 'full'"]
    assert told.log.read_text() == "1970-01-01T00:00:00Z alert: the disk; $(rm -rf x) is 'full'\n"
    assert out.read_text() == "the disk; $(rm -rf x) is 'full'|the disk; $(rm -rf x) is 'full'"


async def test_without_a_command_it_is_said_and_logged(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.alerts.raise_alert("x")
    assert not told.alerts._running
    assert "alert: x" in told.log.read_text()


async def test_the_command_runs_only_so_often_a_minute(tmp_path: Path) -> None:
    """C15: a process that dies again and again fills no mailbox."""
    out = tmp_path / "out"
    told = Told(tmp_path, sys.executable, "-c", TELL, str(out), per_minute=2)
    for text in "abc":
        told.alerts.raise_alert(text)
    await told.finished()
    assert sorted(out.read_text().replace("|", "")) == ["a", "a", "b", "b"]
    assert "often enough" in told.log.read_text()
    assert told.said == ["a", "b", "c"]
    told.clock.now_ns += MINUTE_NS + 1
    told.alerts.raise_alert("d")
    await told.finished()
    assert "d|d" in out.read_text()


async def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    told = Told(tmp_path, sys.executable, "-c", "import signal; signal.pause()", seconds=1)
    told.alerts.raise_alert("x")
    await told.finished()
    assert told.said == ["x", "the command for alerts ran longer than 1 s"]


async def test_at_the_end_no_command_is_left(tmp_path: Path) -> None:
    told = Told(tmp_path, sys.executable, "-c", "import signal; signal.pause()")
    told.alerts.raise_alert("x")
    await asyncio.sleep(0)
    await told.alerts.close()
    assert not told.alerts._running


async def test_a_command_that_is_not_there_and_a_log_that_cannot_be_written_are_said(
    tmp_path: Path,
) -> None:
    told = Told(tmp_path, str(tmp_path / "nothing"))
    told.log.mkdir()
    told.alerts.raise_alert("x")
    await told.finished()
    assert told.said[0] == "x"
    assert "Is a directory" in told.said[1]
    assert "cannot be started" in told.said[2]


@pytest.mark.parametrize("change", [{"per_minute": 0}, {"seconds": 0}, {"seconds": 601}])
def test_bounds_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        AlertSettings(**change)
