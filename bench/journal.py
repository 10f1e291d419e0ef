"""Group commit: records a second and latency, beside a plain write and fdatasync on the same disk.

Usage: PYTHONPATH=src python bench/journal.py [FOLDER] [ROUNDS]

Each round runs every row once, in turn, so that all of them see the same moods of the disk. A
record has 250 bytes. The raw rows overwrite a file of zeros with one `pwrite` and one `fdatasync`
per batch: what a program in C would ask of the kernel, and nothing else.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tandem.adapters.journal import open_log
from tandem.adapters.local.disk import FolderDisk
from tandem.adapters.local.sync import InlineSync, PageSync, Sync

RECORD = os.urandom(250)
SECONDS = 0.5
FILE_BYTES = 16 << 20
Batch = Callable[[], None]


def raw(folder: Path, records: int) -> list[int]:
    """Return how long each write and sync of `records` records took, in nanoseconds."""
    path = folder / "raw"
    path.write_bytes(bytes(FILE_BYTES))
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    block = RECORD * records
    offset = 0

    def write() -> None:
        nonlocal offset
        if offset + len(block) > FILE_BYTES:
            offset = 0
        os.pwrite(descriptor, block, offset)
        os.fdatasync(descriptor)
        offset += len(block)

    times = timed(write)
    os.close(descriptor)
    return times


def journal(folder: Path, records: int, sync: Callable[[], Sync]) -> list[int]:
    """Return how long each commit of `records` records took, new segments included."""
    disk = FolderDisk(folder / "journal", sync())
    _, log = open_log(disk)
    confirmed = 0

    def done() -> None:
        nonlocal confirmed
        confirmed += 1

    def commit() -> None:
        for _ in range(records):
            log.append(RECORD)
        log.commit(done)

    times = timed(commit)
    assert confirmed == len(times)
    log.close()
    disk.close()
    return times


def timed(batch: Batch) -> list[int]:
    times: list[int] = []
    end_ns = time.perf_counter_ns() + int(SECONDS * 1e9)
    while (begin_ns := time.perf_counter_ns()) < end_ns:
        batch()
        times.append(time.perf_counter_ns() - begin_ns)
    return times


def reopening(folder: Path, count: int) -> tuple[float, float]:
    """Return the CPU seconds for checking `count` records in batches of 8, and for reading them."""
    disk = FolderDisk(folder / "journal", PageSync())
    _, log = open_log(disk)
    for _ in range(count // 8):
        for _ in range(8):
            log.append(RECORD)
        log.commit(lambda: None)
    log.close()
    begin = time.process_time()
    found, log = open_log(disk)
    checked = time.process_time()
    assert sum(1 for _ in found.records) == count
    read = time.process_time()
    log.close()
    disk.close()
    return checked - begin, read - checked


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):>10,.0f} [{min(values):,.0f}–{max(values):,.0f}]"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows: dict[str, tuple[int, Callable[[Path], list[int]]]] = {}
    for records in (1, 16, 256):
        rows[f"raw, {records} per sync"] = records, partial(raw, records=records)
        rows[f"journal, {records} per sync"] = (
            records,
            partial(journal, records=records, sync=InlineSync),
        )
    rows["journal, 16 per batch, page"] = 16, partial(journal, records=16, sync=PageSync)
    rates: dict[str, list[float]] = {name: [] for name in rows}
    p50_us: dict[str, list[float]] = {name: [] for name in rows}
    p99_us: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, (records, measure) in rows.items():
            with tempfile.TemporaryDirectory(dir=folder) as made:
                times = sorted(measure(Path(made)))
            rates[name].append(len(times) * records / (sum(times) / 1e9))
            p50_us[name].append(times[len(times) // 2] / 1e3)
            p99_us[name].append(times[len(times) * 99 // 100] / 1e3)
    print(f"250-byte records, median of {rounds} rounds [least–most]")
    print(f"{'':<30}{'records/s':<34}{'p50 us':<26}p99 us")
    for name in rows:
        line = f"{spread(rates[name]):<34}{spread(p50_us[name]):<26}{spread(p99_us[name])}"
        print(f"{name:<30}{line}")
    for records in (1, 16, 256):
        pairs = zip(
            p50_us[f"journal, {records} per sync"], p50_us[f"raw, {records} per sync"], strict=True
        )
        ratios = [ours / bare for ours, bare in pairs]
        print(f"p50 of the journal, {records} per sync: {statistics.median(ratios):.2f} x raw")
    with tempfile.TemporaryDirectory(dir=folder) as made:
        checking, reading = reopening(Path(made), 1_000_000)
    print(f"opening 1,000,000 records: {checking:.2f} s of CPU checking, {reading:.2f} s reading")


if __name__ == "__main__":
    main()
