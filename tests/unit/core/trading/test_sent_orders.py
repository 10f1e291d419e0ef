"""What a worker remembers of the orders that it was handed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import sent_orders
from tandem.core.trading.sent_orders import SentOrders
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.limits import Limits
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Filled
from tandem.domain.venue import Amended, Doubt, Quote
from tests.unit.core.trading.desk_driver import X, instrument

NOW = Instant(10**9, 10**18)
T = InstrumentId("T@X")


def order(key: str = "o", side: Side = Side.BUY) -> Order:
    return Order(
        client_order_id=ClientOrderId(key),
        instrument_id=T,
        side=side,
        quantity=Lots(10),
        limit_price=Ticks(1_000),
        time_in_force=TimeInForce.DAY,
    )


def fill(quantity: int, execution: str = "e") -> Filled:
    return Filled(
        client_order_id=ClientOrderId("o"),
        execution_id=ExecutionId(execution),
        quantity=Lots(quantity),
        price=Ticks(1_000),
        fee=Decimal(0),
        venue_at_ns=0,
    )


def tracked() -> SentOrders:
    sent = SentOrders()
    sent.track([instrument("T", X, "m")])
    return sent


def test_an_order_counts_from_its_send_to_its_end_once() -> None:
    """I10."""
    sent = tracked()
    known = sent.take(order())
    assert sent.take(order()) is known
    assert sent.exposure.open_orders == 0
    sent.on_sent(known, Limits(), NOW)
    sent.on_sent(known, Limits(), NOW)
    assert (sent.exposure.open_orders, sent.exposure.holdings[T].open_buys) == (1, 10)
    sent.on_fill(known, fill(4))
    sent.on_fill(known, fill(4))
    assert (known.leaves, sent.exposure.holdings[T].open_buys) == (6, 6)
    sent.on_ended(known)
    sent.on_ended(known)
    assert (sent.exposure.open_orders, sent.exposure.holdings[T].open_buys) == (0, 0)
    sent.on_sent(known, Limits(), NOW)
    assert sent.exposure.holdings[T].open_buys == 6
    sent.on_fill(known, fill(6, "f"))
    sent.on_sent(known, Limits(), NOW)
    assert sent.exposure.open_orders == 0
    assert sent.exposure.holdings[T].position == 10


def amended(quantity: int) -> Amended:
    return Amended(
        client_order_id=ClientOrderId("o"),
        quantity=Lots(quantity),
        limit_price=Ticks(1_000),
        cum_quantity=Lots(0),
    )


def test_an_order_that_was_lowered_counts_with_what_it_is_for_now() -> None:
    """I10, A7: more than before, or nothing, is no news."""
    sent = tracked()
    known = sent.take(order())
    sent.on_sent(known, Limits(), NOW)
    for quantity, left in ((12, 10), (0, 10), (7, 7), (9, 7), (7, 7)):
        sent.on_report(known, amended(quantity), 1)
        assert sent.exposure.holdings[T].open_buys == left
    sent.on_fill(known, fill(5))
    sent.on_report(known, amended(3), 2)
    assert (known.order.quantity, known.final_report) == (5, 2)
    assert (sent.exposure.open_orders, sent.exposure.holdings[T].open_buys) == (0, 0)


def test_an_order_that_counts_no_more_is_lowered_without_giving_back_twice() -> None:
    sent = tracked()
    known = sent.take(order())
    sent.on_sent(known, Limits(), NOW)
    sent.on_ended(known)
    sent.on_report(known, amended(7), 1)
    assert (known.order.quantity, sent.exposure.holdings[T].open_buys) == (7, 0)


def test_a_fill_that_cannot_be_or_of_an_unknown_instrument_moves_nothing() -> None:
    sent = SentOrders()
    known = sent.take(order())
    sent.on_fill(known, fill(0))
    sent.on_fill(known, fill(3))
    assert (known.cum_quantity, sent.exposure.holdings) == (3, {})


def test_too_many_orders_are_forgotten_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: what is forgotten proves nothing."""
    monkeypatch.setattr(sent_orders, "SEEN_MAX", 2)
    sent = tracked()
    for key in "abc":
        sent.take(order(key))
    seen, seen_all = sent.told()
    assert ([one.client_order_id for one in seen], seen_all) == (["b", "c"], False)


def test_an_order_is_forgotten_with_the_report_of_its_end() -> None:
    sent = tracked()
    known = sent.take(order())
    sent.forget(ClientOrderId("o"), report_id=9)
    known.final_report = 5
    sent.forget(ClientOrderId("o"), report_id=4)
    assert sent.told() == ((sent.told()[0][0],), True)
    sent.forget(ClientOrderId("o"), report_id=5)
    sent.forget(ClientOrderId("o"), report_id=5)
    assert sent.told() == ((), True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["send", "answer"]))))
def test_a_send_is_overdue_unless_it_was_answered_or_another_one_followed(
    steps: list[tuple[str, str]],
) -> None:
    sent = tracked()
    last: dict[str, tuple[int, bool]] = {}
    for at, (key, what) in enumerate(steps):
        known = sent.take(order(key))
        if what == "send":
            known.send_number += 1
            known.answered = False
            sent.wait(known, at)
            last[key] = at, False
        elif key in last:
            known.answered = True
            last[key] = last[key][0], True
    open_ns = sorted(at for at, answered in last.values() if not answered)
    assert sent.next_deadline_ns() == (open_ns[0] if open_ns else None)
    half = len(steps) // 2
    found = sent.overdue(half) + sent.overdue(len(steps))
    assert [last[one.order.client_order_id][0] for one in found] == open_ns
    assert sent.next_deadline_ns() is None


def test_what_is_not_due_yet_is_not_overdue() -> None:
    sent = tracked()
    known = sent.take(order())
    sent.wait(known, 7)
    assert sent.overdue(6) == []
    assert sent.overdue(7) == [known]


def test_prices_that_cannot_be_are_not_taken() -> None:
    sent = tracked()
    for price in (0, 2**60, 1_000):
        quote = Quote(instrument_id=T, bid=Ticks(price), ask=Ticks(price), last=None)
        sent.on_quote(quote, NOW)
    assert sent.exposure.holdings[T].reference == 1_000


def test_positions_of_unknown_instruments_are_ignored() -> None:
    sent = tracked()
    sent.on_positions({T: 5, InstrumentId("?"): 7})
    assert sent.exposure.holdings[T].position == 5


def test_another_account_begins_anew_with_the_prices_known() -> None:
    sent = SentOrders()
    sent.track([instrument("T", X, "m"), instrument("U", X, "m")])
    doubt = Doubt.BURST
    quote = Quote(instrument_id=T, bid=Ticks(7), ask=Ticks(7), last=None, doubt=doubt)
    sent.on_quote(quote, NOW)
    sent.on_positions({T: 5})
    known = sent.take(order(side=Side.SELL))
    sent.on_sent(known, Limits(), NOW)
    sent.on_account_dropped()
    holding = sent.exposure.holdings[T]
    assert (holding.position, holding.open_sells, holding.reference) == (0, 0, 7)
    assert (holding.reference_market_ns, holding.doubt) == (NOW.market_ns, doubt)
    sent.on_ended(known)
    assert sent.exposure.open_orders == 0
