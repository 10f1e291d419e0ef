"""Settings shared by all tests."""

from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

# `check` draws the same examples on every machine, so that a commit that passed here passes
# everywhere. `wide` searches: pytest --hypothesis-profile=wide.
settings.register_profile("check", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("wide", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("check")

UNMEASURED = Path(__file__).parent / "unit" / "strategies"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count as covered only what written examples reach.

    What is covered must not hang on what is drawn; and under a tracer a property takes five times
    as long. So do the tests of what users write, of which nothing is measured.
    """
    for item in items:
        is_property = isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
        if is_property or item.path.is_relative_to(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)
