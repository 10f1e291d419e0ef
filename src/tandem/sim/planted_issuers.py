"""Planted bugs of splits and dividends: what issuers do to what is held."""

from tandem.core.trading import corporate
from tandem.core.trading.adjusting import Adjustments
from tandem.core.trading.positions import Position
from tandem.sim.undoing import Undo, put


def strategies_keep_old_lots() -> Undo:
    """A split leaves what strategies hold as it was."""
    return put(corporate, "_after", lambda _told, lots: lots)


def actions_booked_again() -> Undo:
    """What balances tell of a split or a dividend is booked each time that it is told."""
    return put(Adjustments, "note", lambda _self, _action_id: True)


def splits_change_no_position() -> Undo:
    """A split changes the account's lots, and not those whose cost is known."""
    return put(Position, "split", lambda _self, _lots: None)
