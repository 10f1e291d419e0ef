"""What the next bars will be asked of: so that a new evaluator can hold it before work comes."""

from collections.abc import Callable

from tandem.core.deciding.inputs import attached_of
from tandem.core.deciding.state import DeciderState, KeyState
from tandem.domain.deciding import AskWhole
from tandem.domain.evaluation import OWN_TENANT, TaskId, TaskKey
from tandem.domain.value import Value


class Likely(Value, frozen=True, kw_only=True):
    """What whoever did the bar of `task_id`, the last one, holds now."""

    task_id: TaskId
    whole: AskWhole


def likely(state: DeciderState, has_home: Callable[[TaskKey], bool]) -> list[Likely]:
    """Return what a newcomer may be asked to go on with, most likely first.

    Likely are keys which no living evaluator has at home. Not in it are those of which everything
    will be sent along with the next bar anyway, and those that look at other series.
    """
    found = [
        _likely(state, name, key)
        for name, key in state.keys.items()
        if key.warm == key.roster and key.members and not key.others
    ]
    return sorted(found, key=lambda one: has_home(one.task_id.key))


def _likely(state: DeciderState, name: TaskKey, key: KeyState) -> Likely:
    held = [state.held[one] for one in key.members.values()]
    whole = AskWhole(
        instrument=key.instrument,
        others=(),
        from_ns=key.origin_ns or 0,
        attached=tuple(
            attached_of(
                one.rostered.assignment, one.number, state=one.state, position_ppm=one.position_ppm
            )
            for one in held
            if one.error is None
        ),
        wants_chain=False,
    )
    task_id = TaskId(tenant=OWN_TENANT, key=name, roster=key.roster, number=key.done)
    return Likely(task_id=task_id, whole=whole)
