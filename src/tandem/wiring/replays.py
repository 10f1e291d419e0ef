"""Recorded markets, at the pace of the replay's clock."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from tandem.adapters.replays.files import replay_of
from tandem.domain.exchange import MarketEvent, MarketEvents
from tandem.domain.instrument import Instrument
from tandem.ports import Clock
from tandem.wiring.settings import ReplayPlan

BATCH_MAX: Final = 500
WAIT_MAX_S: Final = 1.0


async def paced(
    plan: ReplayPlan, instrument: Instrument, clock: Clock, after_ns: int
) -> AsyncIterator[MarketEvents]:
    """Yield what happened in the market when its moment has come, several events when late.

    Up to `after_ns` (market time) everything is passed over: an exchange that starts again has
    already seen it. Between its last news and its end the exchange may have missed some changes
    of the book; the feed's next words on those prices set them right.
    """
    speed = float(Fraction(plan.speed))
    batch: list[MarketEvent] = []
    for at_ns, event in replay_of(Path(plan.path)).events(instrument):
        if at_ns <= after_ns:
            continue
        while (ahead_ns := at_ns - clock.now().market_ns) > 0:
            if batch:
                yield MarketEvents(events=tuple(batch))
                batch = []
                continue
            await asyncio.sleep(min(ahead_ns / 1e9 / speed, WAIT_MAX_S))
        batch.append(event)
        if len(batch) >= BATCH_MAX:
            yield MarketEvents(events=tuple(batch))
            batch = []
            await asyncio.sleep(0)
    if batch:
        yield MarketEvents(events=tuple(batch))
