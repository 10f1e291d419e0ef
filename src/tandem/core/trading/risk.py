"""The risk gate: the last question before an order may leave, and it fails closed.

The argument: an order passes only if no limit would be broken should it, and every open order
with it, trade in full on the worse side. What is out is counted when it is sent and given back
only when the venue has filled or ended it, so the sums are never too small. What the gate does
not know (an instrument, a reference price) it refuses.

The source of the list of checks is the market access rule, SEC 15c3-5.
"""

import enum
from bisect import bisect_left
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import SECOND_NS, Limits
from tandem.domain.money import ZERO, add, multiply, multiply_add
from tandem.domain.order import Side
from tandem.domain.venue import Doubt, Quote

DAY_NS: Final = 86_400 * SECOND_NS
MILLION: Final = 1_000_000
PURGE_MIN: Final = 1_024


class TradingState(enum.StrEnum):
    """What the gate lets through at all."""

    ACTIVE = "active"
    REDUCING = "reducing"  # only orders that bring a position nearer to zero
    HALTED = "halted"


# Finding a member of an enum costs more than comparing it, and this is asked with every order.
_BUY: Final = Side.BUY
_HALTED: Final = TradingState.HALTED
_REDUCING: Final = TradingState.REDUCING


class RiskBreach(enum.StrEnum):
    """The first limit that an order would break."""

    HALTED = "halted"
    REDUCING_ONLY = "reducing_only"
    RESTRICTED = "restricted"
    SESSION_CLOSED = "session_closed"
    QUANTITY = "quantity"
    CHILDREN_EXCEED_PARENT = "children_exceed_parent"
    NO_REFERENCE_PRICE = "no_reference_price"  # none, too old, or none for a position held
    PRICE_IN_DOUBT = "price_in_doubt"  # a burst of messages, or feeds that do not agree
    PRICE_COLLAR = "price_collar"
    NOTIONAL = "notional"
    OPEN_ORDERS = "open_orders"
    POSITION = "position"
    EXPOSURE = "exposure"
    DAILY_LOSS = "daily_loss"
    ORDERS_PER_SECOND = "orders_per_second"
    DUPLICATE = "duplicate"


class Intent(Protocol):
    """What the gate must know of an order; `tandem.domain.order.Order` is one."""

    @property
    def instrument_id(self) -> InstrumentId:
        """What is traded."""
        ...

    @property
    def side(self) -> Side:
        """In which direction."""
        ...

    @property
    def quantity(self) -> Lots:
        """How much."""
        ...

    @property
    def limit_price(self) -> Ticks | None:
        """The worst price; None at the market."""
        ...

    @property
    def stop_price(self) -> Ticks | None:
        """Where the market must be before it trades; None when it need not wait."""
        ...

    @property
    def reduce_only(self) -> bool:
        """Whether it must not grow a position, nor turn it."""
        ...


class Holding(msgspec.Struct, array_like=True, gc=False):
    """One instrument: lots held (negative when short) and lots out, and what they are worth.

    `valued_lots` is how much of it is counted in the gross exposure, at `reference`, which is as
    old as `reference_market_ns`. While its prices are in `doubt` it takes no new risk.
    """

    symbol: str
    quote: str
    step_value: Decimal
    position: int = 0
    open_buys: int = 0
    open_sells: int = 0
    reference: Ticks | None = None
    reference_market_ns: int = 0
    valued_lots: int = 0
    doubt: Doubt | None = None
    market_id: MarketId | None = None


class AlikeRun(msgspec.Struct, array_like=True, gc=False):
    """Orders that are all the same: when the first was sent, and how many since."""

    first_ns: int
    count: int


AlikeKey = tuple[InstrumentId, Side, int, int | None]


class Exposure(msgspec.Struct, array_like=True, gc=False):
    """Everything that one gate remembers: of a desk, or of the one account of a worker.

    `gross` and `realized` are by quote currency; `realized` is of `day`, a UTC day of market
    time. `sent_ns` are the moments of the last orders, oldest first, older ones than a second
    dropped now and then. `unvalued` are positions that no price is known for.
    """

    state: TradingState = TradingState.ACTIVE
    holdings: dict[InstrumentId, Holding] = {}
    unvalued: dict[InstrumentId, str] = {}
    open_orders: int = 0
    gross: dict[str, Decimal] = {}
    day: int = 0
    realized: dict[str, Decimal] = {}
    sent_ns: list[int] = []
    alike: dict[AlikeKey, AlikeRun] = {}
    purge_at: int = PURGE_MIN

    def track(self, instrument: Instrument) -> None:
        """Allow `instrument` to be judged; once more changes nothing."""
        holding = self.holdings.get(instrument.instrument_id)
        if holding is None:
            holding = Holding(instrument.symbol, instrument.quote, instrument.step_value)
            self.holdings[instrument.instrument_id] = holding
            self.gross.setdefault(instrument.quote, ZERO)
        holding.market_id = instrument.market_id

    def set_position(self, instrument_id: InstrumentId, lots: int) -> None:
        """Take `lots` as held: at the start, or after reconciliation."""
        holding = self.holdings[instrument_id]
        holding.position = lots
        self.unvalued.pop(instrument_id, None)
        if holding.reference is None and lots:
            self.unvalued[instrument_id] = holding.quote
        self._value(holding)

    def note_quote(self, quote: Quote, now: Instant) -> None:
        """Take the middle of a quote, or the last price where a side is missing.

        It is as old as its feed says, whenever it came: a feed that stands still repeats itself.
        """
        if quote.told_ns is not None and quote.told_ns < now.market_ns:
            now = Instant(now.now_ns, quote.told_ns)
        holding = self.holdings.get(quote.instrument_id)
        if holding is not None:
            holding.doubt = quote.doubt
        if quote.bid is not None and quote.ask is not None:
            self.note_reference(quote.instrument_id, Ticks((quote.bid + quote.ask) // 2), now)
        elif quote.last is not None:
            self.note_reference(quote.instrument_id, quote.last, now)

    def note_reference(self, instrument_id: InstrumentId, price: Ticks, now: Instant) -> None:
        """Judge and value the instrument at `price` from now on; one not tracked is ignored."""
        holding = self.holdings.get(instrument_id)
        if holding is None:
            return
        holding.reference_market_ns = now.market_ns
        self._reprice(instrument_id, holding, price)

    def forget_reference(self, instrument_id: InstrumentId) -> None:
        """Know no price of the instrument until the next one: the last is of another scale."""
        holding = self.holdings[instrument_id]
        if holding.reference is not None:
            self._add_gross(holding, -holding.valued_lots * holding.reference)
            holding.reference, holding.valued_lots = None, 0
        if holding.position:
            self.unvalued[instrument_id] = holding.quote

    def note_sent(self, intent: Intent, limits: Limits, now: Instant) -> None:
        """Count an order as out: it passed, and it leaves."""
        holding = self.holdings[intent.instrument_id]
        self.open_orders += 1
        if intent.side is _BUY:
            holding.open_buys += intent.quantity
        else:
            holding.open_sells += intent.quantity
        self._value(holding)
        self._note_pace(intent, limits, now.now_ns)

    def note_filled(
        self, intent: Intent, quantity: Lots, price: Ticks, *, leaves_quantity: int
    ) -> None:
        """Move `quantity` from what is out to what is held.

        `leaves_quantity` is what was still out of the order before this fill: 0 for a fill that
        comes after the order's end.
        """
        holding = self.holdings[intent.instrument_id]
        settled = min(quantity, leaves_quantity)
        if intent.side is _BUY:
            holding.position += quantity
            holding.open_buys -= settled
        else:
            holding.position -= quantity
            holding.open_sells -= settled
        if holding.reference is None:
            self._reprice(intent.instrument_id, holding, price)
        else:
            self._value(holding)

    def note_external(self, instrument_id: InstrumentId, side: Side, lots: int) -> None:
        """Count lots that another program has out on an account of ours; negative: gives back."""
        holding = self.holdings[instrument_id]
        if side is _BUY:
            holding.open_buys += lots
        else:
            holding.open_sells += lots
        self._value(holding)

    def note_ended(self, intent: Intent, *, leaves_quantity: int) -> None:
        """Give back an order that the venue has ended, and what was still out of it."""
        self.open_orders -= 1
        if leaves_quantity:
            self.note_lowered(intent, leaves_quantity)

    def note_lowered(self, intent: Intent, lots: int) -> None:
        """Give back lots that an order does not ask for any more."""
        holding = self.holdings[intent.instrument_id]
        if intent.side is _BUY:
            holding.open_buys -= lots
        else:
            holding.open_sells -= lots
        self._value(holding)

    def note_realized(self, quote: str, amount: Decimal, now: Instant) -> None:
        """Add a profit (or, negative, a loss or fee) to today's."""
        day = now.market_ns // DAY_NS
        if day != self.day:
            self.day = day
            self.realized.clear()
        self.realized[quote] = add(self.realized.get(quote, ZERO), amount)

    def note_restarted(self) -> None:
        """Forget moments of CLOCK_BOOTTIME: after a reboot it starts at zero."""
        self.sent_ns.clear()
        self.alike.clear()

    def _reprice(self, instrument_id: InstrumentId, holding: Holding, price: Ticks) -> None:
        if price == holding.reference:
            return
        if self.unvalued:
            self.unvalued.pop(instrument_id, None)
        steps = holding.valued_lots * (price - (holding.reference or 0))
        holding.reference = price
        if steps:
            self._add_gross(holding, steps)
        self._value(holding)

    def _value(self, holding: Holding) -> None:
        """Count the position's size, should all open orders of the worse side trade."""
        if holding.reference is None:
            return
        long_end = holding.position + holding.open_buys
        short_end = holding.open_sells - holding.position
        lots = long_end if long_end > short_end else short_end
        if lots != holding.valued_lots:
            self._add_gross(holding, (lots - holding.valued_lots) * holding.reference)
            holding.valued_lots = lots

    def _add_gross(self, holding: Holding, steps: int) -> None:
        gross = self.gross
        gross[holding.quote] = multiply_add(holding.step_value, steps, gross[holding.quote])

    def _note_pace(self, intent: Intent, limits: Limits, now_ns: int) -> None:
        sent_ns = self.sent_ns
        half = len(sent_ns) // 2
        # Half of the list at a time, so that dropping costs one step an order.
        if half > PURGE_MIN and sent_ns[half] <= now_ns - SECOND_NS:
            del sent_ns[: half + 1]
        sent_ns.append(now_ns)
        key = (intent.instrument_id, intent.side, intent.quantity, intent.limit_price)
        run = self.alike.get(key)
        if run is None:
            if len(self.alike) >= self.purge_at:
                self._purge(now_ns - limits.duplicate_window_ns)
            self.alike[key] = AlikeRun(now_ns, 1)
        elif run.first_ns <= now_ns - limits.duplicate_window_ns:
            run.first_ns, run.count = now_ns, 1
        else:
            run.count += 1

    def _purge(self, before_ns: int) -> None:
        self.alike = {key: run for key, run in self.alike.items() if run.first_ns > before_ns}
        self.purge_at = max(PURGE_MIN, 2 * len(self.alike))


def first_breach(
    intent: Intent, limits: Limits, exposure: Exposure, now: Instant, room: Lots
) -> RiskBreach | None:
    """Return why `intent` must not leave, or None; nothing is changed.

    `room` is what the parent order has left for this child: its quantity less all that traded or
    may still trade. For a parent it is its own quantity.
    """
    if exposure.state is _HALTED:
        return RiskBreach.HALTED
    holding = exposure.holdings.get(intent.instrument_id)
    if holding is None:
        return RiskBreach.NO_REFERENCE_PRICE
    has_hours = limits.session is not None or limits.sessions or limits.market_sessions
    is_limited = limits.restricted or has_hours
    return (
        (_calendar_breach(intent, limits, holding, now) if is_limited else None)
        or _order_breach(intent, limits, holding, now, room)
        or _exposure_breach(intent, limits, exposure, holding, now)
        or _pace_breach(intent, limits, exposure, now)
    )


def _calendar_breach(
    intent: Intent, limits: Limits, holding: Holding, now: Instant
) -> RiskBreach | None:
    restricted = limits.restricted
    if restricted:
        at = bisect_left(restricted, holding.symbol)
        if at < len(restricted) and restricted[at] == holding.symbol:
            return RiskBreach.RESTRICTED
    is_open = limits.is_open(now.market_ns, holding.market_id)
    if not is_open and intent.quantity > _room(intent, holding):
        return RiskBreach.SESSION_CLOSED
    return None


def _order_breach(
    intent: Intent, limits: Limits, holding: Holding, now: Instant, room: Lots
) -> RiskBreach | None:
    quantity, price, reference = intent.quantity, intent.limit_price, holding.reference
    most = limits.max_quantity.get(intent.instrument_id) if limits.max_quantity else None
    if quantity <= 0 or (most is not None and quantity > most):
        return RiskBreach.QUANTITY
    if quantity > room:
        return RiskBreach.CHILDREN_EXCEED_PARENT
    if reference is None or (
        now.market_ns - holding.reference_market_ns > limits.max_reference_age_ns
    ):
        return RiskBreach.NO_REFERENCE_PRICE
    if price is None:
        price = price_at_worst(reference, intent.stop_price, limits)
    else:
        near = _judged_at(intent, reference)
        if abs(price - near) * MILLION > near * limits.price_collar_ppm:
            return RiskBreach.PRICE_COLLAR
    if multiply(holding.step_value, price * quantity) > limits.max_notional:
        return RiskBreach.NOTIONAL
    return None


def price_at_worst(reference: Ticks, stop_price: Ticks | None, limits: Limits) -> Ticks:
    """Return what an order without a limit is worth at most: what the collar would still allow.

    That is judged from where the market is, or from where it must be first; rounded up.
    """
    near = reference if stop_price is None else max(reference, stop_price)
    return Ticks(-(-near * (MILLION + limits.price_collar_ppm) // MILLION))


def _judged_at(intent: Intent, reference: Ticks) -> Ticks:
    """Return what a limit must be near to: a stop trades where it is triggered, or worse."""
    stop = intent.stop_price
    if stop is None:
        return reference
    return max(stop, reference) if intent.side is _BUY else min(stop, reference)


def _room(intent: Intent, holding: Holding) -> int:
    """Return how much may trade on that side before the position is zero, whatever else trades."""
    if intent.side is _BUY:
        return -holding.position - holding.open_buys
    return holding.position - holding.open_sells


def _exposure_breach(
    intent: Intent, limits: Limits, exposure: Exposure, holding: Holding, now: Instant
) -> RiskBreach | None:
    if exposure.open_orders >= limits.max_open_orders:
        return RiskBreach.OPEN_ORDERS
    if intent.side is _BUY:
        end = holding.position + holding.open_buys + intent.quantity
    else:
        end = holding.open_sells + intent.quantity - holding.position
    if intent.quantity <= _room(intent, holding):
        return None  # it brings the position nearer to zero, whatever else trades
    if exposure.realized and _is_loss_reached(limits, exposure, holding.quote, now):
        return RiskBreach.DAILY_LOSS
    if intent.reduce_only or exposure.state is _REDUCING:
        return RiskBreach.REDUCING_ONLY
    if holding.doubt is not None:
        return RiskBreach.PRICE_IN_DOUBT
    return _size_breach(limits, exposure, holding, end)


def _size_breach(
    limits: Limits, exposure: Exposure, holding: Holding, end: int
) -> RiskBreach | None:
    """Judge a position that would be of `end` lots."""
    reference = holding.reference
    assert reference is not None, "judged before"
    if multiply(holding.step_value, end * reference) > limits.max_position_notional:
        return RiskBreach.POSITION
    if exposure.unvalued and holding.quote in exposure.unvalued.values():
        return RiskBreach.NO_REFERENCE_PRICE
    growth = end - holding.valued_lots
    if growth > 0:
        gross = multiply_add(holding.step_value, growth * reference, exposure.gross[holding.quote])
        if gross > limits.max_gross_exposure:
            return RiskBreach.EXPOSURE
    return None


def _is_loss_reached(limits: Limits, exposure: Exposure, quote: str, now: Instant) -> bool:
    if now.market_ns // DAY_NS != exposure.day:
        return False
    return exposure.realized.get(quote, ZERO) <= -limits.max_daily_loss


def _pace_breach(
    intent: Intent, limits: Limits, exposure: Exposure, now: Instant
) -> RiskBreach | None:
    sent_ns, most = exposure.sent_ns, limits.max_orders_per_second
    if len(sent_ns) >= most and sent_ns[-most] > now.now_ns - SECOND_NS:
        return RiskBreach.ORDERS_PER_SECOND
    key = (intent.instrument_id, intent.side, intent.quantity, intent.limit_price)
    run = exposure.alike.get(key)
    if run is None or run.first_ns <= now.now_ns - limits.duplicate_window_ns:
        return None
    return RiskBreach.DUPLICATE if run.count >= limits.max_duplicates else None
