"""CSV files, compressed with gzip or not, with the names of their columns in the first line."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from tandem.adapters.replays.columns import ColumnFeed
from tandem.adapters.replays.sources import Source
from tandem.domain.errors import MarketFileError

_COLUMNS_MAX: Final = 1_000


def csv_feed(source: Source) -> ColumnFeed:
    """Return the feed in a CSV file.

    Raises:
        MarketFileError: it cannot be read, or it is not clear what its columns mean.
    """
    path = source.path
    with _rows_of(path) as rows:
        header = next(rows, [])
    if not header or len(header) > _COLUMNS_MAX:
        raise MarketFileError(f"{path}: line 1: expected the names of the columns")

    def read(columns: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        places = [header.index(one) for one in columns]
        with _rows_of(path) as rows:
            next(rows, None)
            for number, row in enumerate(rows, start=2):
                if not row:
                    continue
                if len(row) != len(header):
                    raise MarketFileError(
                        f"{path}: line {number}: {len(row)} columns, expected {len(header)}"
                    )
                yield f"line {number}", [row[one] for one in places]

    return ColumnFeed(source, header, read)


@contextmanager
def _rows_of(path: Path) -> Iterator[Iterator[list[str]]]:
    reader = None
    try:
        with _opened(path) as content:
            reader = csv.reader(content, strict=True)
            yield reader
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        place = f"after line {reader.line_num}: " if reader is not None else ""
        raise MarketFileError(f"{path}: {place}{error}") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
