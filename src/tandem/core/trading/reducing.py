"""Orders that only bring an account's position nearer to zero.

Right at every moment: should everything trade that is out on its side, an account's position
would still not cross zero by a reduce-only order of ours. All that is out on that side counts,
whether or not it says of itself that it reduces, and other programs' orders with it.
"""

from tandem.core.trading import account_gate
from tandem.core.trading.books import Share
from tandem.core.trading.turn import Turn
from tandem.domain.parents import ParentSpec, Split


def cut(turn: Turn, spec: ParentSpec, shares: list[Share]) -> list[Share]:
    """Return the shares of a reduce-only order, none beyond its account's position.

    What one account cannot take goes to those that hold more than their share, in the pool's
    order; what nobody can is not traded. Empty when there is nothing to reduce.
    """
    rooms = [account_gate.room(turn, seat, instrument, spec.side) for seat, instrument, _ in shares]
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
