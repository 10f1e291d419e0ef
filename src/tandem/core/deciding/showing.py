"""How far strategies are evaluated, for whoever asks."""

from itertools import islice

from tandem.core.deciding.state import DeciderState
from tandem.domain.halting import AskEvaluated, EvaluatedAssignment, EvaluatedView
from tandem.domain.strategy_views import PAGE_MAX


def evaluated(state: DeciderState, asked: AskEvaluated) -> EvaluatedView:
    """Return the last bar of each assignment, in the order in which they came."""
    found = []
    for assignment_id, held in islice(state.held.items(), asked.begin, asked.begin + PAGE_MAX):
        key = state.keys[held.key]
        one = EvaluatedAssignment(
            assignment_id=assignment_id,
            end_ns=key.end_ns if held.decided and held.error is None else None,
            is_behind=key.done < key.seen,
            is_stale=key.instrument.instrument_id in state.stale,
        )
        found.append(one)
    return EvaluatedView(begin=asked.begin, total=len(state.held), assignments=tuple(found))
