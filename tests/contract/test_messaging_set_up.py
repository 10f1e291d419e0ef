"""What a broker gives its workers before any task, over real sockets."""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from tandem.messaging.broker import Broker
from tandem.messaging.places import Bind, Connect
from tandem.messaging.setting_up import TRIES_MAX, SetUp
from tandem.messaging.worker import Worker
from tests.contract.lines import Run
from tests.contract.messages import ipc, until


def echo(payload: bytes) -> bytes:
    return payload


class Giving:
    """Gives each worker another thing to hold, and notes who does not."""

    def __init__(self) -> None:
        self.made: list[bytes] = []
        self.wrong: list[str] = []
        self.set_up = SetUp(make=self.make, on_wrong=self.wrong.append)

    async def make(self) -> bytes:
        await asyncio.sleep(0)
        self.made.append(b"thing %d" % len(self.made))
        return self.made[-1]


def test_a_worker_has_what_it_shall_hold_before_any_task(run: Run, tmp_path: Path) -> None:
    """B16."""
    heard: list[bytes] = []

    async def hold(payload: bytes) -> bytes:
        heard.append(payload)
        await asyncio.sleep(0.05)  # tasks wait meanwhile
        return sha256(payload).digest()

    def do(payload: bytes) -> bytes:
        heard.append(payload)
        return payload

    async def share() -> None:
        giving = Giving()
        broker = Broker(Bind(ipc(tmp_path)), run=1, set_up=giving.set_up)
        early = asyncio.create_task(broker.submit(b"k", payload=b"task"))
        worker = Worker(Connect(ipc(tmp_path)), do, name="w", hold=hold)
        assert await early == b"task"
        assert heard == [b"thing 0", b"task"]
        assert giving.wrong == []
        assert broker.has_home(b"k")
        assert not broker.has_home(b"another")
        worker.close()
        broker.close()

    run(share())


def test_who_holds_something_else_gets_no_task_and_that_is_told(run: Run, tmp_path: Path) -> None:
    """B16: it is given it a few times."""

    async def forget(_payload: bytes) -> bytes:
        return sha256(b"").digest()

    async def share() -> None:
        giving = Giving()
        broker = Broker(Bind(ipc(tmp_path)), run=1, set_up=giving.set_up)
        forgetful = Worker(Connect(ipc(tmp_path)), echo, name="forgetful", hold=forget)
        task = asyncio.create_task(broker.submit(b"k", payload=b"task"))
        await until(lambda: giving.wrong == ["forgetful"] * TRIES_MAX)
        assert len(giving.made) == TRIES_MAX
        assert broker.workers() == []
        good = Worker(Connect(ipc(tmp_path)), echo, name="good")
        assert await task == b"task"
        assert [one.name for one in broker.workers()] == ["good"]
        forgetful.close()
        good.close()
        broker.close()

    run(share())


def test_a_worker_that_is_known_is_given_nothing_again(run: Run, tmp_path: Path) -> None:
    """Another broker gives it what that one has."""

    async def share() -> None:
        for life in (1, 2):
            giving = Giving()
            broker = Broker(Bind(ipc(tmp_path)), run=life, set_up=giving.set_up)
            if life == 1:
                worker = Worker(Connect(ipc(tmp_path)), echo, name="w")
            assert await broker.submit(b"k", payload=b"task") == b"task"
            assert len(giving.made) == 1
            broker.close()
        worker.close()

    run(share())


def test_what_cannot_be_made_ends_the_broker(run: Run, tmp_path: Path) -> None:
    async def fail() -> bytes:
        raise RuntimeError("no history")

    async def share() -> None:
        set_up = SetUp(make=fail, on_wrong=lambda _: None)
        broker = Broker(Bind(ipc(tmp_path)), run=1, set_up=set_up)
        worker = Worker(Connect(ipc(tmp_path)), echo, name="w")
        with pytest.raises(RuntimeError, match="no history"):
            await broker.run()
        worker.close()
        broker.close()

    run(share())
