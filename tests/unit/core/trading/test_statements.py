"""Statements: rows that sum to the accounts' own books, over any span and any grouping."""

import functools
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.accounting import Figure, Moment
from tandem.core.trading.statements import Period, exact, statement
from tandem.domain.commands import PlaceAlgo, Taken
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.order import Side
from tandem.domain.statements import CashRow, CostMethod, GroupBy, RowKind, Statement, StatementRow
from tests.unit.core.trading.algos.test_driver import twap
from tests.unit.core.trading.counted import Counted, rows_of, these
from tests.unit.core.trading.desk_driver import settings_of, two_markets
from tests.unit.core.trading.outside import Account

A1, T = AccountId("A1"), InstrumentId("T@X")
BUY, SELL = Side.BUY, Side.SELL
GROUPINGS = [by for count in range(1, 4) for by in combinations(GroupBy, count)]
MONEY = ("executions", "bought", "sold", "realized", "unrealized", "gain", "fees", "net")


def column(rows: tuple[StatementRow, ...], name: str) -> Decimal:
    values = [getattr(one, name) for one in rows]
    assert None not in values
    return sum(values, Decimal(0))


def total(found: Statement) -> StatementRow:
    (row,) = found.totals
    assert row.kind is RowKind.TOTAL
    return row


def test_a_row_says_what_was_traded_held_and_gained() -> None:
    """A30: gross and net of fees."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.trade(SELL, 4, 1_010, strategy="a", fee="-0.002")
    pool.floor.quote(1_020)
    row = rows_of(pool.statement(GroupBy.STRATEGY))["a",]
    assert these(row.symbol, row.currency, row.executions) == ("T", "USD", 2)
    assert these(row.bought_quantity, row.sold_quantity, row.position) == (10, 4, 6)
    assert these(row.bought, row.sold) == (100, Decimal("40.4"))
    assert these(row.realized, row.unrealized, row.gain) == (
        Decimal("0.4"),
        Decimal("1.2"),
        Decimal("1.6"),
    )
    assert these(row.fees, row.net) == (Decimal("0.008"), Decimal("1.592"))
    assert these(row.average_cost, row.mark) == (10, Decimal("10.2"))


def test_a_position_turned_over_is_realized_up_to_zero_and_opened_beyond() -> None:
    pool = Counted(settings_of(may_short=True))
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.trade(SELL, 15, 1_010, strategy="a")
    row = rows_of(pool.statement(GroupBy.STRATEGY))["a",]
    assert these(row.position, row.average_cost) == (-5, Decimal("10.1"))
    assert these(row.realized, row.unrealized) == (1, Decimal("0.5"))


def test_what_strategies_close_for_each_other_is_the_rest() -> None:
    """B34: neither has what the other gained, and the sum is the account's."""
    pool = Counted()
    pool.trade(BUY, 10, 990, strategy="a")
    pool.trade(SELL, 10, 1_010, strategy="b")
    found = pool.statement(GroupBy.STRATEGY)
    rows, (rest,) = rows_of(found), rows_of(found, RowKind.REST).values()
    assert these(rows["a",].realized, rows["a",].unrealized) == (0, 1)
    assert these(rows["b",].realized, rows["b",].unrealized) == (0, 1)
    assert these(rest.realized, rest.unrealized, rest.gain, rest.net) == (1, -1, 0, 0)
    assert these(total(found).realized, total(found).gain) == (1, 2)


def test_parts_of_an_algorithm_are_one_order() -> None:
    pool = Counted()
    answer = pool.floor.ask(PlaceAlgo(spec=twap(strategy="slow")))
    assert isinstance(answer, Taken)
    (part,) = pool.floor.state.algos[answer.order_id].parts
    for attempt in pool.floor.attempts(part):
        pool.floor.fill(attempt, attempt.order.quantity)
    assert list(rows_of(pool.statement(GroupBy.ORDER))) == [(answer.order_id,)]
    assert list(rows_of(pool.statement(GroupBy.PARENT))) == [(part,)]
    assert list(rows_of(pool.statement(GroupBy.STRATEGY))) == [("slow",)]


def test_a_span_counts_what_happened_in_it() -> None:
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.floor.quote(1_010)
    start = pool.moment(GroupBy.STRATEGY)
    pool.trade(SELL, 4, 1_010, strategy="a")
    pool.floor.quote(1_005)
    row = rows_of(pool.statement(GroupBy.STRATEGY, start=start))["a",]
    assert these(row.executions, row.bought, row.sold) == (1, 0, Decimal("40.4"))
    assert these(row.realized, row.unrealized, row.gain) == (
        Decimal("0.4"),
        Decimal("0.3"),
        Decimal("-0.3"),
    )


def test_cash_leads_from_the_start_to_the_end() -> None:
    pool = Counted()
    start = pool.moment()
    pool.trade(SELL, 10, 1_010, fee="0.05")
    cash = {one.account_id: one for one in pool.statement(start=start).cash}
    assert cash[A1] == CashRow(
        account_id=A1,
        currency="USD",
        start=Decimal(100_000),
        opened=Decimal(0),
        traded=Decimal(101),
        fees=Decimal("0.05"),
        external=Decimal(0),
        end=Decimal("100100.95"),
    )
    assert pool.statement().cash[0].opened == 100_000


def test_each_execution_is_a_row_of_its_own() -> None:
    pool = Counted()
    order = pool.trade(SELL, 10, 1_010, strategy="a", fee="0.05")
    (row,) = pool.statement(GroupBy.ACCOUNT).executions
    assert these(row.account_id, row.symbol, row.side, row.quantity) == (A1, "T", SELL, 10)
    assert these(row.price, row.value, row.fee) == (Decimal("10.1"), 101, Decimal("0.05"))
    assert these(row.cash, row.realized, row.position) == (Decimal("100.95"), 1, 990)
    assert these(row.order_id, row.parent_id, row.strategy) == (order, order, "a")
    assert row.at_ns == pool.floor.now.market_ns
    (bought,) = Counted().statement(GroupBy.ACCOUNT).executions or (None,)
    assert bought is None


def test_an_execution_realizes_what_the_method_says() -> None:
    pool = Counted()
    pool.trade(BUY, 1_000, 1_010)
    pool.trade(SELL, 1, 1_010)
    by_fifo = pool.statement().executions[-1]
    by_average = pool.statement(method=CostMethod.AVERAGE).executions[-1]
    assert these(by_fifo.realized, by_average.realized) == (Decimal("0.1"), Decimal("0.05"))
    assert pool.statement().executions[0].cash == Decimal("-10100.01")


def test_an_account_without_fees_has_a_note() -> None:
    """A30: payment for order flow."""
    pool = Counted()
    pool.trade(BUY, 1, fee="0", slots=("s2",))
    pool.trade(BUY, 1, fee="0")
    pool.trade(BUY, 1, fee="0.01")
    (note,) = pool.statement().notes
    assert note.startswith("A2 paid no fee: ")
    assert "payment for order flow" in note


def test_what_others_did_is_in_no_group_and_moves_no_gain() -> None:
    """F24: external lots come in at their price, and cash says what they cost."""
    pool = Counted()
    account = Account(pool.floor)
    pool.trade(BUY, 10, strategy="a")
    start = pool.moment(GroupBy.STRATEGY)
    pool.floor.state.ledger.book_external(A1, "USD", Decimal(-50))
    pool.floor.state.ledger.book_external_lots(A1, T, 5)
    pool.floor.state.positions[A1][T].take_over(5, 1_000)
    found = pool.statement(GroupBy.STRATEGY, start=start)
    assert account.seat.account_id == A1
    assert found.cash[0].external == -50
    assert total(found).gain == 0
    assert found.balanced


def test_a_row_of_several_instruments_has_no_quantities() -> None:
    pool = Counted()
    pool.trade(BUY, 10, strategy="a")
    pool.trade(BUY, 10, strategy="a", symbol="U")
    row = rows_of(pool.statement(GroupBy.STRATEGY))["a",]
    assert these(row.symbol, row.position, row.mark, row.bought) == (None, None, None, 200)


def test_a_flat_row_has_no_average_cost() -> None:
    pool = Counted()
    pool.trade(BUY, 10, strategy="a")
    pool.trade(SELL, 10, strategy="a")
    row = rows_of(pool.statement(GroupBy.STRATEGY))["a",]
    assert these(row.position, row.average_cost) == (0, None)


def test_a_pair_over_two_venues_is_one_strategy_of_two_instruments() -> None:
    """C3: one profit and loss, whatever the venues."""
    pool = Counted(two_markets(may_short=True))
    pool.trade(BUY, 10, 990, strategy="pair", slots=("x1",))
    pool.trade(SELL, 10, 1_010, strategy="pair", slots=("y1",))
    row = rows_of(pool.statement(GroupBy.STRATEGY))["pair",]
    assert these(row.symbol, row.gain) == (None, 2)


def test_without_a_price_the_gain_is_not_known_and_what_was_realized_is() -> None:
    cell = (("a",), A1, T)
    figure = Figure(executions=1, bought_lots=1, lots=1, bought=Decimal(1), unrealized=None)
    moment = Moment({cell: figure}, {((), A1, T): figure})
    catalogue = Counted().floor.desk.rules.catalogue
    period = Period(start=Moment(), end=moment, booked=())
    found = statement(catalogue, (GroupBy.STRATEGY,), CostMethod.FIFO, period)
    row = rows_of(found)["a",]
    assert these(row.realized, row.unrealized, row.gain, row.net, row.mark) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert total(found).gain is None


def test_what_did_nothing_has_no_row() -> None:
    pool = Counted()
    pool.trade(BUY, 1, strategy="a")
    found = pool.statement(GroupBy.STRATEGY, start=pool.moment(GroupBy.STRATEGY))
    assert len(found.rows) == 1  # it still holds something
    pool.trade(SELL, 1, strategy="a")
    found = pool.statement(GroupBy.STRATEGY, start=pool.moment(GroupBy.STRATEGY))
    assert found.rows == ()


@pytest.mark.parametrize(
    ("value", "text"), [("1.500", "1.5"), ("100", "100"), ("-0.00", "0"), ("0E+3", "0")]
)
def test_equal_amounts_have_equal_text(value: str, text: str) -> None:
    assert f"{exact(Decimal(value)):f}" == text


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 30),
        st.integers(985, 1_015),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["T", "U"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["0", "0.0133", "-0.02"]),
    ),
    max_size=10,
)
Orders = list[tuple[Side, int, int, str, str, str, str]]


@given(ORDERS, ORDERS, st.integers(990, 1_010), st.integers(990, 1_010))
def test_every_grouping_sums_to_the_accounts_own_books(
    before: Orders, orders: Orders, first_mark: int, mark: int
) -> None:
    """A10 A30 C3 B34 I6: every column, to the last digit, and the gain by both methods."""
    pool = Counted(settings_of(may_short=True))

    def trade(chosen: Orders) -> None:
        for side, quantity, price, slot, symbol, strategy, fee in chosen:
            rest = {"slots": (slot,), "symbol": symbol, "strategy": strategy, "fee": fee}
            pool.trade(side, quantity, price, **rest)

    trade(before)
    pool.floor.quote(first_mark)
    starts = {
        (by, method): pool.moment(*by, method=method) for by in GROUPINGS for method in CostMethod
    }
    trade(orders)
    pool.floor.quote(mark)
    gains = set()
    for (by, method), start in starts.items():
        found = pool.statement(*by, method=method, start=start)
        for name in MONEY:
            assert column(found.rows, name) == getattr(total(found), name), (by, method, name)
        gains.add(total(found).net)
    assert len(gains) == 1
    money = sum(one.end - one.start for one in found.cash)
    lots = {one: end.lots for one, end in pool.moment().totals.items()}
    held = sum(lots[one] - figure.lots for one, figure in start.totals.items()) * mark
    moved = sum(figure.lots for figure in start.totals.values()) * (mark - first_mark)
    assert gains == {money + Decimal(held + moved) / 100}


@given(ORDERS, st.integers(0, 10))
def test_a_statement_of_two_spans_is_that_of_both(orders: Orders, cut: int) -> None:
    """Replay of any prefix: figures of a moment do not depend on what came after it."""
    pool = Counted(settings_of(may_short=True))
    by = (GroupBy.STRATEGY,)
    start, middle = pool.moment(*by), None
    for count, (side, quantity, price, slot, symbol, strategy, fee) in enumerate(orders):
        if count == cut:
            middle = pool.moment(*by)
        rest = {"slots": (slot,), "symbol": symbol, "strategy": strategy, "fee": fee}
        pool.trade(side, quantity, price, **rest)
    middle, end = middle or pool.moment(*by), pool.moment(*by)
    catalogue = pool.floor.desk.rules.catalogue

    def gain(first: Moment, last: Moment) -> Decimal | None:
        period = Period(start=first, end=last, booked=())
        return total(statement(catalogue, by, CostMethod.FIFO, period)).net

    parts = gain(start, middle), gain(middle, end)
    assert parts[0] is not None
    assert parts[1] is not None
    assert gain(start, end) == parts[0] + parts[1]


def test_a_split_and_a_dividend_are_lines_of_their_own() -> None:
    """A29 A30: and a gain only where money came."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="trend")
    pool.act("T", 2, 1)
    pool.floor.quote(500)
    pool.act("T", dividend="0.1")
    found = pool.statement(GroupBy.STRATEGY)
    told = [one for one in found.actions if one.account_id == "A1"]
    figures = [(one.ratio, one.dividend, one.quantity, one.cash, one.position) for one in told]
    assert [these(*one) for one in figures] == [
        these("2:1", None, 1_010, 0, 2_020),
        these("", Decimal("0.1"), 0, 202, 2_020),
    ]
    row = rows_of(found)[("trend",)]
    assert these(row.position, row.average_cost, row.mark) == these(20, 5, 5)
    assert these(row.income, row.gain) == these(2, 2)
    assert rows_of(found, RowKind.REST)[("",)].income == 800
    cash = found.cash[0]
    assert cash.start + cash.opened + cash.traded - cash.fees + cash.income == cash.end


STEPS = st.lists(
    st.one_of(
        ORDERS.map(lambda orders: ("trade", orders[:2])),
        st.tuples(st.just("split"), st.tuples(st.integers(1, 4), st.integers(1, 4))),
        st.tuples(st.just("pay"), st.integers(1, 50)),
    ),
    max_size=6,
)


@given(STEPS, st.integers(490, 1_010))
def test_every_grouping_sums_to_the_accounts_own_books_through_splits_and_dividends(
    steps: list[Any], mark: int
) -> None:
    """A29 A30 I6: and the gain is cash and what is held, to the last digit."""
    pool = Counted(settings_of(may_short=True))
    pool.floor.quote(1_000)
    start = pool.moment()
    held_before = sum(figure.lots for figure in start.totals.values()) * 1_000
    for what, rest in steps:
        if what == "trade":
            for side, quantity, price, slot, _, strategy, fee in rest:
                pool.floor.quote(1_000)
                pool.trade(side, quantity, price, slots=(slot,), strategy=strategy, fee=fee)
        elif what == "pay":
            pool.act("T", dividend=f"0.{rest:02}")
        elif rest[0] != rest[1]:
            pool.act("T", *rest)
    pool.floor.quote(mark)
    gains = set()
    for by in GROUPINGS:
        for method in CostMethod:
            begin = pool_start(by, method)
            found = pool.statement(*by, method=method, start=begin)
            for name in (*MONEY, "income"):
                assert column(found.rows, name) == getattr(total(found), name), (by, method, name)
            gains.add(total(found).net)
    assert len(gains) == 1
    lots = sum(figure.lots for figure in pool.moment().totals.values())
    money = sum(one.end - one.start for one in found.cash)
    assert gains == {money + Decimal(lots * mark - held_before) / 100}


@functools.cache
def pool_start(by: tuple[GroupBy, ...], method: CostMethod) -> Moment:
    """Return the moment before anything was traded, at a price of 1000."""
    pool = Counted(settings_of(may_short=True))
    pool.floor.quote(1_000)
    return pool.moment(*by, method=method)
