"""Time-weighted average price: the same quantity in each equal span of time.

Why the sum is exact: slice k is placed so that after it everything asked for so far is the whole
quantity times (k + 1) / slices, rounded down, less what has traded or may still trade. So what
one slice did not get, the next one asks for, and the last asks for all that is left. The jitter of
a slice moves quantity between it and the next, and its moment by less than half a spacing, so
sums stay exact and slices stay in order.
"""

from tandem.core.trading.algos.memos import TwapMemo
from tandem.core.trading.algos.sight import Sight, Step
from tandem.core.trading.algos.time_over import step_after, taking
from tandem.core.trading.splitting import number_from
from tandem.domain.algos import Twap

SLICES_MAX = 100_000
JITTER_MAX = 90
SPAN_NS_MAX = 366 * 86_400 * 1_000_000_000


def objection(spec: Twap) -> str | None:
    """Return why this cannot be, or None."""
    if not 1 <= spec.slices <= min(SLICES_MAX, spec.quantity):
        most = min(SLICES_MAX, spec.quantity)
        return f"{spec.slices} slices are not within 1 to {most}"
    if not 0 < spec.duration_ns <= SPAN_NS_MAX:
        return f"duration {spec.duration_ns} ns is not within 1 to {SPAN_NS_MAX}"
    if not 0 <= spec.jitter_percent <= JITTER_MAX:
        return f"jitter of {spec.jitter_percent} per cent is not within 0 to {JITTER_MAX}"
    return None


def step(spec: Twap, memo: TwapMemo, sight: Sight) -> Step:
    """Place every slice whose moment has come, as one; end when the time is over.

    Nothing is placed between those moments: what a slice did not get waits for the next one.
    """
    if sight.is_ending or sight.traded(spec.side) >= spec.quantity:
        return Step(is_over=True)
    ends_ns = sight.began_market_ns + spec.duration_ns
    if sight.market_ns >= ends_ns:
        return step_after(spec, memo, sight, again_ns=max(1, spec.duration_ns // spec.slices))
    before = memo.next_at
    while memo.next_at < spec.slices and sight.market_ns >= _moment(spec, memo, sight):
        memo.next_at += 1
    wake_ns = _moment(spec, memo, sight) if memo.next_at < spec.slices else ends_ns
    due = _asked_by(spec, memo) - sight.traded(spec.side) - sight.out(spec.side)
    if memo.next_at == before or due <= 0:
        return Step(wake_market_ns=wake_ns)
    return Step(place=(taking(spec, due),), wake_market_ns=wake_ns)


def _asked_by(spec: Twap, memo: TwapMemo) -> int:
    """Return how much all slices so far ask for.

    Two neighbors move a slice's size, each by half of what the jitter allows.
    """
    even = spec.quantity * memo.next_at // spec.slices
    if memo.next_at == spec.slices:
        return even
    most = spec.quantity // spec.slices * spec.jitter_percent // 200
    return even + number_from(memo.seed, at=2 * memo.next_at, most=most)


def _moment(spec: Twap, memo: TwapMemo, sight: Sight) -> int:
    """Return when slice `next_at` is to be placed; the first one at once."""
    at = memo.next_at
    even_ns = sight.began_market_ns + spec.duration_ns * at // spec.slices
    if not at:
        return even_ns
    most_ns = spec.duration_ns // spec.slices * spec.jitter_percent // 200
    return even_ns + number_from(memo.seed, at=2 * at + 1, most=most_ns)
