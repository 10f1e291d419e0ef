"""Which records name an order."""

import pytest

from tandem.cli.log import _names


@pytest.mark.parametrize(
    ("said", "order", "is_named"),
    [
        ('["d1-2"]', "d1-2", True),
        ('["d1-2-1-1"]', "d1-2", True),
        ('["d1-20"]', "d1-2", False),
        ('["d1-20-1-1"]', "d1-2", False),
        ('["xd1-2"]', "d1-2", False),
    ],
)
def test_an_order_is_named_by_itself_and_by_its_parts(
    said: str, order: str, is_named: bool
) -> None:
    assert _names(said, order=order) is is_named
