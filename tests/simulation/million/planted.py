"""Bugs that the judge must see: a mechanism of self-trade prevention is taken out each time."""

from collections.abc import Callable
from typing import Final

from tandem.core.trading import leftovers, planning
from tandem.core.trading.state import Attempt, Parent, Phase
from tandem.core.trading.turn import Turn
from tandem.domain.ids import ClientOrderId
from tandem.domain.instrument import Instrument
from tandem.domain.parents import ParentSpec
from tandem.sim.undoing import Undo, put

Met = Callable[[Turn, ParentSpec, Instrument], ClientOrderId | None]


def _seeing_only(sees: Callable[[Attempt], bool]) -> Undo:
    """Let only such own orders be seen in an order's way."""

    def met(turn: Turn, spec: ParentSpec, instrument: Instrument) -> ClientOrderId | None:
        every = turn.state.gate.all_met(instrument.book_id, spec.side, spec.limit_price)
        known = turn.state.attempts
        return next((one for one in every if one not in known or sees(known[one])), None)

    return put(planning, "_met", met)


def asked_is_gone() -> Undo:
    """An order whose cancel was asked is taken as gone before that is confirmed."""
    return _seeing_only(lambda attempt: not attempt.cancel_wanted)


def unknown_is_gone() -> Undo:
    """An order that may or may not be at its venue is taken as gone."""
    return _seeing_only(lambda attempt: attempt.phase is not Phase.UNKNOWN)


def given_twice() -> Undo:
    """What a newer order has taken off an older one is tried again all the same."""
    real = leftovers._decrement

    def decrement(turn: Turn, attempt: Attempt, parent: Parent, left: int) -> int:
        real(turn, attempt, parent, left)
        return 0

    return put(leftovers, "_decrement", decrement)


PLANTED: Final[dict[str, Callable[[], Undo]]] = {
    "asked is gone": asked_is_gone,
    "unknown is gone": unknown_is_gone,
    "given twice": given_twice,
}
