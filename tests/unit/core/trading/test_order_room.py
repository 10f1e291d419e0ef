"""How large an order may be, and how small it must not be."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import order_room
from tandem.core.trading.turn import Turn
from tandem.domain.ids import InstrumentId, Lots, SlotId, Ticks
from tandem.domain.limits import Limits
from tandem.domain.order import Side
from tests.unit.core.trading.desk_driver import Floor, X, instrument, settings_of
from tests.unit.core.trading.strategy_floor import strategy_floor

T = InstrumentId("T@X")


def most(floor: Floor, side: Side) -> int:
    turn = Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)
    seat = floor.state.seats[SlotId("s1")]
    return order_room.most_at_once(turn, seat, floor.desk.rules.instruments[T], side)


def test_a_buy_is_at_most_what_can_be_paid_for_at_the_worst_price() -> None:
    floor = strategy_floor()
    assert most(floor, Side.BUY) == 9_090  # 100,000 of 11 each
    floor.buy(9_000, 1_000, slots=("s1",))  # reserves 90,000
    assert most(floor, Side.BUY) == 909


def test_a_sell_is_at_most_what_is_held_and_free_unless_it_may_be_short() -> None:
    floor = Floor(settings_of(slots=2)).open()
    assert most(floor, Side.SELL) == 1_000
    floor.sell(400, 1_000, slots=("s1",))
    assert most(floor, Side.SELL) == 600
    short = Floor(settings_of(slots=2, may_short=True)).open()
    assert most(short, Side.SELL) == 90_909  # the most that one order may be worth


def test_an_order_is_within_the_limits_of_one_order() -> None:
    limits = Limits(max_quantity={T: 7})
    assert most(Floor(settings_of(slots=2, limits=limits)).open(), Side.SELL) == 7


def test_without_a_price_nothing_is_bought_and_nothing_bounds_what_is_sold() -> None:
    floor = Floor(settings_of(slots=2, may_short=True)).open(quoted=("U",))
    assert most(floor, Side.BUY) == 0
    assert most(floor, Side.SELL) == order_room.LOTS_UNBOUND


@pytest.mark.parametrize(
    ("quantity", "notional", "lots"),
    [(1, "0", 1), (5, "0", 5), (1, "100", 10), (1, "100.01", 11), (12, "100", 12)],
)
def test_the_least_order_is_by_quantity_and_by_what_it_is_worth(
    quantity: int, notional: str, lots: int
) -> None:
    """B22."""
    listed = msgspec.structs.replace(
        instrument("T", X, "m"), min_quantity=Lots(quantity), min_notional=Decimal(notional)
    )
    assert order_room.least_at(listed, Ticks(1_000)) == lots  # a lot is worth 10


@given(price=st.integers(1, 10**9), notional=st.decimals(0, 10**9, places=6))
def test_the_least_order_is_worth_enough_and_one_lot_less_is_not(
    price: int, notional: Decimal
) -> None:
    listed = msgspec.structs.replace(instrument("T", X, "m"), min_notional=notional)
    lots = order_room.least_at(listed, Ticks(price))
    assert listed.notional(Ticks(price), Lots(lots)) >= notional
    assert lots == 1 or listed.notional(Ticks(price), Lots(lots - 1)) < notional
