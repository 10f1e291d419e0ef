"""A plain order that is replaced: lowered in place, or canceled, awaited and placed anew."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.state import Outcome, Parent, ParentPhase, Phase
from tandem.domain.algos import Twap
from tandem.domain.commands import (
    Done,
    PlaceAlgo,
    PlaceBoth,
    RefusalReason,
    ReplaceOrder,
    Taken,
)
from tandem.domain.desk import RoomChanged
from tandem.domain.ids import Lots, Ticks
from tandem.domain.limits import Limits
from tandem.domain.link import Amend, Release, Withdraw
from tandem.domain.order import Side, TimeInForce
from tandem.domain.parents import SelfTrade, Split
from tandem.domain.venue import AmendCode
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor, settings_of


def resting(quantity: int = 10, **rest: Any) -> tuple[Floor, Parent]:
    """An order that rests on one account."""
    floor = Floor().open()
    fields: dict[str, Any] = {"slots": ("s1",)} | rest
    parent = floor.buy(quantity, **fields)
    for one in floor.attempts(parent):
        floor.accept(one)
    return floor, parent


def says(floor: Floor, parent: Parent, *what: int | None) -> str:
    """Replace it, and return why that is refused; nothing has changed then."""
    before = parent.replacement
    refused = floor.refusal(floor.replace(parent, *what))
    assert refused.reason is RefusalReason.BAD_ORDER
    assert parent.replacement is before
    return refused.text


# -- what cannot be


def test_a_replacement_must_change_something_of_an_order_that_lives() -> None:
    """A7."""
    floor, parent = resting()
    assert says(floor, parent) == "nothing to change: expected a quantity, a limit price or both"
    assert floor.replace(parent, 10, 1_000) == Done(text="d-1 is so already")
    floor.cancel(parent.parent_id)
    assert says(floor, parent, 5) == "d-1 is being canceled"
    floor.canceled(floor.attempts(parent)[0], 0)
    assert says(floor, parent, 5) == "d-1 has ended"
    unknown = floor.refusal(floor.ask(ReplaceOrder(order_id="d-9", quantity=Lots(1))))
    assert unknown.reason is RefusalReason.UNKNOWN_ORDER


def test_it_cannot_be_less_than_what_has_traded() -> None:
    floor, parent = resting()
    floor.fill(floor.attempts(parent)[0], 4)
    assert says(floor, parent, 3) == "d-1: 4 have traded, so it cannot be lowered to 3"


def test_a_market_order_has_no_price_to_move_and_each_has_no_quantity_to_share() -> None:
    floor = Floor().open()
    market = floor.sell(10, None, slots=("s1",), symbol="U")
    assert says(floor, market, None, 1_000) == "d-1 has no limit price that could be moved"
    each = floor.buy(10, split=Split.EACH)
    assert says(floor, each, 5) == (
        "d-2 gives every account the whole: cancel it, and place another"
    )


def test_parts_and_two_sided_quotes_are_not_replaced() -> None:
    floor = Floor().open()
    quote = PlaceBoth(
        symbol="T",
        quantity=Lots(5),
        buy_price=Ticks(990),
        sell_price=Ticks(1_010),
        inventory_limit=Lots(5),
        lifetime_ns=60 * SECOND,
    )
    taken = floor.ask(quote)
    assert isinstance(taken, Taken)
    part = floor.state.parents["d-2"]
    assert says(floor, part, 3) == "d-2 is a part of d-1: replace that"
    refused = floor.refusal(floor.ask(ReplaceOrder(order_id="d-1", quantity=Lots(1))))
    assert refused.text == "d-1 is no algorithm: cancel it, and place another"


def test_an_algorithm_is_replaced_by_the_same_command() -> None:
    floor = Floor().open()
    spec = Twap(symbol="T", side=Side.BUY, quantity=Lots(10), duration_ns=60 * SECOND, slices=2)
    floor.ask(PlaceAlgo(spec=spec))
    floor.ask(ReplaceOrder(order_id="d-1", quantity=Lots(20)))
    assert floor.state.algos["d-1"].spec.quantity == 20


@pytest.mark.parametrize("what", [(None, 1_200), (10**9, None), (None, 0)])
def test_what_a_new_order_could_not_be_is_refused_before_anything_is_canceled(
    what: tuple[int | None, int | None],
) -> None:
    """I10."""
    floor, parent = resting()
    refused = floor.refusal(floor.replace(parent, *what))
    assert refused.reason in (RefusalReason.RISK, RefusalReason.BAD_ORDER)
    assert (floor.effects[:-1], parent.replacement) == ([], None)


def test_a_price_that_would_meet_an_own_order_is_refused_and_says_which() -> None:
    """C1, I4."""
    floor, parent = resting()
    other = floor.attempts(floor.sell(5, 1_010, slots=("s2",)))[0]
    refused = floor.refusal(floor.replace(parent, None, 1_010))
    assert (refused.reason, refused.met) == (
        RefusalReason.SELF_TRADE,
        other.order.client_order_id,
    )
    assert not floor.sent(Withdraw)
    assert len(floor.state.prevention.refusals) == 1


def test_while_nothing_new_is_taken_it_can_only_be_lowered() -> None:
    """F11."""
    floor, parent = resting()
    floor.on(RoomChanged(short=True))
    assert floor.refusal(floor.replace(parent, 20)).reason is RefusalReason.DISK_FULL
    assert isinstance(floor.replace(parent, 5), Done)


def test_one_that_is_being_replaced_can_only_be_lowered_further() -> None:
    floor, parent = resting()
    floor.replace(parent, 8)
    text = "d-1 is being replaced: only to lower it further needs no waiting"
    assert says(floor, parent, 9) == text
    assert says(floor, parent, 20) == text
    assert isinstance(floor.replace(parent, 5), Done)
    (attempt,) = floor.attempts(parent)
    floor.amended(attempt, 8)
    floor.amended(attempt, 5)
    assert isinstance(floor.replace(parent, None, 1_001), Done)
    assert says(floor, parent, 3) == text


# -- canceled and placed anew


@pytest.mark.parametrize(
    ("what", "quantity", "price"),
    [((20, None), 16, 1_000), ((None, 1_005), 6, 1_005), ((8, 1_005), 4, 1_005)],
)
def test_what_is_left_goes_out_anew_after_the_final_word_on_the_old(
    what: tuple[int | None, int | None], quantity: int, price: int
) -> None:
    """A7, I1: what traded until the very end is counted."""
    floor, parent = resting()
    (old,) = floor.attempts(parent)
    floor.fill(old, 3)
    answer = floor.replace(parent, *what)
    text = "d-1 is canceled and placed anew; it loses its place in the queue"
    assert answer == Done(text=text)
    assert floor.sent(Withdraw)
    assert (parent.quantity, parent.text) == (10, "being replaced")
    assert len(parent.attempts) == 1
    floor.fill(old, 1)
    floor.canceled(old)
    new = floor.attempts(parent)[1]
    assert (new.order.quantity, new.order.limit_price) == (quantity, price)
    assert new.order.client_order_id == "d-1-2-1"
    assert (parent.quantity, parent.spec.limit_price) == (quantity + 4, price)
    floor.fill(new, quantity)
    assert parent.outcome is Outcome.FILLED
    floor.replay()


def test_over_several_accounts_it_waits_for_all_and_is_split_anew() -> None:
    """C4, I1."""
    floor = Floor().open()
    parent = floor.buy(40)
    first, *others = floor.attempts(parent)
    floor.accept(first)
    floor.replace(parent, 60)
    for one in others:
        floor.canceled(one, 0)
    assert len(parent.attempts) == 4
    floor.canceled(first, 4)
    assert [one.order.quantity for one in floor.attempts(parent)[4:]] == [14] * 4
    assert len(floor.sent(Release)) == 4
    # The executions of the four come later: they are counted all the same.
    assert (parent.done_quantity, parent.filled) == (4, 0)


def test_while_nobody_knows_it_waits() -> None:
    """I1, F13."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    (old,) = floor.attempts(parent)
    floor.timed_out(old)
    floor.replace(parent, 20)
    floor.pass_time(1_500 * MS)
    assert (old.phase, len(parent.attempts)) == (Phase.UNKNOWN, 1)
    floor.not_found(old)
    floor.pass_time(SECOND)
    floor.not_found(old)
    assert floor.attempts(parent)[1].order.quantity == 20


def test_when_all_traded_before_the_cancel_nothing_more_goes_out() -> None:
    floor, parent = resting()
    (old,) = floor.attempts(parent)
    floor.replace(parent, None, 1_001)
    floor.fill(old, 10)
    assert (parent.outcome, len(parent.attempts)) == (Outcome.FILLED, 1)


def test_more_may_have_traded_than_a_smaller_order_at_another_price_asks_for() -> None:
    floor, parent = resting()
    (old,) = floor.attempts(parent)
    floor.replace(parent, 5, 1_001)
    floor.fill(old, 7)
    floor.canceled(old)
    assert (parent.outcome, parent.quantity, len(parent.attempts)) == (Outcome.FILLED, 7, 1)


def test_what_was_not_released_is_replaced_at_once() -> None:
    floor = Floor().open()
    floor.at("s1").not_ready()
    parent = floor.buy(10, slots=("s1",))
    floor.replace(parent, None, 1_001)
    floor.at("s1").ready()
    old, new = floor.attempts(parent)
    assert (old.sends, new.phase, new.order.limit_price) == (0, Phase.RELEASED, 1_001)


@pytest.mark.parametrize(
    ("what", "expected"), [((6, None), (6, 1_000)), ((20, None), (20, 1_000)), ((9, 900), (9, 900))]
)
def test_what_waits_for_own_orders_to_be_canceled_asks_by_its_new_words(
    what: tuple[int | None, int | None], expected: tuple[int, int]
) -> None:
    floor = Floor().open()
    resting_sell = floor.attempts(floor.sell(5, 1_000, slots=("s2",)))[0]
    parent = floor.buy(10, slots=("s1",), self_trade=SelfTrade.CANCEL_RESTING)
    assert parent.phase is ParentPhase.CLEARING
    floor.replace(parent, *what)
    if expected[1] == 1_000:
        assert not parent.attempts
        floor.canceled(resting_sell, 0)
    (attempt,) = floor.attempts(parent)
    assert (attempt.order.quantity, attempt.order.limit_price) == expected
    assert (parent.phase, parent.quantity) == (ParentPhase.WORKING, expected[0])


def test_own_orders_in_the_way_of_the_new_price_are_canceled_where_the_mode_says_so() -> None:
    """C1, I4."""
    floor, parent = resting(self_trade=SelfTrade.CANCEL_RESTING)
    other = floor.attempts(floor.sell(5, 1_010, slots=("s2",)))[0]
    (old,) = floor.attempts(parent)
    floor.fill(old, 2)
    floor.replace(parent, None, 1_010)
    floor.canceled(old)
    assert parent.phase is ParentPhase.CLEARING
    floor.canceled(other, 0)
    assert floor.attempts(parent)[1].order.quantity == 8


def test_what_yields_to_it_lowers_what_is_left_of_it_only() -> None:
    """C1, I1."""
    floor, parent = resting(self_trade=SelfTrade.DECREMENT)
    other = floor.attempts(floor.sell(5, 1_010, slots=("s2",)))[0]
    (old,) = floor.attempts(parent)
    floor.fill(old, 7)
    floor.replace(parent, None, 1_010)
    floor.canceled(old)
    floor.canceled(other, 0)
    assert (parent.done_quantity, parent.prevented) == (7, 3)
    assert parent.phase is ParentPhase.DONE


@pytest.mark.parametrize("mode", [SelfTrade.REJECT_NEW, SelfTrade.CANCEL_BOTH])
def test_an_own_order_that_came_meanwhile_refuses_what_is_left(mode: SelfTrade) -> None:
    """C1, I4: the old one was canceled already, and that is said."""
    floor, parent = resting(self_trade=mode)
    (old,) = floor.attempts(parent)
    floor.replace(parent, None, 1_010)
    other = floor.sell(5, 1_005, slots=("s2",))
    floor.canceled(old, 0)
    assert parent.outcome is Outcome.INCOMPLETE
    assert parent.text.startswith("replaced, but it could meet your own order d-2-1-1")
    assert other.cancel_wanted is (mode is SelfTrade.CANCEL_BOTH)
    assert floor.counted("replaces_refused") == 1


def test_what_is_beyond_the_limits_by_then_is_not_sent() -> None:
    """I10."""
    limits = Limits(max_notional=Decimal(150), max_duplicates=100_000)
    floor = Floor(settings_of(limits=limits)).open()
    parent = floor.buy(10, slots=("s1",))
    (old,) = floor.attempts(parent)
    floor.accept(old)
    assert floor.refusal(floor.replace(parent, 16)).text == "notional"
    floor.replace(parent, 15)
    floor.quote(3_000)
    floor.canceled(old, 0)
    assert (parent.outcome, parent.text) == (Outcome.INCOMPLETE, "replaced, but price_collar")


def test_a_reduce_only_order_is_raised_to_the_position_at_most() -> None:
    """A7."""
    floor = Floor().open()
    parent = floor.sell(10, slots=("s1",), reduce_only=True)
    (old,) = floor.attempts(parent)
    floor.fill(old, 4)
    floor.replace(parent, 5_000)
    floor.canceled(old)
    assert floor.attempts(parent)[1].order.quantity == 996
    assert parent.quantity == 1_000


def test_a_reduce_only_order_without_a_position_left_ends() -> None:
    floor = Floor().open()
    parent = floor.sell(10, slots=("s1",), reduce_only=True)
    (old,) = floor.attempts(parent)
    floor.accept(old)
    floor.sell(990, 1_001, slots=("s1",))
    floor.replace(parent, None, 1_002)
    floor.sell(10, 1_001, slots=("s2",))
    floor.canceled(old, 0)
    assert floor.attempts(parent)[1].order.quantity == 10
    floor.replace(parent, None, 1_003)
    last = floor.attempts(parent)[1]
    floor.fill(floor.attempts()[1], 990)
    other = floor.place(Side.SELL, 10, 1_001, slots=("s1",))
    assert floor.refusal(other).reason is RefusalReason.FUNDS
    floor.fill(last, 10)
    assert parent.outcome is Outcome.FILLED


def test_a_dated_order_keeps_its_date_and_is_not_replaced_after_it() -> None:
    """A7."""
    floor = Floor().open()
    date_ns = floor.now.market_ns + 3 * SECOND
    terms: dict[str, Any] = {
        "time_in_force": TimeInForce.GOOD_TILL_DATE,
        "good_till_ns": date_ns,
    }
    parent = floor.buy(10, slots=("s1",), **terms)
    (old,) = floor.attempts(parent)
    floor.accept(old)
    floor.replace(parent, 20)
    floor.canceled(old, 0)
    new = floor.attempts(parent)[1]
    assert new.order.good_till_ns == date_ns
    floor.pass_time(3 * SECOND)
    assert "its date was 0 ms ago" in says(floor, parent, 30)


def test_a_restart_and_a_takeover_in_the_middle_change_nothing() -> None:
    """C2, F19."""
    floor, parent = resting()
    spare = floor.spare()
    (old,) = floor.attempts(parent)
    floor.replace(parent, 20, 1_001)
    floor.restart()
    for hand in floor.all_hands():
        hand.join(seen=False)
        if hand.account_id is not None:
            hand.ready()
    floor.at("s1").die()
    spare.ready()
    floor.pass_time(SECOND)
    assert len(parent.attempts) == 1
    floor.canceled(old, 2)
    new = floor.attempts(parent)[1]
    assert (new.order.quantity, new.order.limit_price) == (18, 1_001)
    floor.replay()


def test_a_cancel_in_the_middle_ends_it() -> None:
    floor, parent = resting()
    floor.replace(parent, 20)
    floor.cancel(parent.parent_id)
    floor.canceled(floor.attempts(parent)[0], 0)
    assert (parent.outcome, len(parent.attempts)) == (Outcome.CANCELED, 1)


def test_asked_twice_it_happens_once() -> None:
    """C6."""
    floor, parent = resting()
    command = ReplaceOrder(order_id=parent.parent_id, quantity=Lots(6))
    floor.command(command, "again")
    assert floor.sent(Amend)
    floor.command(command, "again")
    assert not floor.sent(Amend)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["replace", "price", "accept", "fill", "cancel", "amend", "late", "time", "restart"]
        ),
        st.integers(0, 60),
    ),
    max_size=30,
)


@given(STEPS, st.integers(1, 40))
def test_whatever_comes_in_whatever_order_the_books_hold(
    steps: list[tuple[str, int]], quantity: int
) -> None:
    """I1, I9: the driver proves sums, reservations, gate and alarms after every event."""
    floor = Floor().open()
    parent = floor.buy(quantity, slots=("s1", "s2"))
    for what, number in steps:
        _step(floor, parent, what, number)
    floor.replay()


def _step(floor: Floor, parent: Parent, what: str, number: int) -> None:
    known = floor.attempts(parent)
    one = known[number % len(known)]
    if what == "replace":
        floor.replace(parent, number)
    elif what == "price":
        floor.replace(parent, None, 970 + number)
    elif what == "time":
        floor.pass_time(number * 20 * MS)
    elif what == "restart":
        floor.restart()
    elif what == "accept" and one.sends:
        floor.accept(one)
    elif what == "fill" and one.sends and one.cum_quantity < one.order.quantity:
        floor.fill(one, 1)
    elif what == "cancel" and one.sends and not one.is_final:
        floor.canceled(one)
    elif what == "amend" and one.sends:
        floor.amended(one, number)
    elif what == "late" and one.sends:
        floor.amend_rejected(one, list(AmendCode)[number % len(AmendCode)])
