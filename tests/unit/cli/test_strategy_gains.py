"""What a strategy or an assignment has gained, as `tandem strategy show` says it."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tandem.cli.strategy_gains import Gains, gains_in, gains_lines, gains_of, write_gains
from tandem.domain.errors import ConfigurationError
from tandem.domain.order import Side
from tandem.domain.statements import GroupBy, Statement
from tandem.wiring.home import Home
from tests.unit.core.trading.counted import Counted, Followed


def traded() -> Statement:
    pool = Counted()
    books = Followed(pool.floor, GroupBy.STRATEGY)
    pool.trade(Side.BUY, 10, 1_000, strategy="trend")
    pool.floor.quote(1_020)
    books.minute()
    pool.trade(Side.SELL, 10, 1_010, strategy="trend")
    return books.statement()


def written(gains: Gains, *, as_json: bool = False) -> str:
    out = io.StringIO()
    assert write_gains(gains, out, as_json=as_json) == 0
    return out.getvalue()


def test_a_strategy_is_shown_with_its_drawdown_and_trades() -> None:
    """B34."""
    lines = written(gains_in(traded(), "trend")).splitlines()
    assert lines[0] == "strategy trend"
    assert lines[1] == "equity change: 0.98 USD, fees 0.02"
    assert lines[2].startswith("drawdown: 1.01 at most from 1970-01-01 00:00:00")
    assert lines[3] == "trades: 1 over, 100.0 % won, turnover 201"
    assert lines[4].startswith("over time: 0 ")


def test_json_has_every_digit_and_every_change() -> None:
    shown = json.loads(written(gains_in(traded(), "trend"), as_json=True))
    assert (shown["by"], shown["name"]) == ("strategy", "trend")
    assert Decimal(shown["rows"][0]["net"]) == Decimal("0.98")
    assert [Decimal(one["equity"]) for one in shown["curves"][0]["points"]] == [
        Decimal(0),
        Decimal("1.99"),
        Decimal("0.98"),
    ]


def test_who_has_not_traded_has_no_gain() -> None:
    assert gains_lines(gains_in(traded(), "nobody")) == ["equity change: none, it has not traded"]


def test_a_home_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no journal"):
        gains_of(Home(tmp_path), "trend")
