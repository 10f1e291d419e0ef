"""Planted bugs of algorithms: what they count, and what they show."""

import msgspec

from tandem.core.trading.algos import driver, kinds
from tandem.core.trading.algos.memos import Memo
from tandem.core.trading.algos.sight import Sight, Step
from tandem.core.trading.state import Algo, ParentPhase
from tandem.core.trading.turn import Turn
from tandem.domain.algos import AlgoSpec, Iceberg
from tandem.sim.undoing import Undo, put


def iceberg_shows_the_next_piece_early() -> Undo:
    """The next piece of an iceberg is shown while the one before still rests."""
    step = kinds.step

    def early(spec: AlgoSpec, memo: Memo, sight: Sight) -> Step:
        if not isinstance(spec, Iceberg) or sight.is_ending:
            return step(spec, memo, sight)
        if kinds.room(spec, spec.side, sight) <= 0:
            return step(spec, memo, sight)
        bare = msgspec.structs.replace(sight, parts=())
        wanted = step(spec, memo, bare)
        room = kinds.room(spec, spec.side, sight)
        place = [
            msgspec.structs.replace(one, quantity=min(one.quantity, room)) for one in wanted.place
        ]
        return msgspec.structs.replace(wanted, place=place)

    return put(kinds, "step", early)


def algorithm_forgets_what_was_canceled() -> Undo:
    """What an algorithm's order had traded before it was canceled is not counted."""
    count_ended = driver._count_ended

    def forget(turn: Turn, algo: Algo) -> None:
        parents = turn.state.parents
        algo.open = [
            part
            for part in algo.open
            if parents[part.parent_id].phase is not ParentPhase.DONE
            or not parents[part.parent_id].cancel_wanted
        ]
        count_ended(turn, algo)

    return put(driver, "_count_ended", forget)
