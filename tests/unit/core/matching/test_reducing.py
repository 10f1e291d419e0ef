import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.reducing import cuts, room
from tandem.domain.exchange import PublicTrade, SelfMatch
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import OrderStatus, Side
from tandem.domain.reports import RejectCode
from tests.unit.core.matching.paper import (
    ACCOUNTS,
    ALL_THERE_IS,
    BUY,
    FOK,
    SELL,
    SHARE,
    Paper,
    account,
    kinds,
)
from tests.unit.core.matching.test_admission import code
from tests.unit.core.matching.test_floor import fills, offered

REDUCE = {"reduce_only": True}
SHORT = account("N1", "ned", may_short=True, positions={SHARE: 10})
OTHERS = tuple(one for one in ACCOUNTS if one.account_id != "N1")


def paper_of(*, self_match: SelfMatch = SelfMatch.EXPIRE_TAKER) -> Paper:
    """An exchange where N1 has ten shares and may go short."""
    return Paper(accounts=(*OTHERS, SHORT), self_match=self_match)


def at(price: int) -> PublicTrade:
    return PublicTrade(instrument_id=SHARE, price=Ticks(price), quantity=Lots(0), taker=None)


def test_a_reduce_only_order_is_cut_to_what_the_others_leave_of_the_position() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 7, 1_000, **REDUCE)
    paper.place("N1-2", SELL, 7, 1_001, **REDUCE)
    assert paper.book() == [("sell", 1_000, 7), ("sell", 1_001, 3)]
    assert paper.account("N1").held_lots[SHARE] == 10
    assert code(paper.place("N1-3", SELL, 1, 1_000, **REDUCE)) is RejectCode.POSITION


def test_one_that_would_enlarge_the_position_is_refused() -> None:
    paper = paper_of()
    assert code(paper.place("N1-1", BUY, 1, 1_000, **REDUCE)) is RejectCode.POSITION


def test_a_short_position_is_reduced_by_buying() -> None:
    paper = paper_of()
    paper.place("A1-1", BUY, 30, 1_000)
    paper.place("N1-1", SELL, 30, 1_000)
    assert paper.shares("N1") == -20
    paper.place("N1-2", BUY, 50, 990, **REDUCE)
    assert paper.book() == [("buy", 990, 20)]


def test_one_that_was_cut_ends_as_canceled_when_the_rest_has_traded() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 15, 1_000, **REDUCE)
    paper.place("A1-1", BUY, 10, 1_000)
    assert paper.account("N1").records[1].status is OrderStatus.CANCELED
    assert paper.account("N1").records[1].cum_quantity == 10


def test_when_the_position_becomes_smaller_the_youngest_are_cut_first() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 4, 1_010, **REDUCE)
    paper.place("N1-2", SELL, 4, 1_009, **REDUCE)
    paper.place("N1-3", SELL, 9, 1_000)
    paper.place("A1-1", BUY, 5, 1_000)
    assert paper.book() == [("sell", 1_000, 4), ("sell", 1_009, 1), ("sell", 1_010, 4)]
    paper.place("A1-2", BUY, 4, 1_000)
    assert paper.book() == [("sell", 1_010, 1)]
    assert paper.account("N1").held_lots[SHARE] == 1
    assert paper.account("N1").records[2].status is OrderStatus.CANCELED


def test_a_taker_that_makes_a_position_smaller_meets_what_is_left_of_the_cut_orders() -> None:
    """The position never passes zero by a reduce-only order, within one taker neither."""
    paper = paper_of()
    paper.place("N1-1", SELL, 6, 1_000)
    paper.place("N1-2", SELL, 10, 1_001, **REDUCE)
    assert fills(paper.place("A1-1", BUY, 16, 1_001)) == [(6, 1_000), (4, 1_001)]
    assert paper.shares("N1") == 0
    assert paper.book() == [("buy", 1_001, 6)]


def test_a_public_trade_through_both_fills_no_more_than_there_is_to_reduce() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 10, 1_000)
    paper.place("N1-2", SELL, 10, 1_001, **REDUCE)
    through = PublicTrade(instrument_id=SHARE, price=Ticks(1_005), quantity=Lots(99), taker=None)
    paper.market(through)
    assert paper.shares("N1") == 0
    assert paper.book() == []


def test_orders_of_one_price_are_met_one_by_one_while_somebody_reduces() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 10, 1_000, **REDUCE)
    paper.place("A1-1", SELL, 2, 999)
    paper.place("U1-1", SELL, 2, 999)
    bought = fills(paper.place("B1-1", BUY, 6, 1_000))
    assert bought == [(2, 999), (2, 999), (2, 1_000)]


def test_a_market_order_foresees_cuts_behind_what_others_display() -> None:
    paper = paper_of()
    offered(paper, (999, 5))
    paper.place("N1-1", SELL, 10, 1_000, **REDUCE)
    assert fills(paper.place("A1-1", BUY, 9, None)) == [(5, 999), (4, 1_000)]


@pytest.mark.parametrize(("quantity", "expected"), [(10, [(6, 1_000), (4, 1_001)]), (11, [])])
def test_fill_or_kill_foresees_the_cuts(quantity: int, expected: list[tuple[int, int]]) -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 6, 1_000)
    paper.place("N1-2", SELL, 10, 1_001, **REDUCE)
    assert fills(paper.place("A1-1", BUY, quantity, 1_001, time_in_force=FOK)) == expected


def test_a_market_order_is_judged_by_what_it_will_pay_behind_the_cuts() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 10, 1_000)
    paper.place("N1-2", SELL, 10, 1_001, **REDUCE)
    paper.place("B1-1", SELL, 20, 999_000)
    paper.market()
    assert code(paper.place("A1-1", BUY, 21, None)) is RejectCode.FUNDS
    assert kinds(paper.place("A1-2", BUY, 10, None)) == ["Accepted", "Filled"]


def test_a_stop_claims_nothing_until_it_is_triggered_and_then_comes_first() -> None:
    """A stop and a target for the same position; whichever trades, the other is cut."""
    paper = paper_of()
    paper.place("N1-1", SELL, 10, 1_100, **REDUCE)
    paper.place("N1-2", SELL, 10, None, stop_price=Ticks(900), **REDUCE)
    paper.place("A1-1", BUY, 6, 890)
    paper.market(at(900))
    assert paper.shares("N1") == 4
    assert paper.book() == []
    assert [one.cum_quantity for one in paper.account("N1").records.values()] == [0, 6]
    assert paper.account("N1").held_lots[SHARE] == 0


def test_a_stop_makes_only_as_much_room_as_it_needs() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 10, 1_100, **REDUCE)
    paper.place("N1-2", SELL, 4, 950, stop_price=Ticks(900), **REDUCE)
    paper.market(at(900))
    assert paper.book() == [("sell", 950, 4), ("sell", 1_100, 6)]


def test_a_stop_with_nothing_to_reduce_is_canceled_when_it_is_triggered() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 10, None, stop_price=Ticks(900), **REDUCE)
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("N1-2", SELL, 10, 1_000)
    paper.market(at(900))
    assert paper.account("N1").records[1].status is OrderStatus.CANCELED


def test_an_amendment_is_cut_as_a_new_order_would_be() -> None:
    paper = paper_of()
    paper.place("N1-1", SELL, 4, 1_000, **REDUCE)
    paper.place("N1-2", SELL, 3, 1_001, **REDUCE)
    assert kinds(paper.amend("N1-1", 9, 1_000)) == ["Amended"]
    assert paper.book() == [("sell", 1_000, 7), ("sell", 1_001, 3)]
    paper.amend("N1-1", 5, 1_000)
    assert paper.book() == [("sell", 1_000, 3), ("sell", 1_001, 3)]


SIDES = st.sampled_from(Side)
ORDERS = st.tuples(
    st.sampled_from(["A1", "B1", "N1"]),
    SIDES,
    st.integers(1, 9),
    st.none() | st.integers(95, 105),
    st.none() | st.integers(95, 105),
    st.booleans(),
)


@given(st.sampled_from(SelfMatch), st.lists(ORDERS, max_size=40))
def test_no_reduce_only_order_takes_a_position_past_zero(
    mode: SelfMatch, steps: list[tuple[str, Side, int, int | None, int | None, bool]]
) -> None:
    """I6 as well: nobody is overdrawn, whatever is cut on the way."""
    paper = paper_of(self_match=mode)
    for number, (name, side, quantity, price, stop, reduces) in enumerate(steps):
        paper.place(f"{name}-{number}", side, quantity, price, stop_price=stop, reduce_only=reduces)
        for one in paper.exchange.state.accounts:
            open_there = [
                record
                for record in one.records.values()
                if record.order.reduce_only and record.status is None and not record.waits
            ]
            for kind in Side:
                claims = sum(each.leaves for each in open_there if each.order.side is kind)
                assert claims <= max(0, -kind.sign * one.positions[SHARE])
            assert one.cash["USD"] >= one.held.get("USD", 0) >= 0
    assert sum(paper.shares(one) for one in ("A1", "A2", "B1", "U1", "N1")) == 4_010


def test_the_first_are_served_first() -> None:
    assert cuts(5, [(1, 3), (2, 3), (3, 3)]) == [(2, 1), (3, 3)]
    assert cuts(9, [(1, 3), (2, 3), (3, 3)]) == []


def test_there_is_room_on_the_side_that_brings_a_position_nearer_to_zero() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 1, 1_000)
    order = paper.account("A1").records[1].order
    assert (room(order, 5), room(order, -5), room(order, 0)) == (5, 0, 0)
    assert paper.sums() == ALL_THERE_IS
