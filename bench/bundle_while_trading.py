"""The paper's experiment: orders go on while a computer that joins is sent a bundle of 5 MB.

`python -m bench.bundle_while_trading FOLDER SECONDS` prints p50 and p99 of the order path, from
command to fill, in microseconds, without and with it: eight workers over mutual TLS, 30 orders a
second. Windows of so many seconds take turns, so that both meet the same neighbors. Within the one
kind a computer joins again each second, and is sent the whole bundle each time. It is a process of
its own that does nothing else, `python -m bench.bundle_while_trading FOLDER join`.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import child_process
from bench.cluster import Cluster, free_ports
from bench.cluster_settings import HERE, Shape, lan_folder
from bench.load import Load
from bench.stub_workers import CoordinatorLink, StubWorker
from bench.waiting import until
from bench.whole_path import percentile_us
from tandem.adapters.lan import contexts
from tandem.adapters.lan.network import TlsNetwork
from tandem.domain import link as words
from tandem.domain.desk import DeskEffect, DeskEvent, FromWorker
from tandem.shells.link import Link

BUNDLE_BYTES: Final = 4_990_000  # a strategy's text, so that the whole is just below 5 MB
RATE: Final = 30
JOIN_EVERY_S: Final = 1.0
GOING_S: Final = 0.1  # for the confirmation to arrive
WINDOWS: Final = 4


class Joiner(StubWorker):
    """Takes the bundle, confirms it, and goes."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.done = asyncio.Event()
        self.link: CoordinatorLink | None = None

    def on_open(self, link: CoordinatorLink) -> None:
        """Say hello, without a bundle."""
        self.link = link
        super().on_open(link)

    def on_messages(
        self, link: CoordinatorLink, epoch: int, messages: Sequence[words.CoordinatorMessage]
    ) -> None:
        """Agree to everything, until the last part of the bundle."""
        super().on_messages(link, epoch, messages)
        for one in messages:
            if isinstance(one, words.BundlePart) and one.index == one.count - 1:
                self.done.set()


async def join(folder: Path) -> None:
    """Join again and again."""
    ports = Shape.read(folder).ports
    assert ports is not None, "computers join over TLS"
    network = TlsNetwork(dialing=contexts.dialing(lan_folder(folder)), say=lambda _: None)
    decoder = msgspec.msgpack.Decoder(list[words.CoordinatorMessage])
    number = os.getpid() * 1_000  # another one each time, also after the next start
    while True:
        number += 1
        joiner = Joiner(number)

        def made(joiner: Joiner = joiner) -> CoordinatorLink:
            return Link(decoder, joiner.on_messages, joiner.on_open, lambda _link, _why: None)

        await network.connect(f"{HERE}:{ports[0]}", made)
        await joiner.done.wait()
        await asyncio.sleep(GOING_S)
        if joiner.link is not None:
            joiner.link.drop("enough")
        await asyncio.sleep(JOIN_EVERY_S - GOING_S)


class Paths:
    """How long orders took, without and with bundles, and how often one was confirmed."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self._load_on_event = load._on_event
        self.took_ns: dict[str, list[int]] = defaultdict(list)
        self.window = ""
        self.bundles = 0
        load.notes.append(lambda one: self._note(one.ended_ns - one.began_ns))
        cluster.shell.recording.on_event = self._on_event

    def _note(self, took_ns: int) -> None:
        self.took_ns[self.window].append(took_ns)

    def _on_event(self, event: DeskEvent, effects: list[DeskEffect]) -> None:
        if isinstance(event, FromWorker) and isinstance(event.message, words.Configured):
            self.bundles += 1
        self._load_on_event(event, effects)


async def run(folder: Path, seconds: float) -> Paths:
    """Trade through all windows."""
    cluster = Cluster(folder, shape=Shape(ports=free_ports(), bundle_bytes=BUNDLE_BYTES))
    try:
        await cluster.start()
        load = Load(cluster.shell, children=1)
        paths = Paths(cluster, load)
        for number in range(WINDOWS):
            joiner = None
            if number % 2:
                before = paths.bundles
                joiner = child_process.start("bench.bundle_while_trading", str(folder), "join")
                await until(lambda least=before: paths.bundles > least)  # type: ignore[misc]
            paths.window = "with" if joiner else "without"
            await load.pace(RATE, seconds)
            paths.window = ""
            await load.drained()
            if joiner is not None:
                child_process.end([joiner])
    finally:
        cluster.stop()
    return paths


def main() -> None:
    """Measure and print, or join."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    if what == "join":
        child_process.serve(join(folder))
        return
    paths = uvloop.run(run(folder, float(what)))
    figures = {
        f"{window} {name}": percentile_us(paths.took_ns[window], share)
        for window in ("without", "with")
        for name, share in (("p50_us", 0.5), ("p99_us", 0.99))
    }
    figures["bundles"] = paths.bundles
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
