"""Lowering an order where it is, so that it keeps its place in the queue.

Why an amendment happens once, however often it is asked for (docs/protocol.md, "Replacing"): what
is asked is the whole quantity, not a difference, and an attempt has one target at a time. A next
one is only given when the last was sent once and the venue has obeyed it: then no copy of it is
under way any more that could come later and raise the order again. Else the attempt is canceled,
and what is left of it placed anew.

Until the venue says that it has obeyed, an attempt counts with all that it had.
"""

import msgspec

from tandem.core.trading import books
from tandem.core.trading.state import Attempt
from tandem.core.trading.turn import Turn
from tandem.domain.ids import Lots
from tandem.domain.link import Amend


def may_want(attempt: Attempt) -> bool:
    """Whether the attempt can be given a target: no copy of an earlier one is under way."""
    return attempt.wanted_quantity is None and attempt.amend_sends <= 1


def ask(turn: Turn, attempt: Attempt) -> None:
    """Ask the venue to lower the attempt to its target, if somebody is there to take it."""
    assert attempt.wanted_quantity is not None, f"{attempt.order.client_order_id} has no target"
    seat = turn.state.seats[attempt.slot_id]
    worker = turn.holder(seat)
    if worker is None:
        return
    attempt.amend_sends += 1
    turn.count("amends")
    turn.send(
        worker,
        Amend(
            account_id=seat.account_id,
            account_epoch=seat.epoch,
            client_order_id=attempt.order.client_order_id,
            quantity=Lots(attempt.wanted_quantity),
            limit_price=attempt.order.limit_price,
        ),
    )


def lower(turn: Turn, attempt: Attempt, quantity: int) -> None:
    """Let the attempt be for so much, which has proved true, and give back what it had beyond."""
    order = attempt.order
    lots = order.quantity - quantity
    assert lots > 0, f"{order.client_order_id}: {quantity} is not below {order.quantity}"
    books.lower(turn, attempt, lots)
    turn.parent(attempt).allocated -= lots
    attempt.order = msgspec.structs.replace(order, quantity=Lots(quantity))
    if attempt.wanted_quantity is not None and quantity <= attempt.wanted_quantity:
        attempt.wanted_quantity = None
