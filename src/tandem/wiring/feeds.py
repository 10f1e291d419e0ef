"""Recorded feeds, opened by their names, with the instruments that they are of, and merged."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tandem.adapters.replays.files import feeds_at
from tandem.core.market.terms import PLACES_MAX, finest_steps, probe
from tandem.core.matching import listing
from tandem.domain.errors import MarketFileError
from tandem.domain.feeds import AssetClass, FeedNews
from tandem.domain.ids import MarketId
from tandem.domain.instrument import Instrument
from tandem.ports import Feed

PROBED: Final = 5_000
_MARKETS: Final[dict[AssetClass, MarketId]] = {
    AssetClass.CRYPTO: listing.CRYPTO,
    AssetClass.FOREX: listing.FOREX,
    AssetClass.EQUITY: listing.EQUITIES,
}


class OpenFeed(NamedTuple):
    """A feed, and the instrument in whose ticks and lots it is read."""

    place: str
    feed: Feed
    instrument: Instrument


def places_of(texts: Sequence[str]) -> list[str]:
    """Return single places: a text with commas is several, unless it is the name of one."""
    return [
        one for text in texts for one in ([text] if Path(text).exists() else text.split(",")) if one
    ]


def absolute(place: str) -> str:
    """Return the same place, whatever the folder of a process is."""
    path, mark, options = place.partition("?")
    return f"{Path(path).resolve()}{mark}{options}"


def open_feeds(places: Sequence[str], known: Sequence[Instrument] = ()) -> list[OpenFeed]:
    """Return every feed at `places`, with its instrument.

    That is the one of `known` with its symbol. When nothing is known, it is the paper exchange's,
    and what is not listed there gets the grid on which the feed's first numbers lie.

    Raises:
        MarketFileError: something cannot be read, or is of no instrument that is known.
    """
    by_symbol = {one.symbol: one for one in known or listing.instruments()}
    opened = []
    for place in places:
        for feed in feeds_at(place):
            instrument = by_symbol.get(feed.symbol)
            if instrument is None:
                if known:
                    names = ", ".join(sorted(by_symbol))
                    raise MarketFileError(f"{place}: {feed.symbol}, expected one of {names}")
                instrument = by_symbol[feed.symbol] = _found(feed)
            opened.append(OpenFeed(place, feed, instrument))
    return opened


def merged(opened: Sequence[OpenFeed]) -> Iterator[FeedNews]:
    """Yield what all of them say in time order; at one moment, as they were named.

    Raises:
        MarketFileError: something cannot be read.
    """
    return heapq.merge(
        *(one.feed.news(one.instrument) for one in opened), key=lambda news: news.at_ns
    )


def tagged(
    first: Sequence[OpenFeed], *, second: Sequence[OpenFeed]
) -> Iterator[tuple[FeedNews, bool]]:
    """Yield what both say in time order, and whether it was the second.

    Raises:
        MarketFileError: something cannot be read.
    """
    return heapq.merge(
        ((news, False) for news in merged(first)),
        ((news, True) for news in merged(second)),
        key=lambda one: one[0].at_ns,
    )


def _found(feed: Feed) -> Instrument:
    """Return an instrument with the grid of the feed's first numbers."""
    for lot_places in (PLACES_MAX, PLACES_MAX // 2, 0):
        fine = probe(feed.symbol, listing.PAPER, lot_places=lot_places)
        try:
            events = [one.event for one in islice(feed.news(fine), PROBED)]
        except MarketFileError:
            if not lot_places:
                raise
            continue  # perhaps its sizes are too large for lots so small
        tick_size, lot_size = finest_steps(events, lot_places=lot_places)
        break
    market_id = _MARKETS[feed.asset_class]
    return msgspec.structs.replace(
        fine, market_id=market_id, tick_size=tick_size, lot_size=lot_size
    )
