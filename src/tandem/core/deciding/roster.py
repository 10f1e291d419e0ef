"""What is assigned, as the desk last said it."""

from collections.abc import Iterator

from tandem.core.deciding.state import DeciderState, Held, KeyState, key_of
from tandem.domain.deciding import Rostered, RosterSeen
from tandem.domain.evaluation import NUMBER_MAX, AttachmentNumber
from tandem.domain.strategies import AssignmentId, VolatilityTarget


def changed(state: DeciderState, key: KeyState) -> None:
    """Let nobody be warm any more: what is evaluated together has changed."""
    state.rosters += 1
    key.roster = state.rosters


def history_changed(state: DeciderState, key: KeyState) -> None:
    """Let nobody be warm any more: bars that were seen have changed, or begin elsewhere."""
    changed(state, key)
    key.chain = None


def seen(state: DeciderState, event: RosterSeen) -> Iterator[str]:
    """Take the roster over; yield what a person should know of it.

    What was assigned anew begins anew, without a memory. What is as before goes on.
    """
    state.version = event.version
    for text in event.texts:
        state.texts[text.text_hash] = text
    wanted: dict[AssignmentId, Rostered] = {}
    for entry in event.entries:
        assignment = entry.assignment
        if assignment.text_hash in state.texts:
            wanted[assignment.assignment_id] = entry
        else:
            yield f"{assignment.assignment_id}: its text is not known"
    for assignment_id, held in list(state.held.items()):
        if wanted.get(assignment_id) != held.rostered:
            _remove(state, assignment_id)
    for assignment_id, entry in wanted.items():
        if assignment_id not in state.held:
            _add(state, assignment_id, entry)
    used = {held.rostered.assignment.text_hash for held in state.held.values()}
    state.index()
    state.texts = {one: text for one, text in state.texts.items() if one in used}


def _remove(state: DeciderState, assignment_id: AssignmentId) -> None:
    held = state.held.pop(assignment_id)
    key = state.keys[held.key]
    del key.members[held.number]
    changed(state, key)
    if not key.members:
        del state.keys[held.key]
    else:
        _look(state, key)


def _add(state: DeciderState, assignment_id: AssignmentId, entry: Rostered) -> None:
    name = key_of(entry)
    key = state.keys.get(name)
    if key is None:
        key = state.keys[name] = KeyState(entry.instrument, entry.assignment.span)
    number = AttachmentNumber(state.numbers % (NUMBER_MAX + 1))
    state.numbers += 1
    state.held[assignment_id] = Held(entry, number, name)
    key.members[number] = assignment_id
    changed(state, key)
    _look(state, key)


def _look(state: DeciderState, key: KeyState) -> None:
    """Know what its members look at besides, and how far back."""
    members = [state.held[assignment_id] for assignment_id in key.members.values()]
    key.closes_wanted = max((_closes_wanted(one) for one in members), default=0)
    key.others = {other.instrument_id: other for one in members for other in one.rostered.others}
    key.others_pending = [one for one in key.others_pending if one.bar.instrument_id in key.others]
    key.others_told = {one: key.others_told[one] for one in key.others if one in key.others_told}
    key.others_chains = {one: it for one, it in key.others_chains.items() if one in key.others}


def _closes_wanted(held: Held) -> int:
    sizing = held.rostered.assignment.sizing
    return sizing.bars + 1 if isinstance(sizing, VolatilityTarget) else 0
