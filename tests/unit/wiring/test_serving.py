"""Why a process ended."""

import os
import subprocess
import sys
from pathlib import Path

from tandem.domain.instant import Instant
from tandem.ports import Journal
from tandem.shells.recording import Recording
from tandem.wiring.serving import EXIT_FAULT, read_fault, serve


class BrokenCore:
    """Satisfies `tandem.shells.recording.Core`, and cannot stand one event."""

    next_due_ns = None

    def on(self, event: str, now: Instant) -> list[str]:
        raise ZeroDivisionError(f"cannot stand {event}")

    def snapshot(self) -> bytes:
        return b""


class StandingClock:
    def now(self) -> Instant:
        return Instant(1, 1)


def test_a_bug_ends_the_process_and_its_event_is_told(tmp_path: Path) -> None:
    """The event is that which the core was deciding, whatever task or callback it came in."""
    file = tmp_path / "coordinator.fault"

    async def work() -> None:
        recording: Recording[str, str] = Recording(
            BrokenCore(), _no_journal(), StandingClock(), lambda _: None, lambda: "due"
        )
        recording.feed("poison")

    assert serve(work, file) == EXIT_FAULT
    fault = read_fault(file)
    assert fault is not None
    assert fault.text == "ZeroDivisionError: cannot stand poison"
    assert fault.event == "'poison'"
    assert "Traceback" in fault.where
    assert read_fault(file) is None


def _no_journal() -> Journal:
    """The core fails before anything is appended, so nobody asks for the journal."""
    return None  # type: ignore[return-value]


def test_a_callback_that_fails_ends_the_process_too(tmp_path: Path) -> None:
    import asyncio

    file = tmp_path / "worker.fault"

    def fail() -> None:
        raise ZeroDivisionError("in a callback")

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(fail)
        await loop.create_future()

    assert serve(work, file) == EXIT_FAULT
    fault = read_fault(file)
    assert fault is not None
    assert fault.event == ""
    assert "in a callback" in fault.text


def test_work_that_is_done_ends_well(tmp_path: Path) -> None:
    file = tmp_path / "worker.fault"

    async def work() -> None:
        return

    assert serve(work, file) == 0
    assert read_fault(file) is None


def test_a_process_that_forbids_dumps_and_its_children_have_none() -> None:
    """I15."""
    code = """
import ctypes, os, resource
from tandem.wiring.serving import forbid_dumps
forbid_dumps()
pid = os.fork()
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
