"""Recorded markets, at the pace of the replay's clock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from typing import Final

from tandem.domain.exchange import MarketEvent, MarketEvents, Stamp
from tandem.domain.feeds import FeedNews
from tandem.domain.instrument import Instrument
from tandem.ports import Clock
from tandem.wiring.feeds import open_feeds, tagged
from tandem.wiring.settings import ReplayPlan

BATCH_MAX: Final = 500
WAIT_MAX_S: Final = 1.0


async def paced(
    plan: ReplayPlan, instruments: Sequence[Instrument], clock: Clock, after_ns: int
) -> AsyncIterator[MarketEvents]:
    """Yield what happened in the market when its moment has come, several events when late.

    Up to `after_ns` (market time) everything is passed over: an exchange that starts again has
    already seen it. Between its last news and its end the exchange may have missed some changes
    of the book; the feed's next words on those prices set them right.
    """
    speed = float(Fraction(plan.speed))
    first = open_feeds(plan.places, instruments)
    second = open_feeds(plan.compared, instruments)
    batch = _Batch()
    for news, is_second in tagged(first, second=second):
        if news.at_ns <= after_ns:
            continue
        while (ahead_ns := news.at_ns - clock.now().market_ns) > 0:
            if batch.events:
                yield batch.taken()
                continue
            await asyncio.sleep(min(ahead_ns / 1e9 / speed, WAIT_MAX_S))
        batch.add(news, is_second=is_second)
        if len(batch.events) >= BATCH_MAX:
            yield batch.taken()
            await asyncio.sleep(0)
    if batch.events:
        yield batch.taken()


class _Batch:
    """What is due and not handed on."""

    def __init__(self) -> None:
        self.events: list[MarketEvent] = []
        self.stamps: list[Stamp] = []

    def add(self, news: FeedNews, *, is_second: bool) -> None:
        self.events.append(news.event)
        self.stamps.append(
            Stamp(
                at_ns=news.at_ns,
                told_ns=news.told_ns,
                is_second=is_second,
                is_after_gap=news.is_after_gap,
            )
        )

    def taken(self) -> MarketEvents:
        made = MarketEvents(events=tuple(self.events), stamps=tuple(self.stamps))
        self.events, self.stamps = [], []
        return made
