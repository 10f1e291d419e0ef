"""The pace of a recorded market."""

import asyncio
from pathlib import Path

from tandem.domain.exchange import HaltEvent, MarketEvent
from tandem.domain.instant import Instant
from tandem.wiring.replays import paced
from tandem.wiring.settings import ReplayPlan, plan_replay

DATA = Path(__file__).parent.parent.parent.parent / "examples" / "data"
QUOTES = DATA / "crypto" / "coinbase" / "minute" / "btcusd" / "20180405_quote.zip"
MINUTE_NS = 60_000_000_000


class SteppedClock:
    """Satisfies `tandem.ports.Clock`; stands until it is moved."""

    def __init__(self, market_ns: int) -> None:
        self.market_ns = market_ns

    def now(self) -> Instant:
        return Instant(0, self.market_ns)


async def _first(
    plan: ReplayPlan, clock: SteppedClock, *, count: int, after_ns: int = 0
) -> list[MarketEvent | HaltEvent]:
    found: list[MarketEvent | HaltEvent] = []
    async for events in paced(plan, plan.instruments, clock, after_ns):
        found.extend(events.events)
        if len(found) >= count:
            break
    return found


async def test_nothing_comes_before_its_moment() -> None:
    plan = plan_replay([str(QUOTES)], "1000000000")
    clock = SteppedClock(plan.begin_ns)
    first = await _first(plan, clock, count=1)
    # Trades and quotes of the first minute end at the same moment.
    assert 1 <= len(first) <= 2
    waiting = asyncio.create_task(_first(plan, clock, count=3))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not waiting.done()
    clock.market_ns += 2 * MINUTE_NS
    assert len(await waiting) >= 3


async def test_what_was_seen_is_passed_over_and_all_that_is_late_comes_at_once() -> None:
    plan = plan_replay([str(QUOTES)], "1")
    clock = SteppedClock(plan.begin_ns + 10**9 * 86_400)
    everything = await _first(plan, clock, count=10**6)
    rest = await _first(plan, clock, count=10**6, after_ns=plan.begin_ns + 60 * MINUTE_NS)
    assert rest == everything[-len(rest) :]
    assert 100 < len(everything) - len(rest) <= 122
