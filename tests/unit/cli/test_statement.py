"""What `tandem statement` takes for its options, and what it says when they cannot be."""

import io
from pathlib import Path

import pytest

from tandem.cli.calling import BadInputError
from tandem.cli.statement import StatementOptions, asking, write_statement
from tandem.domain.errors import ConfigurationError
from tandem.domain.statements import CostMethod, GroupBy
from tandem.wiring.home import Home
from tandem.wiring.statements import Asking


def test_without_options_it_is_about_all_accounts_from_the_first_record() -> None:
    assert asking(StatementOptions()) == Asking(by=(GroupBy.ACCOUNT,), method=CostMethod.FIFO)


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("1970-01-02", 86_400_000_000_000),
        ("1970-01-01T00:00:01.000001", 1_000_001_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, at_ns: int) -> None:
    assert asking(StatementOptions(from_time=text)).from_ns == at_ns


def test_rows_can_be_about_several_things() -> None:
    found = asking(StatementOptions(by="strategy, account"))
    assert found.by == (GroupBy.STRATEGY, GroupBy.ACCOUNT)


def test_equity_over_time_is_traced_for_all_or_for_one() -> None:
    """B34."""
    found = asking(StatementOptions(by="assignment", equity=True))
    assert found.by == (GroupBy.ASSIGNMENT,)
    assert found.traces(("a",))
    one = Asking(by=(GroupBy.STRATEGY,), method=CostMethod.FIFO, traced=("a",))
    assert one.traces(("a",))
    assert not one.traces(())
    assert not asking(StatementOptions()).traces(())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (StatementOptions(by="colour"), "--by 'colour': expected some of account, instrument"),
        (StatementOptions(by="account,account"), "each once"),
        (StatementOptions(from_time="noon"), "--from 'noon': expected a time such as 2018-04-05"),
        (StatementOptions(to_time="2025-13-01"), "--to '2025-13-01': expected a time"),
        (
            StatementOptions(from_time="2025-01-02", to_time="2025-01-02"),
            "--from 2025-01-02 is not before --to 2025-01-02",
        ),
        (StatementOptions(json=True, format="csv"), "--json and --format csv"),
        (StatementOptions(executions=True, cash=True, format="csv"), "one kind of rows"),
        (
            StatementOptions(equity=True, cash=True, format="csv"),
            "--cash and --equity: one CSV file has one kind of rows",
        ),
        (
            StatementOptions(equity=True, by="account,order"),
            "--equity with --by order: equity over time is kept of accounts",
        ),
    ],
)
def test_what_cannot_be_is_named(options: StatementOptions, text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=text):
        write_statement(Home(tmp_path), options, io.StringIO())


def test_a_home_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no journal"):
        write_statement(Home(tmp_path), StatementOptions(), io.StringIO())
