"""What is due, and one decision for each bar: B13, B14, B15, I14."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.deciding.decider import Decider
from tandem.core.market.origins import STEP, origin_ns
from tandem.domain.bars import Span
from tandem.domain.deciding import (
    CommandSettled,
    Decided,
    Evaluate,
    FeedJudged,
    Send,
    TargetsDropped,
)
from tandem.domain.ids import InstrumentId, Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.strategies import FULL_PPM, AssignmentId, VolatilityTarget, WantedOrder
from tests.unit.core.deciding.bench import (
    COIN,
    MINUTE_NS,
    OTHER,
    Bench,
    drops_of,
    entry,
    final,
    revised,
    said,
)


def test_only_strategies_of_that_series_are_evaluated() -> None:
    """B14."""
    bench = Bench(entry("a"), entry("b", instrument=OTHER))
    bench.bars(final(1))
    assert bench.task.bar == final(1).bar
    assert bench.task.whole is not None
    assert [one.number for one in bench.task.whole.attached] == [0]
    assert bench.decider.next_due_ns is None


def test_nothing_is_evaluated_where_nothing_is_assigned() -> None:
    """B14."""
    bench = Bench()
    assert bench.bars(final(1)) == []


def test_a_cold_evaluator_is_given_everything_and_a_warm_one_the_bar() -> None:
    """B16: texts and history go once, then only what is new."""
    bench = Bench(entry())
    bench.bars(final(1))
    assert bench.task.whole is not None
    bench.answer(bench.task, said(0, FULL_PPM))
    bench.bars(final(2))
    assert bench.task.whole is None


def test_what_is_newly_wanted_goes_to_the_desk_and_what_is_wanted_as_before_does_not() -> None:
    """B22: a repeat trades nothing more."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)))
    (target,) = bench.targets
    assert (target.assignment_id, target.number, target.position_ppm) == ("a", 1, FULL_PPM)
    assert (target.stop_price, target.end_ns) == (90, final(1).bar.end_ns)
    bench.bars(final(2))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)))
    assert bench.targets == []
    assert len(bench.decided.decisions) == 1
    bench.bars(final(3))
    bench.answer(bench.task, said(0, None, state='{"n":1}'))
    assert bench.targets == []


def test_every_bar_of_an_assignment_is_decided_once_however_often_it_is_told() -> None:
    """B15, I14: bars and answers repeat."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1), final(1))
    task = bench.task
    bench.answer(task, said(0, FULL_PPM), said(1, -FULL_PPM))
    assert bench.decided.count == 2
    assert bench.answer(task, said(0, 0), said(1, 0)) == []
    assert bench.bars(final(1)) == []
    assert bench.decider.state.late == 1
    assert bench.decider.state.held[AssignmentId("a")].decided == 1


def test_bars_of_a_series_are_evaluated_one_after_the_other() -> None:
    """B11: what a strategy remembers goes from one to the next."""
    bench = Bench(entry())
    bench.bars(final(1), final(2))
    assert bench.task.task_id.number == 1
    bench.answer(bench.task, said(0, FULL_PPM, state='{"n":1}'))
    assert bench.task.task_id.number == 2
    bench.cold(bench.task)
    assert bench.task.whole is not None
    (attached,) = bench.task.whole.attached
    assert (attached.state, attached.position_ppm) == ('{"n":1}', FULL_PPM)


def test_an_answer_that_comes_again_is_none_of_the_next_bar() -> None:
    """B15, I14: whoever was thought dead answers late, when the next bar is asked."""
    bench = Bench(entry())
    bench.bars(final(1), final(2))
    first = bench.task
    bench.answer(first, said(0, FULL_PPM))
    second = bench.task
    assert bench.answer(first, said(0, 0)) == []
    assert (bench.decider.state.late, bench.decider.state.decided) == (1, 1)
    bench.answer(second, said(0, FULL_PPM // 2))
    assert bench.decided.task_id.number == 2
    assert bench.decider.state.held[AssignmentId("a")].decided == 2


def test_whoever_cannot_do_it_cold_or_whole_has_decided_nothing_and_it_is_said() -> None:
    """F22: a bar is passed over, and the next one is asked with everything."""
    bench = Bench(entry())
    bench.bars(final(1), final(2))
    bench.cold(bench.task)
    assert "nothing was decided on bar 1" in bench.notes[0]
    bench.skipped(bench.task)
    assert bench.notes[0].endswith("too much")
    bench.bars(final(3))
    assert bench.task.whole is not None
    assert bench.decider.state.decided == 0


def test_an_evaluator_that_blames_strangers_is_not_asked_for_ever() -> None:
    """F22: neither for one that nobody knows, nor for one that is suspended already."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1), final(2))
    bench.cold(bench.task, said(0, error="killed"))
    bench.cold(bench.task, said(7, error="unknown"), said(0, error="killed again"))
    assert "nothing was decided on bar 1" in bench.notes[0]
    assert bench.suspended == []
    assert bench.task.task_id.number == 2


def test_who_is_cold_after_the_roster_changed_is_asked_with_the_new_one() -> None:
    """B15: what was held for the old one is of no use, and no bar is passed over for it."""
    bench = Bench(entry("a"))
    bench.bars(final(1))
    asked = bench.task
    bench.roster(entry("a"), entry("b"))
    bench.cold(asked)
    assert bench.task.whole is not None
    assert [one.number for one in bench.task.whole.attached] == [0, 1]


def test_a_cold_answer_that_comes_again_does_not_give_the_bar_up() -> None:
    """B15: it is no answer to what was asked since, with everything."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    bench.bars(final(2))
    warm = bench.task
    bench.cold(warm)
    whole = bench.task
    assert bench.cold(warm) == []
    assert bench.decider.state.late == 1
    bench.answer(whole, said(0, 0))
    assert bench.decided.task_id.number == 2


def test_a_strategy_that_fails_is_suspended_and_the_others_go_on() -> None:
    """F22, I14."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, error="line 3: endless"), said(1, FULL_PPM))
    assert [(one.assignment_id, one.reason) for one in bench.suspended] == [
        ("a", "line 3: endless")
    ]
    bench.bars(final(2))
    assert bench.task.whole is not None
    assert [one.number for one in bench.task.whole.attached] == [1]


def test_one_that_had_to_be_killed_is_suspended_and_the_bar_is_asked_again() -> None:
    """F22, B15: its neighbors still get their decision of this bar."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1))
    bench.cold(bench.task, said(0, error="killed"), said(7, error="unknown"))
    assert [one.assignment_id for one in bench.suspended] == ["a"]
    assert bench.task.whole is not None
    assert [one.number for one in bench.task.whole.attached] == [1]
    bench.cold(bench.task, said(1))
    assert bench.suspended[0].reason == "ended by force"
    assert bench.tasks == []
    assert bench.bars(final(2)) == []


def test_whoever_comes_after_bars_without_anybody_has_them_in_its_inputs() -> None:
    """B16."""
    bench = Bench(entry("a"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, error="line 3: endless"))
    bench.bars(final(2))
    assert bench.tasks == []
    bench.roster(entry("a"), entry("b"))
    bench.bars(final(3))
    assert bench.task.whole is not None
    assert bench.task.whole.wants_chain


def test_a_revision_changes_history_and_decides_nothing() -> None:
    """B9: a correction after a bar was published never decides again."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    assert bench.bars(revised(2, of=1)) == []
    bench.bars(final(3))
    assert bench.task.whole is not None
    assert bench.task.whole.wants_chain


def test_the_same_inputs_have_the_same_hash_whoever_was_asked_and_how() -> None:
    """B16: cold or warm, before a restart or after it."""
    first, second = Bench(entry()), Bench(entry("z"))
    for bench in (first, second):
        bench.bars(final(1))
        bench.answer(bench.task, said(0, FULL_PPM))
    second.restart()
    hashes = []
    for bench in (first, second):
        bench.bars(final(2))
        bench.answer(bench.task, said(0, 0))
        (decision,) = bench.decided.decisions
        hashes.append(decision.inputs_hash)
        assert bench.decided.positions_before == (FULL_PPM,)
    assert hashes[0] == hashes[1]
    other = Bench(entry())
    other.bars(final(1, close=101))
    other.answer(other.task, said(0, FULL_PPM))
    other.bars(final(2))
    other.answer(other.task, said(0, 0))
    assert other.decided.decisions[0].inputs_hash != hashes[0]


def test_where_history_begins_moves_and_then_everything_is_asked_anew() -> None:
    """B18: indicators begin at the origin, wherever they are computed."""
    bench = Bench(entry())
    number = 1
    began_ns = origin_ns(Span.M1, final(number).bar.begin_ns, COIN.instrument_id)
    bench.bars(final(number))
    assert bench.task.whole is not None
    assert bench.task.whole.from_ns == began_ns
    bench.answer(bench.task)
    while origin_ns(Span.M1, final(number).bar.begin_ns, COIN.instrument_id) == began_ns:
        number += 1
    assert number <= STEP
    bench.bars(final(number - 1))
    bench.answer(bench.task)
    bench.bars(final(number))
    assert bench.task.whole is not None
    assert bench.task.whole.from_ns == began_ns + STEP * MINUTE_NS


def test_a_decision_that_comes_too_late_is_dropped_and_the_next_is_news_again() -> None:
    """A13: recorded, not carried out."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.market_ns += MINUTE_NS + 1
    bench.answer(bench.task, said(0, FULL_PPM))
    assert bench.targets == []
    assert bench.decided.decisions[0].answer.position_ppm == FULL_PPM
    assert bench.decider.state.held[AssignmentId("a")].dropped == 1
    bench.bars(final(3))
    bench.answer(bench.task, said(0, FULL_PPM))
    assert [one.position_ppm for one in bench.targets] == [FULL_PPM]


def test_where_prices_are_old_nothing_new_is_wanted_until_they_are_fresh() -> None:
    """F17, A13."""
    bench = Bench(entry())
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=True))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    assert bench.targets == []
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=False))
    assert [one.position_ppm for one in bench.targets] == [FULL_PPM]
    bench.bars(final(2))
    bench.answer(bench.task, said(0, FULL_PPM))
    assert bench.targets == []


def test_orders_of_an_advanced_strategy_go_out_without_a_position() -> None:
    """B35."""
    order = WantedOrder(side=Side.BUY, quantity=Lots(3))
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, None, orders=(order,)))
    (target,) = bench.targets
    assert (target.position_ppm, target.orders) == (None, (order,))
    assert bench.decider.state.held[AssignmentId("a")].said is None


def test_a_volatility_goes_with_the_target_that_needs_it() -> None:
    """B22: of the closes before and this one."""
    bench = Bench(entry(sizing=VolatilityTarget(ppm_per_day=10_000, bars=3)))
    bench.bars(final(1, close=110))
    assert bench.task.whole is not None
    assert bench.task.whole.closes == 4
    bench.answer(bench.task, said(0, FULL_PPM), closes=(100, 110, 100))
    (target,) = bench.targets
    assert target.volatility_ppm is not None
    assert bench.decider.state.keys[bench.decider.state.held[AssignmentId("a")].key].closes == [
        100,
        110,
        100,
        110,
    ]


def test_a_refused_command_is_said_again_with_the_next_bar() -> None:
    """B22, I14: nothing is lost when the desk was halted."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    (send,) = bench.sent
    bench.settle(send, "halted")
    assert bench.notes == [f"{send.command_id} was refused: halted"]
    assert bench.settle(send, "halted") == []
    bench.bars(final(2))
    bench.answer(bench.task, said(0, FULL_PPM))
    (again,) = bench.sent
    bench.roster()
    bench.settle(again, "halted")
    assert bench.decider.state.outbox == {}


def test_a_position_that_the_desk_drops_is_said_again_with_the_next_bar() -> None:
    """B22, A13: until it is taken, under other ids, even when its strategy says nothing more."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)), said(1, FULL_PPM))
    (first,) = bench.sent
    bench.settle(first)
    bench.on(TargetsDropped(dropped=drops_of(first, "halted")[:1]))
    bench.bars(final(2))
    bench.answer(bench.task)
    (second,) = bench.sent
    (target,) = bench.targets
    assert bench.decided.again == ("a",)
    assert (target.assignment_id, target.position_ppm, target.stop_price) == ("a", FULL_PPM, 90)
    assert (target.end_ns, target.is_again) == (final(2).bar.end_ns, True)
    bench.settle(second, dropped="no price")
    bench.bars(final(3))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)))
    (third,) = bench.sent
    assert list(bench.decided.again) == [], "it said so itself"
    assert bench.targets[0].is_again, "and the same"
    bench.settle(third)
    bench.bars(final(4))
    bench.answer(bench.task)
    assert bench.sent == []
    assert bench.decider.state.held[AssignmentId("a")].dropped == 2


def test_what_had_become_too_old_is_said_again_at_once_as_the_newest_bar_decided_it() -> None:
    """B22 B25: not a bar later, or a position would be pursued on every second bar only."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)), said(1, FULL_PPM))
    assert [one.is_again for one in bench.targets] == [False, False]
    (first,) = bench.sent
    bench.settle(first)
    old = drops_of(first, "too old", is_expired=True)
    bench.bars(final(2))
    bench.answer(bench.task, said(0, FULL_PPM, stop_price=Ticks(90)), said(1, FULL_PPM))
    assert bench.sent == [], "the desk has not dropped it yet"
    bench.on(TargetsDropped(dropped=old))
    assert [
        (one.assignment_id, one.position_ppm, one.stop_price, one.begin_ns, one.end_ns)
        for one in bench.targets
    ] == [
        ("a", FULL_PPM, 90, final(2).bar.begin_ns, final(2).bar.end_ns),
        ("b", FULL_PPM, None, final(2).bar.begin_ns, final(2).bar.end_ns),
    ]
    assert all(one.is_again for one in bench.targets)
    (second,) = bench.sent
    bench.on(TargetsDropped(dropped=old))
    assert bench.sent == [], "it was told once"
    bench.on(TargetsDropped(dropped=drops_of(second, "too old", is_expired=True)))
    assert bench.sent == [], "no bar is newer"
    bench.bars(final(3))
    bench.answer(bench.task)
    assert [one.end_ns for one in bench.targets] == [final(3).bar.end_ns] * 2


def test_what_the_desk_never_carried_out_is_said_like_an_answer() -> None:
    """B35: else it would not enter after a stop, and leave orders of before alone."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    bench.settle(bench.sent[0])
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=True))
    bench.bars(final(2))
    bench.answer(bench.task, said(0, 0))
    assert bench.sent == []
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=False))
    assert [(one.position_ppm, one.is_again) for one in bench.targets] == [(0, False)]
    bench.settle(bench.sent[0], dropped="no price")
    bench.bars(final(3))
    bench.answer(bench.task)
    assert [(one.position_ppm, one.is_again) for one in bench.targets] == [(0, False)]
    (third,) = bench.sent
    bench.settle(third)
    bench.on(TargetsDropped(dropped=drops_of(third, "halted")))
    bench.bars(final(4))
    bench.answer(bench.task, said(0, 0, stop_price=Ticks(90)))
    assert [one.is_again for one in bench.targets] == [False], "that stop is news"


def test_what_was_wanted_while_prices_were_stale_is_said_when_they_are_not() -> None:
    """A13 B25: a daily bar ends while its venue is closed; good until the next one ends."""
    daily = entry("a")
    spec = msgspec.structs.replace(daily.assignment, good_for_ns=Span.H4.ns)
    bench = Bench(msgspec.structs.replace(daily, assignment=spec), entry("b"))
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=True))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM), said(1, FULL_PPM))
    bench.market_ns += Span.H4.ns - MINUTE_NS
    assert bench.on(FeedJudged(instrument_id=InstrumentId("other"), is_stale=False)) == []
    bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=False))
    assert [(one.assignment_id, one.end_ns) for one in bench.targets] == [
        ("a", final(1).bar.end_ns)
    ], "the other's is too old"
    bench.settle(bench.sent[0], dropped="no price")
    assert bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=False)) == []
    bench.roster()
    assert bench.on(FeedJudged(instrument_id=COIN.instrument_id, is_stale=False)) == []


def test_what_came_too_late_is_said_again_of_a_newer_bar() -> None:
    """B22 B25."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    (first,) = bench.sent
    bench.bars(final(2))
    bench.answer(bench.task, said(0, FULL_PPM))
    assert bench.sent == []
    old = drops_of(first, "it came too late", is_expired=True)
    bench.on(CommandSettled(command_id=first.command_id, refusal=None, dropped=old))
    assert [(one.end_ns, one.is_again) for one in bench.targets] == [(final(2).bar.end_ns, False)]


def test_the_same_position_is_told_once_more_after_orders_alone() -> None:
    """B25: they have changed what is held, so that "flat" has something to do again."""
    order = WantedOrder(side=Side.BUY, quantity=Lots(5))
    answers: list[tuple[int | None, tuple[WantedOrder, ...]]] = [
        (0, ()),
        (0, ()),
        (None, (order,)),
        (None, ()),
        (0, ()),
        (0, ()),
        (None, ()),
        (0, (order,)),
        (0, ()),
    ]
    bench = Bench(entry())
    told = []
    for number, (position, orders) in enumerate(answers, start=1):
        bench.bars(final(number))
        bench.answer(bench.task, said(0, position, orders=orders))
        told += [
            (number, one.position_ppm, one.is_again, one.is_after_orders) for one in bench.targets
        ]
        bench.restart()
        bench.roster(entry())
    assert told == [
        (1, 0, False, False),
        (3, None, False, False),
        (5, 0, True, True),
        (8, 0, False, True),
    ]


def test_a_position_with_orders_is_never_said_as_if_again() -> None:
    """B35: the desk would leave those of the bar before where they are, one more with each bar."""
    order = WantedOrder(side=Side.BUY, quantity=Lots(2), limit_price=Ticks(90))
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, orders=(order,)))
    (first,) = bench.sent
    bench.settle(first)
    bench.on(TargetsDropped(dropped=drops_of(first, "halted")))
    for number in (2, 3):
        bench.bars(final(number))
        bench.answer(bench.task, said(0, FULL_PPM, orders=(order,)))
        assert [(one.position_ppm, one.is_again) for one in bench.targets] == [(FULL_PPM, False)]
        bench.settle(bench.sent[0])
    bench.bars(final(4))
    bench.answer(bench.task, said(0, None, orders=(order,)))
    assert [(one.position_ppm, one.is_again) for one in bench.targets] == [(None, False)]


def test_what_was_given_up_for_another_reason_or_is_too_old_by_now_waits_for_a_bar() -> None:
    """A13: a halt gives up what was decided before it."""
    for why, late_ns in (("halted", 0), ("too old", MINUTE_NS + 1)):
        bench = Bench(entry("a"))
        bench.bars(final(1))
        bench.answer(bench.task, said(0, FULL_PPM))
        (first,) = bench.sent
        bench.bars(final(2))
        bench.answer(bench.task)
        bench.market_ns += late_ns
        bench.on(TargetsDropped(dropped=drops_of(first, why, is_expired=bool(late_ns))))
        assert bench.sent == []
        assert bench.decider.state.held[AssignmentId("a")].said is None


def test_a_drop_of_what_was_decided_before_does_not_count_for_what_was_said_since() -> None:
    """B22: news of drops come late, repeated, and of others."""
    bench = Bench(entry("a"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    (first,) = bench.sent
    bench.bars(final(2))
    bench.answer(bench.task, said(0, 0))
    (second,) = bench.sent
    bench.settle(first, dropped="too late")
    bench.bars(final(3))
    bench.answer(bench.task)
    assert bench.sent == []
    dropped = drops_of(second, "too old")
    bench.on(TargetsDropped(dropped=dropped + dropped))
    assert bench.decider.state.held[AssignmentId("a")].dropped == 1
    bench.roster(entry("a", number=2))
    bench.bars(final(4))
    bench.answer(bench.task, said(1, FULL_PPM))
    bench.on(TargetsDropped(dropped=dropped))
    assert bench.decider.state.held[AssignmentId("a")].said == (FULL_PPM, None, None)


def test_an_order_is_never_said_again() -> None:
    """B35: it is placed once, or not at all; a dropped position goes out beside the next one."""
    order = WantedOrder(side=Side.BUY, quantity=Lots(3))
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, orders=(order,)))
    (first,) = bench.sent
    bench.settle(first, dropped="too late")
    bench.bars(final(2))
    bench.answer(bench.task)
    assert [(one.position_ppm, one.orders) for one in bench.targets] == [(FULL_PPM, ())]
    bench.settle(bench.sent[0], dropped="too late")
    bench.bars(final(3))
    bench.answer(bench.task, said(0, None, orders=(order,)))
    assert [(one.position_ppm, one.orders) for one in bench.targets] == [(FULL_PPM, (order,))]


def test_in_its_flat_time_nothing_is_said_and_the_next_day_it_is() -> None:
    """A13: the desk has made it flat by itself, and told so."""
    at_ns = final(2).bar.end_ns % Span.D1.ns
    plain = entry()
    flat = msgspec.structs.replace(plain.assignment, flat_by_ns=at_ns)
    bench = Bench(msgspec.structs.replace(plain, assignment=flat))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    (first,) = bench.sent
    bench.on(TargetsDropped(dropped=drops_of(first, "flat by")))
    bench.bars(final(2))
    bench.answer(bench.task)
    assert bench.sent == []
    tomorrow = Span.D1.ns // MINUTE_NS
    bench.bars(final(tomorrow))
    bench.answer(bench.task)
    assert [one.position_ppm for one in bench.targets] == [FULL_PPM]


def test_a_refused_suspension_is_only_told() -> None:
    """F22."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task, said(0, error="line 1: no"))
    (send,) = bench.sent
    bench.settle(send, "unknown")
    assert bench.notes == [f"{send.command_id} was refused: unknown"]


def test_a_restart_asks_and_sends_again_what_nobody_answered() -> None:
    """B15, I8: under the same ids."""
    bench = Bench(entry("a"), entry("b", instrument=OTHER))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM))
    (send,) = bench.sent
    bench.bars(final(2))
    task = bench.task
    bench.restart()
    assert bench.sent == [send]
    assert bench.task.task_id == task.task_id
    assert bench.task.whole is not None
    bench.settle(send)
    assert bench.restart() == [bench.task]


def test_an_answer_of_one_that_was_taken_away_meanwhile_counts_no_more() -> None:
    """B13."""
    bench = Bench(entry("a"), entry("b"))
    bench.bars(final(1))
    task = bench.task
    bench.roster(entry("b"))
    bench.answer(task, said(0, FULL_PPM), said(1, FULL_PPM))
    assert [one.assignment_id for one in bench.decided.decisions] == ["b"]
    assert [one.assignment_id for one in bench.targets] == ["b"]
    bench.bars(final(2))
    task = bench.task
    bench.roster()
    assert bench.answer(task, said(1, 0)) == []


def test_what_strategies_log_is_kept_with_the_decision() -> None:
    """B16."""
    bench = Bench(entry())
    bench.bars(final(1))
    line = msgspec.structs.replace(said(0, FULL_PPM), lines=("sma is 3",))
    bench.answer(bench.task, line)
    assert bench.decided.lines == (("sma is 3",),)


@pytest.mark.parametrize("bad", [b"", b"\x90"])
def test_bytes_that_are_no_snapshot_are_refused(bad: bytes) -> None:
    """I8."""
    with pytest.raises(msgspec.MsgspecError):
        Decider.restore(bad) if bad == b"" else Decider.restore(b"\xc1")


@given(st.lists(st.sampled_from(["bar", "again", "answer", "cold", "restart"]), max_size=60))
def test_bars_are_decided_once_and_in_order_whatever_happens(steps: list[str]) -> None:
    """B15, I14: repeats, cold evaluators and restarts change nothing."""
    bench = Bench(entry("a"))
    open_tasks: list[Evaluate] = []
    done: list[int] = []
    commands: list[str] = []
    number = 0
    for step in [*steps, *["answer"] * 100]:
        if step == "bar":
            number += 1
            bench.bars(final(number))
        elif step == "again":
            bench.bars(*(final(one) for one in range(1, number + 1)))
        elif step == "restart":
            bench.restart()
        elif open_tasks and step == "answer":
            task = open_tasks[-1]
            bench.answer(task, said(0, task.task_id.number))
        elif open_tasks and open_tasks[-1].whole is None:
            bench.cold(open_tasks[-1])
        else:
            continue
        open_tasks += bench.tasks
        done += [one.task_id.number for one in bench.effects if isinstance(one, Decided)]
        if step != "restart":
            commands += [one.command_id for one in bench.effects if isinstance(one, Send)]
    assert done == list(range(1, number + 1))
    assert len(commands) == len(set(commands))
    assert len(commands) + bench.decider.state.held[AssignmentId("a")].dropped == number
