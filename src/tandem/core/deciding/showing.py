"""How far strategies are evaluated, for whoever asks."""

from itertools import islice
from typing import Final

from tandem.core.deciding.state import DeciderState, Held
from tandem.domain.halting import AskEvaluated, EvaluatedAssignment, EvaluatedView
from tandem.domain.strategies import AssignmentId

PAGE_MAX: Final = 300  # the longest ids fit into one message


def evaluated(state: DeciderState, asked: AskEvaluated) -> EvaluatedView:
    """Return the last bar of each assignment, in the order in which they came."""
    begin = max(0, asked.begin)
    page = islice(state.held.items(), begin, begin + PAGE_MAX)
    return EvaluatedView(
        begin=begin,
        total=len(state.held),
        assignments=tuple(_one(state, key, held) for key, held in page),
    )


def _one(state: DeciderState, assignment_id: AssignmentId, held: Held) -> EvaluatedAssignment:
    if held.error is not None:
        return EvaluatedAssignment(assignment_id=assignment_id, end_ns=None)
    key = state.keys[held.key]
    return EvaluatedAssignment(
        assignment_id=assignment_id,
        end_ns=key.end_ns if held.decided else None,
        is_behind=key.done < key.seen,
        is_stale=key.instrument.instrument_id in state.stale,
    )
