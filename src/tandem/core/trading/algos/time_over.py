"""What becomes of the rest when an algorithm's time is over.

Everything that is out is waited for first, so that the rest is known for sure. Then it is left,
or taken at the market within the limit price: tried again and again, for as long as the algorithm
lasted at most, because a market can be empty for ever.
"""

from tandem.core.trading.algos.memos import ParticipateMemo, TwapMemo
from tandem.core.trading.algos.sight import LEFT, Sight, Slice, Step
from tandem.domain.algos import AtEnd, Participate, Twap
from tandem.domain.order import TimeInForce

CLOSE = "close"  # the role of what is taken at the end


def taking(spec: Twap | Participate, quantity: int, role: str = "slice") -> Slice:
    """Return an order that trades with what is there, within the limit price, and rests never."""
    return Slice(
        role=role,
        side=spec.side,
        quantity=quantity,
        limit_price=spec.limit_price,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    )


def step_after(
    spec: Twap | Participate, memo: TwapMemo | ParticipateMemo, sight: Sight, *, again_ns: int
) -> Step:
    """Leave the rest or take it, once nothing is out; it is tried again after `again_ns`."""
    if sight.parts:
        return Step()
    left = spec.quantity - sight.traded(spec.side)
    if spec.at_end is AtEnd.LEAVE:
        return Step(is_over=True, text=f"its time is over; {LEFT} is left", left=left)
    if not memo.take_until_ns:
        memo.take_until_ns = sight.market_ns + spec.duration_ns
    if sight.market_ns >= memo.take_until_ns:
        return Step(is_over=True, text=f"could not take the rest: {LEFT} is left", left=left)
    if sight.market_ns < memo.take_at_ns:
        return Step(wake_market_ns=memo.take_at_ns)
    memo.take_at_ns = min(sight.market_ns + again_ns, memo.take_until_ns)
    return Step(
        place=(taking(spec, left, CLOSE),),
        wake_market_ns=memo.take_at_ns,
        text="its time is over: the rest is taken",
    )
