"""A short run of `make million`, and the bugs that it must see."""

import pytest

from tests.simulation.million.makers import MAKERS
from tests.simulation.million.planted import PLANTED
from tests.simulation.million.running import run_seed


def test_no_own_orders_cross_and_every_promise_holds() -> None:
    """C1 C4 I1 I2 I3 I4 I5 I6 I7 I9 I10 I11: of all types and modes, amid deaths and restarts."""
    result = run_seed(1, 4_000)
    assert result.violations == []
    seen = result.seen
    assert {name for name, _, _ in MAKERS} <= {
        one.removeprefix("made: ") for one in seen if one.startswith("made: ")
    }
    for what in ("restarts", "venue restarts", "workers killed", "calms", "refused: self_trade"):
        assert seen[what] > 0, what
    for what in ("clearings", "decrements", "takeovers", "unknown_settled_absent"):
        assert result.counters[what] > 0, what


def test_one_seed_gives_the_same_run_twice() -> None:
    """C6 I11: so a violation is found again by its number."""
    assert run_seed(2, 300) == run_seed(2, 300)


@pytest.mark.parametrize("name", PLANTED)
def test_a_mechanism_that_is_taken_out_is_missed(name: str) -> None:
    """C1: a check that was never seen red is a hope."""
    undo = PLANTED[name]()
    try:
        assert run_seed(1, 20_000).violations
    finally:
        undo()
