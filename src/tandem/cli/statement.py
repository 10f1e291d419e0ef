"""`tandem statement`: gains, fees and cash from the journal, as a table, CSV or JSON."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TextIO

from cyclopts import Parameter

from tandem.cli.calling import BadInputError, HomeOption, JsonOption, finish, home_of, new_app
from tandem.cli.main import OK
from tandem.cli.statement_text import (
    cash_csv,
    equity_csv,
    executions_csv,
    rows_csv,
    statement_json,
    statement_text,
)
from tandem.cli.typed import time_ns
from tandem.domain.statements import CostMethod, GroupBy, Statement
from tandem.wiring.home import Home
from tandem.wiring.statements import Asking, statement_of
from tandem.wiring.whole_files import write_whole

app = new_app()
PROGRESS_RECORDS: Final = 50_000
Flag = Annotated[bool, Parameter(negative="")]
Format = Literal["table", "csv", "json"]
Words = str
Moment = str


@Parameter(name="*")
@dataclass(frozen=True)
class StatementOptions:
    """What it is about, and how it is written.

    Attributes:
        from_time: From this time of the market on, UTC, such as 2025-03-14 or 2025-03-14T09:30;
            from the first record without it.
        to_time: Up to this time, which is not included; until now without it.
        by: account, instrument, order (what you asked for), parent (each of its parts), strategy,
            assignment (of a strategy), or several of them, such as account,instrument.
        method: Which lots are sold first: the oldest, or an average of all.
        executions: Each execution as a row of its own; in CSV instead of the gains.
        cash: Cash of every account; in CSV instead of the gains. A table shows it anyway.
        equity: Equity over time of each row, every change; in CSV instead of the gains.
        format: How it is written.
        out: Write it to this file, whole, instead of the screen.
        home: Where journals and sockets are ($XDG_DATA_HOME/tandem).
        json: The same as --format json.
    """

    from_time: Annotated[Moment | None, Parameter(name="--from")] = None
    to_time: Annotated[Moment | None, Parameter(name="--to")] = None
    by: Words = "account"
    method: CostMethod = CostMethod.FIFO
    executions: Flag = False
    cash: Flag = False
    equity: Flag = False
    format: Format = "table"
    out: Path | None = None
    home: HomeOption = None
    json: JsonOption = False


_DEFAULTS: Final = StatementOptions()


@app.command
def statement(*, options: StatementOptions = _DEFAULTS) -> int:
    """Say what was gained, paid in fees and moved in cash, from the coordinator's journal.

    It works while the pool runs, and after it has ended. All figures are exact, and equal the
    exchange's own books to the last digit.
    """

    async def act() -> int:
        return write_statement(home_of(options.home), options, sys.stdout)

    return finish(act)


def write_statement(home: Home, options: StatementOptions, out: TextIO) -> int:
    """Write the statement that was asked for; return the exit code.

    Raises:
        BadInputError: an option cannot be.
        ConfigurationError: there is no journal, or the file cannot be written.
        ReplayMismatchError: the journal is of another version.
        JournalCorruptError: something changed after it was durable; names the place.
    """
    asked = asking(options)
    writer = _writer(options)

    def progress(count: int) -> None:
        if count % PROGRESS_RECORDS == 0:
            sys.stderr.write(f"{count} records\n")

    text = writer(statement_of(home, asked, progress))
    if options.out is None:
        out.write(text)
    else:
        write_whole(options.out.absolute(), text)
    return OK


def asking(options: StatementOptions) -> Asking:
    """Return what the options ask for.

    Raises:
        BadInputError: a time or a grouping cannot be; says what was expected.
    """
    from_ns = None if options.from_time is None else time_ns(options.from_time, option="--from")
    to_ns = None if options.to_time is None else time_ns(options.to_time, option="--to")
    if from_ns is not None and to_ns is not None and from_ns >= to_ns:
        raise BadInputError(f"--from {options.from_time} is not before --to {options.to_time}")
    by = _groups(options.by)
    orders = [one.value for one in by if one in (GroupBy.ORDER, GroupBy.PARENT)]
    if options.equity and orders:
        raise BadInputError(
            f"--equity with --by {orders[0]}: equity over time is kept of accounts, instruments, "
            "strategies and assignments"
        )
    return Asking(
        by=by, method=options.method, from_ns=from_ns, to_ns=to_ns, all_traced=options.equity
    )


def _groups(text: str) -> tuple[GroupBy, ...]:
    known = {one.value: one for one in GroupBy}
    found = []
    for word in text.split(","):
        by = known.get(word.strip())
        if by is None or by in found:
            raise BadInputError(f"--by {text!r}: expected some of {', '.join(known)}, each once")
        found.append(by)
    return tuple(found)


def _writer(options: StatementOptions) -> Callable[[Statement], str]:
    if options.json and options.format == "csv":
        raise BadInputError("--json and --format csv: expected one of them")
    if options.json or options.format == "json":
        return lambda found: statement_json(found, executions=options.executions)
    if options.format == "table":
        return lambda found: statement_text(found, executions=options.executions)
    kinds = {
        "--executions": (options.executions, executions_csv),
        "--cash": (options.cash, cash_csv),
        "--equity": (options.equity, equity_csv),
    }
    asked = {name: write for name, (is_asked, write) in kinds.items() if is_asked}
    if len(asked) > 1:
        raise BadInputError(f"{' and '.join(asked)}: one CSV file has one kind of rows")
    return next(iter(asked.values()), rows_csv)
