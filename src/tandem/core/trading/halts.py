"""What the desk knows of halts that a person gave to workers themselves (`hand_halt`).

Each has an id, chosen by whoever typed it. The desk takes note of every id it hears, from a worker,
from the command itself, or from the file that a coordinator finds at its start. A new one halts the
whole desk. One that is known while the desk trades was resumed since, perhaps while its worker was
out of reach: then that worker is told so, and nobody is halted again.
"""

from typing import Final

from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Worker
from tandem.core.trading.turn import Turn
from tandem.domain.ids import HaltId
from tandem.domain.link import HaltLifted

HALTS_MAX: Final = 1_000  # remembered; a worker that tells of an older one halts everybody again


def note(turn: Turn, halt_id: HaltId) -> bool:
    """Remember a halt by hand; return whether it is news."""
    halts = turn.state.halts
    if halt_id in halts:
        return False
    halts[halt_id] = None
    if len(halts) > HALTS_MAX:
        del halts[next(iter(halts))]
    return True


def on_halted(turn: Turn, worker: Worker, halt_id: HaltId, reason: str) -> None:
    """A worker was halted by its own control socket: halt all, unless that is over already."""
    worker.halt_id = halt_id
    if note(turn, halt_id):
        turn.halting = reason
    elif turn.state.exposure.state is not TradingState.HALTED:
        turn.count("halts_over_already")
        lift(turn, worker)


def lift(turn: Turn, worker: Worker) -> None:
    """Let a worker that was halted by hand trade again; a person resumed."""
    if worker.halt_id is not None:
        turn.send(worker, HaltLifted(halt_id=worker.halt_id))
        worker.halt_id = None
