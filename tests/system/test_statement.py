"""Statements of a real pool, against the books of the exchange that it traded at."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tandem.core.matching.exchange import Exchange
from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange
from tests.system.running import pool, stop, tandem

SETTINGS = 'maker_fee = "-0.0001"\ntaker_fee = "0.0013"\n'


def ran(*arguments: object) -> str:
    code, out, err = tandem(*arguments)
    assert code == 0, out + err
    return out


def rows(*arguments: object) -> list[dict[str, str]]:
    text = ran("statement", "--format", "csv", *arguments)
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exchange, str]:
    """A home in which a pool has traded, its exchange's books, and a statement while it ran."""
    home = tmp_path_factory.mktemp("statement") / "home"
    home.mkdir(mode=0o700)
    (home / "tandem.toml").write_text(SETTINGS, encoding="utf-8")
    with pool(home) as process:
        for side, quantity in (("buy", 83), ("sell", 41), ("sell", 97)):
            ran("order", side, "TSLA", quantity, "--wait", "--home", home)
        ran(
            "order",
            "pair",
            "TSLA",
            "MSFT",
            8,
            "--buy",
            660,
            "--sell",
            240,
            "--wait",
            "--home",
            home,
        )
        ran("algo", "twap", "buy", "GE", 40, "--for", "1s", "--slices", 2, "--strategy", "slow",
            "--wait", "--home", home)  # fmt: skip
        while_running = ran("statement", "--by", "strategy", "--home", home)
        code, _, err = stop(process)
        assert code == 0, err
    return home, replayed_exchange(Home(home)), while_running


Traded = tuple[Path, Exchange, str]


def test_cash_and_positions_are_the_exchanges_to_the_last_digit(traded: Traded) -> None:
    """A10 A30 I5 I6: of every account, currency and instrument, fees and rebates included."""
    home, exchange, _ = traded
    cash = {(one["account"], one["currency"]): one for one in rows("--cash", "--home", home)}
    positions = {
        (one["account"], one["instrument"]): Decimal(one["position"])
        for one in rows("--by", "account,instrument", "--home", home)
        if one["kind"] == "group"
    }
    lot = {one.instrument_id: one.lot_size for one in exchange.state.settings.instruments}
    for account in exchange.state.accounts:
        name = account.settings.account_id
        for currency, amount in account.cash.items():
            assert Decimal(cash[name, currency]["end"]) == amount
        for key, lots in account.positions.items():
            assert positions.get((name, key), 0) == lots * lot[key]
    paid = {"USD": Decimal(0), "USDT": Decimal(0)}
    for (_, currency), row in cash.items():
        paid[currency] += Decimal(row["fees"])
    assert paid["USD"] == exchange.state.fees["USD"] > 0


def test_executions_are_the_exchanges_own(traded: Traded) -> None:
    """I5: the same ids, prices and fees; nothing is missing, and nothing stands twice."""
    home, exchange, _ = traded
    ours = {
        one["execution"]: (one["account"], one["client_order"], Decimal(one["fee"]))
        for one in rows("--executions", "--home", home)
    }
    theirs = {
        one.fill.execution_id: (
            account.settings.account_id,
            one.fill.client_order_id,
            one.fill.fee,
        )
        for account in exchange.state.accounts
        for one in account.executions
    }
    assert ours == theirs


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_rows_sum_to_the_total_whatever_they_are_about(traded: Traded, method: str) -> None:
    """A10 C3 B34."""
    home, _, _ = traded
    nets = set()
    for by in ("account", "instrument", "order", "parent", "strategy", "account,strategy"):
        found = rows("--by", by, "--method", method, "--home", home)
        for name in ("executions", "bought", "sold", "realized", "unrealized", "fees", "net"):
            parts = sum(Decimal(one[name]) for one in found if one["kind"] != "total")
            whole = [Decimal(one[name]) for one in found if one["kind"] == "total"]
            assert parts == sum(whole), (by, name)
        nets.add(tuple(one["net"] for one in found if one["kind"] == "total"))
    assert len(nets) == 1


def test_a_pair_is_one_order_and_an_algorithm_counts_under_its_strategy(traded: Traded) -> None:
    """C3."""
    home, _, while_running = traded
    pairs = [one for one in rows("--by", "order", "--home", home) if not one["symbol"]]
    executions = [one["executions"] for one in pairs if one["kind"] == "group"]
    assert executions == ["8"]  # four accounts a leg
    (slow,) = [one for one in rows("--by", "strategy", "--home", home) if one["strategy"]]
    assert (slow["strategy"], slow["symbol"], slow["bought_quantity"]) == ("slow", "GE", "40")
    assert "ledger balanced\n" in while_running


def test_a_span_without_a_trade_has_no_gain_and_a_file_is_written_whole(traded: Traded) -> None:
    home, _, _ = traded
    target = home / "statement.json"
    ran("statement", "--from", "2199-01-01", "--json", "--out", target, "--home", home)
    found = json.loads(target.read_text(encoding="utf-8"))
    assert [one["net"] for one in found["totals"]] == ["0"] * len(found["totals"])
    assert not list(home.glob("*.new"))


def test_what_cannot_be_ends_with_code_2(traded: Traded) -> None:
    home, _, _ = traded
    code, out, err = tandem("statement", "--by", "colour", "--home", home)
    assert (code, out) == (2, "")
    assert "expected some of account" in err
    code, _, err = tandem("statement", "--out", home / "no" / "file", "--home", home)
    assert code == 2
    assert "No such file" in err


def test_the_report_of_the_run_adds_up(traded: Traded) -> None:
    """A10 A14 C1: from both journals alone."""
    home, _, _ = traded
    found = json.loads(ran("report", "--json", "--home", home))
    assert (found["balanced"], found["differences"], found["own_trades"]) == (True, [], 0)
    assert [one["kind"] for one in found["algos"]] == ["twap"]
    assert all(one["slippage"] is not None for one in found["orders"])
    assert "own orders met: 0;" in ran("report", "--home", home)
