"""Which reader a path needs, found by what is there."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tandem.adapters.replays.binance import BinanceFile
from tandem.adapters.replays.lean import LeanFile, merged
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import MarketEvent
from tandem.domain.instrument import Instrument


class Replay:
    """Recorded data of one symbol; `events` reads it from the beginning."""

    def __init__(
        self, symbol: str, events: Callable[[Instrument], Iterator[tuple[int, MarketEvent]]]
    ) -> None:
        """Read data of `symbol` with that function."""
        self.symbol = symbol
        self.events = events


def replay_of(path: Path) -> Replay:
    """Return what lies at `path`: a Binance recording (.gz), a LEAN archive, or a folder of them.

    A folder's archives must be of one symbol; a trade archive brings the quotes beside it, and
    the other way round, when they are named alike.

    Raises:
        MarketFileError: there is nothing that we can read.
    """
    if path.suffix == ".gz":
        symbol = BinanceFile(path).symbol()
        return Replay(symbol, lambda instrument: BinanceFile(path).events(instrument))
    if path.is_dir():
        paths = sorted(path.glob("*.zip"))
    else:
        stem = path.name.replace("_quote", "_trade")
        twins = [path.with_name(stem), path.with_name(stem.replace("_trade", "_quote"))]
        paths = [path, *(one for one in twins if one != path and one.is_file())]
    files = [LeanFile(one) for one in paths]
    symbols = sorted({one.symbol for one in files})
    if len(symbols) != 1:
        raise MarketFileError(f"{path}: holds bars of {symbols}, expected those of one symbol")
    return Replay(symbols[0], lambda instrument: merged(files, instrument))
