"""Time-weighted average price: the same quantity in each equal span of time.

Why the sum is exact: slice k is placed so that after it everything asked for so far is the whole
quantity times (k + 1) / slices, rounded down, less what has traded or may still trade. So what
one slice did not get, the next one asks for, and the last asks for all that is left.
"""

from tandem.core.trading.algos.memos import TwapMemo
from tandem.core.trading.algos.sight import Sight, Slice, Step
from tandem.core.trading.splitting import number_from
from tandem.domain.algos import AtEnd, Twap
from tandem.domain.order import TimeInForce

SLICES_MAX = 100_000
JITTER_MAX = 90
SPAN_NS_MAX = 366 * 86_400 * 1_000_000_000
CLOSE = "close"  # the role of what is taken at the end


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
    """Place every slice whose moment has come, as one; end when the time is over."""
    left = spec.quantity - sight.traded(spec.side) - sight.out(spec.side)
    if sight.traded(spec.side) >= spec.quantity:
        return Step(is_over=True)
    ends_ns = sight.began_market_ns + spec.duration_ns
    if sight.is_ending:
        return Step(is_over=True)
    if sight.market_ns >= ends_ns:
        return _end(spec, sight, left)
    while memo.next_at < spec.slices and sight.market_ns >= _moment(spec, memo, sight):
        memo.next_at += 1
    wake_ns = _moment(spec, memo, sight) if memo.next_at < spec.slices else ends_ns
    due = _asked_by(spec, memo) - (spec.quantity - left)
    if due <= 0:
        return Step(wake_market_ns=wake_ns)
    return Step(place=(_taking(spec, due),), wake_market_ns=wake_ns)


def _taking(spec: Twap, quantity: int, role: str = "slice") -> Slice:
    return Slice(
        role=role,
        side=spec.side,
        quantity=quantity,
        limit_price=spec.limit_price,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    )


def _end(spec: Twap, sight: Sight, left: int) -> Step:
    """At the end of its time: wait for what is out, then leave the rest or take it."""
    if sight.parts:
        return Step()
    if spec.at_end is AtEnd.LEAVE or left <= 0:
        return Step(is_over=True, text=f"its time is over; {left} lots are left")
    if sight.market_ns >= sight.began_market_ns + 2 * spec.duration_ns:
        return Step(is_over=True, text=f"could not take the rest: {left} lots are left")
    again_ns = sight.market_ns + max(1, spec.duration_ns // spec.slices)
    return Step(place=(_taking(spec, left, CLOSE),), wake_market_ns=again_ns)


def _asked_by(spec: Twap, memo: TwapMemo) -> int:
    """Return how much all slices so far ask for, the jitter of the last one included."""
    even = spec.quantity * memo.next_at // spec.slices
    if not spec.jitter_percent or memo.next_at in (0, spec.slices):
        return even
    most = spec.quantity // spec.slices * spec.jitter_percent // 100
    return even + number_from(memo.seed, at=2 * memo.next_at, most=most)


def _moment(spec: Twap, memo: TwapMemo, sight: Sight) -> int:
    """Return when slice `next_at` is to be placed; the first one at once."""
    at = memo.next_at
    even_ns = sight.began_market_ns + spec.duration_ns * at // spec.slices
    if not spec.jitter_percent or not at:
        return even_ns
    most_ns = spec.duration_ns // spec.slices * spec.jitter_percent // 200
    return even_ns + number_from(memo.seed, at=2 * at + 1, most=most_ns)
