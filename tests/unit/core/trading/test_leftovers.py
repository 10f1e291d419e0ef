"""What an ended attempt left: tried again, or meant to end so."""

import pytest

from tandem.core.trading.state import Attempt, Outcome, Parent
from tandem.domain.ids import Ticks
from tandem.domain.order import TimeInForce
from tandem.domain.parents import SelfTrade
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.desk_driver import Floor


def one_order(**rest: object) -> tuple[Floor, Parent, Attempt]:
    floor = Floor().open()
    price = rest.pop("price", 1_000)
    parent = floor.buy(10, price, slots=("s1", "s2"), **rest)  # type: ignore[arg-type]
    return floor, parent, floor.attempts(parent)[0]


def test_what_the_venue_canceled_by_itself_is_tried_again() -> None:
    """C4."""
    floor, parent, attempt = one_order()
    floor.accept(attempt)
    floor.canceled(attempt, 0)
    assert len(parent.attempts) == 3


@pytest.mark.parametrize(
    "rest",
    [
        {"time_in_force": TimeInForce.IMMEDIATE_OR_CANCEL},
        {"time_in_force": TimeInForce.FILL_OR_KILL},
        {"price": None},
    ],
)
def test_what_was_to_trade_at_once_ends_with_what_traded(rest: dict[str, object]) -> None:
    floor, parent, attempt = one_order(**rest)
    floor.canceled(attempt, 0)
    assert len(parent.attempts) == 2


def test_a_stop_that_was_canceled_before_it_traded_still_protects() -> None:
    """A7: without a limit, too; once it traded it is as over as a market order."""
    floor, parent, attempt = one_order(price=None, stop_price=Ticks(1_050))
    floor.canceled(attempt, 0)
    again = floor.attempts(parent)[2]
    assert again.order.stop_price == 1_050
    floor.fill(again, 2)
    floor.canceled(again)
    assert len(parent.attempts) == 3


def test_what_expired_by_its_time_in_force_ended_as_it_was_meant_to() -> None:
    floor, parent, attempt = one_order()
    floor.expired(attempt, 0)
    assert len(parent.attempts) == 2


def test_what_a_person_wanted_to_end_is_not_tried_again() -> None:
    floor, parent, attempt = one_order()
    floor.cancel(parent.parent_id)
    floor.rejected(attempt)
    floor.canceled(floor.attempts(parent)[1])
    assert parent.outcome is Outcome.CANCELED


def test_a_refused_slot_is_not_tried_again_and_one_that_came_late_is() -> None:
    floor, parent, attempt = one_order()
    floor.rejected(attempt, RejectCode.EXPIRED_REQUEST)
    assert parent.refused_slots == []
    floor.rejected(floor.attempts(parent)[2], RejectCode.CLOSED)
    assert parent.refused_slots == ["s1"]
    moved = floor.attempts(parent)[3]
    assert moved.slot_id == "s2"
    floor.rejected(moved, RejectCode.CLOSED)
    floor.rejected(floor.attempts(parent)[1], RejectCode.CLOSED)
    assert parent.refused_slots == ["s1", "s2"]


def test_late_fills_take_from_the_oldest_piece_what_there_is_room_for() -> None:
    """I1."""
    floor, parent, first = one_order()
    second = floor.attempts(parent)[1]
    floor.quote(3_000)
    floor.rejected(first)
    floor.rejected(second)
    assert [(one.child, one.quantity) for one in parent.pieces] == [(0, 5), (1, 5)]
    floor.fill(first, 2)
    assert [(one.child, one.quantity) for one in parent.pieces] == [(0, 5), (1, 3)]
    floor.fill(second, 4)
    assert [(one.child, one.quantity) for one in parent.pieces] == [(0, 4)]


def test_only_what_stood_in_its_way_wakes_an_order_that_waits() -> None:
    """C1: neither its own side, nor another symbol, nor a price that it does not reach."""
    floor = Floor().open()
    others = [
        floor.attempts(floor.sell(5, 1_009, slots=("s3",)))[0],
        floor.attempts(floor.buy(5, 900, slots=("s3",)))[0],
        floor.attempts(floor.sell(5, 1_001, slots=("s3",), symbol="U"))[0],
    ]
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    new = floor.buy(4, 1_002, slots=("s2",), self_trade=SelfTrade.CANCEL_RESTING)
    for other in others:
        floor.canceled(other)
        assert new.attempts == []
    floor.canceled(resting)
    assert len(new.attempts) == 1
