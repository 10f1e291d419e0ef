"""One instrument's final bars of all spans: each is made of shorter ones, and numbered.

A longer bar is made when the shorter ones of which it is made are over: all that will be in it is
final then. So it is enough to know, of each span, up to which moment its bars are final, and the
shorter bars of the one that is open. A correction of a bar goes upward the same way: each longer
bar that holds it is made again of its parts, and published again when that changes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tandem.core.market.bars import chain_of, longer_bar
from tandem.domain.bars import Bar, FinalBar, Span
from tandem.domain.market_words import Kept

_Known = dict[Span, dict[int, FinalBar]]


class Line:
    """The final bars of one span: all that begin before `closed_ns` are.

    `recent` are those of which the longer bars that are open are made, in the order of time.
    """

    def __init__(self, span: Span, number: int) -> None:
        self.number = number
        self.closed_ns = 0
        self.recent: dict[int, Bar] = {}
        self._length_ns: Final = span.ns
        self._first_ns: Final = span.begin_ns(span.ns)

    def begin_ns(self, at_ns: int) -> int:
        """Return when the one began that holds this moment: `Span.begin_ns`, for many calls."""
        return at_ns - (at_ns - self._first_ns) % self._length_ns

    def publish(self, bar: Bar, revision: int = 0) -> FinalBar:
        """Return it with the next number."""
        self.number += 1
        return FinalBar(number=self.number, bar=bar, revision=revision)


class Chain:
    """One instrument's final bars, of the base span and all that it makes.

    `closed_ns`: base bars that begin before it are final; None before the first one. `latest` is
    the latest base bar.
    """

    def __init__(self, base: Span, kept: Sequence[Kept] = ()) -> None:
        """Go on where a store stands."""
        self.base: Final = base
        self._parts: Final = chain_of(base)
        spans = (base, *self._parts)
        self._wholes: Final = {
            one: [whole for whole, part in self._parts.items() if part is one] for one in spans
        }
        numbers = {one.span: one.number for one in kept}
        self._lines: Final = {one: Line(one, numbers.get(one, 0)) for one in spans}
        self.closed_ns: int | None = None
        self.latest: Bar | None = None
        if kept:
            # A bar is published with all that end with it: so what a longer one's end shows to
            # be over is over, though the last minutes may have been empty.
            self._close(max(one.end_ns for one in kept))
            for one in kept:
                for bar in one.recent if one.span in self._lines else ():
                    self._keep(bar)

    def begin(self, at_ns: int) -> None:
        """Let the first base bar be the one that begins there."""
        self._close(at_ns)

    def add(self, bar: Bar) -> list[FinalBar]:
        """Return what becomes final with the next base bar."""
        made = [] if bar.begin_ns == self.closed_ns else self.pass_to(bar.begin_ns)
        made.append(self._lines[self.base].publish(bar))
        self._keep(bar)
        return made + self.pass_to(bar.end_ns)

    def pass_to(self, at_ns: int) -> list[FinalBar]:
        """Return the longer bars that are final now that all base bars before `at_ns` are."""
        made = []
        moved = []
        self.closed_ns = self._lines[self.base].closed_ns = at_ns
        for span, part in self._parts.items():
            line = self._lines[span]
            before_ns, line.closed_ns = line.closed_ns, line.begin_ns(self._lines[part].closed_ns)
            if line.closed_ns == before_ns:
                continue
            moved += [span, part]
            for parts in _grouped(self._lines[part].recent, line):
                begin_ns = line.begin_ns(parts[0].begin_ns)
                if before_ns <= begin_ns < line.closed_ns:
                    bar = longer_bar(span, parts)
                    made.append(line.publish(bar))
                    line.recent[begin_ns] = bar  # a longer one may end at this very moment
        for span in moved:
            self._forget(span)
        return made

    def ranges(self, *, from_ns: int, to_ns: int) -> tuple[tuple[Span, int, int], ...]:
        """Return what must be known to correct base bars that begin from `from_ns` to `to_ns`.

        Of each span, its own bars that hold one of them, and those beside them of which the
        longer ones are made.
        """
        found = []
        for span, wholes in self._wholes.items():
            begins = [one.begin_ns(from_ns) for one in (span, *wholes)]
            ends = [one.begin_ns(to_ns - 1) + one.ns for one in (span, *wholes)]
            found.append((span, min(begins), max(ends)))
        return tuple(found)

    def correct(
        self, told: Iterable[tuple[Bar, bool]], recalled: Iterable[FinalBar]
    ) -> list[FinalBar]:
        """Return what is published when closed base bars are told again, another way perhaps.

        Each comes with whether it is only to be taken when there is none. `recalled` is what
        `ranges` asked for. What is as it was is not published again.
        """
        known: _Known = {one: {} for one in self._lines}
        for final in recalled:
            known[final.bar.span][final.bar.begin_ns] = final
        changed: dict[Span, dict[int, None]] = {one: {} for one in self._lines}
        made = []
        for bar, only_missing in told:
            if not (only_missing and bar.begin_ns in known[bar.span]):
                made += self._revise(bar, known, changed)
        for span, part in self._parts.items():
            for begin_ns in sorted({span.begin_ns(one): None for one in changed[part]}):
                if begin_ns < self._lines[span].closed_ns:
                    begins = range(begin_ns, begin_ns + span.ns, part.ns)
                    parts = [known[part][one].bar for one in begins if one in known[part]]
                    made += self._revise(longer_bar(span, parts), known, changed)
        return made

    def _revise(
        self, bar: Bar, known: _Known, changed: Mapping[Span, dict[int, None]]
    ) -> list[FinalBar]:
        old = known[bar.span].get(bar.begin_ns)
        if old is not None and old.bar == bar:
            return []
        made = self._lines[bar.span].publish(bar, 1 if old is None else old.revision + 1)
        known[bar.span][bar.begin_ns] = made
        changed[bar.span][bar.begin_ns] = None
        self._keep(bar)
        return [made]

    def _close(self, at_ns: int) -> None:
        self.closed_ns = at_ns
        for span, line in self._lines.items():
            part = self._parts.get(span)
            line.closed_ns = at_ns if part is None else span.begin_ns(self._lines[part].closed_ns)

    def _keep(self, bar: Bar) -> None:
        if bar.span is self.base and (self.latest is None or self.latest.begin_ns <= bar.begin_ns):
            self.latest = bar
        if any(bar.begin_ns >= self._lines[one].closed_ns for one in self._wholes[bar.span]):
            self._lines[bar.span].recent[bar.begin_ns] = bar

    def _forget(self, part: Span) -> None:
        """Forget what belongs to no longer bar that is open."""
        line = self._lines[part]
        closed = [self._lines[one].closed_ns for one in self._wholes[part]]
        since_ns = min(closed, default=line.closed_ns)
        line.recent = {begin: bar for begin, bar in line.recent.items() if begin >= since_ns}


def _grouped(recent: Mapping[int, Bar], line: Line) -> list[list[Bar]]:
    groups: dict[int, list[Bar]] = {}
    for begin_ns in sorted(recent):
        groups.setdefault(line.begin_ns(begin_ns), []).append(recent[begin_ns])
    return list(groups.values())
