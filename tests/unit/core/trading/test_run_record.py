"""What a replayed desk shows of a run: arrival, slippage, what was visible, inventory."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.booked import Handed
from tandem.core.trading.run_record import RunRecord
from tandem.domain.commands import PlaceAlgo
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import AccountId, InstrumentId, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.venue import Quote
from tests.unit.core.trading.algos.test_driver import twap
from tests.unit.core.trading.counted import Counted, these

T = InstrumentId("T@X")
BUY, SELL = Side.BUY, Side.SELL


class Watched(Counted):
    """A pool that is watched; `look` after whatever happened."""

    def __init__(self) -> None:
        super().__init__()
        self.run = RunRecord()

    def look(self) -> RunRecord:
        self.run.on_event(self.floor.desk, self.floor.now.market_ns)
        return self.run

    def last(self, price: int) -> None:
        """Let the market have no quote, only a last trade."""
        quote = Quote(instrument_id=T, bid=None, ask=None, last=Ticks(price))
        self.floor.on(QuotesSeen(quotes=(quote,)))


def test_slippage_is_what_trades_cost_more_than_at_arrival() -> None:
    """A10: against the middle of the market when the order was taken."""
    pool = Watched()
    bought = pool.trade(BUY, 10, 1_005)
    pool.look()
    pool.floor.quote(1_100)
    sold = pool.trade(SELL, 10, 1_105)
    first, second = pool.look().orders(pool.floor.desk)
    assert these(first.order_id, first.arrival, first.slippage) == (bought, 10, Decimal("0.5"))
    assert these(second.order_id, second.arrival, second.slippage) == (sold, 11, Decimal("-0.5"))
    assert these(first.filled, first.value, first.state) == ("10", Decimal("100.5"), "filled")


def test_without_a_quote_the_last_trade_is_the_arrival() -> None:
    pool = Watched()
    pool.last(990)
    pool.trade(BUY, 10, 1_000)
    assert pool.look().orders(pool.floor.desk)[0].arrival == Decimal("9.9")


def test_without_any_price_there_is_no_slippage() -> None:
    pool = Watched()
    pool.floor.state.quotes.clear()
    pool.trade(BUY, 10, 1_000)
    (found,) = pool.look().orders(pool.floor.desk)
    assert (found.arrival, found.slippage) == (None, None)


def test_neither_side_quoted_and_no_trade_is_no_price() -> None:
    pool = Watched()
    pool.floor.state.quotes[T].bid = pool.floor.state.quotes[T].last = None
    pool.trade(BUY, 10, 1_000)
    assert pool.look().orders(pool.floor.desk)[0].arrival is None


def test_parts_of_an_algorithm_are_told_with_it() -> None:
    pool = Watched()
    pool.floor.ask(PlaceAlgo(spec=twap()))
    pool.look()
    run = pool.look()
    assert run.orders(pool.floor.desk) == ()
    assert [one.kind for one in run.algos(pool.floor.desk)] == ["twap"]


def test_an_order_that_is_forgotten_by_the_desk_is_told() -> None:
    pool = Watched()
    order = pool.trade(BUY, 10)
    pool.look()
    del pool.floor.state.parents[order]
    assert [one.order_id for one in pool.run.orders(pool.floor.desk)] == [order]


def test_the_most_that_ever_rested_in_a_book_is_known_with_its_moment() -> None:
    """A14: all accounts together; what takes at once is never visible."""
    pool = Watched()
    floor = pool.floor
    for attempt in floor.attempts(floor.buy(12, 990)):
        floor.accept(attempt)
    pool.look()
    at_ns = floor.now.market_ns
    (first, *_) = floor.attempts()
    floor.pass_time(1_000_000)
    floor.fill(first, 2)
    (taking,) = floor.attempts(
        floor.buy(50, 991, slots=("s1",), time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
    )
    floor.accept(taking)
    (found,) = pool.look().most_shown(floor.desk)
    assert (found.instrument_id, found.quantity, found.at_ns) == (T, "12", at_ns)


def test_inventory_is_told_after_each_execution() -> None:
    pool = Watched()
    for side, quantity in ((BUY, 10), (SELL, 4)):
        pool.trade(side, quantity)
    pool.act("T", dividend="1")
    for one in pool.everything:
        pool.run.on_booked(one)
    (found,) = pool.run.inventories(pool.floor.desk)
    assert these(found.instrument_id, *found.quantities) == (T, 10, 6)
    assert found.at_ns == (pool.floor.now.market_ns,) * 2


def test_what_strategies_hand_each_other_is_no_inventory() -> None:
    pool = Watched()
    handed = Handed(
        market_ns=1,
        account_id=AccountId("A1"),
        instrument_id=T,
        quantity=5,
        price=Ticks(1_000),
        buyer="a",
        seller="b",
        step_value=Decimal(1),
    )
    pool.run.on_booked(handed)
    assert pool.run.inventories(pool.floor.desk) == ()


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 30)), max_size=8))
def test_inventory_ends_with_what_the_accounts_hold_more(orders: list[tuple[Side, int]]) -> None:
    pool = Watched()
    total = 0
    for side, quantity in orders:
        pool.trade(side, quantity)
        total += side.sign * quantity
    for one in pool.booked:
        pool.run.on_booked(one)
    found = pool.run.inventories(pool.floor.desk)
    assert [one.quantities[-1] for one in found] == ([total] if orders else [])
    assert [len(one.at_ns) for one in found] == ([len(orders)] if orders else [])
