"""From what assignments want to orders: all of one account and instrument as one.

Right at every moment: an order is placed only for what the assignments of its account lack
together, one order at a time, and its quantity is claimed by those that lack it. What one lacks
and another has too much of changes hands inside, at the market's reference, without an order. So
nothing is traded twice and nothing against ourselves, however often the net is looked at: `advance`
answers from what is wanted, held and out, and a restart needs no case of its own.

A want that is not reached in time is given up: it becomes what is held. An exit (a stop, "flat
by", an assignment that is taken away) is never given up. Whoever has own orders out waits for them.
"""

from typing import Final

from tandem.core.trading import (
    account_gate,
    destinations,
    handing,
    meeting,
    order_room,
    planning,
    taking,
)
from tandem.core.trading.claims import member_of, net_id, net_of, remove_left
from tandem.core.trading.sizing import price_of
from tandem.core.trading.state import Parent, ParentPhase, Seat
from tandem.core.trading.target_state import Assigned, Claim, Member, Net, Noted
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.commands import Refused
from tandem.domain.desk import SECOND
from tandem.domain.ids import CommandId, Lots, SlotId
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import ParentSpec, SelfTrade
from tandem.domain.strategies import Assignment, AssignmentId

RETRY_NS: Final = SECOND  # after an order that was refused, or that nobody traded with
REFUSALS_MAX: Final = 5  # so often in a row that time doubles
LOOK_NS_MAX: Final = 3_600 * SECOND
STRATEGY: Final = "strategies"  # of an order for several that is counted under each for its part


def slots_of(turn: Turn, assignment: Assignment) -> list[SlotId]:
    """Return the slots that an assignment may trade, whose venues list its symbol."""
    return [
        slot.slot_id
        for slot in turn.rules.slots.values()
        if (not assignment.slots or slot.slot_id in assignment.slots)
        and (assignment.symbol, slot.venue_id) in turn.rules.listed
    ]


def want(turn: Turn, one: Assigned, slot_id: SlotId, lots: int, *, is_again: bool) -> None:
    """Let an assignment want so many lots on one account.

    What is wanted `is_again`, of the same position, is tried no sooner than it would have been.
    """
    roster, seat = turn.state.strategies, turn.state.seats[slot_id]
    instrument = turn.rules.listed[one.assignment.symbol, seat.venue_id]
    net = net_of(roster, slot_id, instrument.instrument_id)
    is_known = one.assignment.assignment_id in net.members
    member = member_of(roster, net, one.assignment.assignment_id)
    member.wanted, member.is_sized, member.is_canceled = lots, True, False
    if not is_again or not is_known:
        net.retry_at_ns = net.refusals = 0
    turn.touch(net.net_id)


def unsize(turn: Turn, one: Assigned) -> None:
    """Let it have no size on any account: another position than before is wanted."""
    roster, key = turn.state.strategies, one.assignment.assignment_id
    for each in one.nets:
        roster.nets[each].members[key].is_sized = False


def forget_cancels(turn: Turn, one: Assigned) -> None:
    """Let it be sized where a person has canceled: another position was wanted since."""
    roster, key = turn.state.strategies, one.assignment.assignment_id
    for each in one.nets:
        member = roster.nets[each].members[key]
        member.is_sized = member.is_sized and not member.is_canceled


def leave(turn: Turn, one: Assigned, why: str) -> None:
    """Make an assignment flat everywhere; it wants nothing until it has a new position."""
    roster, key = turn.state.strategies, one.assignment.assignment_id
    one.exits = why
    unsize(turn, one)
    for each in one.nets:
        net = roster.nets[each]
        net.members[key].wanted, net.members[key].is_canceled = 0, False
        net.retry_at_ns = net.refusals = 0
        turn.touch(each)
    remove_left(roster, one)


def on_assigned(turn: Turn, one: Assigned) -> None:
    """Look at what it holds: where it does not belong any more, it wants nothing."""
    roster, key = turn.state.strategies, one.assignment.assignment_id
    unsize(turn, one)
    for each in one.nets:
        net = roster.nets[each]
        if not _belongs(turn, one, net):
            net.members[key].wanted, net.members[key].is_canceled = 0, False
        net.retry_at_ns = net.refusals = 0
        turn.touch(each)


def _belongs(turn: Turn, one: Assigned, net: Net) -> bool:
    assignment, symbol = one.assignment, turn.rules.instruments[net.instrument_id].symbol
    is_place = not assignment.slots or net.slot_id in assignment.slots
    return is_place and symbol == assignment.symbol


def let_go(turn: Turn, key: AssignmentId) -> None:
    """Forget an assignment; what it holds stays on the accounts."""
    roster = turn.state.strategies
    for each in roster.assigned.pop(key).nets:
        del roster.nets[each].members[key]
        turn.touch(each)


def give_up(turn: Turn, net: Net, why: str, *, by_hand: bool = False) -> None:
    """Want what is held, of all but exits.

    What a person cancels `by_hand` is not wanted again before another position is.
    """
    for key, member in net.members.items():
        one = turn.state.strategies.assigned[key]
        if _is_exit(turn, one, net):
            continue
        if not by_hand:
            if member.lacking:
                _drop(turn, one, member, why)
            continue
        is_dropped = not member.is_sized and is_claimed(turn, net, key)
        if not member.lacking and not is_dropped:
            continue
        member.wanted, member.is_sized, member.is_canceled = member.held, True, True
        turn.count("targets_canceled")
        note(turn, one, "canceled", text=f"{net.slot_id}: {why}")


def mark_dropped(turn: Turn, one: Assigned, why: str, *, is_expired: bool = False) -> None:
    """Let whoever asks know that the last position is given up."""
    roster = turn.state.strategies
    roster.drops += 1
    one.dropped_at, one.dropped_why, one.is_expired = roster.drops, why, is_expired


def note(turn: Turn, one: Assigned, what: str, *, text: str = "") -> None:
    """Write a line into the log of decisions."""
    assignment_id = one.assignment.assignment_id
    line = Noted(turn.now.market_ns, assignment_id, one.begin_ns, what, text)
    turn.state.strategies.note(line)


def renew(turn: Turn) -> None:
    """Look at every net, after a restart has stopped all alarms."""
    for net in turn.state.strategies.nets.values():
        net.alarm_ns = net.retry_at_ns = 0
        turn.touch(net.net_id)


def advance(turn: Turn, net: Net) -> None:
    """Do what brings what is held nearer to what is wanted."""
    _expire(turn, net)
    parent = turn.state.parents.get(net.parent_id) if net.parent_id is not None else None
    if parent is not None and parent.phase is not ParentPhase.DONE:
        if not net.is_stopping and not _leads_on(turn, net, parent):
            net.is_stopping = True
            planning.cancel_parent(turn, parent, "what is wanted has changed")
    else:
        if parent is not None and not net.is_stopping:
            _learn(turn, net, parent)
        net.parent_id, net.is_stopping = None, False
        if turn.now_ns >= net.retry_at_ns:
            _trade(turn, net)
    _look_in(turn, net)
    _tidy(turn, net)


# -- what is given up


def _is_exit(turn: Turn, one: Assigned, net: Net) -> bool:
    return bool(one.exits) or not _belongs(turn, one, net)


def has_way_out(turn: Turn, one: Assigned) -> bool:
    """Return whether something that it must give back is still held, but for dust."""
    roster, key = turn.state.strategies, one.assignment.assignment_id
    nets = [roster.nets[each] for each in one.nets]
    return any(
        net.members[key].lacking and not net.is_dust and _is_exit(turn, one, net) for net in nets
    )


def _good_until_ns(one: Assigned) -> int:
    """Return until when its last position may be carried out."""
    return one.assignment.good_until_ns(one.position_end_ns)


def _expire(turn: Turn, net: Net) -> None:
    for key, member in net.members.items():
        one = turn.state.strategies.assigned[key]
        is_good = not member.lacking or net.is_dust or _is_exit(turn, one, net)
        if not is_good and turn.now.market_ns > _good_until_ns(one):
            why = f"too old; {net.note}" if net.note else "too old"
            _drop(turn, one, member, why, is_expired=True)


def _drop(turn: Turn, one: Assigned, member: Member, why: str, *, is_expired: bool = False) -> None:
    member.wanted, member.is_sized = member.held, False
    if one.is_sized:  # once for all its accounts
        one.is_sized = False
        one.dropped += 1
        turn.count("targets_dropped")
        mark_dropped(turn, one, why, is_expired=is_expired)
        note(turn, one, "dropped", text=why)


# -- orders


def _lacking(turn: Turn, net: Net) -> dict[AssignmentId, Member]:
    """Return who lacks something here, and waits for no order of its own."""
    assigned = turn.state.strategies.assigned
    return {
        key: member
        for key, member in net.members.items()
        if member.lacking and not assigned[key].orders
    }


def _leads_on(turn: Turn, net: Net, parent: Parent) -> bool:
    """Whether all that is out is still wanted by those who claim it, and by all together."""
    lacking, sign = _lacking(turn, net), parent.spec.side.sign
    for claim in parent.claims:
        member = lacking.get(claim.assignment_id)
        if claim.left and (member is None or sign * member.lacking < claim.left):
            return False
    total = sum(member.lacking for member in lacking.values())
    return sign * total >= parent.quantity - parent.filled


def _trade(turn: Turn, net: Net) -> None:
    net.note, net.is_dust = "", False
    lacking = _lacking(turn, net)
    if not lacking:
        return
    seat = turn.state.seats[net.slot_id]
    instrument = turn.rules.instruments[net.instrument_id]
    why = _closed(turn, seat, instrument)
    if why is not None:
        _wait(turn, net, why)
        return
    handing.cross(turn, net, lacking)
    total = sum(member.lacking for member in lacking.values())
    if total:
        _order(turn, net, (seat, instrument), total)
    elif any(member.lacking for member in lacking.values()):
        _wait(turn, net, f"no price of {instrument.symbol} is young enough")


def _closed(turn: Turn, seat: Seat, instrument: Instrument) -> str | None:
    """Why nothing is done for this net now, neither outside nor inside."""
    refused = taking.closed(turn)
    if refused is None:
        places = destinations.eligible(turn, instrument.symbol, (seat.slot_id,))
        refused = places if isinstance(places, Refused) else None
    if refused is not None:
        return refused.text
    return "objectives close everything" if turn.state.objectives.is_flattening else None


def _order(turn: Turn, net: Net, place: tuple[Seat, Instrument], total: int) -> None:
    """Place one order for what all lack together, as far as it may go."""
    seat, instrument = place
    side = Side.BUY if total > 0 else Side.SELL
    most = order_room.most_at_once(turn, seat, instrument, side)
    quantity = min(abs(total), most)
    price = price_of(turn, instrument)
    if price is None or not quantity:
        _wait(turn, net, f"no price of {instrument.symbol}" if price is None else "nothing is free")
        return
    least = order_room.least_at(instrument, price)
    if quantity < least:
        text = f"{instrument.quantity_text(Lots(quantity))} is less than can be traded"
        net.is_dust = abs(total) < least
        if net.is_dust:
            net.note = f"dust: {text}"
        else:
            _wait(turn, net, text)
        return
    claims = _claims(turn, net, side, quantity)
    spec = ParentSpec(
        symbol=instrument.symbol,
        side=side,
        quantity=Lots(quantity),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        slots=(seat.slot_id,),
        self_trade=_mode(turn, place, side, quantity),
        strategy=claims[0].strategy if len(claims) == 1 else STRATEGY,
    )
    first = turn.state.strategies.assigned[claims[0].assignment_id]
    command_id = CommandId(f"{claims[0].assignment_id}@{first.begin_ns}")
    opened = planning.open_parent(turn, command_id, spec, net.net_id, claims)
    if isinstance(opened, Refused):
        turn.count(f"targets_refused_{opened.reason}")
        _wait(turn, net, opened.text)
        return
    net.parent_id = opened.parent_id
    turn.count("targets_orders")


def _mode(turn: Turn, place: tuple[Seat, Instrument], side: Side, quantity: int) -> SelfTrade:
    """A way out is not stopped by own resting orders; a way in only by those of no strategy."""
    is_exit = account_gate.is_exit(turn, *place, side, quantity)
    goes_first = is_exit or meeting.is_shared(turn, place[1], side)
    return SelfTrade.CANCEL_RESTING if goes_first else SelfTrade.REJECT_NEW


def _claims(turn: Turn, net: Net, side: Side, quantity: int) -> list[Claim]:
    claims = []
    for key, member in _lacking(turn, net).items():
        part = min(quantity, side.sign * member.lacking)
        if part > 0:
            name = turn.state.strategies.assigned[key].assignment.name
            claims.append(Claim(key, name, part))
            quantity -= part
    return claims


def claims_of_exit(
    turn: Turn, slot_id: SlotId, instrument: Instrument, spec: ParentSpec
) -> list[Claim]:
    """Return who holds what an order closes that is not ours: theirs it is then, and wanted so."""
    roster, left = turn.state.strategies, int(spec.quantity)
    net = roster.nets.get(net_id(slot_id, instrument.instrument_id))
    claims = []
    for key, member in net.members.items() if net is not None else ():
        part = min(left, -spec.side.sign * member.held)
        if part > 0:
            name = roster.assigned[key].assignment.name
            claims.append(Claim(key, name, part, is_order=True))
            left -= part
    return claims


# -- waiting


def _learn(turn: Turn, net: Net, parent: Parent) -> None:
    """Wait with the next order when this one came to nothing: longer each time it is refused.

    A venue that is closed, or an account without funds, says the same for hours.
    """
    if parent.filled:
        net.refusals = 0
        return
    after_ns = RETRY_NS
    if parent.refused_slots:
        net.note = parent.text
        after_ns = RETRY_NS << net.refusals
        net.refusals = min(REFUSALS_MAX, net.refusals + 1)
    net.retry_at_ns = turn.now_ns + after_ns


def _wait(turn: Turn, net: Net, why: str) -> None:
    net.note = why
    net.retry_at_ns = turn.now_ns + RETRY_NS


def _look_in(turn: Turn, net: Net) -> None:
    """Come back to try again, and when what is wanted is too old."""
    moments = []
    lacking = _lacking(turn, net)
    if lacking and net.parent_id is None and not net.is_dust:
        moments.append(max(turn.now_ns + 1, net.retry_at_ns))
    for key in lacking:
        one = turn.state.strategies.assigned[key]
        if not net.is_dust and not _is_exit(turn, one, net):
            left_ns = min(_good_until_ns(one) + 1 - turn.now.market_ns, LOOK_NS_MAX)
            moments.append(turn.now_ns + turn.rules.life_ns(max(1, left_ns)))
    if moments:
        due_ns = min(moments)
        if not turn.now_ns < net.alarm_ns <= due_ns:
            net.alarm_ns = due_ns
            turn.wait(Alarm.NET, net.net_id, after_ns=due_ns - turn.now_ns)


def _tidy(turn: Turn, net: Net) -> None:
    """Forget who wants and holds nothing here any more.

    Not what a person canceled, nor that orders were refused: it may be wanted again.
    """
    roster = turn.state.strategies
    for key, member in list(net.members.items()):
        one = roster.assigned[key]
        if member.wanted or member.held or member.is_canceled:
            continue
        if net.refusals and not _is_exit(turn, one, net):
            continue
        if not one.orders and not is_claimed(turn, net, key):
            del net.members[key], one.nets[net.net_id]
            remove_left(roster, one)
    if not net.members and net.parent_id is None:
        del roster.nets[net.net_id]


def is_claimed(turn: Turn, net: Net, key: AssignmentId) -> bool:
    """Return whether something that is out is for this assignment."""
    parent = turn.state.parents.get(net.parent_id) if net.parent_id is not None else None
    claims = parent.claims if parent is not None else ()
    return any(one.assignment_id == key and one.left for one in claims)
