"""Parquet files of bars, written by DuckDB, which is loaded only when one is wanted."""

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tandem.domain.errors import ConfigurationError


def write_parquet(path: Path, *, table: Path, columns: dict[str, str]) -> None:
    """Write the CSV file `table` to `path`, with the columns and SQL types that it has.

    Raises:
        ConfigurationError: DuckDB is not installed, or the file cannot be written.
    """
    if find_spec("duckdb") is None:
        raise ConfigurationError(
            f"{path}: Parquet needs DuckDB: pip install 'tandem-trading[parquet]'"
        )
    # DuckDB is not there for everybody, so its types cannot be named here.
    duckdb: Any = importlib.import_module("duckdb")
    try:
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            found = connection.read_csv(str(table), header=True, columns=columns)
            found.write_parquet(str(path), compression="zstd")
    except duckdb.Error as error:
        raise ConfigurationError(f"{path}: {str(error).splitlines()[0][:200]}") from error
