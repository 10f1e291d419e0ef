"""What the exchange answers about its orders, as of now or of a while ago.

Nothing is kept twice for this: when an order was accepted, filled and ended is enough to say
what was known of it at any earlier moment that is still remembered.
"""

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal

from tandem.core.matching import ledger
from tandem.core.matching.state import ZERO, AccountState, Execution, OrderRecord
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.order import OrderStatus, Side
from tandem.domain.venue import (
    Balances,
    Executions,
    ListExecutions,
    ListOpenOrders,
    OpenOrder,
    OpenOrders,
    OrderFound,
    OrderNotFound,
    Traded,
)


def order_as_of(
    account: AccountState, client_order_id: ClientOrderId, *, query_id: int, at_ns: int
) -> OrderFound | OrderNotFound:
    """Return what was known at `at_ns` of the latest order with that id."""
    number = account.numbers.get(client_order_id)
    record = None if number is None else account.records[number]
    if record is None or record.accepted_at_ns > at_ns:
        return OrderNotFound(query_id=query_id, client_order_id=client_order_id)
    fills = tuple(one.fill for one in _until(record.executions, at_ns))
    cum_quantity = Lots(sum(one.quantity for one in fills))
    order = record.order_as_of(at_ns)
    return OrderFound(
        query_id=query_id,
        client_order_id=client_order_id,
        status=_status(record, at_ns, is_touched=cum_quantity > 0),
        cum_quantity=cum_quantity,
        fills=fills,
        quantity=order.quantity,
        limit_price=order.limit_price,
        cause=None if _is_open(record, at_ns) else record.cause,
    )


def _status(record: OrderRecord, at_ns: int, *, is_touched: bool) -> OrderStatus:
    if record.status is not None and not _is_open(record, at_ns):
        return record.status
    return OrderStatus.PARTIALLY_FILLED if is_touched else OrderStatus.NEW


def _is_open(record: OrderRecord, at_ns: int) -> bool:
    if record.accepted_at_ns > at_ns:
        return False
    return record.ended_at_ns is None or record.ended_at_ns > at_ns


def _until(executions: list[Execution], at_ns: int) -> list[Execution]:
    return executions[: bisect_right(executions, at_ns, key=lambda one: one.at_ns)]


def open_orders_as_of(
    account: AccountState, asked: ListOpenOrders, open_now: Iterable[OrderRecord], *, at_ns: int
) -> OpenOrders:
    """Return those that were open at `at_ns`, oldest first; `open_now` are the account's.

    A cursor is the number of the last order that was listed.
    """
    found = [one for one in (*open_now, *_ended_since(account, at_ns)) if _is_open(one, at_ns)]
    found = sorted((one for one in found if one.number > asked.cursor), key=lambda one: one.number)
    most = len(found) if asked.most is None else max(1, asked.most)
    page = found[:most]
    return OpenOrders(
        query_id=asked.query_id,
        orders=tuple(
            OpenOrder(
                order=record.order_as_of(at_ns),
                cum_quantity=Lots(
                    sum(one.fill.quantity for one in _until(record.executions, at_ns))
                ),
                stop_price=Ticks(record.stop_price)
                if record.waits and record.stop_price is not None
                else None,
            )
            for record in page
        ),
        cursor=page[-1].number if len(found) > most else None,
    )


def _ended_since(account: AccountState, at_ns: int) -> Iterable[OrderRecord]:
    for number in reversed(account.ended):
        record = account.records[number]
        if record.ended_at_ns is None or record.ended_at_ns <= at_ns:
            return
        yield record


def executions_as_of(
    account: AccountState, asked: ListExecutions, *, at_ns: int, most: int
) -> Executions:
    """Return up to `most` fills after the cursor that had happened by `at_ns`.

    A cursor counts the account's fills from its first; one that is too old goes on with the
    oldest fill that is still known.
    """
    known = account.executions
    end = bisect_right(known, at_ns, key=lambda one: one.at_ns)
    if asked.cursor is None:
        return Executions(query_id=asked.query_id, fills=(), cursor=account.dropped + end)
    begin = max(asked.cursor - account.dropped, 0)
    wanted = most if asked.most is None else min(most, max(1, asked.most))
    page = known[begin : min(end, begin + wanted)]
    return Executions(
        query_id=asked.query_id,
        fills=tuple(one.fill for one in page),
        cursor=max(asked.cursor, account.dropped) + len(page),
        traded=tuple(
            Traded(instrument_id=one.instrument_id, side=Side.BUY if one.lots > 0 else Side.SELL)
            for one in page
        ),
    )


def balances_as_of(
    account: AccountState,
    instruments: dict[InstrumentId, Instrument],
    splits: dict[InstrumentId, int],
    *,
    query_id: int,
    at_ns: int,
) -> Balances:
    """Return what the account held at `at_ns`: what it holds, less what came since.

    `splits` are how often each instrument has been split by now.
    """
    cash: dict[str, Decimal] = dict(account.cash)
    positions, splits = dict(account.positions), dict(splits)
    for one in reversed(account.executions):
        if one.at_ns <= at_ns:
            break
        currency = instruments[one.instrument_id].quote
        cash[currency] = ledger.subtract(cash[currency], one.cash)
        positions[one.instrument_id] -= one.lots
    adjusted = [one.told for one in account.adjusted if one.at_ns <= at_ns]
    for later in account.adjusted[len(adjusted) :]:
        told = later.told
        currency = instruments[told.instrument_id].quote
        cash[currency] = ledger.subtract(cash.get(currency, ZERO), told.cash)
        positions[told.instrument_id] = positions.get(told.instrument_id, 0) - told.lots
        splits[told.instrument_id] = splits.get(told.instrument_id, 0) - told.is_split
    return Balances(
        query_id=query_id,
        cash={currency: amount for currency, amount in cash.items() if amount},
        positions={key: lots for key, lots in positions.items() if lots},
        adjusted=tuple(adjusted),
        splits={key: count for key, count in splits.items() if count},
    )
