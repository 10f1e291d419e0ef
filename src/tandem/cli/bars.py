"""`tandem bars`: the history of final bars; recordings in, tables out."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TextIO

from cyclopts import App, Parameter

from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.cli.typed import moment_text, time_ns
from tandem.domain.bars import FinalBar, Span
from tandem.domain.errors import ConfigurationError
from tandem.domain.instrument import Instrument
from tandem.ports import BarStore
from tandem.wiring.bars import (
    Imported,
    bars_between,
    has_replayed,
    import_feed,
    instrument_stored,
    reading,
    write_parquet,
    writing,
)
from tandem.wiring.feeds import open_feeds, places_of
from tandem.wiring.home import Home
from tandem.wiring.whole_files import write_whole

app = new_app()
bars = App(name="bars", help="The history of final bars: show it, bring recordings in, export it.")
app.command(bars)

SHOWN: Final = 40
_FIRST_NS: Final = 0
_LAST_NS: Final = 2**62
_HEADS: Final = ("time", "open", "high", "low", "close", "volume", "filled", "number", "revision")
SpanWord = Literal["1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which bars.

    Attributes:
        span: How long each is.
        from_time: Those that begin from this time on, UTC, such as 2018-04-05 or 2018-04-05T09:30.
        to_time: Those that begin before this time.
        home: Where journals and bars are ($XDG_DATA_HOME/tandem).
    """

    span: SpanWord = "1m"
    from_time: Annotated[str | None, Parameter(name="--from")] = None
    to_time: Annotated[str | None, Parameter(name="--to")] = None
    home: HomeOption = None


_ALL: Final = Which()


@bars.command
def show(
    symbol: str | None = None,
    /,
    *,
    which: Which = _ALL,
    count: int = SHOWN,
    replayed: bool = False,
    json: JsonOption = False,
) -> int:
    """Show stored bars, the latest revision of each; without a symbol, what is stored.

    A market with a clock of its own (`tandem up --replay` or `--begin`) keeps its bars apart,
    until the next one begins: those are shown with --replayed.

    Args:
        symbol: Whose bars, such as BTCUSD.
        which: Which of them.
        count: The latest so many of them, 0 for all.
        replayed: Those of the market with a clock of its own that ran last.
        json: Print JSON.
    """

    async def act() -> int:
        if count < 0:
            raise BadInputError(f"--count {count}: expected 0 or more")
        with opened(home_of(which.home), is_replay=replayed) as store:
            if symbol is None:
                code = show_series(store, sys.stdout, as_json=json)
                sys.stderr.write(_hint(home_of(which.home), is_replay=replayed))
                return code
            found, instrument = found_bars(store, symbol, which)
            return show_bars(found[-count:], instrument, sys.stdout, as_json=json)

    return finish(act)


@bars.command(name="import")
def bring_in(places: list[str], /, *, home: HomeOption = None, json: JsonOption = False) -> int:
    """Bring recordings in through the market core, as if they were heard live.

    What is stored already is left as it is; what differs from it comes as a revision. Not while
    a pool of this home writes bars.

    Args:
        places: Files or folders, as `tandem feeds show` takes them.
        home: Where journals and bars are ($XDG_DATA_HOME/tandem).
        json: Print JSON.
    """

    async def act() -> int:
        found = imported(home_of(home), places)
        return show_imported(found, sys.stdout, as_json=json)

    return finish(act)


@bars.command
def export(symbol: str, out: Path, /, *, which: Which = _ALL, replayed: bool = False) -> int:
    """Write stored bars to a file: .csv, .json or .parquet.

    Args:
        symbol: Whose bars, such as BTCUSD.
        out: The file; Parquet needs `pip install 'tandem-trading[parquet]'`. CSV and Parquet can be
            replayed and imported again.
        which: Which of them.
        replayed: Those of the market with a clock of its own that ran last.
    """

    async def act() -> int:
        with opened(home_of(which.home), is_replay=replayed) as store:
            found, instrument = found_bars(store, symbol, which)
        export_bars(found, instrument, out)
        sys.stdout.write(f"{len(found)} bars: {out}\n")
        return OK

    return finish(act)


@contextmanager
def opened(home: Home, *, is_replay: bool) -> Iterator[BarStore]:
    """Yield the bars of a home; where they are not what was looked for, others are named.

    Raises:
        BadInputError: there are no bars, or not those that were asked for.
    """
    try:
        with closing(reading(home, is_replay=is_replay)) as store:
            yield store
    except (BadInputError, ConfigurationError) as error:
        hint = _hint(home, is_replay=is_replay).rstrip()
        raise BadInputError(f"{error}; {hint}" if hint else str(error)) from error


def _hint(home: Home, *, is_replay: bool) -> str:
    """Return a line that says where other bars are, if there are any."""
    if is_replay or not has_replayed(home):
        return ""
    return "the bars of the market that was replayed last are shown with --replayed\n"


def imported(home: Home, places: Sequence[str]) -> list[Imported]:
    """Bring every feed at `places` in.

    Raises:
        MarketFileError: one cannot be read; those before it are stored.
        ConfigurationError: another process writes the bars of this home.
    """
    opened = open_feeds(places_of(places))
    home.make()
    store = writing(home)
    try:
        return [import_feed(one, store) for one in opened]
    finally:
        store.close()


def show_series(store: BarStore, out: TextIO, *, as_json: bool) -> int:
    """Write what is stored; return the exit code."""
    found = store.series()
    if as_json:
        write_json(found, out)
        return OK
    rows = [
        (
            one.instrument.symbol,
            one.instrument.venue_id,
            one.span,
            one.bars,
            one.revisions,
            moment_text(one.first_begin_ns),
            moment_text(one.last_begin_ns),
        )
        for one in found
    ]
    heads = ("symbol", "venue", "span", ">bars", ">revisions", "first", "last")
    out.write(table(heads, rows))
    return OK


def show_bars(
    found: Iterable[FinalBar], instrument: Instrument, out: TextIO, *, as_json: bool
) -> int:
    """Write bars; return the exit code."""
    rows = [_row(one, instrument) for one in found]
    if as_json:
        write_json([dict(zip(_HEADS, row, strict=True)) for row in rows], out)
    else:
        heads = [name if name in ("time", "filled") else f">{name}" for name in _HEADS]
        out.write(table(heads, [[*row[:6], "filled" if row[6] else "", *row[7:]] for row in rows]))
    return OK


def show_imported(found: Sequence[Imported], out: TextIO, *, as_json: bool) -> int:
    """Write what was brought in; return the exit code: 1 when nothing was."""
    if as_json:
        write_json([one._asdict() for one in found], out)
    else:
        rows = [
            (
                one.symbol,
                one.span,
                one.bars,
                one.revisions,
                one.gaps,
                ", ".join(f"{count} {reason}" for reason, count in one.refused.items()),
                one.place,
            )
            for one in found
        ]
        heads = ("symbol", "span", ">bars", ">revisions", ">gaps", "refused", "from")
        out.write(table(heads, rows))
    return OK if any(one.bars or one.revisions or not one.refused for one in found) else FAILED


def export_bars(found: Iterable[FinalBar], instrument: Instrument, out: Path) -> None:
    """Write bars to a file of the kind that its name says.

    Raises:
        BadInputError: its name says none.
        ConfigurationError: it cannot be written.
    """
    kind = out.suffix.lower()
    if kind not in (".csv", ".json", ".parquet"):
        raise BadInputError(f"{out}: expected a name that ends in .csv, .json or .parquet")
    rows = [_row(one, instrument) for one in found]
    text = io.StringIO()
    if kind == ".json":
        write_json([dict(zip(_HEADS, row, strict=True)) for row in rows], text)
        write_whole(out, text.getvalue())
        return
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    writer.writerows(rows)
    if kind == ".csv":
        write_whole(out, text.getvalue())
        return
    half_made = out.with_name(f"{out.name}.csv")
    try:
        write_whole(half_made, text.getvalue())
        write_parquet(out, table=half_made, columns=_types(instrument))
    finally:
        half_made.unlink(missing_ok=True)


def found_bars(store: BarStore, symbol: str, which: Which) -> tuple[list[FinalBar], Instrument]:
    """Return the bars of a symbol that were asked for, and its instrument.

    Raises:
        BadInputError: a time cannot be, or there are no such bars.
        ConfigurationError: there are no bars of that symbol.
    """
    instrument = instrument_stored(store, symbol)
    from_ns = _FIRST_NS if which.from_time is None else time_ns(which.from_time, option="--from")
    to_ns = _LAST_NS if which.to_time is None else time_ns(which.to_time, option="--to")
    if from_ns >= to_ns:
        raise BadInputError(f"--from {which.from_time} is not before --to {which.to_time}")
    span = Span(which.span)
    read = bars_between(store, instrument.instrument_id, span, from_ns=from_ns, to_ns=to_ns)
    found = list(read)
    if not found:
        there = "'tandem bars show' without a symbol lists what there is"
        raise BadInputError(f"no {span} bars of {symbol} in that time; {there}")
    return found, instrument


def _row(final: FinalBar, instrument: Instrument) -> tuple[object, ...]:
    bar = final.bar
    prices = [instrument.price_text(one) for one in (bar.open, bar.high, bar.low, bar.close)]
    volume = instrument.quantity_text(bar.volume)
    rest = (bar.is_filled, final.number, final.revision)
    return (moment_text(bar.begin_ns), *prices, volume, *rest)


def _types(instrument: Instrument) -> dict[str, str]:
    """Return SQL types that hold every price and quantity exactly."""
    places = [
        -int(one.normalize().as_tuple().exponent)
        for one in (instrument.tick_size, instrument.lot_size)
    ]
    price, size = (f"DECIMAL(38, {max(0, one)})" for one in places)
    numbers = {name: price for name in _HEADS[1:5]} | {"volume": size}
    return {"time": "TIMESTAMP", **numbers, "filled": "BOOLEAN"} | {
        "number": "BIGINT",
        "revision": "BIGINT",
    }
