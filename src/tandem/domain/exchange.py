"""What the paper exchange is told, what it answers, and how it is set up.

The exchange is an actor: events and the time go in, effects come out. Sessions are numbered by
the shell that holds their connections; a number is never used twice.
"""

import enum
from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.bars import Bar
from tandem.domain.ids import AccountId, InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Session, refuse_disorder
from tandem.domain.order import FenceClass, Side
from tandem.domain.value import Value
from tandem.domain.venue import VenueMessage, VenueRequest

MS: Final = 1_000_000
DAY_NS: Final = 86_400_000 * MS


class SelfMatch(enum.StrEnum):
    """What a venue does when an order would meet another one of the same owner."""

    REJECT = "reject"  # the new order is refused before anything trades
    EXPIRE_TAKER = "expire_taker"  # the new order ends where it would meet its own
    EXPIRE_MAKER = "expire_maker"  # the resting order ends, the new one goes on
    EXPIRE_BOTH = "expire_both"
    DECREMENT = "decrement"  # both lose the smaller quantity, without a trade


class Fees(Value, frozen=True, kw_only=True):
    """What a trade costs, as a share of its value; a negative rate is a rebate."""

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)


class AccountSettings(Value, frozen=True, kw_only=True):
    """One account: its secret, what it holds at the start, and its rules.

    Accounts of one `owner` never trade with each other. `positions` are in lots. `fees` of None
    means those of the exchange.
    """

    account_id: AccountId
    secret: str
    owner: str
    cash: dict[str, Decimal]
    positions: dict[InstrumentId, int]
    fence_class: FenceClass = FenceClass.EXPIRES
    may_short: bool = False
    fees: Fees | None = None

    def __repr__(self) -> str:
        """Return the account's name; a secret is never printed."""
        return f"AccountSettings({self.account_id!r}, owner={self.owner!r})"


class SyntheticBook(Value, frozen=True, kw_only=True):
    """How background participants quote one instrument.

    The price wanders slowly around `reference`, by `stride` at a time. On each side there are
    `levels` prices, one `stride` apart, with up to `depth` lots each.
    """

    instrument_id: InstrumentId
    reference: Ticks
    stride: Ticks
    depth: Lots
    levels: int = 5


class SyntheticMarket(Value, frozen=True, kw_only=True):
    """A seeded market of background participants that moves every `step_ns`."""

    books: tuple[SyntheticBook, ...]
    step_ns: int = 100 * MS


class ExchangeSettings(Value, frozen=True, kw_only=True):
    """Everything a paper exchange is started with.

    A report leaves between `latency_ns_min` and `latency_ns_max` after what caused it, in order
    for each session. Queries answer as of `read_lag_ns` ago. Day orders end `day_ends_at_ns`
    after midnight UTC of the market's clock. `misbehavior_open` lets a session order the
    exchange to lie. At most `bar_share` of a bar's volume fills us. The last
    `final_orders_kept` orders that ended and `executions_kept` fills of each account can be
    asked for; `executions_answered` fills fit into one answer, and an account may have
    `open_orders_max` orders open. With `sessions`, oldest first, orders are taken and trade only
    within them, and day orders end with the session; without, the market is always open. A market
    that `market_sessions` names has those instead.

    Raises:
        ConfigurationError: the sessions overlap or are not in order.
    """

    venue_id: VenueId
    instruments: tuple[Instrument, ...]
    accounts: tuple[AccountSettings, ...]
    seed: int = 1
    self_match: SelfMatch = SelfMatch.EXPIRE_TAKER
    fees: Fees = Fees()
    latency_ns_min: int = 0
    latency_ns_max: int = 0
    read_lag_ns: int = 0
    quotes_every_ns: int = 200 * MS
    day_ends_at_ns: int = 0
    misbehavior_open: bool = False
    synthetic: SyntheticMarket | None = None
    bar_share: Decimal = Decimal("0.1")
    final_orders_kept: int = 10_000
    executions_kept: int = 100_000
    executions_answered: int = 1_000
    open_orders_max: int = 10_000
    sessions: tuple[Session, ...] = ()
    market_sessions: dict[MarketId, tuple[Session, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for sessions in (self.sessions, *self.market_sessions.values()):
            refuse_disorder(sessions)


# What a market's data says happened. `off_lot_rounded` counts the sizes that did not lie on the
# instrument's lot grid and were rounded down.

Level = tuple[Ticks, Lots]


class DepthShown(Value, frozen=True, kw_only=True, tag="depth"):
    """Quantities displayed at prices; 0 lots: nothing any more.

    `is_whole`: there is nothing displayed besides; else other prices stay as they were.
    """

    instrument_id: InstrumentId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    is_whole: bool
    off_lot_rounded: int = 0


class BestShown(Value, frozen=True, kw_only=True, tag="best"):
    """The best displayed prices: nothing better is there any more.

    A quantity counts only where nothing was displayed at its price so far: depth, which comes
    later but names the same trades, has the say about the rest. None: that side is empty.
    """

    instrument_id: InstrumentId
    bid: Level | None
    ask: Level | None
    off_lot_rounded: int = 0


class PublicTrade(Value, frozen=True, kw_only=True, tag="trade"):
    """A trade between others; `taker` is the side that came to the book, None when not told."""

    instrument_id: InstrumentId
    price: Ticks
    quantity: Lots
    taker: Side | None
    off_lot_rounded: int = 0


class TradeBar(Value, frozen=True, kw_only=True, tag="trade_bar"):
    """What traded over a span of time."""

    instrument_id: InstrumentId
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Lots
    off_lot_rounded: int = 0


class QuoteBar(Value, frozen=True, kw_only=True, tag="quote_bar"):
    """What was quoted over a span of time: open, high, low and close of both sides."""

    instrument_id: InstrumentId
    bids: tuple[Ticks, Ticks, Ticks, Ticks]
    asks: tuple[Ticks, Ticks, Ticks, Ticks]
    bid_quantity: Lots
    ask_quantity: Lots
    off_lot_rounded: int = 0


class TradingHalted(Value, frozen=True, kw_only=True, tag="halted"):
    """Nothing trades from now on: new orders are refused, open ones stay and can be canceled."""

    instrument_id: InstrumentId


class TradingResumed(Value, frozen=True, kw_only=True, tag="resumed"):
    """Trading goes on, with what the feed has displayed meanwhile."""

    instrument_id: InstrumentId


MarketEvent = DepthShown | BestShown | PublicTrade | TradeBar | QuoteBar  # what feeds tell
HaltEvent = TradingHalted | TradingResumed  # what the exchange is told of itself


class SessionOpened(Value, frozen=True, kw_only=True, tag="session_opened"):
    """A connection arrived."""

    session: int


class SessionClosed(Value, frozen=True, kw_only=True, tag="session_closed"):
    """A connection has gone, whoever ended it."""

    session: int


class Requested(Value, frozen=True, kw_only=True, tag="requested"):
    """A session asks something."""

    session: int
    request: VenueRequest


class Stamp(Value, frozen=True, kw_only=True):
    """When an event of a feed was known, and the feed's own time of it, where it tells one.

    `is_second`: it is of a second feed of the instrument, which is only compared with the first.
    `is_after_gap`: something of the feed before it is missing.
    """

    at_ns: int
    told_ns: int | None = None
    is_second: bool = False
    is_after_gap: bool = False


class MarketEvents(Value, frozen=True, kw_only=True, tag="market_events"):
    """What happened in the replayed market, oldest first.

    `stamps` has one for each event; without any, they are taken as they are, and not judged.
    """

    events: tuple[MarketEvent | HaltEvent, ...]
    stamps: tuple[Stamp, ...] = ()


class Due(Value, frozen=True, kw_only=True, tag="due"):
    """The moment `next_due_ns` has come."""


class Restarted(Value, frozen=True, kw_only=True, tag="restarted"):
    """The process started, for the first time or again: no session is open any more."""


ExchangeEvent = SessionOpened | SessionClosed | Requested | MarketEvents | Due | Restarted


class ToSession(Value, frozen=True, kw_only=True, tag="to_session"):
    """Send `message` on that session's connection."""

    session: int
    message: VenueMessage


class CloseSession(Value, frozen=True, kw_only=True, tag="close_session"):
    """Send what is waiting, then close that session's connection."""

    session: int


class CandlesTold(Value, frozen=True, kw_only=True, tag="candles_told"):
    """Publish these one-minute bars, oldest first; all that ended until `through_ns` are told.

    After a restart they are told again.
    """

    through_ns: int
    bars: tuple[Bar, ...]


ExchangeEffect = ToSession | CloseSession | CandlesTold
