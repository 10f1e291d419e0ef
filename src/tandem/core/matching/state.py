"""All that a paper exchange remembers: mutable, encodable, owned by one `Exchange`.

Times called `at_ns` are server time: steady, UTC at the first start, never turned back, without
the skew that a misbehaving exchange adds to what it says.
"""

from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.market.watch import FeedWatch
from tandem.core.matching.book import Resting
from tandem.core.matching.candles import Candles
from tandem.core.matching.chance import Chance, seeded
from tandem.core.matching.used_ids import UsedIds
from tandem.domain.exchange import AccountSettings, ExchangeSettings, Fees, SyntheticBook
from tandem.domain.ids import InstrumentId, Lots, MarketId
from tandem.domain.order import Order, OrderStatus
from tandem.domain.reports import EndCause, ExecutionReport, Filled
from tandem.domain.venue import Adjusted, Amended, Misbehavior, Quote, VenueMessage

ZERO: Final = Decimal(0)
PAST_MAX: Final = 64

OrderNews = ExecutionReport | Amended


class Execution(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One fill and what it did to its account: `cash` and `lots` were added, signed."""

    at_ns: int
    instrument_id: InstrumentId
    cash: Decimal
    lots: int
    fill: Filled


class Past(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an order was until an amendment."""

    until_ns: int
    order: Order


class OrderRecord(msgspec.Struct, array_like=True, gc=False):
    """An order that was accepted, from then until it is forgotten.

    `order` is as last amended, and `past` what it was before. `prevented` lots were taken off by
    self-match prevention, or because there was no position that they could reduce. `status` is
    final or None, and `ended_at_ns` set with it. While it `waits` for its stop price the order is
    not in the book; `stop_price` is where that is now.
    """

    number: int
    account: int
    order: Order
    accepted_at_ns: int
    cum_quantity: int = 0
    prevented: int = 0
    executions: list[Execution] = []  # msgspec copies the default
    status: OrderStatus | None = None
    ended_at_ns: int | None = None
    past: list[Past] = []
    waits: bool = False
    stop_price: int | None = None
    cause: EndCause | None = None  # why the exchange ended it by itself

    @property
    def leaves(self) -> int:
        """What may still trade."""
        if self.status is not None:
            return 0
        return self.order.quantity - self.cum_quantity - self.prevented

    @property
    def as_open(self) -> Order:
        """The order as if it were new: for what is left of it."""
        return msgspec.structs.replace(self.order, quantity=Lots(self.leaves))

    @property
    def held_price(self) -> int | None:
        """The price at which cash is held for it, None when nothing is held.

        A market order never rests. A stop that may only reduce is judged when it is triggered,
        and one without a limit is held as if it traded at its first stop price.
        """
        order = self.order
        if not self.waits:
            return order.limit_price
        if order.reduce_only:
            return None
        return order.stop_price if order.limit_price is None else order.limit_price

    def amend(self, order: Order, at_ns: int) -> None:
        """Let it be `order` from now on; only the last amendments are remembered."""
        self.past.append(Past(at_ns, self.order))
        del self.past[:-PAST_MAX]
        self.order = order

    def order_as_of(self, at_ns: int) -> Order:
        """Return the order as it was at that time."""
        return next((one.order for one in self.past if one.until_ns > at_ns), self.order)


class Adjustment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a split or a dividend did to an account, and when."""

    at_ns: int
    told: Adjusted


class AccountState(msgspec.Struct, array_like=True, gc=False):
    """What one account holds and has asked.

    `held` is cash and `held_lots` positions that open orders may need. `records` are the open
    orders and the last final ones by number, `numbers` the latest of each client order id,
    `ended` the final ones, oldest first. `dropped` executions were forgotten before the first
    of `executions`. `recent` are the last reports, for an exchange that contradicts itself.
    """

    index: int
    owner: int
    settings: AccountSettings
    fees: Fees
    hold_rate: Decimal
    cash: dict[str, Decimal]
    positions: dict[InstrumentId, int]
    held: dict[str, Decimal] = {}
    held_lots: dict[InstrumentId, int] = {}
    records: dict[int, OrderRecord] = {}
    numbers: dict[str, int] = {}
    ended: list[int] = []
    executions: list[Execution] = []
    dropped: int = 0
    used: UsedIds = msgspec.field(default_factory=lambda: UsedIds(shelves={}))
    sessions: list[int] = []
    recent: list[OrderNews] = []
    adjusted: list[Adjustment] = []  # the latest splits and dividends, oldest first


class MarketState(msgspec.Struct, array_like=True, gc=False):
    """What the market shows of one instrument.

    `bids` and `asks` are what the feed last said of each price, whether or not it is still to
    be had. While nothing can trade, `bids_after` and `asks_after` are what it says instead, to be
    shown when trading goes on. `center` and `age` belong to the synthetic market, and `plan`
    where a split or dividend has changed the one of the settings.
    """

    quoted: Quote
    last: int | None = None
    volume: int = 0  # traded between others, in lots
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    center: int = 0
    age: int = 0
    is_halted: bool = False
    bids_after: dict[int, int] = {}
    asks_after: dict[int, int] = {}
    splits: int = 0
    plan: SyntheticBook | None = None
    is_closed: bool = False  # between two sessions

    @property
    def is_quoted(self) -> bool:
        """Whether anything was ever said of it."""
        quoted = self.quoted
        return quoted.bid is not None or quoted.ask is not None or quoted.last is not None


class SessionState(msgspec.Struct, array_like=True, gc=False):
    """One open connection; `account` is None before a login and for market data only."""

    account: int | None = None
    is_logged_in: bool = False
    busy_until_ns: int = 0


class Parcel(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A message that waits; ordered by time, then by `sequence`, which no two share."""

    due_ns: int
    sequence: int
    session: int
    message: VenueMessage


class ExchangeState(msgspec.Struct, array_like=True, gc=False):
    """The whole exchange but its books.

    `now_ns`, `market_ns` and `at_ns` are those of the latest event; server time is
    `epoch_ns + now_ns`. A `*_due_ns` is a moment of the `now_ns` clock. `background` is what
    everybody else in the market won and lost against the accounts. `session_ends_at_ns` is the
    end of the trading session at hand, None between two and where there are none, and
    `market_ends_at_ns` that of markets with sessions of their own, while one is at hand. `feeds`
    are those of a replayed market.
    """

    settings: ExchangeSettings
    chance: Chance
    lies: Chance
    accounts: list[AccountState]
    markets: dict[InstrumentId, MarketState]
    is_started: bool = False
    now_ns: int = 0
    market_ns: int = 0
    at_ns: int = 0
    epoch_ns: int = 0
    orders: int = 0
    executions: int = 0
    background_cash: dict[str, Decimal] = {}
    background_positions: dict[InstrumentId, int] = {}
    fees: dict[str, Decimal] = {}
    sessions: dict[int, SessionState] = {}
    parcels: list[Parcel] = []
    parcels_ever: int = 0
    misbehavior: Misbehavior = Misbehavior()
    touched: dict[InstrumentId, None] = {}
    quotes_due_ns: int = 0
    step_due_ns: int = 0
    day_ends_at_ns: int = 0
    off_lot_rounded: int = 0
    unknown_events: int = 0
    session_ends_at_ns: int | None = None
    feeds: dict[InstrumentId, FeedWatch] = {}
    candles: Candles = msgspec.field(default_factory=Candles)
    actions: int = 0  # splits and dividends so far
    resumes_ns: dict[InstrumentId, int] = {}  # ends of pauses after splits, by the `now_ns` clock
    market_ends_at_ns: dict[MarketId, int] = {}

    def is_still(self, instrument_id: InstrumentId) -> bool:
        """Whether nothing can trade there now: between two sessions, or because of a halt."""
        market = self.markets[instrument_id]
        return market.is_closed or market.is_halted


class Snapshot(msgspec.Struct, array_like=True, gc=False):
    """The state, and every book's orders as `Book.resting` gives them."""

    state: ExchangeState
    books: dict[InstrumentId, list[Resting]]


def opening(settings: ExchangeSettings) -> ExchangeState:
    """Return the state before the first event."""
    owners: dict[str, int] = {}
    accounts = []
    for index, one in enumerate(settings.accounts):
        fees = settings.fees if one.fees is None else one.fees
        accounts.append(
            AccountState(
                index=index,
                owner=owners.setdefault(one.owner, len(owners) + 1),
                settings=one,
                fees=fees,
                hold_rate=1 + max(fees.maker, fees.taker, ZERO),
                cash=dict(one.cash),
                positions=dict(one.positions),
            )
        )
    markets = {
        one.instrument_id: MarketState(
            quoted=Quote(instrument_id=one.instrument_id, bid=None, ask=None, last=None)
        )
        for one in settings.instruments
    }
    if settings.synthetic is not None:
        for book in settings.synthetic.books:
            markets[book.instrument_id].center = book.reference
    return ExchangeState(
        settings=settings,
        chance=seeded(settings.seed),
        lies=seeded(settings.seed + 1),
        accounts=accounts,
        markets=markets,
    )
