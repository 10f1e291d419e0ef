"""What an ended attempt left, and whether it is tried again."""

from tandem.core.trading.state import Attempt, Ending, Piece
from tandem.core.trading.turn import Turn
from tandem.domain.order import TimeInForce

AS_MEANT = (Ending.FILLED, Ending.EXPIRED, Ending.RESOLVED)
AT_ONCE = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


def hand_back(turn: Turn, attempt: Attempt) -> None:
    """Give what an ended attempt left back to its parent, unless it ended as it was meant to."""
    parent = turn.parent(attempt)
    assert attempt.final_cum is not None, f"{attempt.order.client_order_id} has not ended"
    left = attempt.order.quantity - attempt.final_cum
    if left <= 0 or parent.cancel_wanted or attempt.cancel_wanted:
        return
    if attempt.ending in AS_MEANT:
        return
    at_once = parent.spec.time_in_force in AT_ONCE or parent.spec.limit_price is None
    if attempt.ending is Ending.CANCELED and at_once:
        return
    if attempt.ending is Ending.REFUSED and not attempt.text.startswith("expired_request"):
        if attempt.slot_id not in parent.refused_slots:
            parent.refused_slots.append(attempt.slot_id)
        parent.text = attempt.text
    if not parent.pieces:
        parent.deadline_ns = turn.now_ns + turn.rules.timings.retry_ns
    parent.pieces.append(Piece(attempt.child, left))
