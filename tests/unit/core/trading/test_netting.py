"""What assignments want of one account is one order; what they hand each other is none."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.core.trading.state import ParentPhase
from tandem.domain.commands import (
    AtObjective,
    CancelOrders,
    Done,
    HaltTrading,
    SetObjectives,
    SetTargets,
    Unassign,
)
from tandem.domain.control import AskStrategies
from tandem.domain.ids import InstrumentId, Lots
from tandem.domain.limits import Limits
from tandem.domain.order import TimeInForce
from tandem.domain.reports import RejectCode
from tandem.domain.strategies import AssignmentId, PercentOfEquity
from tandem.domain.strategy_views import StrategiesView
from tests.unit.core.trading.desk_driver import SECOND, X, instrument
from tests.unit.core.trading.strategy_floor import (
    MINUTE,
    StrategyFloor,
    strategy_floor,
)


def set_both(floor: StrategyFloor, **positions: float) -> None:
    targets = tuple(floor.target(key, position) for key, position in positions.items())
    floor.ask(SetTargets(targets=targets))


def later(floor: StrategyFloor) -> None:
    floor.pass_time(MINUTE)
    floor.quote()


def test_a_position_that_is_wanted_is_bought_and_its_reverse_sold() -> None:
    """B20, B22."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    order = attempt.order
    assert (order.quantity, order.limit_price) == (10, None)
    assert order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    parent = floor.state.parents[attempt.parent_id]
    begin_ns = floor.assigned().begin_ns
    assert (parent.spec.strategy, parent.command_id) == ("a", f"a@{begin_ns}")
    floor.fill_all()
    assert floor.held() == 10
    later(floor)
    floor.set(position=0)
    assert floor.sizes() == [-10]
    floor.fill_all()
    assert (floor.held(), floor.state.strategies.nets) == (0, {})
    floor.replay()


def test_two_that_want_the_opposite_trade_only_the_difference() -> None:
    """B22."""
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.assign("b", lots=4, may_short=True)
    set_both(floor, a=1, b=-1)
    assert floor.sizes() == [6]
    floor.fill_all()
    assert (floor.held("a"), floor.held("b")) == (10, -4)
    assert floor.counted("targets_handed") == 1
    floor.replay()


def test_two_that_want_the_reverse_of_each_other_trade_nothing() -> None:
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.assign("b", may_short=True)
    set_both(floor, a=1, b=-1)
    assert (floor.attempts(), floor.held("a"), floor.held("b")) == ([], 10, -10)


def test_a_partial_fill_goes_on_until_it_is_reached() -> None:
    """B22."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    for lots, rest in ((4, 6), (5, 1)):
        (attempt,) = floor.out()
        floor.fill(attempt, lots)
        floor.canceled(attempt)
        floor.pass_time(SECOND)
        assert floor.sizes() == [rest]
    floor.fill_all()
    assert floor.held() == 10
    floor.replay()


def test_what_nobody_trades_with_is_tried_again_and_not_hammered() -> None:
    floor = strategy_floor(attempts_max=1)
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.canceled(attempt)
    floor.pass_time(40 * SECOND)
    assert floor.counted("targets_orders") <= 3
    assert floor.sizes() == [10]


def test_what_is_not_reached_in_time_is_given_up_and_the_next_answer_begins_anew() -> None:
    """A13 B25."""
    floor = strategy_floor()
    floor.assign(good_for_ns=MINUTE)
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.fill(attempt, 3)
    floor.pass_time(MINUTE + 1)
    assert attempt.cancel_wanted
    floor.canceled(attempt)
    assert (floor.member().wanted, floor.assigned().dropped) == (3, 1)
    assert floor.said()[-1] == ("dropped", "too old")
    assert floor.assigned().is_expired
    floor.pass_time(MINUTE)
    floor.quote()
    assert floor.out() == []
    floor.set(position=1)
    assert floor.sizes() == [7]
    floor.replay()


def test_an_order_that_leads_on_no_longer_is_canceled() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.pass_time(SECOND)
    floor.set(position=0.5)
    assert attempt.cancel_wanted
    floor.fill(attempt, 7)
    floor.canceled(attempt)
    assert floor.sizes() == [-2]
    floor.fill_all()
    assert floor.held() == 5


def test_an_order_goes_on_when_more_is_wanted_on_its_side() -> None:
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b", lots=3)
    floor.set("a", 1)
    (attempt,) = floor.out()
    floor.set("b", 1)
    assert not attempt.cancel_wanted
    floor.fill(attempt, 10)
    assert floor.sizes() == [3]


def test_each_account_has_an_order_of_its_own() -> None:
    """B23."""
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"))
    floor.set(position=1)
    first, second = floor.out()
    assert {first.slot_id, second.slot_id} == {"s1", "s2"}
    floor.fill(first, 10)
    floor.canceled(second)
    assert (floor.held(slot="s1"), floor.held(slot="s2")) == (10, 0)


# -- what cannot be traded


def listed(**changes: Any) -> StrategyFloor:
    made = msgspec.structs.replace(instrument("T", X, "m"), **changes)
    return strategy_floor(instruments=(made,))


def test_less_than_can_be_traded_is_dust_left_and_said() -> None:
    """B22."""
    floor = listed(min_quantity=Lots(5))
    floor.assign(lots=10)
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.fill(attempt, 7)
    floor.canceled(attempt)
    floor.pass_time(SECOND)
    net = floor.net()
    assert (floor.out(), net.is_dust) == ([], True)
    assert net.note == "dust: 3 is less than can be traded"
    floor.pass_time(10 * MINUTE)
    floor.quote()
    assert (floor.held(), floor.assigned().dropped) == (7, 0)
    floor.set(position=1)
    assert floor.out() == []


def test_dust_of_several_is_traded_together() -> None:
    floor = listed(min_notional=Decimal(50))
    floor.assign("a", lots=3)
    floor.assign("b", lots=2)
    floor.set("a", 1)
    assert floor.out() == []
    floor.set("b", 1)
    assert floor.sizes() == [5]


def test_no_more_is_bought_than_can_be_paid_for() -> None:
    """I5."""
    floor = strategy_floor()
    floor.assign(sizing=PercentOfEquity(ppm=1_000_000))
    floor.set(position=1)
    assert floor.sizes() == [9_090]  # 100,000 of 11 each at the worst
    floor.fill_all()
    assert floor.held() > 9_900


def test_what_is_left_below_the_least_order_by_want_of_money_waits() -> None:
    floor = listed(min_quantity=Lots(9_500))
    floor.assign(sizing=PercentOfEquity(ppm=1_000_000))
    floor.set(position=1)
    assert (floor.out(), floor.net().is_dust) == ([], False)
    assert floor.net().note == "9090 is less than can be traded"
    floor.pass_time(2 * MINUTE)
    assert floor.assigned().dropped == 1
    assert "9090 is less than can be traded" in floor.said()[-1][1]


def test_what_is_not_on_the_account_any_more_cannot_be_sold_and_is_said() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    floor.sell(10, 1_100, slots=("s1",))
    later(floor)
    floor.set(position=0)
    assert floor.net().note == "nothing is free"


def test_a_refusal_is_said_and_tried_again() -> None:
    """I9."""
    floor = strategy_floor(limits=Limits(max_notional=Decimal(90), max_duplicates=1))
    floor.assign()
    floor.set(position=1)
    assert floor.sizes() == [8]  # 11 each at the worst
    floor.fill(floor.out()[0], 8)
    assert floor.sizes() == [2]
    tight = strategy_floor(limits=Limits(max_position_notional=Decimal(50)))
    tight.assign()
    tight.set(position=1)
    assert (tight.out(), tight.net().note) == ([], "position")
    assert tight.counted("targets_refused_risk") == 1
    tight.pass_time(2 * SECOND)
    assert tight.counted("targets_refused_risk") == 3


def test_without_a_price_nothing_is_traded_nor_handed_over() -> None:
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.assign("b", may_short=True, lots=4)
    floor.set("a", 1)
    floor.fill_all()
    later(floor)
    floor.halt()
    set_both(floor, a=0, b=-1)
    floor.look_away()
    floor.state.exposure.holdings[InstrumentId("T@X")].reference = None
    floor.resume()
    floor.pass_time(2 * SECOND)
    assert (floor.out(), floor.net().note) == ([], "no price of T")


def test_by_an_old_price_nothing_is_sent() -> None:
    """I9."""
    floor = strategy_floor(may_short=True)
    floor.assign("a", good_for_ns=10**12)
    floor.assign("b", lots=4, may_short=True, good_for_ns=10**12)
    floor.halt()
    set_both(floor, a=1, b=-1)
    floor.pass_time(301 * SECOND)
    floor.resume()
    floor.pass_time(2 * SECOND)
    assert (floor.attempts(), floor.net().note) == ([], "no_reference_price")
    floor.quote()
    floor.pass_time(2 * SECOND)
    assert floor.sizes() == [6]


def test_what_is_too_old_on_several_accounts_is_one_decision() -> None:
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"), good_for_ns=MINUTE)
    floor.set(position=1)
    for attempt in floor.out():
        floor.accept(attempt)
    floor.pass_time(MINUTE + 1)
    assert [one.cancel_wanted for one in floor.out()] == [True, True]
    assert floor.assigned().dropped == 1


def test_of_what_is_bounded_the_first_ones_claim_it() -> None:
    floor = strategy_floor(limits=Limits(max_notional=Decimal(90)))
    floor.assign("a", lots=8)
    floor.assign("b", lots=3)
    set_both(floor, a=1, b=1)
    floor.fill(floor.out()[0], 8)
    assert (floor.held("a"), floor.held("b"), floor.sizes()) == (8, 0, [3])


# -- what stops everything


def test_a_halt_cancels_and_gives_up_what_was_wanted() -> None:
    """A23 I11."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.ask(HaltTrading(reason="enough"))
    floor.canceled(attempt)
    assert (floor.member().wanted if floor.state.strategies.nets else 0) == 0
    floor.resume()
    floor.pass_time(30 * SECOND)
    assert floor.out() == []
    floor.set(position=1)
    assert floor.sizes() == [10]


def test_while_it_is_halted_nothing_is_sent_nor_handed_over_and_then_it_is() -> None:
    """A23."""
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.assign("b", may_short=True, lots=4)
    floor.halt()
    set_both(floor, a=1, b=-1)
    floor.pass_time(5 * SECOND)
    assert (floor.attempts(), floor.held("a")) == ([], 0)
    assert floor.net().note == "halted: enough"
    floor.resume()
    floor.pass_time(SECOND)
    assert (floor.sizes(), floor.held("b")) == ([6], -4)


def test_a_halt_of_its_symbol_gives_it_up_and_another_goes_on() -> None:
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b", symbol="U")
    set_both(floor, a=1, b=1)
    floor.ask(HaltTrading(reason="news", symbol="T"))
    first, second = floor.out()
    assert (first.cancel_wanted, second.cancel_wanted) == (True, False)
    assert floor.member().wanted == 0
    floor.canceled(first)
    floor.pass_time(SECOND)
    floor.set("a", 1)
    assert floor.net().note == "T is halted: news"


def canceled_by_hand(floor: StrategyFloor, *, filled_late: int = 0) -> None:
    """Let 10 lots be wanted, and canceled; some of them trade before the venue hears of it."""
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    if filled_late:
        floor.fill(attempt, Lots(filled_late))
    floor.canceled(attempt)


@pytest.mark.parametrize("filled", [0, 4])
def test_an_order_that_a_person_cancels_is_given_up(filled: int) -> None:
    """B22: what trades all the same is kept; only another position is wanted again."""
    floor = strategy_floor()
    floor.assign()
    canceled_by_hand(floor, filled_late=filled)
    floor.pass_time(10 * SECOND)
    assert (floor.out(), floor.held(), floor.assigned().dropped) == ([], filled, 0)
    assert floor.said()[-1] == ("canceled", "s1: canceled by hand")
    view = show(floor.desk, AskStrategies(number=1), records=0)
    assert isinstance(view, StrategiesView)
    assert [one.note for one in view.assignments[0].held] == ["canceled by hand"]
    floor.halt()
    floor.resume()
    for again in (False, True):
        later(floor)
        floor.set(position=1, stop_price=900, is_again=again)
        assert (floor.out(), floor.assigned().dropped_at) == ([], 0)
    later(floor)
    floor.set(position=0)
    floor.fill_all()
    assert (floor.held(), floor.state.strategies.nets) == (0, {})
    later(floor)
    floor.set(position=1)
    assert floor.sizes() == [10], "another position, and then it, is wanted"
    assert not floor.member().is_canceled
    floor.replay()


@pytest.mark.parametrize("late", [0, 1])
def test_another_position_that_came_too_late_was_wanted_since_a_cancel(late: int) -> None:
    """B22 B26."""
    floor = strategy_floor()
    floor.assign()
    canceled_by_hand(floor)
    late_ns = floor.now.market_ns + MINUTE
    floor.pass_time(2 * MINUTE + SECOND)
    floor.quote()
    floor.set(position=late, end_ns=late_ns)
    later(floor)
    floor.set(position=1)
    assert floor.sizes() == [10][late:]


def test_a_cancel_of_everything_cancels_nothing_that_was_reached() -> None:
    """B22."""
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b", lots=3)
    floor.set("a", 1)
    floor.fill_all()
    floor.set("b", 1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.cancel(None)
    floor.canceled(attempt)
    assert (floor.member("a").is_canceled, floor.member("b").is_canceled) == (False, True)


def test_a_cancel_counts_after_it_was_assigned_anew() -> None:
    """B13 B22: it is what the person asked last."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.assign()
    floor.cancel(attempt.parent_id)
    floor.canceled(attempt)
    later(floor)
    floor.set(position=1)
    assert floor.out() == []
    floor.assign()
    later(floor)
    floor.set(position=1)
    assert floor.sizes() == [10], "and so does an assignment after that"


def test_a_cancel_of_an_order_that_is_over_cancels_nothing_that_is_wanted_now() -> None:
    """B22."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (over,) = floor.out()
    floor.fill_all()
    later(floor)
    floor.set(position=0.5)
    floor.cancel(over.parent_id)
    floor.fill_all()
    assert (floor.held(), floor.member().is_canceled) == (5, False)


def test_what_is_canceled_as_a_pool_ends_is_wanted_again_when_it_is_back() -> None:
    """B22 B26: nobody changed his mind."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.ask(CancelOrders(order_id=None, is_closing=True))
    floor.canceled(attempt)
    floor.pass_time(SECOND)
    assert floor.out() == []
    assert floor.assigned().dropped_at == 1, "so it is said again with the next bar"
    later(floor)
    floor.set(position=1, is_again=True)
    assert floor.sizes() == [10]


def test_a_cancel_of_what_has_just_become_too_old_counts() -> None:
    """B22 B26: its order is still out."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.pass_time(MINUTE + 1)
    assert attempt.cancel_wanted
    floor.cancel(attempt.parent_id)
    floor.canceled(attempt)
    floor.quote()
    floor.set(position=1, is_again=True)
    assert (floor.out(), floor.member().is_canceled) == ([], True)


def test_what_was_canceled_and_holds_nothing_has_nothing_to_trade_back() -> None:
    """B13."""
    floor = strategy_floor()
    floor.assign()
    canceled_by_hand(floor)
    done = floor.ask(Unassign(assignment_id=AssignmentId("a")))
    assert done == Done(text="a decides no more")
    assert (floor.state.strategies.nets, floor.state.strategies.assigned) == ({}, {})


def test_what_trades_late_after_another_position_is_not_kept_by_a_cancel() -> None:
    """B22: the order was being withdrawn already; flat is wanted."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.set(position=0, end_ns=floor.now.market_ns + 1)
    floor.cancel(attempt.parent_id)
    floor.fill(attempt, Lots(4))
    floor.canceled(attempt)
    assert floor.sizes() == [-4]


def test_what_trades_after_it_was_canceled_and_assigned_anew_is_kept() -> None:
    """B13 B22."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    floor.assign()
    floor.fill(attempt, Lots(4))
    floor.canceled(attempt)
    floor.pass_time(10 * SECOND)
    assert (floor.out(), floor.held()) == ([], 4)
    later(floor)
    floor.set(position=1)
    assert floor.sizes() == [6]


@pytest.mark.parametrize("filled", [0, 4])
def test_a_cancel_on_one_account_is_its_own_affair(filled: int) -> None:
    """B25 B26: the other's order that becomes too old is told, and wanted again there alone."""
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"))
    floor.set(position=1)
    first, second = floor.out()
    floor.accept(first)
    floor.accept(second)
    if filled:
        floor.fill(first, Lots(filled))
    floor.cancel(first.parent_id)
    floor.canceled(first)
    assert floor.assigned().dropped_at == 0
    floor.pass_time(MINUTE + 1)
    floor.canceled(second)
    floor.quote()
    assert (floor.assigned().dropped_at, floor.assigned().is_expired) == (1, True)
    floor.set(position=1, is_again=True)
    (again,) = floor.out()
    assert (again.slot_id, floor.held()) == (second.slot_id, filled)
    floor.fill_all()
    later(floor)
    floor.set(position=0)
    assert floor.sizes() == [-filled, -10][not filled :], "another position is wanted on both"
    floor.fill_all()
    assert floor.state.strategies.nets == {}
    floor.replay()


def test_a_way_out_is_not_given_up_by_a_cancel() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    floor.ask(Unassign(assignment_id=AssignmentId("a")))
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.cancel(None)
    floor.canceled(attempt)
    floor.pass_time(2 * SECOND)
    assert floor.sizes() == [-10]
    floor.pass_time(10 * MINUTE)
    assert floor.sizes() == [-10], "and never too old"


def test_reducing_lets_a_way_out_go_and_no_way_in() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=0.5)
    floor.fill_all()
    later(floor)
    floor.reduce_only()
    floor.set(position=1)
    assert (floor.out(), floor.net().note) == ([], "reducing_only")
    floor.pass_time(SECOND)
    floor.set(position=0)
    floor.pass_time(SECOND)
    assert floor.sizes() == [-5]


def test_objectives_close_what_strategies_hold_and_they_hold_nothing_then() -> None:
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b", lots=3)
    set_both(floor, a=1, b=1)
    floor.fill_all()
    later(floor)
    floor.ask(SetObjectives(currency="USD", loss_limit=Decimal(1), then=AtObjective.FLATTEN))
    floor.quote(900)
    assert floor.sizes() == [-13]
    later(floor)
    floor.set("a", 0)
    assert floor.sizes() == [-13]
    floor.fill_all()
    floor.pass_time(2 * SECOND)
    assert (floor.out(), floor.held("a"), floor.held("b")) == ([], 0, 0)
    assert floor.state.ledger.lots("A1", "T@X") == 0
    floor.replay()


def test_objectives_close_what_the_account_holds_and_the_first_ones_give_it() -> None:
    floor = strategy_floor(may_short=True)
    for key, lots in (("a", 10), ("b", 3), ("c", 3)):
        floor.assign(key, lots=lots, may_short=True)
    set_both(floor, a=1, b=1, c=-1)
    floor.fill_all()
    later(floor)
    floor.ask(SetObjectives(currency="USD", loss_limit=Decimal(1), then=AtObjective.FLATTEN))
    floor.quote(900)
    floor.fill_all(900)
    floor.pass_time(2 * SECOND)
    assert [floor.held(key) for key in "abc"] == [0, 3, -3]
    assert floor.state.ledger.lots("A1", "T@X") == 0


def test_what_is_bought_never_meets_an_own_resting_order_and_a_way_out_clears_its_way() -> None:
    """I4."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    resting = floor.buy(5, 999, slots=("s2",))
    later(floor)
    floor.set(position=0)
    assert resting.cancel_wanted
    floor.canceled(floor.attempts(resting)[0])
    assert floor.sizes() == [-10]
    floor.fill_all()
    floor.look_away()
    other = floor.buy(5, 999, slots=("s2",))
    floor.fill(floor.attempts(other)[0], 5)
    floor.sell(5, 1_001, slots=("s2",))
    later(floor)
    floor.set(position=1)
    assert "could meet your own order" in floor.net().note


def test_a_refused_order_is_tried_again_and_less_and_less_often() -> None:
    """B22: what its venue refuses may be refused for hours, and does not stand as working."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    floor.ask(Unassign(assignment_id=AssignmentId("a")))
    waits = []
    for _ in range(7):
        (attempt,) = floor.out()
        floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
        assert floor.state.parents[attempt.parent_id].phase is ParentPhase.DONE
        assert floor.net().note == "no_liquidity"
        waited = 0
        while not floor.out():
            floor.pass_time(SECOND)
            waited += 1
        waits.append(waited)
    assert waits == [1, 2, 4, 8, 16, 32, 32]
    floor.fill_all()
    assert floor.held() == 0


@pytest.mark.parametrize("moves", [0, 1])
def test_what_is_refused_and_wanted_again_each_minute_is_tried_no_more_often(moves: int) -> None:
    """B22 B26: also when its stop moves meanwhile."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=900)
    tried, drops = [], 0
    for second in range(1, 200):
        tried += [second for _ in floor.out()]
        for attempt in floor.out():
            floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
        floor.pass_time(SECOND)
        if second % 61 == 0:
            drops += floor.assigned().is_expired and floor.assigned().dropped_at > 0
            floor.quote()
            floor.set(position=1, stop_price=900 + moves * second, is_again=not moves)
    assert (drops, tried) == (3, [1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192])
    floor.pass_time(2 * MINUTE)
    for attempt in floor.out():
        floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
    assert floor.member().wanted == 0, "it is dropped, and its refusals are remembered"
    floor.ask(Unassign(assignment_id=AssignmentId("a")))
    assert (floor.state.strategies.nets, floor.state.strategies.assigned) == ({}, {})


def refused_for(floor: StrategyFloor, seconds: int) -> None:
    for _ in range(seconds):
        for attempt in floor.out():
            floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
        floor.pass_time(SECOND)


def test_an_assignment_that_is_given_anew_does_not_wait_for_refusals_of_before() -> None:
    """B13 B22: nor does what was refused stay where it trades no more."""
    floor = strategy_floor()
    floor.assign(good_for_ns=10 * MINUTE)
    floor.set(position=1)
    refused_for(floor, 70)
    floor.quote()
    assert floor.out() == []
    floor.assign(lots=5)
    floor.set(position=1)
    assert floor.sizes() == [5]
    refused_for(floor, 65)
    assert floor.member().wanted == 0
    floor.quote()
    floor.assign(slots=("s2",))
    floor.set(position=1)
    assert list(floor.state.strategies.nets) == ["net s2 T@X"]


def test_one_does_not_wait_for_what_was_refused_to_another() -> None:
    """B13 B22: where it wants the same as before, on an account that it did not trade before."""
    floor = strategy_floor()
    floor.assign("b", lots=3, slots=("s2",))
    floor.set("b", 1)
    floor.fill_all()
    floor.assign("a", good_for_ns=10 * MINUTE)
    floor.set("a", 1)
    refused_for(floor, 70)
    floor.quote()
    assert floor.out() == []
    floor.assign("b", lots=3, slots=("s1", "s2"))
    floor.set("b", 1)
    assert floor.sizes() == [13]


def test_after_refusals_what_is_newly_wanted_is_sent_at_once() -> None:
    """B22: and what trades begins anew."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    for waited in (1, 2, 4, 8, 16, 28):
        (attempt,) = floor.out()
        floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
        floor.pass_time(waited * SECOND)
    assert floor.out() == []
    floor.pass_time(SECOND)
    floor.quote()
    floor.set(position=0.5)
    for waited in (1, 2):
        (attempt,) = floor.out()
        floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
        floor.pass_time(waited * SECOND)
    (attempt,) = floor.out()
    floor.fill(attempt, 4)
    floor.canceled(attempt, 4)
    (attempt,) = floor.out()
    assert attempt.order.quantity == 1
    floor.rejected(attempt, RejectCode.NO_LIQUIDITY)
    floor.pass_time(SECOND)
    assert floor.sizes() == [1]


def test_a_restart_repeats_nothing_and_goes_on() -> None:
    """I3."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.fill(attempt, 4)
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True, seen=False)
        hand.ready()
    floor.quote()
    assert len(floor.attempts()) == 1
    floor.canceled(attempt, 4)
    floor.pass_time(2 * SECOND)
    assert floor.sizes() == [6]
    floor.fill_all()
    assert floor.held() == 10
    assert floor.state.ledger.lots("A1", "T@X") == 10


# -- laws


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]),
        st.sampled_from(["fill", "part", "cancel", "wait", "unassign"]),
    ),
    max_size=12,
)


@given(STEPS)
def test_strategies_hold_together_what_their_orders_traded_and_reach_what_they_want(
    steps: list[tuple[str, float, str]],
) -> None:
    """B3 B22 I5."""
    floor = strategy_floor(may_short=True, attempts_max=1)
    for key, lots in (("a", 10), ("b", 7), ("c", 4)):
        floor.assign(key, may_short=True, lots=lots)
    for key, position, what in steps:
        floor.pass_time(SECOND)
        floor.quote()
        if what == "unassign":
            floor.ask(Unassign(assignment_id=AssignmentId(key)))
            floor.assign(key, may_short=True, lots=5)
        floor.set(key, position)
        assert len(floor.out()) <= 1
        for attempt in floor.out():
            if what == "part":
                floor.fill(attempt, -(-attempt.order.quantity // 2))
            if what in ("part", "cancel"):
                floor.canceled(attempt)
        if what == "fill":
            floor.fill_all()
        assert held(floor) == floor.state.ledger.lots("A1", "T@X")
    for _ in range(4):
        floor.pass_time(3 * SECOND)
        floor.quote()
        floor.fill_all()
    for net in floor.state.strategies.nets.values():
        assert all(not member.lacking for member in net.members.values())
    assert held(floor) == floor.state.ledger.lots("A1", "T@X")


def held(floor: StrategyFloor) -> int:
    nets = floor.state.strategies.nets.values()
    return sum(member.held for net in nets for member in net.members.values())
