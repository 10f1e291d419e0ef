"""Quoting both sides of one instrument."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.algos import make_market
from tandem.core.trading.algos.memos import MakeMarketMemo
from tandem.core.trading.algos.sight import PartSeen, Slice, Step
from tandem.core.trading.state import Algo, AlgoPhase, Attempt, Phase
from tandem.domain.algos import Leaving, MakeMarket
from tandem.domain.commands import Done, PauseOrder, PlaceAlgo, ReplaceOrder, ResumeOrder, Taken
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.order import Side
from tests.unit.core.trading.algos.test_driver import out, phase
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.algos.test_stop import spec as stop_spec
from tests.unit.core.trading.algos.test_stop import trade_at
from tests.unit.core.trading.desk_driver import SECOND, Floor


def spec(**changes: Any) -> MakeMarket:
    fields: dict[str, Any] = {
        "symbol": "T",
        "quantity": Lots(4),
        "half_spread": Ticks(5),
        "skew": 2,
        "inventory_limit": Lots(10),
        "tolerance": Ticks(2),
        "refresh_ns": SECOND,
        "duration_ns": 60 * SECOND,
    }
    return MakeMarket(**(fields | changes))


def look(one: MakeMarket, memo: MakeMarketMemo, **changes: Any) -> Step:
    return make_market.step(one, memo, sight(**({"bid": 999, "ask": 1_001} | changes)))


def prices(step: Step) -> dict[Side, int | None]:
    return {one.side: one.limit_price for one in step.place}


def resting(*slices: Slice, is_ending: bool = False) -> tuple[PartSeen, ...]:
    """Return what a sight shows once these have been placed and nothing of them has traded."""
    return tuple(
        PartSeen(
            one.role,
            ParentId(f"d-{one.role}"),
            one.side,
            one.quantity,
            one.limit_price,
            0,
            is_ending=is_ending,
        )
        for one in slices
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"inventory_limit": Lots(3)}, "inventory limit"),
        ({"half_spread": Ticks(0)}, "half spread"),
        ({"skew": -1}, "skew"),
        ({"tolerance": Ticks(0)}, "tolerance"),
        ({"tolerance": Ticks(11)}, "the spread, 10"),
        ({"refresh_ns": 0}, "refresh"),
        ({"refresh_ns": 61 * SECOND}, "in that order"),
    ],
)
def test_quoting_that_cannot_be_is_refused_in_words(changes: dict[str, Any], word: str) -> None:
    text = make_market.objection(spec(**changes))
    assert text is not None
    assert word in text
    assert make_market.objection(spec()) is None


def test_both_sides_are_quoted_around_the_middle_and_wait_for_others() -> None:
    """B37."""
    step = look(spec(), MakeMarketMemo())
    assert prices(step) == {Side.BUY: 995, Side.SELL: 1_005}
    assert all(one.post_only and one.quantity == 4 for one in step.place)
    assert step.wake_market_ns == SECOND
    odd = look(spec(), MakeMarketMemo(), ask=1_002)
    assert prices(odd) == {Side.BUY: 995, Side.SELL: 1_006}


def test_an_inventory_moves_both_prices_against_itself() -> None:
    """C3."""
    assert prices(look(spec(), MakeMarketMemo(), bought=4)) == {Side.BUY: 993, Side.SELL: 1_003}
    assert prices(look(spec(), MakeMarketMemo(), sold=8)) == {Side.BUY: 999, Side.SELL: 1_009}


def test_however_far_they_are_moved_they_take_nothing() -> None:
    step = look(spec(skew=100), MakeMarketMemo(), bought=4)
    assert prices(step) == {Side.BUY: 895, Side.SELL: 1_000}
    step = look(spec(skew=100), MakeMarketMemo(), sold=4)
    assert prices(step) == {Side.BUY: 1_000, Side.SELL: 1_105}


def test_what_is_quoted_is_at_most_what_the_limit_leaves() -> None:
    """C3, I19."""
    step = look(spec(), MakeMarketMemo(), bought=8)
    assert {one.side: one.quantity for one in step.place} == {Side.BUY: 2, Side.SELL: 4}
    assert list(prices(look(spec(), MakeMarketMemo(), bought=10))) == [Side.SELL]


def test_a_price_of_nothing_is_not_quoted() -> None:
    step = look(spec(half_spread=Ticks(50), tolerance=Ticks(1)), MakeMarketMemo(), bid=9, ask=11)
    assert list(prices(step)) == [Side.SELL]


@pytest.mark.parametrize("market", [{"bid": None}, {"ask": None}, {"bid": 1_001}, {"bid": 1_002}])
def test_without_a_market_nothing_is_quoted_and_what_is_out_is_canceled(
    market: dict[str, Any],
) -> None:
    memo = MakeMarketMemo()
    assert not look(spec(), memo, **market).place
    first = look(spec(), memo)
    parts = resting(*first.place)
    assert list(look(spec(), memo, parts=parts, **market).cancel) == ["d-bid", "d-ask"]
    ending = resting(*first.place, is_ending=True)
    assert not look(spec(), memo, parts=ending, **market).cancel


def test_a_quote_stays_while_the_market_moves_less_than_the_tolerance() -> None:
    memo = MakeMarketMemo()
    parts = resting(*look(spec(), memo).place)
    near = look(spec(), memo, parts=parts, market_ns=SECOND, bid=1_000, ask=1_002)
    assert near == Step(cancel=[], place=[], wake_market_ns=60 * SECOND)
    early = look(spec(), memo, parts=parts, market_ns=SECOND - 1, bid=1_001, ask=1_003)
    assert (early.cancel, early.wake_market_ns) == ([], SECOND)
    off = look(spec(), memo, parts=parts, market_ns=SECOND, bid=1_001, ask=1_003)
    assert list(off.cancel) == ["d-bid", "d-ask"]


def test_a_side_that_traded_in_full_is_quoted_at_once_and_one_that_was_ended_later() -> None:
    memo = MakeMarketMemo()
    look(spec(), memo)
    again = look(spec(), memo, bought=4, market_ns=1)
    assert list(prices(again)) == [Side.BUY]
    later = look(spec(), memo, bought=4, market_ns=SECOND)
    assert list(prices(later)) == [Side.SELL]


def test_a_quote_that_could_meet_an_own_order_waits_until_that_has_ended() -> None:
    """C1."""
    memo = MakeMarketMemo()
    first = look(spec(), memo)
    ask = resting(first.place[1], is_ending=True)
    up = {"bid": 1_019, "ask": 1_021, "market_ns": SECOND}
    assert not look(spec(), memo, parts=ask, **up).place
    assert prices(look(spec(), memo, **up)) == {Side.BUY: 1_015, Side.SELL: 1_025}
    bid = resting(first.place[0])
    assert list(prices(look(spec(), MakeMarketMemo(buy=memo.buy), parts=bid, **up))) == [Side.SELL]


def test_alone_in_the_market_it_does_not_follow_itself() -> None:
    memo = MakeMarketMemo()
    parts = resting(*look(spec(), memo).place)
    own = {"bid": 995, "ask": 1_005, "parts": parts, "market_ns": 2 * SECOND, "bought": 4}
    assert look(spec(), memo, **own) == Step(wake_market_ns=60 * SECOND)
    assert list(look(spec(), memo, **(own | {"bid": 1_004})).cancel) == ["d-bid", "d-ask"]


def test_when_its_time_is_over_it_leaves_as_it_was_told() -> None:
    over = look(spec(), MakeMarketMemo(), market_ns=60 * SECOND)
    assert (over.is_over, over.text) == (True, "its time is over")
    ending = look(spec(), MakeMarketMemo(), bought=3, is_ending=True)
    assert [(one.side, one.quantity) for one in ending.place] == [(Side.SELL, 3)]
    assert look(spec(leaving=Leaving.KEEP), MakeMarketMemo(), bought=3, is_ending=True).is_over


@given(
    st.integers(-10, 10),
    st.integers(1, 2_000),
    st.integers(1, 50),
    st.integers(0, 100),
    st.integers(1, 30),
)
def test_the_buy_is_always_below_the_sell_and_neither_breaks_the_limit(
    held: int, bid: int, spread: int, skew: int, half: int
) -> None:
    """I4, I19."""
    one = spec(half_spread=Ticks(half), skew=skew, tolerance=Ticks(1))
    market = {"bid": bid, "ask": bid + spread, "bought": max(0, held), "sold": max(0, -held)}
    step = look(one, MakeMarketMemo(), **market)
    found = prices(step)
    for each in step.place:
        assert abs(held + each.side.sign * each.quantity) <= 10
    buy, sell = found.get(Side.BUY), found.get(Side.SELL)
    assert buy is None or 0 < buy < bid + spread
    assert sell is None or sell > bid
    assert buy is None or sell is None or buy < sell


# -- on the desk


def begin(floor: Floor, **changes: Any) -> Algo:
    answer = floor.ask(PlaceAlgo(spec=spec(**changes)))
    assert isinstance(answer, Taken), answer
    found = floor.state.algos[answer.order_id]
    assert isinstance(found, Algo)
    return found


def live(floor: Floor, algo: Algo) -> list[Attempt]:
    return [one for one in out(floor, algo) if one.phase is not Phase.PLANNED]


def test_of_each_two_accounts_one_buys_and_the_other_sells() -> None:
    """C3, A11."""
    floor = Floor().open()
    algo = begin(floor)
    assert {(one.slot_id, one.order.side) for one in out(floor, algo)} == {
        ("s1", Side.BUY),
        ("s2", Side.SELL),
        ("s3", Side.BUY),
        ("s4", Side.SELL),
    }


def test_pause_and_cancel_act_on_both_sides_as_one() -> None:
    """C3, C14."""
    floor = Floor().open()
    algo = begin(floor, leaving=Leaving.KEEP)
    first = out(floor, algo)
    assert isinstance(floor.ask(PauseOrder(order_id=algo.algo_id)), Done)
    assert all(one.cancel_wanted for one in first)
    floor.fill(first[0], 1)
    for one in first:
        floor.canceled(one)
    floor.pass_time(2 * SECOND)
    assert not out(floor, algo)
    floor.ask(ResumeOrder(order_id=algo.algo_id))
    again = out(floor, algo)
    assert {one.order.side for one in again} == set(Side)
    floor.cancel(algo.algo_id)
    assert all(one.cancel_wanted for one in again)
    for one in again:
        floor.canceled(one)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (1, 0)
    assert not floor.state.working


def test_a_quote_has_no_limit_price_to_be_replaced_and_its_size_can_be() -> None:
    floor = Floor().open()
    algo = begin(floor)
    key = algo.algo_id
    refused = floor.refusal(floor.ask(ReplaceOrder(order_id=key, limit_price=Ticks(5))))
    assert "no limit price" in refused.text
    assert isinstance(floor.ask(ReplaceOrder(order_id=key, quantity=Lots(2))), Done)
    for one in out(floor, algo):
        floor.canceled(one)
    floor.pass_time(2 * SECOND)
    assert sum(one.order.quantity for one in out(floor, algo)) == 4


def test_an_inventory_goes_back_to_the_market_in_the_end() -> None:
    floor = Floor().open()
    algo = begin(floor)
    bought = [one for one in out(floor, algo) if one.order.side is Side.BUY]
    for one in bought:
        floor.fill(one, one.order.quantity)
    floor.cancel(algo.algo_id)
    for one in live(floor, algo):
        floor.canceled(one)
    assert {each.order.side for each in out(floor, algo)} == {Side.SELL}
    for each in out(floor, algo):
        floor.fill(each, each.order.quantity)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (4, 4)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["fill"] * 4 + ["end"] * 3 + ["market"] * 2 + ["time", "restart", "pause", "resume"]
        ),
        st.integers(0, 30),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_the_inventory_never_exceeds_its_limit_even_if_everything_out_trades(
    acts: list[tuple[str, int]],
) -> None:
    """C3, I19, C1: the desk's own proofs see that no own order can meet another."""
    floor = Floor().open()
    algo = begin(floor, inventory_limit=Lots(6))
    for what, number in acts:
        _act(floor, algo, what, number)
        held = {Side.BUY: 0, Side.SELL: 0}
        worst = {Side.BUY: 0, Side.SELL: 0}
        for one in floor.attempts():
            side, order = one.order.side, one.order
            held[side] += one.cum_quantity
            worst[side] += one.cum_quantity if one.is_final else order.quantity
        assert worst[Side.BUY] - held[Side.SELL] <= 6
        assert worst[Side.SELL] - held[Side.BUY] <= 6


def _act(floor: Floor, algo: Algo, what: str, number: int) -> None:
    found = live(floor, algo)
    if what == "market":
        trade_at(floor, 950 + 5 * (number % 20))
    elif what == "time":
        floor.pass_time((1 + number) * SECOND // 4)
    elif what == "restart":
        floor.restart()
        for hand in floor.all_hands():
            hand.join(ready=True)
            hand.clock(floor.offset_ns)
        for one in found:
            floor.accept(one)
    elif what in ("pause", "resume"):
        key = algo.algo_id
        floor.ask(PauseOrder(order_id=key) if what == "pause" else ResumeOrder(order_id=key))
    elif found:
        one = found[number % len(found)]
        if what == "fill":
            floor.fill(one, 1 + number % (one.order.quantity - one.cum_quantity))
        elif one.cancel_wanted:
            floor.canceled(one)


def test_what_was_canceled_to_make_way_comes_back_only_afterwards() -> None:
    """C1: a stop is not kept from the market by quotes that return at once."""
    floor = Floor().open()
    resting = floor.attempts(floor.buy(4, 940))
    algo = begin(floor)
    floor.pass_time(3 * SECOND)
    quotes = out(floor, algo)
    seller = floor.ask(PlaceAlgo(spec=stop_spec(quantity=Lots(4), stop_price=Ticks(1_000))))
    assert isinstance(seller, Taken)
    trade_at(floor, 1_000)
    buys = [one for one in quotes if one.order.side is Side.BUY]
    assert all(one.cancel_wanted for one in buys)
    for one in buys:
        floor.canceled(one)
    for one in resting:
        floor.canceled(one)
    stops = out(floor, floor.state.algos[seller.order_id])
    assert sum(one.order.quantity for one in stops) == 4
    for one in stops:
        floor.fill(one, one.order.quantity)
    floor.pass_time(SECOND)
    assert {one.order.side for one in out(floor, algo)} == set(Side)
