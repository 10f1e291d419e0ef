from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.state import OrderRecord
from tandem.core.matching.stops import Stops, follow, is_reached
from tandem.domain.ids import Ticks
from tandem.domain.order import Side
from tests.unit.core.matching.paper import BUY, SELL, order


def waiting(number: int, side: Side, stop: int, trail: int | None = None) -> OrderRecord:
    changes: dict[str, Any] = {"stop_price": stop, "trail": trail}
    asked = order(f"x-{number}", side, 1, None, **changes)
    return OrderRecord(
        number=number, account=0, order=asked, accepted_at_ns=0, waits=True, stop_price=stop
    )


def stops_of(*records: OrderRecord) -> Stops:
    stops = Stops()
    for one in records:
        stops.add(one)
    return stops


def test_a_buy_is_reached_from_below_and_a_sell_from_above() -> None:
    stops = stops_of(waiting(1, BUY, 105), waiting(2, SELL, 95))
    assert stops.reached_by(104) == []
    assert stops.reached_by(96) == []
    assert stops.reached_by(105) == [1]
    assert stops.reached_by(90) == [2]
    assert stops.reached_by(200) == []


def test_all_that_one_price_reaches_come_in_order_of_their_arrival() -> None:
    stops = stops_of(waiting(3, BUY, 101), waiting(1, BUY, 103), waiting(2, SELL, 110))
    assert stops.reached_by(104) == [1, 2, 3]


def test_a_price_of_one_side_reaches_that_side_alone() -> None:
    stops = stops_of(waiting(1, BUY, 100), waiting(2, SELL, 100))
    assert stops.reached_by(100, side=SELL) == [2]
    assert stops.reached_by(100, side=BUY) == [1]


def test_an_order_that_left_is_not_reached_and_one_that_was_reached_may_leave() -> None:
    here, there = waiting(1, BUY, 100), waiting(2, BUY, 100, trail=3)
    stops = stops_of(here, there)
    stops.remove(here)
    assert stops.reached_by(100) == [2]
    stops.remove(there)
    assert stops.reached_by(1) == []


def test_a_trailing_stop_follows_at_its_distance_and_never_turns_back() -> None:
    sell, buy = waiting(1, SELL, 95, trail=5), waiting(2, BUY, 105, trail=2)
    stops = stops_of(sell, buy)
    assert stops.reached_by(103) == []
    assert (sell.stop_price, buy.stop_price) == (98, 105)
    assert stops.reached_by(101) == []
    assert (sell.stop_price, buy.stop_price) == (98, 103)
    assert stops.reached_by(98) == [1]
    assert buy.stop_price == 100
    assert stops.reached_by(100) == [2]


STEPS = st.lists(st.integers(80, 120), max_size=40)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(Side), st.integers(85, 115).map(Ticks), st.none() | st.integers(1, 9)
    ),
    max_size=12,
)


@given(ORDERS, STEPS)
def test_a_scan_of_all_orders_at_every_price_finds_the_same(
    orders: list[tuple[Side, Ticks, int | None]], prices: list[int]
) -> None:
    stops = stops_of(*(waiting(number, *one) for number, one in enumerate(orders)))
    plain = [waiting(number, *one) for number, one in enumerate(orders)]
    for price in prices:
        reached = [one for one in plain if is_reached(one, price)]
        plain = [one for one in plain if not is_reached(one, price)]
        for one in plain:
            if one.order.trail is not None:
                follow(one, price)
        assert stops.reached_by(price) == [one.number for one in reached]


@pytest.mark.parametrize(("price", "expected"), [(99, False), (100, True), (101, True)])
def test_a_price_at_or_beyond_the_stop_reaches_it(price: int, expected: bool) -> None:
    assert is_reached(waiting(1, BUY, 100), price) is expected
    assert is_reached(waiting(1, SELL, 100), 200 - price) is expected
