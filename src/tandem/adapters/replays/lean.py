"""LEAN's bars: one CSV file in a zip archive, one day of minutes or seconds, no header, UTC.

A row begins with the bar's start in milliseconds after midnight. Trade rows go on with open,
high, low, close and volume; quote rows with the bid's open, high, low, close and size, then the
ask's. A quiet span has no row. A bar becomes an event at its end: before, nobody knew it.
"""

import heapq
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Final

from tandem.adapters.replays.grid import Grid
from tandem.domain.errors import MarketFileError
from tandem.domain.exchange import DAY_NS, MS, MarketEvent, QuoteBar, TradeBar
from tandem.domain.instrument import Instrument

_NAME: Final = re.compile(r"(\d{4})(\d{2})(\d{2})_(\w+?)_(minute|second)_(trade|quote)\w*\.csv")
_SPANS: Final = {"minute": 60_000 * MS, "second": 1_000 * MS}
_COLUMNS: Final = {"trade": 6, "quote": 11}
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LINE_MAX: Final = 1_000


class LeanFile:
    """One archive: whose bars it holds, of which kind, of which day."""

    def __init__(self, path: Path) -> None:
        """Look into the archive at `path`, without reading its bars.

        Raises:
            MarketFileError: it is not an archive with one file named as LEAN names it.
        """
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise MarketFileError(f"{path}: no zip archive ({error})") from error
        found = _NAME.fullmatch(names[0]) if len(names) == 1 else None
        if found is None:
            raise MarketFileError(f"{path}: holds {names[:3]}, expected one file of LEAN's bars")
        self._entry = names[0]
        self.symbol = found[4].upper()
        self._kind = found[6]
        self._span_ns = _SPANS[found[5]]
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError as error:
            raise MarketFileError(f"{path}: {names[0]} names no day") from error
        self.begins_ns = (day.toordinal() - _EPOCH) * DAY_NS

    def events(self, instrument: Instrument) -> Iterator[tuple[int, MarketEvent]]:
        """Yield (end of the bar, bar), oldest first.

        Raises:
            MarketFileError: a row is malformed or out of order; names the line.
        """
        grid = Grid(instrument)
        last_ns = self.begins_ns
        number = 0
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._entry) as content:
                lines = io.TextIOWrapper(content, "ascii")
                while row := lines.readline(_LINE_MAX):
                    number += 1
                    fields = row.rstrip("\r\n").split(",")
                    last_ns = self._end_of(fields, after_ns=last_ns)
                    yield last_ns, self._bar(fields[1:], grid)
        except (MarketFileError, UnicodeDecodeError, zipfile.BadZipFile, EOFError) as error:
            raise MarketFileError(f"{self.path}: line {number}: {error}") from error

    def _end_of(self, fields: list[str], *, after_ns: int) -> int:
        wanted = _COLUMNS[self._kind]
        if len(fields) != wanted:
            raise MarketFileError(f"{len(fields)} columns, expected {wanted}")
        if not (fields[0].isdecimal() and len(fields[0]) <= len(str(DAY_NS // MS))):
            raise MarketFileError(f"{fields[0]!r} is no time of day in milliseconds")
        at_ns = self.begins_ns + int(fields[0]) * MS + self._span_ns
        if at_ns <= after_ns:
            raise MarketFileError("not later than the row before")
        return at_ns

    def _bar(self, fields: list[str], grid: Grid) -> MarketEvent:
        if self._kind == "trade":
            opened, high, low, close = (grid.traded(one) for one in fields[:4])
            volume = grid.size(fields[4])
            return TradeBar(
                instrument_id=grid.instrument_id,
                open=opened,
                high=high,
                low=low,
                close=close,
                volume=volume,
                off_lot_rounded=grid.taken_rounded(),
            )
        bids = (grid.bid(fields[0]), grid.bid(fields[1]), grid.bid(fields[2]), grid.bid(fields[3]))
        asks = (grid.ask(fields[5]), grid.ask(fields[6]), grid.ask(fields[7]), grid.ask(fields[8]))
        bid_quantity = grid.size(fields[4])
        ask_quantity = grid.size(fields[9])
        return QuoteBar(
            instrument_id=grid.instrument_id,
            bids=bids,
            asks=asks,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            off_lot_rounded=grid.taken_rounded(),
        )


def merged(files: list[LeanFile], instrument: Instrument) -> Iterator[tuple[int, MarketEvent]]:
    """Yield the bars of several files in time order.

    At one moment, trades come before quotes: they happened in the span that ends, and the quote
    is what is left at its end.
    """
    ordered = sorted(files, key=lambda one: one.path.name, reverse=True)
    ordered.sort(key=lambda one: one.begins_ns)
    for _, one_day in groupby(ordered, key=lambda one: one.begins_ns):
        streams = [one.events(instrument) for one in one_day]
        yield from heapq.merge(*streams, key=lambda one: one[0])
