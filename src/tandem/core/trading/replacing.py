"""Replacing a plain order: another quantity, another limit price, or both.

A lower quantity at the same price is taken off where the order is, and keeps its place in the
queue (`lowering`). Everything else is another order: the old one is canceled, and only after the
venues' final word on all of it goes what is left out by the new words, through both gates. So at
no moment can old and new together trade more than the larger of the two quantities.
"""

from typing import Final

from tandem.core.trading import attempts, books, destinations, lowering, meeting, terms
from tandem.core.trading.books import Share
from tandem.core.trading.replacement import Replacement
from tandem.core.trading.risk import RiskBreach
from tandem.core.trading.splitting import apportion
from tandem.core.trading.state import Parent, ParentPhase
from tandem.core.trading.turn import Turn
from tandem.domain.commands import Answer, Done, RefusalReason, Refused, ReplaceOrder
from tandem.domain.ids import Lots
from tandem.domain.instrument import Instrument
from tandem.domain.parents import ParentSpec, Split

_OF_ITS_SIZE: Final = (RiskBreach.NOTIONAL, RiskBreach.QUANTITY)


def replace(turn: Turn, parent: Parent, command: ReplaceOrder, closed: Refused | None) -> Answer:
    """Change the order as asked; refused, it stays as it is.

    `closed` is why nothing new may be sent now; to lower an order is not new.
    """
    text = _objection(turn, parent, command)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    spec = parent.spec
    to = Replacement(
        quantity=Lots(parent.quantity) if command.quantity is None else command.quantity,
        limit_price=spec.limit_price if command.limit_price is None else command.limit_price,
        is_anew=parent.phase is ParentPhase.CLEARING,
    )
    moves = to.limit_price != spec.limit_price
    earlier = parent.replacement
    is_as_it_is = to.quantity == parent.quantity and not moves
    if is_as_it_is and earlier is None:
        return Done(text=f"{parent.parent_id} is so already")
    if moves or to.quantity > parent.quantity:
        to.is_anew = True
        refused = closed or _refusal(turn, parent, to)
        if refused is not None:
            return refused
    if earlier is not None and (to.is_anew or earlier.is_anew or to.quantity > earlier.quantity):
        text = f"{parent.parent_id} is being replaced: only to lower it further needs no waiting"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    return _begin(turn, parent, to)


def _begin(turn: Turn, parent: Parent, to: Replacement) -> Answer:
    parent.replacement = to
    turn.touch(parent.parent_id)
    if not to.is_anew:
        turn.count("replaces_lowering")
        parent.text = "being lowered"
        return Done(text=f"{parent.parent_id} is being lowered; it keeps its place in the queue")
    turn.count("replaces_anew")
    parent.text = "being replaced"
    parent.pieces.clear()
    for client_order_id in parent.attempts:
        attempts.cancel(turn, turn.state.attempts[client_order_id])
    text = "is canceled and placed anew; it loses its place in the queue"
    return Done(text=f"{parent.parent_id} {text}")


def _objection(turn: Turn, parent: Parent, command: ReplaceOrder) -> str | None:
    key, spec, price = parent.parent_id, parent.spec, command.limit_price
    if command.quantity is None and price is None:
        return "nothing to change: expected a quantity, a limit price or both"
    if parent.phase is ParentPhase.DONE:
        return f"{key} has ended"
    if parent.cancel_wanted:
        return f"{key} is being canceled"
    if parent.owner is not None:
        return f"{key} is a part of {parent.owner}: replace that"
    if spec.split is Split.EACH:
        return f"{key} gives every account the whole: cancel it, and place another"
    if price is not None and spec.limit_price is None:
        return f"{key} has no limit price that could be moved"
    quantity = parent.quantity if command.quantity is None else command.quantity
    if quantity < (traded := lowering.settled(turn, parent)):
        instrument = _instrument(turn, parent)
        wanted, gone = (instrument.quantity_text(Lots(one)) for one in (quantity, traded))
        return f"{key}: {gone} have traded, so it cannot be lowered to {wanted}"
    return None


def _refusal(turn: Turn, parent: Parent, to: Replacement) -> Refused | None:
    """Return why the order could not be placed anew, as far as that can be known before."""
    spec: ParentSpec = to.applied(parent.spec, to.quantity)
    text = terms.objection(spec, market_ns=turn.now.market_ns)
    if text is not None:
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    instrument = _instrument(turn, parent)
    gate = turn.state.gate
    if gate.first_met(instrument.book_id, spec.side, spec.limit_price) is not None:
        refused = meeting.refusal(turn, spec, instrument, None)
        if refused is not None:
            meeting.record(turn, refused, spec, instrument, (parent.command_id, parent.owner))
            return refused
    breach = _breach(turn, parent, to, spec)
    if breach is not None:
        turn.count(f"refused_risk_{breach}")
        return Refused(reason=RefusalReason.RISK, text=breach)
    return None


def _breach(turn: Turn, parent: Parent, to: Replacement, spec: ParentSpec) -> str | None:
    """Return the limit that would be broken.

    What is out is counted by the gate already, and given back before the new goes out. So of sums
    only what comes to them is judged, and of one order's size all that will be left of it.
    """
    more = max(1, to.quantity - parent.quantity)
    breach = books.first_breach_of(turn, spec, _alike(turn, parent, more))
    if breach is not None:
        return breach
    left = max(1, to.quantity - lowering.settled(turn, parent))
    breach = books.first_breach_of(turn, spec, _alike(turn, parent, left))
    return breach if breach in _OF_ITS_SIZE else None


def _alike(turn: Turn, parent: Parent, quantity: int) -> list[Share]:
    listed, slots = turn.rules.listed, parent.slots
    seats = [turn.state.seats[one] for one in slots]
    return [
        (seat, listed[parent.spec.symbol, seat.venue_id], lots)
        for seat, lots in zip(seats, apportion(quantity, [1] * len(slots)), strict=True)
        if lots
    ]


def _instrument(turn: Turn, parent: Parent) -> Instrument:
    found = destinations.listed_at(turn, parent.spec.symbol, tuple(parent.slots))
    assert found is not None, f"{parent.spec.symbol} was listed when {parent.parent_id} was taken"
    return found
