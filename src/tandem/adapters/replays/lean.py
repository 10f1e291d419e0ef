"""LEAN's bars: one CSV file in a zip archive, without a header.

Archives of seconds and minutes hold one day, and a row begins with the bar's start in
milliseconds after midnight; those of hours and days hold everything, and a row begins with
`YYYYMMDD HH:MM`. Trade rows go on with open, high, low, close and volume; quote rows with the
bid's open, high, low, close and size, then the ask's. A quiet span has no row. A bar becomes an
event at its end: before, nobody knew it.

Times are UTC, but New York's for US equities, whose prices are written in ten-thousandths. Forex
has quotes only, without sizes: they are taken for `UNTOLD_SIZE`, since a book needs some.
"""

import heapq
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from tandem.adapters.replays.grid import Grid
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import DAY_NS, MS, MarketEvent, QuoteBar
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.instrument import Instrument

UNTOLD_SIZE: Final = Decimal(1_000_000)

_DAY_NAME: Final = re.compile(r"(\d{8})_(\w+?)_(minute|second)_(trade|quote)\w*\.csv")
_WHOLE_NAME: Final = re.compile(r"([a-z0-9]+)(?:_(trade|quote))?(?:_\w+)?\.csv", re.IGNORECASE)
_KIND: Final = re.compile(r"_(trade|quote)(?:_\w+)?$")
_MOMENT: Final = re.compile(r"\d{8} \d\d:\d\d")
_SPANS: Final = {
    "second": 1_000 * MS,
    "minute": 60_000 * MS,
    "hour": 3_600_000 * MS,
    "daily": DAY_NS,
}
_COLUMNS: Final = {"trade": 6, "quote": 11}
_FOLDERS: Final = {
    "crypto": AssetClass.CRYPTO,
    "cryptofuture": AssetClass.CRYPTO,
    "forex": AssetClass.FOREX,
    "cfd": AssetClass.FOREX,
    "equity": AssetClass.EQUITY,
}
_NEW_YORK: Final = "America/New_York"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LINE_MAX: Final = 1_000


class LeanFile:
    """One archive: whose bars it holds, of which kind and length, from when on."""

    def __init__(self, path: Path) -> None:
        """Look into the archive at `path`, without reading its bars.

        Its folders tell the class of what is traded (`crypto`, `forex`, `equity`; crypto when
        they tell nothing), and those named `hour` or `daily` how long its bars are.

        Raises:
            MarketFileError: it is not an archive with one file named as LEAN names it.
        """
        self.path = path
        folders = path.absolute().parts[-5:-1]
        classes = [_FOLDERS[one] for one in folders if one in _FOLDERS]
        self.asset_class = classes[0] if classes else AssetClass.CRYPTO
        self._entry = _only_entry(path)
        self._zone: tzinfo = UTC
        if self.asset_class is AssetClass.EQUITY:
            self._zone = ZoneInfo(_NEW_YORK)
        of_a_day = _DAY_NAME.fullmatch(self._entry)
        whole = _WHOLE_NAME.fullmatch(self._entry)
        self._midnight: datetime | None = None
        if of_a_day is not None:
            self.symbol = of_a_day[2].upper()
            self.kind = of_a_day[4]
            self.span_ns = _SPANS[of_a_day[3]]
            self._midnight = _midnight(of_a_day[1], path)
        elif whole is not None and folders and folders[-1] in ("hour", "daily"):
            self.symbol = whole[1].upper()
            self.kind = whole[2] or _kind_of(path, self.asset_class)
            self.span_ns = _SPANS[folders[-1]]
        else:
            raise MarketFileError(
                f"{path}: holds {self._entry!r}, expected YYYYMMDD_SYMBOL_RESOLUTION_KIND.csv, "
                "or SYMBOL.csv in a folder hour or daily"
            )
        # Where the files of one symbol begin, so that they are opened one after the other.
        self.begins_on = "" if of_a_day is None else of_a_day[1]

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """Yield the bars at their ends, oldest first.

        Raises:
            MarketFileError: a row is malformed or out of order; names the line.
        """
        is_equity = self.asset_class is AssetClass.EQUITY
        grid = Grid(instrument, unit=Decimal("0.0001") if is_equity else Decimal(1))
        last_ns = 0
        number = 0
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._entry) as content:
                lines = io.TextIOWrapper(content, "ascii")
                while row := lines.readline(_LINE_MAX):
                    number += 1
                    fields = row.rstrip("\r\n").split(",")
                    last_ns = self._end_ns(fields, after_ns=last_ns)
                    yield FeedNews(last_ns, last_ns, self._bar(fields[1:], grid))
        except (MarketFileError, UnicodeDecodeError, zipfile.BadZipFile, EOFError) as error:
            raise MarketFileError(f"{self.path}: line {number}: {error}") from error

    def _end_ns(self, fields: list[str], *, after_ns: int) -> int:
        wanted = _COLUMNS[self.kind]
        if len(fields) != wanted:
            raise MarketFileError(f"{len(fields)} columns, expected {wanted}")
        end_ns = self._end_of(fields[0])
        if end_ns <= after_ns:
            raise MarketFileError("not later than the row before")
        return end_ns

    def _end_of(self, text: str) -> int:
        if self._midnight is None:
            begin = _moment(text)
        elif text.isdecimal() and len(text) <= len(str(DAY_NS // MS)):
            if self._zone is UTC:
                return _since_epoch_ns(self._midnight) + int(text) * MS + self.span_ns
            begin = self._midnight + timedelta(milliseconds=int(text))
        else:
            raise MarketFileError(f"{text!r} is no time of day in milliseconds")
        # A bar lasts as long on the clock of its zone; a day there may have 23 or 25 hours.
        end = begin + timedelta(microseconds=self.span_ns // 1_000)
        return _since_epoch_ns(end.replace(tzinfo=self._zone))

    def _bar(self, fields: list[str], grid: Grid) -> MarketEvent:
        if self.kind == "trade":
            return grid.trade_bar(fields[:4], fields[4])
        bids = (grid.bid(fields[0]), grid.bid(fields[1]), grid.bid(fields[2]), grid.bid(fields[3]))
        asks = (grid.ask(fields[5]), grid.ask(fields[6]), grid.ask(fields[7]), grid.ask(fields[8]))
        bid_quantity = grid.size(fields[4])
        ask_quantity = grid.size(fields[9])
        if self.asset_class is AssetClass.FOREX and not bid_quantity and not ask_quantity:
            bid_quantity = ask_quantity = grid.size(str(UNTOLD_SIZE))
        return QuoteBar(
            instrument_id=grid.instrument_id,
            bids=bids,
            asks=asks,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            off_lot_rounded=grid.taken_rounded(),
        )


class LeanFeed:
    """The bars of one symbol in several archives; satisfies `tandem.ports.Feed`."""

    def __init__(self, files: list[LeanFile]) -> None:
        """Read those archives, at least one.

        Raises:
            MarketFileError: they are not of one symbol, or their bars are not equally long.
        """
        symbols = sorted({one.symbol for one in files})
        spans = sorted({one.span_ns for one in files})
        if len(symbols) != 1 or len(spans) != 1:
            seconds = ", ".join(str(one // (1_000 * MS)) for one in spans)
            raise MarketFileError(
                f"{files[0].path.parent}: bars of {symbols} of {seconds} seconds, expected those "
                "of one symbol and one length"
            )
        self.symbol = symbols[0]
        self.span_ns = spans[0]
        self.asset_class = files[0].asset_class
        self._files = files

    def news(self, instrument: Instrument) -> Iterator[FeedNews]:
        """See `Feed.news`.

        At one moment, trades come before quotes: they happened in the span that ends, and the
        quote is what is left at its end.
        """
        ordered = sorted(self._files, key=lambda one: (one.kind == "quote", one.path))
        ordered.sort(key=lambda one: one.begins_on)
        for _, one_day in groupby(ordered, key=lambda one: one.begins_on):
            streams = [one.news(instrument) for one in one_day]
            yield from heapq.merge(*streams, key=lambda one: one.at_ns)


def _only_entry(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise MarketFileError(f"{path}: no zip archive ({error})") from error
    if len(names) != 1:
        raise MarketFileError(f"{path}: holds {names[:3]}, expected one file of LEAN's bars")
    return names[0]


def _kind_of(path: Path, asset_class: AssetClass) -> str:
    """Return what the archive's name says, or else what there is of its class."""
    found = _KIND.search(path.stem)
    if found is not None:
        return found[1]
    return "quote" if asset_class is AssetClass.FOREX else "trade"


def _midnight(text: str, path: Path) -> datetime:
    try:
        found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise MarketFileError(f"{path}: {text} is no day") from error
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _moment(text: str) -> datetime:
    """Return `YYYYMMDD HH:MM`, as a clock shows it."""
    if _MOMENT.fullmatch(text) is None:
        raise MarketFileError(f"{text!r} is no time like 20131001 16:00")
    day, time = text.split(" ")
    try:
        return datetime(
            int(day[:4]), int(day[4:6]), int(day[6:]), int(time[:2]), int(time[3:]), tzinfo=UTC
        )
    except ValueError as error:
        raise MarketFileError(f"{text!r} is no time like 20131001 16:00") from error


def _since_epoch_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
