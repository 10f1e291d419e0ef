"""Execution reports on the wire, and which refusals prove something."""

from decimal import Decimal

import msgspec
import pytest

from tandem.domain.ids import ClientOrderId, ExecutionId, Lots, Ticks, VenueOrderId
from tandem.domain.reports import (
    DEFINITE,
    Accepted,
    Canceled,
    ExecutionReport,
    Expired,
    Filled,
    RejectCode,
    Rejected,
)

C = ClientOrderId("c")
REPORTS: list[ExecutionReport] = [
    Accepted(client_order_id=C, venue_order_id=VenueOrderId("v")),
    Rejected(client_order_id=C, code=RejectCode.FUNDS, text="no money"),
    Filled(
        client_order_id=C,
        execution_id=ExecutionId("e"),
        quantity=Lots(3),
        price=Ticks(100),
        fee=Decimal("0.0100"),
        venue_at_ns=5,
    ),
    Canceled(client_order_id=C, cum_quantity=Lots(1)),
    Expired(client_order_id=C, cum_quantity=Lots(0)),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_is_known_by_its_tag_and_read_back_the_same(report: ExecutionReport) -> None:
    content = msgspec.msgpack.encode(report)
    again = msgspec.msgpack.decode(content, type=ExecutionReport)
    assert again == report
    assert msgspec.msgpack.encode(again) == content


def test_codes_that_say_nothing_about_the_order_are_not_definite() -> None:
    """F13, F14: everything that is not on the list leaves the attempt unknown."""
    assert set(RejectCode) - DEFINITE == {
        RejectCode.DUPLICATE_ID,
        RejectCode.NOT_LOGGED_IN,
        RejectCode.BUSY,
        RejectCode.OTHER,
    }
