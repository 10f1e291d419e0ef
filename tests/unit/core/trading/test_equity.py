"""Equity over time: falls from heights, and sums that are those of the accounts."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.accounting import Accounting, Moment
from tandem.core.trading.equity import MINUTE_NS, Curve, Curves, Fall, worth
from tandem.core.trading.positions import Position
from tandem.core.trading.statements import Period, statement
from tandem.domain.commands import SetTargets
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.statements import CostMethod, GroupBy, RowKind
from tests.unit.core.trading.counted import Counted, Followed, points_of, rows_of, these
from tests.unit.core.trading.desk_driver import SECOND, settings_of
from tests.unit.core.trading.strategy_floor import StrategyFloor, strategy_floor

T = InstrumentId("T@X")
BUY, SELL = Side.BUY, Side.SELL
A, TOTAL = (("a",), "USD"), ((), "USD")


def fill(quantity: int, price: int) -> Filled:
    return Filled(
        client_order_id=ClientOrderId(""),
        execution_id=ExecutionId(""),
        quantity=Lots(quantity),
        price=Ticks(price),
        fee=Decimal("0.5"),
        venue_at_ns=0,
    )


def curve_of(*equities: str | None) -> Curve:
    curve = Curve(Decimal(0), 0, Decimal(0), points=[])
    for at_ns, equity in enumerate(equities, start=1):
        curve.look(at_ns, None if equity is None else Decimal(equity))
    return curve


def test_the_largest_fall_is_from_a_height_to_what_came_after_it() -> None:
    """B34: not from the highest to the lowest of all, which may stand in the other order."""
    curve = curve_of("-3", "5", "1", "4", "9", "6.5")
    assert curve.deepest == Fall(Decimal(4), 2, 3)
    assert these(curve.peak, curve.peak_ns, curve.present) == (9, 5, Decimal("2.5"))


def test_a_group_that_only_lost_fell_from_its_beginning() -> None:
    """B34."""
    assert curve_of("-1", "-4", "-2").deepest == Fall(Decimal(4), 0, 2)


def test_the_first_of_equal_falls_is_told() -> None:
    assert curve_of("2", "1", "2", "1").deepest == Fall(Decimal(1), 1, 2)


def test_what_nobody_could_value_counts_for_nothing() -> None:
    curve = curve_of("2", None, "1", None)
    assert (curve.deepest, curve.present) == (Fall(Decimal(1), 1, 3), None)
    assert these(*curve.points or ()) == ((1, 2), (3, 1))


def test_only_changes_are_kept() -> None:
    assert these(*curve_of("2", "2", "2", "3").points or ()) == ((1, 2), (4, 3))


def test_a_period_begins_with_what_was_gained_before() -> None:
    curves = Curves(lambda key: key == ("a",))
    curves.begin(5, {A: Decimal(10), TOTAL: None})
    curves.look(6, {A: Decimal(8), TOTAL: Decimal(3), (("b",), "USD"): Decimal(-1)})
    assert these(*curves.known[A].points or ()) == ((5, 10), (6, 8))
    assert curves.known[A].deepest == Fall(Decimal(2), 5, 6)
    assert these(curves.known[TOTAL].peak, curves.known[TOTAL].points) == (3, None)
    assert curves.known[("b",), "USD"].deepest == Fall(Decimal(1), 5, 6)
    curves.look(9, {(("c",), "USD"): Decimal(-1)})
    assert curves.known[("c",), "USD"].deepest == Fall(Decimal(1), 6, 9)


def test_where_no_price_was_known_at_first_there_is_no_height_yet() -> None:
    curves = Curves(lambda _: True)
    curves.begin(5, {A: None})
    assert curves.known[A].present is None
    curves.look(6, {A: Decimal(-7)})
    assert these(*curves.known[A].points or ()) == ((6, -7),)
    assert curves.known[A].present == 0
    curves.begin(8, {})
    assert curves.known == {}


def test_worth_is_gains_and_income_less_fees() -> None:
    instrument = Counted().floor.desk.rules.catalogue.instruments[0]
    assert instrument.step_value == Decimal("0.01")
    position = Position()
    for side, quantity, price in ((BUY, 10, 1_000), (BUY, 10, 1_100), (SELL, 5, 1_200)):
        position.on_fill(side, fill(quantity, price))
    position.income = Decimal(3)
    # 5 x (1200 - 1000), and 15 at 1150 that have cost 5 x 1000 + 10 x 1100: 10.00 + 12.50 + 3 - 1.5
    assert worth(position, instrument, Ticks(1_150), CostMethod.FIFO) == Decimal(24)
    assert worth(position, instrument, Ticks(1_150), CostMethod.AVERAGE) == Decimal(24)
    assert worth(position, instrument, None, CostMethod.FIFO) is None
    position.on_fill(SELL, fill(20, 1_100))
    assert worth(position, instrument, Ticks(1_050), CostMethod.FIFO) == Decimal("18.50")
    position.on_fill(BUY, fill(5, 1_000))
    assert worth(position, instrument, None, CostMethod.AVERAGE) == Decimal("20.50")


def test_a_strategy_s_equity_is_looked_at_minute_by_minute() -> None:
    """B34: bought 10 at 10.00 for 0.01, seen at 10.20, 9.90 and 10.10, and sold at 10.05."""
    pool = Counted()
    books = Followed(pool.floor, GroupBy.STRATEGY)
    books.minute()
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.floor.quote(900)
    pool.floor.quote(1_020)
    books.minute()
    pool.floor.quote(990)
    books.minute(5)
    pool.floor.quote(1_010)
    books.minute()
    pool.trade(SELL, 10, 1_005, strategy="a")
    found = books.statement()
    row = rows_of(found)["a",]
    assert these(*points_of(found)["a",]) == (
        (0, 0), (1, Decimal("1.99")), (2, Decimal("-1.01")), (7, Decimal("0.99")),
        (8, Decimal("0.48")),
    )  # fmt: skip
    assert these(row.net, row.drawdown, row.drawdown_now) == (
        Decimal("0.48"),
        3,
        Decimal("1.51"),
    )
    assert (row.drawdown_from_ns, row.drawdown_to_ns) == (MINUTE_NS, 2 * MINUTE_NS)
    assert these(row.round_trips, row.won, row.turnover) == (1, 1, Decimal("200.5"))


def test_a_period_without_a_trade_still_rises_and_falls_with_prices() -> None:
    """B34: what was gained before it is no part of it."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="a")
    before = pool.everything
    books = Followed(pool.floor, GroupBy.STRATEGY)
    for one in before:
        books.accounting.on_booked(one)
    pool.floor.quote(1_100)
    books.start = books.accounting.moment(pool.floor.desk)
    books.accounting.begin(pool.floor.desk, 0)
    pool.floor.quote(1_050)
    found = books.statement()
    row = rows_of(found)["a",]
    assert these(row.net, row.drawdown, row.drawdown_now, row.round_trips) == (-5, 5, 5, 0)
    assert these(*points_of(found)["a",]) == ((0, 0), (0, -5))


def test_accounts_and_all_of_a_person_have_equity_too() -> None:
    """B34: what an account held before has no part in a trip, and a part in equity."""
    pool = Counted()
    books = Followed(pool.floor, GroupBy.ACCOUNT)
    pool.trade(SELL, 10, 1_000, fee="0")
    pool.floor.quote(900, "T")
    books.minute()
    pool.trade(BUY, 10, 900, fee="0")
    found = books.statement()
    rows, (total,) = rows_of(found), found.totals
    assert these(rows["A1",].drawdown, rows["A2",].drawdown, total.drawdown) == (990, 1_000, 3_990)
    assert these(rows["A1",].round_trips, rows["A1",].won, total.round_trips) == (1, 1, 1)
    assert these(*points_of(found)[()]) == ((0, 0), (0, -3_990))


def test_an_account_s_round_trips_go_on_through_a_split() -> None:
    """A29 B34."""
    pool = Counted()
    books = Followed(pool.floor, GroupBy.ACCOUNT)
    pool.trade(BUY, 10, 1_000)
    pool.act("T", 2, 1)
    pool.floor.quote(600)
    pool.trade(SELL, 20, 600)
    row = rows_of(books.statement())["A1",]
    assert (row.round_trips, row.won) == (1, 1)


def test_round_trips_count_in_the_period_in_which_they_end() -> None:
    """B34."""
    pool = Counted()
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.trade(SELL, 10, 1_010, strategy="a")
    pool.trade(BUY, 10, 1_000, strategy="a")
    before = list(pool.everything)
    books = Followed(pool.floor, GroupBy.STRATEGY)
    for one in before:
        books.accounting.on_booked(one)
    books.start = books.accounting.moment(pool.floor.desk)
    books.accounting.begin(pool.floor.desk, 0)
    pool.trade(SELL, 10, 990, strategy="a")
    pool.trade(BUY, 10, 1_000, strategy="a")
    pool.trade(SELL, 10, 1_010, strategy="a")
    row = rows_of(books.statement())["a",]
    assert (row.round_trips, row.won) == (2, 1)


def test_the_rest_has_no_story_and_neither_has_an_order() -> None:
    pool = Counted()
    books = Followed(pool.floor, GroupBy.ORDER)
    pool.trade(BUY, 10)
    pool.floor.quote(990)
    books.minute()
    found = books.statement()
    (rest,) = rows_of(found, RowKind.REST).values()
    for row in (*found.rows, *found.totals, rest):
        assert (row.drawdown, row.drawdown_now, row.round_trips, row.won) == (None,) * 4
    assert found.curves == ()


def test_a_clock_that_is_set_back_begins_another_minute() -> None:
    pool = Counted()
    books = Followed(pool.floor, GroupBy.STRATEGY)
    books.minute(9)
    pool.trade(BUY, 10, 1_000, strategy="a", fee="0")
    pool.floor.quote(990)
    books.minute(-5)
    pool.floor.quote(1_000)
    assert these(*points_of(books.statement())["a",]) == ((0, 0), (9, -1), (4, 0))


def test_each_assignment_has_its_own_equity() -> None:
    """B3 B34: two of one strategy, and what one handed to the other."""
    floor = strategy_floor(may_short=True)
    books = Followed(floor, GroupBy.ASSIGNMENT)
    floor.assign("x", name="cross")
    floor.assign("y", name="cross", lots=4, may_short=True)
    floor.set("x", 1)
    floor.fill_all(1_000)
    books.minute()
    floor.pass_time(SECOND)
    floor.quote(1_100)
    floor.ask(SetTargets(targets=(floor.target("x", 0.6), floor.target("y", 1))))
    assert floor.out() == []
    floor.quote(1_050)
    found = books.statement()
    # 6 of x gain 0.50 each, 4 gained 1.00 and went to y, where each lost 0.50; one fee of 0.01.
    rows = rows_of(found)
    assert {key: row.net for (key,), row in rows.items()} == {
        "x": Decimal("6.99"),
        "y": Decimal(-2),
    }
    assert these(rows["y",].drawdown, rows["x",].drawdown) == (2, Decimal("0.01"))
    by_strategy = Followed(floor, GroupBy.STRATEGY)
    for one in books.booked:
        by_strategy.accounting.on_booked(one)
    assert by_strategy.statement().rows[0].net == Decimal("4.99")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.integers(980, 1_020)),
        st.tuples(st.just("minute"), st.just(0)),
        st.tuples(st.sampled_from(["", "a", "b"]), st.integers(-20, 20).filter(bool)),
    ),
    max_size=14,
)


@given(STEPS, st.sampled_from(list(CostMethod)))
def test_strategies_and_hands_sum_to_the_account_at_every_look(
    steps: list[tuple[str, int]], method: CostMethod
) -> None:
    """B34 I23: equity of all groups is that of the accounts, and each row's net is its last."""
    pool = Counted(settings_of(may_short=True))
    for account in list(pool.floor.state.positions):
        del pool.floor.state.positions[account]
    books = Followed(pool.floor, GroupBy.STRATEGY, method=method)
    for what, number in steps:
        if what == "quote":
            pool.floor.quote(number)
        elif what == "minute":
            books.minute()
        else:
            side = BUY if number > 0 else SELL
            pool.trade(side, abs(number), 1_000, strategy=what, fee="0.0133")
    found = books.statement()
    curves = points_of(found)
    looks = sorted({at for points in curves.values() for at, _ in points})
    for at in looks:
        parts = [at_minute(points, at) for key, points in curves.items() if key]
        assert sum(parts, Decimal(0)) == at_minute(curves.get((), ()), at)
    for row in (*rows_of(found).values(), *found.totals):
        points = [equity for _, equity in curves[row.group]]
        assert row.net == points[-1]
        falls = [high - low for at, high in enumerate(points) for low in points[at:]]
        assert row.drawdown == max(falls)
        assert row.drawdown_now == max(points) - points[-1]


def at_minute(points: tuple[tuple[int, Decimal], ...], minute: int) -> Decimal:
    """Return what stood at the end of a minute."""
    return next((equity for at, equity in reversed(points) if at <= minute), Decimal(0))


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("minute"), st.just(0), st.just(0)),
        st.tuples(st.just("quote"), st.integers(985, 1_015), st.just(0)),
        st.tuples(st.just("part"), st.integers(1, 9), st.integers(990, 1_010)),
        st.tuples(st.just("fill"), st.just(0), st.integers(990, 1_010)),
        st.tuples(st.just("hand"), st.integers(-9, 9).filter(bool), st.integers(0, 1)),
        st.tuples(st.sampled_from("xyz"), st.integers(-4, 4), st.just(0)),
    ),
    max_size=16,
)


def do(floor: StrategyFloor, books: Followed, deed: tuple[str, int, int]) -> None:
    """Do one deed of a market, a person or a strategy."""
    what, number, rest = deed
    if what == "minute":
        books.minute()
    elif what == "quote":
        floor.quote(number)
    elif what == "fill":
        floor.fill_all(rest)
    elif what == "hand":
        side = BUY if number > 0 else SELL
        floor.place(side, abs(number), None, slots=("s1", "s2")[: rest + 1])
    elif what != "part":
        floor.set(what, number / 4)
    elif floor.out():
        attempt = floor.out()[0]
        left = attempt.order.quantity - attempt.cum_quantity
        floor.fill(attempt, min(number, left), price=rest)


@given(DEEDS)
def test_assignments_and_what_a_person_trades_sum_to_the_ledger(
    deeds: list[tuple[str, int, int]],
) -> None:
    """B3 B34 I23: with netting, handing over, parts of orders and changes of mind."""
    floor = strategy_floor(may_short=True)
    books = Followed(floor, GroupBy.ASSIGNMENT)
    for key in "xyz":
        floor.assign(key, name="one" if key == "x" else "two", slots=(), may_short=True)
    for deed in deeds:
        do(floor, books, deed)
    found = books.statement()
    curves = points_of(found)
    for at in sorted({at for points in curves.values() for at, _ in points}):
        parts = [at_minute(points, at) for key, points in curves.items() if key]
        assert sum(parts, Decimal(0)) == at_minute(curves.get((), ()), at)
    cash, lots = Decimal(0), 0
    for account in floor.state.ledger.accounts.values():
        cash -= sum(account.market.values()) + sum(account.fees.values())
        lots -= sum(account.market_lots.values())
    mark = floor.state.exposure.holdings[T].reference or 0
    gained = sum((row.net or Decimal(0) for row in rows_of(found).values()), Decimal(0))
    assert gained == cash + lots * mark * Decimal("0.01")
    assert not any(row.net for row in found.rows if row.kind is RowKind.REST)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.integers(300, 3_000), st.just(0)),
        st.tuples(st.just("minute"), st.just(0), st.just(0)),
        st.tuples(st.just("split"), st.integers(1, 4), st.integers(1, 4)),
        st.tuples(st.just("pay"), st.integers(1, 50), st.just(0)),
        st.tuples(st.sampled_from(["a", "b"]), st.integers(-9, 9).filter(bool), st.just(0)),
    ),
    max_size=10,
)


@given(ACTS, st.sampled_from([GroupBy.STRATEGY, GroupBy.ACCOUNT, GroupBy.INSTRUMENT]))
def test_the_last_equity_is_the_net_gain_through_splits_and_dividends(
    acts: list[tuple[str, int, int]], by: GroupBy
) -> None:
    """A29 A30 B34: with what was held before, and in the statement's own figures."""
    pool = Counted(settings_of(may_short=True))
    books = Followed(pool.floor, by)
    for what, number, rest in acts:
        if what == "quote":
            pool.floor.quote(number)
        elif what == "minute":
            books.minute()
        elif what == "pay":
            pool.act("T", dividend=f"0.{number:02}")
        elif what == "split":
            pool.act("T", number, rest)
        else:
            pool.floor.quote(1_000)
            pool.trade(BUY if number > 0 else SELL, abs(number), strategy=what)
    pool.floor.quote(1_000)
    found = books.statement()
    curves = points_of(found)
    for row in (*rows_of(found).values(), *found.totals):
        assert row.net == (curves[row.group][-1][1] if row.group in curves else 0)
        assert row.turnover == row.bought + row.sold


def test_books_that_were_told_no_time_have_no_curves() -> None:
    pool = Counted()
    accounting = Accounting((GroupBy.STRATEGY,), CostMethod.FIFO)
    assert accounting.end(pool.floor.desk).curves == {}


def test_a_period_that_nobody_begins_begins_with_its_first_record() -> None:
    """B34: and without being asked for, no points are kept."""
    pool = Counted()
    accounting = Accounting((GroupBy.ACCOUNT,), CostMethod.FIFO)
    accounting.on_time(pool.floor.desk, 7)
    pool.floor.quote(900, "T")
    accounting.on_time(pool.floor.desk, 8)
    end = accounting.end(pool.floor.desk)
    curve = end.curves[("A1",), "USD"]
    assert (curve.deepest, curve.points) == (Fall(Decimal(1_000), 7, 8), None)
    period = Period(start=Moment(), end=end, booked=())
    catalogue = pool.floor.desk.rules.catalogue
    assert statement(catalogue, (GroupBy.ACCOUNT,), CostMethod.FIFO, period).curves == ()
