"""How long a coordinator takes to be back: `python -m bench.restart FOLDER RECORDS`.

A journal is written as one busy day leaves it: a snapshot with 5,000 ended orders, and RECORDS
records since. Then a coordinator's process is started on it, from nothing, and the time taken
until it answers a question. Prints that in seconds, the same with no record since the snapshot, and
so the time for a record; and for how long taking the snapshot held the loop, in milliseconds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench import child_process, cluster_settings
from bench.desk import ENCODER, EVENT_NS, Floor
from bench.waiting import PATIENCE_S
from tandem.adapters.journal.log import open_log
from tandem.adapters.local.clock import SystemClock
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.network import UnixNetwork
from tandem.adapters.local.processes import LinuxProcesses
from tandem.adapters.local.sync import InlineSync
from tandem.core.trading.desk import Desk
from tandem.core.trading.pulse import Pulse
from tandem.domain.desk import DeskEffect, DeskEvent
from tandem.domain.instant import Instant
from tandem.shells.coordinator import Coordinator, CoordinatorPlaces, DeskRecord
from tandem.shells.recording import Record, replay
from tandem.wiring.asking import DeskLine
from tandem.wiring.memory import spare_what_stays

BEFORE: Final = 5_120  # orders that have ended when the snapshot is taken
WAVE: Final = 64
STARTS: Final = 3
LOOK_S: Final = 0.001
MILLION: Final = 1_000_000


class Written(Floor):
    """A desk and its workers' words, with a journal."""

    def __init__(self, folder: Path) -> None:
        self._disk = FolderDisk(folder, InlineSync())
        _, self.journal = open_log(self._disk)
        super().__init__()

    def feed(self, events: Iterable[DeskEvent]) -> list[DeskEffect]:
        """Let the desk decide each event, and keep its record."""
        told: list[DeskEffect] = []
        for event in events:
            self._now_ns += EVENT_NS
            now = Instant(self._now_ns, self._now_ns)
            effects = self.desk.on(event, now)
            record = Record(self.journal.next_record, now, event, effects)
            self.journal.append(ENCODER.encode(record))
            told += effects
        self.journal.commit(lambda: None)
        return told

    def close(self) -> None:
        """Let another process have the journal."""
        self.journal.close()
        self._disk.close()


def write(folder: Path, records: int) -> float:
    """Leave a snapshot and so many records behind; return what the snapshot took, in ms."""
    floor = Written(folder)
    floor.trade(BEFORE, children=1)
    begin_ns = time.monotonic_ns()
    floor.journal.snapshot(floor.desk.snapshot())
    took_ns = time.monotonic_ns() - begin_ns
    while floor.journal.records_since_snapshot < records:
        floor.trade(WAVE, children=1)
    floor.close()
    return took_ns / 1e6


async def serve(folder: Path) -> None:
    """Be the coordinator, as `tandem.wiring.roles` makes it."""
    recovered, journal = open_log(FolderDisk(folder / "coordinator", InlineSync()))
    snapshot = recovered.snapshot
    assert snapshot is not None, "the journal was written with one"
    desk = Desk.restore(snapshot)
    replay(desk, recovered.records, msgspec.msgpack.Decoder(DeskRecord))
    spare_what_stays()
    shell = Coordinator(
        desk,
        journal,
        clock=SystemClock(),
        network=UnixNetwork(),
        processes=LinuxProcesses(),
        places=CoordinatorPlaces(
            workers=(cluster_settings.workers_address(folder),),
            control=cluster_settings.control_address(folder),
            venues={},
        ),
        settings=cluster_settings.desk_settings(),
        secrets={},
        pulse=Pulse(),
    )
    await shell.run()


async def start(folder: Path) -> float:
    """Return how many seconds a new coordinator's first answer took."""
    address = cluster_settings.control_address(folder)
    begin = time.perf_counter()
    child = child_process.start("bench.restart", str(folder), "serve")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _until_listening(address)
            line = DeskLine(address)
            running = asyncio.create_task(line.run())
            await line.status(PATIENCE_S)
            took_s = time.perf_counter() - begin
        running.cancel()
        line.hang_up()
    finally:
        child_process.end([child])
    return took_s


async def _until_listening(address: str) -> None:
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(address)
            writer.close()
            return
        await asyncio.sleep(LOOK_S)


def measure(folder: Path, records: int) -> tuple[float, float, float]:
    """Return seconds to be back after so many records, how many there were, and the stall."""
    folder.mkdir(mode=0o700)
    stall_ms = write(folder / "coordinator", records)
    took_s = []
    for _ in range(STARTS):
        took_s.append(uvloop.run(start(folder)))
        Path(cluster_settings.control_address(folder)).unlink(missing_ok=True)
    return statistics.median(took_s), records, stall_ms


def main() -> None:
    """Measure and print, or be the coordinator."""
    folder, records = Path(sys.argv[1]), sys.argv[2]
    if records == "serve":
        child_process.serve(serve(folder))
        return
    full_s, count, stall_ms = measure(folder / "full", int(records))
    empty_s, _, _ = measure(folder / "empty", 0)
    record_s = (full_s - empty_s) / count
    figures = {
        "back_s": full_s,
        "empty_s": empty_s,
        "record_us": record_s * 1e6,
        "million_s": empty_s + record_s * MILLION,
        "snapshot_ms": stall_ms,
    }
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")


if __name__ == "__main__":
    main()
