from decimal import Decimal

import pytest

from tandem.domain.ids import ClientOrderId
from tandem.domain.order import OrderStatus, Side
from tandem.domain.venue import (
    AskBalances,
    Balances,
    Executions,
    ListExecutions,
    ListOpenOrders,
    OpenOrders,
    OrderFound,
    OrderNotFound,
    QueryOrder,
    Traded,
)
from tests.unit.core.matching.paper import BUY, COIN, SELL, SHARE, Paper

MS = 1_000_000


def found(paper: Paper, name: str) -> OrderFound | OrderNotFound:
    request = QueryOrder(query_id=7, client_order_id=ClientOrderId(name))
    (answer,) = paper.ask(request)
    assert isinstance(answer, OrderFound | OrderNotFound)
    assert (answer.query_id, answer.client_order_id) == (7, name)
    return answer


def status(paper: Paper, name: str) -> OrderStatus | None:
    answer = found(paper, name)
    return answer.status if isinstance(answer, OrderFound) else None


def opened(paper: Paper) -> list[tuple[str, int]]:
    (answer,) = paper.ask(ListOpenOrders(query_id=7))
    assert isinstance(answer, OpenOrders)
    return [(one.order.client_order_id, one.cum_quantity) for one in answer.orders]


def executed(paper: Paper, cursor: int) -> tuple[list[str], int]:
    (answer,) = paper.ask(ListExecutions(query_id=7, cursor=cursor))
    assert isinstance(answer, Executions)
    return [one.client_order_id for one in answer.fills], answer.cursor


def balances(paper: Paper) -> Balances:
    (answer,) = paper.ask(AskBalances(query_id=7))
    assert isinstance(answer, Balances)
    return answer


def test_an_order_is_found_through_its_life_with_all_its_fills() -> None:
    paper = Paper()
    assert status(paper, "A1-1") is None
    paper.place("A1-1", BUY, 10, 1_000)
    assert status(paper, "A1-1") is OrderStatus.NEW
    paper.place("B1-1", SELL, 4, 1_000)
    paper.place("B1-2", SELL, 1, 1_000)
    partly = found(paper, "A1-1")
    assert isinstance(partly, OrderFound)
    assert partly.status is OrderStatus.PARTIALLY_FILLED
    assert (partly.cum_quantity, [one.quantity for one in partly.fills]) == (5, [4, 1])
    paper.cancel("A1-1")
    assert status(paper, "A1-1") is OrderStatus.CANCELED


def test_a_filled_order_and_one_that_was_refused() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("B1-1", SELL, 10, 1_000)
    paper.place("A1-2", BUY, 0, 1_000)
    assert status(paper, "A1-1") is OrderStatus.FILLED
    assert status(paper, "A1-2") is None


def test_an_order_of_another_account_is_not_found() -> None:
    paper = Paper()
    paper.place("B1-1", BUY, 10, 1_000)
    assert status(paper, "B1-1") is None
    assert opened(paper) == []


def test_answers_are_as_of_one_read_lag_ago() -> None:
    """Every kind of answer is late by the lag, and right from then on."""
    paper = Paper(read_lag_ns=50 * MS)
    paper.place("A1-1", BUY, 10, 1_000)
    assert (status(paper, "A1-1"), opened(paper)) == (None, [])
    paper.wait(60 * MS)
    paper.place("B1-1", SELL, 4, 1_000)
    assert (status(paper, "A1-1"), opened(paper)) == (OrderStatus.NEW, [("A1-1", 0)])
    assert executed(paper, 0) == ([], 0)
    assert balances(paper).cash == {"USD": Decimal(100_000)}
    assert balances(paper).positions[SHARE] == 1_000
    paper.wait(60 * MS)
    paper.cancel("A1-1")
    assert status(paper, "A1-1") is OrderStatus.PARTIALLY_FILLED
    assert opened(paper) == [("A1-1", 4)]
    assert executed(paper, 0) == (["A1-1"], 1)
    assert balances(paper).cash == {"USD": Decimal(99_960)}
    assert balances(paper).positions == {SHARE: 1_004, COIN: 10**8}
    paper.wait(60 * MS)
    assert (status(paper, "A1-1"), opened(paper)) == (OrderStatus.CANCELED, [])


def test_a_lie_about_the_lag_counts_when_it_is_longer() -> None:
    paper = Paper()
    paper.misbehave(read_lag_ns=50 * MS)
    paper.place("A1-1", BUY, 10, 1_000)
    assert status(paper, "A1-1") is None
    paper.wait(60 * MS)
    assert status(paper, "A1-1") is OrderStatus.NEW


def test_executions_go_on_from_the_cursor_and_come_in_portions() -> None:
    paper = Paper(executions_answered=2)
    for number in range(5):
        paper.place(f"A1-{number}", BUY, 1, 1_000)
        paper.place(f"B1-{number}", SELL, 1, 1_000)
    assert executed(paper, 0) == (["A1-0", "A1-1"], 2)
    assert executed(paper, 2) == (["A1-2", "A1-3"], 4)
    assert executed(paper, 4) == (["A1-4"], 5)
    assert executed(paper, 5) == ([], 5)


@pytest.mark.parametrize("cursor", [-1, 0, 3, 10**18])
def test_any_cursor_is_answered(cursor: int) -> None:
    """A cursor before the oldest kept fill goes on with that one."""
    paper = Paper(executions_kept=1)
    for number in range(100):
        paper.place(f"A1-{number}", BUY, 1, 1_000)
        paper.place(f"B1-{number}", SELL, 1, 1_000)
    names, reached = executed(paper, cursor)
    dropped = paper.account("A1").dropped
    assert dropped > 3
    if cursor < 100:
        assert names[0] == f"A1-{dropped}"
        assert (names[-1], reached) == ("A1-99", 100)
    else:
        assert (names, reached) == ([], cursor)


def test_balances_leave_out_what_is_zero() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 1_000, 1_000)
    paper.place("N1-1", BUY, 1_000, 1_000)
    assert balances(paper).positions == {COIN: 10**8}
    assert balances(paper).cash == {"USD": Decimal(110_000)}


def test_the_latest_order_of_an_id_is_the_one_that_is_found() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.cancel("A1-1")
    paper.place("A1-1", BUY, 10, 1_000)
    assert status(paper, "A1-1") is OrderStatus.NEW


def test_open_orders_come_in_pages_that_together_are_all_of_them() -> None:
    """A thousand open orders on one account fit into no single message."""
    paper = Paper()
    for number in range(7):
        paper.place(f"A1-{number}", BUY, 1, 900 + number)
    names: list[str] = []
    cursor: int | None = 0
    pages = 0
    while cursor is not None:
        (answer,) = paper.ask(ListOpenOrders(query_id=7, cursor=cursor, most=3))
        assert isinstance(answer, OpenOrders)
        names += [one.order.client_order_id for one in answer.orders]
        cursor, pages = answer.cursor, pages + 1
    assert names == [f"A1-{number}" for number in range(7)]
    assert pages == 3


def test_a_page_of_open_orders_has_at_least_one() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 1, 900)
    (answer,) = paper.ask(ListOpenOrders(query_id=7, most=-5))
    assert isinstance(answer, OpenOrders)
    assert len(answer.orders) == 1
    assert answer.cursor is None


def test_executions_say_what_was_traded_and_come_in_the_pages_asked_for() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    for number in range(3):
        paper.place(f"B1-{number}", SELL, 1, 1_000)
    (answer,) = paper.ask(ListExecutions(query_id=7, cursor=1, most=1))
    assert isinstance(answer, Executions)
    assert (len(answer.fills), answer.cursor) == (1, 2)
    assert answer.traded == (Traded(instrument_id=SHARE, side=Side.BUY),)


def test_where_executions_end_is_told_without_any_of_them() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("B1-1", SELL, 4, 1_000)
    (answer,) = paper.ask(ListExecutions(query_id=7, cursor=None))
    assert isinstance(answer, Executions)
    assert (answer.fills, answer.cursor) == ((), 1)
