"""One order as the trader thinks of it, before it is split over accounts."""

import enum

from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.value import Value


class Split(enum.StrEnum):
    """How a parent order's quantity is given to the slots."""

    EQUAL = "equal"
    WEIGHTED = "weighted"  # by buying power
    RANDOM = "random"  # within limits
    EACH = "each"  # every slot the whole quantity


class WhenUnready(enum.StrEnum):
    """What becomes of a parent when a slot of it is not ready in time."""

    GO_ON = "go_on"  # the others take its share
    GIVE_UP = "give_up"  # nothing is released


class SelfTrade(enum.StrEnum):
    """What becomes of an order that could meet an own one."""

    REJECT_NEW = "reject_new"
    CANCEL_RESTING = "cancel_resting"  # and wait until that is confirmed
    CANCEL_BOTH = "cancel_both"  # the resting one is canceled, the new one is not sent
    DECREMENT = "decrement"  # both lose the smaller quantity, without a trade
    NET_INTERNALLY = "net_internally"  # what strategies of one account would trade is netted


class Rounding(Value, frozen=True, kw_only=True):
    """Limits of a randomised split: each share within these per cents of the equal one."""

    min_percent: int = 50
    max_percent: int = 150


class ParentSpec(Value, frozen=True, kw_only=True):
    """One order as the trader thinks of it, before it is split.

    `quantity` is the sum of all children, or each child's with `Split.EACH`. `slots` is empty
    for all. `limit_price` is None for a market order. `stop_price`, `trail`, `good_till_ns` and
    `reduce_only` are those of its orders: a stop that is held by the venue. `strategy` names what
    it is counted under in statements.
    """

    symbol: str
    side: Side
    quantity: Lots
    limit_price: Ticks | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    post_only: bool = False
    slots: tuple[SlotId, ...] = ()
    split: Split = Split.EQUAL
    rounding: Rounding = Rounding()
    when_unready: WhenUnready = WhenUnready.GO_ON
    self_trade: SelfTrade = SelfTrade.REJECT_NEW
    stop_price: Ticks | None = None
    trail: Ticks | None = None
    good_till_ns: int | None = None
    reduce_only: bool = False
    strategy: str = ""
