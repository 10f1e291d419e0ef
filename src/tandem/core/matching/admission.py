"""Who may come in: what an exchange refuses, by name and before anything has happened.

A check changes nothing. It is made of the order as it would stand open: `quantity` is what it
could still trade.
"""

from typing import Final

import msgspec

from tandem.core.matching import ledger
from tandem.core.matching.book import Book
from tandem.core.matching.reducing import Foresight, Reducing
from tandem.core.matching.state import ZERO, AccountState, ExchangeState, OrderRecord
from tandem.domain.exchange import SelfMatch
from tandem.domain.ids import InstrumentId, Lots
from tandem.domain.instrument import STEPS_MAX, Instrument
from tandem.domain.order import FenceClass, Order, Side, TimeInForce
from tandem.domain.reports import RejectCode

_ID_MAX: Final = 128
ENDS_TAKER: Final = frozenset({SelfMatch.REJECT, SelfMatch.EXPIRE_TAKER, SelfMatch.EXPIRE_BOTH})


class Reach(msgspec.Struct, frozen=True, gc=False):
    """What an order would find if it came now: lots it could trade, and their value in steps.

    Where own orders stand in the way, the value is that of the lots behind them, so it is never
    below what the order will pay.
    """

    quantity: int
    steps: int
    meets_own: bool


class Admission:
    """The checks of one exchange; it reads books, accounts and open orders, and owns none."""

    def __init__(
        self,
        state: ExchangeState,
        instruments: dict[InstrumentId, Instrument],
        books: dict[InstrumentId, Book],
        open_orders: dict[int, OrderRecord],
        reducing: Reducing,
    ) -> None:
        """Check against these, as they are at each moment."""
        self._state = state
        self._mode = state.settings.self_match
        self._instruments = instruments
        self._books = books
        self._open = open_orders
        self._reducing = reducing

    def refusal(self, account: AccountState, order: Order, venue_ns: int) -> RejectCode | None:
        """Return why `order` cannot be taken at that venue time, None when it can."""
        fenced = self._fence(account, order, venue_ns)
        if fenced is not None:
            return fenced
        if order.instrument_id not in self._books:
            return RejectCode.UNKNOWN_INSTRUMENT
        if self._state.is_still(order.instrument_id):
            return RejectCode.CLOSED
        return self._malformed(order) or self._out_of_place(account, order)

    def _malformed(self, order: Order) -> RejectCode | None:
        """Return what is wrong with an order whatever the market is like."""
        if not is_size(order.quantity):
            return RejectCode.BAD_QUANTITY
        prices = (order.limit_price, order.stop_price, order.trail)
        if not all(one is None or is_size(one) for one in prices):
            return RejectCode.BAD_PRICE
        if order.trail is not None and order.stop_price is None:
            return RejectCode.BAD_PRICE
        if order.time_in_force is TimeInForce.GOOD_TILL_DATE:
            till_ns = order.good_till_ns
            if till_ns is None or till_ns <= self._state.market_ns:
                return RejectCode.BAD_DATE
        return None

    def _out_of_place(self, account: AccountState, order: Order) -> RejectCode | None:
        if order.stop_price is not None:
            return self.unfit_to_wait(account, order)
        if order.reduce_only:
            left = self._reducing.left(account, order)
            if not left:
                return RejectCode.POSITION
            order = msgspec.structs.replace(order, quantity=Lots(min(order.quantity, left)))
        return self.unfit(account, order)

    def _fence(self, account: AccountState, order: Order, venue_ns: int) -> RejectCode | None:
        fence_class = account.settings.fence_class
        client_order_id = order.client_order_id
        if fence_class is FenceClass.EXPIRES and (
            order.expires_at_ns is not None and order.expires_at_ns < venue_ns
        ):
            return RejectCode.EXPIRED_REQUEST
        if fence_class is FenceClass.UNIQUE:
            taken = account.used.holds(client_order_id)
        else:
            taken = account.numbers.get(client_order_id) in self._open
        if taken:
            return RejectCode.DUPLICATE_ID
        is_full = len(account.records) - len(account.ended) >= self._state.settings.open_orders_max
        return RejectCode.OTHER if is_full or len(client_order_id) > _ID_MAX else None

    def unfit_to_wait(self, account: AccountState, order: Order) -> RejectCode | None:
        """Return what keeps a well-formed order from waiting for its stop price.

        The book has no say before it is triggered, and one that may only reduce is judged then.
        """
        if order.post_only and order.limit_price is None:
            return RejectCode.WOULD_TAKE
        if order.reduce_only:
            return None
        if order.limit_price is None:
            order = msgspec.structs.replace(order, limit_price=order.stop_price)
        return ledger.lack(account, self._instruments[order.instrument_id], order, ZERO)

    def unfit(self, account: AccountState, order: Order) -> RejectCode | None:
        """Return what keeps a well-formed order out of its book at this moment."""
        book = self._books[order.instrument_id]
        is_buy = order.side is Side.BUY
        if order.post_only:
            best = book.best(is_buy=not is_buy)
            price = order.limit_price
            if price is None:
                return RejectCode.WOULD_TAKE
            if best is not None and (price >= best if is_buy else price <= best):
                return RejectCode.WOULD_TAKE
        instrument = self._instruments[order.instrument_id]
        value = ZERO
        if order.limit_price is None or self._mode is SelfMatch.REJECT:
            reach = self.reach(account, order)
            if reach.meets_own and self._mode is SelfMatch.REJECT:
                return RejectCode.SELF_MATCH
            if not reach.quantity and not reach.meets_own and order.limit_price is None:
                return RejectCode.NO_LIQUIDITY
            value = ledger.value_of(instrument, price=1, quantity=reach.steps)
        return ledger.lack(account, instrument, order, value)

    def reach(self, account: AccountState, order: Order) -> Reach:
        """Return what `order` would find in its book."""
        wanted: int = order.quantity
        steps = 0
        meets_own = False
        makers = self._books[order.instrument_id].crossed_by(
            is_buy=order.side is Side.BUY, price=limit_of(order)
        )
        foresight = None
        if self._reducing.is_needed:
            foresight = Foresight(self._reducing, self._state.accounts, self._open)
        for maker in makers:
            if maker.owner == account.owner:
                meets_own = True
                if self._mode in ENDS_TAKER:
                    break
                continue
            quantity = min(wanted, foresight.leaves(maker) if foresight else maker.leaves)
            if foresight:
                foresight.trade(maker, quantity)
            steps += quantity * maker.price
            wanted -= quantity
            if not wanted:
                break
        return Reach(quantity=order.quantity - wanted, steps=steps, meets_own=meets_own)


def is_size(steps: int) -> bool:
    """Whether a price or quantity is one that the exchange can count with."""
    return 0 < steps < STEPS_MAX


def limit_of(order: Order) -> int:
    """Return the worst price at which `order` trades; without a limit, one that no price passes."""
    if order.limit_price is not None:
        return order.limit_price
    return STEPS_MAX if order.side is Side.BUY else 0
