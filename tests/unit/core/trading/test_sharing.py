"""What of a parent each account is to trade."""

import pytest

from tandem.domain.commands import RefusalReason
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade
from tandem.domain.venue import Quote
from tests.unit.core.trading.desk_driver import Floor


def last(floor: Floor, price: int) -> None:
    """A trade is seen at that price."""
    quote = Quote(
        instrument_id=InstrumentId("T@X"),
        bid=Ticks(price - 1),
        ask=Ticks(price + 1),
        last=Ticks(price),
    )
    floor.on(QuotesSeen(quotes=(quote,)))


@pytest.mark.parametrize(("side", "stop"), [(Side.BUY, 1_000), (Side.SELL, 1_000)])
def test_a_stop_that_the_market_has_reached_already_is_refused(side: Side, stop: int) -> None:
    floor = Floor().open()
    last(floor, 1_000)
    refused = floor.refusal(floor.place(side, 10, None, stop_price=Ticks(stop)))
    assert refused.reason is RefusalReason.BAD_ORDER
    assert refused.text == f"T trades at 10.00: a {side} stop at 10.00 is there already"
    floor.place(side, 10, None, stop_price=Ticks(stop + side.sign))
    assert len(floor.attempts()) == 4


def test_what_is_left_after_own_orders_yielded_is_shared_anew_and_only_reduces() -> None:
    """A7, C1: a reduce-only order is cut again to what each account holds by then."""
    floor = Floor().open()
    resting = floor.attempts(floor.buy(600, 1_000, slots=("s3",)))[0]
    parent = floor.sell(1_800, slots=("s1", "s2"), reduce_only=True, self_trade=SelfTrade.DECREMENT)
    floor.attempts(floor.sell(900, 1_090, slots=("s1",)))
    floor.canceled(resting, 0)
    assert parent.prevented == 600
    lots = {one.slot_id: one.order.quantity for one in floor.attempts(parent)}
    assert lots == {"s1": 100, "s2": 600}
