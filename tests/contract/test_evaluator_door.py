"""Whose evaluators come in over real TCP, and who is cut off."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tandem.adapters.lan.machines import Machine, Machines
from tandem.domain.errors import ConfigurationError
from tandem.messaging.broker import Broker
from tandem.messaging.places import Bind, Connect, ConnectKeys, KeyPair, new_keys
from tandem.messaging.worker import Worker
from tandem.wiring.evaluator_door import EvaluatorDoor
from tandem.wiring.messaging_keys import hex_of, take_keys
from tests.contract.lines import Run
from tests.contract.messages import ipc, until

NOW_S = 1_000


class Pool:
    """A broker with a door, the pool's machines, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = NOW_S
        self.machines = Machines(folder)
        self.said: list[str] = []
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.address = f"localhost:{one.getsockname()[1]}"
        self.own = take_keys(folder, "broker")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Broker]:
        broker = Broker(Bind(ipc(self.folder)), run=1)
        door = EvaluatorDoor(
            self.folder, self.address, now_s=lambda: self.now_s, say=self.said.append
        )
        running = asyncio.create_task(door.run(broker))
        yield broker
        running.cancel()
        broker.close()

    def member(self, name: str) -> KeyPair:
        keys = new_keys()
        self.machines.add(
            Machine(
                name=name,
                key=f"key of {name}",
                serials=("01",),
                joined_s=1,
                expires_s=NOW_S + 10,
                messaging=hex_of(keys.public),
            )
        )
        return keys

    def evaluator(self, keys: KeyPair, name: str) -> Worker:
        own = ConnectKeys(own=keys, server=self.own.public)
        return Worker(Connect(f"tcp://{self.address}", own), lambda payload: payload, name=name)


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


async def there(broker: Broker, *names: str) -> None:
    await until(lambda: {one.name for one in broker.workers()} == set(names))


def test_members_evaluate_and_strangers_are_refused(run: Run, pool: Pool) -> None:
    """B15: by the key that came with the machine's certificate."""

    async def act() -> None:
        async with pool.open() as broker:
            laptop = pool.evaluator(pool.member("laptop"), "laptop-e1")
            stranger = pool.evaluator(new_keys(), "laptop-e2")
            await there(broker, "laptop-e1")
            assert await broker.submit(b"k", payload=b"task") == b"task"
            await until(lambda: any("refused" in one for one in pool.said))
            await there(broker, "laptop-e1")
            laptop.close()
            stranger.close()

    run(act())


def test_who_becomes_a_member_later_comes_in_by_itself(run: Run, pool: Pool) -> None:
    async def act() -> None:
        async with pool.open() as broker:
            keys = pool.member("laptop")
            pool.machines.remove("laptop", NOW_S)
            laptop = pool.evaluator(keys, "laptop-e1")
            await until(lambda: any("refused" in one for one in pool.said))
            found = pool.machines.named("laptop")
            assert found is not None
            pool.machines.add(
                msgspec.structs.replace(found, removed_s=None, messaging=hex_of(keys.public))
            )
            await there(broker, "laptop-e1")
            laptop.close()

    run(act())


@pytest.mark.parametrize("how", ["removed", "expired", "damaged"])
def test_who_is_no_member_any_more_is_cut_off(run: Run, pool: Pool, how: str) -> None:
    """Also in the middle of a connection; with a damaged list nobody is a member."""

    async def act() -> None:
        async with pool.open() as broker:
            laptop = pool.evaluator(pool.member("laptop"), "laptop-e1")
            await there(broker, "laptop-e1")
            if how == "removed":
                pool.machines.remove("laptop", NOW_S)
            elif how == "expired":
                pool.now_s += 10
            else:
                (pool.folder / "machines.json").write_text("[1")
            await there(broker)
            await until(lambda: any("refused" in one for one in pool.said))
            assert "evaluators of laptop are let in no more" in pool.said
            assert broker.workers() == []
            laptop.close()

    run(act())


def test_the_others_stay_when_one_machine_is_removed(run: Run, pool: Pool) -> None:
    async def act() -> None:
        async with pool.open() as broker:
            ends = [pool.evaluator(pool.member(one), f"{one}-e1") for one in ("attic", "laptop")]
            await there(broker, "attic-e1", "laptop-e1")
            pool.machines.remove("laptop", NOW_S)
            await there(broker, "attic-e1")
            assert await broker.submit(b"k", payload=b"task") == b"task"
            for one in ends:
                one.close()

    run(act())


def test_an_address_that_is_taken_is_tried_again(run: Run, pool: Pool) -> None:
    async def act() -> None:
        taken = socket.socket()
        taken.bind(("127.0.0.1", int(pool.address.rpartition(":")[2])))
        taken.listen(1)
        async with pool.open() as broker:
            await until(lambda: any("cannot come in" in one for one in pool.said))
            taken.close()
            laptop = pool.evaluator(pool.member("laptop"), "laptop-e1")
            await there(broker, "laptop-e1")
            laptop.close()

    run(act())


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    made = take_keys(tmp_path, "broker")
    assert take_keys(tmp_path, "broker") == made
    assert (tmp_path / "broker.curve").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "broker.curve").read_bytes() == made.secret
    (tmp_path / "broker.curve").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"broker\.curve: expected a secret key of CURVE"):
        take_keys(tmp_path, "broker")
