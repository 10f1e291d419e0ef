"""Orders that a venue ended by itself, and what that says about us.

Self-match prevention of a venue is the second line behind our own gate, which knows every own order
and those of others on our accounts that an audit has found. So a venue's rule never has to act,
unless somebody else has just placed an order on an account of the same owner, or the gate is
wrong. Either is news for a person.
"""

from tandem.core.trading.prevention import VenueFlag
from tandem.core.trading.state import Attempt
from tandem.core.trading.turn import Turn
from tandem.domain.desk import Alert
from tandem.domain.reports import EndCause


def note_cause(turn: Turn, attempt: Attempt, cause: EndCause | None) -> None:
    """Remember why the venue ended an order by itself, before that is acted upon."""
    if cause is None or attempt.cause is not None:
        return
    attempt.cause = cause
    turn.count(f"venue_ended_{cause.value}")
    if cause is EndCause.SELF_MATCH:
        flag(turn, attempt, "ended")
        return
    # Nothing is sent again at a price of before a split, also before that is heard of.
    parent = turn.parent(attempt)
    parent.cancel_wanted = True
    parent.text = parent.text or "its instrument was split"
    parent.pieces.clear()


def flag(turn: Turn, attempt: Attempt, what: str) -> None:
    """Remember and tell that the venue has ended or refused an order, as `what` says."""
    order, seat = attempt.order, turn.state.seats[attempt.slot_id]
    turn.state.prevention.note_flag(
        VenueFlag(
            market_ns=turn.now.market_ns,
            client_order_id=order.client_order_id,
            parent_id=attempt.parent_id,
            account_id=seat.account_id,
            instrument_id=order.instrument_id,
            side=order.side,
            quantity=order.quantity,
            limit_price=order.limit_price,
            what=what,
        )
    )
    turn.count("venue_self_matches")
    symbol = turn.instrument(attempt).symbol
    turn.out.append(
        Alert(
            text=f"{order.client_order_id} ({symbol} on {seat.account_id}) was {what} by its "
            "venue's self-match rule: our own gate has missed an order of the same owner"
        )
    )
