"""The jail with real processes: what they hold, what they can do, and how they end.

B17, I14, I15, F22.
"""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from tandem.adapters.jail import ForkingJail, Mode
from tandem.adapters.jail.child import new_engine
from tandem.adapters.jail.evaluation import Evaluation
from tandem.adapters.jail.forking import ForkedCell
from tandem.adapters.jail.lockdown import CHANNEL, NOBODY, lock_down, open_doors
from tandem.adapters.jail.page import ControlPage, new_page
from tandem.adapters.jail.parent import MESSAGE_MAX, Fork, News, Ready
from tandem.adapters.jail.ranks import may_rank
from tandem.adapters.jail.rehearsal import rehearsal
from tandem.domain.errors import ConfigurationError, ProcessUnreachableError
from tandem.domain.evaluation import TaskAnswer, answer_of, task_bytes
from tandem.ports import Cell

MEMORY = 256 << 20
TASK = rehearsal()[0]


class Line:
    """One open cell, and what came of it."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[Cell | str] = asyncio.get_running_loop().create_future()
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def open(self, jail: ForkingJail, *, is_behind: bool = False) -> ForkedCell:
        jail.open(
            memory_bytes=MEMORY,
            is_behind=is_behind,
            on_open=self.opened.set_result,
            on_answer=self.answers.put_nowait,
            on_end=self.ended.set,
        )
        cell = await self.opened
        assert isinstance(cell, ForkedCell), cell
        return cell

    async def ask(self, cell: Cell) -> TaskAnswer:
        cell.send(task_bytes(TASK))
        return answer_of(await asyncio.wait_for(self.answers.get(), 30))


@asynccontextmanager
async def a_jail(mode: Mode = Mode.JAILED) -> AsyncIterator[ForkingJail]:
    jail = ForkingJail(mode, lambda _: None)
    await jail.start()
    try:
        yield jail
    finally:
        jail.close()


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def descriptors(pid: int) -> list[str]:
    return sorted(path.name for path in Path(f"/proc/{pid}/fd").iterdir())


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_task_has_the_same_answer_in_every_process(mode: Mode) -> None:
    """B17: jailed, trusted, and in this very process."""
    page = new_page()
    expected = Evaluation(new_engine(ControlPage(page), MEMORY), lambda _: None).do(TASK)
    os.close(page)
    async with a_jail(mode) as jail:
        line = Line()
        assert await line.ask(await line.open(jail)) == expected


async def test_a_jailed_process_is_nobody_and_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """I14, I15."""
    monkeypatch.setenv("TANDEM_OF_THE_EVALUATOR", "planted")
    async with a_jail() as jail:
        line = Line()
        cell = await line.open(jail)
        await line.ask(cell)
        seen = status(cell.pid)
        assert seen["Seccomp"] == ["2"]
        assert seen["NoNewPrivs"] == ["1"]
        assert seen["Threads"] == ["1"]
        if os.geteuid() == 0:
            assert seen["Uid"] == [str(NOBODY)] * 4
            assert seen["Gid"] == [str(NOBODY)] * 4
            assert seen["Groups"] == []
            assert set(seen["CapEff"] + seen["CapPrm"]) == {"0" * 16}
        assert descriptors(cell.pid) == ["0", "1", "2", str(CHANNEL)]
        assert "planted" not in environment(cell.pid)
        assert "PYTHONHASHSEED" in environment(cell.pid)
        assert cell.pss_bytes > 0


def tried(*, is_list_loaded: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a locked process could do, with or without the list of system calls."""
    if not is_list_loaded:
        monkeypatch.setattr("tandem.adapters.jail.lockdown._forbid_calls", lambda _: None)
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(writing, CHANNEL)
            lock_down(memory_bytes=MEMORY, parent=parent)
            os.write(CHANNEL, ", ".join(open_doors()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        doors = said.read()
    os.waitpid(pid, 0)
    return doors


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_process_goes_behind_the_others_and_comes_back(mode: Mode) -> None:
    """F22: on one processor; where this process may not bring it back, it never goes."""
    processors = os.sched_getaffinity(0)
    behind = os.SCHED_IDLE if may_rank() else os.SCHED_OTHER
    count = 1 if may_rank() else len(processors)
    try:
        async with a_jail(mode) as jail:
            line = Line()
            cell = await line.open(jail, is_behind=True)
            await line.ask(cell)
            assert os.sched_getscheduler(cell.pid) == behind
            assert len(os.sched_getaffinity(cell.pid)) == count
            cell.rank(is_behind=False)
            assert os.sched_getscheduler(cell.pid) == os.SCHED_OTHER
            assert os.sched_getaffinity(cell.pid) == processors
            cell.rank(is_behind=True)
            assert os.sched_getscheduler(cell.pid) == behind
            assert os.sched_getaffinity(cell.pid) <= os.sched_getaffinity(0)
            cell.end()
            cell.rank(is_behind=False)
    finally:
        os.sched_setaffinity(0, processors)


async def test_its_processes_share_the_evaluators_session_and_not_its_ctrl_c() -> None:
    """F22: between sessions Linux shares processors whatever goes behind what (sched(7))."""
    async with a_jail() as jail:
        cell = await Line().open(jail)
        assert os.getsid(cell.pid) == os.getsid(0)
        assert os.getpgid(cell.pid) != os.getpgid(0)


def test_a_locked_process_finds_every_door_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """B17."""
    assert tried(is_list_loaded=True, monkeypatch=monkeypatch) == ""


def test_without_the_list_of_calls_doors_are_found_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial sees what is missing, so that it proves something when it finds nothing."""
    doors = tried(is_list_loaded=False, monkeypatch=monkeypatch)
    assert "open a file" in doors
    assert "run a program" in doors
    assert "write elsewhere" in doors


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("raise ImportError('none')", "pyseccomp is not installed"),
        ("raise OSError('no such library')", "libseccomp cannot be loaded"),
    ],
)
async def test_without_its_library_strategies_of_others_are_refused_and_ones_own_are_not(
    what: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B17: it never falls back to less."""
    (tmp_path / "pyseccomp.py").write_text(what + "\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConfigurationError, match=words):
        await ForkingJail(Mode.JAILED, lambda _: None).start()
    async with a_jail(Mode.TRUSTED) as jail:
        line = Line()
        await line.ask(await line.open(jail))


async def test_a_fence_that_does_not_hold_is_found_before_anybody_is_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allows_everything = """
import errno
ALLOW, KILL_PROCESS, EQ = 1, 2, 4
def ERRNO(code): return 3
class Attr: ACT_BADARCH = 1
def Arg(*a): return a
class SyscallFilter:
    def __init__(self, action): pass
    def set_attr(self, *a): pass
    def add_rule(self, *a): pass
    def load(self): pass
"""
    (tmp_path / "pyseccomp.py").write_text(allows_everything)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConfigurationError, match="a jailed process could open a file"):
        await ForkingJail(Mode.JAILED, lambda _: None).start()


async def test_a_jail_that_is_killed_while_it_starts_is_not_one_without_fences() -> None:
    """I14: nobody takes a kill for a computer that has no fences, and goes on without."""
    jail = ForkingJail(Mode.JAILED, lambda _: None)
    starting = asyncio.create_task(jail.start())
    await asyncio.sleep(0)
    assert jail._process is not None
    os.kill(jail._process.pid, signal.SIGKILL)
    with pytest.raises(ProcessUnreachableError, match="was killed"):
        await starting


async def test_a_process_that_is_killed_is_noticed() -> None:
    """F22."""
    async with a_jail() as jail:
        line = Line()
        cell = await line.open(jail)
        os.kill(cell.pid, signal.SIGKILL)
        await asyncio.wait_for(line.ended.wait(), 30)
        assert cell.look().running is None
        cell.send(task_bytes(TASK))
        cell.end()


async def test_a_process_that_is_ended_says_nothing_more() -> None:
    async with a_jail() as jail:
        line = Line()
        cell = await line.open(jail)
        cell.send(task_bytes(TASK))
        pidfd = os.pidfd_open(cell.pid)
        cell.end()
        cell.end()
        await asyncio.to_thread(select.select, [pidfd], [], [], 30)
        assert is_over(pidfd)
        assert line.answers.empty()
        assert not line.ended.is_set()


async def test_when_the_evaluator_goes_its_processes_go() -> None:
    async with a_jail() as jail:
        cell = await Line().open(jail)
        pidfd = os.pidfd_open(cell.pid)
    assert is_over(pidfd)


async def test_when_the_parent_process_goes_all_go_and_the_evaluator_is_told() -> None:
    lost: asyncio.Queue[int] = asyncio.Queue()
    jail = ForkingJail(Mode.JAILED, lost.put_nowait)
    await jail.start()
    line = Line()
    cell = await line.open(jail)
    parent = int(status(cell.pid)["PPid"][0])
    os.kill(parent, signal.SIGKILL)
    assert await asyncio.wait_for(lost.get(), 30) == -signal.SIGKILL
    await asyncio.wait_for(line.ended.wait(), 30)
    late = Line()
    with pytest.raises(AssertionError, match="the jail has ended"):
        await late.open(jail)
    cell.end()
    jail.close()


def test_a_starter_that_hangs_up_between_two_words_is_no_failure() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, new_channels() as (channel, page):
        descriptor = theirs.fileno()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tandem.adapters.jail",
                str(descriptor),
                str(os.getpid()),
                "trusted",
            ],
            pass_fds=(descriptor,),
            stderr=subprocess.PIPE,
        )
        theirs.close()
        assert msgspec.msgpack.decode(ours.recv(MESSAGE_MAX), type=News) == Ready()
        fork = Fork(number=1, memory_bytes=MEMORY, corner=None)
        socket.send_fds(ours, [msgspec.msgpack.encode(fork)], [channel, page])
        ours.close()
        assert (process.communicate(timeout=30)[1], process.returncode) == (b"", 0)


async def test_many_tasks_at_once_are_all_answered_in_order() -> None:
    async with a_jail() as jail:
        line = Line()
        cell = await line.open(jail)
        payload = task_bytes(TASK)
        for _ in range(2_000):  # some 13 MB, more than a pipe holds
            cell.send(payload)
        answers = {await asyncio.wait_for(line.answers.get(), 30) for _ in range(2_000)}
        assert len(answers) == 1
        assert cell.look().cpu_ns > 0


@contextmanager
def new_channels() -> Iterator[tuple[int, int]]:
    """Return what a process is given: the descriptors of its channel and of its control page."""
    kept, given = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    page = new_page()
    with kept, given:
        yield given.fileno(), page
    os.close(page)


def is_over(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    try:
        return bool(poll.poll(30_000))
    finally:
        os.close(pidfd)
