"""Strategies on the screen."""

import io
import json
from collections.abc import Callable
from typing import Any

import msgspec

from tandem.cli.strategy_gains import Gains
from tandem.cli.strategy_text import (
    write_assignment,
    write_decisions,
    write_strategies,
    write_text,
)
from tandem.core.trading.showing import show
from tandem.domain.commands import SaveStrategy, SuspendStrategy, Unassign
from tandem.domain.control import AskDecisions, AskStrategies
from tandem.domain.halting import EvaluatedAssignment
from tandem.domain.ids import Lots
from tandem.domain.order import Side
from tandem.domain.statements import GroupBy
from tandem.domain.strategies import AssignmentId, WantedOrder
from tandem.domain.strategy_views import DecisionsView, StrategiesView
from tests.unit.core.trading.desk_driver import X, instrument
from tests.unit.core.trading.strategy_floor import CROSS, MINUTE, StrategyFloor, strategy_floor


def written(write: Callable[..., int], value: Any, *more: Any, as_json: bool = False) -> str:
    out = io.StringIO()
    assert write(value, out, *more, as_json=as_json) == 0
    return out.getvalue()


def roster(floor: StrategyFloor) -> StrategiesView:
    view = show(floor.desk, AskStrategies(number=1), records=0)
    assert isinstance(view, StrategiesView)
    return view


def test_a_table_says_what_is_wanted_held_and_wrong() -> None:
    """B3 B33: on which symbol and bars, what it wants and holds, its last decision, its error."""
    floor = strategy_floor()
    for key in "abcd":
        floor.assign(key, name=f"s{key}", slots=("s1",))
    floor.set("a", 0.5)
    floor.fill_all()
    floor.set("b", 1)
    floor.fill(floor.out()[0], 4)
    number = floor.assigned("c").number
    floor.ask(SuspendStrategy(assignment_id=AssignmentId("c"), number=number, reason="line 3: nil"))
    floor.assign("e", name="se", slots=("s1",))
    view = roster(floor)
    noon_ns = floor.now.market_ns
    evaluated = {
        AssignmentId("a"): EvaluatedAssignment(
            assignment_id=AssignmentId("a"), end_ns=noon_ns + MINUTE, is_behind=True
        ),
        AssignmentId("d"): EvaluatedAssignment(assignment_id=AssignmentId("d"), end_ns=noon_ns),
        AssignmentId("e"): EvaluatedAssignment(
            assignment_id=AssignmentId("e"), end_ns=None, is_stale=True
        ),
    }
    lines = written(write_strategies, view, evaluated).splitlines()
    assert lines[0].split() == [
        "assignment",
        "strategy",
        "symbol",
        "bars",
        "wants",
        "holds",
        "evaluated",
        "until",
        "last",
        "told",
        "until",
        "state",
    ]
    rows = [" ".join(line.split()) for line in lines[1:6]]
    assert rows == [
        "a sa T 1m 0.5 s1 5 2001-09-09 02:04:20 2001-09-09 02:03:20 a bar is not evaluated yet",
        "b sb T 1m 1 s1 4 of 10 - 2001-09-09 02:03:20 ok",
        "c sc T 1m 0 - - - suspended: line 3: nil",
        "d sd T 1m 0 - 2001-09-09 02:03:20 - has told nothing yet",
        "e se T 1m 0 - - - its prices are stale",
    ]
    assert "cross" in lines[-1]
    shown = json.loads(written(write_strategies, view, evaluated, as_json=True))
    assert shown["assignments"][0]["held"][0]["held_lots"] == 5
    assert shown["evaluated"][1]["end_ns"] == noon_ns
    text = written(write_assignment, view.assignments[0], evaluated)
    assert "evaluated until: 2001-09-09 02:04:20\n" in text
    only = msgspec.structs.replace(view, assignments=view.assignments[3:])
    shown = json.loads(written(write_strategies, only, evaluated, as_json=True))
    assert [one["assignment_id"] for one in shown["evaluated"]] == ["d", "e"]


def test_where_nobody_evaluates_it_is_said() -> None:
    """B33."""
    floor = strategy_floor()
    floor.assign()
    view = roster(floor)
    for text in (written(write_strategies, view), written(write_assignment, view.assignments[0])):
        assert "waits for its first decision" in text
        assert "no market process answers here" in text
    assert json.loads(written(write_strategies, roster(floor), as_json=True))["evaluated"] is None


def test_nothing_saved_says_how_to_save() -> None:
    text = written(write_strategies, StrategiesView(version=0))
    assert text == "no strategies are saved; save one with 'tandem strategy save FILE'\n"


def test_a_text_has_a_line_for_each_name_that_means_it() -> None:
    floor = strategy_floor()
    floor.ask(SaveStrategy(text=msgspec.structs.replace(CROSS, name="also")))
    for body in ("return 'flat'", "return 'short'"):
        floor.ask(SaveStrategy(text=msgspec.structs.replace(CROSS, text=body)))
    lines = written(write_strategies, roster(floor)).splitlines()
    assert [(line.split()[0], "older" in line) for line in lines[1:]] == [
        ("also", False),
        ("cross", True),
        ("cross", False),
    ]


def test_what_trades_by_orders_again_is_not_called_flat() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    floor.fill_all()
    floor.ask(Unassign(assignment_id=AssignmentId("a")))
    floor.assign()
    floor.fill_all()
    (one,) = roster(floor).assignments
    assert "state: flat: it is taken away" in written(write_assignment, one)
    floor.pass_time(MINUTE)
    floor.set(orders=(WantedOrder(side=Side.BUY, quantity=Lots(5)),))
    floor.fill_all()
    (one,) = roster(floor).assignments
    assert "state: ok" in written(write_assignment, one)


def test_one_assignment_is_shown_in_full() -> None:
    floor = strategy_floor()
    floor.assign(parameters={"fast": 3})
    floor.set(position=1, end_ns=floor.now.market_ns - 10**12)
    floor.set(position=0.5, stop_price=900, end_ns=floor.now.market_ns)
    floor.fill_all()
    floor.quote(890)
    (one,) = roster(floor).assignments
    text = written(write_assignment, one)
    assert "a: a decides T on 1m bars" in text
    assert "parameters: fast=3" in text
    assert "state: flat: its stop was reached; 1 dropped" in text
    assert "holds: s1 5 of 0 on A1" in text
    assert "last told: of the bar that ended 2001-09-09" in text
    assert json.loads(written(write_assignment, one, as_json=True))["dropped"] == 1
    floor.ask(Unassign(assignment_id=AssignmentId("a")))
    (one,) = roster(floor).assignments
    assert "state: leaving" in written(write_assignment, one)


def test_what_an_assignment_gained_stands_in_its_json() -> None:
    """B34."""
    floor = strategy_floor()
    floor.assign()
    (one,) = roster(floor).assignments
    gains = Gains(by=GroupBy.ASSIGNMENT, name="a", rows=(), curves=())
    out = io.StringIO()
    assert write_assignment(one, out, None, gains, as_json=True) == 0
    shown = json.loads(out.getvalue())
    assert (shown["gains"]["name"], shown["number"]) == ("a", one.number)


def test_why_something_is_not_held_yet_is_said() -> None:
    floor = strategy_floor()
    floor.assign(lots=Lots(10))
    floor.halt()
    floor.set(position=1)
    (one,) = roster(floor).assignments
    assert "state: s1: halted: enough" in written(write_assignment, one)


def test_a_text_is_shown_as_it_was_written() -> None:
    assert written(write_text, CROSS) == "return 'long'\n"
    assert json.loads(written(write_text, CROSS, as_json=True))["language"] == "lua"


def test_the_log_is_a_table_and_says_when_it_is_empty() -> None:
    """B15."""
    listed = instrument("T", X, "m", lot="0.5")
    floor = strategy_floor(instruments=(listed,))
    floor.assign()
    floor.set(position=1)
    view = show(floor.desk, AskDecisions(number=1), records=0)
    assert isinstance(view, DecisionsView)
    text = written(write_decisions, view)
    assert "taken" in text
    assert "1: s1 5.0" in text
    assert json.loads(written(write_decisions, view, as_json=True))["decisions"]
    assert written(write_decisions, DecisionsView(decisions=())) == "nothing was decided yet\n"
