"""Books of groups beside a desk: figures at one moment."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.accounting import CashFigure, account_key, is_of_accounts
from tandem.domain.ids import AccountId, InstrumentId, SlotId
from tandem.domain.order import Side
from tandem.domain.statements import CostMethod, GroupBy
from tests.unit.core.trading.counted import Counted, these

A1, T = AccountId("A1"), InstrumentId("T@X")
BUY, SELL = Side.BUY, Side.SELL


def test_a_strategy_has_books_of_its_own() -> None:
    """B34: its gain does not depend on what was held before, nor on what others trade."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.trade(SELL, 10, 1_010, strategy="b")
    pool.trade(SELL, 10, 1_005, strategy="a")
    groups = pool.moment(GroupBy.STRATEGY).groups
    a, b = groups[("a",), A1, T], groups[("b",), A1, T]
    assert these(a.lots, a.realized, a.unrealized) == (0, Decimal("0.50"), 0)
    assert these(b.lots, b.realized, b.unrealized) == (-10, 0, Decimal("1.00"))
    assert these(a.executions, a.bought_lots, a.sold_lots) == (2, 10, 10)
    assert these(a.bought, a.sold, a.fees) == (100, Decimal("100.50"), Decimal("0.02"))


def test_accounts_and_instruments_are_asked_of_the_desk_itself() -> None:
    pool = Counted()
    pool.trade(SELL, 10, 1_010)
    found = pool.moment(GroupBy.INSTRUMENT)
    assert found.totals[(), A1, T].lots == 990
    assert found.groups[("T@X",), A1, T] == found.totals[(), A1, T]
    assert found.totals[(), A1, T].realized == 1


def test_the_oldest_lots_or_their_average_are_closed_first() -> None:
    """A30."""
    pool = Counted()
    pool.trade(BUY, 1, 1_000, strategy="a")
    pool.trade(BUY, 1, 1_010, strategy="a")
    pool.trade(SELL, 1, 1_020, strategy="a")
    cell = (("a",), A1, T)
    fifo = pool.moment(GroupBy.STRATEGY, method=CostMethod.FIFO).groups[cell]
    average = pool.moment(GroupBy.STRATEGY, method=CostMethod.AVERAGE).groups[cell]
    assert these(fifo.realized, fifo.cost) == (Decimal("0.20"), Decimal("10.10"))
    assert these(average.realized, average.cost) == (Decimal("0.15"), Decimal("10.05"))


def test_what_nobody_can_value_is_not_known() -> None:
    pool = Counted()
    pool.trade(BUY, 10, strategy="a")
    pool.floor.state.exposure.holdings[T].reference = None
    found = pool.moment(GroupBy.STRATEGY)
    assert found.groups[("a",), A1, T].unrealized is None
    assert T not in found.marks


def test_cash_says_where_it_came_from() -> None:
    pool = Counted()
    pool.trade(BUY, 10, 1_000, fee="0.03")
    found = pool.moment().cash[A1, "USD"]
    assert found == CashFigure(
        cash=Decimal("99899.97"),
        opened=Decimal(100_000),
        traded=Decimal(-100),
        fees=Decimal("0.03"),
    )


def test_an_order_is_named_by_its_parent_and_by_what_the_trader_asked() -> None:
    pool = Counted()
    order = pool.trade(BUY, 10)
    by = (GroupBy.ACCOUNT, GroupBy.INSTRUMENT, GroupBy.ORDER, GroupBy.PARENT)
    assert list(pool.moment(*by).groups) == [(("A1", "T@X", order, order), A1, T)]


def test_a_ledger_that_does_not_balance_is_told() -> None:
    pool = Counted()
    assert pool.moment().balanced
    pool.floor.state.ledger.accounts[A1].cash["USD"] += 1
    assert not pool.moment().balanced


def test_keys_of_accounts_leave_out_the_rest() -> None:
    by = (GroupBy.STRATEGY, GroupBy.ACCOUNT)
    assert account_key(by, (("x", "A1"), A1, T)) == ("", "A1")
    assert not is_of_accounts(by)
    assert is_of_accounts((GroupBy.INSTRUMENT, GroupBy.ACCOUNT))


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 30),
        st.integers(990, 1_010),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["0", "0.01", "-0.02"]),
    ),
    max_size=12,
)


@given(ORDERS)
def test_own_books_of_an_account_are_the_desks_when_it_held_nothing_before(
    orders: list[tuple[Side, int, int, str, str, str]],
) -> None:
    """I6: every figure that the books beside the desk reach, to the last digit."""
    pool = Counted()
    for account in list(pool.floor.state.positions):
        del pool.floor.state.positions[account]
    for side, quantity, price, slot, _, fee in orders:
        pool.trade(side, quantity, price, slots=(SlotId(slot),), fee=fee)
    for method in CostMethod:
        own = pool.moment(GroupBy.ACCOUNT, GroupBy.STRATEGY, method=method).groups
        desk = pool.moment(GroupBy.ACCOUNT, method=method).groups
        assert {cell[1:]: one for cell, one in own.items()} == {
            cell[1:]: one for cell, one in desk.items()
        }
    assert len(pool.booked) == len(orders)
