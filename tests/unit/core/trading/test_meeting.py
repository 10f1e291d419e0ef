"""Own orders that could meet: what each mode gives up, and that nothing meets meanwhile."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.booked import Handed
from tandem.core.trading.prevention import InternalPosition
from tandem.core.trading.state import Attempt, Outcome, Parent, ParentPhase, Phase
from tandem.domain import link
from tandem.domain.algos import Twap
from tandem.domain.commands import PlaceAlgo, PlaceBoth, Taken
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import FenceClass, Side, TimeInForce
from tandem.domain.parents import SelfTrade, Split
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of
from tests.unit.core.trading.outside import opened

BUY, SELL = Side.BUY, Side.SELL
T = InstrumentId("T@X")
NET = SelfTrade.NET_INTERNALLY


def resting(floor: Floor, quantity: int, price: int, slot: str = "s1") -> Attempt:
    """Return an own sell that lives at the venue."""
    (attempt,) = floor.attempts(floor.sell(quantity, price, slots=(slot,)))
    floor.accept(attempt)
    return attempt


def parent_of(floor: Floor, attempt: Attempt) -> Parent:
    found = floor.state.parents[attempt.parent_id]
    assert isinstance(found, Parent)
    return found


def released(floor: Floor) -> list[int]:
    return [one.order.quantity for one in floor.sent(link.Release)]


# -- every refusal is remembered


def test_a_refusal_is_remembered_with_the_order_it_would_have_met() -> None:
    """C1 A30."""
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    floor.place(BUY, 3, 1_002, slots=("s2",))
    (refusal,) = floor.state.prevention.refusals
    assert (refusal.met, refusal.met_parent) == (sell.order.client_order_id, sell.parent_id)
    assert (refusal.side, refusal.quantity, refusal.limit_price) == (BUY, 3, 1_002)
    assert (refusal.mode, refusal.owner) == ("reject_new", None)
    assert refusal.text == f"it could meet your own order {sell.order.client_order_id}"


def test_an_order_of_another_program_refuses_every_mode_and_nothing_is_canceled() -> None:
    """C1 F24: it is not ours to cancel."""
    floor, account = opened()
    own = resting(floor, 2, 1_001, "s2")
    account.open(SELL, 5, 1_001, key="x")
    account.look()
    for manner in SelfTrade:
        floor.place(BUY, 1, 1_001, slots=("s3",), self_trade=manner)
    told = floor.state.prevention.refusals
    assert [one.mode for one in told] == list(SelfTrade)
    assert {one.met for one in told} == {"external:A1:x"}
    assert {one.met_parent for one in told} == {None}
    assert not own.cancel_wanted


# -- cancel both


def test_both_are_given_up_the_resting_one_canceled_and_the_new_one_not_sent() -> None:
    """C1: and the answer names what was canceled."""
    floor = Floor().open()
    first, second = resting(floor, 5, 1_001), resting(floor, 5, 1_000, "s2")
    far = resting(floor, 5, 1_005)
    refused = floor.refusal(
        floor.place(BUY, 3, 1_002, slots=("s3",), self_trade=SelfTrade.CANCEL_BOTH)
    )
    assert (refused.reason, refused.met) == ("self_trade", second.order.client_order_id)
    assert refused.text.endswith(
        f"neither is wanted: {second.parent_id}, {first.parent_id} canceled"
    )
    assert len(floor.sent(link.Withdraw)) == 2
    assert released(floor) == []
    assert (first.cancel_wanted, second.cancel_wanted, far.cancel_wanted) == (True, True, False)
    floor.canceled(first)
    assert parent_of(floor, first).outcome is Outcome.CANCELED
    floor.replay()


# -- decrement


def test_a_larger_new_order_loses_what_rested_and_its_rest_goes_out_once_that_is_confirmed() -> (
    None
):
    """C1 I1: reduced first, and only then traded on."""
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    new = floor.buy(8, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    assert (new.phase, released(floor)) == (ParentPhase.CLEARING, [])
    floor.fill(sell, 2)
    floor.canceled(sell)
    assert released(floor) == [5]
    old = parent_of(floor, sell)
    assert (old.done_quantity, old.prevented, old.outcome) == (2, 3, Outcome.PREVENTED)
    assert (new.prevented, new.allocated, new.quantity) == (3, 5, 8)
    floor.fill(floor.attempts(new)[0], 5)
    assert (new.done_quantity, new.outcome) == (5, Outcome.PREVENTED)
    floor.replay()


def test_a_smaller_new_order_is_never_sent_and_what_rested_goes_on_with_the_rest() -> None:
    """C1."""
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    new = floor.buy(2, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    floor.canceled(sell)
    assert (new.outcome, new.prevented, new.attempts) == (Outcome.PREVENTED, 2, [])
    old = parent_of(floor, sell)
    assert [one.order.quantity for one in floor.attempts(old)] == [5, 3]
    assert (old.allocated, old.prevented, released(floor)) == (3, 2, [3])
    floor.replay()


def test_only_as_many_orders_are_taken_out_as_the_new_one_would_meet() -> None:
    """C1: best price first, the oldest of equals first."""
    floor = Floor().open()
    worse, best = resting(floor, 5, 1_001), resting(floor, 5, 1_000, "s2")
    new = floor.buy(4, 1_002, slots=("s3",), self_trade=SelfTrade.DECREMENT)
    assert (best.cancel_wanted, worse.cancel_wanted) == (True, False)
    floor.fill(best, 3)
    assert (best.cancel_wanted, worse.cancel_wanted) == (True, False)
    floor.canceled(best)
    assert worse.cancel_wanted, "two lots of the new one are left, and this is in their way"
    floor.canceled(worse)
    assert (new.outcome, new.prevented) == (Outcome.PREVENTED, 4)
    assert released(floor) == [3]


def test_an_unknown_order_keeps_its_price_in_every_mode() -> None:
    """C1 F13: no mode takes it as gone, and at the deadline the new one ends."""
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    sell = resting(floor, 5, 1_001)
    (lost,) = floor.attempts(floor.sell(5, 1_001, slots=("s2",)))
    floor.timed_out(lost)
    news = [
        floor.buy(8, 1_002, slots=("s3",), self_trade=manner)
        for manner in (SelfTrade.CANCEL_RESTING, SelfTrade.DECREMENT)
    ]
    floor.canceled(sell)
    floor.pass_time(6 * SECOND)
    assert [one.attempts for one in news] == [[], []]
    assert {one.text for one in news} == {"own orders in the way could not be canceled in time"}


def test_what_was_to_yield_to_an_order_that_is_canceled_goes_on_whole() -> None:
    """C1."""
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    new = floor.buy(8, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    floor.cancel(new.parent_id)
    floor.canceled(sell)
    assert released(floor) == [5]
    assert (parent_of(floor, sell).prevented, new.prevented) == (0, 0)


def test_what_is_canceled_by_its_trader_is_not_decremented() -> None:
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    new = floor.buy(8, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    floor.cancel(sell.parent_id)
    floor.canceled(sell)
    assert (new.prevented, released(floor)) == (0, [8])


def test_an_order_that_ends_already_is_only_waited_for() -> None:
    floor = Floor().open()
    sell = resting(floor, 5, 1_001)
    floor.cancel(sell.parent_id)
    new = floor.buy(8, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    assert sell.yields_to is None
    floor.canceled(sell)
    assert (new.prevented, released(floor)) == (0, [8])


def test_what_yields_often_has_not_failed() -> None:
    """C4: it is tried again on its slot, however often it made way."""
    floor = Floor().open()
    sell = resting(floor, 50, 1_001)
    old = parent_of(floor, sell)
    for _ in range(8):
        floor.buy(1, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
        floor.canceled(floor.attempts(old)[-1])
        floor.accept(floor.attempts(old)[-1])
    assert (old.prevented, old.allocated, len(old.attempts)) == (8, 42, 9)
    assert {one.slot_id for one in floor.attempts(old)} == {"s1"}


def test_a_yielding_order_that_the_venue_refused_is_decremented_and_tried_elsewhere() -> None:
    floor = Floor().open()
    (sell,) = floor.attempts(floor.sell(5, 1_001, slots=("s1",)))
    new = floor.buy(2, 1_002, slots=("s2",), self_trade=SelfTrade.DECREMENT)
    floor.rejected(sell, RejectCode.FUNDS)
    old = parent_of(floor, sell)
    assert (new.prevented, old.prevented, old.refused_slots) == (2, 2, ["s1"])


def test_a_decremented_rest_is_split_anew() -> None:
    """C4: over all of its slots, the whole of it for each or not."""
    for manner, lots in ((Split.EQUAL, [2, 2, 2]), (Split.EACH, [4, 4, 3])):
        floor = Floor().open()
        sell = resting(floor, 1, 1_001)
        new = floor.buy(
            4 if manner is Split.EACH else 7,
            1_002,
            slots=("s2", "s3", "s4"),
            split=manner,
            self_trade=SelfTrade.DECREMENT,
        )
        floor.canceled(sell)
        assert sorted(released(floor), reverse=True) == lots
        assert sum(one.quantity for one in new.children) == new.quantity - 1


def test_an_order_of_another_program_that_came_meanwhile_ends_the_wait() -> None:
    """F24: what cannot yield is waited for until the deadline."""
    floor, account = opened()
    floor.pass_time(10 * SECOND)
    sell = resting(floor, 5, 1_001, "s2")
    new = floor.buy(8, 1_002, slots=("s3",), self_trade=SelfTrade.DECREMENT)
    account.open(SELL, 5, 1_001, key="x")
    account.reply()
    floor.canceled(sell)
    floor.pass_time(6 * SECOND)
    assert (new.outcome, new.attempts, new.prevented) == (Outcome.CANCELED, [], 5)


# -- net internally


def waiting(floor: Floor, side: Side, quantity: int, **rest: Any) -> Parent:
    """Return a parent of strategy `long` whose wave waits for its slot: nothing has left."""
    floor.at("s1").not_ready()
    place = floor.sell if side is SELL else floor.buy
    price = rest.pop("price", 1_001 if side is SELL else 999)
    parent = place(quantity, price, slots=("s1",), strategy="long", **rest)
    assert floor.attempts(parent)[0].phase is Phase.PLANNED
    return parent


def test_what_has_not_left_is_netted_between_strategies_of_one_account() -> None:
    """C1: no fill, no fee, no position at the venue; lots and value move between the two."""
    floor = Floor().open()
    old = waiting(floor, SELL, 5)
    new = floor.buy(3, 1_002, slots=("s1",), strategy="short", self_trade=NET)
    assert (new.netted, new.outcome, new.attempts) == (3, Outcome.NETTED, [])
    assert (old.netted, old.allocated) == (3, 2)
    assert (old.filled, new.filled) == (0, 0)
    assert old.fees == new.fees == Decimal(0)
    (netting,) = floor.state.prevention.nettings
    assert (netting.account_id, netting.quantity, netting.price) == ("A1", 3, 1_001)
    assert (netting.buyer, netting.seller) == (new.parent_id, old.parent_id)
    assert floor.state.prevention.internal == {
        "short": {T: InternalPosition(3, Decimal(3_003))},
        "long": {T: InternalPosition(-3, Decimal(-3_003))},
    }
    floor.at("s1").ready()
    assert released(floor) == [2]
    floor.fill(floor.attempts(old)[0], 2)
    assert (old.done_quantity, old.outcome) == (2, Outcome.NETTED)
    floor.replay()


def test_what_is_netted_whole_ends_at_once_and_the_rest_of_the_new_one_goes_out() -> None:
    """C1 I1."""
    floor = Floor().open()
    old = waiting(floor, BUY, 2)
    new = floor.sell(6, 999, slots=("s1", "s2"), strategy="short", self_trade=NET)
    assert (old.outcome, old.attempts[0]) == (Outcome.NETTED, "d-1-1-1")
    assert [one.quantity for one in new.children] == [1, 3]
    assert (new.netted, new.allocated) == (2, 4)
    assert floor.state.prevention.nettings[0].price == 999, "within both limits"
    floor.at("s1").ready()
    assert released(floor) == [1, 3]


def test_a_share_that_is_netted_whole_makes_no_order() -> None:
    floor = Floor().open()
    waiting(floor, SELL, 3)
    new = floor.buy(6, None, slots=("s1", "s2"), strategy="short", self_trade=NET)
    assert [one.order.quantity for one in floor.attempts(new)] == [3]
    assert floor.state.prevention.nettings[0].price == 1_001


def test_what_is_netted_counts_for_both_strategies_in_statements() -> None:
    """B34."""
    floor = Floor().open()
    floor.desk.booked = []
    waiting(floor, SELL, 3)
    floor.buy(3, None, slots=("s1",), strategy="short", self_trade=NET)
    (handed,) = floor.desk.booked
    assert isinstance(handed, Handed)
    assert (handed.buyer, handed.seller, handed.quantity) == ("short", "long", 3)


def test_at_the_market_both_are_netted_at_its_middle() -> None:
    floor = Floor().open()
    waiting(floor, SELL, 3, price=None)
    floor.buy(3, None, slots=("s1",), strategy="short", self_trade=NET)
    assert floor.state.prevention.nettings[0].price == 1_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"strategy": "long"}),  # of one strategy
        ({}, {"slots": ("s2",)}),  # on another account
        ({"time_in_force": TimeInForce.FILL_OR_KILL}, {}),
        ({"reduce_only": True}, {}),
        ({}, {"time_in_force": TimeInForce.FILL_OR_KILL}),
        ({}, {"quantity": 8, "slots": ("s1", "s2")}),  # more would still meet
    ],
)
def test_what_cannot_be_netted_is_refused(old: dict[str, Any], new: dict[str, Any]) -> None:
    """C1: as a whole, and nothing has changed."""
    floor = Floor().open()
    parent = waiting(floor, SELL, 5, **old)
    wanted: dict[str, Any] = {"slots": ("s1",), "strategy": "short"} | new
    quantity = wanted.pop("quantity", 3)
    refused = floor.refusal(floor.place(BUY, quantity, 1_002, self_trade=NET, **wanted))
    assert (refused.reason, refused.met) == ("self_trade", parent.attempts[0])
    assert (parent.netted, parent.allocated) == (0, 5)
    assert floor.state.prevention.nettings == []


def test_what_has_left_is_not_netted() -> None:
    """C1: its venue may have filled it already."""
    floor = Floor().open()
    resting(floor, 5, 1_001)
    refused = floor.place(BUY, 3, 1_002, slots=("s1",), strategy="short", self_trade=NET)
    assert floor.refusal(refused).reason == "self_trade"


def test_a_part_of_a_two_sided_quote_is_not_netted() -> None:
    """C3: its quote counts what it fills."""
    floor = Floor().open()
    floor.at("s1").not_ready()
    quoted = PlaceBoth(
        symbol="T",
        quantity=Lots(5),
        buy_price=Ticks(999),
        sell_price=Ticks(1_001),
        inventory_limit=Lots(5),
        lifetime_ns=SECOND,
    )
    assert isinstance(floor.ask(quoted), Taken)
    refused = floor.place(BUY, 3, 1_002, slots=("s1",), strategy="short", self_trade=NET)
    assert floor.refusal(refused).reason == "self_trade"


def test_what_an_algorithm_took_over_counts_as_traded() -> None:
    """I1: it does not ask for it again."""
    floor = Floor().open()
    floor.at("s1").not_ready()
    spec = Twap(
        symbol="T",
        side=SELL,
        quantity=Lots(5),
        slots=("s1",),  # type: ignore[arg-type]
        duration_ns=SECOND,
        slices=1,
        strategy="long",
    )
    answer = floor.ask(PlaceAlgo(spec=spec))
    assert isinstance(answer, Taken)
    floor.buy(5, None, slots=("s1",), strategy="short", self_trade=NET)
    algo = floor.state.algos[answer.order_id]
    assert (algo.sold, algo.sold_value, algo.phase) == (5, 5_000, "done")


# -- in general

STEPS = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.sampled_from(list(SelfTrade)),
        st.integers(1, 9),
        st.integers(997, 1_003),
        st.integers(0, 7),
    ),
    max_size=25,
)


@given(STEPS)
def test_whatever_the_modes_nothing_meets_and_no_quantity_is_lost(
    steps: list[tuple[Side, SelfTrade, int, int, int]],
) -> None:
    """C1 I1 I4 I9: proved after every event; each mode with each other one, over three accounts."""
    floor = Floor().open()
    for number, (side, manner, quantity, price, course) in enumerate(steps):
        slots = (("s1",), ("s2",), ("s3",), ("s1", "s2"))[course % 4]
        strategy = ("long", "short")[number % 2]
        floor.place(side, quantity, price, slots=slots, strategy=strategy, self_trade=manner)
        out = [one for one in floor.attempts() if one.phase in (Phase.RELEASED, Phase.LIVE)]
        if out and course > 2:
            attempt = out[number % len(out)]
            (floor.canceled if attempt.cancel_wanted else floor.accept)(attempt)
        if course == 7:
            floor.at("s1").not_ready()
        elif course == 6:
            floor.at("s1").ready()
    for attempt in floor.attempts():
        if attempt.phase in (Phase.RELEASED, Phase.LIVE) and attempt.cancel_wanted:
            floor.canceled(attempt)
    bought = sum(one.netted for one in floor.state.parents.values() if one.spec.side is BUY)
    sold = sum(one.netted for one in floor.state.parents.values() if one.spec.side is SELL)
    assert bought == sold
    taken = [one.prevented for one in floor.state.parents.values()]
    assert sum(taken) % 2 == 0
