"""Limits that cannot be are refused, and none can be switched off."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId
from tandem.domain.limits import BOUNDS, MONEY, MONEY_MAX, Limits, Session


def test_the_defaults_are_within_their_bounds_and_survive_the_wire() -> None:
    content = msgspec.msgpack.encode(Limits())
    assert msgspec.msgpack.decode(content, type=Limits) == Limits()


def limits(name: str, setting: object) -> Limits:
    settings: dict[str, Any] = {name: setting}
    return Limits(**settings)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_count_outside_its_bounds_is_refused(name: str) -> None:
    """I10."""
    low, high = BOUNDS[name]
    for good in (low, high):
        assert getattr(limits(name, good), name) == good
    for bad in (low - 1, high + 1, 0, -1):
        with pytest.raises(ConfigurationError, match=f"{name} is {bad}, expected {low} to {high}"):
            limits(name, bad)


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "sNaN", "Infinity", "1000000000000000.01"])
def test_an_amount_that_is_no_finite_limit_is_refused(name: str, bad: str) -> None:
    """I10."""
    assert getattr(limits(name, MONEY_MAX), name) == MONEY_MAX
    with pytest.raises(ConfigurationError, match=f"{name} is {bad}, expected above 0"):
        limits(name, Decimal(bad))


@pytest.mark.parametrize("bad", [0, -1, 2**53 + 1])
def test_a_quantity_that_is_no_limit_is_refused(bad: int) -> None:
    good = {InstrumentId("T@x"): 1, InstrumentId("F@x"): 2**53}
    assert Limits(max_quantity=good).max_quantity == good
    with pytest.raises(ConfigurationError, match=f"max_quantity of T@x is {bad}"):
        Limits(max_quantity={InstrumentId("T@x"): bad})


@pytest.mark.parametrize("end_ns", [7, 6])
def test_a_session_that_never_opens_is_refused(end_ns: int) -> None:
    assert Session(begin_ns=7, end_ns=8).end_ns == 8
    with pytest.raises(ConfigurationError, match=f"begin_ns 7 is not before end_ns {end_ns}"):
        Session(begin_ns=7, end_ns=end_ns)


def test_restricted_symbols_are_kept_sorted() -> None:
    assert Limits(restricted=("T", "F", "X")).restricted == ("F", "T", "X")


def test_bounds_are_checked_when_limits_are_read_too() -> None:
    content = msgspec.msgpack.encode(Limits(max_open_orders=7)).replace(b"\x07", b"\x00")
    with pytest.raises(ConfigurationError, match="max_open_orders is 0"):
        msgspec.msgpack.decode(content, type=Limits)
