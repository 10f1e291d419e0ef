"""The trading floor: takes orders, lets them meet, and books what came of it.

Why money is conserved: a trade between two accounts adds the same value to one and takes it from
the other, a trade with the background does so against the background's own purse, and a fee goes
from an account to the exchange. Why nobody is overdrawn: an open order holds the most it can
cost, gives back exactly that share with each fill, and pays at its limit or better.
"""

from collections import deque
from typing import Final

import msgspec

from tandem.core.matching import ledger
from tandem.core.matching.admission import ENDS_TAKER, Admission, is_size, limit_of
from tandem.core.matching.book import BACKGROUND, Book, Meeting, Resting
from tandem.core.matching.deadlines import Deadlines
from tandem.core.matching.delivery import Delivery
from tandem.core.matching.reducing import Reducing
from tandem.core.matching.state import (
    AccountState,
    ExchangeState,
    Execution,
    OrderRecord,
)
from tandem.core.matching.stops import Stops
from tandem.domain.exchange import SelfMatch
from tandem.domain.ids import ExecutionId, InstrumentId, Lots, Ticks, VenueOrderId
from tandem.domain.instrument import Instrument
from tandem.domain.order import FenceClass, Order, OrderStatus, Side, TimeInForce
from tandem.domain.reports import Accepted, Canceled, EndCause, Expired, Filled, RejectCode
from tandem.domain.venue import AmendCode, Amended, AmendOrder, CancelCode

_SWEEP: Final = 64  # forgotten orders and fills go in lots of at least this many
_IMMEDIATE: Final = frozenset({TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL})


class Floor:
    """All books and accounts of one exchange."""

    def __init__(self, state: ExchangeState, delivery: Delivery) -> None:
        """Open empty books for the accounts and instruments of `state`."""
        self._state = state
        self._delivery = delivery
        self._mode = state.settings.self_match
        self.instruments: dict[InstrumentId, Instrument] = {
            one.instrument_id: one for one in state.settings.instruments
        }
        self.books: dict[InstrumentId, Book] = {
            key: Book(state.settings.self_match) for key in self.instruments
        }
        self._stops: dict[InstrumentId, Stops] = {key: Stops() for key in self.instruments}
        self._reached: deque[int] = deque()
        self._open: dict[int, OrderRecord] = {}
        self.deadlines = Deadlines()
        self.reducing = Reducing(state.accounts)
        self.admission = Admission(state, self.instruments, self.books, self._open, self.reducing)
        records = [one for account in state.accounts for one in account.records.values()]
        for record in sorted(records, key=lambda one: one.number):
            if record.status is None:
                self._keep(record)

    def _keep(self, record: OrderRecord) -> None:
        """Know an open order, by all that may be asked of it but its place in the book."""
        self._open[record.number] = record
        order = record.order
        if record.waits:
            self._stops[order.instrument_id].add(record)
        elif order.reduce_only:
            self.reducing.add(record)
        if order.time_in_force is TimeInForce.GOOD_TILL_DATE:
            self.deadlines.add(record)

    @property
    def open_orders(self) -> list[OrderRecord]:
        """All open orders, oldest first."""
        return list(self._open.values())

    def open_orders_of(self, account: AccountState) -> list[OrderRecord]:
        """Return the open orders of one account, oldest first."""
        return [one for one in self._open.values() if one.account == account.index]

    def accept(self, account: AccountState, order: Order) -> OrderRecord:
        """Take `order`, which was not refused, under a number of its own; it has not met any."""
        state = self._state
        state.orders += 1
        record = OrderRecord(
            number=state.orders,
            account=account.index,
            order=order,
            accepted_at_ns=state.at_ns,
            waits=order.stop_price is not None,
            stop_price=order.stop_price,
        )
        account.records[record.number] = record
        account.numbers[order.client_order_id] = record.number
        if account.settings.fence_class is FenceClass.UNIQUE:
            account.used.add(order.client_order_id)
        if order.reduce_only and not record.waits:
            record.prevented = max(0, order.quantity - self.reducing.left(account, order))
        self._keep(record)
        self._hold(record, record.leaves)
        return record

    def accepted(self, record: OrderRecord) -> Accepted:
        """Return the report that says so."""
        venue_id = self._state.settings.venue_id
        return Accepted(
            client_order_id=record.order.client_order_id,
            venue_order_id=VenueOrderId(f"{venue_id}-{record.number}"),
        )

    def _hold(self, record: OrderRecord, quantity: int) -> None:
        account = self._state.accounts[record.account]
        ledger.hold(account, self.instruments[record.order.instrument_id], record, quantity)

    def enter(self, record: OrderRecord) -> None:
        """Let an accepted order meet what it can, then rest or end; a stop waits first."""
        if record.waits:
            last = self._state.markets[record.order.instrument_id].last
            if last is not None:
                self._reach(record.order.instrument_id, last)
        else:
            self._go_to_market(record)
        self.let_in()

    def _go_to_market(self, record: OrderRecord) -> None:
        order = record.order
        account = self._state.accounts[record.account]
        book = self.books[order.instrument_id]
        self._state.touched[order.instrument_id] = None
        if order.time_in_force is TimeInForce.FILL_OR_KILL:
            reach = self.admission.reach(account, record.as_open)
            clean = self._mode is not SelfMatch.DECREMENT or not reach.meets_own
            if reach.quantity < record.leaves or not clean:
                self._end(record, OrderStatus.EXPIRED)
                return
        is_buy = order.side is Side.BUY
        taker = Resting(record.number, account.owner, is_buy, limit_of(order), record.leaves)
        is_stopped = self._meet_all(record, taker, book)
        if record.status is not None:
            return
        if is_stopped:
            record.cause = EndCause.SELF_MATCH
            self._end(record, OrderStatus.CANCELED)
        elif order.limit_price is None or order.time_in_force in _IMMEDIATE:
            self._end(record, OrderStatus.EXPIRED)
        else:
            book.add(taker)
            self._cancel_unasked(record)

    def _meet_all(self, record: OrderRecord, taker: Resting, book: Book) -> bool:
        """Let the taker meet what it can; return whether an own order ended it.

        A trade may cut reduce-only orders that it would meet next. So while there are any it
        goes on step by step.
        """
        one_only = self.reducing.is_needed
        while meetings := book.match(taker, one_only=one_only):
            for meeting in meetings:
                self._meet(record, meeting)
            if meetings[-1].is_own and self._mode in ENDS_TAKER:
                return True
            if not one_only:
                break
        return False

    def let_in(self) -> None:
        """Let orders enter whose stop price was reached, one after the other, and theirs."""
        while self._reached:
            self._trigger(self._open[self._reached.popleft()])

    def _trigger(self, record: OrderRecord) -> None:
        """Let a stop come as a new order would, but it is canceled where that would be refused."""
        order = record.order
        account = self._state.accounts[record.account]
        self._hold(record, -record.leaves)
        record.waits = False
        if order.reduce_only:
            room = self.reducing.room(account, order)
            record.prevented += max(0, record.leaves - room)
            if not record.leaves:
                self._end(record, OrderStatus.CANCELED)
                return
            self.reducing.add(record)
            self._make_room(record.account, order.instrument_id, first=record)
        code = self.admission.unfit(account, record.as_open)
        self._hold(record, record.leaves)
        if code is None or code is RejectCode.NO_LIQUIDITY:
            self._go_to_market(record)
        else:
            if code is RejectCode.SELF_MATCH:
                record.cause = EndCause.SELF_MATCH
            self._end(record, OrderStatus.CANCELED)

    def traded_at(self, instrument_id: InstrumentId, price: int) -> None:
        """Note that the market traded at that price; `let_in` who was reached when that is over."""
        self._state.markets[instrument_id].last = price
        self._reach(instrument_id, price)

    def quoted_at(self, instrument_id: InstrumentId, price: int, side: Side) -> None:
        """Note the price at which orders of that side would trade, where no trades are told."""
        self._reached += self._stops[instrument_id].reached_by(price, side=side)

    def _reach(self, instrument_id: InstrumentId, price: int) -> None:
        self._reached += self._stops[instrument_id].reached_by(price)

    def _make_room(
        self, account: int, instrument_id: InstrumentId, first: OrderRecord | None = None
    ) -> None:
        """Cut reduce-only orders to the position that is left."""
        for number, surplus in self.reducing.surplus(account, instrument_id, first):
            self.books[instrument_id].reduce(number, by=surplus)
            self._state.touched[instrument_id] = None
            self._prevent(self._open[number], surplus)

    def _cancel_unasked(self, record: OrderRecord) -> None:
        """End an order that traded in part, as venues do for reasons of their own."""
        is_partial = record.status is None and record.cum_quantity > 0
        if is_partial and self._state.lies.happens(self._state.misbehavior.cancel_unasked):
            self.end_resting(record, OrderStatus.CANCELED)

    def _meet(self, taker: OrderRecord, meeting: Meeting) -> None:
        maker = meeting.maker
        if not meeting.is_own:
            quantity = meeting.quantity
            self._fill(taker, quantity=quantity, price=maker.price, is_maker=False)
            if maker.owner == BACKGROUND:
                self._settle_background(taker, quantity=quantity, price=maker.price)
            else:
                resting = self._open[maker.number]
                self._fill(resting, quantity=quantity, price=maker.price, is_maker=True)
            self.traded_at(taker.order.instrument_id, maker.price)
            return
        resting = self._open[maker.number]
        if self._mode is SelfMatch.DECREMENT:
            resting.cause = taker.cause = EndCause.SELF_MATCH
            self._prevent(resting, meeting.quantity)
            self._prevent(taker, meeting.quantity)
        elif self._mode is SelfMatch.EXPIRE_MAKER or self._mode is SelfMatch.EXPIRE_BOTH:
            resting.cause = EndCause.SELF_MATCH
            self._end(resting, OrderStatus.CANCELED)

    def _prevent(self, record: OrderRecord, quantity: int) -> None:
        self._hold(record, -quantity)
        record.prevented += quantity
        if not record.leaves:
            self._end(record, OrderStatus.CANCELED)

    def fill_resting(self, resting: Resting, quantity: int) -> None:
        """Let the background trade with one resting order of an account, at its price."""
        record = self._open[resting.number]
        self.books[record.order.instrument_id].take(resting, quantity)
        self._settle_background(record, quantity=quantity, price=resting.price)
        self._fill(record, quantity=quantity, price=resting.price, is_maker=True)
        self.traded_at(record.order.instrument_id, resting.price)
        self._cancel_unasked(record)

    def _settle_background(self, record: OrderRecord, *, quantity: int, price: int) -> None:
        instrument = self.instruments[record.order.instrument_id]
        lots = -record.order.side.sign * quantity
        cash = ledger.value_of(instrument, price=price, quantity=-lots)
        ledger.settle_background(self._state, instrument, lots=lots, cash=cash)

    def _fill(self, record: OrderRecord, *, quantity: int, price: int, is_maker: bool) -> None:
        state = self._state
        order = record.order
        instrument = self.instruments[order.instrument_id]
        account = state.accounts[record.account]
        lots = quantity if order.side is Side.BUY else -quantity
        value = ledger.value_of(instrument, price=price, quantity=-lots)
        rate = account.fees.maker if is_maker else account.fees.taker
        fee = ledger.fee_of(value, rate=rate)
        record.cum_quantity += quantity
        state.executions += 1
        fill = Filled(
            client_order_id=order.client_order_id,
            execution_id=ExecutionId(f"{state.settings.venue_id}-E{state.executions}"),
            quantity=Lots(quantity),
            price=Ticks(price),
            fee=fee,
            venue_at_ns=state.at_ns + state.misbehavior.skew_ns,
        )
        cash = ledger.subtract(value, fee)
        execution = Execution(state.at_ns, order.instrument_id, cash, lots, fill)
        self._hold(record, -quantity)
        ledger.settle(state, account, instrument, execution)
        record.executions.append(execution)
        _remember(account, execution, state.settings.executions_kept)
        state.touched[order.instrument_id] = None
        self._delivery.report(account, fill)
        if not record.leaves:
            ended = OrderStatus.CANCELED if record.prevented else OrderStatus.FILLED
            self._end(record, ended)
        if self.reducing.is_needed:
            self._make_room(record.account, order.instrument_id)

    def cancel(self, account: AccountState, client_order_id: str) -> CancelCode | None:
        """End the open order of that id, or return why there is nothing to end."""
        number = account.numbers.get(client_order_id)
        if number is None:
            return CancelCode.UNKNOWN_ORDER
        record = self._open.get(number)
        if record is None:
            return CancelCode.FINAL
        self.end_resting(record, OrderStatus.CANCELED)
        return None

    def amend(self, account: AccountState, asked: AmendOrder) -> AmendCode | None:
        """Let an open order be as asked, or return why it stays as it was."""
        number = account.numbers.get(asked.client_order_id)
        if number is None:
            return AmendCode.UNKNOWN_ORDER
        record = self._open.get(number)
        if record is None:
            return AmendCode.FINAL
        order = record.order
        if (asked.quantity, asked.limit_price) != (order.quantity, order.limit_price):
            code = _mistake(record, asked) or self._change(record, asked)
            if code is not None:
                return code
        else:
            self._delivery.report(account, _amended(record))
        return None

    def _change(self, record: OrderRecord, asked: AmendOrder) -> AmendCode | None:
        account = self._state.accounts[record.account]
        before = record.order
        order = msgspec.structs.replace(
            before, quantity=asked.quantity, limit_price=asked.limit_price
        )
        leaves = record.leaves
        wanted = granted = leaves + order.quantity - before.quantity
        keeps_place = wanted < leaves and order.limit_price == before.limit_price
        if order.reduce_only and not record.waits:
            granted = min(wanted, leaves + self.reducing.left(account, order))
        self._hold(record, -leaves)
        if not keeps_place:
            as_open = msgspec.structs.replace(order, quantity=Lots(granted))
            code = self._unfit_amended(account, as_open, waits=record.waits)
            if code is not None:
                self._hold(record, leaves)
                return AmendCode(code.value)
        record.amend(order, self._state.at_ns)
        record.prevented += wanted - granted
        self._hold(record, granted)
        self._delivery.report(account, _amended(record))
        book = self.books[order.instrument_id]
        if keeps_place:
            book.reduce(record.number, by=leaves - granted)
            self._state.touched[order.instrument_id] = None
        elif not record.waits:
            book.cancel(record.number)
            self._go_to_market(record)
            self.let_in()
        return None

    def _unfit_amended(
        self, account: AccountState, as_open: Order, *, waits: bool
    ) -> RejectCode | None:
        if self._state.is_still(as_open.instrument_id):
            return RejectCode.CLOSED
        if waits:
            return self.admission.unfit_to_wait(account, as_open)
        return self.admission.unfit(account, as_open)

    def end_resting(self, record: OrderRecord, status: OrderStatus) -> None:
        """Take an open order out of its book and end it with that final status."""
        self.books[record.order.instrument_id].cancel(record.number)
        self._state.touched[record.order.instrument_id] = None
        self._end(record, status)

    def _end(self, record: OrderRecord, status: OrderStatus) -> None:
        state = self._state
        order = record.order
        account = state.accounts[record.account]
        leaves = record.leaves
        if leaves:
            self._hold(record, -leaves)
        record.status = status
        record.ended_at_ns = state.at_ns
        del self._open[record.number]
        if record.waits:
            self._stops[order.instrument_id].remove(record)
            record.waits = False
        elif order.reduce_only:
            self.reducing.remove(record)
        account.ended.append(record.number)
        kept = state.settings.final_orders_kept
        if len(account.ended) > kept + max(_SWEEP, kept // 4):
            _forget(account, len(account.ended) - kept)
        if status is OrderStatus.FILLED:
            return
        key, cum_quantity = order.client_order_id, Lots(record.cum_quantity)
        if status is OrderStatus.EXPIRED:
            self._delivery.report(account, Expired(client_order_id=key, cum_quantity=cum_quantity))
            return
        told = Canceled(client_order_id=key, cum_quantity=cum_quantity, cause=record.cause)
        self._delivery.report(account, told)


def _mistake(record: OrderRecord, asked: AmendOrder) -> AmendCode | None:
    """Return what is wrong with an amendment whatever the market is like."""
    price = asked.limit_price
    if not is_size(asked.quantity):
        return AmendCode.BAD_QUANTITY
    if (price is None) != (record.order.limit_price is None):
        return AmendCode.BAD_PRICE
    if price is not None and not is_size(price):
        return AmendCode.BAD_PRICE
    if asked.quantity <= record.cum_quantity + record.prevented:
        return AmendCode.TRADED
    return None


def _amended(record: OrderRecord) -> Amended:
    order = record.order
    return Amended(
        client_order_id=order.client_order_id,
        quantity=order.quantity,
        limit_price=order.limit_price,
        cum_quantity=Lots(record.cum_quantity),
    )


def _remember(account: AccountState, execution: Execution, kept: int) -> None:
    account.executions.append(execution)
    surplus = len(account.executions) - kept
    if surplus > max(_SWEEP, kept // 4):
        account.dropped += surplus
        del account.executions[:surplus]


def _forget(account: AccountState, count: int) -> None:
    for number in account.ended[:count]:
        record = account.records.pop(number)
        client_order_id = record.order.client_order_id
        if account.numbers[client_order_id] == number:  # else the id was used again since
            del account.numbers[client_order_id]
    del account.ended[:count]
