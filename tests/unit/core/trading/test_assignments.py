"""Which strategies are saved, and where each decides."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import assignments
from tandem.domain.algos import Leaving
from tandem.domain.commands import (
    Assign,
    Done,
    RefusalReason,
    Refused,
    SaveStrategy,
    SuspendStrategy,
    Unassign,
)
from tandem.domain.desk import Alert
from tandem.domain.ids import Lots
from tandem.domain.strategies import (
    AssignmentId,
    Fixed,
    Language,
    PercentOfEquity,
    StrategyText,
    TextHash,
    VolatilityTarget,
)
from tests.unit.core.trading.desk_driver import SECOND, two_markets
from tests.unit.core.trading.strategy_floor import (
    CROSS,
    MINUTE,
    StrategyFloor,
    assignment,
    strategy_floor,
)

A = AssignmentId("a")


def text(name: str, body: str) -> StrategyText:
    return StrategyText(name=name, language=Language.LUA, text=body)


def refusal(floor: StrategyFloor, **changes: Any) -> Refused:
    return floor.refusal(floor.assign(**changes))


def test_a_name_means_the_newest_text_and_what_is_assigned_keeps_its_own() -> None:
    """B3 B16."""
    floor = strategy_floor()
    floor.assign()
    newer = msgspec.structs.replace(CROSS, text="return 'flat'")
    floor.ask(SaveStrategy(text=newer))
    roster = floor.state.strategies
    assert roster.names == {"cross": newer.text_hash}
    assert floor.assigned().assignment.text_hash == CROSS.text_hash
    assert set(roster.texts) == {CROSS.text_hash, newer.text_hash}
    assert roster.version == 3
    assert isinstance(floor.ask(SaveStrategy(text=newer)), Done)
    assert roster.version == 3, "it was saved already"
    floor.ask(SaveStrategy(text=CROSS))
    assert roster.names == {"cross": CROSS.text_hash}


def test_a_text_that_nothing_means_goes_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assignments, "TEXTS_MAX", 3)
    floor = strategy_floor()
    floor.assign()
    for number in range(3):
        floor.ask(SaveStrategy(text=text("cross", f"return {number}")))
    found = [one.text for one in floor.state.strategies.texts.values()]
    assert found == ["return 'long'", "return 1", "return 2"]
    floor.ask(SaveStrategy(text=text("other", "return 3")))
    answer = floor.ask(SaveStrategy(text=text("third", "return 4")))
    assert floor.refusal(answer).reason is RefusalReason.TOO_MANY


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a ", "\x7f", "a\u2029b"])
def test_a_name_that_does_not_fit_into_one_line_is_refused(name: str) -> None:
    floor = strategy_floor()
    refused = floor.refusal(floor.ask(SaveStrategy(text=text(name, "return 1"))))
    expected = "1 to 60 characters on one line, without a blank at the ends"
    assert refused.text == f"name {name!r}: expected {expected}"
    assert floor.state.strategies.names == {"cross": CROSS.text_hash}


def test_names_are_bounded_though_they_mean_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """B24."""
    monkeypatch.setattr(assignments, "TEXTS_MAX", 3)
    floor = strategy_floor()
    for name in ("a", "b"):
        assert isinstance(floor.ask(SaveStrategy(text=text(name, CROSS.text))), Done)
    refused = floor.refusal(floor.ask(SaveStrategy(text=text("c", CROSS.text))))
    assert (refused.reason, refused.text) == (
        RefusalReason.TOO_MANY,
        "3 names of strategies are in use",
    )
    assert isinstance(floor.ask(SaveStrategy(text=text("b", "return 1"))), Done)


def test_texts_together_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """B24."""
    monkeypatch.setattr(assignments, "TEXTS_BYTES_MAX", 40)
    floor = strategy_floor()
    for number in range(10):
        floor.ask(SaveStrategy(text=text("cross", f"return {number:6}")))
        kept = floor.state.strategies.texts.values()
        assert floor.state.strategies.texts_bytes == sum(len(one.text) for one in kept) <= 40
    answer = floor.refusal(floor.ask(SaveStrategy(text=text("other", "-" * 30))))
    assert (answer.reason, answer.text) == (
        RefusalReason.TOO_MANY,
        "1 strategies are saved, of 13 bytes",
    )


def test_an_assignment_is_refused_with_the_name_of_what_cannot_be() -> None:
    """B21."""
    floor = strategy_floor()
    unknown = refusal(floor, text_hash=TextHash("0" * 64))
    assert unknown.reason is RefusalReason.UNKNOWN_STRATEGY
    assert refusal(floor, symbol="Z").reason is RefusalReason.UNKNOWN_SYMBOL
    assert refusal(floor, others=("Z",)).reason is RefusalReason.UNKNOWN_SYMBOL
    own = refusal(floor, others=("U", "T"))
    assert (own.reason, own.text[:20]) == (RefusalReason.BAD_ASSIGNMENT, "T is its own symbol:")
    assert refusal(floor, slots=("s9",)).reason is RefusalReason.UNKNOWN_SLOT
    short = refusal(floor, may_short=True)
    assert (short.reason, "spot account" in short.text) == (RefusalReason.BAD_ASSIGNMENT, True)
    assert floor.state.strategies.assigned == {}


@pytest.mark.parametrize(
    "change",
    [
        {"sizing": Fixed(quantity=Lots(0))},
        {"sizing": PercentOfEquity(ppm=0)},
        {"sizing": PercentOfEquity(ppm=10**9)},
        {"sizing": VolatilityTarget(ppm_per_day=10_000, bars=1)},
        {"name": ""},
        {"name": "a\nb"},
        {"name": " a"},
        {"key": "a\u2028b"},
        {"key": "a" * 61},
        {"others": ("U",) * 21},
        {"parameters": {f"p{n}": n for n in range(65)}},
        {"parameters": {"p": "x" * 1_001}},
        {"good_for_ns": 0},
        {"flat_by_ns": 86_400 * SECOND},
    ],
)
def test_an_assignment_out_of_its_bounds_is_refused(change: dict[str, Any]) -> None:
    assert refusal(strategy_floor(), **change).reason is RefusalReason.BAD_ASSIGNMENT


def test_a_slot_whose_venue_does_not_list_the_symbol_is_refused() -> None:
    two = two_markets()
    floor = StrategyFloor(msgspec.structs.replace(two, instruments=two.instruments[:1])).open()
    floor.ask(SaveStrategy(text=CROSS))
    answer = floor.ask(Assign(assignment=assignment(slots=("y1",))))
    assert floor.refusal(answer).reason is RefusalReason.NO_SLOT


def test_there_is_a_bound_on_assignments(monkeypatch: pytest.MonkeyPatch) -> None:
    """B24."""
    monkeypatch.setattr(assignments, "ASSIGNMENTS_MAX", 1)
    floor = strategy_floor()
    floor.assign("a")
    assert refusal(floor, key="b").reason is RefusalReason.TOO_MANY
    assert isinstance(floor.assign("a", lots=5), Done), "one that stands is replaced"


def test_one_that_is_assigned_anew_keeps_what_it_holds_and_has_a_higher_number() -> None:
    """B13."""
    floor = strategy_floor()
    floor.assign()
    before = floor.assigned().number
    floor.set(position=1, stop_price=900)
    floor.fill_all()
    floor.assign(lots=4, parameters={"fast": 3})
    one = floor.assigned()
    assert one.number > before
    assert (one.position_ppm, one.stop_price, floor.held()) == (1_000_000, 900, 10)
    assert floor.out() == []
    floor.pass_time(MINUTE)
    floor.set(position=1)
    assert floor.sizes() == [-6]
    floor.fill_all()
    assert floor.held() == 4


def test_what_it_holds_where_it_does_not_decide_any_more_is_traded_back() -> None:
    floor = strategy_floor()
    floor.assign(slots=("s1", "s2"))
    floor.set(position=1)
    floor.fill_all()
    floor.assign(slots=("s2",))
    assert floor.sizes() == [-10]
    floor.fill_all()
    assert (floor.held(slot="s1"), floor.held(slot="s2")) == (0, 10)


def test_unassigned_it_trades_back_what_it_holds_and_is_gone() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1, stop_price=900)
    floor.fill_all()
    answer = floor.ask(Unassign(assignment_id=A))
    assert answer == Done(text="a decides no more; what it holds is traded back")
    version = floor.state.strategies.version
    floor.fill_all()
    roster = floor.state.strategies
    assert (roster.assigned, roster.nets, roster.armed) == ({}, {}, {})
    assert roster.version == version + 1
    floor.quote(800)
    assert floor.out() == []


def test_unassigned_with_nothing_held_it_is_gone_at_once() -> None:
    floor = strategy_floor()
    floor.assign()
    answer = floor.ask(Unassign(assignment_id=A))
    assert (answer, floor.knows("a")) == (Done(text="a decides no more"), False)


def test_unassigned_to_keep_its_lots_stay_and_nobody_claims_what_still_trades() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    (attempt,) = floor.out()
    floor.fill(attempt, 4)
    floor.ask(Unassign(assignment_id=A, leaving=Leaving.KEEP))
    assert attempt.cancel_wanted
    floor.fill(attempt, 2)
    floor.canceled(attempt)
    assert floor.state.strategies.assigned == {}
    assert floor.state.strategies.nets == {}
    assert floor.state.ledger.lots("A1", "T@X") == 6
    floor.replay()


def test_a_failed_strategy_is_suspended_and_said_and_its_targets_stay() -> None:
    """B15."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    number = floor.assigned().number
    effects = floor.command(SuspendStrategy(assignment_id=A, number=number, reason="line 3: nil"))
    assert [one.text for one in effects if isinstance(one, Alert)] == [
        "strategy a is suspended: line 3: nil"
    ]
    floor.pass_time(MINUTE)
    floor.set(position=0)
    assert (floor.out(), floor.held(), floor.counted("targets_unwanted")) == ([], 10, 1)
    version = floor.state.strategies.version
    floor.ask(SuspendStrategy(assignment_id=A, number=number, reason="again"))
    assert (floor.assigned().suspended, floor.state.strategies.version) == ("line 3: nil", version)
    floor.assign()
    assert floor.assigned().suspended is None
    floor.set(position=0)
    assert floor.sizes() == [-10]


def test_a_failure_of_what_was_assigned_before_suspends_nothing() -> None:
    floor = strategy_floor()
    floor.assign()
    number = floor.assigned().number
    floor.assign(parameters={"fast": 2})
    floor.ask(SuspendStrategy(assignment_id=A, number=number, reason="line 3: nil"))
    assert floor.assigned().suspended is None
    assert floor.counted("suspensions_of_before") == 1


@pytest.mark.parametrize(
    "command",
    [Unassign(assignment_id=A), SuspendStrategy(assignment_id=A, number=1, reason="r")],
)
def test_what_is_not_assigned_is_not_known(command: Unassign | SuspendStrategy) -> None:
    answer = strategy_floor().ask(command)
    assert isinstance(answer, Refused)
    assert answer.reason is RefusalReason.UNKNOWN_ASSIGNMENT


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["s1", "s2", ""])), max_size=8))
def test_the_version_rises_with_every_change_and_numbers_are_never_used_twice(
    steps: list[tuple[str, str]],
) -> None:
    floor = strategy_floor()
    numbers = []
    for key, slot in steps:
        before = floor.state.strategies.version
        if slot:
            floor.assign(key, slots=(slot,))
            numbers.append(floor.assigned(key).number)
        elif floor.knows(key):
            floor.ask(Unassign(assignment_id=AssignmentId(key)))
        else:
            continue
        assert floor.state.strategies.version > before
    assert len(set(numbers)) == len(numbers)
