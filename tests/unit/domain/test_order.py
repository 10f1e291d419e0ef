"""Words of an order."""

import msgspec
import pytest

from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.order import FINAL, FenceClass, Order, OrderStatus, OrderType, Side, TimeInForce


def order(limit_price: Ticks | None) -> Order:
    return Order(
        client_order_id=ClientOrderId("c"),
        instrument_id=InstrumentId("T@x"),
        side=Side.BUY,
        quantity=Lots(1),
        limit_price=limit_price,
        time_in_force=TimeInForce.DAY,
    )


def test_sides_are_opposite_and_have_signs() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


@pytest.mark.parametrize("status", OrderStatus)
def test_a_status_is_final_when_nothing_more_can_trade(status: OrderStatus) -> None:
    open_ones = {OrderStatus.PENDING_NEW, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}
    assert status.is_final is (status not in open_ones)
    assert status.is_final is (status in FINAL)


def test_an_order_without_a_price_is_a_market_order() -> None:
    assert order(None).order_type is OrderType.MARKET
    assert order(Ticks(0)).order_type is OrderType.LIMIT


def test_an_order_is_frozen_and_survives_the_wire() -> None:
    one = order(Ticks(7))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Order) == one
    with pytest.raises(AttributeError):
        one.quantity = Lots(2)  # type: ignore[misc]


def test_fence_classes_are_written_as_the_protocol_names_them() -> None:
    assert [one.value for one in FenceClass] == ["A", "B", "C"]
