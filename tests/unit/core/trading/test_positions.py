"""Positions and gains, against a judge that keeps every lot and computes in fractions."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.positions import TRANCHES_MAX, Position, Tranche
from tandem.domain.ids import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    MarketId,
    Ticks,
    VenueId,
)
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.reports import Filled

T = Instrument(
    instrument_id=InstrumentId("T@x"),
    symbol="T",
    venue_id=VenueId("x"),
    market_id=MarketId("x"),
    base="T",
    quote="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
)
BUY, SELL = Side.BUY, Side.SELL


class Trade(NamedTuple):
    side: Side
    quantity: int
    price: int
    fee: str = "0"

    @property
    def fill(self) -> Filled:
        return Filled(
            client_order_id=ClientOrderId("c"),
            execution_id=ExecutionId("e"),
            quantity=Lots(self.quantity),
            price=Ticks(self.price),
            fee=Decimal(self.fee),
            venue_at_ns=0,
        )


def traded(*trades: Trade) -> Position:
    position = Position()
    for one in trades:
        position.on_fill(one.side, one.fill)
    return position


SMALL = st.builds(Trade, st.sampled_from(Side), st.integers(1, 9), st.integers(1, 19), st.just("0"))
TRADES = st.lists(
    st.builds(
        Trade,
        st.sampled_from(Side),
        st.one_of(st.integers(1, 20), st.integers(1, 2**53)),
        st.one_of(st.integers(1, 5), st.integers(1, 2**53)),
        st.decimals(-10, 10, places=6).map(str),
    ),
    max_size=30,
)


@given(TRADES, st.integers(1, 2**53))
def test_gains_less_fees_equal_the_cash_flow_and_what_is_held(
    trades: list[Trade], mark: int
) -> None:
    """I6: exact, for both ways of counting."""
    position = traded(*trades)
    cash = Fraction(0)
    for one in trades:
        worth = Fraction(T.step_value) * one.price * one.quantity
        cash -= worth * one.side.sign + Fraction(one.fee)
    found = position.profit_and_loss(T, Ticks(mark))
    assert found.unrealized is not None
    assert found.unrealized_fifo is not None
    held = Fraction(T.step_value) * mark * position.quantity
    fees = Fraction(found.fees)
    assert Fraction(found.realized) + Fraction(found.unrealized) - fees == cash + held
    assert Fraction(found.realized_fifo) + Fraction(found.unrealized_fifo) - fees == cash + held
    assert found.quantity == sum(one.quantity * one.side.sign for one in trades)


@given(
    st.lists(
        SMALL,
        max_size=40,
    )
)
def test_first_in_first_out_gains_are_those_of_a_queue_of_single_lots(
    trades: list[Trade],
) -> None:
    queue: list[int] = []
    sign = realized = 0
    position = Position()
    for one in trades:
        gained = 0
        for _ in range(one.quantity):
            if queue and sign != one.side.sign:
                gained += (one.price - queue.pop(0)) * sign
            else:
                sign = one.side.sign
                queue.append(one.price)
        realized += gained
        assert position.on_fill(one.side, one.fill) == gained
    assert position.realized_fifo == realized
    assert position.quantity == len(queue) * sign
    assert sum(tranche.lots for tranche in position.tranches) == len(queue)
    assert sum(tranche.cost for tranche in position.tranches) == sum(queue)


@given(
    st.lists(
        SMALL,
        max_size=40,
    )
)
def test_average_gains_are_within_a_unit_a_closing_of_the_exact_fraction(
    trades: list[Trade],
) -> None:
    position = Position()
    quantity, average, realized, closings = 0, Fraction(0), Fraction(0), 0
    for one in trades:
        signed = one.quantity * one.side.sign
        if quantity * signed < 0:
            closed = min(abs(signed), abs(quantity))
            sign = 1 if quantity > 0 else -1
            realized += closed * (one.price - average) * sign
            closings += 1
            if abs(signed) > closed:
                average = Fraction(one.price)
        else:
            average = (average * abs(quantity) + one.price * one.quantity) / (
                abs(quantity) + one.quantity
            )
        quantity += signed
        position.on_fill(one.side, one.fill)
        assert abs(Fraction(position.realized) - realized) <= closings
        if quantity == 0:
            assert position.cost == 0


def test_closing_in_parts_leaves_nothing_of_an_average_that_does_not_divide() -> None:
    position = traded(Trade(BUY, 1, 10), Trade(BUY, 2, 11), Trade(SELL, 1, 20))
    assert (position.realized, position.cost) == (Decimal(10), Decimal(22))
    assert position.realized_fifo == Decimal(10)
    position.on_fill(SELL, Trade(SELL, 2, 20).fill)
    assert (position.realized, position.cost, position.quantity) == (Decimal(28), Decimal(0), 0)
    assert position.realized_fifo == 28


def test_one_fill_turns_long_into_short_and_back() -> None:
    position = traded(Trade(BUY, 10, 100), Trade(SELL, 15, 110))
    assert (position.quantity, position.realized, position.cost) == (-5, Decimal(100), Decimal(550))
    assert position.tranches == [Tranche(5, Decimal(550))]
    position.on_fill(BUY, Trade(BUY, 8, 90).fill)
    assert (position.quantity, position.realized, position.cost) == (3, Decimal(200), Decimal(270))
    assert position.realized_fifo == 200


def test_the_oldest_lots_are_closed_first() -> None:
    position = traded(Trade(BUY, 2, 10), Trade(BUY, 2, 20), Trade(BUY, 2, 30))
    assert position.on_fill(SELL, Trade(SELL, 3, 30).fill) == 50
    assert position.realized == 30
    assert position.tranches == [Tranche(1, Decimal(20)), Tranche(2, Decimal(60))]


def test_neighbors_of_one_price_are_one_tranche() -> None:
    position = traded(Trade(BUY, 2, 10), Trade(BUY, 3, 10), Trade(BUY, 1, 11), Trade(BUY, 1, 10))
    assert [tranche.lots for tranche in position.tranches] == [5, 1, 1]


def test_tranches_are_bounded_and_gains_stay_exact_in_sum() -> None:
    count = TRANCHES_MAX + 500
    position = traded(*(Trade(BUY, 1, price) for price in range(1, count + 1)))
    assert len(position.tranches) == TRANCHES_MAX
    assert position.tranches[-1].lots == 501
    position.on_fill(SELL, Trade(SELL, TRANCHES_MAX + 100, 2_000).fill)
    position.on_fill(SELL, Trade(SELL, 400, 2_000).fill)
    assert position.quantity == 0
    assert position.tranches == []
    gained = sum(2_000 - price for price in range(1, count + 1))
    assert position.realized_fifo == position.realized == gained


def test_what_was_held_before_counts_at_the_price_given() -> None:
    position = Position()
    position.take_over(-4, Ticks(50))
    assert position.on_fill(BUY, Trade(BUY, 4, 40, "0.1").fill) == 40
    assert (position.quantity, position.realized, position.fees) == (0, Decimal(40), Decimal("0.1"))


def test_a_fill_of_nothing_changes_only_fees() -> None:
    position = traded(Trade(BUY, 5, 10))
    assert position.on_fill(SELL, Trade(SELL, 0, 10, "0.5").fill) == 0
    assert position == Position(
        quantity=5, cost=Decimal(50), tranches=[Tranche(5, Decimal(50))], fees=Decimal("0.5")
    )


@pytest.mark.parametrize("side", Side)
def test_money_is_in_the_quote_currency_and_unrealized_needs_a_price(side: Side) -> None:
    position = traded(Trade(side, 2_000, 1_000, "0.25"), Trade(side.opposite, 500, 1_100))
    found = position.profit_and_loss(T, Ticks(1_200))
    assert found.quantity == 1_500 * side.sign
    assert found.cost == Decimal("15.000")
    assert found.realized == found.realized_fifo == Decimal("0.5") * side.sign
    assert found.unrealized == found.unrealized_fifo == Decimal(3) * side.sign
    assert found.fees == Decimal("0.25")
    unknown = position.profit_and_loss(T, None)
    assert (unknown.unrealized, unknown.unrealized_fifo) == (None, None)
    assert unknown.realized == found.realized


@given(TRADES)
def test_a_position_survives_a_snapshot_however_large(trades: list[Trade]) -> None:
    position = traded(*trades)
    content = msgspec.msgpack.encode(position)
    again = msgspec.msgpack.decode(content, type=Position)
    assert again == position
    assert msgspec.msgpack.encode(again) == content


def figures(position: Position) -> list[object]:
    """Return how much there is and what it cost, by both ways of counting."""
    return [position.quantity, position.cost, position.cost_fifo]


def test_a_split_leaves_what_all_lots_cost_and_gains_nothing() -> None:
    """A29: two for one, by both ways of counting."""
    position = traded(Trade(BUY, 10, 1_000), Trade(BUY, 5, 1_300))
    position.split(15)
    assert figures(position) == [30, 16_500, 16_500]
    assert position.tranches == [Tranche(20, Decimal(10_000)), Tranche(10, Decimal(6_500))]
    gains = position.profit_and_loss(T, Ticks(550))
    assert not gains.realized
    assert not gains.unrealized
    position.on_fill(SELL, Trade(SELL, 20, 600).fill)
    assert [position.realized, position.realized_fifo] == [1_000, 2_000]


def test_what_a_split_leaves_without_a_lot_of_its_own_costs_the_next_one_as_much_more() -> None:
    position = traded(Trade(BUY, 1, 900), Trade(BUY, 1, 1_000), Trade(BUY, 8, 1_100))
    position.split(-8)
    assert position.quantity == 2
    assert position.tranches == [Tranche(2, Decimal(10_700))]


@pytest.mark.parametrize(("side", "lots", "lost"), [(BUY, -3, -3_000), (SELL, 3, 3_000)])
def test_a_position_that_a_split_takes_whole_has_lost_or_gained_its_cost(
    side: Side, lots: int, lost: int
) -> None:
    """What it gets in money for that is income."""
    position = traded(Trade(side, 3, 1_000))
    position.split(lots)
    assert figures(position) == [0, 0, 0]
    assert [position.realized, position.realized_fifo] == [lost, lost]


def test_lots_of_a_split_that_there_were_none_for_cost_nothing() -> None:
    """An execution that is told late is what they belong to."""
    position = traded()
    position.split(5)
    position.on_fill(BUY, Trade(BUY, 5, 1_000).fill)
    assert figures(position) == [10, 5_000, 5_000]
    position.split(-30)
    assert position.quantity == -20


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 99)), min_size=1, max_size=6),
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from([BUY, SELL]),
)
def test_a_split_neither_makes_nor_loses_anything(
    opened: list[tuple[int, int]], new: int, old: int, side: Side
) -> None:
    position = traded(*(Trade(side, lots, price) for lots, price in opened))
    before = (position.cost, position.realized)
    held = position.quantity
    after = abs(held) * new // old * side.sign
    position.split(after - held)
    assert position.quantity == after
    assert sum(one.lots for one in position.tranches) == abs(after)
    assert all(one.lots > 0 for one in position.tranches)
    assert position.cost == position.cost_fifo
    assert (position.cost + abs(position.realized)) == before[0] + before[1]
