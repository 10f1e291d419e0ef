"""Commands that cannot be are refused before anybody hears of them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.commands import (
    SYMBOL_MAX,
    SYMBOLS_MAX,
    TIMES_NS_MAX,
    ClearObjectives,
    SetObjectives,
)
from tandem.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "no objective"),
        ({"target_profit": Decimal(0)}, "target_profit is 0"),
        ({"loss_limit": Decimal("Infinity")}, "loss_limit is Infinity"),
        ({"lasts_ns": 0}, "lasts_ns is 0"),
        ({"flat_after_ns": TIMES_NS_MAX}, "flat_after_ns is"),
        ({"flat_by_market_ns": 1, "flat_after_ns": 1}, "expected one of them"),
        ({"lasts_ns": 1, "symbols": ("T",) * (SYMBOLS_MAX + 1)}, "at most 1000 symbols"),
        ({"lasts_ns": 1, "symbols": ("T" * (SYMBOL_MAX + 1),)}, "at most 1000 symbols"),
    ],
)
def test_objectives_that_cannot_be_are_refused(fields: dict[str, Any], says: str) -> None:
    """A1."""
    with pytest.raises(ConfigurationError, match=says):
        SetObjectives(currency="USD", **fields)


@given(st.integers(1, TIMES_NS_MAX - 1))
def test_objectives_survive_the_wire(lasts_ns: int) -> None:
    command = SetObjectives(currency="USD", lasts_ns=lasts_ns, loss_limit=Decimal("0.01"))
    content = msgspec.msgpack.encode(command)
    decoded = msgspec.msgpack.decode(content, type=SetObjectives | ClearObjectives)
    assert decoded == command
