"""What a replayed market says, judged before it is shown in the books.

Everything that a feed says is counted and watched. What cannot be true is kept out of the books;
a repeat is let in, since it may say again what our own orders took, but it makes nothing fresher.
A second feed of an instrument is only compared.
"""

from collections.abc import Iterator

import msgspec

from tandem.core.market.watch import FeedWatch
from tandem.core.matching.state import ExchangeState
from tandem.domain.exchange import HaltEvent, MarketEvent, MarketEvents
from tandem.domain.feeds import Fault, FeedNews
from tandem.domain.venue import Quote


def usable(state: ExchangeState, said: MarketEvents) -> Iterator[MarketEvent | HaltEvent]:
    """Yield what of `said` may be shown, in its order; the feeds of `state` remember all of it."""
    if not said.stamps:
        for event in said.events:
            if not isinstance(event, HaltEvent):
                state.candles.note(event, state.market_ns, None)
            yield event
        return
    for event, stamp in zip(said.events, said.stamps, strict=False):
        if isinstance(event, HaltEvent) or event.instrument_id not in state.markets:
            yield event  # what is not listed is only counted there
            continue
        watch = state.feeds.get(event.instrument_id)
        if watch is None:
            watch = state.feeds[event.instrument_id] = FeedWatch()
        state.touched[event.instrument_id] = None
        news = FeedNews(stamp.at_ns, stamp.told_ns, event, stamp.is_after_gap)
        if stamp.is_second:
            watch.note_second(news)
        elif watch.note(news) in (None, Fault.REPEATED):
            state.candles.note(event, stamp.at_ns, stamp.told_ns)
            yield event


def watched(quote: Quote, watch: FeedWatch, market_ns: int) -> Quote:
    """Return `quote` with how old it is and what is doubted of it at this moment."""
    return msgspec.structs.replace(
        quote,
        told_ns=watch.fresh_ns,
        messages=watch.messages,
        doubt=watch.doubt(market_ns),
        faults=dict(watch.filter.faults),
    )
