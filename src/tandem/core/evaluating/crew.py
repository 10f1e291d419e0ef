"""The evaluators of this computer: as many as the market process wants, with a name each."""

from collections.abc import Callable
from typing import Final

LEAVE_NS: Final = 6_000_000_000  # for what an evaluator has begun; then it is ended


class Crew:
    """Who should run. It is the newest that leave, and a name is free when its process has ended.

    `start`, `leave` and `end` are called with a name: run it; let it finish and go; end it.
    """

    def __init__(
        self,
        *,
        start: Callable[[str], None],
        leave: Callable[[str], None],
        end: Callable[[str], None],
    ) -> None:
        self._start = start
        self._leave = leave
        self._end = end
        self._staying: list[int] = []  # rising
        self._leaving: dict[int, int] = {}  # and until when, at most

    @property
    def size(self) -> int:
        """How many should go on running."""
        return len(self._staying)

    def want(self, count: int, *, now_ns: int) -> None:
        """Come to so many; said over and over, also when nothing has changed."""
        while len(self._staying) < count:
            used = {*self._staying, *self._leaving}
            number = next(one for one in range(1, len(used) + 2) if one not in used)
            self._staying = sorted([*self._staying, number])
            self._start(_name(number))
        while len(self._staying) > count:
            self._leaving[self._staying.pop()] = now_ns + LEAVE_NS
        for number, end_ns in self._leaving.items():
            # Again and again: one that has just been started may hear nothing yet.
            if now_ns < end_ns:
                self._leave(_name(number))
            else:
                self._end(_name(number))

    def on_ended(self, name: str) -> bool:
        """Return whether it was to leave, so that nothing is started in its place."""
        number = int(name.removeprefix("e"))
        return self._leaving.pop(number, None) is not None

    def on_all_ended(self) -> None:
        """All have ended at once, and those that were leaving are started again like the rest."""
        self._staying = sorted([*self._staying, *self._leaving])
        self._leaving.clear()


def _name(number: int) -> str:
    return f"e{number}"
