"""What one strategy hands to another inside an account, and what each has gained by it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.accounting import Accounting, Moment
from tandem.core.trading.booked import Handed
from tandem.core.trading.statements import Period, statement
from tandem.domain.commands import SetTargets
from tandem.domain.statements import CostMethod, GroupBy, RowKind, Statement, StatementRow
from tests.unit.core.trading.desk_driver import SECOND
from tests.unit.core.trading.strategy_floor import StrategyFloor, strategy_floor


def recorded() -> StrategyFloor:
    floor = strategy_floor(may_short=True)
    floor.desk.booked = []
    return floor


def statement_of(floor: StrategyFloor, *by: GroupBy) -> Statement:
    accounting = Accounting(by, CostMethod.FIFO)
    booked = floor.desk.booked
    assert booked is not None
    for one in booked:
        accounting.on_booked(one)
    period = Period(start=Moment(), end=accounting.moment(floor.desk), booked=booked)
    return statement(floor.desk.rules.catalogue, by, CostMethod.FIFO, period)


def gains(made: Statement) -> dict[str, Decimal | None]:
    return {row.group[0]: row.gain for row in made.rows if row.kind is RowKind.GROUP}


def rest_of(made: Statement) -> list[StatementRow]:
    """Return what is no strategy's; what they handed each other was bought and sold by none."""
    return [row for row in made.rows if row.kind is RowKind.REST and (row.gain or row.executions)]


def test_what_is_handed_over_counts_for_both_at_the_reference() -> None:
    """B3 B34: what strategies gained sums to what their account gained."""
    floor = recorded()
    floor.assign("a")
    floor.assign("b", lots=4, may_short=True)
    floor.set("a", 1)
    floor.fill_all(1_000)
    floor.pass_time(SECOND)
    floor.quote(1_100)
    floor.ask(SetTargets(targets=(floor.target("a", 0.6), floor.target("b", 1))))
    assert floor.out() == []
    booked = floor.desk.booked
    assert booked is not None
    assert isinstance(booked[-1], Handed)
    (netting,) = floor.state.prevention.nettings
    assert (netting.quantity, netting.price, netting.buyer) == (4, 1_100, "b")
    floor.quote(1_200)
    made = statement_of(floor, GroupBy.STRATEGY)
    # 6 of 10 gain 2 each, 4 gained 1 each before they were handed over, and 1 each since.
    assert gains(made) == {"a": Decimal(16), "b": Decimal(4)}
    assert not rest_of(made)
    assert [row.gain for row in made.totals] == [Decimal(20)]
    assert len(made.executions) == 1
    by_account = statement_of(floor, GroupBy.ACCOUNT)
    assert gains(by_account) == {"A1": Decimal(20)}
    both = statement_of(floor, GroupBy.INSTRUMENT, GroupBy.STRATEGY)
    assert {row.group for row in both.rows if row.kind is RowKind.GROUP} == {
        ("T@X", "a"),
        ("T@X", "b"),
    }


def test_one_gives_to_several_and_several_give_to_one() -> None:
    floor = recorded()
    for key, lots in (("a", 10), ("b", 4), ("c", 6)):
        floor.assign(key, lots=lots, may_short=True)
    targets = (floor.target("a", 1), floor.target("b", -1), floor.target("c", -1))
    floor.ask(SetTargets(targets=targets))
    assert [(floor.held(key), floor.out()) for key in "abc"] == [(10, []), (-4, []), (-6, [])]
    floor.pass_time(SECOND)
    floor.quote()
    targets = (floor.target("a", 0), floor.target("b", 0.5), floor.target("c", 0))
    floor.ask(SetTargets(targets=targets))
    assert floor.sizes() == [2]
    floor.fill_all()
    assert [floor.held(key) for key in "abc"] == [0, 2, 0]


def test_nothing_is_handed_over_at_an_old_price() -> None:
    floor = recorded()
    floor.assign("a", good_for_ns=10**12)
    floor.assign("b", good_for_ns=10**12, may_short=True)
    floor.halt()
    floor.ask(SetTargets(targets=(floor.target("a", 1), floor.target("b", -1))))
    floor.pass_time(301 * SECOND)
    floor.resume()
    floor.pass_time(2 * SECOND)
    assert (floor.held("a"), floor.attempts()) == (0, [])
    floor.quote()
    floor.pass_time(2 * SECOND)
    assert (floor.held("a"), floor.held("b"), floor.attempts()) == (10, -10, [])


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from([-1.0, 0.0, 0.5, 1.0]), st.integers(900, 1_100)
        ),
        max_size=10,
    )
)
def test_what_strategies_gain_is_what_their_account_gains(
    steps: list[tuple[str, float, int]],
) -> None:
    """B3 B34 I5."""
    floor = recorded()
    floor.look_away()
    floor.assign("a", lots=7, may_short=True)
    floor.assign("b", lots=5, may_short=True)
    for key, position, price in steps:
        floor.pass_time(SECOND)
        floor.quote(price)
        floor.set(key, position)
        floor.fill_all(price)
    made = statement_of(floor, GroupBy.STRATEGY)
    assert not rest_of(made)
    known = [gain for gain in gains(made).values() if gain is not None]
    total = sum((row.gain for row in made.totals if row.gain is not None), Decimal(0))
    assert sum(known, Decimal(0)) == total
    counted = sum(row.executions for row in made.rows)
    assert counted == sum(row.executions for row in made.totals) == len(made.executions)
