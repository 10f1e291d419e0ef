"""What everything that trades both sides shares."""

from tandem.core.trading import two_sided
from tandem.core.trading.state import Parent
from tandem.core.trading.turn import Rules, Turn
from tandem.domain.commands import RefusalReason, Refused
from tandem.domain.ids import CommandId, ParentId, SlotId
from tandem.domain.order import Side
from tandem.domain.parents import Split
from tests.unit.core.trading.desk_driver import Floor, settings_of


def turn_of(floor: Floor) -> Turn:
    floor.look_away()
    return Turn(floor.state, Rules(floor.settings), floor.now, floor.now_ns)


def test_of_each_two_slots_the_first_buys_and_the_second_sells() -> None:
    turn = turn_of(Floor().open())
    assert two_sided.half_of(turn, "T", (), Side.BUY) == ("s1", "s3")
    assert two_sided.half_of(turn, "T", (), Side.SELL) == ("s2", "s4")
    named = (SlotId("s4"), SlotId("s1"), SlotId("s2"))
    assert two_sided.half_of(turn, "T", named, Side.BUY) == ("s4", "s2")
    assert two_sided.half_of(turn, "T", named, Side.SELL) == ("s1",)
    assert two_sided.half_of(turn, "T", named[:1], Side.SELL) == ("s4",)
    assert two_sided.half_of(turn, "NONE", (), Side.BUY) == ()


def exit_of(floor: Floor, quantity: int) -> Parent | Refused:
    spec = two_sided.market_order("T", Side.SELL, quantity, ())
    return two_sided.open_exit(turn_of(floor), CommandId("c"), spec, owner=ParentId("d-0"))


def test_a_way_out_is_where_the_lots_are() -> None:
    floor = Floor().open()
    floor.sell(1_000, 1_000, slots=("s1",))
    opened = exit_of(floor, 3_000)
    assert isinstance(opened, Parent)
    assert [one.slot_id for one in opened.children] == ["s2", "s3", "s4"]


def test_accounts_that_may_go_short_share_it_alike() -> None:
    floor = Floor(settings_of(may_short=True)).open()
    for slot in ("s1", "s2", "s3", "s4"):
        floor.sell(1_000, 1_000, slots=(slot,))
    opened = exit_of(floor, 8)
    assert isinstance(opened, Parent)
    assert opened.spec.split is Split.EQUAL
    assert [one.quantity for one in opened.children] == [2, 2, 2, 2]


def test_what_nobody_has_is_refused() -> None:
    refused = exit_of(Floor().open(), 4_001)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.FUNDS
