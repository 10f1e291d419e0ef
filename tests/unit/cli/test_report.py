"""The report of a run as people read it."""

from decimal import Decimal
from typing import Any

import pytest

from tandem.cli.report import adds_up, chart, report_text
from tandem.domain.ids import InstrumentId, ParentId
from tandem.domain.order import Side
from tandem.domain.run_report import Inventory, MostShown, RunOrder
from tandem.wiring.run_report import RunReport

T = InstrumentId("T@X")


def inventory(*quantities: int) -> Inventory:
    return Inventory(
        instrument_id=T,
        at_ns=tuple(range(len(quantities))),
        quantities=tuple(map(Decimal, quantities)),
    )


def run(**changes: Any) -> RunReport:
    order = RunOrder(
        order_id=ParentId("d-1"),
        owner=None,
        symbol="T",
        side=Side.BUY,
        quantity="10",
        filled="10",
        value=Decimal("100.5"),
        fees=Decimal("0.01"),
        arrival=Decimal(10),
        slippage=Decimal("0.5"),
        state="filled",
    )
    fields: dict[str, Any] = {
        "records": 7,
        "orders": (order,),
        "algos": (),
        "most_shown": (MostShown(instrument_id=T, quantity="12", at_ns=10**9),),
        "inventories": (inventory(10, -4),),
        "balanced": True,
        "differences": (),
        "own_trades": 0,
        "counters": {
            "refused_self_trade": 1,
            "targets_refused_self_trade": 1,
            "fills": 9,
        },
        "journal_bytes": {"coordinator": 12_345, "exchange": 6},
    }
    return RunReport(**(fields | changes))


def test_a_report_has_orders_sizes_inventory_and_proofs() -> None:
    """A10 A14 C1."""
    lines = report_text(run(), limit=5, width=80).splitlines()
    assert lines[1].split() == [
        "d-1",
        "-",
        "T",
        "buy",
        "10",
        "10",
        "100.5",
        "0.01",
        "10",
        "0.5",
        "filled",
    ]
    assert "T@X                        12  1970-01-01T00:00:01.000000000Z" in lines
    assert "own orders met: 0; refused because they could: 2" in lines
    assert "ledger balanced" in lines
    assert "cash and positions equal the exchange's own books to the last digit" in lines
    assert any(one.startswith("journals: coordinator 12,345 bytes, exchange 6") for one in lines)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"balanced": False}, "THE LEDGER DOES NOT BALANCE"),
        ({"differences": ("A1 USD: 1, at the exchange 2",)}, "  A1 USD: 1, at the exchange 2"),
        ({"own_trades": 1}, "own orders met: 1; refused because they could: 2"),
    ],
)
def test_what_does_not_add_up_is_said(changes: dict[str, Any], text: str) -> None:
    found = run(**changes)
    assert text in report_text(found, limit=5, width=80).splitlines()
    assert not adds_up(found)
    assert adds_up(run())


def test_only_the_latest_orders_are_listed() -> None:
    assert "d-1" not in report_text(run(), limit=0, width=80)


def test_a_chart_goes_from_the_lowest_to_the_highest() -> None:
    line = chart(inventory(0, 7, -7, 0), width=54)
    low, bars, high = line.split()[1:]
    assert (low, high) == ("-7", "7")
    assert len(bars) == 10
    assert {"▁", "█"} <= set(bars)


def test_one_trade_alone_has_a_chart() -> None:
    assert chart(inventory(5), width=54).split()[2] == "█" * 10
