"""What a strategy, or one of its assignments, has gained: its part of a statement."""

import sys
from typing import Final, TextIO

import msgspec

from tandem.cli.calling import BadInputError
from tandem.cli.equity_text import story_lines
from tandem.cli.main import OK
from tandem.cli.printing import write_json
from tandem.domain.statements import (
    CostMethod,
    EquityCurve,
    GroupBy,
    RowKind,
    Statement,
    StatementRow,
)
from tandem.wiring.home import Home
from tandem.wiring.statements import Asking, statements_of

PROGRESS_RECORDS: Final = 50_000
_NAMES_MAX: Final = 30


class Gains(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one strategy or assignment, one for each currency, and its equity over time."""

    by: GroupBy
    name: str
    rows: tuple[StatementRow, ...]
    curves: tuple[EquityCurve, ...]


def assignment_gains(home: Home, assignment_id: str) -> Gains:
    """Return what an assignment has gained since the first record; without rows it never traded.

    Raises:
        ReplayMismatchError: the journal is of another version.
        JournalCorruptError: something changed after it was durable; names the place.
    """
    (made,) = _statements(home, assignment_id, GroupBy.ASSIGNMENT)
    return gains_in(made, assignment_id)


def gains_of(home: Home, what: str) -> Gains:
    """Return what an assignment, or else a strategy, has gained since the first record.

    Raises:
        BadInputError: neither has traded; says which strategies have.
        ReplayMismatchError: the journal is of another version.
        JournalCorruptError: something changed after it was durable; names the place.
    """
    by_assignment, by_strategy = _statements(home, what, GroupBy.ASSIGNMENT, GroupBy.STRATEGY)
    for made in (by_assignment, by_strategy):
        found = gains_in(made, what)
        if what and found.rows:
            return found
    groups = [one.group for one in by_strategy.rows if one.kind is RowKind.GROUP]
    names = ", ".join(sorted({name for (name,) in groups if name})[:_NAMES_MAX])
    raise BadInputError(
        f"no strategy or assignment {what!r} has traded; strategies that have: {names or 'none'}"
    )


def gains_in(made: Statement, name: str) -> Gains:
    """Return one group's part of a statement by one thing."""
    (by,) = made.by
    return Gains(
        by=by,
        name=name,
        rows=tuple(one for one in made.rows if one.kind is RowKind.GROUP and one.group == (name,)),
        curves=tuple(one for one in made.curves if one.group == (name,)),
    )


def gains_lines(gains: Gains) -> list[str]:
    """Return it in words."""
    return story_lines(gains.rows, gains.curves) or ["equity change: none, it has not traded"]


def write_gains(gains: Gains, out: TextIO, *, as_json: bool) -> int:
    """Write it; return the exit code."""
    if as_json:
        write_json(gains, out)
    else:
        out.write(f"{gains.by.value} {gains.name}\n")
        out.writelines(f"{line}\n" for line in gains_lines(gains))
    return OK


def _statements(home: Home, name: str, *by: GroupBy) -> list[Statement]:
    def progress(count: int) -> None:
        if count % PROGRESS_RECORDS == 0:
            sys.stderr.write(f"{count} records\n")

    asked = [Asking(by=(one,), method=CostMethod.FIFO, traced=(name,)) for one in by]
    return statements_of(home, asked, progress)
