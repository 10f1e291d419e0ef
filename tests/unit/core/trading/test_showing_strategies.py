"""Strategies in a trader's words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import showing_strategies
from tandem.core.trading.showing import show
from tandem.domain.commands import CancelOrders, HaltTrading, SaveStrategy
from tandem.domain.control import AskDecisions, AskDropped, AskStrategies, AskTexts
from tandem.domain.ids import AccountId, Lots, SlotId
from tandem.domain.strategies import AssignmentId, Language, StrategyText, TextHash
from tandem.domain.strategy_views import (
    DecisionsView,
    DroppedView,
    HeldView,
    SavedView,
    StrategiesView,
    TextsView,
)
from tests.unit.core.trading.desk_driver import SECOND, X, instrument
from tests.unit.core.trading.strategy_floor import CROSS, MINUTE, StrategyFloor, strategy_floor


def roster(floor: StrategyFloor, **fields: Any) -> StrategiesView:
    view = show(floor.desk, AskStrategies(number=1, **fields), records=0)
    assert isinstance(view, StrategiesView)
    return view


def test_it_shows_what_is_wanted_and_held_and_why_they_differ() -> None:
    """B3 B13 B22."""
    listed = msgspec.structs.replace(instrument("T", X, "m", lot="0.5"), min_quantity=Lots(4))
    floor = strategy_floor(instruments=(listed,))
    floor.assign()
    floor.set(position=1, stop_price=900)
    (attempt,) = floor.out()
    floor.fill(attempt, 7)
    floor.canceled(attempt)
    floor.pass_time(SECOND)
    (one,) = roster(floor).assignments
    assert one.held == (
        HeldView(
            slot_id=SlotId("s1"),
            account_id=AccountId("A1"),
            wanted_lots=10,
            held_lots=7,
            wanted="5.0",
            held="3.5",
            note="dust: 1.5 is less than can be traded",
        ),
    )
    assert (one.number, one.position_ppm, one.stop_price) == (2, 1_000_000, 900)
    assert one.assignment.name == "a"


def test_who_knows_the_version_is_told_no_more() -> None:
    """B13."""
    floor = strategy_floor()
    floor.assign()
    view = roster(floor)
    assert view.texts == (
        SavedView(
            name="cross",
            language=Language.LUA,
            text_hash=CROSS.text_hash,
            is_newest=True,
            names=("cross",),
        ),
    )
    known = roster(floor, known=view.version)
    assert known == StrategiesView(version=view.version, is_known=True)
    floor.set(position=1)
    assert roster(floor).version == view.version, "decisions change no roster"
    floor.assign("b")
    assert not roster(floor, known=view.version).is_known


def test_a_text_saved_under_several_names_has_them_all() -> None:
    """B16."""
    floor = strategy_floor()
    floor.ask(SaveStrategy(text=msgspec.structs.replace(CROSS, name="b")))
    floor.ask(SaveStrategy(text=msgspec.structs.replace(CROSS, name="a")))
    (one,) = roster(floor).texts
    assert (one.name, one.is_newest, one.names) == ("a", True, ("a", "b", "cross"))
    floor.ask(SaveStrategy(text=msgspec.structs.replace(CROSS, text="return 'flat'")))
    old, new = roster(floor).texts
    assert (old.name, old.is_newest, old.names) == ("a", True, ("a", "b"))
    assert (new.name, new.is_newest, new.names) == ("cross", True, ("cross",))


def test_many_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """B24."""
    monkeypatch.setattr(showing_strategies, "PAGE_MAX", 2)
    floor = strategy_floor()
    for key in "abc":
        floor.assign(key)
    keys = []
    for begin in (0, 2, -1):
        view = roster(floor, begin=begin)
        assert (view.assignments_total, view.texts_total) == (3, 1)
        keys.append([one.assignment.assignment_id for one in view.assignments])
    assert keys == [["a", "b"], ["c"], ["a", "b"]]


def test_texts_come_as_they_were_written_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """B16."""
    floor = strategy_floor()
    other = StrategyText(name="other", language=Language.PYTHON, text="x" * 100)
    floor.ask(SaveStrategy(text=other))
    hashes = (CROSS.text_hash, TextHash("no"), other.text_hash)
    question = AskTexts(number=1, text_hashes=hashes)
    assert show(floor.desk, question, records=0) == TextsView(texts=(CROSS, other))
    monkeypatch.setattr(showing_strategies, "TEXTS_BYTES_MAX", 100)
    assert show(floor.desk, question, records=0) == TextsView(texts=(CROSS,))


@given(st.lists(st.sampled_from("ab"), max_size=8), st.integers(-2, 10))
def test_the_log_is_the_latest_first_of_one_or_of_all(keys: list[str], limit: int) -> None:
    floor = strategy_floor()
    floor.assign("a")
    floor.assign("b")
    for at, key in enumerate(keys):
        floor.pass_time(SECOND)
        floor.set(key, at % 2)
    said = []
    for only in (None, AssignmentId("a")):
        asked = AskDecisions(number=1, assignment_id=only, limit=limit)
        view = show(floor.desk, asked, records=0)
        assert isinstance(view, DecisionsView)
        assert len(view.decisions) <= max(0, limit)
        times = [one.market_ns for one in view.decisions]
        assert times == sorted(times, reverse=True)
        said.append([one.assignment_id for one in view.decisions])
    assert set(said[1]) <= {"a"}


def gave_up(floor: StrategyFloor, known: int = 0) -> DroppedView:
    view = show(floor.desk, AskDropped(number=1, known=known), records=0)
    assert isinstance(view, DroppedView)
    return view


def test_positions_that_were_given_up_are_told_until_a_newer_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """B22 B25: whoever decides can say them again."""
    floor = strategy_floor()
    for key in "abc":
        floor.assign(key)
        floor.set(key, 1)
    end_ns = floor.assigned().end_ns
    assert gave_up(floor) == DroppedView(drops=0)
    floor.ask(HaltTrading(reason="enough"))
    view = gave_up(floor)
    assert view.drops == 3
    assert [(one.assignment_id, one.end_ns, one.why, one.is_expired) for one in view.dropped] == [
        (key, end_ns, "halted: enough", False) for key in "abc"
    ]
    assert gave_up(floor, known=3) == DroppedView(drops=3)
    floor.pass_time(MINUTE)
    floor.set("b", 0)
    assert [one.assignment_id for one in gave_up(floor).dropped] == ["a", "c"]
    monkeypatch.setattr(showing_strategies, "PAGE_MAX", 1)
    first = gave_up(floor)
    assert (first.drops, [one.assignment_id for one in first.dropped]) == (1, ["a"])
    second = gave_up(floor, known=first.drops)
    assert (second.drops, [one.assignment_id for one in second.dropped]) == (3, ["c"])


def test_what_became_too_old_is_told_as_such() -> None:
    """B22 B25: what a newer bar decided may take its place."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.pass_time(MINUTE + 1)
    assert [(one.why, one.is_expired) for one in gave_up(floor).dropped] == [("too old", True)]


def test_what_a_person_cancels_is_not_told_as_given_up() -> None:
    """B22: else the next bar would undo it."""
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.cancel(floor.out()[0].parent_id)
    assert gave_up(floor).dropped == ()
    floor.pass_time(MINUTE)
    floor.set(position=0.5)
    floor.ask(CancelOrders(order_id=None))
    assert gave_up(floor).dropped == ()
