"""The trading floor: takes orders, lets them meet, and books what came of it.

Why money is conserved: a trade between two accounts adds the same value to one and takes it from
the other, a trade with the background does so against the background's own purse, and a fee goes
from an account to the exchange. Why nobody is overdrawn: an open order holds the most it can
cost, gives back exactly that share with each fill, and pays at its limit or better.
"""

from typing import Final

import msgspec

from tandem.core.matching import ledger
from tandem.core.matching.admission import ENDS_TAKER, Admission, is_size, limit_of
from tandem.core.matching.book import BACKGROUND, Book, Meeting, Resting
from tandem.core.matching.delivery import Delivery
from tandem.core.matching.state import (
    AccountState,
    ExchangeState,
    Execution,
    OrderRecord,
)
from tandem.domain.exchange import SelfMatch
from tandem.domain.ids import ExecutionId, InstrumentId, Lots, Ticks, VenueOrderId
from tandem.domain.instrument import Instrument
from tandem.domain.order import FenceClass, Order, OrderStatus, Side, TimeInForce
from tandem.domain.reports import Accepted, Canceled, Expired, Filled
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
        self._open: dict[int, OrderRecord] = {
            record.number: record
            for account in state.accounts
            for record in account.records.values()
            if record.status is None
        }

        self.admission = Admission(state, self.instruments, self.books, self._open)

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
        )
        account.records[record.number] = record
        account.numbers[order.client_order_id] = record.number
        if account.settings.fence_class is FenceClass.UNIQUE:
            account.used.add(order.client_order_id)
        self._open[record.number] = record
        self._hold(record, order.quantity)
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
        ledger.hold(account, self.instruments[record.order.instrument_id], record.order, quantity)

    def enter(self, record: OrderRecord) -> None:
        """Let an accepted order meet what it can, then rest or end."""
        order = record.order
        account = self._state.accounts[record.account]
        book = self.books[order.instrument_id]
        self._state.touched[order.instrument_id] = None
        if order.time_in_force is TimeInForce.FILL_OR_KILL:
            reach = self.admission.reach(account, order)
            clean = self._mode is not SelfMatch.DECREMENT or not reach.meets_own
            if reach.quantity < order.quantity or not clean:
                self._end(record, OrderStatus.EXPIRED)
                return
        taker = Resting(
            record.number,
            account.owner,
            order.side is Side.BUY,
            limit_of(order),
            record.leaves,
        )
        meetings = book.match(taker)
        for meeting in meetings:
            self._meet(record, meeting)
        if record.status is not None:
            return
        if meetings and meetings[-1].is_own and self._mode in ENDS_TAKER:
            self._end(record, OrderStatus.CANCELED)
        elif order.limit_price is None or order.time_in_force in _IMMEDIATE:
            self._end(record, OrderStatus.EXPIRED)
        else:
            book.add(taker)
            self._cancel_unasked(record)

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
            return
        resting = self._open[maker.number]
        if self._mode is SelfMatch.DECREMENT:
            self._prevent(resting, meeting.quantity)
            self._prevent(taker, meeting.quantity)
        elif self._mode is SelfMatch.EXPIRE_MAKER or self._mode is SelfMatch.EXPIRE_BOTH:
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
        state.markets[order.instrument_id].last = price
        state.touched[order.instrument_id] = None
        self._delivery.report(account, fill)
        if not record.leaves:
            ended = OrderStatus.CANCELED if record.prevented else OrderStatus.FILLED
            self._end(record, ended)

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
        keeps_place = asked.limit_price == before.limit_price and asked.quantity < before.quantity
        order = msgspec.structs.replace(
            before, quantity=asked.quantity, limit_price=asked.limit_price
        )
        leaves = record.leaves
        change = asked.quantity - before.quantity
        self._hold(record, -leaves)
        if not keeps_place:
            as_open = msgspec.structs.replace(order, quantity=Lots(leaves + change))
            code = self.admission.unfit(account, as_open)
            if code is not None:
                self._hold(record, leaves)
                return AmendCode(code.value)
        record.amend(order, self._state.at_ns)
        self._hold(record, leaves + change)
        self._delivery.report(account, _amended(record))
        book = self.books[order.instrument_id]
        if keeps_place:
            book.reduce(record.number, by=-change)
            self._state.touched[order.instrument_id] = None
        else:
            book.cancel(record.number)
            self.enter(record)
        return None

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
        account.ended.append(record.number)
        kept = state.settings.final_orders_kept
        if len(account.ended) > kept + max(_SWEEP, kept // 4):
            _forget(account, len(account.ended) - kept)
        if status is OrderStatus.FILLED:
            return
        made = Expired if status is OrderStatus.EXPIRED else Canceled
        cum_quantity = Lots(record.cum_quantity)
        self._delivery.report(
            account, made(client_order_id=order.client_order_id, cum_quantity=cum_quantity)
        )


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
