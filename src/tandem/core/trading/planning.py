"""From a parent to attempts, and on until the parent is done.

Right at every moment: `done_quantity + allocated <= quantity`. A quantity is given to a new
attempt only after the attempt that had it is final, and only what the venue's final word left.
"""

from collections.abc import Sequence
from itertools import islice

from tandem.core.trading import (
    attempts,
    books,
    claims,
    destinations,
    lowering,
    meeting,
    releasing,
    sharing,
    terms,
)
from tandem.core.trading.books import Share
from tandem.core.trading.state import (
    Attempt,
    Child,
    Ending,
    Hop,
    Outcome,
    Parent,
    ParentPhase,
    Piece,
)
from tandem.core.trading.target_state import Claim
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import ClientOrderId, CommandId, Lots, ParentId
from tandem.domain.instrument import Instrument
from tandem.domain.order import Order
from tandem.domain.parents import ParentSpec, SelfTrade, Split

RETRY_NS = 250_000_000

# Finding a member of an enum costs more than comparing it, and these are asked for every order.
_CLEARING, _WORKING, _DONE = ParentPhase


def new_order_id(turn: Turn) -> ParentId:
    """Return the next id of a parent, pair or two-sided quote."""
    assert turn.state.settings is not None
    number = turn.state.next_order
    turn.state.next_order += 1
    return ParentId(f"{turn.state.settings.desk_id}-{number}")


def open_parent(
    turn: Turn,
    command_id: CommandId,
    spec: ParentSpec,
    owner: ParentId | None = None,
    trades_for: Sequence[Claim] = (),
) -> Parent | Refused:
    """Take a parent order: check it whole, split, reserve, and release it if all are ready.

    Nothing has changed when it is refused. `trades_for` are the strategies that it is for.
    """
    text = terms.objection(spec, market_ns=turn.now.market_ns)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    places = destinations.eligible(turn, spec.symbol, spec.slots)
    if isinstance(places, Refused):
        return places
    shares = sharing.shares_of(turn, spec, places)
    if isinstance(shares, Refused):
        return shares
    refused = _first_objection(turn, spec, shares)
    if refused is not None:
        return refused
    instrument = places[0][1]
    is_met = _met(turn, spec, instrument) is not None
    netted = meeting.to_net(turn, spec, shares) if is_met else None
    refused = meeting.refusal(turn, spec, instrument, netted) if is_met else None
    if refused is not None:
        _note_refusal(turn, refused, spec, instrument, (command_id, owner))
        return refused
    parent = Parent(
        parent_id=new_order_id(turn),
        command_id=command_id,
        spec=spec,
        quantity=sum([quantity for _, _, quantity in shares]),
        slots=[seat.slot_id for seat, _ in places],
        children=[Child(seat.slot_id, quantity) for seat, _, quantity in shares],
        began_ns=turn.now_ns,
        owner=owner,
        claims=list(trades_for),
    )
    turn.state.parents[parent.parent_id] = parent
    turn.state.working[parent.parent_id] = None
    if is_met and netted is None:
        _start_clearing(turn, parent, instrument)
    else:
        if netted is not None:
            meeting.net(turn, parent, netted)
            shares = [
                sharing.share_of(turn, parent, one.slot_id, one.quantity) for one in parent.children
            ]
        # Reserved at once: what is decided next in this event must see it.
        _plan_first_wave(turn, parent, shares)
    turn.touch(parent.parent_id)
    return parent


def _note_refusal(
    turn: Turn,
    refused: Refused,
    spec: ParentSpec,
    instrument: Instrument,
    asked_by: tuple[CommandId, ParentId | None],
) -> None:
    meeting.record(turn, refused, spec, instrument, asked_by)
    if spec.self_trade is SelfTrade.CANCEL_BOTH and refused.met in turn.state.attempts:
        _cancel_met(turn, spec, instrument, f"it stood in the way of {asked_by[0]}")


def _first_objection(turn: Turn, spec: ParentSpec, shares: list[Share]) -> Refused | None:
    if not shares:
        text = f"nothing of {spec.symbol} can be split over {len(spec.slots)} slots by their funds"
        return Refused(reason=RefusalReason.FUNDS, text=text)
    for share in shares:
        lack = books.lacking(turn, spec, share)
        if lack is not None:
            return Refused(reason=RefusalReason.FUNDS, text=lack)
    breach = books.first_breach_of(turn, spec, shares)
    if breach is not None:
        turn.count(f"refused_risk_{breach}")
        return Refused(reason=RefusalReason.RISK, text=breach)
    return None


def _met(turn: Turn, spec: ParentSpec, instrument: Instrument) -> ClientOrderId | None:
    return turn.state.gate.first_met(instrument.book_id, spec.side, spec.limit_price)


def _start_clearing(turn: Turn, parent: Parent, instrument: Instrument) -> None:
    """Cancel the parents whose orders stand in the way; nothing is reserved before they are gone.

    The whole parent, not the one order: it would only send what was canceled again. To decrement,
    and of strategies for strategies, the orders alone: what is left of them is to be sent again.
    """
    parent.phase = ParentPhase.CLEARING
    parent.pieces = [Piece(at, child.quantity) for at, child in enumerate(parent.children)]
    turn.state.clearing[parent.parent_id] = None
    parent.deadline_ns = turn.now_ns + turn.rules.timings.clear_ns
    turn.wait(Alarm.PARENT, parent.parent_id, after_ns=turn.rules.timings.clear_ns)
    turn.count("clearings")
    if parent.spec.self_trade is not SelfTrade.DECREMENT:
        _cancel_met(turn, parent.spec, instrument, "in the way", is_shared=bool(parent.claims))
    _make_way(turn, parent, instrument)


def _make_way(turn: Turn, parent: Parent, instrument: Instrument) -> None:
    """Let orders go out of the way that come back afterwards."""
    if parent.spec.self_trade is SelfTrade.DECREMENT:
        meeting.let_yield(turn, parent, instrument)
    elif parent.claims:
        meeting.take_back(turn, parent, instrument)


def _cancel_met(
    turn: Turn, spec: ParentSpec, instrument: Instrument, why: str, *, is_shared: bool = False
) -> None:
    """Cancel what stands in the way; if `is_shared`, not what strategies wait for."""
    gate = turn.state.gate
    for client_order_id in gate.all_met(instrument.book_id, spec.side, spec.limit_price):
        other = turn.parent(turn.state.attempts[client_order_id])
        if not (is_shared and other.claims):
            cancel_parent(turn, other, why)


def open_parents(turn: Turn) -> list[ParentId]:
    """Return the parents that are not done, oldest first."""
    return list(turn.state.working)


def cancel_parent(turn: Turn, parent: Parent, why: str) -> None:
    """End a parent: nothing new of it goes out, and what is out is canceled."""
    if parent.phase is ParentPhase.DONE or parent.cancel_wanted:
        return
    parent.cancel_wanted = True
    parent.text = why
    parent.pieces.clear()
    for client_order_id in parent.attempts:
        attempts.cancel(turn, turn.state.attempts[client_order_id])
    turn.touch(parent.parent_id)


def advance(turn: Turn, parent: Parent) -> None:
    """Let a parent do what it can: clear, plan, release, try again, end."""
    if parent.phase is _DONE:
        return
    if parent.spec.good_till_ns is not None:
        _mind_date(turn, parent)
    if parent.replacement is not None:
        _change(turn, parent)
    if parent.phase is _CLEARING:
        shares = _cleared(turn, parent)
        if shares is None:
            return
        _plan_first_wave(turn, parent, shares)
    if parent.pieces and parent.replacement is None:
        _plan_pieces(turn, parent)
    if parent.planned:
        releasing.try_release(turn, parent)
    if parent.allocated == 0 and not parent.pieces and _all_seen(turn, parent):
        _end(turn, parent)


def _change(turn: Turn, parent: Parent) -> None:
    """Let a parent that is being replaced come nearer to what it is to be."""
    to = parent.replacement
    assert to is not None, f"{parent.parent_id} is not being replaced"
    if parent.cancel_wanted:
        parent.replacement = None
    elif not to.is_anew:
        lowering.go_on(turn, parent)
    elif not parent.allocated:  # every venue has said its final word
        parent.replacement = None
        if parent.phase is _CLEARING:
            parent.phase = ParentPhase.WORKING
            del turn.state.clearing[parent.parent_id]
        parent.pieces.clear()
        parent.refused_slots.clear()
        gone = lowering.committed(parent)
        parent.quantity = max(to.quantity, gone)
        parent.spec = to.applied(parent.spec, Lots(parent.quantity))
        parent.text = "replaced"
        if parent.quantity > gone:
            _place_anew(turn, parent, parent.quantity - gone)


def _place_anew(turn: Turn, parent: Parent, left: int) -> None:
    """Send what is left of a replaced parent like a new order: through both gates once more."""
    spec = parent.spec
    shares = sharing.share_again(turn, parent, left)
    if spec.reduce_only:
        parent.quantity -= left - sum(one[2] for one in shares)
    instrument = shares[0][1]
    if _met(turn, spec, instrument) is not None:
        refused = meeting.refusal(turn, spec, instrument, None)
        if refused is None:
            _start_clearing(turn, parent, instrument)
            return
        _note_refusal(turn, refused, spec, instrument, (parent.command_id, parent.owner))
    else:
        refused = _objection_to(turn, parent, shares)
    if refused is not None:
        turn.count("replaces_refused")
        parent.text = f"replaced, but {refused.text}"
        return
    turn.count("replaces_done")
    _plan_first_wave(turn, parent, shares)


def _objection_to(turn: Turn, parent: Parent, shares: list[Share]) -> Refused | None:
    wanted = [one for one in shares if one[2]]
    if not wanted:
        return sharing.flat(parent.spec)
    return _first_objection(turn, parent.spec, wanted)


def _mind_date(turn: Turn, parent: Parent) -> None:
    """Send nothing after its date, and cancel what its venue does not end by itself."""
    if parent.cancel_wanted:
        return  # it ends already, and an alarm would ring for nothing, again and again
    over_ns = terms.over_ns(parent.spec, turn.now.market_ns)
    assert over_ns is not None, f"{parent.parent_id} has no date"
    if over_ns >= 0:
        parent.text = terms.OVER
        if over_ns >= terms.GRACE_NS or parent.phase is _CLEARING:
            cancel_parent(turn, parent, terms.OVER)
            return
        parent.pieces.clear()
        for attempt in releasing.planned_of(turn, parent) if parent.planned else ():
            attempts.finish(turn, attempt, Ending.WITHDRAWN, 0)
    if parent.date_alarm_ns is None or parent.date_alarm_ns <= turn.now_ns:
        left_ns = -over_ns if over_ns < 0 else terms.GRACE_NS - over_ns
        after_ns = max(1, turn.rules.life_ns(left_ns))
        parent.date_alarm_ns = turn.now_ns + after_ns
        turn.wait(Alarm.PARENT, parent.parent_id, after_ns=after_ns)


def _cleared(turn: Turn, parent: Parent) -> list[Share] | None:
    """Return what is to be planned now, which may be nothing; None while orders are in the way."""
    shares = [sharing.share_of(turn, parent, one.slot_id, one.quantity) for one in parent.children]
    instrument = shares[0][1]
    left = parent.quantity - parent.prevented - parent.done_quantity
    is_over = parent.cancel_wanted or not left
    if not is_over and _met(turn, parent.spec, instrument) is not None:
        if turn.now_ns < parent.deadline_ns:
            _make_way(turn, parent, instrument)
            return None
        parent.cancel_wanted = is_over = True
        parent.text = "own orders in the way could not be canceled in time"
        turn.count("clearings_failed")
    parent.phase = ParentPhase.WORKING
    parent.pieces.clear()
    del turn.state.clearing[parent.parent_id]
    if is_over:
        return []
    if parent.prevented:
        shares = sharing.share_again(turn, parent, left)
    objection = _objection_to(turn, parent, shares)
    if objection is not None:
        # What it was checked against when it was taken has changed meanwhile.
        parent.text = objection.text
        return []
    return shares


def _plan_first_wave(turn: Turn, parent: Parent, shares: list[Share]) -> None:
    """Plan all of it, ready or not: its release waits for all together."""
    parent.deadline_ns = turn.now_ns + turn.rules.timings.ready_ns
    for at, share in enumerate(shares):
        if share[2]:  # else all of it was netted, or there is nothing to reduce
            _plan(turn, parent, at, share)


def _plan_pieces(turn: Turn, parent: Parent) -> None:
    """Make an attempt of every piece that a slot can take now; the others wait, or are dropped."""
    late = turn.now_ns >= parent.deadline_ns or _is_refused(turn, parent)
    pieces, parent.pieces = parent.pieces, []
    if pieces and meeting.stands_aside(turn, parent):
        parent.pieces = pieces  # the time for a slot to take it begins when it may come back
        parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
        pieces = []
    for piece in pieces:
        placed = _place_again(turn, parent, piece)
        if not placed and not late:
            parent.pieces.append(piece)
        elif not placed:
            turn.count("pieces_dropped")
            parent.text = parent.text or "no slot could take what was left"
    is_arranged = parent.retry_at_ns is not None and parent.retry_at_ns > turn.now_ns
    if parent.pieces and not is_arranged:
        parent.retry_at_ns = turn.now_ns + RETRY_NS
        turn.wait(Alarm.PARENT, parent.parent_id, after_ns=RETRY_NS)


def _is_refused(turn: Turn, parent: Parent) -> bool:
    """Whether no slot takes it, and strategies want it, who ask anew as long as they want it."""
    is_refused = len(parent.refused_slots) == len(parent.slots)
    return is_refused and parent.owner in turn.state.strategies.nets


def _place_again(turn: Turn, parent: Parent, piece: Piece) -> bool:
    child = parent.children[piece.child]
    share = sharing.share_of(turn, parent, child.slot_id, piece.quantity)
    if _met(turn, parent.spec, share[1]) is not None:
        turn.count("retries_held_by_gate")
        return False
    tries_left = child.attempts - child.yielded < turn.rules.settings.attempts_max
    if tries_left and _can_take(turn, parent, share):
        _plan(turn, parent, piece.child, share)
        turn.count("attempts_again")
        return True
    moves_max = turn.rules.settings.attempts_max * len(parent.slots)
    if parent.spec.split is Split.EACH or parent.moves >= moves_max:
        return False
    for slot_id in parent.slots:
        share = sharing.share_of(turn, parent, slot_id, piece.quantity)
        if slot_id != child.slot_id and _can_take(turn, parent, share):
            parent.moves += 1
            turn.count("pieces_moved")
            child.quantity -= piece.quantity
            parent.children.append(Child(slot_id, share[2]))
            _plan(turn, parent, len(parent.children) - 1, share)
            return True
    return False


def _can_take(turn: Turn, parent: Parent, share: Share) -> bool:
    seat, instrument, quantity = share
    if not quantity or seat.slot_id in parent.refused_slots or not turn.is_ready(seat):
        return False
    if instrument.instrument_id in seat.blocked or turn.state.short_of_room:
        return False
    if books.lacking(turn, parent.spec, share) is not None:
        return False
    return books.first_breach_of(turn, parent.spec, [share]) is None


def _plan(turn: Turn, parent: Parent, child_at: int, share: Share) -> None:
    """Reserve price and buying power for a new attempt; it counts from now on."""
    seat, instrument, quantity = share
    child, spec = parent.children[child_at], parent.spec
    child.attempts += 1
    # The market was there: what is left must not wait for it again.
    is_triggered = parent.filled > 0 or parent.done_quantity > 0
    client_order_id = ClientOrderId(f"{parent.parent_id}-{child_at + 1}-{child.attempts}")
    order = Order(
        client_order_id=client_order_id,
        instrument_id=instrument.instrument_id,
        side=spec.side,
        quantity=Lots(quantity),
        limit_price=spec.limit_price,
        time_in_force=spec.time_in_force,
        post_only=spec.post_only,
        stop_price=None if is_triggered else spec.stop_price,
        trail=None if is_triggered else spec.trail,
        good_till_ns=spec.good_till_ns,
        reduce_only=spec.reduce_only,
    )
    attempt = Attempt(
        order=order,
        parent_id=parent.parent_id,
        child=child_at,
        number=child.attempts,
        slot_id=seat.slot_id,
        book_id=instrument.book_id,
        hops=[Hop("planned", turn.now_ns)],
    )
    turn.state.attempts[client_order_id] = attempt
    seat.open[client_order_id] = None
    parent.attempts.append(client_order_id)
    parent.planned += 1
    parent.allocated += quantity
    assert parent.done_quantity + parent.allocated <= parent.quantity, (
        f"{parent.parent_id}: {parent.done_quantity} + {parent.allocated} of {parent.quantity}"
    )
    books.reserve(turn, attempt, seat, instrument)


def _all_seen(turn: Turn, parent: Parent) -> bool:
    """Whether every execution that the venue counted has come, or was waited for long enough."""
    known = turn.state.attempts
    for client_order_id in parent.attempts:
        if known[client_order_id].missing:
            break
    else:
        return True
    if turn.now_ns < parent.deadline_ns:
        return False
    parent.text = "the venue counts more executions than it told"
    turn.count("parents_without_executions")
    return True


def _end(turn: Turn, parent: Parent) -> None:
    parent.phase = _DONE
    parent.ended_ns = turn.now_ns
    if parent.done_quantity >= parent.quantity:
        parent.outcome = Outcome.FILLED
    elif parent.done_quantity + parent.prevented + parent.netted >= parent.quantity:
        parent.outcome = Outcome.NETTED if parent.netted else Outcome.PREVENTED
    elif parent.cancel_wanted:
        parent.outcome = Outcome.CANCELED
    elif parent.done_quantity == 0 and parent.refused_slots:
        parent.outcome = Outcome.REFUSED
    else:
        parent.outcome = Outcome.INCOMPLETE
    turn.count("parents_" + parent.outcome)
    turn.state.finished.append(parent.parent_id)
    del turn.state.working[parent.parent_id]
    if parent.owner is not None:
        turn.touch(parent.owner)
    elif parent.claims:
        claims.order_ended(turn, parent.claims[0].assignment_id, parent.parent_id)


def forget_old(turn: Turn) -> None:
    """Finished parents are kept for late news and questions, but not for ever.

    To be called when nothing moves any more: the owners of what has ended have counted it.
    Several at a time, because what is taken from the front of a list moves all that stay.
    """
    state, kept = turn.state, turn.rules.settings.finished_max
    surplus = len(state.finished) - kept
    if surplus <= kept // 16:
        return
    for key in islice(state.finished, surplus):
        for client_order_id in state.parents.pop(key).attempts:
            attempt = state.attempts.pop(client_order_id)
            if attempt.final_cum != attempt.cum_quantity:  # it may still have been looked for
                state.seats[attempt.slot_id].open.pop(client_order_id, None)
    del state.finished[:surplus]
