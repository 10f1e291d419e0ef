"""The example session: four algorithms at once on recorded data, over six accounts."""

from pathlib import Path

from tandem.core.matching.state import Execution
from tandem.wiring.home import Home
from tandem.wiring.journals import replayed_exchange
from tests.system.running import ROOT, tandem
from tests.system.verdict import met

HANDS = ROOT / "examples" / "hands.toml"


def test_four_algorithms_trade_at_once_and_no_own_order_meets_another(tmp_path: Path) -> None:
    """A11, A14, A30, C1, C3: judged by the exchange's own journal."""
    home = tmp_path / "home"
    code, out, err = tandem("session", "run", HANDS, "--speed", 60, "--home", home)
    assert code == 0, out + err
    for kind in ("make_market", "twap", "iceberg", "bracket"):
        assert any(f" {kind} " in line and " done" in line for line in out.splitlines()), kind
    assert "cash and positions equal the exchange's own books to the last digit" in out
    assert "own orders met: 0;" in out
    accounts = replayed_exchange(Home(home)).state.accounts
    records = [record for one in accounts for record in one.records.values()]
    executions: dict[str, Execution] = {
        one.fill.execution_id: one for it in accounts for one in it.executions
    }
    assert len(executions) > 20
    assert all(record.status is not None for record in records)
    assert not any(record.prevented for record in records)
    assert met(executions) == 0
