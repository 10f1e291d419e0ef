"""Rows with named columns, from a CSV or a Parquet file, as the news of a feed.

What a row is follows from its columns: `open high low close volume` is a bar of trades, `bid ask`
with their sizes a best quote, `price size` a single trade. A column is found by its usual names,
or by the option that names it: `?time=Date&volume=Vol`. A row's own time is as it stands; where
times go back, the moment at which the row is known is held, and the filter judges it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tandem.adapters.replays.grid import Grid
from tandem.adapters.replays.sources import Source
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import MS, BestShown, MarketEvent, PublicTrade, TradeBar
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side

NAMES: Final = {
    "time": ("time", "timestamp", "datetime", "date", "ts", "time_ns", "time_ms"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "bid": ("bid", "bid_price"),
    "ask": ("ask", "ask_price"),
    "bid_size": ("bid_size", "bid_quantity", "bid_qty"),
    "ask_size": ("ask_size", "ask_quantity", "ask_qty"),
    "price": ("price",),
    "size": ("size", "quantity", "qty", "amount"),
    "side": ("side", "taker"),
}
_BAR: Final = ("open", "high", "low", "close", "volume")
_BEST: Final = ("bid", "bid_size", "ask", "ask_size")
_TRADE: Final = ("price", "size")
_CLOCKS: Final = {"ns": 1, "us": 1_000, "ms": MS, "s": 1_000 * MS}
_GUESSED: Final = ((17, "ns"), (14, "us"), (11, "ms"), (1, "s"))  # by the digits of a time
_NS_MAX: Final = 10**19
_PLACES: Final = Decimal("0.00000001")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES: Final = {"buy": Side.BUY, "b": Side.BUY, "sell": Side.SELL, "s": Side.SELL, "": None}

OPTIONS: Final = frozenset(
    {*NAMES, "symbol", "span", "class", "clock", "zone", "stamp", "volume_in"}
)
Rows = Callable[[Sequence[str]], Iterator[tuple[str, Sequence[str]]]]


class ColumnFeed:
    """One table; satisfies `tandem.ports.Feed`.

    `rows` yields, for the columns asked, each row's place in words and its texts.
    """

    def __init__(self, source: Source, header: Sequence[str], rows: Rows) -> None:
        """Find out what the columns of `header` mean.

        Raises:
            MarketFileError: the symbol is not said, or the columns are none of the three kinds.
        """
        self._path = source.path
        self._rows = rows
        symbol = source.options.get("symbol")
        if symbol is None:
            raise MarketFileError(f"{source.path}: whose prices? Say ?symbol=BTCUSD behind it")
        self.symbol = symbol.upper()
        classes = tuple(one.value for one in AssetClass)
        self.asset_class = AssetClass(source.chosen("class", classes))
        found = {name: _column(name, source, header) for name in NAMES}
        self._fields = self._kind(found, header)
        self._columns = [found[one] or "" for one in self._fields]
        self.span_ns = source.span_ns if "open" in self._fields else None
        if "open" in self._fields and self.span_ns is None:
            raise MarketFileError(f"{source.path}: how long is a bar? Say ?span=1m behind it")
        clock = source.chosen("clock", ("", *_CLOCKS, "iso"))
        self._time = _TimeReading(source, clock)
        is_start = source.chosen("stamp", ("start", "end")) == "start"
        self._known_after_ns = self.span_ns if self.span_ns is not None and is_start else 0
        self._is_quote_volume = source.chosen("volume_in", ("base", "quote")) == "quote"

    def _kind(self, found: dict[str, str | None], header: Sequence[str]) -> tuple[str, ...]:
        optional = ("side",) if found["side"] is not None else ()
        for fields in (("time", *_BAR), ("time", *_BEST), ("time", *_TRADE, *optional)):
            if all(found[one] is not None for one in fields):
                return fields
        raise MarketFileError(
            f"{self._path}: columns {', '.join(header)[:200]!r}, expected time and "
            f"{' '.join(_BAR)}, or {' '.join(_BEST)}, or {' '.join(_TRADE)}; "
            "?open=NAME names a column"
        )

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """See `Feed.news`."""
        grid = Grid(instrument)
        at_ns = 0
        for place, texts in self._rows(self._columns):
            try:
                told_ns = self._time.ns(texts[0]) + self._known_after_ns
                event = self._event(texts[1:], grid)
            except MarketFileError as error:
                raise MarketFileError(f"{self._path}: {place}: {error}") from error
            at_ns = max(at_ns, told_ns)
            yield FeedNews(at_ns, told_ns, event)

    def _event(self, texts: Sequence[str], grid: Grid) -> MarketEvent:
        if "open" in self._fields:
            return self._bar(texts, grid)
        if "bid" in self._fields:
            bid = (grid.bid(texts[0]), grid.size(texts[1]))
            ask = (grid.ask(texts[2]), grid.size(texts[3]))
            return BestShown(
                instrument_id=grid.instrument_id,
                bid=bid,
                ask=ask,
                off_lot_rounded=grid.taken_rounded(),
            )
        side = texts[2].lower() if len(texts) > len(_TRADE) else ""
        if side not in _SIDES:
            raise MarketFileError(f"side {side[:20]!r}, expected buy or sell")
        price = grid.traded(texts[0])
        quantity = grid.size(texts[1])
        return PublicTrade(
            instrument_id=grid.instrument_id,
            price=price,
            quantity=quantity,
            taker=_SIDES[side],
            off_lot_rounded=grid.taken_rounded(),
        )

    def _bar(self, texts: Sequence[str], grid: Grid) -> TradeBar:
        volume = texts[4]
        if self._is_quote_volume:
            volume = _in_base(volume, texts[3])
        return grid.trade_bar(texts[:4], volume)


class _TimeReading:
    """How the times of one table are written: once found out, always so."""

    def __init__(self, source: Source, clock: str) -> None:
        self._clock = clock
        name = source.options.get("zone", "UTC")
        try:
            self._zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise MarketFileError(
                f"{source.path}: zone {name!r}, expected such as America/New_York"
            ) from error

    def ns(self, text: str) -> int:
        """Return nanoseconds since 1970."""
        clock = self._clock
        if not clock:
            whole = text.partition(".")[0]
            is_count = whole.isdecimal() and whole.isascii()
            clock = self._clock = (
                next(unit for digits, unit in _GUESSED if len(whole) >= digits)
                if is_count
                else "iso"
            )
        return self._from_iso(text) if clock == "iso" else _from_count(text, clock)

    def _from_iso(self, text: str) -> int:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise MarketFileError(
                f"time {text[:40]!r}, expected such as 2024-08-08T16:00:00"
            ) from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        since_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
        if since_ns <= 0:
            raise MarketFileError(f"time {text[:40]!r} is before 1970")
        return since_ns


def _from_count(text: str, clock: str) -> int:
    try:
        since_ns = int(Decimal(text) * _CLOCKS[clock])
    except (InvalidOperation, ValueError, OverflowError):
        since_ns = 0
    if not 0 < since_ns < _NS_MAX:
        raise MarketFileError(f"time {text[:40]!r}, expected a count of {clock} since 1970")
    return since_ns


def _in_base(volume: str, price: str) -> str:
    try:
        return f"{(Decimal(volume) / Decimal(price)).quantize(_PLACES, ROUND_HALF_EVEN):f}"
    except (InvalidOperation, ZeroDivisionError) as error:
        raise MarketFileError(f"volume {volume[:40]!r} at {price[:40]!r} is no volume") from error


def _column(name: str, source: Source, header: Sequence[str]) -> str | None:
    wanted = source.options.get(name)
    if wanted is not None:
        if wanted not in header:
            raise MarketFileError(
                f"{source.path}: no column {wanted!r}, there are {', '.join(header)[:200]}"
            )
        return wanted
    return next((one for one in header if one.strip().lower() in NAMES[name]), None)
