"""Momentum: long while the price rises, short (or flat) while it falls.

The price is the middle of the market. It is kept every `sample_ns`, and at every look compared
with the one of `window` samples ago, so a change is acted upon with the quote that shows it and
not with the next sample. A decision is as old as the quote that it was made from: when it is not
carried out before it is `good_for_ns` old (an order was refused, or waits for a worker), it is
dropped and counted, what is out of it is canceled, and only a new quote makes a new one.

Source: "Distributed retail trading", "execute the moment a profit can be made".
"""

from tandem.core.trading.algos.leaving import leave
from tandem.core.trading.algos.memos import MomentumMemo
from tandem.core.trading.algos.sight import Sight, Slice, Step
from tandem.core.trading.algos.twap import SPAN_NS_MAX
from tandem.domain.algos import Momentum
from tandem.domain.order import Side, TimeInForce

WINDOW_MAX = 10_000
MILLION = 1_000_000
_BUY, _SELL = Side
_AT_ONCE = TimeInForce.IMMEDIATE_OR_CANCEL


def objection(spec: Momentum) -> str | None:
    """Return why this cannot be, or None."""
    if not 1 <= spec.window <= WINDOW_MAX:
        return f"window of {spec.window} samples is not within 1 to {WINDOW_MAX}"
    if not 0 < spec.duration_ns <= SPAN_NS_MAX:
        return f"duration {spec.duration_ns} ns is not within 1 to {SPAN_NS_MAX}"
    if not 0 < spec.sample_ns <= spec.duration_ns // spec.window:
        most = spec.duration_ns // spec.window
        return f"sample of {spec.sample_ns} ns is not within 1 to {most}, or it never decides"
    if not 1 <= spec.threshold_ppm <= MILLION:
        return f"threshold of {spec.threshold_ppm} millionths is not within 1 to {MILLION}"
    if not 0 < spec.good_for_ns <= SPAN_NS_MAX:
        return f"decisions good for {spec.good_for_ns} ns are not within 1 to {SPAN_NS_MAX}"
    return None


def step(spec: Momentum, memo: MomentumMemo, sight: Sight) -> Step:
    """Look at the price, and trade to the position that it asks for."""
    if sight.is_ending:
        return leave(spec.leaving, memo, sight)
    ends_ns = sight.began_market_ns + spec.duration_ns
    if sight.market_ns >= ends_ns:
        return Step(is_over=True, text="its time is over")
    price = sight.middle
    if price is None:
        return Step(wake_market_ns=ends_ns)
    _look(spec, memo, sight, price)
    # Its quantity may have been replaced since it decided, and one that is long only is flat at 0.
    memo.target = max(0 if spec.long_only else -spec.quantity, min(spec.quantity, memo.target))
    return _follow(spec, memo, sight, wake_ns=min(memo.next_sample_ns, ends_ns))


def _age_ns(sight: Sight) -> int:
    assert sight.quoted_market_ns is not None, "there is a price, so there was a quote"
    return sight.market_ns - sight.quoted_market_ns


def _look(spec: Momentum, memo: MomentumMemo, sight: Sight, price: int) -> None:
    """Decide by a price that is not too old, and keep the price if it is time to.

    Moments that were missed are filled with the price before; when that is a whole window, how the
    price came here is not known, and all is forgotten.
    """
    market_ns, due = sight.market_ns, 0
    if market_ns >= memo.next_sample_ns:
        due = (market_ns - memo.next_sample_ns) // spec.sample_ns + 1
    if not memo.samples or due > spec.window:
        memo.samples = [price]
        memo.next_sample_ns = market_ns + spec.sample_ns
        return
    if len(memo.samples) == spec.window and _age_ns(sight) <= spec.good_for_ns:
        _decide(spec, memo, price)
    if due:
        memo.samples += [memo.samples[-1]] * (due - 1) + [price]
        del memo.samples[: -spec.window]
        memo.next_sample_ns += due * spec.sample_ns


def _decide(spec: Momentum, memo: MomentumMemo, price: int) -> None:
    before = memo.samples[0]
    moved = (price - before) * MILLION
    if moved >= spec.threshold_ppm * before:
        memo.target = spec.quantity
    elif moved <= -spec.threshold_ppm * before:
        memo.target = -spec.quantity


def _follow(spec: Momentum, memo: MomentumMemo, sight: Sight, *, wake_ns: int) -> Step:
    if sight.parts:
        return _watch(memo, sight, wake_ns=wake_ns)
    missing = memo.target - sight.position
    if not missing:
        return Step(wake_market_ns=wake_ns)
    if _age_ns(sight) > spec.good_for_ns:
        return _drop(memo, sight, wake_ns=wake_ns)
    assert sight.quoted_market_ns is not None, "its age is known"
    memo.good_until_ns = sight.quoted_market_ns + spec.good_for_ns
    wake_ns = min(wake_ns, memo.good_until_ns + 1)
    return Step(place=(_trading(missing),), wake_market_ns=wake_ns, text=_name(memo))


def _watch(memo: MomentumMemo, sight: Sight, *, wake_ns: int) -> Step:
    """Cancel what is out when it no longer leads to the position wanted, or is too old."""
    if all(one.is_ending for one in sight.parts):
        return Step(wake_market_ns=wake_ns)
    if sight.market_ns > memo.good_until_ns:
        return _drop(memo, sight, wake_ns=wake_ns)
    if sight.position + sight.open_buys - sight.open_sells != memo.target:
        return Step(cancel=[one.parent_id for one in sight.parts], wake_market_ns=wake_ns)
    return Step(wake_market_ns=min(wake_ns, memo.good_until_ns + 1))


def _drop(memo: MomentumMemo, sight: Sight, *, wake_ns: int) -> Step:
    memo.target = sight.position
    return Step(
        cancel=[one.parent_id for one in sight.parts],
        wake_market_ns=wake_ns,
        text="a decision was too old to be good",
        counts=("decisions_too_old",),
    )


def _name(memo: MomentumMemo) -> str:
    if not memo.target:
        return "flat"
    return "long" if memo.target > 0 else "short"


def _trading(missing: int) -> Slice:
    return Slice(
        role="follow",
        side=_BUY if missing > 0 else _SELL,
        quantity=abs(missing),
        time_in_force=_AT_ONCE,
    )
