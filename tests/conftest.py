"""Settings shared by all tests."""

from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

# `check` draws the same examples on every machine, so that a commit that passed here passes
# everywhere. `wide` searches: pytest --hypothesis-profile=wide.
settings.register_profile("check", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("wide", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("check")

UNIT = Path(__file__).parent / "unit"
MEASURED = (UNIT / "core", UNIT / "domain")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count as covered only what written examples of core and domain reach.

    What is covered must not hang on what is drawn, nor on tests of something else that happen to
    pass there; and under a tracer a property takes five times as long.
    """
    for item in items:
        is_property = isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
        if is_property or not any(map(item.path.is_relative_to, MEASURED)):
            item.add_marker(pytest.mark.no_cover)
