"""Orders that only bring an account's position nearer to zero.

Right at every moment: should everything trade that is out on its side, an account's position
would still not cross zero by a reduce-only order of ours. All that is out on that side counts,
whether or not it says of itself that it reduces, and other programs' orders with it.
"""

from tandem.core.trading.books import Share
from tandem.core.trading.state import Seat
from tandem.core.trading.turn import Turn
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec, Split


def room(turn: Turn, seat: Seat, instrument: Instrument, side: Side) -> int:
    """Return how much the account could still trade on that side before it is flat."""
    key = instrument.instrument_id
    held = -side.sign * turn.state.ledger.lots(seat.account_id, key)
    out = 0
    for client_order_id in seat.open:
        attempt = turn.state.attempts[client_order_id]
        order = attempt.order
        if order.instrument_id == key and order.side is side:
            leaves = max(0, order.quantity - attempt.cum_quantity)
            out += attempt.missing if attempt.is_final else leaves
    for other in seat.external.orders.values():
        if other.instrument_id == key and other.side is side:
            out += other.leaves
    return max(0, held - out)


def cut(turn: Turn, spec: ParentSpec, shares: list[Share]) -> list[Share]:
    """Return the shares of a reduce-only order, none beyond its account's position.

    What one account cannot take goes to those that hold more than their share, in the pool's
    order; what nobody can is not traded. Empty when there is nothing to reduce.
    """
    rooms = [room(turn, seat, instrument, spec.side) for seat, instrument, _ in shares]
    lots = [min(one, quantity) for one, (_, _, quantity) in zip(rooms, shares, strict=True)]
    if spec.split is not Split.EACH:
        spare = sum(quantity for _, _, quantity in shares) - sum(lots)
        for at, most in enumerate(rooms):
            more = min(spare, most - lots[at])
            lots[at] += more
            spare -= more
    return [
        (seat, instrument, quantity)
        for (seat, instrument, _), quantity in zip(shares, lots, strict=True)
        if quantity
    ]
