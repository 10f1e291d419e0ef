from typing import Any

import pytest

from tandem.domain.ids import InstrumentId
from tandem.domain.reports import RejectCode, Rejected
from tandem.domain.venue import VenueMessage
from tests.unit.core.matching.paper import BUY, NOON_NS, SELL, Paper, kinds


def code(messages: list[VenueMessage]) -> RejectCode:
    (message,) = messages
    assert isinstance(message, Rejected)
    return message.code


@pytest.mark.parametrize(
    ("quantity", "price", "changes", "expected"),
    [
        (1, 1_000, {"instrument_id": InstrumentId("paper:none")}, RejectCode.UNKNOWN_INSTRUMENT),
        (0, 1_000, {}, RejectCode.BAD_QUANTITY),
        (-5, 1_000, {}, RejectCode.BAD_QUANTITY),
        (2**53, 1_000, {}, RejectCode.BAD_QUANTITY),
        (1, 0, {}, RejectCode.BAD_PRICE),
        (1, -1, {}, RejectCode.BAD_PRICE),
        (1, 2**53, {}, RejectCode.BAD_PRICE),
        (1, None, {}, RejectCode.NO_LIQUIDITY),
        (1, None, {"post_only": True}, RejectCode.WOULD_TAKE),
        (10_001, 1_000, {}, RejectCode.FUNDS),
        (1, 1_000, {"expires_at_ns": NOON_NS}, RejectCode.EXPIRED_REQUEST),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_name(
    quantity: int, price: int | None, changes: dict[str, Any], expected: RejectCode
) -> None:
    paper = Paper()
    assert code(paper.place("A1-1", BUY, quantity, price, **changes)) is expected
    assert paper.book() == []
    assert paper.held("A1") == 0


def test_an_id_that_is_too_long_and_one_order_too_many_are_refused() -> None:
    paper = Paper(open_orders_max=2)
    assert code(paper.place("A1-" + "x" * 200, BUY, 1, 100)) is RejectCode.OTHER
    paper.place("A1-1", BUY, 1, 100)
    paper.place("A1-2", BUY, 1, 100)
    assert code(paper.place("A1-3", BUY, 1, 100)) is RejectCode.OTHER
    paper.cancel("A1-1")
    assert kinds(paper.place("A1-3", BUY, 1, 100)) == ["Accepted"]


def test_open_orders_hold_positions_too() -> None:
    paper = Paper()
    assert kinds(paper.place("A1-1", SELL, 1_000, 1_000)) == ["Accepted"]
    assert code(paper.place("A1-2", SELL, 1, 1_000)) is RejectCode.POSITION
    paper.cancel("A1-1")
    assert kinds(paper.place("A1-2", SELL, 1_000, 1_000)) == ["Accepted"]


def test_a_request_expires_by_venue_time_on_class_a_only() -> None:
    paper = Paper()
    assert kinds(paper.place("A1-1", BUY, 1, 100, expires_at_ns=NOON_NS * 2)) == ["Accepted"]
    late = {"expires_at_ns": NOON_NS + paper.now_ns}
    assert code(paper.place("A1-2", BUY, 1, 100, **late)) is RejectCode.EXPIRED_REQUEST
    assert kinds(paper.place("U1-2", BUY, 1, 100, **late)) == ["Accepted"]
    assert kinds(paper.place("N1-2", BUY, 1, 100, **late)) == ["Accepted"]


@pytest.mark.parametrize("name", ["A1-1", "N1-1"])
def test_classes_a_and_c_refuse_an_id_while_it_is_open(name: str) -> None:
    paper = Paper()
    paper.place(name, BUY, 1, 100)
    assert code(paper.place(name, BUY, 1, 100)) is RejectCode.DUPLICATE_ID
    paper.cancel(name)
    assert kinds(paper.place(name, BUY, 1, 100)) == ["Accepted"]


def test_class_b_refuses_a_used_id_for_ever_but_not_one_that_was_refused() -> None:
    """The used id stays refused when the order itself is long forgotten."""
    paper = Paper(final_orders_kept=1)
    assert code(paper.place("U1-1", BUY, 0, 100)) is RejectCode.BAD_QUANTITY
    paper.place("U1-1", BUY, 1, 100)
    assert code(paper.place("U1-1", BUY, 1, 100)) is RejectCode.DUPLICATE_ID
    paper.cancel("U1-1")
    for number in range(2, 100):
        paper.place(f"U1-{number}", BUY, 1, 100)
        paper.cancel(f"U1-{number}")
    assert "U1-1" not in paper.account("U1").numbers
    assert code(paper.place("U1-1", BUY, 1, 100)) is RejectCode.DUPLICATE_ID
