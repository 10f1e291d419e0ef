"""For whom an order trades: every execution goes to the assignments that it was placed for.

Right at every moment: what the assignments hold together is what the orders placed for them have
traded, bought less sold. Each execution is given out whole, to the claims in their turn.
"""

from typing import Final

from tandem.core.trading.booked import Claimed
from tandem.core.trading.state import Algo, DeskState, Parent
from tandem.core.trading.target_state import Assigned, Claim, Member, Net, Strategies
from tandem.core.trading.turn import Turn
from tandem.domain.ids import InstrumentId, ParentId, SlotId
from tandem.domain.order import Order
from tandem.domain.strategies import AssignmentId

PREFIX: Final = "net"


def net_id(slot_id: SlotId, instrument_id: InstrumentId) -> ParentId:
    """Return the id of the net of one account and instrument."""
    return ParentId(f"{PREFIX} {slot_id} {instrument_id}")


def net_of(roster: Strategies, slot_id: SlotId, instrument_id: InstrumentId) -> Net:
    """Return the net of one account and instrument, new when there was none."""
    key = net_id(slot_id, instrument_id)
    net = roster.nets.get(key)
    if net is None:
        net = Net(net_id=key, slot_id=slot_id, instrument_id=instrument_id)
        roster.nets[key] = net
    return net


def member_of(roster: Strategies, net: Net, assignment_id: AssignmentId) -> Member:
    """Return what the assignment wants and holds there, nothing at first."""
    member = net.members.get(assignment_id)
    if member is None:
        member = net.members[assignment_id] = Member()
        roster.assigned[assignment_id].nets[net.net_id] = None
    return member


def on_fill(
    state: DeskState, parent: Parent, order: Order, *, slot_id: SlotId, lots: int
) -> tuple[Claimed, ...]:
    """Give an execution to whom the parent trades for; return how much each has of it.

    What nobody claims any more stays the account's.
    """
    given: list[Claimed] = []
    sign = order.side.sign
    for claim in parent.claims:
        part = min(lots, claim.left)
        if not part:
            continue
        claim.left -= part
        lots -= part
        given.append(Claimed(claim.strategy, part, claim.assignment_id))
        if claim.assignment_id in state.strategies.assigned:
            net = net_of(state.strategies, slot_id, order.instrument_id)
            member = member_of(state.strategies, net, claim.assignment_id)
            member.held += sign * part
            if claim.is_order or member.is_canceled:
                member.wanted += sign * part
    if lots and given:
        given.append(Claimed(parent.spec.strategy, lots))
    return tuple(given)


def claim_part(algo: Algo, parent: Parent) -> None:
    """Let a part of a strategy's order trade for its assignment."""
    if algo.assignment_id is not None:
        claim = Claim(algo.assignment_id, parent.spec.strategy, parent.quantity, is_order=True)
        parent.claims = [claim]


def order_ended(turn: Turn, assignment_id: AssignmentId, order_id: ParentId) -> None:
    """An order that a strategy asked for is over: what waited for it may move."""
    one = turn.state.strategies.assigned.get(assignment_id)
    if one is not None and order_id in one.orders:
        del one.orders[order_id]
        for key in one.nets:
            turn.touch(key)
        remove_left(turn.state.strategies, one)


def remove_left(roster: Strategies, one: Assigned) -> None:
    """Forget an assignment that was taken away, once nothing is held or out for it."""
    if one.leaving and not one.nets and not one.orders:
        del roster.assigned[one.assignment.assignment_id]
        roster.version += 1
