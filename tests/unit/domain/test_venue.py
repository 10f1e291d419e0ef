"""Everything that a session with a venue carries is told apart on the wire."""

from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from tandem.domain import venue
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, Ticks, VenueId
from tandem.domain.order import Order, OrderStatus, Side, TimeInForce
from tandem.domain.reports import Accepted, Canceled, Expired, Filled, RejectCode, Rejected
from tandem.domain.value import Value
from tandem.domain.venue import VenueMessage, VenueRequest

C = ClientOrderId("c")
WORD = "open sesame"
ORDER = Order(
    client_order_id=C,
    instrument_id=InstrumentId("T@x"),
    side=Side.SELL,
    quantity=Lots(5),
    limit_price=None,
    time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    post_only=True,
    expires_at_ns=9,
)
FILL = msgspec.convert(["filled", "c", "e", 1, 100, "0.5", 7], Filled)
REQUESTS: list[VenueRequest] = [
    venue.Login(account_id=AccountId("a"), secret=WORD),
    venue.PlaceOrder(order=ORDER),
    venue.CancelOrder(client_order_id=C),
    venue.AmendOrder(client_order_id=C, quantity=Lots(4), limit_price=Ticks(7)),
    venue.QueryOrder(query_id=1, client_order_id=C),
    venue.ListOpenOrders(query_id=2),
    venue.ListExecutions(query_id=3, cursor=4),
    venue.AskBalances(query_id=5),
    venue.AskTime(query_id=6),
    venue.Misbehave(misbehavior=venue.Misbehavior(lose_report=0.5), seed=7),
    venue.CorporateAction(instrument_id=InstrumentId("T@x"), numerator=2),
]
MESSAGES: list[VenueMessage] = [
    venue.LoggedIn(venue_id=VenueId("x"), account_id=None, venue_at_ns=1),
    venue.LoginRefused(reason="unknown"),
    msgspec.convert(["accepted", "c", "v"], Accepted),
    Rejected(client_order_id=C, code=RejectCode.OTHER),
    FILL,
    Canceled(client_order_id=C, cum_quantity=Lots(1)),
    Expired(client_order_id=C, cum_quantity=Lots(1)),
    venue.CancelRejected(client_order_id=C, code=venue.CancelCode.FINAL),
    venue.Amended(client_order_id=C, quantity=Lots(4), limit_price=None, cum_quantity=Lots(1)),
    venue.AmendRejected(client_order_id=C, code=venue.AmendCode.TRADED),
    venue.OrderFound(
        query_id=1,
        client_order_id=C,
        status=OrderStatus.PARTIALLY_FILLED,
        cum_quantity=Lots(1),
        fills=(FILL,),
    ),
    venue.OrderNotFound(query_id=1, client_order_id=C),
    venue.OpenOrders(query_id=1, orders=(venue.OpenOrder(order=ORDER, cum_quantity=Lots(1)),)),
    venue.Executions(query_id=1, fills=(FILL,), cursor=2),
    venue.Balances(query_id=1, cash={"USD": Decimal("1.50")}, positions={InstrumentId("T@x"): -3}),
    venue.CorporateActed(action_id=None, text="no"),
    venue.VenueTime(query_id=1, venue_at_ns=2),
    venue.Quotes(
        quotes=(
            venue.Quote(instrument_id=InstrumentId("T@x"), bid=Ticks(1), ask=None, last=Ticks(2)),
        )
    ),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: type(one).__name__)
def test_a_request_is_read_back_the_same(request_: VenueRequest) -> None:
    content = msgspec.msgpack.encode(request_)
    assert msgspec.msgpack.decode(content, type=VenueRequest) == request_


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_message_is_read_back_the_same(message: VenueMessage) -> None:
    content = msgspec.msgpack.encode(message)
    assert msgspec.msgpack.decode(content, type=VenueMessage) == message


def test_every_kind_of_request_and_message_is_tried() -> None:
    def kinds(values: list[VenueRequest] | list[VenueMessage]) -> list[str]:
        return sorted(type(one).__name__ for one in values)

    assert kinds(REQUESTS) == sorted(one.__name__ for one in get_args(VenueRequest))
    assert kinds(MESSAGES) == sorted(one.__name__ for one in get_args(VenueMessage))


def test_all_names_what_is_there() -> None:
    assert all(hasattr(venue, name) for name in venue.__all__)
    words = [
        name
        for name, one in vars(venue).items()
        if isinstance(one, type) and issubclass(one, Value) and one is not Value
    ]
    assert set(words) - set(venue.__all__) == {"Order"}
