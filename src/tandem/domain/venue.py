"""What a session with a venue carries: requests there, answers and news back.

A session serves one account, named at login. Answers to queries repeat `query_id`. An answer to
a `PlaceOrder` is an `Accepted` or `Rejected`; to a `CancelOrder` the order's `Canceled` or a
`CancelRejected`; to an `AmendOrder` an `Amended` or `AmendRejected`. What happened to an order
reaches the account's other sessions as well; that nothing was canceled or amended only who asked.
"""

import enum
from decimal import Decimal

import msgspec

from tandem.domain.ids import (
    AccountId,
    ActionId,
    ClientOrderId,
    InstrumentId,
    Lots,
    Ticks,
    VenueId,
)
from tandem.domain.order import Order, OrderStatus, Side
from tandem.domain.reports import (
    Accepted,
    Canceled,
    EndCause,
    ExecutionReport,
    Expired,
    Filled,
    Rejected,
)
from tandem.domain.value import Value


class Login(Value, frozen=True, kw_only=True, tag="login"):
    """Open a session for `account_id`; None asks for market data only."""

    account_id: AccountId | None
    secret: str


class PlaceOrder(Value, frozen=True, kw_only=True, tag="place"):
    """Take this order."""

    order: Order


class CancelOrder(Value, frozen=True, kw_only=True, tag="cancel"):
    """End this order."""

    client_order_id: ClientOrderId


class AmendOrder(Value, frozen=True, kw_only=True, tag="amend"):
    """Let this open order be for `quantity` in all, what has traded included, at `limit_price`.

    Both are absolute, so that a repeat changes nothing. `limit_price` is None for an order that
    has none: its kind cannot be changed. A lower quantity at the same price keeps the order's
    place in the queue; a higher one or another price loses it, and may trade at once.
    """

    client_order_id: ClientOrderId
    quantity: Lots
    limit_price: Ticks | None


class QueryOrder(Value, frozen=True, kw_only=True, tag="query"):
    """What do you know of this order? Answered by `OrderFound` or `OrderNotFound`."""

    query_id: int
    client_order_id: ClientOrderId


class ListOpenOrders(Value, frozen=True, kw_only=True, tag="list_open"):
    """Which orders of this account are open? Answered by `OpenOrders`.

    At most `most` of them, None for all, and only what lies after `cursor`.
    """

    query_id: int
    cursor: int = 0
    most: int | None = None


class ListExecutions(Value, frozen=True, kw_only=True, tag="list_executions"):
    """What traded on this account after `cursor`? Answered by `Executions`.

    None asks for no execution, only where they end now. At most `most` of them, None for as many
    as the venue puts into one answer.
    """

    query_id: int
    cursor: int | None
    most: int | None = None


class AskBalances(Value, frozen=True, kw_only=True, tag="ask_balances"):
    """What does this account hold? Answered by `Balances`."""

    query_id: int


class AskTime(Value, frozen=True, kw_only=True, tag="ask_time"):
    """What time is it there? Answered by `VenueTime`."""

    query_id: int


class Misbehavior(Value, frozen=True, kw_only=True):
    """How a paper exchange lies, for tests; every figure is a chance from 0 to 1.

    `delay_ns_max`: a delayed report or answer waits up to that long. `read_lag_ns`: queries
    answer as of that long ago. `skew_ns` is added to its clock.
    """

    lose_report: float = 0.0
    repeat_report: float = 0.0
    delay_report: float = 0.0
    contradict: float = 0.0  # a stale report is sent once more, after what overtook it
    lose_request: float = 0.0
    reject: float = 0.0  # a refusal with a definite code
    unclear: float = 0.0  # a refusal with a code that proves nothing, whatever was done
    delay_ns_max: int = 0
    read_lag_ns: int = 0
    skew_ns: int = 0
    cancel_unasked: float = 0.0  # an order that traded in part and rests is canceled


class Misbehave(Value, frozen=True, kw_only=True, tag="misbehave"):
    """Lie from now on as told; only a paper exchange started with its control open obeys."""

    misbehavior: Misbehavior
    seed: int


class CorporateAction(Value, frozen=True, kw_only=True, tag="corporate_action"):
    """Split an instrument or pay a dividend on it, now; only paper exchanges take such words.

    `numerator` new units for `denominator` old ones, or `dividend` in quote currency for each unit
    of the base that is held. Answered by `CorporateActed`.
    """

    instrument_id: InstrumentId
    numerator: int = 1
    denominator: int = 1
    dividend: Decimal = Decimal(0)


VenueRequest = (
    Login
    | PlaceOrder
    | CancelOrder
    | AmendOrder
    | QueryOrder
    | ListOpenOrders
    | ListExecutions
    | AskBalances
    | AskTime
    | Misbehave
    | CorporateAction
)


class LoggedIn(Value, frozen=True, kw_only=True, tag="logged_in"):
    """The session is up."""

    venue_id: VenueId
    account_id: AccountId | None
    venue_at_ns: int


class LoginRefused(Value, frozen=True, kw_only=True, tag="login_refused"):
    """Unknown account or wrong secret; the venue closes the session."""

    reason: str


class CancelCode(enum.StrEnum):
    """Why a cancel did nothing. UNKNOWN_ORDER settles nothing: it may have overtaken the order."""

    UNKNOWN_ORDER = "unknown_order"
    FINAL = "final"  # the order has already ended


class CancelRejected(Value, frozen=True, kw_only=True, tag="cancel_rejected"):
    """The cancel did nothing."""

    client_order_id: ClientOrderId
    code: CancelCode


class AmendCode(enum.StrEnum):
    """Why an order stays as it was. UNKNOWN_ORDER settles nothing: the order may come later."""

    UNKNOWN_ORDER = "unknown_order"
    FINAL = "final"  # the order has already ended
    TRADED = "traded"  # nothing would be left open: as much has traded or was taken off
    BAD_QUANTITY = "bad_quantity"
    BAD_PRICE = "bad_price"  # off the scale, or a price where the order has none
    FUNDS = "funds"
    POSITION = "position"
    WOULD_TAKE = "would_take"  # post-only, but it would have traded at once
    SELF_MATCH = "self_match"
    CLOSED = "closed"  # nothing trades now; only a lower quantity is taken


class Amended(Value, frozen=True, kw_only=True, tag="amended"):
    """The order is now for `quantity` in all at `limit_price`; `cum_quantity` had traded by then.

    It may be the answer to an earlier request than the last: compare the figures.
    """

    client_order_id: ClientOrderId
    quantity: Lots
    limit_price: Ticks | None
    cum_quantity: Lots


class AmendRejected(Value, frozen=True, kw_only=True, tag="amend_rejected"):
    """The order is as it was; it is never ended or put back in the queue by a refusal."""

    client_order_id: ClientOrderId
    code: AmendCode


class OrderFound(Value, frozen=True, kw_only=True, tag="order_found"):
    """The order as the venue knows it: `fills` are all of its executions, oldest first.

    `quantity` and `limit_price` are what it is for, amendments included; `cause` is why the venue
    ended it by itself.
    """

    query_id: int
    client_order_id: ClientOrderId
    status: OrderStatus
    cum_quantity: Lots
    fills: tuple[Filled, ...]
    quantity: Lots | None = None
    limit_price: Ticks | None = None
    cause: EndCause | None = None


class OrderNotFound(Value, frozen=True, kw_only=True, tag="order_not_found"):
    """The venue does not know the order (now, or one read lag ago)."""

    query_id: int
    client_order_id: ClientOrderId


class OpenOrder(Value, frozen=True, kw_only=True):
    """One open order of the account, as amended.

    `stop_price` is set while the order waits for it: where a trailing one stands now.
    """

    order: Order
    cum_quantity: Lots
    stop_price: Ticks | None = None


class OpenOrders(Value, frozen=True, kw_only=True, tag="open_orders"):
    """Open orders of the account, oldest first; `cursor` is where to go on, None at their end."""

    query_id: int
    orders: tuple[OpenOrder, ...]
    cursor: int | None = None


class Traded(Value, frozen=True, kw_only=True):
    """What an execution traded, which its report leaves to the order it names."""

    instrument_id: InstrumentId
    side: Side


class Executions(Value, frozen=True, kw_only=True, tag="executions"):
    """Executions after the cursor asked for, oldest first; `cursor` is where to go on.

    `traded` says of each fill, in the same order, what it was that traded.
    """

    query_id: int
    fills: tuple[Filled, ...]
    cursor: int
    traded: tuple[Traded, ...] = ()


class Adjusted(Value, frozen=True, kw_only=True):
    """What a split or a dividend did to an account: signed `lots` and `cash` were added.

    A split gave `numerator` new units for `denominator` old ones; the cash is for what would not
    have made a whole lot. A dividend paid `dividend` for each unit of the base.
    """

    action_id: ActionId
    instrument_id: InstrumentId
    numerator: int
    denominator: int
    dividend: Decimal
    lots: int
    cash: Decimal
    venue_at_ns: int

    @property
    def is_split(self) -> bool:
        """Whether units became more, or fewer."""
        return self.numerator != self.denominator


class Balances(Value, frozen=True, kw_only=True, tag="balances"):
    """What the account holds: money by currency and lots by instrument, zeros left out.

    It holds so much after `adjusted`, the latest splits and dividends, oldest first. `splits` are
    how often each instrument had been split by then. Number 0 answers no question: the venue says
    so by itself when something else than a trade has changed what is held.
    """

    query_id: int
    cash: dict[str, Decimal]
    positions: dict[InstrumentId, int]
    adjusted: tuple[Adjusted, ...] = ()
    splits: dict[InstrumentId, int] = msgspec.field(default_factory=dict)


class CorporateActed(Value, frozen=True, kw_only=True, tag="corporate_acted"):
    """What came of a `CorporateAction`; without an id it was refused, as `text` says."""

    action_id: ActionId | None
    text: str


class VenueTime(Value, frozen=True, kw_only=True, tag="venue_time"):
    """The venue's clock, UTC in nanoseconds."""

    query_id: int
    venue_at_ns: int


class Doubt(enum.StrEnum):
    """Why prices of an instrument are not to be acted on with new risk."""

    BURST = "burst"  # many more messages than usual: perhaps somebody stuffs quotes
    FEEDS_APART = "feeds_apart"  # two feeds of it do not agree
    GAP = "gap"  # some messages are missing


class Quote(Value, frozen=True, kw_only=True):
    """Best prices and last trade of one instrument; None where there is none.

    `volume` is what others have traded there since the venue opened, in lots. `told_ns` is the
    time of the latest news behind it, by the feed that told it, in market time; None: it is as
    new as its arrival. `messages` counts what that feed said, and `faults` what of it was not
    used, by reason. It is of after so many `splits` of the instrument.
    """

    instrument_id: InstrumentId
    bid: Ticks | None
    ask: Ticks | None
    last: Ticks | None
    volume: int = 0
    told_ns: int | None = None
    messages: int = 0
    doubt: Doubt | None = None
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    splits: int = 0


class Quotes(Value, frozen=True, kw_only=True, tag="quotes"):
    """Quotes that changed since the last such message; sent at most a few times a second."""

    quotes: tuple[Quote, ...]


AccountMessage = (
    LoggedIn
    | LoginRefused
    | Accepted
    | Rejected
    | Filled
    | Canceled
    | Expired
    | CancelRejected
    | Amended
    | AmendRejected
    | OrderFound
    | OrderNotFound
    | OpenOrders
    | Executions
    | Balances
    | VenueTime
)
VenueMessage = AccountMessage | Quotes | CorporateActed

__all__ = [
    "Accepted",
    "AccountMessage",
    "Adjusted",
    "AmendCode",
    "AmendOrder",
    "AmendRejected",
    "Amended",
    "AskBalances",
    "AskTime",
    "Balances",
    "CancelCode",
    "CancelOrder",
    "CancelRejected",
    "Canceled",
    "CorporateActed",
    "CorporateAction",
    "Doubt",
    "ExecutionReport",
    "Executions",
    "Expired",
    "Filled",
    "ListExecutions",
    "ListOpenOrders",
    "LoggedIn",
    "Login",
    "LoginRefused",
    "Misbehave",
    "Misbehavior",
    "OpenOrder",
    "OpenOrders",
    "OrderFound",
    "OrderNotFound",
    "PlaceOrder",
    "QueryOrder",
    "Quote",
    "Quotes",
    "Rejected",
    "Traded",
    "VenueMessage",
    "VenueRequest",
    "VenueTime",
]
