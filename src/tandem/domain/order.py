"""An order as it is asked of a venue."""

import enum
from typing import Final

from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.value import Value


class Side(enum.StrEnum):
    """Direction of an order (FIX 54)."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The side that trades against this one."""
        return _SELL if self is _BUY else _BUY

    @property
    def sign(self) -> int:
        """What one unit traded on this side adds to a position."""
        return 1 if self is _BUY else -1


_BUY, _SELL = Side  # finding a member of an enum costs more than comparing it


class OrderType(enum.StrEnum):
    """How the price of an order is set (FIX 40)."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"  # a market order once the market has traded at its stop price
    STOP_LIMIT = "stop_limit"


class TimeInForce(enum.StrEnum):
    """How long an order may rest before the venue must end it (FIX 59)."""

    DAY = "day"
    GOOD_TILL_CANCEL = "gtc"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"
    GOOD_TILL_DATE = "gtd"


class OrderStatus(enum.StrEnum):
    """Where an order is in its life (FIX 39); the last four are final."""

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can trade."""
        return self in FINAL


FINAL: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


class FenceClass(enum.StrEnum):
    """What a venue lets us prove about a request that may or may not have arrived.

    EXPIRES (A): a request can expire, by time or rising nonce. UNIQUE (B): a client order id is
    refused for ever once used. NEITHER (C): a person must look.
    """

    EXPIRES = "A"
    UNIQUE = "B"
    NEITHER = "C"


class Order(Value, frozen=True, kw_only=True):
    """One request to a venue: what to trade, and under which id.

    `limit_price` is None for a market order and set for a limit order. `expires_at_ns` is venue
    time, set for fence class A: the venue must refuse the request after it. With a `stop_price`
    the order waits outside the book until the market has traded there or beyond; with `trail` as
    well, that price follows the market at this distance, and never turns back. `good_till_ns` is
    the market time at which the venue ends it, set for `GOOD_TILL_DATE`. `reduce_only`: it may
    only bring the account's position nearer to zero, and the venue cuts it to that.
    """

    client_order_id: ClientOrderId
    instrument_id: InstrumentId
    side: Side
    quantity: Lots
    limit_price: Ticks | None
    time_in_force: TimeInForce
    post_only: bool = False
    expires_at_ns: int | None = None
    stop_price: Ticks | None = None
    trail: Ticks | None = None
    good_till_ns: int | None = None
    reduce_only: bool = False

    @property
    def order_type(self) -> OrderType:
        """Market when it has no price, else limit; a stop when it waits for a price."""
        if self.stop_price is None:
            return OrderType.MARKET if self.limit_price is None else OrderType.LIMIT
        return OrderType.STOP if self.limit_price is None else OrderType.STOP_LIMIT
