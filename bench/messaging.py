"""The three patterns of `tandem.messaging` beside plain pyzmq: `python -m bench.messaging`.

Each end is a process of its own, over Unix sockets, with payloads of 200 bytes; ours on uvloop, the
plain ones blocking. Plain: REQ/REP for round trips, and PUSH/PULL for the stream, because PUB/SUB
alone would lose what our streams may not. *A task* goes from the broker to one of two workers and
back. *Ten publishers* say 5,000 messages each as fast as they can, all at once; time runs from that
start until the last is at the subscriber, every number is checked, and what was dropped on the way
is asked for.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
import zmq

from bench import child_process
from bench.figures import Row, table
from bench.waiting import until
from bench.whole_path import percentile_us
from tandem.messaging.broker import Broker
from tandem.messaging.client import Client
from tandem.messaging.history import Depth
from tandem.messaging.places import Bind, Connect
from tandem.messaging.publisher import Publisher
from tandem.messaging.server import Server
from tandem.messaging.streams import Message, News
from tandem.messaging.subscriber import Subscriber
from tandem.messaging.worker import Worker

PAYLOAD = bytes(200)
ROUND_TRIPS = 3_000
WARM_UP = 300
TASKS, IN_FLIGHT = 20_000, 200
PUBLISHERS, EACH = 10, 5_000

Figures = dict[str, list[float]]


def start_of(address: str) -> Path:
    """Return the file that says that all publishers are there."""
    return Path(address.removeprefix("ipc://") + ".start")


def echo(payload: bytes) -> bytes:
    """Return the same."""
    return payload


async def say_all(address: str, name: str) -> None:
    """Publish, once somebody is there, and answer what is asked again."""
    depth = Depth(messages_max=EACH, bytes_max=EACH * 1_000)
    publisher = Publisher(Connect(address), name=name, run=1, depth=depth)
    publisher.publish(b"x", payload=PAYLOAD)
    await until(start_of(address).exists)
    for count in range(1, EACH):
        publisher.publish(b"x", payload=PAYLOAD)
        if count % 50 == 0:
            await asyncio.sleep(0)
    await publisher.run()


def say_plainly(address: str) -> None:
    """Push as many, blocking."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(address)
        socket.send(PAYLOAD)
        while not start_of(address).exists():
            time.sleep(0.01)
        for _ in range(1, EACH):
            socket.send(PAYLOAD)


def echo_plainly(address: str) -> None:
    """Send back what comes, until it is empty."""
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)
        while payload := socket.recv():
            socket.send(payload)


async def timed(ask: Callable[[], Awaitable[bytes]]) -> list[int]:
    """Return how long each round trip took, one after the other."""
    took_ns = []
    for count in range(WARM_UP + ROUND_TRIPS):
        begun_ns = time.perf_counter_ns()
        await ask()
        if count >= WARM_UP:
            took_ns.append(time.perf_counter_ns() - begun_ns)
    return took_ns


def plain_round_trips(address: str) -> list[int]:
    """Return how long each blocking round trip took."""
    took_ns = []
    child = child_process.start("bench.messaging", "--plain-echo", address)
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.connect(address)
        for count in range(WARM_UP + ROUND_TRIPS):
            begun_ns = time.perf_counter_ns()
            socket.send(PAYLOAD)
            socket.recv()
            if count >= WARM_UP:
                took_ns.append(time.perf_counter_ns() - begun_ns)
        socket.send(b"")
    child_process.end([child])
    return took_ns


async def requests(address: str) -> list[int]:
    """Return the round trips of requests."""
    child = child_process.start("bench.messaging", "--echo", address)
    client = Client(Connect(address))
    took_ns = await timed(lambda: client.ask(PAYLOAD, timeout_s=20))
    client.close()
    child_process.end([child])
    return took_ns


async def tasks(address: str) -> tuple[list[int], float]:
    """Return the round trips of tasks, and tasks a second with 200 in flight."""
    children = [
        child_process.start("bench.messaging", "--worker", address, str(one)) for one in range(2)
    ]
    broker = Broker(Bind(address), run=1)
    await until(lambda: len(broker.workers()) == 2)
    took_ns = await timed(lambda: broker.submit(b"", payload=PAYLOAD))
    done = asyncio.Event()
    left = TASKS

    def on_outcome(_outcome: object) -> None:
        nonlocal left
        left -= 1
        if left >= IN_FLIGHT:
            give(left)
        elif left == 0:
            done.set()

    def give(count: int) -> None:
        broker.give(b"%d" % (count % 100), payload=PAYLOAD, on_outcome=on_outcome)

    begun = time.perf_counter()
    for count in range(IN_FLIGHT):
        give(count)
    await done.wait()
    rate = TASKS / (time.perf_counter() - begun)
    broker.close()
    child_process.end(children)
    return took_ns, rate


async def streams(address: str) -> float:
    """Return messages a second from ten publishers to one subscriber, none lost."""
    heard = {str(one): 0 for one in range(PUBLISHERS)}
    moments: list[float] = []
    done = asyncio.Event()
    left = PUBLISHERS * EACH

    def on_news(news: News) -> None:
        nonlocal left
        assert isinstance(news, Message), news
        assert news.number == heard[news.source.publisher]
        heard[news.source.publisher] += 1
        left -= 1
        if left == PUBLISHERS * (EACH - 1):  # the first of each has come
            start_of(address).touch()
            moments.append(time.perf_counter())
        elif left == 0:
            moments.append(time.perf_counter())
            done.set()

    subscriber = Subscriber(Bind(address), on_news)
    children = [
        child_process.start("bench.messaging", "--publisher", address, name) for name in heard
    ]
    await done.wait()
    subscriber.close()
    child_process.end(children)
    return PUBLISHERS * (EACH - 1) / (moments[1] - moments[0])


def plain_stream(address: str) -> float:
    """Return messages a second from ten pushing processes to one that pulls."""
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.bind(address)
        children = [
            child_process.start("bench.messaging", "--plain-publisher", address)
            for _ in range(PUBLISHERS)
        ]
        for _ in range(PUBLISHERS):
            socket.recv()
        start_of(address).touch()
        begun = time.perf_counter()
        for _ in range(PUBLISHERS * (EACH - 1)):
            socket.recv()
        rate = PUBLISHERS * (EACH - 1) / (time.perf_counter() - begun)
    child_process.end(children)
    return rate


def measure(rounds: int) -> Figures:
    """Return every figure, one value a round."""
    figures: Figures = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    for count in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            at = iter(f"ipc://{Path(folder) / str(one)}" for one in range(9))
            task_ns, rate = uvloop.run(tasks(next(at)))
            note("task rate", rate)
            for name, took_ns in (
                ("plain", plain_round_trips(next(at))),
                ("request", uvloop.run(requests(next(at)))),
                ("task", task_ns),
            ):
                note(f"{name} p50", percentile_us(took_ns, 0.5))
                note(f"{name} p99", percentile_us(took_ns, 0.99))
            note("plain stream", plain_stream(next(at)))
            note("stream", uvloop.run(streams(next(at))))
        print(f"round {count + 1}", file=sys.stderr)
    return figures


def rows(figures: Figures) -> list[Row]:
    """Return the table of it."""
    made = []
    for name, kind in (("a request and its reply", "request"), ("a task and its outcome", "task")):
        for share in ("p50", "p99"):
            made.append(Row(name=f"{name}, {share}", unit="µs", values=figures[f"{kind} {share}"]))
            made.append(
                Row(
                    name="… beside plain REQ/REP",
                    unit="µs",
                    values=figures[f"{kind} {share}"],
                    ratio_to=figures[f"plain {share}"],
                    beside="plain",
                )
            )
    made.append(Row(name="tasks, 200 in flight", unit="tasks/s", values=figures["task rate"]))
    made.append(
        Row(
            name="10 publishers → 1 subscriber",
            unit="messages/s",
            values=figures["stream"],
            ratio_to=figures["plain stream"],
            beside="plain PUSH/PULL",
        )
    )
    return made


def serve(kind: str, where: list[str]) -> None:
    """Be one of the other processes."""
    address = where[0]
    if kind == "plain_echo":
        echo_plainly(address)
    elif kind == "plain_publisher":
        say_plainly(address)
    elif kind == "echo":
        child_process.serve(_run(lambda: Server(Bind(address), echo)))
    elif kind == "worker":
        child_process.serve(_run(lambda: Worker(Connect(address), echo, name=where[1])))
    else:
        child_process.serve(say_all(address, where[1]))


async def _run(make: Callable[[], Server | Worker]) -> None:
    end = make()
    with contextlib.closing(end):
        await end.run()


def main() -> None:
    """Measure and print, or be one of the other processes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    kinds = ("plain_echo", "plain_publisher", "echo", "worker", "publisher")
    for kind in kinds:
        options.add_argument(f"--{kind.replace('_', '-')}", nargs="+", help=argparse.SUPPRESS)
    asked = options.parse_args()
    for kind in kinds:
        if getattr(asked, kind):
            serve(kind, getattr(asked, kind))
            return
    print(table(rows(measure(asked.rounds))))


if __name__ == "__main__":
    main()
