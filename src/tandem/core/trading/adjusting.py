"""What a desk remembers of splits and dividends, for each account and for all."""

from typing import Final

import msgspec

from tandem.domain.ids import ActionId, InstrumentId

ACTIONS_MAX: Final = 1_000  # remembered; a venue tells fewer at a time


class Adjustments(msgspec.Struct, array_like=True, gc=False):
    """One account's: the actions that its books know, and after how many splits its lots are."""

    known: dict[ActionId, None] = {}
    splits: dict[InstrumentId, int] = {}

    def note(self, action_id: ActionId) -> bool:
        """Remember an action; return whether it is news."""
        return _note(self.known, action_id)


class Splits(msgspec.Struct, array_like=True, gc=False):
    """The desk's: the actions it has heard of, and the instruments that were ever split."""

    known: dict[ActionId, None] = {}
    instruments: dict[InstrumentId, None] = {}

    def note(self, action_id: ActionId) -> bool:
        """Remember an action; return whether it is news."""
        return _note(self.known, action_id)


def _note(known: dict[ActionId, None], action_id: ActionId) -> bool:
    if action_id in known:
        return False
    known[action_id] = None
    if len(known) > ACTIONS_MAX:
        del known[next(iter(known))]
    return True
