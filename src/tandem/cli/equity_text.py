"""How equity went: a table, a small chart, and CSV of every change."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from tandem.cli.charts import steps
from tandem.cli.printing import amount, table
from tandem.cli.typed import moment_text
from tandem.domain.statements import EquityCurve, StatementRow

COLUMNS: Final = 40
_SHARE_STEP: Final = Decimal("0.0001")


def win_share(row: StatementRow) -> Decimal | None:
    """Return the share of round trips that gained, rounded to four digits: it is only shown."""
    if not row.round_trips or row.won is None:
        return None
    return (Decimal(row.won) / row.round_trips).quantize(_SHARE_STEP)


def has_story(row: StatementRow) -> bool:
    """Whether it was followed how the equity of this row went."""
    return row.drawdown is not None


def story_table(rows: list[tuple[str, StatementRow]]) -> str:
    """Return how the gains of rows came about, each under its name."""
    heads = ("", "currency", ">equity change", ">drawdown", "from", "to", ">now")
    return table(
        (*heads, ">trades", ">won", ">turnover"), [(name, *_cells(row)) for name, row in rows]
    )


def _cells(row: StatementRow) -> tuple[object, ...]:
    share = win_share(row)
    return (
        row.currency,
        _amount(row.net),
        _amount(row.drawdown),
        _moment(row.drawdown_from_ns),
        _moment(row.drawdown_to_ns),
        _amount(row.drawdown_now),
        row.round_trips,
        None if share is None else f"{share * 100:.1f} %",
        amount(row.turnover),
    )


def story_lines(rows: Sequence[StatementRow], curves: Sequence[EquityCurve]) -> list[str]:
    """Return the same of one group in words, a few lines for each of its currencies."""
    drawn = {one.currency: chart(one) for one in curves}
    lines = []
    for row in rows:
        change, fell, _, _, now, trips, share, turnover = _cells(row)[1:]
        lines.append(f"equity change: {change or 'not known'} {row.currency}, fees {row.fees:f}")
        when = ""
        if row.drawdown_from_ns is not None and row.drawdown_to_ns is not None:
            when = f" from {moment_text(row.drawdown_from_ns)} to {moment_text(row.drawdown_to_ns)}"
        lines.append(f"drawdown: {fell} at most{when}, {now or 'not known'} now")
        lines.append(f"trades: {trips} over, {share or '-'} won, turnover {turnover}")
        if row.currency in drawn:
            lines.append(f"over time: {drawn[row.currency]}")
    return lines


def chart(curve: EquityCurve) -> str:
    """Return a curve in blocks, between its lowest and its highest equity."""
    values = [one.equity for one in curve.points]
    drawn = steps([one.at_ns for one in curve.points], values, columns=COLUMNS)
    return f"{amount(min(values))} {drawn} {amount(max(values))}"


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else amount(value)


def _moment(at_ns: int | None) -> str | None:
    return None if at_ns is None else moment_text(at_ns)
