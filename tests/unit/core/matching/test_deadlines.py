from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.deadlines import Deadlines
from tandem.core.matching.state import OrderRecord
from tandem.domain.order import OrderStatus, TimeInForce
from tests.unit.core.matching.paper import BUY, order


def dated(number: int, till_ns: int) -> OrderRecord:
    asked = order(
        f"x-{number}",
        BUY,
        1,
        100,
        time_in_force=TimeInForce.GOOD_TILL_DATE,
        good_till_ns=till_ns,
    )
    return OrderRecord(number=number, account=0, order=asked, accepted_at_ns=0)


def deadlines_of(*records: OrderRecord) -> Deadlines:
    deadlines = Deadlines()
    for one in records:
        deadlines.add(one)
    return deadlines


def test_orders_are_due_at_their_moment_the_earliest_first_then_the_oldest() -> None:
    deadlines = deadlines_of(dated(3, 20), dated(2, 10), dated(1, 20), dated(4, 30))
    assert deadlines.due(9) == []
    assert [one.number for one in deadlines.due(20)] == [2, 1, 3]
    assert deadlines.next_ns == 30


def test_an_order_that_ended_otherwise_is_not_due() -> None:
    gone, there = dated(1, 10), dated(2, 20)
    deadlines = deadlines_of(gone, there)
    gone.status = OrderStatus.CANCELED
    assert deadlines.next_ns == 20
    assert deadlines.due(30) == [there]
    assert deadlines.next_ns is None


def test_what_ended_is_forgotten_long_before_its_moment() -> None:
    deadlines = Deadlines()
    for number in range(10_000):
        record = dated(number, 10**9 + number)
        deadlines.add(record)
        record.status = OrderStatus.CANCELED
    assert len(deadlines._heap) <= 64


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=200), st.integers(0, 9))
def test_whoever_is_open_and_due_is_found_once(orders: list[tuple[int, bool]], now_ns: int) -> None:
    deadlines = Deadlines()
    expected = []
    for number, (till_ns, ends) in enumerate(orders):
        record = dated(number, till_ns)
        deadlines.add(record)
        if ends:
            record.status = OrderStatus.FILLED
        elif till_ns <= now_ns:
            expected.append((till_ns, number))
    found = [(one.order.good_till_ns, one.number) for one in deadlines.due(now_ns)]
    assert found == sorted(expected)
    assert deadlines.due(now_ns) == []
