"""A parent that is being lowered: what of it goes where, until every venue has obeyed.

Right at every moment: the parent's quantity is at least what has traded, what is out, what waits
and what was prevented. It falls with the venues' words and reaches what was asked for, or as far
down as had not traded by then. Meanwhile nothing of it is tried again, so what one venue refuses
to give up can still be taken from what waits, or from the attempts that are left.
"""

from tandem.core.trading import amending, attempts
from tandem.core.trading.splitting import apportion
from tandem.core.trading.state import Attempt, Ending, Parent, Phase, Piece
from tandem.core.trading.turn import Turn
from tandem.domain.ids import Lots


def committed(parent: Parent) -> int:
    """Return what the parent cannot be below: traded, out, waiting, or taken off."""
    waiting = sum(one.quantity for one in parent.pieces)
    off = parent.prevented + parent.netted
    return parent.done_quantity + parent.allocated + waiting + off


def settled(turn: Turn, parent: Parent) -> int:
    """Return what has traded or was taken off, as far as is known now."""
    known = (turn.state.attempts[one] for one in parent.attempts)
    live = sum(one.cum_quantity for one in known if not one.is_final)
    return parent.done_quantity + live + parent.prevented + parent.netted


def go_on(turn: Turn, parent: Parent) -> None:
    """Take off what is too much where that can be done now, and end when nothing more can be."""
    to = parent.replacement
    assert to is not None, f"{parent.parent_id} is not being lowered"
    open_ones = [turn.state.attempts[one] for one in parent.attempts]
    open_ones = [one for one in open_ones if not one.is_final]
    under_way = sum(_under_way(one) for one in open_ones)
    more = committed(parent) - to.quantity - under_way
    if more > 0:
        more -= _take_waiting(turn, parent, more)
    if more > 0:
        more -= _take_out(turn, open_ones, more)
    left = committed(parent)
    parent.quantity = max(to.quantity, left)
    if left > to.quantity and not all(one.is_final for one in open_ones):
        return
    parent.replacement = None
    parent.spec = to.applied(parent.spec, Lots(parent.quantity))
    if left > to.quantity:
        turn.count("replaces_too_late")
        parent.text = "more had traded than it was to be lowered to"
    else:
        turn.count("replaces_done")
        parent.text = "lowered"


def _under_way(attempt: Attempt) -> int:
    """Return what the venue was asked to take off it, and has not confirmed."""
    if attempt.cancel_wanted:
        return attempt.order.quantity - attempt.cum_quantity
    if attempt.wanted_quantity is None:
        return 0
    return attempt.order.quantity - attempt.wanted_quantity


def _take_waiting(turn: Turn, parent: Parent, more: int) -> int:
    """Take off what nobody was told of yet; return how much."""
    taken = 0
    kept = []
    for piece in parent.pieces:
        lots = min(piece.quantity, more - taken)
        taken += lots
        if lots < piece.quantity:
            kept.append(Piece(piece.child, piece.quantity - lots))
    parent.pieces = kept
    for client_order_id in parent.attempts:
        attempt = turn.state.attempts[client_order_id]
        if attempt.phase is Phase.PLANNED and taken < more:
            lots = min(attempt.order.quantity, more - taken)
            taken += lots
            take_planned(turn, attempt, lots)
    return taken


def take_planned(turn: Turn, attempt: Attempt, lots: int) -> None:
    """Take so much off an attempt that has not left; with all of it, it never does."""
    if lots == attempt.order.quantity:
        attempt.cancel_wanted = True  # it is not tried again
        attempts.finish(turn, attempt, Ending.WITHDRAWN, 0)
    else:
        amending.lower(turn, attempt, attempt.order.quantity - lots)


def _take_out(turn: Turn, open_ones: list[Attempt], more: int) -> int:
    """Ask for so much less of what is out, of each alike; return how much was asked for."""
    free = [
        one
        for one in open_ones
        if not (one.is_final or one.cancel_wanted) and one.wanted_quantity is None
    ]
    leaves = [max(0, one.order.quantity - one.cum_quantity) for one in free]
    asked = min(more, sum(leaves))
    for attempt, lots in zip(free, apportion(asked, leaves), strict=True):
        if lots:
            _take_from(turn, attempt, lots)
    return asked


def _take_from(turn: Turn, attempt: Attempt, lots: int) -> None:
    target = attempt.order.quantity - lots
    if target <= attempt.cum_quantity:
        attempts.cancel(turn, attempt)
    elif amending.may_want(attempt):
        attempt.wanted_quantity = target
        attempt.amend_sends = 0
        attempts.note(turn, attempt, f"{attempts.LOWERING}{target}")
        if attempt.phase is Phase.LIVE:  # else when its venue is known to have it
            amending.ask(turn, attempt)
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
    else:
        attempts.cancel_and_remake(turn, attempt)
