"""The judge of the chaos runs sees what it is there for."""

from decimal import Decimal
from pathlib import Path

from tandem.core.matching.state import Execution
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots, Ticks
from tandem.domain.reports import Filled
from tests.system.running import tandem
from tests.system.verdict import judge, met


def test_what_is_missing_or_there_twice_is_seen(tmp_path: Path) -> None:
    """I1, I2: the same trades, judged by lists that asked for more, less or something else."""
    traded = tmp_path / "traded.txt"
    traded.write_text("T buy 10 ALL\nGE sell 20 w1\n", encoding="utf-8")
    home = tmp_path / "home"
    code, out, err = tandem("trade", traded, "--home", home)
    assert code == 0, out + err
    assert judge(home, traded).is_good

    def judged(text: str) -> tuple[int, int]:
        other = tmp_path / "other.txt"
        other.write_text(text, encoding="utf-8")
        verdict = judge(home, other)
        assert not verdict.is_good
        return verdict.lost, verdict.repeated

    assert judged("T buy 13 ALL\nGE sell 20 w1\n") == (3, 0)
    assert judged("T buy 10 ALL\nGE sell 19 w1\n") == (0, 1)
    assert judged("T sell 10 ALL\nGE sell 20 w1\n") == (10, 10)
    assert judged("T buy 10 ALL\n") == (0, 20)


def _execution(number: int, lots: int, cash: str) -> Execution:
    execution_id = ExecutionId(f"paper-E{number}")
    fill = Filled(
        client_order_id=ClientOrderId(f"d1-{number}-1-1"),
        execution_id=execution_id,
        quantity=Lots(abs(lots)),
        price=Ticks(100),
        fee=Decimal(0),
        venue_at_ns=5,
    )
    return Execution(5, InstrumentId("paper:T"), Decimal(cash), lots, fill)


def test_two_own_orders_that_met_are_seen() -> None:
    """C1: one trade, both sides of it ours."""

    def count(*executions: Execution) -> int:
        return met({one.fill.execution_id: one for one in executions})

    assert count(_execution(1, 5, "-5"), _execution(2, -5, "5")) == 1
    assert count(_execution(1, 5, "-5"), _execution(2, 5, "-5")) == 0
    assert count(_execution(1, 5, "-5"), _execution(3, -5, "5")) == 0
