"""A statement as people and machines read it; the CSV of a recorded session, byte for byte."""

import csv
import io
import json
from pathlib import Path

import pytest

from tandem.cli.statement_text import (
    cash_csv,
    equity_csv,
    executions_csv,
    rows_csv,
    statement_json,
    statement_text,
    time_text,
)
from tandem.domain.order import Side
from tandem.domain.statements import GroupBy, Statement
from tests.unit.core.trading.counted import Counted, Followed

GOLDEN = Path(__file__).parents[2] / "golden"
BUY, SELL = Side.BUY, Side.SELL


def played() -> Counted:
    """Trade two strategies on two accounts; A2 has no fees, and its strategy an odd name."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="trend")
    pool.trade(SELL, 4, 1_010, strategy="trend", fee="-0.002")
    pool.trade(SELL, 3, 1_005, strategy='"odd", name', slots=("s2",), fee="0")
    pool.floor.quote(1_004)
    return pool


def of(*by: GroupBy) -> Statement:
    return played().statement(*by)


def followed(*by: GroupBy) -> Statement:
    """The same, looked at minute by minute; what `trend` left is sold with a loss."""
    pool = Counted()
    books = Followed(pool.floor, *by)
    books.at_ns = 1_700_000_000_000_000_000
    books.accounting.begin(pool.floor.desk, books.at_ns)
    pool.trade(BUY, 10, 1_000, strategy="trend")
    pool.trade(SELL, 4, 1_010, strategy="trend", fee="-0.002")
    pool.trade(SELL, 3, 1_005, strategy='"odd", name', slots=("s2",), fee="0")
    books.minute()
    pool.floor.quote(1_004)
    books.minute()
    pool.trade(SELL, 6, 990, strategy="trend")
    pool.floor.quote(1_003)
    return books.statement()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("statement.csv", rows_csv(followed(GroupBy.STRATEGY, GroupBy.ACCOUNT))),
        ("statement_cash.csv", cash_csv(of(GroupBy.ACCOUNT))),
        ("statement_executions.csv", executions_csv(of(GroupBy.ACCOUNT))),
        ("statement_equity.csv", equity_csv(followed(GroupBy.STRATEGY))),
        ("statement.txt", statement_text(of(GroupBy.STRATEGY), executions=True)),
        ("statement_equity.txt", statement_text(followed(GroupBy.STRATEGY), executions=False)),
    ],
)
def test_a_statement_is_written_as_it_always_was(name: str, text: str) -> None:
    """A30: columns, digits and line ends are what other programs rely on."""
    assert text == (GOLDEN / name).read_bytes().decode()


def test_csv_is_read_back_as_it_was_meant() -> None:
    found = of(GroupBy.STRATEGY)
    rows = list(csv.DictReader(io.StringIO(rows_csv(found), newline=""), strict=True))
    names = [one["strategy"] for one in rows if one["kind"] == "group"]
    assert names == ["trend", '"odd", name']
    assert [one["kind"] for one in rows] == ["group", "group", "rest", "total"]


def test_json_has_executions_only_when_asked() -> None:
    found = of(GroupBy.STRATEGY)
    assert json.loads(statement_json(found, executions=False))["executions"] == []
    whole = json.loads(statement_json(found, executions=True))
    assert len(whole["executions"]) == 3
    assert whole["totals"][0]["net"] == format(found.totals[0].net or 0, "f")
    assert whole["by"] == ["strategy"]


def test_a_ledger_that_does_not_balance_is_said_loudly() -> None:
    pool = played()
    pool.floor.state.ledger.accounts["A1"].cash["USD"] += 1
    assert statement_text(pool.statement(), executions=False).endswith(
        "THE LEDGER DOES NOT BALANCE\n"
    )


def test_a_total_alone_has_its_row() -> None:
    assert "\ntotal  USD" in statement_text(of(), executions=False)


def test_assignments_have_a_column_behind_the_others() -> None:
    found = followed(GroupBy.ASSIGNMENT)
    (row, *_) = csv.DictReader(io.StringIO(rows_csv(found), newline=""), strict=True)
    assert (row["assignment"], row["strategy"]) == ("", "")
    assert "assignment" in equity_csv(found)


def test_times_have_every_digit() -> None:
    assert time_text(1_700_000_000_000_000_001) == "2023-11-14T22:13:20.000000001Z"


def test_splits_and_dividends_have_a_table_and_income_a_column() -> None:
    """A29 A30."""
    pool = played()
    pool.act("T", 3, 1)
    pool.floor.quote(334)
    pool.act("T", dividend="0.5")
    text = statement_text(pool.statement(GroupBy.STRATEGY), executions=False)
    assert text.count("income") == 2
    assert text.count("split 3:1") == text.count("dividend 0.5") == 4
