"""Execution reports: what a venue tells us about one of our orders (FIX 35=8).

Any of them may come late, twice or not at all; `core.trading.order_lifecycle` says what each
makes of an order.
"""

import enum
from decimal import Decimal

from tandem.domain.ids import ClientOrderId, ExecutionId, Lots, Ticks, VenueOrderId
from tandem.domain.value import Value


class RejectCode(enum.StrEnum):
    """Why a venue refused. Only codes of `DEFINITE` prove that the order does not live there."""

    EXPIRED_REQUEST = "expired_request"  # class A: it came after `expires_at_ns`
    DUPLICATE_ID = "duplicate_id"  # the id is in use (A) or was ever used (B)
    FUNDS = "funds"
    POSITION = "position"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    BAD_QUANTITY = "bad_quantity"
    BAD_PRICE = "bad_price"
    WOULD_TAKE = "would_take"  # post-only, but it would have traded at once
    SELF_MATCH = "self_match"
    NO_LIQUIDITY = "no_liquidity"  # market order and an empty book
    CLOSED = "closed"
    NOT_LOGGED_IN = "not_logged_in"
    BAD_DATE = "bad_date"  # good till a date that is past, or that nobody named
    BUSY = "busy"  # rate limit or overload; says nothing about the order
    OTHER = "other"


DEFINITE = frozenset(
    {
        RejectCode.EXPIRED_REQUEST,
        RejectCode.FUNDS,
        RejectCode.POSITION,
        RejectCode.UNKNOWN_INSTRUMENT,
        RejectCode.BAD_QUANTITY,
        RejectCode.BAD_PRICE,
        RejectCode.WOULD_TAKE,
        RejectCode.SELF_MATCH,
        RejectCode.NO_LIQUIDITY,
        RejectCode.CLOSED,
        RejectCode.BAD_DATE,
    }
)


class EndCause(enum.StrEnum):
    """Why a venue ended an order by itself."""

    SELF_MATCH = "self_match"  # all or a part of it would have met one of the same owner
    SPLIT = "split"  # its quantity and price are those of before a split


class Accepted(Value, frozen=True, kw_only=True, tag="accepted"):
    """The venue has taken the order."""

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId


class Rejected(Value, frozen=True, kw_only=True, tag="rejected"):
    """The venue refused the order; `text` is its own explanation."""

    client_order_id: ClientOrderId
    code: RejectCode
    text: str = ""


class Filled(Value, frozen=True, kw_only=True, tag="filled"):
    """Part or all of the order traded; repeats are known by `execution_id`.

    `fee` is in quote currency, negative for a rebate. `venue_at_ns` is venue time.
    """

    client_order_id: ClientOrderId
    execution_id: ExecutionId
    quantity: Lots
    price: Ticks
    fee: Decimal
    venue_at_ns: int


class Canceled(Value, frozen=True, kw_only=True, tag="canceled"):
    """The order ended before it was filled; `cum_quantity` had traded by then.

    `cause` is None where somebody asked for it, or nobody says why.
    """

    client_order_id: ClientOrderId
    cum_quantity: Lots
    cause: EndCause | None = None


class Expired(Value, frozen=True, kw_only=True, tag="expired"):
    """The venue ended the order by its time in force; `cum_quantity` had traded by then."""

    client_order_id: ClientOrderId
    cum_quantity: Lots


ExecutionReport = Accepted | Rejected | Filled | Canceled | Expired
