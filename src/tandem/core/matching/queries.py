"""What the exchange answers about its orders, as of now or of a while ago.

Nothing is kept twice for this: when an order was accepted, filled and ended is enough to say
what was known of it at any earlier moment that is still remembered.
"""

from bisect import bisect_right
from decimal import Decimal

from tandem.core.matching import ledger
from tandem.core.matching.state import AccountState, Execution, OrderRecord
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots
from tandem.domain.instrument import Instrument
from tandem.domain.order import OrderStatus
from tandem.domain.venue import (
    Balances,
    Executions,
    OpenOrder,
    OpenOrders,
    OrderFound,
    OrderNotFound,
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
    return OrderFound(
        query_id=query_id,
        client_order_id=client_order_id,
        status=_status(record, at_ns, is_touched=cum_quantity > 0),
        cum_quantity=cum_quantity,
        fills=fills,
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


def open_orders_as_of(account: AccountState, *, query_id: int, at_ns: int) -> OpenOrders:
    """Return the orders that were open at `at_ns`, oldest first."""
    return OpenOrders(
        query_id=query_id,
        orders=tuple(
            OpenOrder(
                order=record.order,
                cum_quantity=Lots(
                    sum(one.fill.quantity for one in _until(record.executions, at_ns))
                ),
            )
            for record in account.records.values()
            if _is_open(record, at_ns)
        ),
    )


def executions_as_of(
    account: AccountState, *, query_id: int, cursor: int, at_ns: int, most: int
) -> Executions:
    """Return up to `most` fills after `cursor` that had happened by `at_ns`.

    A cursor counts the account's fills from its first; one that is too old goes on with the
    oldest fill that is still known.
    """
    begin = max(cursor - account.dropped, 0)
    fills = _until(account.executions, at_ns)[begin : begin + most]
    reached = max(cursor, account.dropped) + len(fills)
    return Executions(query_id=query_id, fills=tuple(one.fill for one in fills), cursor=reached)


def balances_as_of(
    account: AccountState,
    instruments: dict[InstrumentId, Instrument],
    *,
    query_id: int,
    at_ns: int,
) -> Balances:
    """Return what the account held at `at_ns`: what it holds, less what came since."""
    cash: dict[str, Decimal] = dict(account.cash)
    positions = dict(account.positions)
    for one in reversed(account.executions):
        if one.at_ns <= at_ns:
            break
        currency = instruments[one.instrument_id].quote
        cash[currency] = ledger.EXACT.subtract(cash[currency], one.cash)
        positions[one.instrument_id] -= one.lots
    return Balances(
        query_id=query_id,
        cash={currency: amount for currency, amount in cash.items() if amount},
        positions={key: lots for key, lots in positions.items() if lots},
    )
