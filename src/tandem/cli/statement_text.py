"""A statement as a table, as CSV (RFC 4180) and as JSON.

Columns of CSV are always the same and in this order; new ones are only ever added behind them.
Amounts are plain decimals, exact, without zeros behind their last digit; an amount that nobody
knows, and a name that does not apply, are empty.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from tandem.cli.equity_text import chart, has_story, story_table, win_share
from tandem.cli.printing import amount, table, write_json
from tandem.domain.statements import ExecutionRow, RowKind, Statement, StatementRow

BY: Final = ("account", "instrument", "order", "parent", "strategy")
AMOUNTS: Final = (
    "executions",
    "bought_quantity",
    "sold_quantity",
    "bought",
    "sold",
    "realized",
    "unrealized",
    "gain",
    "fees",
    "net",
    "position",
    "average_cost",
    "mark",
    "income",
)
ADDED: Final = (
    "assignment",
    "turnover",
    "round_trips",
    "won",
    "win_share",
    "drawdown",
    "drawdown_from",
    "drawdown_to",
    "drawdown_now",
)
ROW_COLUMNS: Final = ("kind", *BY, "currency", "symbol", *AMOUNTS, *ADDED)
EQUITY_COLUMNS: Final = ("kind", *BY, "assignment", "currency", "at", "equity", "drawdown")
CASH_COLUMNS: Final = (
    "account", "currency", "start", "opened", "traded", "fees", "external", "end", "income"
)  # fmt: skip
EXECUTION_COLUMNS: Final = (
    "at",
    "account",
    "instrument",
    "symbol",
    "order",
    "parent",
    "client_order",
    "execution",
    "strategy",
    "side",
    "quantity",
    "price",
    "currency",
    "value",
    "fee",
    "cash",
    "realized",
    "position",
)
SECOND_NS: Final = 1_000_000_000
_KINDS: Final = {RowKind.REST: "(rest)", RowKind.TOTAL: "total"}


def rows_csv(found: Statement) -> str:
    """Return one line a group, then one a rest, then one a total."""
    return _csv(ROW_COLUMNS, (_cells(found, one) for one in (*found.rows, *found.totals)))


def cash_csv(found: Statement) -> str:
    """Return one line for each account and currency."""
    return _csv(CASH_COLUMNS, (msgspec.structs.astuple(one) for one in found.cash))


def executions_csv(found: Statement) -> str:
    """Return one line for each execution, in the order in which they were booked."""
    return _csv(EXECUTION_COLUMNS, (_execution(one) for one in found.executions))


def equity_csv(found: Statement) -> str:
    """Return one line for each change of a group's equity, group by group, totals first."""
    return _csv(EQUITY_COLUMNS, _equities(found))


def _equities(found: Statement) -> Iterator[Sequence[object]]:
    for one in found.curves:
        groups = [*_groups(found, one.group, BY), *_groups(found, one.group, ("assignment",))]
        for point in one.points:
            row = (*groups, one.currency, time_text(point.at_ns), point.equity, point.drawdown)
            yield (one.kind.value, *row)


def statement_json(found: Statement, *, executions: bool) -> str:
    """Return it as one JSON text; executions only where they are asked for."""
    out = io.StringIO()
    write_json(found if executions else msgspec.structs.replace(found, executions=()), out)
    return out.getvalue()


def statement_text(found: Statement, *, executions: bool) -> str:
    """Return it for people."""
    parts = [
        f"{_span(found)}, lots closed by {found.method.value}\n",
        _rows_table(found),
        *_stories(found),
        "\n" + _cash_table(found),
    ]
    if found.actions:
        parts.append("\n" + _actions_table(found))
    if executions:
        parts.append("\n" + _executions_table(found))
    if any(one.kind is RowKind.REST for one in found.rows):
        parts.append(
            "\n(rest): held before, done by others, and closed by one for another; each group "
            "has books of its own\n"
        )
    parts.extend(f"note: {one}\n" for one in found.notes)
    parts.append("ledger balanced\n" if found.balanced else "THE LEDGER DOES NOT BALANCE\n")
    return "".join(parts)


def time_text(at_ns: int) -> str:
    """Return a time of the market in UTC, every digit of it."""
    seconds, rest = divmod(at_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _span(found: Statement) -> str:
    begin = "the first record" if found.from_ns is None else time_text(found.from_ns)
    end = "the last record" if found.to_ns is None else time_text(found.to_ns)
    return f"from {begin} to {end}"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_plain(one) for one in row] for row in rows)
    return out.getvalue()


def _plain(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _cells(found: Statement, row: StatementRow) -> list[object]:
    amounts = [getattr(row, name) for name in AMOUNTS]
    return [
        row.kind.value,
        *_groups(found, row.group, BY),
        row.currency,
        row.symbol,
        *amounts,
        *_groups(found, row.group, ("assignment",)),
        row.turnover,
        row.round_trips,
        row.won,
        win_share(row),
        row.drawdown,
        None if row.drawdown_from_ns is None else time_text(row.drawdown_from_ns),
        None if row.drawdown_to_ns is None else time_text(row.drawdown_to_ns),
        row.drawdown_now,
    ]


def _groups(found: Statement, group: Sequence[str], by: Sequence[str]) -> list[str | None]:
    names = {one.value: name for one, name in zip(found.by, group, strict=False)}  # none of totals
    return [names.get(one) for one in by]


def _stories(found: Statement) -> list[str]:
    """Return how equity went, where that is known, and drawn where its points are kept."""
    curves = {(one.kind, one.group, one.currency): chart(one) for one in found.curves}
    rows = [one for one in (*found.rows, *found.totals) if has_story(one)]
    if not rows:
        return []
    names = [" ".join(name for name in _names(found, one) if name) for one in rows]
    drawn = [curves.get((one.kind, one.group, one.currency)) for one in rows]
    parts = ["\n", story_table(list(zip(names, rows, strict=True)))]
    if any(drawn):
        pairs = [(name, one) for name, one in zip(names, drawn, strict=True) if one is not None]
        parts += ["\n", table(("", "equity change"), pairs)]
    return parts


def _execution(row: ExecutionRow) -> list[object]:
    at_ns, *rest = msgspec.structs.astuple(row)
    return [time_text(at_ns), *rest]


def _rows_table(found: Statement) -> str:
    of_one = any(one.symbol is not None for one in found.rows)
    heads = [one.value for one in found.by] or [""]
    heads += ["currency", ">executions", ">bought", ">sold", ">realized", ">unrealized"]
    heads += [">gain", ">fees", ">net"]
    has_income = any(one.income for one in (*found.rows, *found.totals))
    if has_income:
        heads.append(">income")
    if of_one:
        heads += [">position", ">average cost", ">mark"]
    rows = []
    for one in (*found.rows, *found.totals):
        money = (one.bought, one.sold, one.realized, one.unrealized, one.gain, one.fees, one.net)
        row = [*_names(found, one), one.currency, one.executions, *map(_amount, money)]
        if has_income:
            row.append(_amount(one.income))
        if of_one:
            row += map(_amount, (one.position, one.average_cost, one.mark))
        rows.append(row)
    return table(heads, rows)


def _names(found: Statement, row: StatementRow) -> list[str]:
    names = [one or "-" for one in row.group] or [""] * max(1, len(found.by))
    kind = _KINDS.get(row.kind)
    if kind is not None:
        names[0] = kind if names[0] in ("", "-") else f"{kind} {names[0]}"
    return names


def _cash_table(found: Statement) -> str:
    heads = ["account", "currency", ">start", ">opened", ">traded", ">fees", ">external", ">end"]
    if any(one.income for one in found.cash):
        heads.append(">income")
    rows = [
        (one.account_id, one.currency, *map(_amount, msgspec.structs.astuple(one)[2 : len(heads)]))
        for one in found.cash
    ]
    return table(heads, rows)


def _actions_table(found: Statement) -> str:
    heads = ["at", "account", "symbol", "split or dividend", ">quantity", ">cash", "currency"]
    rows = [
        (
            time_text(one.at_ns),
            one.account_id,
            one.symbol,
            f"split {one.ratio}" if one.dividend is None else f"dividend {amount(one.dividend)}",
            *map(_amount, (one.quantity, one.cash)),
            one.currency,
            _amount(one.position),
        )
        for one in found.actions
    ]
    return table([*heads, ">position"], rows)


def _executions_table(found: Statement) -> str:
    heads = ["at", "account", "symbol", "order", "strategy", "side", ">quantity", ">price"]
    heads += [">value", ">fee", ">realized", ">position"]
    rows = [
        (
            time_text(one.at_ns),
            one.account_id,
            one.symbol,
            one.order_id,
            one.strategy or None,
            one.side.value,
            *map(_amount, (one.quantity, one.price, one.value, one.fee)),
            *map(_amount, (one.realized, one.position)),
        )
        for one in found.executions
    ]
    return table(heads, rows)


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else amount(value)
