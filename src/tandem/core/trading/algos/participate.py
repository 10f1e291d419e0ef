"""Percentage of volume: trades its share of what the market trades.

Why its share is never above `percent`: of others' volume v it asks for at most v * percent /
(100 - percent), rounded down, what is out included. So its part of the sum of both is at most
`percent` per cent, at every moment, because v only grows. The venue tells v as a sum since it
opened; where that falls back, the venue began anew, and counting goes on from there: what nobody
can prove is not counted. Only a rest that is taken when the time is over may break the share.
"""

from tandem.core.trading.algos.memos import ParticipateMemo
from tandem.core.trading.algos.sight import Sight, Step
from tandem.core.trading.algos.time_over import step_after, taking
from tandem.core.trading.algos.twap import SPAN_NS_MAX
from tandem.domain.algos import Participate
from tandem.domain.limits import LOTS_MAX

PERCENT_MAX = 90


def objection(spec: Participate) -> str | None:
    """Return why this cannot be, or None."""
    if not 1 <= spec.percent <= PERCENT_MAX:
        return f"{spec.percent} per cent of the volume is not within 1 to {PERCENT_MAX}"
    if not 0 < spec.duration_ns <= SPAN_NS_MAX:
        return f"duration {spec.duration_ns} ns is not within 1 to {SPAN_NS_MAX}"
    if not 0 < spec.interval_ns <= spec.duration_ns:
        return f"interval {spec.interval_ns} ns is not within 1 to the duration, {spec.duration_ns}"
    return None


def step(spec: Participate, memo: ParticipateMemo, sight: Sight) -> Step:
    """Catch up with its share of the volume, once in each interval; end when the time is over."""
    traded = sight.traded(spec.side)
    if sight.is_ending or traded >= spec.quantity:
        return Step(is_over=True)
    _count_volume(memo, sight)
    ends_ns = sight.began_market_ns + spec.duration_ns
    if sight.market_ns >= ends_ns:
        return step_after(spec, memo, sight, again_ns=spec.interval_ns)
    if sight.market_ns < memo.next_look_ns:
        return Step(wake_market_ns=memo.next_look_ns)
    memo.next_look_ns = min(sight.market_ns + spec.interval_ns, ends_ns)
    share = memo.counted * spec.percent // (100 - spec.percent)
    due = min(spec.quantity, share) - traded - sight.out(spec.side)
    if due <= 0:
        return Step(wake_market_ns=memo.next_look_ns)
    return Step(place=(taking(spec, due),), wake_market_ns=memo.next_look_ns)


def _count_volume(memo: ParticipateMemo, sight: Sight) -> None:
    quoted_ns = sight.quoted_market_ns
    if sight.volume is None or quoted_ns is None or quoted_ns < sight.began_market_ns:
        return  # what it last stood at may leave out what traded before it began
    if memo.volume is not None:
        memo.counted = min(memo.counted + max(0, sight.volume - memo.volume), LOTS_MAX)
    memo.volume = sight.volume
