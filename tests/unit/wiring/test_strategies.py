"""How many evaluators a pool is started with."""

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.wiring.strategies import bounds_of, most_here, plan_strategies


@pytest.mark.parametrize(
    ("text", "bounds"), [("0", (0, 0)), ("3", (3, 3)), ("1-4", (1, 4)), ("64-64", (64, 64))]
)
def test_a_number_is_fixed_and_two_are_bounds(text: str, bounds: tuple[int, int]) -> None:
    """B15."""
    assert bounds_of(text) == bounds


@pytest.mark.parametrize("text", ["", "-", "-4", "1-", "4-1", "0-3", "65", "1-65", "x", "1-2-3"])
def test_bounds_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="such as 1-4"):
        bounds_of(text)


def test_a_computer_keeps_a_processor_for_the_rest_where_it_has_some() -> None:
    assert [most_here(count) for count in (1, 2, 3, 4, 16, 256)] == [1, 2, 2, 3, 15, 64]


def test_unless_told_the_pool_is_elastic_from_one() -> None:
    """B15, B23."""
    plan = plan_strategies(None)
    assert plan is not None
    assert plan.evaluators == 1
    assert plan.evaluators_most >= 1


def test_none_is_a_plan_only_where_others_may_evaluate() -> None:
    assert plan_strategies("0") is None
    plan = plan_strategies("0", may_be_elsewhere=True)
    assert plan is not None
    assert (plan.evaluators, plan.evaluators_most) == (0, 0)
