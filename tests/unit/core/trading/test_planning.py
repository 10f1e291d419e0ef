"""From a parent to attempts: refused whole or taken whole, tried again, moved, ended."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.state import Ending, Outcome, ParentPhase, Phase
from tandem.domain import link
from tandem.domain.commands import SetUpPool
from tandem.domain.desk import RoomChanged
from tandem.domain.limits import Limits
from tandem.domain.order import FenceClass, Side, TimeInForce
from tandem.domain.parents import Rounding, SelfTrade, Split
from tandem.domain.reports import RejectCode
from tandem.domain.venue import Balances
from tests.unit.core.trading.desk_driver import (
    SECOND,
    Floor,
    X,
    instrument,
    settings_of,
    two_markets,
)


@given(st.integers(1, 5_000), st.sampled_from([2, 4, 6, 8]), st.sampled_from(list(Split)))
def test_the_children_are_the_parent_and_none_is_empty(
    quantity: int, slots: int, manner: Split
) -> None:
    """A8 I9 C4: with every way of splitting."""
    floor = Floor(settings_of(slots=slots), is_checked=False).open()
    floor.quote(10)
    parent = floor.buy(quantity, 10, split=manner)
    sent = floor.sent(link.Release)
    assert all(one.order.quantity > 0 for one in sent)
    assert sum(one.order.quantity for one in sent) == parent.quantity
    assert parent.quantity == (quantity * slots if manner is Split.EACH else quantity)


def test_what_does_not_divide_begins_at_another_slot_for_every_order() -> None:
    """A8."""
    floor = Floor().open()
    first = floor.attempts(floor.buy(5))
    second = floor.attempts(floor.buy(5))
    assert [one.order.quantity for one in first] == [1, 2, 1, 1]
    assert [one.order.quantity for one in second] == [1, 1, 2, 1]


def test_a_post_only_order_with_a_price_goes_out_as_such() -> None:
    floor = Floor().open()
    floor.buy(4, post_only=True)
    assert [one.order.post_only for one in floor.sent(link.Release)] == [True] * 4


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        ({"quantity": 0}, "bad_order", "quantity 0 is not within"),
        ({"quantity": -1}, "bad_order", "quantity -1 is not within"),
        ({"quantity": 2**53 + 1}, "bad_order", "is not within"),
        ({"price": 0}, "bad_order", "price 0 is not within"),
        ({"price": 2**63}, "bad_order", "is not within"),
        ({"rounding": Rounding(min_percent=101)}, "bad_order", "random shares of 101 to 150"),
        ({"rounding": Rounding(max_percent=99)}, "bad_order", "random shares of 50 to 99"),
        ({"rounding": Rounding(min_percent=-1)}, "bad_order", "random shares of -1"),
        ({"price": None, "post_only": True}, "bad_order", "a market order cannot be post-only"),
        (
            {"post_only": True, "time_in_force": TimeInForce.FILL_OR_KILL},
            "bad_order",
            "a fok order cannot be post-only",
        ),
        ({"slots": ("s9",)}, "unknown_slot", "no slot s9 trades"),
        ({"symbol": "?"}, "unknown_symbol", "no venue lists ?"),
        ({"quantity": 9_999_999}, "funds", "A1 needs"),
        ({"price": 5_000}, "risk", "price_collar"),
    ],
)
def test_what_cannot_be_is_refused_whole_and_nothing_has_changed(
    change: dict[str, object], reason: str, text: str
) -> None:
    floor = Floor().open()
    before = floor.desk.state.next_order
    fields = {"quantity": 10, "price": 1_000} | change
    refused = floor.refusal(floor.place(Side.BUY, **fields))  # type: ignore[arg-type]
    assert (refused.reason, text in refused.text) == (reason, True), refused.text
    assert floor.state.next_order == before
    assert floor.state.parents == {}


def test_a_sale_of_what_is_not_held_is_refused_unless_the_account_may_go_short() -> None:
    floor = Floor().open()
    refused = floor.refusal(floor.place(Side.SELL, 1_001, slots=("s1",)))
    assert refused.text == "A1 sells 1001 T and has 1000 free"
    floor = Floor(settings_of(may_short=True)).open()
    floor.sell(1_001, slots=("s1",))


def test_a_slot_whose_venue_does_not_list_the_symbol_is_refused_when_named() -> None:
    settings = two_markets(instruments=(instrument("T", X, "mx"),))
    floor = Floor(settings).open()
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("y1",))).reason == "no_slot"
    assert floor.buy(2).slots == ["x1", "x2"]


def test_one_order_does_not_span_two_books() -> None:
    floor = Floor(two_markets()).open()
    refused = floor.refusal(floor.place(Side.BUY, 4))
    assert refused.text == "T is traded in mx:T and my:T: name the slots"


def test_without_a_price_nobody_is_trusted() -> None:
    """I10: the risk gate fails closed."""
    floor = Floor(settings_of(limits=Limits(max_reference_age_ns=SECOND))).open()
    floor.pass_time(2 * SECOND)
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "no_reference_price"


def test_limits_on_numbers_of_orders_count_every_child() -> None:
    """I10: of a parent with four children, not one more than allowed."""
    floor = Floor(settings_of(limits=Limits(max_open_orders=7))).open()
    floor.buy(4)
    assert floor.refusal(floor.place(Side.BUY, 4)).text == "open_orders"
    floor = Floor(settings_of(limits=Limits(max_orders_per_second=7))).open()
    floor.buy(4)
    assert floor.refusal(floor.place(Side.BUY, 4)).text == "orders_per_second"
    floor.pass_time(SECOND + 1)
    floor.buy(4)


def test_weights_without_anything_to_weigh_are_refused() -> None:
    floor = Floor().open()
    for number in range(1, 5):
        floor.sell(1_000, slots=(f"s{number}",))
    refused = floor.refusal(floor.place(Side.SELL, 4, split=Split.WEIGHTED))
    assert refused.reason == "funds"


# -- own orders in the way


def test_an_order_that_would_meet_an_own_one_is_refused_and_told_which() -> None:
    """C1: over all accounts, with UNKNOWN ones."""
    floor = Floor().open()
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    floor.timed_out(resting)
    refused = floor.refusal(floor.place(Side.BUY, 5, 1_001, slots=("s2",)))
    assert (refused.reason, refused.met) == ("self_trade", resting.order.client_order_id)
    floor.buy(5, 1_000, slots=("s2",))


def test_own_orders_in_the_way_are_canceled_and_that_is_confirmed_first() -> None:
    """C1: released at the moment when the way is free, not before and not later."""
    floor = Floor().open()
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    floor.accept(resting)
    parent = floor.buy(4, 1_002, slots=("s2",), self_trade=SelfTrade.CANCEL_RESTING)
    assert (parent.phase, parent.attempts) == (ParentPhase.CLEARING, [])
    assert len(floor.sent(link.Withdraw)) == 1
    assert floor.sent(link.Release) == []
    floor.canceled(resting)
    assert len(floor.sent(link.Release)) == 1
    assert floor.state.clearing == {}
    floor.replay()


def test_a_way_that_is_not_free_in_time_ends_the_parent() -> None:
    """I2."""
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    floor.timed_out(resting)
    parent = floor.buy(4, 1_002, slots=("s2",), self_trade=SelfTrade.CANCEL_RESTING)
    floor.pass_time(6 * SECOND)
    assert parent.outcome is Outcome.CANCELED
    assert parent.text == "own orders in the way could not be canceled in time"


def test_a_parent_that_waits_for_a_free_way_can_be_canceled() -> None:
    floor = Floor().open()
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    parent = floor.buy(4, 1_002, slots=("s2",), self_trade=SelfTrade.CANCEL_RESTING)
    floor.cancel(parent.parent_id)
    assert parent.outcome is Outcome.CANCELED
    floor.canceled(resting)
    assert floor.sent(link.Release) == []


def test_a_free_way_does_not_help_when_the_funds_are_gone_meanwhile() -> None:
    """I10: what was checked when it was taken is checked again before it leaves."""
    floor = Floor().open()
    (resting,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    parent = floor.buy(9_000, 1_002, slots=("s2",), self_trade=SelfTrade.CANCEL_RESTING)
    floor.buy(9_000, 1_000, slots=("s2",))
    floor.canceled(resting)
    assert (parent.outcome, parent.attempts) == (Outcome.INCOMPLETE, [])
    assert parent.text.startswith("A2 needs")


# -- trying again


def test_what_a_child_left_is_tried_again_on_its_slot() -> None:
    """C4."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1", "s2"))
    floor.rejected(floor.attempts(parent)[0], RejectCode.EXPIRED_REQUEST)
    again = floor.attempts(parent)[2]
    assert (again.slot_id, again.number, again.order.quantity) == ("s1", 2, 5)


def test_what_a_refused_child_left_is_given_to_another() -> None:
    """C4 A17."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1", "s2"))
    floor.rejected(floor.attempts(parent)[0], RejectCode.FUNDS)
    again = floor.attempts(parent)[2]
    assert (again.slot_id, again.number, again.order.quantity) == ("s2", 1, 5)
    assert [one.quantity for one in parent.children] == [0, 5, 5]


def test_what_the_only_child_left_is_given_to_a_slot_that_had_nothing() -> None:
    """A17: one lot over four slots, and its worker has gone."""
    floor = Floor().open()
    parent = floor.buy(1)
    (attempt,) = floor.attempts(parent)
    floor.rejected(attempt)
    again = floor.attempts(parent)[1]
    assert again.slot_id != attempt.slot_id
    assert again.phase is Phase.RELEASED


def test_who_gets_the_whole_gets_nothing_of_others() -> None:
    """A10: EACH."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1", "s2"), split=Split.EACH)
    floor.rejected(floor.attempts(parent)[0], RejectCode.FUNDS)
    assert len(parent.attempts) == 2
    floor.pass_time(31 * SECOND)
    assert parent.pieces == []


def test_a_child_is_tried_so_often_and_then_moved_and_then_dropped() -> None:
    """Bounded, whatever the venue does; F1: all of it is one record an event."""
    floor = Floor().open()
    parent = floor.buy(2, slots=("s1", "s2"))
    for _ in range(200):
        waiting = [one for one in floor.attempts(parent) if one.phase is Phase.RELEASED]
        if not waiting:
            break
        floor.not_sent(waiting[0])
    assert len(parent.attempts) == 2 * 5 + 10 * 5
    assert parent.moves == 10
    floor.pass_time(31 * SECOND)
    assert parent.outcome is Outcome.INCOMPLETE


def test_a_retry_waits_for_own_orders_in_its_way() -> None:
    """C1: the gate is asked at every plan."""
    floor = Floor().open()
    parent = floor.buy(10, 1_001, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.at("s1").not_ready()
    floor.not_sent(attempt)
    (other,) = floor.attempts(floor.sell(1, 1_001, slots=("s2",)))
    floor.at("s1").ready()
    assert len(parent.attempts) == 1
    assert floor.counted("retries_held_by_gate")
    floor.canceled(other, 0)
    floor.rejected(floor.attempts(other.parent_id)[-1], RejectCode.POSITION)
    floor.pass_time(SECOND)
    floor.cancel(other.parent_id)
    floor.pass_time(SECOND)
    assert len(parent.attempts) == 2


def test_one_alarm_is_enough_for_a_parent_that_waits() -> None:
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    floor.at("s1").not_ready()
    floor.not_sent(floor.attempts(parent)[0])
    for number in range(20):
        floor.at("s2").ready()
        floor.pass_time(number)
    alarms = [one for alarms in floor.state.alarms_at.values() for one in alarms]
    assert alarms.count(("parent", "d-1")) == 1


@pytest.mark.parametrize("why", ["risk", "funds", "room", "blocked"])
def test_a_retry_passes_every_gate_that_a_new_order_passes(why: str) -> None:
    """I10."""
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    blocking = floor.attempts(floor.buy(1, 999, slots=("s1",)))[0]
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    if why == "risk":
        floor.quote(3_000)
    elif why == "funds":
        floor.at("s1").not_ready()
        floor.not_sent(attempt)
        floor.buy(9_995, 1_000, slots=("s1",))
        floor.at("s1").ready()
        assert len(parent.attempts) == 1
        return
    elif why == "room":
        floor.on(RoomChanged(short=True))
    else:
        floor.timed_out(blocking)
    floor.not_sent(attempt)
    assert len(parent.attempts) == 1


# -- the end


def test_outcomes_say_what_became_of_it() -> None:
    floor = Floor().open()
    refused = floor.buy(2, slots=("s1",))
    floor.rejected(floor.attempts(refused)[0], RejectCode.CLOSED, "holiday")
    floor.pass_time(31 * SECOND)
    assert (refused.outcome, refused.text) == (Outcome.REFUSED, "closed: holiday")
    incomplete = floor.buy(2, slots=("s1",))
    floor.expired(floor.attempts(incomplete)[0], 0)
    assert incomplete.outcome is Outcome.INCOMPLETE


def test_a_canceled_parent_that_was_filled_is_filled() -> None:
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.cancel(parent.parent_id)
    floor.fill(attempt, 10)
    assert parent.outcome is Outcome.FILLED


def test_a_cancel_ends_what_waits_for_its_release_at_once() -> None:
    floor = Floor().open()
    floor.at("s1").not_ready()
    parent = floor.buy(10)
    floor.cancel(parent.parent_id)
    assert [one.ending for one in floor.attempts(parent)] == [Ending.WITHDRAWN] * 4
    assert parent.outcome is Outcome.CANCELED


def test_finished_parents_are_forgotten_in_time_and_late_news_of_them_is_counted() -> None:
    """State is bounded; I11."""
    floor = Floor(settings_of(finished_max=2)).open()
    parents = []
    for _ in range(4):
        parent = floor.buy(1, slots=("s1",))
        floor.fill(floor.attempts(parent)[0], 1)
        parents.append(parent)
    assert list(floor.state.parents) == ["d-3", "d-4"]
    assert list(floor.state.attempts) == ["d-3-1-1", "d-4-1-1"]
    floor.replay()


def test_a_forgotten_order_that_a_venue_contradicted_is_looked_for_no_more() -> None:
    floor = Floor(settings_of(finished_max=1)).open()
    first = floor.buy(2, slots=("s1",))
    (attempt,) = floor.attempts(first)
    floor.cancel(first.parent_id)
    floor.canceled(attempt, 0)
    floor.canceled(attempt, 1)
    assert list(floor.state.seats["s1"].open) == ["d-1-1-1"]
    floor.fill(floor.attempts(floor.buy(1, slots=("s1",)))[0], 1)
    assert floor.state.seats["s1"].open == {}


def test_an_account_that_holds_little_gets_little_when_weighed() -> None:
    """A8: weighted by buying power."""
    floor = Floor(settings_of(slots=2))
    for number in range(1, 3):
        floor.hand(f"w{number}").join()
    floor.command(SetUpPool(workers=2))
    for hand in floor.all_hands():
        hand.configured()
    for at, hand in enumerate(floor.all_hands()):
        cash = {"USD": Decimal(1_000 * (1 + 3 * at))}
        hand.ready(balances=Balances(query_id=0, cash=cash, positions={}))
    floor.quote()
    floor.buy(100, split=Split.WEIGHTED)
    assert [one.order.quantity for one in floor.sent(link.Release)] == [20, 80]


def test_a_dated_order_that_is_being_canceled_rings_no_alarm_for_its_date() -> None:
    """I2: its venue is asked now and then, and nothing moves in between."""
    floor = Floor(is_checked=False).open()
    date_ns = floor.now.market_ns + SECOND
    parent = floor.buy(
        5, 990, slots=("s1",), time_in_force=TimeInForce.GOOD_TILL_DATE, good_till_ns=date_ns
    )
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    floor.cancel(parent.parent_id)
    before = len(floor.log)
    floor.pass_time(5 * SECOND)
    assert len(floor.log) - before < 50
    floor.canceled(attempt)
    assert parent.outcome is Outcome.CANCELED
