"""The terms of an order: which of them can be together, and when its time is over."""

from typing import Final

from tandem.domain.desk import SECOND
from tandem.domain.ids import Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec

GRACE_NS: Final = 1 * SECOND  # market time in which a venue may end an order by its date itself
OVER: Final = "its time is over"
_DATED: Final = TimeInForce.GOOD_TILL_DATE
_AT_ONCE: Final = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


def objection(spec: ParentSpec, *, market_ns: int) -> str | None:
    """Return why there can be no such order, whatever the market, or None."""
    if not 0 < spec.quantity <= LOTS_MAX:
        return f"quantity {spec.quantity} is not within 1 to {LOTS_MAX}"
    for what, price in (
        ("price", spec.limit_price),
        ("stop price", spec.stop_price),
        ("trail", spec.trail),
    ):
        if price is not None and not 0 < price <= LOTS_MAX:
            return f"{what} {price} is not within 1 to {LOTS_MAX}"
    low, high = spec.rounding.min_percent, spec.rounding.max_percent
    if not 0 <= low <= 100 <= high:
        return f"random shares of {low} to {high} per cent do not include the equal one"
    return _post_only_objection(spec) or _stop_objection(spec) or _time_objection(spec, market_ns)


def _post_only_objection(spec: ParentSpec) -> str | None:
    if not spec.post_only:
        return None
    if spec.stop_price is not None:
        return "a stop cannot be post-only: once triggered it may have to take"
    if spec.limit_price is None:
        return "a market order cannot be post-only"
    if spec.time_in_force in _AT_ONCE:
        return f"a {spec.time_in_force} order cannot be post-only"
    return None


def _stop_objection(spec: ParentSpec) -> str | None:
    if spec.stop_price is None:
        return None if spec.trail is None else "a trail needs a stop price to begin at"
    return None


def _time_objection(spec: ParentSpec, market_ns: int) -> str | None:
    is_dated = spec.time_in_force is _DATED
    if spec.good_till_ns is None:
        return "a gtd order needs its date" if is_dated else None
    if not is_dated:
        return f"a {spec.time_in_force} order has no date: that is for gtd"
    if spec.good_till_ns <= market_ns:
        late_ms = (market_ns - spec.good_till_ns) // 1_000_000
        return f"its date was {late_ms} ms ago"
    return None


def is_reached(spec: ParentSpec, last: Ticks | None) -> bool:
    """Whether the market is at the stop price already, by its last trade."""
    stop = spec.stop_price
    if stop is None or last is None:
        return False
    return last >= stop if spec.side is Side.BUY else last <= stop


def over_ns(spec: ParentSpec, market_ns: int) -> int | None:
    """Return how long the order's date is over, negative before it; None without a date."""
    return None if spec.good_till_ns is None else market_ns - spec.good_till_ns
