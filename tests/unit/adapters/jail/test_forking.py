"""What is seen of a tenant's process from outside."""

import pytest

from tandem.adapters.jail.forking import is_asleep


@pytest.mark.parametrize(
    ("status", "asleep"),
    [
        (b"12 (python) R 1 12 12 0", False),
        (b"12 (python) D 1 12 12 0", False),
        (b"12 (python) S 1 12 12 0", True),
        (b"12 (a) R 1 (b) T 1 12 12 0", True),
        (b"12 (python) Z 1 12 12 0", True),
    ],
)
def test_who_waits_for_the_system_is_not_asleep(status: bytes, asleep: bool) -> None:
    """B32: what the system keeps from a strategy is not held against it."""
    assert is_asleep(status) is asleep
