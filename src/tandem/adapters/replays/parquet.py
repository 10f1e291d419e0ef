"""Parquet files, read by DuckDB, which is loaded only when there is one to read.

Every column is asked as text, so that a price is what the file says to its last digit.
"""

import importlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tandem.adapters.replays.columns import ColumnFeed
from tandem.adapters.replays.sources import Source
from tandem.domain.errors import MarketFileError

_ROWS_AT_ONCE: Final = 10_000


def parquet_feed(source: Source) -> ColumnFeed:
    """Return the feed in a Parquet file.

    Raises:
        MarketFileError: it cannot be read, DuckDB is not installed, or it is not clear what the
            columns mean.
    """
    path = source.path
    if find_spec("duckdb") is None:
        raise MarketFileError(
            f"{path}: Parquet needs DuckDB: pip install 'tandem-trading[parquet]'"
        )
    header = [str(row[0]) for row in _answers("DESCRIBE SELECT * FROM read_parquet($path)", path)]

    def read(columns: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        wanted = ", ".join(f"CAST({_quoted(one)} AS VARCHAR)" for one in columns)
        question = f"SELECT {wanted} FROM read_parquet($path)"  # noqa: S608 - quoted names only
        for number, row in enumerate(_answers(question, path), start=1):
            yield f"row {number}", ["" if one is None else str(one) for one in row]

    return ColumnFeed(source, header, read)


def _answers(question: str, path: Path) -> Iterator[tuple[object, ...]]:
    # DuckDB is not there for everybody, so its types cannot be named here.
    duckdb: Any = importlib.import_module("duckdb")
    try:
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            found = connection.execute(question, {"path": str(path)})
            while rows := found.fetchmany(_ROWS_AT_ONCE):
                yield from rows
    except duckdb.Error as error:
        raise MarketFileError(f"{path}: {str(error).splitlines()[0][:200]}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
