"""Whole trading days at a hundred times the speed of life: `python -m tests.system.day`.

Each day is one of the calendar, by the market's clock: a usual one, and one that ends early. Many
orders buy in its first part and sell in its second; an objective makes every account flat before
the session ends. Judged by the exchange's own books: what is held when the session is over, and
how many trades there were. Printed as well: memory and journal, as they grow.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange, verify_journals
from tests.system.running import RUN, environment, processes

SYMBOLS: Final = ("TSLA", "MSFT", "GE", "T", "INTC")
ACCOUNTS: Final = 8
LOOK_S: Final = 5.0
WORKERS: Final = 9


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One session of the calendar, in UTC."""

    name: str
    opens: str
    closes: str


DAYS: Final = (
    Day(name="2026-11-25", opens="2026-11-25T14:30+00:00", closes="2026-11-25T21:00+00:00"),
    Day(
        name="2026-11-27, closes early",
        opens="2026-11-27T14:30+00:00",
        closes="2026-11-27T18:00+00:00",
    ),
)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool weighs at one moment."""

    after_s: float
    coordinator_mb: float
    exchange_mb: float
    workers_mb: float


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def session_text(day: Day, *, trades: int, speed: int) -> str:
    """Return a session file: each symbol bought for two fifths of the day, sold in the next two.

    One slice is one trade on each account, so the slices are so many that all of them together
    make at least that number of trades.
    """
    opens, closes = datetime.fromisoformat(day.opens), datetime.fromisoformat(day.closes)
    part = (closes - opens) * 2 // 5
    seconds = int(part.total_seconds())
    slices = -(-trades // (2 * ACCOUNTS * len(SYMBOLS)))
    flat_by = (closes - timedelta(minutes=10)).isoformat()
    lines = [
        f"workers = {WORKERS}",
        f'begin = "{day.opens}"',
        f'speed = "{speed}"',
        f'lasts = "{int((closes - opens).total_seconds())}s"',
        "[[commands]]",
        f'do = "objectives set --flat-by {flat_by} --symbols {",".join(SYMBOLS)}"',
    ]
    quantity = slices * ACCOUNTS
    for side, after in (("buy", "10s"), ("sell", f"{seconds + 60}s")):
        for symbol in SYMBOLS:
            order = f"algo twap {side} {symbol} {quantity} --for {seconds}s --slices {slices}"
            lines += ["[[commands]]", f'do = "{order}"', f'after = "{after}"']
            after = "1s"
    return "\n".join(lines) + "\n"


def look(home: Home, began_s: float) -> Look | None:
    """Weigh the pool of a home; None when it is not there."""
    supervisor = home.running_pid()
    found = processes(supervisor) if supervisor else {}
    if "coordinator" not in found or "exchange" not in found:
        return None
    workers = [pid for name, pid in found.items() if name[-1:].isdigit()]
    return Look(
        after_s=time.monotonic() - began_s,
        coordinator_mb=_pss_mb(found["coordinator"]),
        exchange_mb=_pss_mb(found["exchange"]),
        workers_mb=sum(map(_pss_mb, workers)),
    )


def _pss_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(found[0]) / 1024 if found else 0.0


def run_day(day: Day, folder: Path, *, trades: int, speed: int) -> bool:
    """Trade one day; return whether it was as promised."""
    folder.mkdir()
    file, home = folder / "day.toml", Home(folder / "home")
    file.write_text(session_text(day, trades=trades, speed=speed), encoding="utf-8")
    home.make()
    pace = "max_orders_per_second = 100000\nmax_duplicates = 1000000\n"
    settings = f'calendar = "XNYS"\nshares = 0\n[limits]\n{pace}'
    home.settings_file.write_text(settings, encoding="utf-8")
    began_s = time.monotonic()
    looks: list[Look] = []
    arguments = [sys.executable, "-c", RUN, "session", "run", file, "--home", home.folder]
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [str(one) for one in arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
        try:
            while process.poll() is None:
                time.sleep(LOOK_S)
                found = look(home, began_s)
                looks += [found] if found is not None else []
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    text = (folder / "said.txt").read_text(encoding="utf-8")
    write(f"-- {day.name}: {time.monotonic() - began_s:.0f} s")
    write("\n".join(text.splitlines()[-12:]))
    return _judge(home, looks, trades=trades) and process.returncode == 0


def _judge(home: Home, looks: list[Look], *, trades: int) -> bool:
    state = replayed_exchange(home).state
    executions = sum(len(one.executions) + one.dropped for one in state.accounts)
    held = {
        (account.settings.account_id, instrument_id): lots
        for account in state.accounts
        for instrument_id, lots in account.positions.items()
        if lots and instrument_id.partition(":")[2] in SYMBOLS
    }
    open_orders = sum(
        record.status is None for account in state.accounts for record in account.records.values()
    )
    for one in looks[:: max(1, len(looks) // 8)]:
        write(
            f"  after {one.after_s:5.0f} s: coordinator {one.coordinator_mb:6.1f} MB, exchange "
            f"{one.exchange_mb:6.1f} MB, workers together {one.workers_mb:6.1f} MB"
        )
    for name, one_journal in verify_journals(home).items():
        size = one_journal.size_bytes
        write(
            f"  {name} journal: {size / 1e6:.2f} MB, {size / max(1, executions):.0f} bytes a trade"
        )
    flat = "flat" if not held else f"NOT FLAT: {held}"
    write(f"  {executions} trades, {flat}, {open_orders} orders open")
    return executions >= trades and not held and not open_orders


def main(arguments: Sequence[str]) -> int:
    """Trade the days; return 1 when one was not as promised."""
    parser = argparse.ArgumentParser(prog="day", description=__doc__)
    parser.add_argument("--trades", type=int, default=10_000)
    parser.add_argument("--speed", type=int, default=100)
    parser.add_argument("--early-only", action="store_true", help="only the day that closes early")
    chosen = parser.parse_args(arguments)
    good = True
    with tempfile.TemporaryDirectory(prefix="tandem-day-") as folder:
        for number, day in enumerate(DAYS[1:] if chosen.early_only else DAYS):
            place = Path(folder) / f"day{number}"
            good &= run_day(day, place, trades=chosen.trades, speed=chosen.speed)
    write("as promised" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
