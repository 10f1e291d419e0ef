"""Bitfinex's candles: a JSON array of `[MTS, OPEN, CLOSE, HIGH, LOW, VOLUME]`.

MTS is the candle's start in milliseconds. REST gives the newest first unless asked otherwise, so
both orders are read. A span without trades has no candle.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from tandem.adapters.replays.grid import Grid
from tandem.adapters.replays.sources import Source, span_of
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import MS, TradeBar
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.instrument import Instrument

_NAME: Final = re.compile(r"t([A-Z0-9]{6,12})_(\d+[smhd])(?:_.*)?\.json")
_BYTES_MAX: Final = 64_000_000
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
_Candle = tuple[_Milliseconds, Decimal, Decimal, Decimal, Decimal, Decimal]


class BitfinexCandles:
    """One file of candles; satisfies `tandem.ports.Feed`."""

    asset_class: Final = AssetClass.CRYPTO

    def __init__(self, source: Source) -> None:
        """Take symbol and span from `tSYMBOL_SPAN….json` where the options do not say them.

        Raises:
            MarketFileError: neither says them.
        """
        self._path = source.path
        named = _NAME.fullmatch(source.path.name)
        symbol = source.options.get("symbol") or (named[1] if named is not None else None)
        span_ns = source.span_ns
        if span_ns is None and named is not None:
            span_ns = span_of(named[2], source.path)
        if symbol is None or span_ns is None:
            raise MarketFileError(
                f"{source.path}: expected a name such as tBTCUSD_1m.json, "
                "or ?symbol=BTCUSD&span=1m behind it"
            )
        self.symbol = symbol.upper()
        self.span_ns = span_ns

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """See `Feed.news`; a candle is known at its end."""
        candles = self._candles()
        grid = Grid(instrument)
        for number, candle in candles:
            begin_ms, *prices, volume = candle
            try:
                opened, close, high, low = (grid.traded(f"{one:f}") for one in prices)
                end_ns = begin_ms * MS + self.span_ns
                bar = TradeBar(
                    instrument_id=grid.instrument_id,
                    open=opened,
                    high=high,
                    low=low,
                    close=close,
                    volume=grid.size(f"{volume:f}"),
                    off_lot_rounded=grid.taken_rounded(),
                )
            except MarketFileError as error:
                raise MarketFileError(f"{self._path}: candle {number}: {error}") from error
            yield FeedNews(end_ns, end_ns, bar)

    def _candles(self) -> list[tuple[int, _Candle]]:
        """Return the candles with their numbers in the file, oldest first."""
        try:
            if self._path.stat().st_size > _BYTES_MAX:
                raise MarketFileError(f"{self._path}: more than {_BYTES_MAX} bytes")
            found = msgspec.json.decode(self._path.read_bytes(), type=list[_Candle])
        except (OSError, msgspec.DecodeError) as error:
            raise MarketFileError(
                f"{self._path}: {error}, expected an array of [MTS, OPEN, CLOSE, HIGH, LOW, VOLUME]"
            ) from error
        numbered = list(enumerate(found, start=1))
        if len(found) > 1 and found[0][0] > found[-1][0]:
            numbered.reverse()
        for (_, before), (number, candle) in pairwise(numbered):
            if candle[0] <= before[0]:
                raise MarketFileError(
                    f"{self._path}: candle {number}: not in the order of time, or twice"
                )
        return numbered
