"""Objectives in a trader's words."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.core.trading.showing_objectives import objectives_view
from tandem.domain.commands import AtObjective, SetObjectives
from tandem.domain.control import AskObjectives, AskStatus
from tandem.domain.views import ObjectivesView, StatusView
from tests.unit.core.trading.desk_driver import SECOND, Floor


def look(floor: Floor) -> ObjectivesView:
    before = floor.desk.snapshot()
    view = show(floor.desk, AskObjectives(number=1), records=0, now=floor.now)
    assert floor.desk.snapshot() == before
    assert isinstance(view, ObjectivesView)
    return view


def notes(floor: Floor) -> tuple[str, ...]:
    status = show(floor.desk, AskStatus(number=1), records=0)
    assert isinstance(status, StatusView)
    return status.notes


def test_without_objectives_only_the_market_s_time_is_shown() -> None:
    floor = Floor().open()
    assert look(floor) == ObjectivesView(phase="none", market_ns=floor.now.market_ns)
    assert notes(floor) == ()


def test_what_was_set_and_what_became_of_it_is_shown() -> None:
    """A1: status says which was reached."""
    floor = Floor().open()
    command = SetObjectives(
        currency="USD",
        target_profit=Decimal(5_000),
        lasts_ns=9 * SECOND,
        then=AtObjective.FLATTEN,
        symbols=("T",),
    )
    floor.ask(command)
    view = look(floor)
    assert view.phase == "watching"
    assert (view.gain, view.target_profit) == (Decimal(0), Decimal(5_000))
    assert (view.then, view.symbols, view.flat_at_ns) == ("flatten", ("T",), None)
    assert view.ends_at_ns == floor.now.market_ns + 9 * SECOND
    assert view.open_positions[0] == "A1 1000 T"
    assert len(view.open_positions) == 4
    floor.halt()
    floor.pass_time(10 * SECOND)
    assert notes(floor) == (
        "objective reached: the time is over; everything is being closed",
        "objectives: T on A1: halted, and 3 more",
    )


@given(st.integers(1, 2**60))
def test_a_time_is_shown_as_it_was_set(lasts_ns: int) -> None:
    floor = Floor(is_checked=False).open()
    floor.ask(SetObjectives(currency="USD", lasts_ns=lasts_ns))
    view = objectives_view(floor.state, floor.desk.rules, floor.now)
    assert view.ends_at_ns == floor.now.market_ns + lasts_ns
