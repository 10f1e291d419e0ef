"""Real processes, watched and ended by pidfd."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from tandem.adapters.local.processes import LinuxProcesses, start_time

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_in(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(coroutine)

    return run_in


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until its standard input ends."""
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def started(process: subprocess.Popen[bytes]) -> int:
    began = start_time(process.pid)
    assert began is not None
    return began


def test_a_start_time_belongs_to_one_process(child: subprocess.Popen[bytes]) -> None:
    own = start_time(os.getpid())
    assert own is not None
    assert own == start_time(os.getpid())
    assert started(child) >= own


def test_a_name_with_blanks_and_brackets_does_not_confuse_the_start_time() -> None:
    code = (
        "import os, sys\n"
        "open('/proc/self/comm', 'w').write('a) S 1 (b')\n"
        "print(open('/proc/self/stat').read().strip())\n"
        "from tandem.adapters.local.processes import start_time\n"
        "print(start_time(os.getpid()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    stat, found = ran.stdout.splitlines()
    assert "(a) S 1 (b)" in stat
    assert stat.split("(a) S 1 (b) ")[1].split()[22 - 3] == found


def test_a_process_that_is_gone_has_no_start_time(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert start_time(child.pid) is None


def test_the_end_of_a_watched_process_is_told_once(
    run: Run, child: subprocess.Popen[bytes]
) -> None:
    async def watch() -> None:
        ended = asyncio.Queue[str]()
        processes = LinuxProcesses()
        processes.watch(
            child.pid, started=started(child), on_exit=lambda: ended.put_nowait("ended")
        )
        assert ended.empty()
        processes.kill(child.pid, started=started(child))
        assert await asyncio.wait_for(ended.get(), 10) == "ended"
        await asyncio.sleep(0)
        assert ended.empty()

    run(watch())
    assert child.wait() == -9


def test_a_process_that_ended_by_itself_is_told(run: Run, child: subprocess.Popen[bytes]) -> None:
    async def watch() -> None:
        ended = asyncio.Event()
        LinuxProcesses().watch(child.pid, started=started(child), on_exit=ended.set)
        assert child.stdin is not None
        child.stdin.close()
        await asyncio.wait_for(ended.wait(), 10)

    run(watch())


def test_a_watch_that_was_ended_says_nothing(run: Run, child: subprocess.Popen[bytes]) -> None:
    async def watch() -> None:
        told: list[str] = []
        ended = asyncio.Event()
        processes = LinuxProcesses()
        first = processes.watch(
            child.pid, started=started(child), on_exit=lambda: told.append("first")
        )
        processes.watch(child.pid, started=started(child), on_exit=ended.set)
        first()
        first()
        processes.kill(child.pid, started=started(child))
        await asyncio.wait_for(ended.wait(), 10)
        assert not told

    run(watch())


def test_a_process_that_is_gone_is_told_at_once(run: Run, child: subprocess.Popen[bytes]) -> None:
    """Unreaped, reaped, or with its pid given to another: it ended either way."""
    began = started(child)

    async def watch(began: int) -> None:
        ended = asyncio.Event()
        LinuxProcesses().watch(child.pid, started=began, on_exit=ended.set)
        await asyncio.wait_for(ended.wait(), 10)

    run(watch(began - 1))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    run(watch(began))
    child.wait()
    run(watch(began))


def test_a_reused_pid_is_never_killed(child: subprocess.Popen[bytes]) -> None:
    processes = LinuxProcesses()
    processes.kill(child.pid, started=started(child) - 1)
    assert child.poll() is None
    processes.kill(child.pid, started=started(child))
    assert child.wait() == -9
    processes.kill(child.pid, started=0)
