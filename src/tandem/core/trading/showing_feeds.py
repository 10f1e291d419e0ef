"""What stands behind prices, in a trader's words: how old they are, and what is doubted."""

from tandem.core.trading.state import DeskState
from tandem.core.trading.turn import Rules
from tandem.domain.instant import Instant
from tandem.domain.venue import Doubt
from tandem.domain.views import FeedView

_WHY = {
    Doubt.BURST: "many more messages come than usual",
    Doubt.FEEDS_APART: "two feeds of it do not agree",
    Doubt.GAP: "messages of its feed are missing",
}


def feed_views(state: DeskState, rules: Rules, now: Instant) -> tuple[FeedView, ...]:
    """Return the feeds that have said something, in the order of the catalogue."""
    views = []
    for one in rules.settings.instruments:
        seen = state.quotes.get(one.instrument_id)
        if seen is None or seen.told_ns is None:
            continue
        age_ns = max(0, now.market_ns - seen.told_ns)
        views.append(
            FeedView(
                symbol=one.symbol,
                venue_id=one.venue_id,
                age_ns=age_ns,
                messages=seen.messages,
                faults=dict(sorted(seen.faults.items())),
                doubt=None if seen.doubt is None else seen.doubt.value,
                too_old=age_ns > rules.limits.max_reference_age_ns,
            )
        )
    return tuple(views)


def doubts(state: DeskState, rules: Rules) -> list[str]:
    """Return of which instruments no new risk is taken because of their prices, and why."""
    return [
        f"{rules.instruments[instrument_id].symbol}: {_WHY[seen.doubt]}, so no new risk is taken"
        for instrument_id, seen in state.quotes.items()
        if seen.doubt is not None and instrument_id in rules.instruments
    ]
