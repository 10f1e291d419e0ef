"""One table of figures beside their limits."""

import statistics
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, kw_only=True):
    """One figure over several rounds.

    `limit` is what it should be at most or at least; None: it is only shown. A limit holds for the
    median. With a `ratio_to`, the limit is about the quotient of the two medians; `beside` says
    what that other figure is of. What `is_counted` must never happen, so all rounds add up.
    """

    name: str
    unit: str
    values: list[float]
    limit: float | None = None
    at_most: bool = True
    ratio_to: list[float] | None = None
    beside: str = "C"
    is_counted: bool = False

    @property
    def median(self) -> float:
        """The middle of the rounds; of what is counted, the sum."""
        if self.is_counted:
            return sum(self.values)
        return statistics.median(self.values)

    @property
    def judged(self) -> float:
        """What the limit is about."""
        if self.ratio_to is None:
            return self.median
        return self.median / statistics.median(self.ratio_to)

    @property
    def verdict(self) -> str:
        """Whether the limit is kept; by how much it is missed."""
        if self.limit is None:
            return ""
        if self.judged <= self.limit if self.at_most else self.judged >= self.limit:
            return "kept"
        if not self.limit:
            return "missed"
        by = self.judged / self.limit if self.at_most else self.limit / self.judged
        return f"missed, {by:.1f}×"


HEADINGS = ("what", "median", "from", "to", "beside, same run", "ratio", "limit", "")


def cells(row: Row) -> tuple[str, ...]:
    """Return one row of the table."""
    limit = ""
    if row.limit is not None:
        limit = f"{'≤' if row.at_most else '≥'} {_number(row.limit)}"
        limit += f"× {row.beside}" if row.ratio_to is not None else f" {row.unit}"
    baseline = ratio = ""
    if row.ratio_to is not None:
        baseline = f"{row.beside}: {_number(statistics.median(row.ratio_to))}"
        ratio = f"{row.judged:.2f}×"
    return (
        row.name,
        f"{_number(row.median)} {row.unit}",
        _number(min(row.values)),
        _number(max(row.values)),
        baseline,
        ratio,
        limit,
        row.verdict,
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table that is also good to read as text."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADINGS))]
    text = [_line(HEADINGS, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    text += [_line(line, widths) for line in lines[1:]]
    return "\n".join(text)


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "| " + " | ".join(one.ljust(width) for one, width in zip(line, widths, strict=True)) + " |"
    )


def _number(value: float) -> str:
    if not value:
        return "0"
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
