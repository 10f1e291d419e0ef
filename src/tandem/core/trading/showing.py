"""A desk's state in a trader's words. Nothing is changed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

import msgspec

from tandem.core.trading import showing_limits, showing_objectives, showing_strategies
from tandem.core.trading.attempts import LOWERED, LOWERING
from tandem.core.trading.desk import Desk
from tandem.core.trading.latencies import BOUNDS_NS
from tandem.core.trading.latency_state import Histogram
from tandem.core.trading.showing_algos import algo_view, gains_view, mark_of
from tandem.core.trading.showing_external import external_views
from tandem.core.trading.showing_feeds import doubts, feed_views
from tandem.core.trading.showing_prevention import prevention_view
from tandem.core.trading.state import (
    Attempt,
    Both,
    DeskState,
    Ending,
    Pair,
    Parent,
    Phase,
)
from tandem.core.trading.tally import Tally
from tandem.core.trading.turn import Rules
from tandem.core.trading.two_sided import count_part
from tandem.domain.commands import Refused, Taken
from tandem.domain.control import (
    AskCatalogue,
    AskDecisions,
    AskDropped,
    AskLife,
    AskLimits,
    AskObjectives,
    AskOrders,
    AskPositions,
    AskRefusals,
    AskStatus,
    AskStrategies,
    AskTexts,
    Question,
)
from tandem.domain.ids import AccountId, CommandId, Lots, ParentId, SlotId, Ticks
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.money import ZERO, add, multiply
from tandem.domain.views import (
    AttemptView,
    BothView,
    CashView,
    CatalogueView,
    Course,
    HopView,
    LatencyView,
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
TIMELESS = Instant(0, 0)
NOTES_MAX = 50
LIFE_MAX = 30  # attempts, each with its hops
COURSES = {
    "released": Course.TO_WORKER,
    "released again": Course.TO_WORKER,
    "resent": Course.TO_WORKER,
    "cancel wanted": Course.TO_WORKER,
    "accepted": Course.FROM_VENUE,
    "found": Course.FROM_VENUE,
    "unknown: time-out": Course.FROM_WORKER,
    f"final: {Ending.CANCELED}": Course.FROM_VENUE,
    f"final: {Ending.EXPIRED}": Course.FROM_VENUE,
    f"final: {Ending.REFUSED}": Course.FROM_VENUE,
    f"final: {Ending.ABSENT}": Course.FROM_VENUE,
    f"final: {Ending.NEVER_SENT}": Course.FROM_WORKER,
    f"final: {Ending.NOT_SENT}": Course.FROM_WORKER,
}
# Steps that end with how many lots.
COUNTED = {
    "filled ": Course.FROM_VENUE,
    LOWERING: Course.TO_WORKER,
    LOWERED: Course.FROM_VENUE,
}
Leases = Mapping[tuple[AccountId, int], int]


def show(
    desk: Desk,
    question: Question,
    records: int,
    leases: Leases | None = None,
    now: Instant = TIMELESS,
) -> View:
    """Answer a question from the desk's state; `records` is how many its journal holds.

    `leases` are those of workers elsewhere: what is left of each, by account and epoch.
    """
    match question:
        case AskStatus():
            view = _status(desk, records, leases or {})
            feeds = feed_views(desk.state, desk.rules, now)
            return msgspec.structs.replace(view, feeds=feeds)
        case AskOrders():
            return _orders(desk, question)
        case AskLife():
            return _life(desk, question.order_id)
        case AskPositions():
            return _positions(desk)
        case AskRefusals():
            return prevention_view(desk.state, desk.rules, question.limit)
        case AskLimits():
            return showing_limits.limits_view(desk.state, desk.rules, now)
        case AskObjectives():
            return showing_objectives.objectives_view(desk.state, desk.rules, now)
        case AskStrategies() | AskTexts() | AskDecisions() | AskDropped():
            return showing_strategies.answer(desk.state, desk.rules, question)
        case AskCatalogue():
            state = desk.state
            return CatalogueView(
                instruments=desk.rules.settings.instruments,
                slots=tuple(one.slot_id for one in state.seats.values() if one.active),
                venues={one.slot_id: one.venue_id for one in state.seats.values()},
                market_ns=now.market_ns,
            )
        case _:
            assert_never(question)


def _status(desk: Desk, records: int, leases: Leases) -> StatusView:
    state = desk.state
    attempts = [state.attempts[key] for seat in state.seats.values() for key in seat.open]
    return StatusView(
        pool=state.pool.phase.value,
        trading=state.exposure.state.value,
        reason=state.halt_reason or state.limits.desk.text,
        coordinator_epoch=state.epoch,
        records=records,
        slots=_slots(state, desk.rules, leases),
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
        orders=state.next_order - 1,
        latencies=_latencies(state),
        external=external_views(state, desk.rules),
        notes=_notes(state, desk.rules),
        halted=tuple(showing_limits.halts(state, desk.rules)),
    )


def _notes(state: DeskState, rules: Rules) -> tuple[str, ...]:
    said = [*showing_objectives.notes(state), *showing_limits.notes(state), *doubts(state, rules)]
    return tuple(said[:NOTES_MAX])


def _latencies(state: DeskState) -> tuple[LatencyView, ...]:
    took = state.latencies
    named: dict[str, Histogram] = {name: getattr(took, name) for name in took.__struct_fields__}
    return tuple(
        LatencyView(what=name, bounds_ns=BOUNDS_NS, counts=tuple(one.counts), total_us=one.total_us)
        for name, one in named.items()
    )


def _slots(state: DeskState, rules: Rules, leases: Leases) -> tuple[SlotView, ...]:
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
                leaving=seat.leaving_since_ns is not None,
                lease_left_ns=leases.get((seat.account_id, seat.epoch)),
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
    spec = parent.spec
    return ParentView(
        parent_id=parent.parent_id,
        command_id=parent.command_id,
        symbol=parent.spec.symbol,
        side=parent.spec.side,
        quantity=instrument.quantity_text(Lots(parent.quantity)),
        limit_price=_price_text(instrument, spec.limit_price),
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
        began_ns=parent.began_ns,
        ended_ns=parent.ended_ns,
        stop_price=_price_text(instrument, spec.stop_price),
        trail=_price_text(instrument, spec.trail),
        good_till_ns=spec.good_till_ns,
        reduce_only=spec.reduce_only,
    )


def _price_text(instrument: Instrument, price: Ticks | None) -> str | None:
    return None if price is None else instrument.price_text(price)


def _orders(desk: Desk, question: AskOrders) -> OrdersView:
    state = desk.state
    boths = [_both(desk, one) for one in state.boths.values()]
    pairs = [_pair(desk, one) for one in state.pairs.values()]
    both = [*boths, *pairs]
    algos = [algo_view(state, desk.rules, one) for one in state.algos.values()]
    limit = ORDERS_MAX
    if question.ids:
        wanted = dict.fromkeys(question.ids)
        parents = [state.parents[ParentId(one)] for one in wanted if ParentId(one) in state.parents]
        both = [one for one in both if one.order_id in wanted]
        algos = [one for one in algos if one.order_id in wanted]
    else:
        parents = list(state.parents.values())
        limit = max(0, min(limit, question.limit))
    first = max(0, len(parents) - limit)
    return OrdersView(
        parents=tuple(_parent(desk, one) for one in parents[first:]),
        both=tuple(both[max(0, len(both) - limit) :]),
        algos=tuple(algos[max(0, len(algos) - limit) :]),
    )


def _both(desk: Desk, both: Both) -> BothView:
    state, instrument = desk.state, _symbol(desk, both.spec.symbol)
    tally = _with_open(desk, both.tally, [both.buy_id, both.sell_id])
    return BothView(
        order_id=both.both_id,
        command_id=both.command_id,
        kind="both",
        phase=both.phase.value,
        text=both.text,
        bought=instrument.quantity_text(Lots(tally.bought)),
        sold=instrument.quantity_text(Lots(tally.sold)),
        difference=tally.inventory,
        parts=tuple(both.parts[-PARTS_MAX:]),
        gains=gains_view(
            tally, instrument, mark_of(state, instrument), most=both.spec.inventory_limit
        ),
    )


def _pair(desk: Desk, pair: Pair) -> BothView:
    spec = pair.spec
    bought = _listed(desk, spec.buy_symbol, spec.buy_slots[0])
    sold = _listed(desk, spec.sell_symbol, spec.sell_slots[0])
    tally = _with_open(desk, pair.tally, [*pair.legs])
    held = bought if tally.inventory > 0 else sold
    return BothView(
        order_id=pair.pair_id,
        command_id=pair.command_id,
        kind="pair",
        phase=pair.phase.value,
        text=pair.text,
        bought=bought.quantity_text(Lots(pair.bought)),
        sold=bought.quantity_text(Lots(pair.sold)),
        difference=pair.bought - pair.sold,
        parts=tuple(pair.parts[-PARTS_MAX:]),
        gains=gains_view(tally, bought, mark_of(desk.state, held), most=spec.slice_quantity),
    )


def _listed(desk: Desk, symbol: str, slot_id: SlotId) -> Instrument:
    return desk.rules.listed[symbol, desk.state.seats[slot_id].venue_id]


def _with_open(desk: Desk, done: Tally, parts: list[ParentId | None]) -> Tally:
    """Return what has traded, of the parts that live too."""
    tally = done.copy()
    for key in parts:
        if key is not None:
            count_part(desk.state, desk.rules, tally, desk.state.parents[key])
    return tally


def _symbol(desk: Desk, symbol: str) -> Instrument:
    return desk.rules.catalogue.on_symbol(symbol)[0]


def _life(desk: Desk, asked_id: str) -> LifeView:
    """Show what an id stands for: an order with all its attempts, one attempt, or a command."""
    state = desk.state
    order_id, refused = asked_id, ""
    answered = state.answers.get(CommandId(asked_id))
    if answered is not None and isinstance(answered.answer, Taken):
        order_id = answered.answer.order_id or asked_id
    elif answered is not None and isinstance(answered.answer, Refused):
        refused = f"{answered.answer.reason}: {answered.answer.text}"
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
    began_ns = min((one.began_ns for one in parents), default=0)
    return LifeView(
        parents=tuple(_parent(desk, one) for one in parents[-ORDERS_MAX:]),
        attempts=tuple(_attempt(desk, one, began_ns) for one in attempts[-LIFE_MAX:]),
        refused=refused,
    )


def _attempt(desk: Desk, attempt: Attempt, began_ns: int) -> AttemptView:
    instrument = desk.rules.catalogue[attempt.order.instrument_id]
    workers = desk.state.workers
    names = [workers[one].name if one in workers else one for one in attempt.handed_to]
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
        hops=_hops(attempt, instrument, began_ns),
        parent_id=attempt.parent_id,
        command_id=desk.state.parents[attempt.parent_id].command_id,
        workers=tuple(names),
        cause=None if attempt.cause is None else attempt.cause.value,
    )


def _hops(attempt: Attempt, instrument: Instrument, began_ns: int) -> tuple[HopView, ...]:
    """Return the coordinator's steps, with the worker's send where it belongs in time."""
    hops = [(one.at_ns, *_step(one.what, instrument)) for one in attempt.hops]
    if attempt.sent_ns is not None:
        hops.append((attempt.sent_ns, "sent by its worker", Course.TO_VENUE))
    return tuple(
        HopView(what=what, at_ns=at_ns, course=course, since_command_ns=at_ns - began_ns)
        for at_ns, what, course in sorted(hops, key=lambda one: one[0])
    )


def _step(what: str, instrument: Instrument) -> tuple[str, Course]:
    """Return a step as a trader reads it, and where it went."""
    for words, course in COUNTED.items():
        if what.startswith(words):
            lots = Lots(int(what.removeprefix(words)))
            return f"{words}{instrument.quantity_text(lots)}", course
    return what, COURSES.get(what, Course.COORDINATOR)


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
                    income=gains.income,
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
