"""Brackets: an entry, a target and a stop."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.algos import bracket
from tandem.core.trading.algos.memos import BracketMemo
from tandem.core.trading.algos.sight import LEFT, PartSeen, Step
from tandem.core.trading.algos.watching import DOUBT_NS
from tandem.core.trading.showing_algos import algo_view
from tandem.core.trading.state import Algo, AlgoPhase, Attempt, Phase
from tandem.domain.algos import Bracket
from tandem.domain.commands import (
    PauseOrder,
    PlaceAlgo,
    ReplaceOrder,
    ResumeOrder,
    Taken,
)
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.order import OrderType, Side, TimeInForce
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.algos.test_driver import fill_all, out, phase
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.algos.test_stop import trade_at
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of


def spec(**changes: Any) -> Bracket:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.BUY,
        "quantity": Lots(10),
        "limit_price": Ticks(1_000),
        "target_price": Ticks(1_050),
        "stop_price": Ticks(950),
    }
    return Bracket(**(fields | changes))


def part(role: str, quantity: int = 10, *, is_ending: bool = False) -> PartSeen:
    side = Side.BUY if role == "entry" else Side.SELL
    return PartSeen(role, ParentId(f"d-{role}"), side, quantity, None, 0, is_ending=is_ending)


def look(one: Bracket, memo: BracketMemo, last: int = 1_000, **changes: Any) -> Step:
    return bracket.step(one, memo, sight(last=Ticks(last), **changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"target_price": Ticks(1_000)}, "below"),
        ({"stop_price": Ticks(1_000)}, "below"),
        ({"limit_price": None, "target_price": Ticks(950)}, "stop 950, target 950"),
        ({"side": Side.SELL}, "above"),
        ({"stop_price": Ticks(0)}, "prices 0"),
        ({"stop_price": None, "target_price": None}, "a stop, a target or both"),
        ({"stop_price": None, "target_price": Ticks(1_000)}, "below"),
        ({"target_price": None, "stop_price": Ticks(1_000)}, "below"),
        ({"target_price": Ticks(2**54)}, "within"),
        ({"entry_ns": 0}, "entry time"),
    ],
)
def test_a_bracket_that_cannot_be_is_refused_in_words(changes: dict[str, Any], word: str) -> None:
    text = bracket.objection(spec(**changes))
    assert text is not None
    assert word in text


def test_a_bracket_has_its_prices_in_order() -> None:
    assert bracket.objection(spec()) is None
    assert bracket.objection(spec(limit_price=None, entry_ns=1)) is None
    turned = spec(side=Side.SELL, target_price=Ticks(950), stop_price=Ticks(1_050))
    assert bracket.objection(turned) is None


def test_it_enters_at_its_limit_or_at_the_market() -> None:
    (limit,) = look(spec(), BracketMemo()).place
    assert (limit.role, limit.quantity, limit.limit_price) == ("entry", 10, 1_000)
    assert limit.time_in_force is TimeInForce.GOOD_TILL_CANCEL
    (market,) = look(spec(limit_price=None), BracketMemo()).place
    assert market.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL


def test_each_quantity_that_the_entry_trades_gets_a_target_of_its_own() -> None:
    """C4."""
    first = look(spec(), BracketMemo(), bought=3, open_buys=7, parts=(part("entry"),))
    assert [(one.role, one.quantity, one.limit_price) for one in first.place] == [
        ("target", 3, 1_050)
    ]
    parts = (part("entry"), part("target", 3))
    again = look(spec(), BracketMemo(), bought=5, open_buys=5, open_sells=3, parts=parts)
    assert [one.quantity for one in again.place] == [2]


def test_a_target_waits_until_an_entry_at_the_market_has_ended() -> None:
    one = spec(limit_price=None)
    assert not look(one, BracketMemo(), bought=3, open_buys=7, parts=(part("entry"),)).place
    rest = look(one, BracketMemo(), bought=3)
    assert [one.role for one in rest.place] == ["entry"]


def test_the_stop_waits_until_every_target_has_ended() -> None:
    """C3: so the exits together never trade more than the entry."""
    memo = BracketMemo()
    parts = (part("entry", 2), part("target", 8))
    hit = look(spec(), memo, 950, bought=8, open_buys=2, open_sells=8, parts=parts)
    assert list(hit.cancel) == ["d-entry", "d-target"]
    assert not hit.place
    ending = (part("target", 8, is_ending=True),)
    waits = look(spec(), memo, 2_000, bought=9, open_sells=8, parts=ending)
    assert (waits.cancel, waits.place) == ([], ())
    (sent,) = look(spec(), memo, 2_000, bought=9, sold=3).place
    assert (sent.role, sent.quantity, sent.limit_price) == ("stop", 6, None)
    assert sent.cancels_own
    assert not look(spec(), memo, bought=9, sold=3, open_sells=6, parts=(part("stop", 6),)).place


def test_nothing_held_is_not_stopped() -> None:
    memo = BracketMemo()
    look(spec(), memo, 950, parts=(part("entry"),), open_buys=10)
    assert memo.hit_at_ns is None


def test_a_bad_print_stops_nothing() -> None:
    """A49."""
    memo = BracketMemo()
    market = {"bid": None, "collar_ppm": 100_000, "bought": 10}
    look(spec(), memo, 1_000, **market)
    doubted = look(spec(), memo, 500, **market)
    assert doubted.wake_market_ns == DOUBT_NS
    assert memo.hit_at_ns is None


def test_an_entry_that_is_late_is_canceled_and_what_it_traded_is_kept_protected() -> None:
    memo = BracketMemo()
    one = spec(entry_ns=100)
    early = look(one, memo, market_ns=99, bought=4, open_buys=6, parts=(part("entry"),))
    assert (early.cancel, early.wake_market_ns) == ([], 100)
    late = look(one, memo, market_ns=100, bought=4, open_buys=6, parts=(part("entry"),))
    assert list(late.cancel) == ["d-entry"]
    assert [one.role for one in late.place] == ["target"]
    assert late.wake_market_ns is None


def test_a_target_that_is_done_ends_the_rest_of_the_entry() -> None:
    memo = BracketMemo()
    done = look(spec(), memo, bought=4, sold=4, open_buys=6, parts=(part("entry"),))
    assert list(done.cancel) == ["d-entry"]
    over = look(spec(), memo, bought=4, sold=4)
    assert (over.is_over, over.text) == (True, "its target was reached")


def test_it_says_how_it_ended() -> None:
    memo = BracketMemo()
    assert (
        look(spec(limit_price=None), memo, market_ns=10 * SECOND).text == "its entry did not trade"
    )
    hit = BracketMemo(hit_at_ns=1)
    assert look(spec(), hit, bought=4, sold=4).text == "its stop was hit"
    ending = look(spec(), BracketMemo(), bought=4, sold=1, is_ending=True)
    assert (ending.is_over, ending.text, ending.left) == (True, f"{LEFT} is left, with no exit", 3)
    assert look(spec(), hit, is_ending=True).text == ""


# -- on the desk


def begin(floor: Floor, **changes: Any) -> Algo:
    answer = floor.ask(PlaceAlgo(spec=spec(**changes)))
    assert isinstance(answer, Taken), answer
    found = floor.state.algos[answer.order_id]
    assert isinstance(found, Algo)
    return found


def entered(floor: Floor, **changes: Any) -> Algo:
    algo = begin(floor, **changes)
    assert fill_all(floor, algo) == 10
    return algo


def test_a_target_that_trades_ends_the_bracket() -> None:
    """C3, A11."""
    floor = Floor().open()
    algo = entered(floor)
    targets = out(floor, algo)
    assert {(one.order.side, one.order.limit_price) for one in targets} == {(Side.SELL, 1_050)}
    fill_all(floor, algo)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold, algo.text) == (10, 10, "its target was reached")


def test_a_stop_that_is_hit_sells_what_the_target_left() -> None:
    """C3."""
    floor = Floor().open()
    algo = entered(floor)
    targets = out(floor, algo)
    for one in targets:
        floor.accept(one)
    floor.fill(targets[0], 1)
    trade_at(floor, 940)
    assert all(one.cancel_wanted for one in out(floor, algo))
    for one in targets[1:-1]:
        floor.canceled(one)
        assert not [late for late in out(floor, algo) if late not in targets]
    floor.fill(targets[-1], 1)
    floor.canceled(targets[-1])
    stops = out(floor, algo)
    assert {one.order.order_type for one in stops} == {OrderType.MARKET}
    assert sum(one.order.quantity for one in stops) == 8
    fill_all(floor, algo)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.sold, algo.text) == (10, "its stop was hit")


def test_a_stop_that_found_nobody_is_sent_again() -> None:
    floor = Floor().open()
    algo = entered(floor)
    trade_at(floor, 940)
    for one in out(floor, algo):
        floor.canceled(one)
    for one in out(floor, algo):
        floor.fill(one, 1)
        floor.expired(one)
    left = sum(one.order.quantity for one in out(floor, algo))
    assert 0 < left < 10
    fill_all(floor, algo)
    assert algo.sold == 10


def test_what_the_entry_traded_after_its_cancel_is_sold_as_well() -> None:
    """C4."""
    floor = Floor().open()
    algo = begin(floor)
    entry = out(floor, algo)
    for one in entry:
        floor.accept(one)
    floor.fill(entry[0], 1)
    trade_at(floor, 940)
    for one in out(floor, algo):
        if one not in entry:
            floor.canceled(one)
    floor.fill(entry[1], 2)
    for one in entry:
        floor.canceled(one)
    while out(floor, algo):
        fill_all(floor, algo)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (3, 3)


def test_a_canceled_bracket_leaves_what_it_holds_and_says_so() -> None:
    """C3, C14."""
    floor = Floor().open()
    algo = entered(floor)
    floor.cancel(algo.algo_id)
    for one in out(floor, algo):
        floor.canceled(one)
    assert phase(algo) is AlgoPhase.DONE
    assert algo.text == "10 is left, with no exit"
    assert not floor.state.working


def test_a_replaced_entry_is_sent_anew_at_the_new_price() -> None:
    floor = Floor().open()
    algo = begin(floor)
    floor.ask(ReplaceOrder(order_id=algo.algo_id, limit_price=Ticks(1_001)))
    for one in out(floor, algo):
        floor.canceled(one)
    assert {one.order.limit_price for one in out(floor, algo)} == {1_001}


def test_a_short_bracket_is_the_mirror_image() -> None:
    floor = Floor(settings_of(may_short=True)).open()
    algo = entered(floor, side=Side.SELL, target_price=Ticks(950), stop_price=Ticks(1_050))
    trade_at(floor, 1_060)
    for one in out(floor, algo):
        floor.canceled(one)
    fill_all(floor, algo)
    assert (algo.sold, algo.bought, algo.text) == (10, 10, "its stop was hit")


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["fill"] * 3
            + ["end", "market"] * 2
            + ["refuse", "time", "restart"]
            + ["pause", "resume", "cancel"]
        ),
        st.integers(0, 30),
    ),
    max_size=25,
)


class Venue:
    """Does what a list of acts says, as a venue and a trader would."""

    def __init__(self, floor: Floor, algo: Algo) -> None:
        self.floor = floor
        self.algo = algo

    def act(self, what: str, number: int) -> None:
        floor, key = self.floor, self.algo.algo_id
        live = self._live()
        if what == "market":
            trade_at(floor, 930 + 10 * (number % 14))
        elif what == "time":
            floor.pass_time((1 + number) * SECOND // 4)
        elif what == "restart":
            self._restart(live)
        elif what in ("pause", "resume"):
            floor.ask(PauseOrder(order_id=key) if what == "pause" else ResumeOrder(order_id=key))
        elif what == "cancel":
            if number < 5:
                floor.cancel(key)
        elif live:
            self._report(what, live[number % len(live)], number)
        self.check()

    def _live(self) -> list[Attempt]:
        return [one for one in out(self.floor, self.algo) if one.phase is not Phase.PLANNED]

    def _restart(self, live: list[Attempt]) -> None:
        self.floor.restart()
        for hand in self.floor.all_hands():
            hand.join(ready=True)
            hand.clock(self.floor.offset_ns)
        for one in live:
            self.floor.accept(one)

    def _report(self, what: str, one: Attempt, number: int) -> None:
        if what == "fill":
            self.floor.fill(one, 1 + number % (one.order.quantity - one.cum_quantity))
        elif what == "refuse" and not one.cum_quantity:
            self.floor.rejected(one, RejectCode.FUNDS)
        elif one.cancel_wanted or one.order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            self.floor.canceled(one)

    def check(self) -> None:
        filled = {Side.BUY: 0, Side.SELL: 0}
        asked = {Side.BUY: 0, Side.SELL: 0}
        for one in self.floor.attempts():
            filled[one.order.side] += one.cum_quantity
            asked[one.order.side] += one.cum_quantity if one.is_final else one.order.quantity
        assert asked[Side.SELL] <= filled[Side.BUY] <= asked[Side.BUY] <= 10

    def finish(self) -> None:
        """Let everything that is out trade or end, until nothing is."""
        self.floor.ask(ResumeOrder(order_id=self.algo.algo_id))
        for _ in range(30):
            for one in self._live():
                if one.order.limit_price is None:
                    self.floor.fill(one, one.order.quantity - one.cum_quantity)
                elif one.cancel_wanted:
                    self.floor.canceled(one)
                self.check()
            self.floor.pass_time(SECOND)
            trade_at(self.floor, 930)


@settings(max_examples=100, deadline=None)
@given(ACTS, st.booleans())
def test_exits_never_exceed_the_entry_and_a_stop_leaves_nothing(
    acts: list[tuple[str, int]], is_market: bool
) -> None:
    """C3, C4, I1: whatever fills, cancels, refusals, pauses and restarts come, in any order."""
    floor = Floor(is_checked=False).open()
    algo = begin(floor, limit_price=None if is_market else Ticks(1_000))
    venue = Venue(floor, algo)
    for what, number in acts:
        venue.act(what, number)
    venue.finish()
    is_canceled = "no exit" in algo.text
    if phase(algo) is AlgoPhase.DONE:
        assert not floor.state.working
        assert is_canceled or algo.bought == algo.sold
    else:
        assert algo.bought == algo.sold == 0  # a limit entry that waits for ever


def test_without_a_target_only_the_stop_ends_it_and_without_a_stop_only_the_target() -> None:
    """B35."""
    floor = Floor(settings_of(slots=2, may_short=True)).open()
    floor.ask(PlaceAlgo(spec=spec(target_price=None, slots=("s1",))))
    floor.ask(PlaceAlgo(spec=spec(stop_price=None, slots=("s2",))))
    first, second = floor.state.algos.values()
    fill_all(floor, first)
    fill_all(floor, second)
    assert out(floor, first) == []
    (target,) = out(floor, second)
    assert (target.slot_id, target.order.limit_price) == ("s2", 1_050)
    views = [algo_view(floor.state, floor.desk.rules, one) for one in (first, second)]
    assert ["held here" in view.text for view in views] == [True, False]
    trade_at(floor, 940)
    assert [one.slot_id for one in out(floor, first)] == ["s1"]
    fill_all(floor, first)
    fill_all(floor, second)
    assert (first.phase, second.phase) == (AlgoPhase.DONE, AlgoPhase.DONE)
