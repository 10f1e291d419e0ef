"""A broker, three workers of which one is killed amid its work, and a submitter elsewhere.

The submitter speaks to a `Server` beside the broker, which submits for it: the server carries out
a repeated request once, and the broker gives each task one outcome.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tandem.messaging.broker import Broker
from tandem.messaging.client import Client
from tandem.messaging.places import Bind, Connect
from tandem.messaging.server import Server
from tandem.messaging.worker import Worker

TASKS = 300


async def square(payload: bytes) -> bytes:
    """Return the square of a number, after a while, and who computed it."""
    await asyncio.sleep(0.002)
    return f"{int(payload) ** 2} {os.getpid()}".encode()


async def work(address: str, name: str) -> None:
    """Do tasks until killed."""
    await Worker(Connect(address), square, name=name).run()


async def share(folder: Path) -> None:
    """Have all numbers squared."""
    tasks, door = f"ipc://{folder / 'tasks'}", f"ipc://{folder / 'door'}"
    broker = Broker(Bind(tasks), run=time.time_ns())
    server = Server(Bind(door), lambda number: broker.submit(number[-1:], payload=number))
    workers = [
        subprocess.Popen([sys.executable, __file__, tasks, f"worker-{one}"]) for one in range(3)
    ]
    submitter = Client(Connect(door))
    asked = [
        asyncio.create_task(submitter.ask(str(one).encode(), timeout_s=30)) for one in range(TASKS)
    ]
    await asyncio.wait(asked[: TASKS // 4])
    workers[0].kill()
    outcomes = [outcome.split() for outcome in await asyncio.gather(*asked)]
    assert [int(number) for number, _ in outcomes] == [one**2 for one in range(TASKS)]
    done = Counter(worker for _, worker in outcomes)
    print(f"{TASKS} tasks, {TASKS} outcomes, {broker.counts.redone} done again")
    print(f"tasks by worker: {sorted(done.values())}; lost: {broker.counts.lost}")
    submitter.close()
    server.close()
    broker.close()
    for process in workers:
        process.kill()
        process.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(sys.argv[1], sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as name:
            asyncio.run(share(Path(name)))
