"""Quotes both sides of one instrument around the middle of the market.

Why the inventory stays within its limit: a side is quoted for at most what the limit leaves,
should it trade in full, and has one order at a time; so however both sides trade, neither takes
the inventory further than that.

Why it never meets itself: its buy is below its sell, and while an order of one side ends, the
other is not quoted where the two could meet. Both are post-only: they wait for others.

A market with one side only, or none, or with both sides crossed, has no middle: nothing is quoted.
Where both best prices are its own, it has nothing to learn from them and leaves its quotes as they
are: following itself, it would walk away from every market.
"""

from typing import Final

from tandem.core.trading.algos.leaving import leave
from tandem.core.trading.algos.memos import MakeMarketMemo, Quoted
from tandem.core.trading.algos.sight import PartSeen, Sight, Slice, Step
from tandem.core.trading.algos.twap import SPAN_NS_MAX
from tandem.domain.algos import MakeMarket
from tandem.domain.ids import ParentId, Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.order import Side

ROLES: Final = {Side.BUY: "bid", Side.SELL: "ask"}


def objection(spec: MakeMarket) -> str | None:
    """Return why this cannot be, or None."""
    if not spec.quantity <= spec.inventory_limit <= LOTS_MAX:
        least = f"the quantity, {spec.quantity}"
        return f"inventory limit {spec.inventory_limit} is not within {least}, to {LOTS_MAX}"
    if not 0 < spec.half_spread <= LOTS_MAX:
        return f"half spread {spec.half_spread} is not within 1 to {LOTS_MAX}"
    if not 0 <= spec.skew <= LOTS_MAX:
        return f"skew {spec.skew} is not within 0 to {LOTS_MAX}"
    if not 0 < spec.tolerance <= 2 * spec.half_spread:
        most = 2 * spec.half_spread
        return f"tolerance {spec.tolerance} is not within 1 to the spread, {most}"
    if not 0 < spec.refresh_ns <= spec.duration_ns <= SPAN_NS_MAX:
        times = f"refresh {spec.refresh_ns} ns and duration {spec.duration_ns} ns"
        return f"{times} are not within 1 to {SPAN_NS_MAX}, in that order"
    return None


def step(spec: MakeMarket, memo: MakeMarketMemo, sight: Sight) -> Step:
    """Quote what is missing, and cancel what is off."""
    if sight.is_ending:
        return leave(spec.leaving, memo, sight)
    ends_ns = sight.began_market_ns + spec.duration_ns
    if sight.market_ns >= ends_ns:
        return Step(is_over=True, text="its time is over")
    if _is_alone(sight):
        return Step(wake_market_ns=ends_ns)
    cancel: list[ParentId] = []
    place = []
    prices = _prices(spec, sight)
    for side, quoted in ((Side.BUY, memo.buy), (Side.SELL, memo.sell)):
        price = None if prices is None else prices[side]
        mine = [one for one in sight.parts if one.side is side]
        cancel += [one.parent_id for one in mine if _is_off(spec, quoted, one, price, sight)]
        if price is not None and not mine and _may_quote(spec, quoted, side, sight):
            place += _quotes(spec, quoted, side, price, sight)
    return Step(cancel=cancel, place=place, wake_market_ns=_wake_ns(spec, memo, sight, ends_ns))


def _is_alone(sight: Sight) -> bool:
    """Return whether both best prices are its own."""
    own = {one.side: one.limit_price for one in sight.parts}
    buy, sell = own.get(Side.BUY), own.get(Side.SELL)
    if buy is None or sell is None or sight.bid is None or sight.ask is None:
        return False
    return sight.bid <= buy and sell <= sight.ask


def _prices(spec: MakeMarket, sight: Sight) -> dict[Side, int] | None:
    """Return where to quote, the buy always below the sell; None without a market."""
    bid, ask = sight.bid, sight.ask
    if bid is None or ask is None or bid >= ask:
        return None
    moved = spec.skew * sight.position // spec.quantity
    buy = (bid + ask) // 2 - spec.half_spread - moved
    sell = -(-(bid + ask) // 2) + spec.half_spread - moved
    # However far the inventory moves them, they take nothing.
    return {Side.BUY: min(buy, ask - 1), Side.SELL: max(sell, bid + 1)}


def _is_off(
    spec: MakeMarket, quoted: Quoted, one: PartSeen, price: int | None, sight: Sight
) -> bool:
    if one.is_ending:
        return False
    if price is None:
        return True
    assert one.limit_price is not None, "quotes have prices"
    assert quoted.at_ns is not None, "what rests was quoted"
    is_due = sight.market_ns >= quoted.at_ns + spec.refresh_ns
    return is_due and abs(one.limit_price - price) >= spec.tolerance


def _may_quote(spec: MakeMarket, quoted: Quoted, side: Side, sight: Sight) -> bool:
    """Return whether the last quote has traded, or is long enough ago."""
    if quoted.at_ns is None or sight.traded(side) >= quoted.filled_at:
        return True
    return sight.market_ns >= quoted.at_ns + spec.refresh_ns


def _quotes(spec: MakeMarket, quoted: Quoted, side: Side, price: int, sight: Sight) -> list[Slice]:
    """Return the quote, as large as the limit allows, unless it could meet what is out."""
    quantity = min(spec.quantity, spec.inventory_limit - side.sign * sight.position)
    meets = any(
        one.side is not side
        and one.limit_price is not None
        and side.sign * (price - one.limit_price) >= 0
        for one in sight.parts
    )
    if quantity <= 0 or price <= 0 or meets:
        return []
    quoted.at_ns = sight.market_ns
    quoted.filled_at = sight.traded(side) + quantity
    return [
        Slice(
            role=ROLES[side],
            side=side,
            quantity=quantity,
            limit_price=Ticks(price),
            post_only=True,
        )
    ]


def _wake_ns(spec: MakeMarket, memo: MakeMarketMemo, sight: Sight, ends_ns: int) -> int:
    due_ns = [one.at_ns + spec.refresh_ns for one in (memo.buy, memo.sell) if one.at_ns is not None]
    return min([one for one in due_ns if one > sight.market_ns] + [ends_ns])
