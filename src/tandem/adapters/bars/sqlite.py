"""Final bars in one SQLite file: every number and revision, one transaction for each call.

The file is in WAL mode, so others read while one process writes; `synchronous` is FULL, so what
was added is on the disk when `add` returns: bars are shown to others only then. The writer holds
a lock beside the file, because two market cores would give one number to two bars.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.errors import ConfigurationError, DiskFailedError, DiskFullError
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.market_words import StoredSeries

LAYOUT: Final = 1
_TABLES: Final = (
    "CREATE TABLE instruments (instrument_id TEXT PRIMARY KEY, grid BLOB NOT NULL) STRICT",
    "CREATE TABLE series (series INTEGER PRIMARY KEY, instrument_id TEXT NOT NULL, "
    "span TEXT NOT NULL, number INTEGER NOT NULL, UNIQUE (instrument_id, span)) STRICT",
    "CREATE TABLE bars (series INTEGER NOT NULL, number INTEGER NOT NULL, "
    "begin_ns INTEGER NOT NULL, revision INTEGER NOT NULL, open INTEGER NOT NULL, "
    "high INTEGER NOT NULL, low INTEGER NOT NULL, close INTEGER NOT NULL, "
    "volume INTEGER NOT NULL, is_filled INTEGER NOT NULL, "
    "PRIMARY KEY (series, number)) STRICT, WITHOUT ROWID",
    "CREATE INDEX bars_by_begin ON bars (series, begin_ns)",
    f"PRAGMA user_version = {LAYOUT}",
)
_COLUMNS: Final = "number, begin_ns, revision, open, high, low, close, volume, is_filled"
_Row = tuple[int, int, int, int, int, int, int, int, int]


class SqliteBars:
    """Satisfies `tandem.ports.BarStore`."""

    def __init__(self, connection: sqlite3.Connection, lock: int | None) -> None:
        """Take an open file; `writing` and `reading` open one."""
        self.connection: Final = connection
        self._lock = lock
        self._series: dict[tuple[str, str], int] = {}

    @classmethod
    def writing(cls, path: Path) -> Self:
        """Open the file to write it; make it where there is none.

        Raises:
            ConfigurationError: another process writes it, or it is no file of ours.
            DiskFailedError: the disk refused.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise ConfigurationError(
                f"{path}: another process writes these bars; stop the pool first"
            ) from error
        os.close(os.open(path, flags, 0o600))
        try:
            return cls(_opened(path, is_writer=True), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def reading(cls, path: Path) -> Self:
        """Open the file to read it; another process may be writing.

        Raises:
            ConfigurationError: there is none, or it is no file of ours.
        """
        if not path.is_file():
            raise ConfigurationError(
                f"{path}: no bars are stored here; 'tandem bars import' brings some"
            )
        return cls(_opened(path, is_writer=False), None)

    def list_instruments(self, instruments: Sequence[Instrument]) -> None:
        """See `BarStore.list_instruments`."""
        with self._writing():
            grids = self._grids()
            for one in instruments:
                stored = grids.get(one.instrument_id)
                if stored is not None and _grid(stored) != _grid(one):
                    raise ConfigurationError(
                        f"{one.instrument_id}: bars are stored with ticks of {stored.tick_size} "
                        f"and lots of {stored.lot_size}, not {one.tick_size} and {one.lot_size}"
                    )
                self.connection.execute(
                    "INSERT OR REPLACE INTO instruments VALUES (?, ?)",
                    (one.instrument_id, msgspec.json.encode(one)),
                )
                grids[one.instrument_id] = one

    def add(self, finals: Sequence[FinalBar]) -> None:
        """See `BarStore.add`."""
        rows: list[tuple[int, ...]] = []
        stored: dict[int, int] = {}
        numbers: dict[int, int] = {}
        with self._writing():
            for final in finals:
                series = self._made_series(final.bar.instrument_id, final.bar.span)
                if series not in numbers:
                    stored[series] = numbers[series] = self._number(series)
                if final.number <= stored[series]:
                    self._check_same(series, final)
                    continue
                numbers[series] += 1
                if final.number != numbers[series]:
                    raise ConfigurationError(
                        f"{final.bar.instrument_id} {final.bar.span}: number {final.number}, "
                        f"expected {numbers[series]}"
                    )
                rows.append((series, *_row(final)))
            self.connection.executemany(
                "INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self.connection.executemany(
                "UPDATE series SET number = ? WHERE series = ?",
                [(number, series) for series, number in numbers.items()],
            )

    def bars(
        self, instrument_id: InstrumentId, span: Span, *, from_ns: int, to_ns: int
    ) -> list[FinalBar]:
        """See `BarStore.bars`."""
        return self._read(
            instrument_id,
            span,
            "begin_ns >= ? AND begin_ns < ? ORDER BY begin_ns, number",
            (from_ns, to_ns),
        )

    def last(self, instrument_id: InstrumentId, span: Span, *, count: int) -> list[FinalBar]:
        """See `BarStore.last`."""
        return self._read(
            instrument_id,
            span,
            "begin_ns IN (SELECT DISTINCT begin_ns FROM bars WHERE series = ?1 "
            "ORDER BY begin_ns DESC LIMIT ?) ORDER BY begin_ns, number",
            (count,),
        )

    def published(
        self, instrument_id: InstrumentId, span: Span, *, after: int, count: int
    ) -> list[FinalBar]:
        """See `BarStore.published`."""
        series = self._series_of(instrument_id, span)
        found = self.connection.execute(
            f"SELECT {_COLUMNS} FROM bars WHERE series = ? AND number > ? "  # noqa: S608 - our own
            "ORDER BY number LIMIT ?",
            (series, after, count),
        )
        return [_final(row, instrument_id, span) for row in found]

    def series(self) -> list[StoredSeries]:
        """See `BarStore.series`."""
        grids = self._grids()
        found = self.connection.execute(
            "SELECT instrument_id, span, s.number, COUNT(DISTINCT begin_ns), COUNT(*), "
            "MIN(begin_ns), MAX(begin_ns) FROM series s JOIN bars b ON b.series = s.series "
            "GROUP BY s.series"
        ).fetchall()
        made = [
            StoredSeries(
                instrument=grids[row[0]],
                span=Span(row[1]),
                number=row[2],
                bars=row[3],
                revisions=row[4] - row[3],
                first_begin_ns=row[5],
                last_begin_ns=row[6],
            )
            for row in found
        ]
        return sorted(made, key=lambda one: (one.instrument.instrument_id, one.span.ns))

    def close(self) -> None:
        """See `BarStore.close`."""
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with _transaction(self.connection):
                yield
        except BaseException:
            self._series.clear()  # some of them may have been made in what was taken back
            raise

    def _read(
        self, instrument_id: InstrumentId, span: Span, where: str, values: tuple[int, ...]
    ) -> list[FinalBar]:
        series = self._series_of(instrument_id, span)
        if series is None:
            return []
        rows = self.connection.execute(
            f"SELECT {_COLUMNS} FROM bars WHERE series = ?1 AND {where}",  # noqa: S608 - our own
            (series, *values),
        )
        latest = {row[1]: row for row in rows}  # of one bar, the latest number comes last
        return [_final(row, instrument_id, span) for row in latest.values()]

    def _series_of(self, instrument_id: InstrumentId, span: Span) -> int | None:
        known = self._series.get((instrument_id, span))
        if known is None:
            row = self.connection.execute(
                "SELECT series FROM series WHERE instrument_id = ? AND span = ?",
                (instrument_id, span),
            ).fetchone()
            if row is None:
                return None
            known = self._series[instrument_id, span] = int(row[0])
        return known

    def _made_series(self, instrument_id: InstrumentId, span: Span) -> int:
        known = self._series_of(instrument_id, span)
        if known is not None:
            return known
        listed = self.connection.execute(
            "SELECT 1 FROM instruments WHERE instrument_id = ?", (instrument_id,)
        )
        if listed.fetchone() is None:
            raise ConfigurationError(f"{instrument_id}: not listed in this store")
        row = self.connection.execute(
            "INSERT INTO series (instrument_id, span, number) VALUES (?, ?, 0) RETURNING series",
            (instrument_id, span),
        ).fetchone()
        return int(row[0])

    def _number(self, series: int) -> int:
        row = self.connection.execute("SELECT number FROM series WHERE series = ?", (series,))
        return int(row.fetchone()[0])

    def _check_same(self, series: int, final: FinalBar) -> None:
        row = self.connection.execute(
            f"SELECT {_COLUMNS} FROM bars WHERE series = ? AND number = ?",  # noqa: S608 - our own
            (series, final.number),
        ).fetchone()
        if tuple(row) != _row(final):
            raise ConfigurationError(
                f"{final.bar.instrument_id} {final.bar.span}: number {final.number} is another bar"
            )

    def _grids(self) -> dict[str, Instrument]:
        rows = self.connection.execute("SELECT instrument_id, grid FROM instruments")
        return {name: msgspec.json.decode(grid, type=Instrument) for name, grid in rows}


def _opened(path: Path, *, is_writer: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=32)
    try:
        layout = _set_up(connection, is_writer=is_writer)
    except sqlite3.OperationalError as error:
        connection.close()
        raise DiskFailedError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigurationError(f"{path}: {error}, expected a file of bars") from error
    except BaseException:
        connection.close()
        raise
    if layout != LAYOUT:
        connection.close()
        raise ConfigurationError(f"{path}: not a file of bars, or of another version")
    return connection


def _set_up(connection: sqlite3.Connection, *, is_writer: bool) -> int:
    """Return the layout of the file, and lay it out where it is empty."""
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL" if is_writer else "PRAGMA query_only = ON")
    connection.execute("PRAGMA synchronous = FULL")
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if is_writer and not tables:
        with _transaction(connection):
            for statement in _TABLES:
                connection.execute(statement)
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    return int(layout)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make one transaction of what follows: all of it is on the disk, or nothing."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_FULL:
            raise DiskFullError(f"bars: {error}") from error
        raise DiskFailedError(f"bars: {error}") from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _grid(instrument: Instrument) -> tuple[object, object]:
    return instrument.tick_size, instrument.lot_size


def _row(final: FinalBar) -> _Row:
    bar = final.bar
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (final.number, bar.begin_ns, final.revision, *prices, bar.volume, int(bar.is_filled))


def _final(row: _Row, instrument_id: InstrumentId, span: Span) -> FinalBar:
    number, begin_ns, revision, opened, high, low, close, volume, is_filled = row
    bar = Bar(
        instrument_id=instrument_id,
        span=span,
        begin_ns=begin_ns,
        open=Ticks(opened),
        high=Ticks(high),
        low=Ticks(low),
        close=Ticks(close),
        volume=Lots(volume),
        is_filled=bool(is_filled),
    )
    return FinalBar(number=number, bar=bar, revision=revision)
