"""A desk's state in a trader's words. Nothing is changed."""

from decimal import Decimal
from typing import assert_never

from tandem.core.trading.desk import Desk
from tandem.core.trading.state import Attempt, Both, DeskState, Pair, Parent, Phase
from tandem.core.trading.turn import Rules
from tandem.domain.control import (
    AskCatalogue,
    AskLife,
    AskOrders,
    AskPositions,
    AskStatus,
    Question,
)
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import ZERO, add, multiply
from tandem.domain.views import (
    AttemptView,
    BothView,
    CashView,
    CatalogueView,
    HopView,
    LifeView,
    OrdersView,
    ParentView,
    PositionsView,
    PositionView,
    SlotView,
    StatusView,
    View,
    WorkerView,
)

CENT = Decimal("0.00000001")
# An answer must fit into one message.
ORDERS_MAX = 150
PARTS_MAX = 50
LIFE_MAX = 30  # attempts, each with its hops


def show(desk: Desk, question: Question, records: int) -> View:
    """Answer a question from the desk's state; `records` is how many its journal holds."""
    match question:
        case AskStatus():
            return _status(desk, records)
        case AskOrders():
            return _orders(desk, question)
        case AskLife():
            return _life(desk, question.order_id)
        case AskPositions():
            return _positions(desk)
        case AskCatalogue():
            state = desk.state
            return CatalogueView(
                instruments=desk.rules.settings.instruments,
                slots=tuple(one.slot_id for one in state.seats.values() if one.active),
                venues={one.slot_id: one.venue_id for one in state.seats.values()},
            )
        case _:
            assert_never(question)


def _status(desk: Desk, records: int) -> StatusView:
    state = desk.state
    attempts = [state.attempts[key] for seat in state.seats.values() for key in seat.open]
    return StatusView(
        pool=state.pool.phase.value,
        trading=state.exposure.state.value,
        reason=state.halt_reason,
        coordinator_epoch=state.epoch,
        records=records,
        slots=_slots(state, desk.rules),
        workers=tuple(
            WorkerView(
                name=one.name,
                pid=one.pid,
                connected=one.up,
                confirmed=one.confirmed,
                slot_id=one.slot_id,
                machine=one.machine,
                draining=one.draining,
            )
            for one in state.workers.values()
        ),
        parents_open=len(state.working),
        parents_done=len(state.finished),
        unknown=sum(1 for one in attempts if one.phase is Phase.UNKNOWN),
        for_person=tuple(one.order.client_order_id for one in attempts if one.for_person),
        counters=dict(state.counters),
        priced=sum(1 for one in state.exposure.holdings.values() if one.reference is not None),
    )


def _slots(state: DeskState, rules: Rules) -> tuple[SlotView, ...]:
    views = []
    for seat in state.seats.values():
        worker = state.workers.get(seat.holder) if seat.holder is not None else None
        views.append(
            SlotView(
                slot_id=seat.slot_id,
                account_id=seat.account_id,
                venue_id=seat.venue_id,
                fence_class=rules.slots[seat.slot_id].fence_class.value,
                active=seat.active,
                ready=seat.ready and worker is not None and worker.up,
                worker=worker.name if worker is not None else None,
                pid=worker.pid if worker is not None else None,
                epoch=seat.epoch,
                open_orders=len(seat.open),
            )
        )
    return tuple(views)


def _instrument(desk: Desk, parent: Parent) -> Instrument:
    seat = desk.state.seats[parent.slots[0]]
    return desk.rules.listed[parent.spec.symbol, seat.venue_id]


def _parent(desk: Desk, parent: Parent) -> ParentView:
    instrument = _instrument(desk, parent)
    attempts = [desk.state.attempts[one] for one in parent.attempts]
    sent = [one.sent_ns for one in attempts if one.number == 1 and one.sent_ns is not None]
    value = multiply(instrument.step_value, parent.filled_value)
    average = None
    if parent.filled:
        exact = Decimal(parent.filled_value) * instrument.tick_size / parent.filled
        average = exact.quantize(CENT).normalize()
    price = parent.spec.limit_price
    return ParentView(
        parent_id=parent.parent_id,
        command_id=parent.command_id,
        symbol=parent.spec.symbol,
        side=parent.spec.side,
        quantity=instrument.quantity_text(Lots(parent.quantity)),
        limit_price=None if price is None else instrument.price_text(price),
        phase=parent.phase.value,
        outcome=parent.outcome.value if parent.outcome is not None else None,
        text=parent.text,
        children=len(parent.children),
        fills=sum(len(one.executions) for one in attempts),
        filled=instrument.quantity_text(Lots(parent.filled)),
        average_price=average,
        value=value,
        fees=parent.fees,
        skew_ns=max(sent) - min(sent) if len(sent) > 1 else None,
        owner=parent.owner,
    )


def _orders(desk: Desk, question: AskOrders) -> OrdersView:
    state = desk.state
    boths = [_both(desk, one) for one in state.boths.values()]
    pairs = [_pair(desk, one) for one in state.pairs.values()]
    both = [*boths, *pairs]
    limit = ORDERS_MAX
    if question.ids:
        wanted = dict.fromkeys(question.ids)
        parents = [state.parents[ParentId(one)] for one in wanted if ParentId(one) in state.parents]
        both = [one for one in both if one.order_id in wanted]
    else:
        parents = list(state.parents.values())
        limit = max(0, min(limit, question.limit))
    first = max(0, len(parents) - limit)
    return OrdersView(
        parents=tuple(_parent(desk, one) for one in parents[first:]),
        both=tuple(both[max(0, len(both) - limit) :]),
    )


def _both(desk: Desk, both: Both) -> BothView:
    instrument = _symbol(desk, both.spec.symbol)
    bought, sold = _traded(desk, both.parts)
    return BothView(
        order_id=both.both_id,
        command_id=both.command_id,
        kind="both",
        phase=both.phase.value,
        text=both.text,
        bought=instrument.quantity_text(Lots(bought)),
        sold=instrument.quantity_text(Lots(sold)),
        difference=bought - sold,
        parts=tuple(both.parts[-PARTS_MAX:]),
    )


def _pair(desk: Desk, pair: Pair) -> BothView:
    instrument = _symbol(desk, pair.spec.buy_symbol)
    return BothView(
        order_id=pair.pair_id,
        command_id=pair.command_id,
        kind="pair",
        phase=pair.phase.value,
        text=pair.text,
        bought=instrument.quantity_text(Lots(pair.bought)),
        sold=instrument.quantity_text(Lots(pair.sold)),
        difference=pair.bought - pair.sold,
        parts=tuple(pair.parts[-PARTS_MAX:]),
    )


def _symbol(desk: Desk, symbol: str) -> Instrument:
    return desk.rules.catalogue.on_symbol(symbol)[0]


def _traded(desk: Desk, parts: list[ParentId]) -> tuple[int, int]:
    bought = sold = 0
    for key in parts:
        parent = desk.state.parents.get(key)
        if parent is None:
            continue
        if parent.spec.side.sign > 0:
            bought += parent.filled
        else:
            sold += parent.filled
    return bought, sold


def _life(desk: Desk, order_id: str) -> LifeView:
    """Show a parent with all its attempts, a two-sided order with its parts, or one attempt."""
    state = desk.state
    keys: list[ParentId] = []
    for found in (state.boths.get(ParentId(order_id)), state.pairs.get(ParentId(order_id))):
        if found is not None:
            keys.extend(found.parts)
    attempts = [one for key, one in state.attempts.items() if key == order_id]
    keys.extend(one.parent_id for one in attempts)
    if ParentId(order_id) in state.parents:
        keys.append(ParentId(order_id))
    parents = [state.parents[one] for one in keys if one in state.parents]
    if not attempts:
        attempts = [state.attempts[key] for parent in parents for key in parent.attempts]
    return LifeView(
        parents=tuple(_parent(desk, one) for one in parents[-ORDERS_MAX:]),
        attempts=tuple(_attempt(desk, one) for one in attempts[-LIFE_MAX:]),
    )


def _attempt(desk: Desk, attempt: Attempt) -> AttemptView:
    instrument = desk.rules.catalogue[attempt.order.instrument_id]
    return AttemptView(
        client_order_id=attempt.order.client_order_id,
        slot_id=attempt.slot_id,
        account_id=desk.state.seats[attempt.slot_id].account_id,
        quantity=instrument.quantity_text(attempt.order.quantity),
        phase=attempt.phase.value,
        status=attempt.status.value,
        ending=attempt.ending.value if attempt.ending is not None else None,
        text=attempt.text,
        filled=instrument.quantity_text(Lots(attempt.cum_quantity)),
        sends=attempt.sends,
        for_person=attempt.for_person,
        hops=_hops(attempt),
    )


def _hops(attempt: Attempt) -> tuple[HopView, ...]:
    """Return the coordinator's steps, with the worker's send where it belongs in time."""
    hops = [HopView(what=one.what, at_ns=one.at_ns) for one in attempt.hops]
    if attempt.sent_ns is not None:
        hops.append(HopView(what="sent by its worker", at_ns=attempt.sent_ns))
    return tuple(sorted(hops, key=lambda one: one.at_ns))


def _positions(desk: Desk) -> PositionsView:
    state = desk.state
    views = []
    for account_id, held in state.positions.items():
        for instrument_id, position in held.items():
            instrument = desk.rules.catalogue[instrument_id]
            holding = state.exposure.holdings[instrument_id]
            mark = holding.reference
            gains = position.profit_and_loss(instrument, None if mark is None else Ticks(mark))
            quantity = Lots(position.quantity)
            views.append(
                PositionView(
                    account_id=account_id,
                    instrument_id=instrument_id,
                    symbol=instrument.symbol,
                    quantity=instrument.quantity_text(quantity),
                    average_cost=_average(gains.cost, instrument, quantity),
                    realized=gains.realized_fifo,
                    unrealized=gains.unrealized_fifo,
                    fees=gains.fees,
                )
            )
    cash = [
        CashView(account_id=account_id, currency=currency, amount=amount)
        for account_id, books in state.ledger.accounts.items()
        for currency, amount in books.cash.items()
    ]
    balanced = all(one.debits == one.credits for one in state.ledger.trial_balance())
    return PositionsView(positions=tuple(views), cash=tuple(cash), balanced=balanced)


def _average(cost: Decimal, instrument: Instrument, quantity: Lots) -> Decimal | None:
    if not quantity:
        return None
    units = multiply(instrument.lot_size, abs(quantity))
    return add((cost / units).quantize(CENT).normalize(), ZERO)
