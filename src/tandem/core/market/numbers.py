"""The numbers that a source gives to its trades: what is a repeat, and what is missing."""

from typing import Final

import msgspec

HOLES_MAX: Final = 1_000


class Hole(msgspec.Struct, array_like=True, gc=False):
    """Numbers that have not come, between trades at `from_ns` and at `to_ns`.

    `is_said`: it was returned by `missing`.
    """

    first: int
    last: int
    from_ns: int
    to_ns: int
    is_said: bool = False


class Numbers:
    """The numbers of one instrument's trades of one source, which rise by one."""

    def __init__(self) -> None:
        self._lowest: int | None = None
        self._lowest_ns = 0
        self._next = 0
        self._latest_ns = 0
        self._holes: list[Hole] = []

    def take(self, number: int, *, at_ns: int) -> bool:
        """Note a trade; return whether it is a new one."""
        if self._lowest is None:
            self._begin(number, at_ns)
        elif number >= self._next:
            if number > self._next:
                self._note_hole(Hole(self._next, number - 1, self._latest_ns, at_ns))
            self._next = number + 1
        elif not self._fill(number, at_ns):
            return self._take_earlier(number, at_ns)
        self._latest_ns = max(self._latest_ns, at_ns)
        return True

    def missing(self, before_ns: int) -> list[Hole]:
        """Return the holes that begin before that moment and were not returned so far."""
        found = [one for one in self._holes if not one.is_said and one.from_ns < before_ns]
        for one in found:
            one.is_said = True
        return found

    def settle(self, from_ns: int, *, to_ns: int) -> None:
        """Forget the holes within this span of time: everything of it was told."""
        self._holes = [one for one in self._holes if one.from_ns < from_ns or one.to_ns > to_ns]

    def _begin(self, number: int, at_ns: int) -> None:
        self._lowest, self._lowest_ns = number, at_ns
        self._next = number + 1

    def _take_earlier(self, number: int, at_ns: int) -> bool:
        """Take a number that is in no hole: of before our time, or of a source that counts anew.

        It counts anew when the trade is later than all others; what it left out on the way is a
        hole that nobody can number. Else it is a repeat.
        """
        assert self._lowest is not None
        if at_ns > self._latest_ns:
            self._note_hole(Hole(0, -1, self._latest_ns, at_ns))
            self._begin(number, at_ns)
            self._latest_ns = at_ns
            return True
        if number >= self._lowest:
            return False
        if number + 1 < self._lowest:
            self._note_hole(Hole(number + 1, self._lowest - 1, at_ns, self._lowest_ns))
        self._lowest, self._lowest_ns = number, at_ns
        return True

    def _note_hole(self, hole: Hole) -> None:
        self._holes.append(hole)
        del self._holes[:-HOLES_MAX]

    def _fill(self, number: int, at_ns: int) -> bool:
        for place, one in enumerate(self._holes):
            if one.first <= number <= one.last:
                parts = [
                    Hole(one.first, number - 1, one.from_ns, at_ns, one.is_said),
                    Hole(number + 1, one.last, at_ns, one.to_ns, one.is_said),
                ]
                self._holes[place : place + 1] = [part for part in parts if part.first <= part.last]
                return True
        return False
