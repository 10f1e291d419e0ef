"""Executions as they were booked, for whoever replays a desk."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.booked import BookedFill, Claimed, Part, parts_of
from tandem.domain.ids import Lots
from tandem.domain.order import Side
from tests.unit.core.trading.counted import Counted
from tests.unit.core.trading.desk_driver import Floor


def test_a_desk_tells_what_it_booked_to_whoever_asked() -> None:
    pool = Counted()
    order = pool.trade(Side.SELL, 10, 1_010, strategy="a")
    (found,) = pool.booked
    assert isinstance(found, BookedFill)
    assert (found.account_id, found.instrument_id, found.side) == ("A1", "T@X", Side.SELL)
    assert (found.order_id, found.parent_id, found.strategy) == (order, order, "a")
    assert (found.realized, found.realized_fifo) == (Decimal(100), Decimal(100))
    assert (found.position, found.fill.quantity) == (990, 10)
    assert found.market_ns == pool.floor.now.market_ns


def test_a_desk_that_nobody_asked_keeps_none() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.fill(attempt, 10)
    assert floor.desk.booked is None


@given(
    lots=st.lists(st.integers(1, 10**9), min_size=2, max_size=6),
    fee=st.decimals(-1_000, 1_000, places=8, allow_nan=False),
)
def test_the_parts_of_an_execution_sum_to_it_in_lots_and_fees(
    lots: list[int], fee: Decimal
) -> None:
    """B3: what strategies gained is what their account gained, to the last digit."""
    pool = Counted()
    pool.trade(Side.SELL, 10)
    (found,) = pool.booked
    assert isinstance(found, BookedFill)
    fill = msgspec.structs.replace(found.fill, quantity=Lots(sum(lots)), fee=fee)
    shares = tuple(Claimed(f"s{at}", one, f"a{at}") for at, one in enumerate(lots))
    parts = parts_of(msgspec.structs.replace(found, fill=fill, shares=shares))
    assert [Claimed(one.strategy, one.fill.quantity, one.assignment_id) for one in parts] == list(
        shares
    )
    assert sum((one.fill.fee for one in parts), Decimal(0)) == fee
    assert all(one.fill.price == fill.price for one in parts)


def test_an_execution_that_nobody_claims_is_its_order_s() -> None:
    pool = Counted()
    pool.trade(Side.SELL, 10, strategy="a")
    (found,) = pool.booked
    assert isinstance(found, BookedFill)
    assert parts_of(found) == [Part("a", "", found.fill)]


def test_a_fee_that_does_not_divide_leaves_its_rest_to_the_last() -> None:
    """B3."""
    pool = Counted()
    pool.trade(Side.SELL, 3, fee="0.01")
    (found,) = pool.booked
    assert isinstance(found, BookedFill)
    parts = parts_of(msgspec.structs.replace(found, shares=(Claimed("a", 1), Claimed("b", 2))))
    assert [(one.strategy, one.fill.quantity, one.fill.fee) for one in parts] == [
        ("a", 1, Decimal("0.003333333333")),
        ("b", 2, Decimal("0.006666666667")),
    ]
