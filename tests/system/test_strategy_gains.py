"""How a strategy's equity went, from a running pool and from its journal afterwards."""

import asyncio
import csv
import io
import json
from decimal import Decimal
from pathlib import Path

from tandem.wiring.home import Home
from tests.system.running import pool, stop, tandem
from tests.system.test_strategies import MARKET, WITH, assign_paper, wait_until_decided


def ran(*arguments: object) -> str:
    code, out, err = tandem(*arguments)
    assert code == 0, out + err
    return out


def rows(*arguments: object) -> list[dict[str, str]]:
    text = ran("statement", "--format", "csv", *arguments)
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_equity_of_a_strategy_is_the_same_while_it_runs_and_from_its_journal(
    tmp_path: Path,
) -> None:
    """B3 B34: per strategy, assignment, account and person, beside what is traded by hand."""
    home = Home(tmp_path / "home")
    with pool(home.folder, "--workers", 3, *MARKET, *WITH) as process:
        asyncio.run(assign_paper(home))
        ran("order", "buy", "BTCUSD", "0.02", "--wait", "--home", home.folder)
        wait_until_decided(home, 14)
        shown = ran("strategy", "show", "paper-1", "--home", home.folder)
        assert "\nequity change: " in shown
        assert "\ndrawdown: " in shown
        wait_until_decided(home, 18)
        listed = ran("strategy", "list", "--symbol", "BTCUSD", "--home", home.folder)
        assert "paper-1" in listed
        shown = json.loads(ran("strategy", "list", "--json", "--home", home.folder))
        (evaluated,) = shown["evaluated"]
        assert evaluated["assignment_id"] == "paper-1"
        assert evaluated["end_ns"] >= (shown["assignments"][0]["end_ns"] or 0)
        middle = rows("--by", "assignment", "--equity", "--home", home.folder)
        code, out, err = stop(process)
        assert code == 0, out + err
    at = [one["at"] for one in middle if one["assignment"] == "paper-1"]
    before = [one for one in middle if one["at"] < at[-1]]
    after = rows("--by", "assignment", "--equity", "--home", home.folder)
    assert [one for one in after if one["at"] < at[-1]] == before
    assert len(at) > 4

    text = ran("strategy", "show", "paper", "--equity", "--json", "--home", home.folder)
    (row,) = json.loads(text)["rows"]
    for by in ("assignment", "strategy"):
        found = rows("--by", by, "--home", home.folder)
        (own,) = [one for one in found if one[by].startswith("paper")]
        names = ("net", "drawdown", "drawdown_now", "round_trips", "won", "turnover")
        assert [own[name] for name in names] == [str(row[name]) for name in names]
        assert Decimal(own["drawdown"]) > 0
        whole = [Decimal(one["net"]) for one in found if one["kind"] == "total"]
        assert sum(Decimal(one["net"]) for one in found if one["kind"] != "total") == sum(whole)
    curve = json.loads(text)["curves"][0]["points"]
    assert curve[-1]["equity"] == row["net"]
    assert max(Decimal(one["drawdown"]) for one in curve) == Decimal(row["drawdown"])

    cut = [one["at"] for one in after if one["assignment"] == "paper-1"][len(at) // 2]
    parts = []
    for span in (("--to", cut), ("--from", cut)):
        found = rows("--by", "strategy", *span, "--home", home.folder)
        parts += [one for one in found if one["strategy"] == "paper"]
    assert sum(Decimal(one["net"]) for one in parts) == Decimal(row["net"])
    assert sum(int(one["round_trips"]) for one in parts) == row["round_trips"]
    assert max(Decimal(one["drawdown"]) for one in parts) <= Decimal(row["drawdown"])

    code, _, err = tandem("strategy", "show", "papre", "--equity", "--home", home.folder)
    assert code == 2
    assert "no strategy or assignment 'papre' has traded; strategies that have: paper" in err
