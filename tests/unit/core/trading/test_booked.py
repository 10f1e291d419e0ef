"""Executions as they were booked, for whoever replays a desk."""

from decimal import Decimal

from tandem.domain.order import Side
from tests.unit.core.trading.counted import Counted
from tests.unit.core.trading.desk_driver import Floor


def test_a_desk_tells_what_it_booked_to_whoever_asked() -> None:
    pool = Counted()
    order = pool.trade(Side.SELL, 10, 1_010, strategy="a")
    (found,) = pool.booked
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
