"""A raw recording of Binance's spot streams: depth changes, best prices, trades, one snapshot.

A line is the local receive time in nanoseconds, a space, and the JSON text as it came. Receive
times order the events; they are never compared with the exchange's own clock, which may be ahead.

Binance's documentation, "How to manage a local order book correctly": buffer the changes, take a
snapshot, drop changes whose last id `u` is not above `lastUpdateId`; from then on each change's
first id `U` must follow the `u` before it. Depth comes every 100 ms, best prices at once; when a
change of depth is older than the best prices we have seen, those are said again after it.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec

from tandem.adapters.replays.grid import Grid
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import MS, BestShown, DepthShown, Level, MarketEvent, PublicTrade
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side

_LINE_MAX: Final = 10_000_000
_BUFFERED_MAX: Final = 10_000
_TIME_MAX: Final = 19  # digits of a time in nanoseconds

_Levels = list[tuple[str, str]]
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
_Told = tuple[int | None, MarketEvent]  # the exchange's own time, where it tells one


class _Depth(msgspec.Struct):
    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    bids: _Levels = msgspec.field(name="b")
    asks: _Levels = msgspec.field(name="a")
    told_ms: _Milliseconds | None = msgspec.field(default=None, name="E")


class _Best(msgspec.Struct):
    last: int = msgspec.field(name="u")
    bid: str = msgspec.field(name="b")
    bid_size: str = msgspec.field(name="B")
    ask: str = msgspec.field(name="a")
    ask_size: str = msgspec.field(name="A")


class _Trade(msgspec.Struct):
    number: int = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    size: str = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")
    traded_ms: _Milliseconds | None = msgspec.field(default=None, name="T")


class _Snapshot(msgspec.Struct):
    last: int = msgspec.field(name="lastUpdateId")
    bids: _Levels
    asks: _Levels


class _Stream(msgspec.Struct):
    """Any line: a stream's message, or the snapshot, which has no stream."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


class BinanceFile:
    """One recording, and what was seen in it so far; read it once."""

    def __init__(self, path: Path) -> None:
        """Read the gzip file at `path`."""
        self.path = path
        self.trades = 0
        self.trade_gaps = 0
        self.depth_applied = 0
        self.depth_gaps = 0
        self.last_update = 0
        self._is_synchronized = False
        self._last_trade = 0
        self._early: list[_Depth] = []
        self._best: _Best | None = None

    def symbol(self) -> str:
        """Return the symbol that the first stream's name tells.

        Raises:
            MarketFileError: there is none.
        """
        for number, (_, text) in enumerate(self._lines(), start=1):
            try:
                stream = _decoded(text).stream
            except msgspec.DecodeError as error:
                raise MarketFileError(f"{self.path}: line {number}: {error}") from error
            if stream:
                return stream.partition("@")[0].upper()
        raise MarketFileError(f"{self.path}: names no stream")

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """Yield what came when it was received, oldest first; a time that goes back is held.

        Raises:
            MarketFileError: the file or a line is malformed; names the line.
        """
        grid = Grid(instrument)
        at_ns = gaps_before = 0
        for number, (received_ns, text) in enumerate(self._lines(), start=1):
            at_ns = max(at_ns, received_ns)
            try:
                for told_ns, event in self._read(text, grid):
                    gaps = self.trade_gaps + self.depth_gaps
                    yield FeedNews(at_ns, told_ns, event, gaps > gaps_before)
                    gaps_before = gaps
            except (msgspec.DecodeError, MarketFileError) as error:
                raise MarketFileError(f"{self.path}: line {number}: {error}") from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            with gzip.open(self.path) as content:
                while line := content.readline(_LINE_MAX):
                    number += 1
                    time, _, text = line.partition(b" ")
                    if not time.isdigit() or len(time) > _TIME_MAX:
                        raise MarketFileError(
                            f"{self.path}: line {number}: begins with no time in nanoseconds"
                        )
                    yield int(time), text
        except (OSError, EOFError, zlib.error) as error:
            raise MarketFileError(f"{self.path}: after line {number}: {error}") from error

    def _read(self, text: bytes, grid: Grid) -> Iterator[_Told]:
        line = _decoded(text)
        if not line.stream:
            yield from self._start(msgspec.json.decode(text, type=_Snapshot), grid)
            return
        kind = line.stream.split("@")[1:2]
        if kind == ["trade"]:
            trade = msgspec.json.decode(line.data, type=_Trade)
            yield _in_ns(trade.traded_ms), self._trade(trade, grid)
        elif kind == ["bookTicker"]:
            self._best = msgspec.json.decode(line.data, type=_Best)
            yield None, _best_shown(self._best, grid)
        elif kind == ["depth"]:
            depth = msgspec.json.decode(line.data, type=_Depth)
            if self._is_synchronized:
                yield from self._change(depth, grid)
            elif len(self._early) < _BUFFERED_MAX:
                self._early.append(depth)

    def _trade(self, trade: _Trade, grid: Grid) -> PublicTrade:
        self.trades += 1
        if self._last_trade and trade.number != self._last_trade + 1:
            self.trade_gaps += 1
        self._last_trade = trade.number
        price = grid.traded(trade.price)
        quantity = grid.size(trade.size)
        return PublicTrade(
            instrument_id=grid.instrument_id,
            price=price,
            quantity=quantity,
            taker=Side.SELL if trade.buyer_is_maker else Side.BUY,
            off_lot_rounded=grid.taken_rounded(),
        )

    def _start(self, snapshot: _Snapshot, grid: Grid) -> Iterator[_Told]:
        self._is_synchronized = True
        self.last_update = snapshot.last
        yield None, _depth_shown(snapshot, grid, is_whole=True)
        for depth in self._early:
            yield from self._change(depth, grid)
        self._early.clear()

    def _change(self, depth: _Depth, grid: Grid) -> Iterator[_Told]:
        if depth.last <= self.last_update:
            return
        if depth.first > self.last_update + 1:
            self.depth_gaps += 1
        self.depth_applied += 1
        self.last_update = depth.last
        yield _in_ns(depth.told_ms), _depth_shown(depth, grid, is_whole=False)
        if self._best is not None and self._best.last > depth.last:
            yield None, _best_shown(self._best, grid)


class BinanceFeed:
    """The same recording, as often as one likes; satisfies `tandem.ports.Feed`."""

    asset_class: Final = AssetClass.CRYPTO
    span_ns: Final = None

    def __init__(self, path: Path) -> None:
        """Look whose recording lies at `path`.

        Raises:
            MarketFileError: it cannot be read, or names no stream.
        """
        self.symbol = BinanceFile(path).symbol()
        self._path = path

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """See `Feed.news`."""
        return BinanceFile(self._path).news(instrument)


def _in_ns(told_ms: int | None) -> int | None:
    return None if told_ms is None else told_ms * MS


def _decoded(text: bytes) -> _Stream:
    return msgspec.json.decode(text, type=_Stream)


def _depth_shown(said: _Depth | _Snapshot, grid: Grid, *, is_whole: bool) -> DepthShown:
    bids: tuple[Level, ...] = tuple((grid.bid(one), grid.size(size)) for one, size in said.bids)
    asks: tuple[Level, ...] = tuple((grid.ask(one), grid.size(size)) for one, size in said.asks)
    return DepthShown(
        instrument_id=grid.instrument_id,
        bids=bids,
        asks=asks,
        is_whole=is_whole,
        off_lot_rounded=grid.taken_rounded(),
    )


def _best_shown(best: _Best, grid: Grid) -> BestShown:
    bid = (grid.bid(best.bid), grid.size(best.bid_size))
    ask = (grid.ask(best.ask), grid.size(best.ask_size))
    return BestShown(
        instrument_id=grid.instrument_id,
        bid=bid,
        ask=ask,
        off_lot_rounded=grid.taken_rounded(),
    )
