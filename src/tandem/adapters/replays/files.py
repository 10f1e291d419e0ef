"""Which reader a path needs, found by what is there."""

from pathlib import Path
from typing import Final

from tandem.adapters.replays.binance import BinanceFeed
from tandem.adapters.replays.bitfinex import BitfinexCandles
from tandem.adapters.replays.columns import OPTIONS
from tandem.adapters.replays.csv_file import csv_feed
from tandem.adapters.replays.lean import LeanFeed, LeanFile
from tandem.adapters.replays.parquet import parquet_feed
from tandem.adapters.replays.sources import Source, source_of
from tandem.domain.errors import MarketFileError
from tandem.ports import Feed

_SUFFIXES: Final = ".zip, .csv, .csv.gz, .parquet, .json, .gz, or a folder of .zip"


def feeds_at(text: str) -> list[Feed]:
    """Return the feeds that `text` names: a path, and options behind a `?`; one for each symbol.

    A LEAN archive (.zip) brings its twin with it, trades the quotes beside them and the other way
    round, when they are named alike. A folder is one of LEAN archives, at any depth. Then there
    are tables (.csv, .csv.gz, .parquet), Bitfinex's candles (.json), and a raw recording of
    Binance's streams (.gz).

    Raises:
        MarketFileError: there is nothing that we can read.
    """
    source = source_of(text, OPTIONS)
    path = source.path
    if path.is_dir():
        if source.options:
            raise MarketFileError(f"{path}: a folder of LEAN's bars says all by itself")
        return _in_folder(path)
    if not path.is_file():
        raise MarketFileError(f"{path}: no such file or folder")
    return [_in_file(source)]


def _in_file(source: Source) -> Feed:
    path = source.path
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return csv_feed(source)
    if name.endswith((".parquet", ".pq")):
        return parquet_feed(source)
    if name.endswith(".json"):
        return BitfinexCandles(source)
    if source.options:
        raise MarketFileError(f"{path}: this kind of file says all by itself, without a '?'")
    if name.endswith(".gz"):
        return BinanceFeed(path)
    if name.endswith(".zip"):
        stem = path.name.replace("_quote", "_trade")
        twins = [path.with_name(stem), path.with_name(stem.replace("_trade", "_quote"))]
        paths = [path, *(one for one in twins if one != path and one.is_file())]
        return LeanFeed([LeanFile(one) for one in paths])
    raise MarketFileError(f"{path}: expected {_SUFFIXES}")


def _in_folder(path: Path) -> list[Feed]:
    by_symbol: dict[str, list[LeanFile]] = {}
    for one in sorted(path.rglob("*.zip")):
        found = LeanFile(one)
        by_symbol.setdefault(found.symbol, []).append(found)
    if not by_symbol:
        raise MarketFileError(f"{path}: holds no .zip of LEAN's bars")
    return [LeanFeed(by_symbol[symbol]) for symbol in sorted(by_symbol)]
