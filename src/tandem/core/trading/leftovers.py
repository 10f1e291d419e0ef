"""What an ended attempt left, and whether it is tried again.

Right at every moment: `done_quantity + allocated + pieces <= quantity`. What traded after an
attempt's end comes first out of what waits to be tried again; only when nothing waits any more
has the venue traded more than was ordered.
"""

from tandem.core.trading import books
from tandem.core.trading.state import Attempt, Ending, Parent, ParentPhase, Piece
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.order import TimeInForce

AS_MEANT = (Ending.FILLED, Ending.EXPIRED, Ending.RESOLVED)
AT_ONCE = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


def hand_back(turn: Turn, attempt: Attempt) -> None:
    """Give what an ended attempt left back to its parent, unless it ended as it was meant to."""
    parent = turn.parent(attempt)
    assert attempt.final_cum is not None, f"{attempt.order.client_order_id} has not ended"
    left = attempt.order.quantity - attempt.final_cum
    goes_on = attempt.yields_to is not None or attempt.is_remade
    if parent.cancel_wanted or (attempt.cancel_wanted and not goes_on):
        return
    if attempt.ending in AS_MEANT:
        return
    # A stop that was canceled before it traded still has to protect.
    is_waiting = attempt.order.stop_price is not None and attempt.final_cum == 0
    is_market = parent.spec.limit_price is None and not is_waiting
    at_once = parent.spec.time_in_force in AT_ONCE or is_market
    if attempt.ending is Ending.CANCELED and at_once:
        return
    if attempt.is_remade:
        parent.children[attempt.child].yielded += 1
    elif attempt.yields_to is not None:
        left -= _decrement(turn, attempt, parent, left)
        if not left:
            return
    if attempt.ending is Ending.REFUSED and not attempt.text.startswith("expired_request"):
        if attempt.slot_id not in parent.refused_slots:
            parent.refused_slots.append(attempt.slot_id)
        parent.text = attempt.text
    if not parent.pieces:
        parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
    parent.pieces.append(Piece(attempt.child, left))


def _decrement(turn: Turn, attempt: Attempt, parent: Parent, left: int) -> int:
    """Let an ended attempt and the order that it stood in the way of both lose the smaller rest.

    What the newer one has lost, or no longer asks for, is tried again where it was.
    """
    parent.children[attempt.child].yielded += 1
    newer = turn.state.parents.get(attempt.yields_to) if attempt.yields_to is not None else None
    if newer is None or newer.phase is not ParentPhase.CLEARING or newer.cancel_wanted:
        return 0
    lots = min(left, newer.quantity - newer.prevented - newer.done_quantity)
    newer.prevented += lots
    parent.prevented += lots
    turn.count("decrements")
    return lots


def count_traded(turn: Turn, attempt: Attempt, lots: int) -> None:
    """Count what the venue's word adds to what has traded for good."""
    parent = turn.state.parents[attempt.parent_id]
    parent.done_quantity += lots
    if parent.pieces:
        _trim(parent)
    assert attempt.final_cum is not None, f"{attempt.order.client_order_id} has not ended"
    is_child_over = attempt.final_cum > attempt.order.quantity
    if is_child_over or parent.done_quantity + parent.allocated > parent.quantity:
        books.overfilled(turn, attempt, parent)


def _trim(parent: Parent) -> None:
    gone = parent.prevented + parent.netted
    room = max(0, parent.quantity - parent.done_quantity - parent.allocated - gone)
    kept = []
    for piece in parent.pieces:
        lots = min(piece.quantity, room)
        room -= lots
        if lots:
            kept.append(Piece(piece.child, lots))
    parent.pieces = kept


def await_executions(turn: Turn, attempt: Attempt) -> None:
    """Let the parent wait for executions that the venue counted and nobody told; not for ever."""
    parent = turn.parent(attempt)
    turn.count("fills_missing_at_end")
    parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
    turn.wait(Alarm.PARENT, parent.parent_id, after_ns=turn.rules.timings.retry_ns)


def wake_waiting(turn: Turn, attempt: Attempt) -> None:
    """Let the parents move whose way this attempt was in; there may be many that wait."""
    order, state = attempt.order, turn.state
    symbol, price, sign = turn.instrument(attempt).symbol, order.limit_price, order.side.sign
    for key in state.clearing:
        spec = state.parents[key].spec
        if spec.side is order.side or spec.symbol != symbol:
            continue
        limit = spec.limit_price
        if limit is None or price is None or (price - limit) * sign >= 0:
            turn.touch(key)
