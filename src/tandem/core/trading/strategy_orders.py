"""Orders that a strategy asks for by itself, with sizes, stops and targets.

Each is placed once, for each account, when its decision is taken: as a plain order, or as a bracket
when it has a stop or a target. What trades of it is wanted and held by its assignment. While one is
out the assignment's position is left alone, and a new position cancels it first.
"""

from collections.abc import Sequence
from typing import Final

from tandem.core.trading import destinations, meeting, netting, planning, taking
from tandem.core.trading.algos import driver
from tandem.core.trading.claims import net_id
from tandem.core.trading.target_state import Assigned, Claim
from tandem.core.trading.turn import Turn
from tandem.domain.algos import Bracket
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import CommandId, ParentId, SlotId
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade
from tandem.domain.strategies import WantedOrder

ORDERS_MAX: Final = 20  # of one decision, for each account


def place_all(
    turn: Turn, one: Assigned, slots: Sequence[SlotId], orders: Sequence[WantedOrder]
) -> bool:
    """Place what a decision asks for, on every account; return whether any was not refused.

    What is refused is noted.
    """
    is_placed = False
    for number, wanted in enumerate(orders[:ORDERS_MAX], start=1):
        command_id = CommandId(f"{one.assignment.assignment_id}@{one.begin_ns}#{number}")
        for slot_id in slots:
            placed = _objection(turn, one, slot_id, wanted) or _place(
                turn, one, (command_id, slot_id), wanted
            )
            if isinstance(placed, Refused):
                turn.count("strategy_orders_refused")
                netting.note(turn, one, "refused", text=f"{slot_id}: {placed.text}")
            else:
                turn.count("strategy_orders")
                one.orders[placed] = None
                is_placed = True
                netting.note(turn, one, "order", text=f"{slot_id}: {placed}")
    return is_placed


def _objection(turn: Turn, one: Assigned, slot_id: SlotId, wanted: WantedOrder) -> Refused | None:
    closed = taking.closed(turn)
    if closed is not None:
        return closed
    if netting.has_way_out(turn, one):  # which would wait for them, and sell what they sell
        text = f"it is made flat first: {one.exits or 'it trades elsewhere now'}"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    if one.assignment.may_short or wanted.side is Side.BUY:
        return None
    if _is_bracket(wanted) or wanted.quantity > _may_sell(turn, one, slot_id):
        symbol = one.assignment.symbol
        sold = destinations.quantity_text(turn, symbol, (slot_id,), wanted.quantity)
        text = f"it would sell {sold}, and may not be short"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    return None


def _is_bracket(wanted: WantedOrder) -> bool:
    return wanted.stop_price is not None or wanted.target_price is not None


def _may_sell(turn: Turn, one: Assigned, slot_id: SlotId) -> int:
    """Return what it holds on an account, less what its orders there may still sell."""
    state, key = turn.state, one.assignment.assignment_id
    instrument = turn.rules.listed[one.assignment.symbol, state.seats[slot_id].venue_id]
    net = state.strategies.nets.get(net_id(slot_id, instrument.instrument_id))
    member = net.members.get(key) if net is not None else None
    held = member.held if member is not None else 0
    for order_id in one.orders:
        parent = state.parents.get(order_id)
        if parent is not None and parent.slots == [slot_id] and parent.spec.side is Side.SELL:
            held -= sum(claim.left for claim in parent.claims)
    return held


def _place(
    turn: Turn, one: Assigned, place: tuple[CommandId, SlotId], wanted: WantedOrder
) -> ParentId | Refused:
    command_id, slot_id = place
    assignment = one.assignment
    if _is_bracket(wanted):
        spec = Bracket(
            symbol=assignment.symbol,
            side=wanted.side,
            quantity=wanted.quantity,
            limit_price=wanted.limit_price,
            slots=(slot_id,),
            strategy=assignment.name,
            stop_price=wanted.stop_price,
            target_price=wanted.target_price,
        )
        algo = driver.begin(turn, command_id, spec)
        if isinstance(algo, Refused):
            return algo
        algo.assignment_id = assignment.assignment_id
        return algo.algo_id
    is_market = wanted.limit_price is None
    instrument = turn.rules.listed[assignment.symbol, turn.state.seats[slot_id].venue_id]
    goes_first = is_market and meeting.is_shared(turn, instrument, wanted.side)
    plain = ParentSpec(
        symbol=assignment.symbol,
        side=wanted.side,
        quantity=wanted.quantity,
        limit_price=wanted.limit_price,
        time_in_force=(
            TimeInForce.IMMEDIATE_OR_CANCEL if is_market else TimeInForce.GOOD_TILL_CANCEL
        ),
        slots=(slot_id,),
        self_trade=SelfTrade.CANCEL_RESTING if goes_first else SelfTrade.REJECT_NEW,
        strategy=assignment.name,
    )
    claim = Claim(assignment.assignment_id, assignment.name, wanted.quantity, True)
    opened = planning.open_parent(turn, command_id, plain, trades_for=[claim])
    if isinstance(opened, Refused):
        return opened
    claim.left = opened.quantity
    return opened.parent_id


def cancel_all(turn: Turn, one: Assigned, why: str) -> None:
    """Cancel what is out of its orders; what still trades of them is held, and not wanted."""
    state = turn.state
    for order_id in one.orders:
        algo = state.algos.get(order_id)
        if algo is None:
            planning.cancel_parent(turn, state.parents[order_id], why)
        else:
            driver.cancel(turn, algo, why)
        for key in [order_id] if algo is None else [part.parent_id for part in algo.open]:
            for claim in state.parents[key].claims:
                claim.is_order = False
