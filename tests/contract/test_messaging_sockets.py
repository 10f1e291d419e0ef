"""The rule of ZeroMQ's descriptor: what a send used up is not waited for."""

import asyncio
import select
import time
from pathlib import Path

import pytest
import zmq

from tandem.messaging.places import Bind, Connect
from tandem.messaging.sockets import BATCH, LoopSocket
from tests.contract.lines import Run
from tests.contract.messages import ipc, until


def test_an_arrival_whose_edge_a_send_used_up_is_heard(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        heard: list[bytes] = []
        here = LoopSocket(zmq.DEALER, Bind(ipc(tmp_path)), lambda parts: heard.extend(parts))
        there = LoopSocket(zmq.DEALER, Connect(ipc(tmp_path)), lambda parts: None)
        there.send([b"hello"])
        await until(lambda: heard == [b"hello"])
        for count in range(20):
            # All of this happens in one turn of the loop, which hears nothing meanwhile.
            there.send([b"%d" % count])
            assert select.select([here._file], [], [], 10)[0]
            end_ns = time.monotonic_ns() + 2_000_000
            while time.monotonic_ns() < end_ns:
                pass  # libzmq looks for news at a send only when some time has passed
            here.send([b"reply"])
            assert not select.select([here._file], [], [], 0)[0], "the edge is not used up"
            await until(lambda count=count: heard[-1] == b"%d" % count)  # type: ignore[misc]
        here.close()
        there.close()

    run(talk())


def test_many_messages_leave_the_loop_its_turns_and_all_are_heard(run: Run, tmp_path: Path) -> None:
    async def talk() -> None:
        heard: list[bytes] = []
        heard_by_then: list[int] = []

        def on_message(parts: list[bytes]) -> None:
            if not heard:
                loop.call_soon(lambda: heard_by_then.append(len(heard)))  # in the next turn
                for count in range(1, 8 * BATCH):
                    assert there.send([b"%d" % count])
            heard.extend(parts)

        loop = asyncio.get_running_loop()
        room = {zmq.SNDHWM: 10 * BATCH, zmq.RCVHWM: 10 * BATCH}
        here = LoopSocket(zmq.DEALER, Bind(ipc(tmp_path)), on_message, room)
        there = LoopSocket(zmq.DEALER, Connect(ipc(tmp_path)), lambda parts: None, room)
        here.pause()
        there.send([b"0"])
        here.resume()
        await until(lambda: len(heard) == 8 * BATCH)
        assert heard == [b"%d" % count for count in range(8 * BATCH)]
        # A turn may have both an edge and a second look.
        assert 0 < heard_by_then[0] <= 2 * BATCH
        here.close()
        here.close()
        there.close()

    run(talk())


def test_an_error_in_a_timer_comes_out_of_run(run: Run, tmp_path: Path) -> None:
    def fail() -> None:
        raise LookupError("no such beat")

    async def talk() -> None:
        here = LoopSocket(zmq.DEALER, Bind(ipc(tmp_path)), lambda parts: None)
        here.every(1_000_000, fail)
        with pytest.raises(LookupError, match="no such beat"):
            await here.run()
        assert not here.is_open

    run(talk())
