"""The load-balancing broker over real sockets, on both event loops, with real processes."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import zmq

from tandem.messaging import words
from tandem.messaging.balancer import Policy, Rules
from tandem.messaging.broker import Broker
from tandem.messaging.errors import ClosedError, FullError, RefusedError, TaskFailedError
from tandem.messaging.places import BYTES_MAX, Bind, Connect
from tandem.messaging.sockets import LoopSocket
from tandem.messaging.worker import Do, Worker
from tests.contract.lines import Run
from tests.contract.messages import ipc, python, until

WORKER = """
import asyncio, os, sys
from tandem.messaging.places import Connect
from tandem.messaging.worker import Worker
async def do(payload):
    if payload == b"whose?":
        return str(os.getpid()).encode()
    print(payload.decode(), flush=True)
    await asyncio.Event().wait()
async def main():
    await Worker(Connect(sys.argv[1]), do, name=sys.argv[2]).run()
asyncio.run(main())
"""


def named(name: str) -> Do:
    return lambda payload: name.encode() + b" " + payload


async def all_there(broker: Broker, count: int) -> None:
    await until(lambda: len(broker.workers()) == count)


def test_each_task_has_one_outcome_and_each_key_one_worker(run: Run, tmp_path: Path) -> None:
    """B15."""

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), Rules(patience_ns=10**12), run=1)
        early = asyncio.create_task(broker.submit(b"key 0", payload=b"early"))
        workers = [
            Worker(Connect(ipc(tmp_path)), named(f"w{one}"), name=f"w{one}") for one in range(3)
        ]
        await all_there(broker, 3)
        assert (await early).endswith(b" early")
        tasks = [broker.submit(b"key %d" % (one % 30), payload=b"%d" % one) for one in range(600)]
        outcomes = [outcome.split() for outcome in await asyncio.gather(*tasks)]
        assert [int(number) for _, number in outcomes] == list(range(600))
        homes = {(int(number) % 30, worker) for worker, number in outcomes}
        assert len(homes) == 30
        assert {worker for _, worker in homes} == {b"w0", b"w1", b"w2"}
        assert broker.open_tasks == broker.counts.late == broker.counts.redone == 0
        broker.close()
        for worker in workers:
            worker.close()

    run(share())


@pytest.mark.parametrize("who_knows", ["its connection", "somebody"])
def test_a_killed_workers_tasks_are_done_elsewhere(
    run: Run, tmp_path: Path, who_knows: str
) -> None:
    """B15: it is killed amid a task, and the task has one outcome."""

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        process = python(WORKER, ipc(tmp_path), "doomed")
        await all_there(broker, 1)
        tasks = [asyncio.create_task(broker.submit(b"k", payload=b"%d" % one)) for one in range(9)]
        assert process.stdout is not None
        begun = await asyncio.to_thread(process.stdout.readline)
        assert begun == b"0\n"
        heir = Worker(Connect(ipc(tmp_path)), named("heir"), name="heir")
        await all_there(broker, 2)
        process.kill()
        process.communicate()
        if who_knows == "somebody":
            broker.lost("doomed")
            assert [worker.name for worker in broker.workers()] == ["heir"]
        assert await asyncio.gather(*tasks) == [b"heir %d" % one for one in range(9)]
        assert (broker.counts.lost, broker.counts.redone) == (1, 2)
        broker.close()
        heir.close()

    run(share())


def test_a_silent_worker_is_lost_and_its_late_outcome_is_only_counted(
    run: Run, tmp_path: Path
) -> None:
    """B15: a stopped worker keeps its connection, and goes on when its tasks are done elsewhere."""

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        heard: list[bytes] = []
        # A worker that takes its task, and answers no ping.
        silent = LoopSocket(
            zmq.DEALER,
            Connect(ipc(tmp_path)),
            lambda parts: heard.append(parts[0]),
            {zmq.ROUTING_ID: b"silent/1"},
        )
        silent.send([words.encode(words.Ready(2))])
        await all_there(broker, 1)
        task = asyncio.create_task(broker.submit(b"k", payload=b"task"))
        await until(lambda: words.encode(words.Task(1, 1, b"task")) in heard)
        heir = Worker(Connect(ipc(tmp_path)), named("heir"), name="heir")
        assert await task == b"heir task"
        silent.send([words.encode(words.Done(1, 1, b"late"))])
        silent.send([words.encode(words.Done(7, 1, b"from another broker's time"))])
        await until(lambda: broker.counts.late == 2)
        assert broker.counts.lost == 1
        broker.close()
        heir.close()
        silent.close()

    run(share())


def test_who_connects_anew_to_a_silent_broker_does_not_hear_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B15: nobody pings it again, however often it connects."""
    monkeypatch.setattr("tandem.messaging.worker.ANEW_NS", 400_000_000)

    async def share() -> None:
        heard_at: dict[bytes, bool] = {}  # whether the broker was heard, at each route's first word

        def on_ready(parts: list[bytes]) -> None:
            if not heard_at:
                broker.send([parts[0], words.encode(words.Ping(run=1, mark=1))])
            heard_at.setdefault(parts[0], worker.is_heard)

        broker = LoopSocket(zmq.ROUTER, Bind(ipc(tmp_path)), on_ready)
        worker = Worker(Connect(ipc(tmp_path)), named("w"), name="w")
        await until(lambda: worker.is_heard)
        await until(lambda: len(heard_at) == 4)
        assert not any(heard_at.values())
        assert not worker.is_heard
        worker.close()
        broker.close()

    run(share())


def test_a_message_that_got_lost_on_the_way_is_noticed(run: Run, tmp_path: Path) -> None:
    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        given: list[int] = []

        def forget_the_first(parts: list[bytes]) -> None:
            said = decoder.decode(parts[0])
            if isinstance(said, words.Ping):
                worker.send([words.encode(words.Pong(said.run, said.mark, []))])
            else:
                given.append(said.attempt)
                if len(given) > 1:
                    worker.send([words.encode(words.Done(1, said.attempt, b"done"))])

        decoder = msgspec.msgpack.Decoder(words.Task | words.Ping)
        worker = LoopSocket(
            zmq.DEALER, Connect(ipc(tmp_path)), forget_the_first, {zmq.ROUTING_ID: b"w/1"}
        )
        worker.send([words.encode(words.Ready(2))])
        assert await broker.submit(b"", payload=b"task") == b"done"
        assert given == [1, 2]
        assert broker.counts.redone == 1
        broker.close()
        worker.close()

    run(share())


def test_a_worker_leaves_with_its_work_done(run: Run, tmp_path: Path) -> None:
    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), run=1)
        may_finish = asyncio.Event()

        async def slow(payload: bytes) -> bytes:
            await may_finish.wait()
            return b"slow " + payload

        leaving = Worker(Connect(ipc(tmp_path)), slow, name="leaving", window=1)
        await all_there(broker, 1)
        tasks = [asyncio.create_task(broker.submit(b"k", payload=b"%d" % one)) for one in range(3)]
        await until(lambda: broker.workers()[0].held == 1)
        heir = Worker(Connect(ipc(tmp_path)), named("heir"), name="heir")
        await all_there(broker, 2)
        gone = asyncio.create_task(leaving.leave(timeout_s=10))
        assert await tasks[1] == b"heir 1"
        may_finish.set()
        assert await gone
        assert await asyncio.gather(*tasks) == [b"slow 0", b"heir 1", b"heir 2"]
        assert [worker.name for worker in broker.workers()] == ["heir"]
        assert broker.counts.lost == broker.counts.redone == 0
        broker.close()
        assert not await heir.leave(timeout_s=0.01)

    run(share())


def test_workers_outlive_their_broker(run: Run, tmp_path: Path) -> None:
    async def share() -> None:
        worker = Worker(Connect(ipc(tmp_path)), named("w"), name="w")
        for life in (1, 2):
            broker = Broker(Bind(ipc(tmp_path)), run=life)
            assert await broker.submit(b"k", payload=b"%d" % life) == b"w %d" % life
            waits = asyncio.create_task(broker.submit(b"k", payload=b"unheard"))
            await asyncio.sleep(0)
            broker.close()
            with pytest.raises(ClosedError):
                await waits
            with pytest.raises(ClosedError):
                await broker.submit(b"k", payload=b"closed")
        worker.close()

    run(share())


def test_a_broken_worker_is_tried_no_more_than_the_rules_say(run: Run, tmp_path: Path) -> None:
    def poisoned(payload: bytes) -> bytes:
        raise LookupError(payload.decode())

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), Rules(tries_max=2), run=1)
        outcome = asyncio.create_task(broker.submit(b"k", payload=b"poison"))
        for one in (1, 2):
            worker = Worker(Connect(ipc(tmp_path)), poisoned, name=f"w{one}")
            with pytest.raises(LookupError, match="poison"):
                await worker.run()
        with pytest.raises(TaskFailedError, match="2 workers were lost with it"):
            await outcome
        broker.close()

    run(share())


def test_refusals_reach_the_submitter(run: Run, tmp_path: Path) -> None:
    async def late(payload: bytes) -> bytes:
        await asyncio.sleep(0)
        return now(payload)

    def now(payload: bytes) -> bytes:
        if payload == b"long":
            return bytes(BYTES_MAX + 1)
        raise RefusedError(f"not {payload.decode()}")

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), Rules(tasks_max=1), run=1)
        for do in (now, late):
            worker = Worker(Connect(ipc(tmp_path)), do, name="w")
            with pytest.raises(TaskFailedError, match="not this"):
                await broker.submit(b"", payload=b"this")
            with pytest.raises(TaskFailedError, match=f"its outcome has {BYTES_MAX + 1} bytes"):
                await broker.submit(b"", payload=b"long")
            worker.close()
        waits = asyncio.create_task(broker.submit(b"", payload=b"this"))
        await asyncio.sleep(0)
        with pytest.raises(FullError, match="1 tasks are open"):
            await broker.submit(b"", payload=b"this")
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)
        assert broker.open_tasks == 0
        broker.close()

    run(share())


@pytest.mark.parametrize("policy", Policy)
def test_both_policies_serve(run: Run, tmp_path: Path, policy: Policy) -> None:
    """A22."""

    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path)), Rules(policy=policy), run=1)
        workers = [
            Worker(Connect(ipc(tmp_path)), named(f"w{one}"), name=f"w{one}") for one in range(2)
        ]
        await all_there(broker, 2)
        heard: list[object] = []
        for one in range(100):
            broker.give(b"", payload=b"%d" % one, on_outcome=heard.append)
        await until(lambda: len(heard) == 100)
        outcomes = [one for one in heard if isinstance(one, bytes)]
        assert sorted(int(one.split()[1]) for one in outcomes) == list(range(100))
        assert {one.split()[0] for one in outcomes} == {b"w0", b"w1"}
        broker.close()
        for worker in workers:
            worker.close()

    run(share())


def test_strange_bytes_are_counted_by_both_sides(run: Run, tmp_path: Path) -> None:
    async def share() -> None:
        broker = Broker(Bind(ipc(tmp_path, "broker")), run=1)
        stranger = LoopSocket(zmq.DEALER, Connect(ipc(tmp_path, "broker")), lambda parts: None)
        stranger.send([b"\xc1"])
        await until(lambda: broker.malformed == 1)
        said: list[bool] = []
        false = LoopSocket(
            zmq.ROUTER,
            Bind(ipc(tmp_path, "false")),
            lambda parts: said.append(false.send([parts[0], b"\xc1"])),
        )
        worker = Worker(Connect(ipc(tmp_path, "false")), named("w"), name="w")
        await until(lambda: worker.malformed > 0)
        worker.close()
        stranger.close()
        false.close()
        broker.close()
        with pytest.raises(ValueError, match="worker's name has 1 to 200 bytes"):
            Worker(Connect(ipc(tmp_path, "broker")), named("w"), name="")

    run(share())
