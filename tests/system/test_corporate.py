"""A split and a dividend at the exchange of a real pool."""

import json
from decimal import Decimal
from pathlib import Path

from tests.system.running import pool, tandem, wait_for


def _positions(home: Path) -> dict[str, dict[str, object]]:
    code, out, err = tandem("positions", "--home", home, "--json")
    assert code == 0, out + err
    held = json.loads(out)["positions"]
    return {one["account_id"]: one for one in held if one["symbol"] == "GE"}


def test_a_split_and_a_dividend_reach_every_account_and_nobody_takes_them_for_trades(
    tmp_path: Path,
) -> None:
    """A29 A30 I6: through a restart of the exchange's journal and the desk's statement."""
    home = tmp_path / "home"
    with pool(home):
        assert tandem("order", "buy", "GE", 16, "--home", home, "--wait")[0] == 0
        assert tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)[0] == 0
        before = _positions(home)
        code, out, err = tandem("paper", "split", "GE", "2:1", "--home", home)
        assert code == 0, out + err
        wait_for(home, lambda one: one.counters.get("splits_booked", 0) == 8)
        status = wait_for(home, lambda one: not any(slot.open_orders for slot in one.slots))
        assert not status.external
        after = _positions(home)
        for account, one in after.items():
            assert Decimal(str(one["quantity"])) == 2 * Decimal(str(before[account]["quantity"]))
        code, out, err = tandem("paper", "dividend", "GE", "0.50", "--home", home)
        assert code == 0, out + err
        wait_for(home, lambda one: one.counters.get("dividends_booked", 0) == 8)
        assert all(Decimal(str(one["income"])) > 0 for one in _positions(home).values())
        code, out, err = tandem("paper", "split", "GE", "2", "--home", home)
        assert (code, "expected new units for old ones" in err) == (2, True)
        code, out, err = tandem("paper", "dividend", "GE", "much", "--home", home)
        assert (code, "expected one such as 0.25" in err) == (2, True)
        code, out, err = tandem("paper", "split", "GE", "2:2", "--home", home)
        assert (code, "refused: expected a split or a dividend" in out) == (1, True)
        wait_for(home, lambda one: one.counters.get("audits_alike", 0) > 0)
    code, out, err = tandem("statement", "--home", home, "--json")
    assert code == 0, out + err
    told = json.loads(out)
    assert len(told["actions"]) == 16
    assert told["balanced"]
    code, out, err = tandem("report", "--home", home)
    assert code == 0, out + err
