"""Both sides of the market: quotes and pairs, canceled and restarted in every phase."""

import pytest

from tandem.core.trading.state import Attempt, Both, BothPhase, Pair, PairPhase, ParentPhase, Phase
from tandem.core.trading.tandem_orders import TIMES_NS_MAX
from tandem.domain import link
from tandem.domain.commands import (
    Answer,
    ExitRule,
    LegPolicy,
    PlaceBoth,
    PlacePair,
    Refused,
    Taken,
)
from tandem.domain.ids import Lots, SlotId, Ticks
from tandem.domain.order import FenceClass, Side, TimeInForce
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.desk_driver import (
    SECOND,
    Floor,
    X,
    Y,
    but_audits,
    instrument,
    two_markets,
)


def slots(*names: str) -> tuple[SlotId, ...]:
    return tuple(SlotId(one) for one in names)


def ask_both(floor: Floor, **changes: object) -> Answer:
    fields: dict[str, object] = {
        "symbol": "T",
        "quantity": Lots(10),
        "buy_price": Ticks(999),
        "sell_price": Ticks(1_001),
        "slots": slots("s1", "s2"),
        "inventory_limit": Lots(10),
        "lifetime_ns": 60 * SECOND,
    }
    return floor.ask(PlaceBoth(**(fields | changes)))  # type: ignore[arg-type]


def open_both(floor: Floor, **changes: object) -> Both:
    answer = ask_both(floor, **changes)
    assert isinstance(answer, Taken), answer
    found = floor.state.boths[answer.order_id]
    assert isinstance(found, Both)
    return found


def side(floor: Floor, owner: Both | Pair, which: Side) -> Attempt:
    """Return the youngest attempt on that side of a quote or pair."""
    found = [one for key in owner.parts for one in floor.attempts(key) if one.order.side is which]
    return found[-1]


# -- two-sided quotes


def test_a_quote_rests_on_both_sides_over_several_accounts() -> None:
    """A11 A35: a buy and a sell together, and they can never meet."""
    floor = Floor().open()
    both = open_both(floor, slots=())
    sent = floor.sent(link.Release)
    assert [(one.account_id, one.order.side) for one in sent] == [
        ("A1", Side.BUY),
        ("A3", Side.BUY),
        ("A2", Side.SELL),
        ("A4", Side.SELL),
    ]
    assert {one.order.time_in_force for one in sent} == {TimeInForce.GOOD_TILL_CANCEL}
    assert both.phase is BothPhase.QUOTING


def test_a_quote_without_slots_goes_to_those_that_list_its_symbol() -> None:
    """A11 A35: slots at other venues do not stand in its way."""
    listed = (instrument("T", X, "mx"), instrument("U", Y, "my"))
    floor = pair_floor(instruments=listed)
    open_both(floor, slots=())
    sent = floor.sent(link.Release)
    assert [(one.account_id, one.order.side) for one in sent] == [
        ("X1", Side.BUY),
        ("X2", Side.SELL),
    ]


def test_one_slot_quotes_both_sides() -> None:
    floor = Floor().open()
    open_both(floor, slots=slots("s2"))
    assert [one.account_id for one in floor.sent(link.Release)] == ["A2", "A2"]


@pytest.mark.parametrize(
    "change",
    [
        {"sell_price": Ticks(999)},
        {"quantity": Lots(0)},
        {"quantity": Lots(11)},
        {"lifetime_ns": 0},
        {"lifetime_ns": TIMES_NS_MAX + 1},
    ],
)
def test_a_quote_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    """A35: a crossing pair is refused."""
    floor = Floor().open()
    assert floor.refusal(ask_both(floor, **change)).reason == "bad_order"


def test_a_refused_buy_side_leaves_nothing() -> None:
    floor = Floor().open()
    assert floor.refusal(ask_both(floor, symbol="?")).reason == "unknown_symbol"
    assert floor.state.boths == {}


def test_a_refused_sell_side_leaves_nothing_at_a_venue() -> None:
    """refused as a whole; the buy side was planned and is taken back unsent."""
    floor = Floor().open()
    floor.sell(995, 1_001, slots=("s2",))
    refused = floor.refusal(ask_both(floor))
    assert refused.reason == "funds"
    assert floor.sent(link.Release) == []
    assert all(one.phase is BothPhase.DONE for one in floor.state.boths.values())


def test_a_done_side_is_quoted_anew_so_often() -> None:
    floor = Floor().open()
    both = open_both(floor, refreshes=1, inventory_limit=Lots(25))
    floor.fill(side(floor, both, Side.BUY), 10)
    assert (both.inventory, both.refreshes_left) == (10, 0)
    again = side(floor, both, Side.BUY)
    assert again.phase is Phase.RELEASED
    floor.fill(again, 10)
    assert side(floor, both, Side.BUY) is again
    floor.fill(side(floor, both, Side.SELL), 10)
    assert (both.inventory, both.phase) == (10, BothPhase.DONE)


def test_a_refresh_keeps_the_inventory_within_its_limit() -> None:
    """The room is used up: no refresh is spent on nothing, and the rest is what is left."""
    floor = Floor().open()
    both = open_both(floor, refreshes=2, inventory_limit=Lots(14))
    floor.fill(side(floor, both, Side.BUY), 10)
    assert side(floor, both, Side.BUY).order.quantity == 4
    floor.fill(side(floor, both, Side.BUY), 4)
    assert (both.inventory, both.refreshes_left, both.buy_id) == (14, 1, None)
    floor.fill(side(floor, both, Side.SELL), 10)
    assert both.buy_id is not None or both.sell_id is not None


def test_a_refused_refresh_is_told_and_the_other_side_goes_on() -> None:
    floor = Floor().open()
    both = open_both(floor, refreshes=1, inventory_limit=Lots(20))
    floor.quote(2_000)
    floor.fill(side(floor, both, Side.BUY), 10)
    assert (both.text, both.buy_id) == ("price_collar", None)
    assert (both.phase, floor.counted("quotes_refused")) == (BothPhase.QUOTING, 1)


def test_after_its_lifetime_both_sides_are_canceled() -> None:
    floor = Floor().open()
    both = open_both(floor)
    buy, sell = side(floor, both, Side.BUY), side(floor, both, Side.SELL)
    floor.accept(buy)
    floor.accept(sell)
    floor.pass_time(60 * SECOND)
    assert (both.phase, both.text) == (BothPhase.CANCELING, "its lifetime is over")
    floor.canceled(buy)
    floor.canceled(sell)
    assert both.phase is BothPhase.DONE


def test_the_exit_rule_trades_back_what_one_side_has_more() -> None:
    """On the accounts of the quote, where the lots are."""
    floor = Floor().open()
    both = open_both(floor, exit_rule=ExitRule.FLATTEN)
    floor.fill(side(floor, both, Side.BUY), 7)
    floor.cancel(both.both_id)
    floor.canceled(side(floor, both, Side.BUY))
    floor.canceled(side(floor, both, Side.SELL))
    assert both.phase is BothPhase.FLATTENING
    sent = floor.sent(link.Release)
    assert {one.order.side for one in sent} == {Side.SELL}
    assert sum(one.order.quantity for one in sent) == 7
    assert {one.order.limit_price for one in sent} == {None}
    for one in sent:
        floor.fill(floor.state.attempts[one.order.client_order_id], one.order.quantity)
    assert (both.phase, both.inventory) == (BothPhase.DONE, 0)
    floor.replay()


def test_a_short_inventory_is_bought_back() -> None:
    floor = Floor().open()
    both = open_both(floor, exit_rule=ExitRule.FLATTEN)
    floor.fill(side(floor, both, Side.SELL), 10)
    floor.cancel(both.both_id)
    floor.canceled(side(floor, both, Side.BUY))
    assert {one.order.side for one in floor.sent(link.Release)} == {Side.BUY}
    assert both.buy_id is not None


def test_what_could_not_be_flattened_is_told() -> None:
    floor = Floor().open()
    both = open_both(floor, exit_rule=ExitRule.FLATTEN)
    floor.fill(side(floor, both, Side.BUY), 7)
    floor.cancel(both.both_id)
    floor.canceled(side(floor, both, Side.BUY))
    floor.canceled(side(floor, both, Side.SELL))
    for one in floor.sent(link.Release):
        floor.canceled(floor.state.attempts[one.order.client_order_id], 0)
    assert (both.phase, both.text) == (BothPhase.DONE, "could not flatten: 7 is left")


def test_a_halt_stops_quotes_and_nothing_is_flattened() -> None:
    floor = Floor().open()
    both = open_both(floor, exit_rule=ExitRule.FLATTEN)
    floor.fill(side(floor, both, Side.BUY), 7)
    floor.halt()
    floor.canceled(side(floor, both, Side.BUY))
    floor.canceled(side(floor, both, Side.SELL))
    assert (both.phase, both.text) == (BothPhase.DONE, "could not flatten: halted")


def test_an_alarm_of_what_is_done_changes_nothing() -> None:
    floor = Floor().open()
    both = open_both(floor, refreshes=5)
    floor.cancel(both.both_id)
    floor.canceled(side(floor, both, Side.BUY))
    floor.canceled(side(floor, both, Side.SELL))
    assert both.phase is BothPhase.DONE
    assert but_audits(floor.pass_time(60 * SECOND)) == []
    floor = pair_floor()
    pair = open_pair(floor, slices=1)
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.fill(side(floor, pair, Side.SELL), 10)
    assert but_audits(floor.pass_time(60 * SECOND)) == []


def test_a_cancel_of_what_is_being_canceled_changes_nothing() -> None:
    floor = Floor().open()
    both = open_both(floor)
    floor.cancel(both.both_id)
    floor.cancel(both.both_id)
    floor.cancel(None)
    assert both.phase is BothPhase.CANCELING


@pytest.mark.parametrize("phase", list(BothPhase))
def test_a_quote_survives_a_restart_in_every_phase(phase: BothPhase) -> None:
    """F19 I2."""
    floor = Floor().open()
    both = open_both(floor, exit_rule=ExitRule.FLATTEN)
    buy, sell = side(floor, both, Side.BUY), side(floor, both, Side.SELL)
    floor.fill(buy, 7)
    floor.accept(sell)
    if phase is not BothPhase.QUOTING:
        floor.cancel(both.both_id)
    if phase in (BothPhase.FLATTENING, BothPhase.DONE):
        floor.canceled(buy)
        floor.canceled(sell)
    if phase is BothPhase.DONE:
        for sent in floor.sent(link.Release):
            floor.fill(floor.state.attempts[sent.order.client_order_id], sent.order.quantity)
    assert both.phase is phase
    floor.restart()
    for hand in floor.all_hands():
        hand.seen = dict.fromkeys(floor.state.attempts, link.Progress.SENT)
        hand.join(ready=True)
        hand.ready()
    floor.cancel(None)
    for one in floor.attempts():
        if not one.is_final:
            floor.canceled(one)
    assert both.phase in (BothPhase.DONE, BothPhase.FLATTENING)
    floor.pass_time(SECOND)
    for one in floor.attempts():
        if not one.is_final:
            floor.fill(one, one.order.quantity)
    assert both.phase is BothPhase.DONE
    floor.replay()


# -- pairs on two markets


def ask_pair(floor: Floor, **changes: object) -> Answer:
    fields: dict[str, object] = {
        "buy_symbol": "T",
        "sell_symbol": "T",
        "buy_price": Ticks(1_000),
        "sell_price": Ticks(1_000),
        "slice_quantity": Lots(10),
        "slices": 2,
        "buy_slots": slots("x1"),
        "sell_slots": slots("y1"),
    }
    return floor.ask(PlacePair(**(fields | changes)))  # type: ignore[arg-type]


def pair_floor(**settings: object) -> Floor:
    return Floor(two_markets(**settings)).open()


def open_pair(floor: Floor, **changes: object) -> Pair:
    answer = ask_pair(floor, **changes)
    assert isinstance(answer, Taken), answer
    found = floor.state.pairs[answer.order_id]
    assert isinstance(found, Pair)
    return found


def test_a_pair_goes_slice_by_slice_on_both_legs() -> None:
    """A11 F21: slice two waits until slice one is final on both."""
    floor = pair_floor()
    pair = open_pair(floor)
    assert len(floor.sent(link.Release)) == 2
    floor.fill(side(floor, pair, Side.BUY), 10)
    assert floor.sent(link.Release) == []
    floor.fill(side(floor, pair, Side.SELL), 10)
    assert len(floor.sent(link.Release)) == 2
    assert pair.slices == 2
    floor.fill(side(floor, pair, Side.SELL), 10)
    floor.fill(side(floor, pair, Side.BUY), 10)
    assert (pair.phase, pair.bought, pair.sold) == (PairPhase.DONE, 20, 20)
    floor.replay()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"slices": 0}, "0 slices of 10"),
        ({"slice_quantity": Lots(0)}, "2 slices of 0"),
        ({"slice_ns": 0}, "times 0 and"),
        ({"policy_ns": TIMES_NS_MAX + 1}, "are not within"),
        ({"buy_slots": ()}, "a pair names the slots"),
        ({"sell_slots": ()}, "a pair names the slots"),
        ({"sell_slots": slots("x1", "y1")}, "a slot cannot be on both legs"),
        ({"sell_slots": slots("x2")}, "both legs trade in mx:T"),
    ],
)
def test_a_pair_that_cannot_be_is_refused(change: dict[str, object], text: str) -> None:
    floor = pair_floor()
    refused = floor.refusal(ask_pair(floor, **change))
    assert (refused.reason, text in refused.text) == ("bad_order", True), refused.text


def test_legs_in_different_lots_could_not_be_made_equal() -> None:
    floor = pair_floor(instruments=(instrument("T", X, "mx"), instrument("T", Y, "my", lot="10")))
    assert "lots of 1 and 10" in floor.refusal(ask_pair(floor)).text


@pytest.mark.parametrize(
    "change", [{"buy_slots": slots("?")}, {"buy_symbol": "?"}, {"sell_symbol": "?"}]
)
def test_a_pair_with_a_leg_that_cannot_be_opened_leaves_nothing_at_a_venue(
    change: dict[str, object],
) -> None:
    """refused as a whole."""
    floor = pair_floor()
    assert isinstance(ask_pair(floor, **change), Refused)
    assert floor.sent(link.Release) == []
    assert all(one.phase is PairPhase.DONE for one in floor.state.pairs.values())


def test_a_later_slice_that_is_refused_ends_the_pair_even() -> None:
    """F21."""
    floor = pair_floor()
    pair = open_pair(floor)
    floor.sell(990, 1_001, slots=("y1",))
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.fill(side(floor, pair, Side.SELL), 10)
    assert floor.sent(link.Release) == []
    assert (pair.phase, pair.bought, pair.sold) == (PairPhase.DONE, 10, 10)
    assert pair.text.startswith("sell leg refused: Y1 sells 10")


def half_done(policy: LegPolicy, **changes: object) -> tuple[Floor, Pair]:
    """Return a pair whose buy leg is filled and whose sell leg was refused after its slice."""
    floor = pair_floor()
    pair = open_pair(floor, policy=policy, **changes)
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.accept(side(floor, pair, Side.SELL))
    floor.pass_time(5 * SECOND)
    return floor, pair


def test_a_slice_that_takes_too_long_is_canceled() -> None:
    floor, pair = half_done(LegPolicy.HEDGE)
    assert side(floor, pair, Side.SELL).cancel_wanted


def test_a_leg_that_is_unknown_is_never_hedged() -> None:
    """F21."""
    floor = pair_floor()
    pair = open_pair(floor)
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.timed_out(side(floor, pair, Side.SELL))
    floor.at("y1").die()
    floor.pass_time(60 * SECOND)
    assert (pair.phase, len(pair.parts)) == (PairPhase.SLICING, 2)


def test_hedging_trades_the_missing_leg_at_the_market() -> None:
    """F21."""
    floor, pair = half_done(LegPolicy.HEDGE)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    (sent,) = floor.sent(link.Release)
    assert (sent.account_id, sent.order.side, sent.order.quantity) == ("Y1", Side.SELL, 10)
    assert sent.order.limit_price is None
    assert pair.phase is PairPhase.REPAIRING
    floor.fill(side(floor, pair, Side.SELL), 10)
    assert (pair.phase, pair.slices) == (PairPhase.SLICING, 2)
    assert floor.counted("legs_hedged") == 1


def test_unwinding_trades_the_surplus_leg_back() -> None:
    """F21."""
    floor, pair = half_done(LegPolicy.UNWIND)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    (sent,) = floor.sent(link.Release)
    assert (sent.account_id, sent.order.side, sent.order.quantity) == ("X1", Side.SELL, 10)
    assert floor.counted("legs_unwound") == 1


def test_a_missing_purchase_is_hedged_by_buying() -> None:
    floor = pair_floor()
    pair = open_pair(floor)
    floor.fill(side(floor, pair, Side.SELL), 10)
    floor.expired(side(floor, pair, Side.BUY), 4)
    floor.fill(side(floor, pair, Side.BUY), 4)
    (sent,) = floor.sent(link.Release)
    assert (sent.account_id, sent.order.side, sent.order.quantity) == ("X1", Side.BUY, 6)


def test_halting_leaves_it_to_a_person() -> None:
    """F21."""
    floor, pair = half_done(LegPolicy.HALT)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    assert (pair.phase, pair.text) == (PairPhase.HALTED, "bought 10, sold 0")
    floor.cancel(pair.pair_id)
    floor.cancel(None)
    assert pair.phase is PairPhase.HALTED


def test_a_repair_that_brings_nothing_is_tried_so_often() -> None:
    """I2."""
    floor, pair = half_done(LegPolicy.HEDGE)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    for _ in range(3):
        assert pair.phase is PairPhase.REPAIRING
        floor.canceled(side(floor, pair, Side.SELL), 0)
    assert (pair.phase, pair.text) == (PairPhase.HALTED, "bought 10, sold 0")


def test_a_repair_that_takes_too_long_is_canceled() -> None:
    floor, pair = half_done(LegPolicy.HEDGE, policy_ns=7 * SECOND)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    repair = side(floor, pair, Side.SELL)
    floor.accept(repair)
    floor.pass_time(7 * SECOND)
    assert repair.cancel_wanted


def test_a_repair_that_is_refused_halts_the_pair() -> None:
    floor, pair = half_done(LegPolicy.HEDGE)
    floor.halt()
    floor.canceled(side(floor, pair, Side.SELL), 0)
    assert (pair.phase, pair.text) == (PairPhase.HALTED, "bought 10, sold 0; halted")


def test_a_canceled_pair_ends_even_at_once() -> None:
    """cancel leaves nothing open."""
    floor = pair_floor()
    pair = open_pair(floor)
    floor.cancel(pair.pair_id)
    assert len(floor.sent(link.Withdraw)) == 2
    floor.canceled(side(floor, pair, Side.BUY), 0)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    assert (pair.phase, pair.bought, pair.sold) == (PairPhase.DONE, 0, 0)
    assert all(one.phase is ParentPhase.DONE for one in floor.state.parents.values())


def test_a_canceled_pair_that_is_uneven_is_made_even_and_that_is_not_canceled() -> None:
    """F21: a difference between its legs still goes to the policy."""
    floor = pair_floor()
    pair = open_pair(floor)
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.cancel(pair.pair_id)
    floor.canceled(side(floor, pair, Side.SELL), 0)
    repair = side(floor, pair, Side.SELL)
    floor.accept(repair)
    floor.pass_time(6 * SECOND)  # the alarm of its slice rings
    floor.cancel(pair.pair_id)
    assert not repair.cancel_wanted
    floor.fill(repair, 10)
    assert (pair.phase, pair.bought, pair.sold) == (PairPhase.DONE, 10, 10)


@pytest.mark.parametrize("phase", list(PairPhase))
@pytest.mark.parametrize("fence_class", list(FenceClass))
def test_a_pair_survives_a_restart_in_every_phase(
    phase: PairPhase, fence_class: FenceClass
) -> None:
    """F19 I2."""
    floor = pair_floor(fence_class=fence_class)
    policy = LegPolicy.HALT if phase is PairPhase.HALTED else LegPolicy.HEDGE
    pair = open_pair(floor, policy=policy, slices=1)
    if phase is PairPhase.DONE:
        floor.fill(side(floor, pair, Side.BUY), 10)
        floor.fill(side(floor, pair, Side.SELL), 10)
    elif phase is not PairPhase.SLICING:
        floor.fill(side(floor, pair, Side.BUY), 10)
        floor.expired(side(floor, pair, Side.SELL), 0)
    assert pair.phase is phase
    floor.restart()
    for hand in floor.all_hands():
        hand.seen = dict.fromkeys(floor.state.attempts, link.Progress.SENT)
        hand.join(ready=True)
        hand.ready()
    for one in floor.attempts():
        if not one.is_final:
            floor.fill(one, one.order.quantity)
    assert pair.phase in (PairPhase.DONE, PairPhase.HALTED)
    floor.replay()


def test_an_account_that_may_go_short_hedges_without_anything_to_weigh() -> None:
    """F21: what is weighed is what it holds, and it holds nothing."""
    floor = pair_floor(may_short=True)
    floor.sell(1_000, slots=("y1",))
    pair = open_pair(floor)
    floor.fill(side(floor, pair, Side.BUY), 10)
    floor.expired(side(floor, pair, Side.SELL), 0)
    assert [one.account_id for one in floor.sent(link.Release)] == ["Y1"]


def test_done_quotes_and_pairs_are_forgotten_in_time() -> None:
    """State is bounded."""
    floor = pair_floor(finished_max=2)
    for _ in range(4):
        pair = open_pair(floor, slices=1)
        floor.fill(side(floor, pair, Side.BUY), 10)
        floor.fill(side(floor, pair, Side.SELL), 10)
        both = open_both(floor, slots=slots("x1"))
        floor.cancel(both.both_id)
        for which in Side:
            floor.rejected(side(floor, both, which), RejectCode.CLOSED)
    assert len(floor.state.pairs) == len(floor.state.boths) == 2
    floor.replay()
