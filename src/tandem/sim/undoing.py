"""Changing running code, and changing it back: how bugs are planted."""

from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]


def put(owner: object, name: str, value: Any) -> Undo:
    """Give `owner` another attribute of that name; return what gives it the earlier one back."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, before)


def all_of(*undo: Undo) -> Undo:
    """Return what undoes all of them, the last one first."""

    def undo_all() -> None:
        for one in reversed(undo):
            one()

    return undo_all
