"""Small charts of blocks."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from tandem.domain.money import ZERO

BARS: Final = "▁▂▃▄▅▆▇█"


def steps(at_ns: Sequence[int], values: Sequence[Decimal], *, columns: int) -> str:
    """Return what stood at the end of each of so many equal spans, from the lowest, or zero, up.

    `values` stand from their moments on, the first of them the earliest; there is at least one.
    """
    first, last = at_ns[0], at_ns[-1]
    low, high = min(ZERO, *values), max(ZERO, *values)
    drawn, place = [], 0
    for column in range(columns):
        until = first + (last - first) * (column + 1) // columns
        while place + 1 < len(at_ns) and at_ns[place + 1] <= until:
            place += 1
        drawn.append(BARS[int((values[place] - low) * (len(BARS) - 1) // ((high - low) or 1))])
    return "".join(drawn)
