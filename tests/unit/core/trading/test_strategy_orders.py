"""Orders that a strategy asks for by itself."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.state import AlgoPhase
from tandem.domain.algos import Leaving
from tandem.domain.commands import Unassign
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import Side, TimeInForce
from tandem.domain.strategies import AssignmentId, PercentOfEquity, WantedOrder
from tandem.domain.venue import Quote
from tests.unit.core.trading.desk_driver import SECOND
from tests.unit.core.trading.strategy_floor import MINUTE, StrategyFloor, strategy_floor

A = AssignmentId("a")


def wanted(side: Side = Side.BUY, quantity: int = 5, **prices: int) -> WantedOrder:
    fields: dict[str, Any] = {name: Ticks(price) for name, price in prices.items()}
    return WantedOrder(side=side, quantity=Lots(quantity), **fields)


def opened(**changes: Any) -> StrategyFloor:
    floor = strategy_floor(**changes)
    floor.assign(may_short=bool(changes))
    return floor


def later(floor: StrategyFloor) -> None:
    floor.pass_time(MINUTE)
    floor.quote()


FALLEN = Quote(instrument_id=InstrumentId("T@X"), bid=Ticks(978), ask=Ticks(980), last=Ticks(979))


def stopped(floor: StrategyFloor) -> None:
    """Let the market fall, and fill the way out once no target is left."""
    floor.on(QuotesSeen(quotes=(FALLEN,)))
    for attempt in floor.out():
        if attempt.cancel_wanted:
            floor.canceled(attempt)
    assert floor.sizes() == [-5]
    floor.fill_all(979)


def test_a_plain_order_is_placed_once_on_every_account() -> None:
    """B22 I3."""
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"))
    target: dict[str, Any] = {"orders": (wanted(limit_price=990),), "end_ns": floor.now.market_ns}
    floor.set(**target)
    floor.set(**target)
    first, second = floor.out()
    assert {first.slot_id, second.slot_id} == {"s1", "s2"}
    order = first.order
    assert (order.limit_price, order.time_in_force) == (990, TimeInForce.GOOD_TILL_CANCEL)
    parent = floor.state.parents[first.parent_id]
    assert parent.command_id == f"a@{floor.assigned().begin_ns}#1"
    assert parent.spec.strategy == "a"
    floor.fill_all()
    assert (floor.held(slot="s1"), floor.member(slot="s1").wanted) == (5, 5)
    assert floor.assigned().orders == {}
    floor.pass_time(10 * MINUTE)
    assert floor.out() == []
    floor.replay()


def test_an_order_without_a_price_takes_what_there_is() -> None:
    floor = opened()
    floor.set(orders=(wanted(),))
    (attempt,) = floor.out()
    assert attempt.order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL


def test_a_stop_or_a_target_makes_a_bracket() -> None:
    """B35."""
    cases: list[dict[str, Any]] = [
        {"stop_price": 980, "target_price": 1_020},
        {"stop_price": 980},
        {"target_price": 1_020},
    ]
    for prices in cases:
        floor = opened()
        floor.set(orders=(wanted(limit_price=999, **prices),))
        (entry,) = floor.out()
        assert (entry.order.limit_price, entry.order.quantity) == (999, 5)
        floor.fill(entry, 5)
        assert floor.sizes() == ([-5] if "target_price" in prices else [])
        assert floor.held() == 5
        if "stop_price" not in prices:
            (exit_,) = floor.out()
            floor.fill(exit_, 5)
        else:
            stopped(floor)
        assert (floor.held(), floor.assigned().orders) == (0, {})
        floor.replay()


def test_a_new_position_cancels_its_orders_first_and_then_trades() -> None:
    floor = opened()
    floor.set(orders=(wanted(limit_price=990),))
    (resting,) = floor.out()
    floor.accept(resting)
    floor.pass_time(SECOND)
    floor.set(position=1)
    assert resting.cancel_wanted
    assert floor.sizes() == [5]
    floor.fill(resting, 2)
    floor.canceled(resting)
    assert floor.sizes() == [8]
    floor.fill_all()
    assert (floor.held(), floor.state.ledger.lots("A1", "T@X")) == (10, 10)
    floor.replay()


def test_the_same_position_after_orders_takes_over_what_they_traded_each_time() -> None:
    """B25: orders change what is held, so the same answer is another wish."""
    floor = strategy_floor()
    floor.assign()
    for _ in range(2):
        floor.set(orders=(wanted(),))
        floor.fill_all()
        assert floor.held() == 5
        later(floor)
        floor.set(position=0, is_again=True, is_after_orders=True)
        floor.fill_all()
        assert floor.held() == 0
        later(floor)
    floor.set(position=1)
    floor.fill_all()
    later(floor)
    floor.set(orders=(wanted(Side.SELL),))
    floor.fill_all()
    later(floor)
    floor.set(position=1, is_again=True)
    assert (floor.out(), floor.held()) == ([], 5), "said again it is no answer"
    later(floor)
    floor.set(position=1, is_again=True, is_after_orders=True)
    assert floor.sizes() == [5]


def test_orders_that_were_refused_do_not_make_the_same_position_another() -> None:
    """B25: so prices alone trade nothing, and what was stopped stays so."""
    floor = strategy_floor()
    floor.assign(sizing=PercentOfEquity(ppm=10_000))
    floor.set(position=1, stop_price=980)
    floor.fill_all()
    held = floor.held()
    for is_stopped in (False, True):
        later(floor)
        floor.set(orders=(wanted(quantity=10**9),))
        if is_stopped:
            floor.on(QuotesSeen(quotes=(FALLEN,)))
            floor.fill_all(979)
        later(floor)
        floor.set(position=1, stop_price=980, is_again=True, is_after_orders=True)
        assert (floor.out(), floor.held()) == ([], 0 if is_stopped else held)


def test_a_position_that_is_said_again_leaves_its_orders_and_waits_for_them() -> None:
    """B35: its strategy has not answered another one."""
    floor = opened()
    floor.set(position=1)
    floor.pass_time(MINUTE + 1)
    floor.canceled(floor.out()[0])
    floor.set(orders=(wanted(limit_price=990),))
    (order,) = floor.out()
    floor.accept(order)
    floor.pass_time(SECOND)
    floor.quote()
    floor.set(position=1, is_again=True)
    assert (floor.out(), order.cancel_wanted) == ([order], False)
    floor.fill(order, order.order.quantity)
    assert floor.sizes() == [floor.member().wanted - floor.held()]


def test_a_bracket_that_a_new_position_cancels_leaves_what_it_bought_to_it() -> None:
    floor = opened()
    floor.set(orders=(wanted(limit_price=999, stop_price=980, target_price=1_020),))
    floor.fill(floor.out()[0], 5)
    floor.pass_time(SECOND)
    floor.set(position=0)
    (target,) = floor.out()
    floor.canceled(target)
    assert floor.sizes() == [-5]
    floor.fill_all()
    assert (floor.held(), floor.assigned().orders) == (0, {})
    (algo,) = floor.state.algos.values()
    assert algo.phase is AlgoPhase.DONE


def test_what_would_be_short_is_refused_and_said() -> None:
    """B20."""
    floor = opened()
    floor.set(position=0.5)
    floor.fill_all()
    floor.pass_time(SECOND)
    sells = (
        wanted(Side.SELL, 3, limit_price=1_010),
        wanted(Side.SELL, 3, limit_price=1_010),
        wanted(Side.SELL, 1, stop_price=1_100, target_price=900),
    )
    floor.set(orders=sells)
    assert floor.sizes() == [-3]
    assert [text for what, text in floor.said() if what == "refused"] == [
        "s1: it would sell 3, and may not be short",
        "s1: it would sell 1, and may not be short",
    ]
    other = opened(may_short=True)
    other.set(orders=(wanted(Side.SELL, 3),))
    assert other.sizes() == [-3]
    flat = opened()
    flat.set(orders=(wanted(Side.SELL, 1),))
    assert flat.out() == []


def test_an_order_that_cannot_be_is_refused_and_said() -> None:
    floor = opened()
    floor.set(orders=(wanted(quantity=0), wanted(quantity=10**9), wanted(stop_price=-1)))
    assert floor.out() == []
    assert floor.counted("strategy_orders_refused") == 3


def test_nothing_is_placed_while_the_desk_is_closed() -> None:
    """A23."""
    floor = opened()
    floor.halt()
    floor.set(orders=(wanted(),))
    assert floor.said()[-1] == ("refused", "s1: halted: enough")


def test_more_orders_than_its_bound_are_not_placed() -> None:
    floor = opened()
    floor.set(orders=tuple(wanted(quantity=1, limit_price=990) for _ in range(25)))
    assert len(floor.out()) == 20


def test_taken_away_its_orders_are_canceled_and_what_they_bought_traded_back() -> None:
    floor = opened()
    floor.set(orders=(wanted(limit_price=990), wanted(limit_price=980)))
    first, second = floor.out()
    floor.fill(first, 5)
    floor.accept(second)
    floor.ask(Unassign(assignment_id=A))
    assert second.cancel_wanted
    floor.canceled(second)
    assert floor.sizes() == [-5]
    floor.fill_all()
    assert not floor.knows("a")


def test_taken_away_to_keep_what_its_orders_still_trade_is_nobody_s() -> None:
    floor = opened()
    floor.set(orders=(wanted(limit_price=990),))
    (attempt,) = floor.out()
    floor.ask(Unassign(assignment_id=A, leaving=Leaving.KEEP))
    floor.fill(attempt, 5)
    assert (floor.knows("a"), floor.state.ledger.lots("A1", "T@X")) == (False, 5)


def test_taken_away_with_an_order_out_and_nothing_held_it_waits_for_its_end() -> None:
    floor = opened()
    floor.set(orders=(wanted(limit_price=990),))
    (attempt,) = floor.out()
    floor.ask(Unassign(assignment_id=A))
    assert floor.knows("a")
    floor.canceled(attempt)
    assert not floor.knows("a")


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell", "long", "flat"]), st.integers(0, 5)), max_size=8
    )
)
def test_orders_and_positions_together_hold_what_was_traded(steps: list[tuple[str, int]]) -> None:
    """I5."""
    floor = opened()
    for what, filled in steps:
        floor.pass_time(SECOND)
        floor.quote()
        if what in ("long", "flat"):
            floor.set(position=1 if what == "long" else 0)
        else:
            side = Side(what)
            price = 995 if side is Side.BUY else 1_005
            floor.set(orders=(wanted(side, 5, limit_price=price),))
        for attempt in floor.out():
            floor.fill(attempt, min(filled, attempt.order.quantity - attempt.cum_quantity) or 1)
            if attempt.cancel_wanted and not attempt.is_final:
                floor.canceled(attempt)
        assert floor.held() == floor.state.ledger.lots("A1", "T@X") >= 0


def test_what_others_of_its_orders_may_sell_counts_where_it_is() -> None:
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"))
    floor.set(position=0.5)
    floor.fill_all()
    floor.pass_time(SECOND)
    bracket = wanted(quantity=1, limit_price=990, stop_price=900)
    floor.set(orders=(bracket, wanted(Side.SELL, 5, limit_price=1_010)))
    assert sorted(floor.sizes()) == [-5, -5, 1, 1]


def test_an_assignment_that_is_flat_stays_known_while_an_order_of_it_is_out() -> None:
    floor = opened()
    floor.set(position=0.5)
    floor.fill_all()
    floor.pass_time(SECOND)
    floor.set(orders=(wanted(Side.SELL, 5, limit_price=1_010), wanted(limit_price=990)))
    sell, buy = floor.out()
    floor.fill(sell, 5)
    assert (floor.held(), floor.member().wanted) == (0, 0)
    floor.fill(buy, 5)
    assert (floor.held(), floor.member().wanted) == (5, 5)


# -- what rests for one strategy and what another takes


def quoting(**changes: Any) -> StrategyFloor:
    """Return a floor where `a` bids at 990 for 5 lots on the first account, at its venue."""
    floor = strategy_floor(may_short=True, **changes)
    floor.assign(may_short=True)
    floor.set(orders=(wanted(limit_price=990),))
    floor.accept(floor.out()[0])
    return floor


def test_what_rests_is_taken_back_for_another_strategy_and_made_again_for_its_rest() -> None:
    """C1 I12."""
    for slot in ("s1", "s2"):  # the same account, and another one
        floor = quoting()
        (bid,) = floor.out()
        floor.fill(bid, 2, price=990)
        floor.assign("b", may_short=True, slots=(slot,))
        floor.set("b", position=-1)
        assert (bid.cancel_wanted, floor.sizes()) == (True, [5])
        floor.canceled(bid)
        assert floor.sizes() == [-10]  # only now, and not the bid before it
        floor.pass_time(SECOND // 2)
        assert floor.sizes() == [-10]
        floor.fill(floor.out()[0], 10)
        floor.pass_time(SECOND // 2)
        assert (floor.sizes(), floor.out()[0].order.limit_price) == ([3], 990)
        floor.fill_all(990)
        assert (floor.held("a"), floor.held("b", slot)) == (5, -10)
        assert (floor.assigned().orders, floor.assigned("b").dropped) == ({}, 0)
        assert floor.state.prevention.refusals == []
        floor.replay()


def test_an_order_at_the_market_of_a_strategy_has_what_rests_for_another_taken_back() -> None:
    floor = quoting()
    (bid,) = floor.out()
    floor.assign("b", may_short=True)
    floor.set("b", orders=(wanted(Side.SELL, 4),))
    floor.canceled(bid)
    assert floor.sizes() == [-4]
    floor.fill_all()
    floor.pass_time(SECOND)
    assert (floor.sizes(), floor.held("b")) == ([5], -4)
    floor.replay()


def test_what_rests_waits_as_long_as_the_other_order_is_out() -> None:
    floor = quoting()
    (bid,) = floor.out()
    floor.assign("b", may_short=True, good_for_ns=10 * MINUTE)
    floor.set("b", position=-1)
    floor.canceled(bid)
    (sale,) = floor.out()
    floor.accept(sale)
    floor.pass_time(MINUTE)
    assert floor.out() == [sale]
    floor.fill(sale, 10)
    floor.pass_time(SECOND)
    assert floor.sizes() == [5]


def test_what_rests_and_is_not_wanted_any_more_does_not_come_back() -> None:
    floor = quoting()
    (bid,) = floor.out()
    floor.assign("b", may_short=True)
    floor.set("b", position=-1)
    floor.pass_time(MINUTE)
    floor.quote()
    floor.set("a", position=0)
    floor.canceled(bid)
    floor.fill_all()
    floor.pass_time(MINUTE)
    assert (floor.out(), floor.assigned().orders) == ([], {})


def test_what_rests_for_a_person_still_keeps_a_strategy_out_and_is_named() -> None:
    floor = quoting()
    (theirs,) = floor.attempts(floor.buy(3, 980, slots=("s2",)))
    floor.accept(theirs)
    floor.assign("b", may_short=True)
    floor.set("b", position=-1)
    (refusal,) = floor.state.prevention.refusals
    assert (refusal.met, floor.sizes()) == (theirs.order.client_order_id, [5, 3])


def test_a_way_out_cancels_what_rests_for_a_person_and_takes_back_what_does_for_a_strategy() -> (
    None
):
    floor = strategy_floor()
    floor.assign("b")
    floor.set("b", position=1)
    floor.fill_all()
    floor.assign("a", slots=("s2",))
    floor.set("a", orders=(wanted(limit_price=990),))
    (theirs,) = floor.attempts(floor.buy(3, 980, slots=("s2",)))
    for attempt in floor.out():
        floor.accept(attempt)
    floor.pass_time(MINUTE)
    floor.quote()
    floor.set("b", position=0)
    for attempt in floor.out():
        floor.canceled(attempt)
    assert floor.sizes() == [-10]
    floor.fill_all()
    floor.pass_time(SECOND)
    assert (floor.sizes(), floor.held("b")) == ([5], 0)
    assert theirs.is_final


def test_what_trades_at_once_for_another_strategy_is_waited_for_and_not_taken_back() -> None:
    floor = strategy_floor(may_short=True)
    floor.assign("a")
    floor.set("a", position=1)
    floor.assign("b", may_short=True, slots=("s2",))
    floor.set("b", position=-1)
    (bought,) = floor.out()
    assert not bought.cancel_wanted
    floor.fill(bought, 10)
    assert floor.sizes() == [-10]
    assert floor.counted("orders_taken_back") == 0


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(("sell", "close", "bid", "end", "wait")), st.integers(1, 9)),
        max_size=25,
    )
)
def test_own_orders_never_meet_and_no_net_is_refused_for_what_rests_for_another(
    steps: list[tuple[str, int]],
) -> None:
    """C1 I4 I24."""
    floor = quoting()
    floor.assign("b", may_short=True, slots=("s1", "s2"))
    for what, number in steps:
        match what:
            case "sell" | "close":
                floor.set("b", position=-number / 10 if what == "sell" else 0)
            case "bid":
                floor.set(orders=(wanted(limit_price=990 - number),))
            case "end" if floor.out():
                one = floor.out()[number % len(floor.out())]
                floor.canceled(one) if one.cancel_wanted else floor.fill(one, 1)
            case _:
                floor.pass_time(number * SECOND // 4)
                floor.quote()
        sides = {one.order.side for one in floor.out()}
        assert len(sides) < 2
    assert [one for one in floor.state.prevention.refusals if one.owner] == []  # no net's
    for _ in range(60):
        for one in floor.out():
            if not one.is_final:
                (floor.canceled if one.cancel_wanted else floor.accept)(one)
        for one in floor.out():
            if one.order.limit_price is None:
                floor.fill(one, one.order.quantity - one.cum_quantity)
        floor.pass_time(SECOND // 2)
        floor.quote()
    assert all(
        not one.lacking
        for net in floor.state.strategies.nets.values()
        for one in net.members.values()
    )


def test_a_way_out_comes_before_orders() -> None:
    """B34: which wait for nobody; they are refused until it is flat."""
    floor = opened()
    floor.set(position=1)
    floor.fill_all()
    floor.ask(Unassign(assignment_id=A))
    (way_out,) = floor.out()
    floor.accept(way_out)
    floor.assign()
    floor.pass_time(MINUTE)
    floor.set(orders=(wanted(side=Side.SELL, limit_price=1_010),))
    assert floor.said()[-1] == ("refused", "s1: it is made flat first: it is taken away")
    floor.fill(way_out, 2)
    floor.canceled(way_out)
    assert floor.sizes() == [-8]
    floor.fill_all()
    floor.pass_time(MINUTE)
    floor.set(orders=(wanted(limit_price=990),))
    assert floor.sizes() == [5]
    floor.replay()


def test_what_is_traded_back_elsewhere_comes_before_orders() -> None:
    """B34."""
    floor = opened()
    floor.set(position=1)
    floor.fill_all()
    floor.assign(slots=("s2",))
    floor.pass_time(MINUTE)
    floor.set(orders=(wanted(limit_price=990),))
    assert floor.said()[-1] == ("refused", "s2: it is made flat first: it trades elsewhere now")
    assert floor.sizes() == [-10]
