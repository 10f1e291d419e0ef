"""What decisions become: each counts once, none over a newer one; stops; times to be flat."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.domain.commands import Assign, SaveStrategy, SetTargets, TargetsTaken
from tandem.domain.control import AskDropped
from tandem.domain.desk import QuotesSeen
from tandem.domain.ids import InstrumentId, Lots, SlotId, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import (
    PercentOfEquity,
    Target,
    VolatilityTarget,
    WantedOrder,
)
from tandem.domain.strategy_views import DroppedView
from tandem.domain.venue import Quote
from tests.unit.core.trading.desk_driver import SECOND, settings_of
from tests.unit.core.trading.strategy_floor import (
    CROSS,
    LIMITS,
    MINUTE,
    StrategyFloor,
    assignment,
    strategy_floor,
)

DAY = 86_400 * SECOND


def long(**changes: Any) -> StrategyFloor:
    """Return a floor where `a` holds its 10 lots, a minute later."""
    floor = strategy_floor()
    floor.assign(**changes)
    floor.set(position=1)
    floor.fill_all()
    floor.pass_time(MINUTE)
    floor.quote()
    return floor


def test_a_decision_is_carried_out_once_on_every_account() -> None:
    """B20 B23."""
    floor = strategy_floor()
    floor.assign(slots=())
    answer = floor.set(position=0.55)
    assert answer == TargetsTaken(taken=1)
    assert floor.sizes() == [5, 5]
    assert floor.said("a") == [("taken", "0.55: s1 5, s2 5")]


def test_the_same_decision_again_trades_nothing_more() -> None:
    """B22 I3."""
    floor = strategy_floor()
    floor.assign()
    target = floor.target(position=1)
    floor.ask(SetTargets(targets=(target, target)))
    floor.fill_all()
    floor.ask(SetTargets(targets=(target,)))
    assert (floor.out(), floor.held()) == ([], 10)
    assert floor.counted("targets_repeated") == 2


def test_an_older_bar_never_overrides_a_newer_one() -> None:
    """B15."""
    floor = long()
    late = floor.target(position=1, end_ns=floor.now.market_ns - 2)
    floor.set(position=0, end_ns=floor.now.market_ns - 1)
    floor.ask(SetTargets(targets=(late,)))
    assert (floor.sizes(), floor.counted("targets_overtaken")) == ([-10], 1)


def test_a_recorded_market_that_begins_anew_is_decided_on_anew() -> None:
    """B15: what was decided in another run, hours ahead, stands in nobody's way."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=0, end_ns=floor.now.market_ns + 61_000_000_000)
    floor.set(position=1, end_ns=floor.now.market_ns)
    assert (floor.sizes(), floor.counted("targets_overtaken")) == ([10], 0)


def test_an_answer_without_a_position_keeps_what_was_wanted() -> None:
    floor = long()
    floor.set()
    assert (floor.out(), floor.held()) == ([], 10)
    assert floor.assigned().end_ns == floor.now.market_ns


def test_the_same_position_keeps_its_lots_whatever_the_price_and_a_new_one_is_sized_anew() -> None:
    floor = strategy_floor()
    floor.assign(sizing=PercentOfEquity(ppm=100_000))
    floor.set(position=1)
    assert floor.sizes() == [1_000]
    floor.fill_all()
    floor.pass_time(MINUTE)
    floor.quote(1_100)
    floor.set(position=1)
    assert floor.out() == []
    floor.pass_time(MINUTE)
    floor.set(position=0.5)
    assert floor.sizes() == [-(1_000 - 459)]  # equity 100,990: half of 10,099 at 11 each


def test_short_on_a_spot_account_holds_the_quote_currency() -> None:
    """B20."""
    floor = long()
    floor.set(position=-1)
    assert floor.sizes() == [-10]
    floor.fill_all()
    assert floor.held() == 0
    assert floor.assigned().position_ppm == -1_000_000
    assert floor.state.strategies.nets == {}, "it wants nothing that the account cannot hold"


def test_short_on_a_margin_account_is_a_negative_position() -> None:
    """B20."""
    floor = strategy_floor(may_short=True)
    floor.assign(may_short=True)
    floor.set(position=-1)
    floor.fill_all()
    assert floor.held() == -10


@pytest.mark.parametrize(("late_ns", "dropped"), [(MINUTE, 0), (MINUTE + 1, 1)])
def test_a_decision_that_comes_too_late_is_dropped_and_said(late_ns: int, dropped: int) -> None:
    """A13 B25."""
    floor = strategy_floor()
    floor.assign(good_for_ns=MINUTE)
    floor.set(position=1, end_ns=floor.now.market_ns - late_ns)
    assert floor.assigned().dropped == floor.counted("targets_dropped") == dropped
    assert bool(floor.out()) is not bool(dropped)
    assert (("dropped", "it came too late") in floor.said()) is bool(dropped)


def test_the_answer_says_which_decisions_are_dropped_and_why() -> None:
    """B22 B25: too late, of before, not known, to be flat, or not to be sized."""
    floor = strategy_floor()
    floor.assign("late", good_for_ns=1)
    floor.assign("flat", flat_by_ns=0)
    floor.assign("fine")
    floor.assign("before")
    old = floor.target("before", 1)
    floor.assign("before")
    targets = (
        floor.target("late", 1, end_ns=floor.now.market_ns - 2),
        floor.target("flat", 1),
        floor.target("fine", 1),
        old,
        floor.target("nobody", 1),
    )
    answer = floor.ask(SetTargets(targets=targets))
    assert isinstance(answer, TargetsTaken)
    assert answer.taken == 1
    assert [(one.assignment_id, one.why) for one in answer.dropped] == [
        ("late", "it came too late"),
        ("flat", "flat by"),
        ("before", "of_before"),
        ("nobody", "unassigned"),
    ]
    assert answer.dropped[0].end_ns == floor.now.market_ns - 2
    floor.set("fine", position=0, end_ns=floor.now.market_ns + 1)
    floor.canceled(floor.out()[0])
    floor.pass_time(10 * MINUTE)
    unsized = floor.set("fine", position=0.5)
    assert isinstance(unsized, TargetsTaken)
    assert [one.why for one in unsized.dropped] == ["s1: no price of T is young enough"]
    assert [one.is_expired for one in answer.dropped] == [True, False, False, False]


def test_an_answer_that_wants_nothing_is_never_too_late() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(end_ns=floor.now.market_ns - DAY)
    assert floor.assigned().dropped == 0


def test_a_decision_of_what_was_assigned_before_counts_no_more() -> None:
    """B13."""
    floor = strategy_floor()
    floor.assign()
    old = floor.target(position=1)
    floor.assign(parameters={"fast": 3})
    floor.ask(SetTargets(targets=(old,)))
    assert (floor.out(), floor.counted("targets_of_before")) == ([], 1)


@pytest.mark.parametrize(
    "change",
    [
        {"begin_ns": 5, "end_ns": 5},
        {"position_ppm": 1_000_001},
        {"position_ppm": -1_000_001},
        {"stop_price": 0},
        {"target_price": 2**60},
        {"end_ns": 2**62},
    ],
)
def test_nonsense_changes_nothing(change: dict[str, Any]) -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(**change)
    assert (floor.assigned().end_ns, floor.counted("targets_garbled")) == (None, 1)


def test_a_decision_for_nobody_is_counted() -> None:
    """B21."""
    floor = strategy_floor()
    floor.set("nobody", 1)
    assert floor.counted("targets_unassigned") == 1


def test_before_the_pool_is_set_up_a_decision_is_kept_and_makes_no_order() -> None:
    """B21."""
    floor = StrategyFloor(settings_of(slots=2, limits=LIMITS))
    floor.state.strategies.texts[assignment().text_hash] = None
    floor.look_away()
    floor.assign(slots=())
    floor.set(position=1)
    assert (floor.assigned().position_ppm, floor.out()) == (1_000_000, [])


def test_of_accounts_that_nobody_drives_nothing_is_wanted() -> None:
    """B21: the pool has two workers for its four slots."""
    floor = StrategyFloor(settings_of(slots=4, limits=LIMITS))
    floor.open(workers=2)
    floor.ask(SaveStrategy(text=CROSS))
    floor.ask(Assign(assignment=assignment(slots=())))
    floor.ask(SetTargets(targets=(floor.target(position=1),)))
    active = [key for key, seat in floor.state.seats.items() if seat.active]
    assert len(active) == 2
    assert [net.slot_id for net in floor.state.strategies.nets.values()] == active


def test_what_cannot_be_sized_is_said_and_sized_with_the_next_answer() -> None:
    floor = strategy_floor()
    floor.assign(sizing=VolatilityTarget(ppm_per_day=10_000))
    floor.set(position=1)
    assert floor.said() == [("taken", "1: s1: its volatility is not known")]
    floor.pass_time(SECOND)
    floor.set(position=1, volatility_ppm=1_000_000)
    assert floor.sizes() == [100]  # 1 % of 100,000, of 10 each


def test_without_a_young_price_nothing_is_sized() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.pass_time(301 * SECOND)
    floor.set(position=1)
    assert floor.said() == [("taken", "1: s1: no price of T is young enough")]


# -- stops and targets


def quoted(floor: StrategyFloor, bid: int | None, ask: int | None) -> None:
    quote = Quote(
        instrument_id=InstrumentId("T@X"),
        bid=None if bid is None else Ticks(bid),
        ask=None if ask is None else Ticks(ask),
        last=None,
    )
    floor.on(QuotesSeen(quotes=(quote,)))


@pytest.mark.parametrize(
    ("prices", "bid", "what"),
    [
        ({"stop_price": 990}, 990, "stop"),
        ({"stop_price": 990}, 985, "stop"),
        ({"target_price": 1_010}, 1_010, "target"),
    ],
)
def test_a_stop_and_a_target_make_it_flat_once(prices: dict[str, Any], bid: int, what: str) -> None:
    """A13."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, **prices)
    floor.fill_all()
    quoted(floor, 995, 997)
    assert floor.out() == []
    quoted(floor, bid, bid + 2)
    assert floor.sizes() == [-10]
    floor.fill_all()
    quoted(floor, bid, bid + 2)
    assert (floor.out(), floor.held(), floor.counted(f"strategy_{what}s_hit")) == ([], 0, 1)
    floor.pass_time(MINUTE)
    quoted(floor, 1_000, 1_002)
    floor.set()
    assert floor.out() == [], "only an answer with a position enters again"
    floor.pass_time(MINUTE)
    quoted(floor, 1_000, 1_002)
    floor.set(position=1)
    assert floor.sizes() == [10]
    floor.replay()


def test_what_was_dropped_and_then_stopped_is_not_entered_by_being_said_again() -> None:
    """A13: its strategy has answered nothing since; the next day after "flat by" it may be."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=990)
    (attempt,) = floor.out()
    floor.accept(attempt)
    floor.fill(attempt, 4)
    floor.pass_time(MINUTE + 1)
    floor.canceled(attempt)
    assert floor.assigned().is_expired
    quoted(floor, 985, 987)
    floor.fill_all()
    assert (floor.held(), floor.out()) == (0, [])
    quoted(floor, 1_000, 1_002)
    floor.set(position=1, stop_price=990, is_again=True)
    assert (floor.out(), floor.assigned().dropped_at) == ([], 0)
    floor.pass_time(MINUTE)
    quoted(floor, 1_000, 1_002)
    floor.set(position=1, stop_price=990)
    assert floor.sizes() == [10], "that was answered since"


def test_a_position_that_was_given_up_on_one_account_is_sized_again_on_that_one() -> None:
    """B25 B26: on the others its lots stay, whatever prices and its own orders did since."""
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"), sizing=PercentOfEquity(ppm=10_000))
    floor.set(position=1)
    first, second = floor.out()
    floor.accept(first)
    floor.fill(first, first.order.quantity)
    floor.accept(second)
    floor.pass_time(MINUTE + 1)
    floor.canceled(second)
    quoted(floor, 799, 801)
    floor.set(position=1, is_again=True)
    (again,) = floor.out()
    assert again.slot_id == second.slot_id
    assert again.order.quantity > first.order.quantity, "prices are lower"
    floor.fill_all(800)
    floor.pass_time(MINUTE)
    quoted(floor, 799, 801)
    floor.set(position=0.5)
    assert len(floor.out()) == 2, "another position is sized everywhere"


def test_a_new_position_that_cannot_be_sized_yet_is_sized_when_it_can_be() -> None:
    """B25: though another one was sized there before."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    floor.pass_time(301 * SECOND)
    dropped = floor.set(position=0.5)
    assert isinstance(dropped, TargetsTaken)
    assert [one.is_expired for one in dropped.dropped] == [False]
    floor.pass_time(MINUTE)
    quoted(floor, 999, 1_001)
    floor.set(position=0.5)
    assert floor.sizes() == [-5]


def test_orders_that_come_too_late_do_not_hide_that_a_position_was_given_up() -> None:
    """B22 B35."""
    floor = strategy_floor()
    floor.assign()
    order = WantedOrder(side=Side.BUY, quantity=Lots(2), limit_price=Ticks(990))
    begun_ns = floor.now.market_ns
    floor.set(position=1, orders=(order,))
    (resting,) = floor.out()
    floor.accept(resting)
    floor.pass_time(2 * MINUTE + 5 * SECOND)
    floor.set(orders=(order,), end_ns=begun_ns + MINUTE)
    floor.fill(resting, 2)
    assert (floor.out(), floor.assigned().dropped_at) == ([], 1)


def test_the_position_of_a_bar_may_come_after_its_orders_once() -> None:
    """B22: it was dropped while those were decided."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.pass_time(MINUTE + 1)
    floor.canceled(floor.out()[0])
    end_ns = floor.now.market_ns - 1
    order = WantedOrder(side=Side.BUY, quantity=Lots(2), limit_price=Ticks(990))
    floor.set(orders=(order,), end_ns=end_ns)
    (resting,) = floor.out()
    floor.accept(resting)
    for _ in range(2):
        floor.set(position=1, is_again=True, end_ns=end_ns)
        floor.set(orders=(order,), end_ns=end_ns)
    assert (floor.counted("targets_repeated"), floor.out()) == (3, [resting])
    floor.fill(resting, 2)
    assert floor.sizes() == [10], "besides"


def test_a_short_position_is_stopped_by_a_rise_and_won_by_a_fall() -> None:
    cases: list[tuple[int, dict[str, Any]]] = [
        (1_011, {"stop_price": 1_010}),
        (990, {"target_price": 990}),
    ]
    for ask, prices in cases:
        floor = strategy_floor(may_short=True)
        floor.assign(may_short=True)
        floor.set(position=-1, **prices)
        floor.fill_all()
        quoted(floor, 999, 1_001)
        assert floor.out() == []
        quoted(floor, ask - 2, ask)
        assert floor.sizes() == [10]


def test_a_stop_is_not_set_off_by_a_market_without_a_price_nor_when_nothing_is_held() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=990)
    quoted(floor, 900, 902)
    assert floor.counted("strategy_stops_hit") == 0
    floor.quote()
    floor.fill_all()
    quoted(floor, None, 990)
    assert floor.counted("strategy_stops_hit") == 0
    assert floor.state.strategies.is_watching


def test_a_stop_of_two_assignments_takes_only_its_own() -> None:
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b", lots=3)
    floor.set("a", 1, stop_price=990)
    floor.set("b", 1, stop_price=980)
    floor.fill_all()
    quoted(floor, 985, 987)
    assert floor.sizes() == [-10]
    floor.fill_all()
    assert (floor.held("a"), floor.held("b")) == (0, 3)
    quoted(floor, 980, 982)
    assert floor.sizes() == [-3]


def test_a_new_position_replaces_the_stop() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=990)
    floor.fill_all()
    floor.pass_time(SECOND)
    floor.set(position=1)
    assert floor.state.strategies.armed == {}
    quoted(floor, 980, 982)
    assert floor.out() == []


def test_a_stop_goes_on_after_a_halt_and_a_restart() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=990)
    floor.fill_all()
    quoted(floor, 990, 992)
    (attempt,) = floor.out()
    floor.halt()
    floor.canceled(attempt)
    floor.pass_time(5 * SECOND)
    assert floor.out() == []
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.ready()
    floor.resume()
    floor.quote(990)
    floor.pass_time(2 * SECOND)
    assert floor.sizes() == [-10]


# -- flat by


def test_flat_by_its_time_and_until_the_day_ends() -> None:
    """A13 B20."""
    floor = strategy_floor()
    today_ns = floor.now.market_ns % DAY
    floor.assign(flat_by_ns=(today_ns + 10 * MINUTE) % DAY)
    floor.set(position=1, stop_price=900)
    floor.fill_all()
    for _ in range(10):
        floor.pass_time(MINUTE)
        floor.quote()
    assert floor.sizes() == [-10]
    assert floor.assigned().exits == "flat by"
    given_up = show(floor.desk, AskDropped(number=1), records=0)
    assert isinstance(given_up, DroppedView)
    assert [one.why for one in given_up.dropped] == ["flat by"]
    floor.fill_all()
    floor.set(position=1)
    assert (floor.out(), floor.assigned().position_ppm) == ([], 1_000_000)
    left_ns = DAY - floor.now.market_ns % DAY
    floor.pass_time(left_ns)
    floor.quote()
    floor.set(position=1)
    assert floor.sizes() == [10]
    floor.replay()


def test_assigned_within_its_flat_time_it_waits_for_the_next_day() -> None:
    floor = strategy_floor()
    floor.assign(flat_by_ns=0)
    floor.set(position=1)
    order = WantedOrder(side=Side.BUY, quantity=Lots(1))
    floor.set(end_ns=floor.now.market_ns + 1, orders=(order,))
    assert floor.out() == []


def test_the_clock_of_an_earlier_assignment_is_not_meant() -> None:
    floor = strategy_floor()
    soon_ns = (floor.now.market_ns + MINUTE) % DAY
    floor.assign(flat_by_ns=soon_ns)
    floor.set(position=1)
    floor.fill_all()
    floor.assign(flat_by_ns=(soon_ns + 5 * MINUTE) % DAY)
    floor.pass_time(2 * MINUTE)
    assert floor.out() == []
    floor.assign("b", flat_by_ns=soon_ns)
    floor.restart()
    floor.pass_time(10 * MINUTE)
    assert floor.assigned().exits == "flat by"


# -- laws


@given(st.permutations([0, 1, 2, 3]), st.lists(st.sampled_from([0, 1, 2, 3]), max_size=4))
def test_however_decisions_come_the_newest_bar_s_is_held(
    order: list[int], again: list[int]
) -> None:
    """B15 B22."""
    floor = strategy_floor(may_short=True)
    floor.assign(may_short=True)
    begin_ns = floor.now.market_ns
    wanted = [1.0, -0.5, 0.0, 0.3]
    made = [
        floor.target(position=position, end_ns=begin_ns + at) for at, position in enumerate(wanted)
    ]
    for at in [*order, *again]:
        floor.ask(SetTargets(targets=(made[at],)))
        floor.fill_all()
    assert floor.held() == 3
    assert floor.state.ledger.lots("A1", "T@X") == 3


def test_one_command_may_decide_for_many() -> None:
    for keys in permutations("abc"):
        floor = strategy_floor()
        for key in keys:
            floor.assign(key, lots=2)
        targets: tuple[Target, ...] = tuple(floor.target(key, 1) for key in keys)
        floor.ask(SetTargets(targets=targets))
        assert floor.sizes() == [6]
        floor.fill_all()
        assert [floor.held(key) for key in "abc"] == [2, 2, 2]
        assert floor.state.ledger.cash(
            floor.state.seats[SlotId("s1")].account_id, "USD"
        ) == Decimal(100_000) - 60 - Decimal("0.01")
