"""Where an order on a symbol can go."""

from typing import Any

from tandem.core.trading.destinations import (
    eligible,
    instrument_at,
    listed_at,
    quantity_text,
)
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import SlotId
from tests.unit.core.trading.desk_driver import Floor, X, Y, instrument, settings_of, two_markets


def turn_of(floor: Floor) -> Turn:
    return Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)


def slots(*names: str) -> tuple[SlotId, ...]:
    return tuple(SlotId(one) for one in names)


def found(floor: Floor, symbol: str = "T", *wanted: str) -> Any:
    places = eligible(turn_of(floor), symbol, slots(*wanted))
    if isinstance(places, Refused):
        return (places.reason, places.text)
    return [seat.slot_id for seat, _ in places]


def test_it_goes_to_all_that_list_it_in_the_pool_s_order_or_to_those_named() -> None:
    floor = Floor().open()
    assert found(floor) == ["s1", "s2", "s3", "s4"]
    assert found(floor, "T", "s3", "s1") == ["s1", "s3"]
    assert found(floor, "T", "s2") == ["s2"]
    assert found(floor, "T", "s9") == (RefusalReason.UNKNOWN_SLOT, "no slot s9 trades")
    assert found(floor, "NONE") == (RefusalReason.UNKNOWN_SYMBOL, "no venue lists NONE")


def test_a_quantity_is_written_as_the_venue_of_its_slots_writes_it() -> None:
    listed = (instrument("T", X, "mx", lot="0.001"), instrument("T", Y, "my", lot="10"))
    turn = turn_of(Floor(two_markets(instruments=listed)).open())
    assert quantity_text(turn, "T", slots("x1"), 50) == "0.050"
    assert quantity_text(turn, "T", slots("y1"), 50) == "500"
    assert quantity_text(turn, "T", (), -50) == "-0.050"
    assert quantity_text(turn, "NONE", (), 50) == "50 lots"


def test_in_two_markets_it_must_be_said_which() -> None:
    floor = Floor(two_markets()).open()
    reason, text = found(floor)
    assert (reason, text) == (
        RefusalReason.NO_SLOT,
        "T is traded in mx:T and my:T: name the slots",
    )
    assert found(floor, "T", "x1", "x2") == ["x1", "x2"]


def test_what_is_named_must_be_free_and_what_is_not_named_is_left_out() -> None:
    floor = Floor(settings_of()).open()
    blocked = floor.state.seats["s2"].blocked
    floor.look_away()
    blocked["T@X"] = 1
    assert found(floor) == ["s1", "s3", "s4"]
    assert found(floor, "T", "s1", "s2") == (
        RefusalReason.BLOCKED,
        "T on A2: an order waits for a person",
    )


def test_an_instrument_is_that_of_the_first_slot_which_lists_it() -> None:
    floor = Floor(two_markets()).open()
    turn = turn_of(floor)
    assert getattr(listed_at(turn, "T", slots("gone", "y1", "x1")), "venue_id", None) == "Y"
    assert listed_at(turn, "T", slots("gone")) is None
    assert instrument_at(turn, "NONE", floor.state.seats["x1"]) is None
