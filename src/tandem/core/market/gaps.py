"""What is missing of one instrument, and what became of asking for it."""

import enum
from typing import Final

import msgspec

GAPS_MAX: Final = 200


class GapState(enum.StrEnum):
    """What is known about a gap."""

    OPEN = "open"  # asked for; nothing after it becomes final
    ANSWERED = "answered"  # the primary source said all that there was
    LEFT = "left"  # whatever is known of it, of any source, has to do


class Gap(msgspec.Struct, array_like=True, gc=False):
    """A span of time, at the begins of bars; it is waited for until the clock is at `until_ns`."""

    from_ns: int
    to_ns: int
    until_ns: int
    state: GapState = GapState.OPEN


class Gaps:
    """The gaps of one instrument in the order of time; no two of them overlap."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

    def know(self, from_ns: int, *, to_ns: int, until_ns: int, again: bool) -> list[Gap]:
        """Add what is missing; return the parts that were not known, which are to be asked for.

        `again`: it may be missing a second time, so that only what is asked for now is known.
        """
        known = [one for one in self._gaps if not again or one.state is GapState.OPEN]
        fresh = [
            Gap(begin, end, until_ns)
            for begin, end in _without(
                [(from_ns, to_ns)], [(one.from_ns, one.to_ns) for one in known]
            )
        ]
        for one in fresh:
            self._cut(one.from_ns, one.to_ns)
        self._gaps = sorted([*self._gaps, *fresh], key=lambda one: one.from_ns)
        while len(self._gaps) > GAPS_MAX:
            last = self._gaps.pop()
            before = self._gaps[-1]
            self._gaps[-1] = Gap(before.from_ns, last.to_ns, max(before.until_ns, last.until_ns))
        return fresh

    def answer(self, from_ns: int, *, to_ns: int, state: GapState, until_ns: int) -> None:
        """Note what became of all that was open there; for the rest is waited until then."""
        parts = []
        for one in self._gaps:
            begin, end = max(one.from_ns, from_ns), min(one.to_ns, to_ns)
            if one.state is not GapState.OPEN or begin >= end:
                parts.append(one)
                continue
            rest = _without([(one.from_ns, one.to_ns)], [(begin, end)])
            parts += [Gap(before, after, max(one.until_ns, until_ns)) for before, after in rest]
            parts.append(Gap(begin, end, until_ns, state))
        self._gaps = sorted(parts, key=lambda one: one.from_ns)

    def leave(self, clock_ns: int) -> list[Gap]:
        """Leave those that were waited for long enough, and return them."""
        left = [
            one for one in self._gaps if one.state is GapState.OPEN and one.until_ns <= clock_ns
        ]
        for one in left:
            one.state = GapState.LEFT
        return left

    def stop_ns(self) -> int | None:
        """Return where the first gap begins that is asked for."""
        return next((one.from_ns for one in self._gaps if one.state is GapState.OPEN), None)

    def state_at(self, begin_ns: int) -> GapState | None:
        """Return what is known about the bar that begins there; None: no gap."""
        for one in self._gaps:
            if one.from_ns <= begin_ns < one.to_ns:
                return one.state
        return None

    def forget(self, before_ns: int) -> None:
        """Forget those that are over at that moment; nothing before it is closed any more."""
        self._gaps = [one for one in self._gaps if one.to_ns > before_ns]

    def _cut(self, from_ns: int, to_ns: int) -> None:
        parts = []
        for one in self._gaps:
            rest = _without([(one.from_ns, one.to_ns)], [(from_ns, to_ns)])
            parts += [Gap(begin, end, one.until_ns, one.state) for begin, end in rest]
        self._gaps = parts


def _without(spans: list[tuple[int, int]], taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of some spans of time when others are taken out of them."""
    for begin, end in taken:
        rest = []
        for from_ns, to_ns in spans:
            rest += [(from_ns, min(to_ns, begin)), (max(from_ns, end), to_ns)]
        spans = [one for one in rest if one[0] < one[1]]
    return spans
