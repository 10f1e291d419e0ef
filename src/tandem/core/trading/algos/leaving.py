"""What becomes of an inventory when its algorithm ends: kept, or traded back at the market.

It is asked only when nothing else of the algorithm is out, so what it gives back is known for
sure. A market can be empty for ever, so it is tried a few times, and then said.
"""

from typing import Final, Protocol

from tandem.core.trading.algos.sight import LEAVE, LEFT, Sight, Slice, Step
from tandem.domain.algos import Leaving
from tandem.domain.order import Side, TimeInForce

LEAVES_MAX: Final = 5  # tries to give back what is held


class Leaver(Protocol):
    """Whoever counts its tries."""

    leaves: int


def leave(rule: Leaving, memo: Leaver, sight: Sight) -> Step:
    """Give back what is held, if it is to be, and say when there is nothing more to do."""
    held = sight.position
    if sight.parts:
        return Step()
    if rule is Leaving.KEEP or not held:
        return Step(is_over=True)
    if memo.leaves >= LEAVES_MAX:
        return Step(is_over=True, text=f"{LEFT} could not be given back", left=held)
    memo.leaves += 1
    order = Slice(
        role=LEAVE,
        side=Side.SELL if held > 0 else Side.BUY,
        quantity=abs(held),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        cancels_own=True,
        is_exit=True,
    )
    return Step(place=(order,))
