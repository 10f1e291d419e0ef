"""A stop, stop-limit or trailing stop that the desk holds until the market has reached it.

Nothing is reserved and the venue knows nothing, so it fires only while the coordinator lives. It
is reached by a price at the stop or beyond, so a gap through it fires as well. Once reached it
stays so: the memo says it, over restarts and pauses, and what then goes out is sent again until
its quantity has traded: at the market in orders that take what there is, with a limit price as
an order that rests there.
"""

from tandem.core.trading.algos import watching
from tandem.core.trading.algos.memos import StopMemo
from tandem.core.trading.algos.sight import Sight, Slice, Step
from tandem.domain.algos import Stop
from tandem.domain.ids import Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import Side, TimeInForce


def objection(spec: Stop) -> str | None:
    """Return why this cannot be, or None."""
    if spec.stop_price is None and spec.trail is None:
        return "a stop needs a stop price, a trail or both"
    if spec.stop_price is not None and not 0 < spec.stop_price <= LOTS_MAX:
        return f"stop price {spec.stop_price} is not within 1 to {LOTS_MAX}"
    if spec.trail is not None and not 0 < spec.trail <= LOTS_MAX:
        return f"trail {spec.trail} is not within 1 to {LOTS_MAX}"
    return None


def step(spec: Stop, memo: StopMemo, sight: Sight) -> Step:
    """Follow the market until the stop is reached, then trade."""
    traded = sight.traded(spec.side)
    if sight.is_ending or traded >= spec.quantity:
        return Step(is_over=True)
    if memo.hit_at_ns is None and not _is_hit(spec, memo, sight):
        return Step(wake_market_ns=watching.look_again_ns(memo.watch))
    if sight.parts:
        return Step()
    return Step(place=(_order(spec, spec.quantity - traded),), text="its stop was hit")


def _is_hit(spec: Stop, memo: StopMemo, sight: Sight) -> bool:
    price = watching.believed(memo.watch, spec.trigger, spec.side, sight)
    if price is None:
        return False
    if spec.trail is not None:
        memo.stop_price = _followed(spec.side, price, spec.trail, memo.stop_price)
    assert memo.stop_price is not None, "a stop without a price trails"
    if watching.is_reached(spec.side, price, stop_price=memo.stop_price):
        memo.hit_at_ns = sight.market_ns
    return memo.hit_at_ns is not None


def _followed(side: Side, price: Ticks, trail: Ticks, stop_price: Ticks | None) -> Ticks:
    """Return the stop at its distance from the price, or where it was when that is nearer."""
    if side is Side.BUY:
        moved = Ticks(price + trail)
        return moved if stop_price is None else min(moved, stop_price)
    moved = Ticks(max(1, price - trail))
    return moved if stop_price is None else max(moved, stop_price)


def _order(spec: Stop, quantity: int) -> Slice:
    is_market = spec.limit_price is None
    return Slice(
        role="stop",
        side=spec.side,
        quantity=quantity,
        limit_price=spec.limit_price,
        time_in_force=(
            TimeInForce.IMMEDIATE_OR_CANCEL if is_market else TimeInForce.GOOD_TILL_CANCEL
        ),
        cancels_own=is_market,
        is_exit=spec.side is Side.SELL,
    )
