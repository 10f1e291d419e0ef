"""`tandem feeds`: what is wrong with market data, of a pool that runs or of recordings."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TextIO

import msgspec
from cyclopts import App, Parameter

from tandem.cli.asking import ask_desk
from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import table, write_json
from tandem.cli.typed import duration_ns
from tandem.core.market.comparing import APART_NS, APART_PPM, Comparison
from tandem.core.market.facts import FeedFacts
from tandem.core.market.watch import FeedWatch
from tandem.domain.views import FeedView
from tandem.wiring.feeds import OpenFeed, merged, open_feeds, places_of, tagged

app = new_app()
feeds = App(name="feeds", help="What is wrong with market data, of the pool or of recordings.")
app.command(feeds)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS: Final = 1_000_000_000


@feeds.default
def live(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Show how old the pool's prices are, and what is doubted. 1 when no new risk is taken."""

    async def act() -> int:
        view = await ask_desk(home_of(home), lambda line: line.status())
        return show_live(view.feeds, sys.stdout, as_json=json)

    return finish(act)


def show_live(views: Sequence[FeedView], out: TextIO, *, as_json: bool) -> int:
    """Write the feeds of a pool; return the exit code."""
    if as_json:
        write_json(views, out)
    elif not views:
        out.write("no feed: the market is made up from a seed, and always new\n")
    else:
        heads = ("symbol", "venue", ">age", ">messages", "not used", "")
        rows = [
            (
                one.symbol,
                one.venue_id,
                f"{one.age_ns / _SECOND_NS:.1f} s",
                one.messages,
                _counts(one.faults),
                "too old" if one.too_old else (one.doubt or "").replace("_", " "),
            )
            for one in views
        ]
        out.write(table(heads, rows))
    return FAILED if any(one.too_old or one.doubt for one in views) else OK


@feeds.command
def show(places: list[str], /, *, json: JsonOption = False) -> int:
    """Read recorded feeds to their ends, and say what is in them.

    Args:
        places: Files or folders, as `tandem up --replay` takes them.
        json: Print JSON.
    """

    async def act() -> int:
        found = [facts_of(one) for one in open_feeds(places_of(places))]
        return show_facts(found, sys.stdout, as_json=json)

    return finish(act)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed of one recorded feed; times in nanoseconds since 1970."""

    place: str
    symbol: str
    bar_seconds: int | None
    kinds: dict[str, int]
    first_ns: int | None
    last_ns: int | None
    gaps: int
    missing: int
    silence_ns: int
    not_used: dict[str, int]
    off_lot_rounded: int
    bursts: int
    most_a_second: int


def facts_of(opened: OpenFeed) -> Facts:
    """Read a feed to its end.

    Raises:
        MarketFileError: it cannot be read; names the place.
    """
    found = FeedFacts(opened.feed.symbol, opened.feed.span_ns)
    for news in merged([opened]):
        found.note(news)
    span_ns = opened.feed.span_ns
    return Facts(
        place=opened.place,
        symbol=opened.feed.symbol,
        bar_seconds=None if span_ns is None else span_ns // _SECOND_NS,
        kinds=found.kinds,
        first_ns=found.first_ns,
        last_ns=found.last_ns,
        gaps=found.gaps,
        missing=found.missing,
        silence_ns=found.silence_ns,
        not_used=found.watch.filter.faults,
        off_lot_rounded=found.off_lot_rounded,
        bursts=found.watch.burst.bursts,
        most_a_second=found.watch.burst.most,
    )


def show_facts(found: Sequence[Facts], out: TextIO, *, as_json: bool) -> int:
    """Write what is in recorded feeds; return the exit code."""
    if as_json:
        write_json(found, out)
        return OK
    for one in found:
        kind = "messages" if one.bar_seconds is None else f"bars of {one.bar_seconds} s"
        rows = [
            ("rows", f"{sum(one.kinds.values())}: {_counts(one.kinds)}"),
            ("from", _moment(one.first_ns)),
            ("to", _moment(one.last_ns)),
            ("longest silence", f"{one.silence_ns / _SECOND_NS:.3f} s"),
            ("not used", _counts(one.not_used)),
            ("sizes rounded", one.off_lot_rounded),
        ]
        if one.bar_seconds is None:
            rows.insert(3, ("gaps", one.gaps))
            rows.append(("bursts", f"{one.bursts}, at most {one.most_a_second} messages a second"))
        else:
            rows.insert(3, ("gaps", f"{one.gaps}, {one.missing} bars missing"))
        out.write(f"{one.symbol}, {kind}: {one.place}\n")
        out.write("".join(f"  {name:<16} {value}\n" for name, value in rows))
    return OK


@feeds.command
def check(
    places: tuple[str, str],
    /,
    *,
    bound: Annotated[int, Parameter(help="How far apart is too far, in millionths.")] = APART_PPM,
    span: Annotated[str, Parameter(help="For how long, such as 3s.")] = "",
    json: JsonOption = False,
) -> int:
    """Compare two recorded feeds of the same symbols. 1 when they were apart.

    Args:
        places: Two files or folders, as `tandem up --replay` and `--compare` take them.
        bound: How far the middles may differ, in millionths of the price.
        span: How long they may differ by more, such as 3s.
        json: Print JSON.
    """

    async def act() -> int:
        span_ns = duration_ns(span) if span else APART_NS
        if not 0 < bound < 1_000_000:
            raise BadInputError(f"--bound {bound}: expected 1 to 999999")
        first, second = places
        opened = open_feeds(places_of([first]))
        other = open_feeds(places_of([second]), [one.instrument for one in opened])
        found = compared(opened, other=other, bound_ppm=bound, span_ns=span_ns)
        return show_compared(found, sys.stdout, as_json=json)

    return finish(act)


def compared(
    first: Sequence[OpenFeed], *, other: Sequence[OpenFeed], bound_ppm: int, span_ns: int
) -> dict[str, Comparison]:
    """Read feeds to their ends side by side; return each symbol's comparison.

    Raises:
        MarketFileError: one of them cannot be read; names the place.
    """
    symbols = {one.instrument.instrument_id: one.feed.symbol for one in first}
    watches = {
        one: FeedWatch(comparison=Comparison(bound_ppm=bound_ppm, span_ns=span_ns))
        for one in symbols
    }
    for news, is_second in tagged(first, second=other):
        watch = watches[news.event.instrument_id]
        if is_second:
            watch.note_second(news)
        else:
            watch.note(news)
    return {symbols[one]: watch.comparison for one, watch in watches.items()}


def show_compared(found: dict[str, Comparison], out: TextIO, *, as_json: bool) -> int:
    """Write what came of it; return the exit code."""
    if as_json:
        write_json(
            {
                symbol: {
                    "compared": one.compared,
                    "apart": one.times,
                    "apart_at_the_end": one.is_apart,
                    "most_ppm": one.most_ppm,
                }
                for symbol, one in found.items()
            },
            out,
        )
    else:
        heads = ("symbol", ">compared", ">most apart", ">times apart for long", "")
        rows = [
            (
                symbol,
                one.compared,
                f"{one.most_ppm / 10_000:.4f} %",
                one.times,
                "apart at the end" if one.is_apart else "",
            )
            for symbol, one in found.items()
        ]
        out.write(table(heads, rows))
    is_fine = all(one.compared and not one.times for one in found.values())
    return OK if is_fine else FAILED


def _moment(at_ns: int | None) -> str:
    if at_ns is None:
        return "-"
    return f"{_EPOCH + timedelta(microseconds=at_ns // 1_000):%Y-%m-%d %H:%M:%S.%f} UTC"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"
