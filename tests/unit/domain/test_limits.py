"""Limits that cannot be are refused, and none can be switched off."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import InstrumentId, MarketId
from tandem.domain.limits import (
    BOUNDS,
    MONEY,
    MONEY_MAX,
    SESSIONS_MAX,
    LimitChanges,
    Limits,
    Session,
    changed,
    closed,
    merged,
    without,
)


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


def test_what_a_person_set_is_the_limit_and_the_rest_stays() -> None:
    """A28."""
    t, u = InstrumentId("T@x"), InstrumentId("U@x")
    before = Limits(max_quantity={t: 5, u: 7})
    after = changed(before, LimitChanges(max_open_orders=3, max_quantity={u: 2}))
    assert (after.max_open_orders, after.max_quantity) == (3, {t: 5, u: 2})
    assert after.max_notional == before.max_notional
    assert changed(before, LimitChanges()) is before


def changes_of(counts: dict[str, int]) -> LimitChanges:
    fields: dict[str, Any] = dict(counts)
    return LimitChanges(**fields)


def test_no_change_can_set_a_limit_beyond_its_bound() -> None:
    """I10: nor can one come over the wire."""
    for name, (low, _) in BOUNDS.items():
        with pytest.raises(ConfigurationError, match=name):
            changes_of({name: low - 1})
    with pytest.raises(ConfigurationError, match="max_notional"):
        LimitChanges(max_notional=Decimal("Infinity"))
    content = msgspec.msgpack.encode(LimitChanges(max_open_orders=7)).replace(b"\x07", b"\x00")
    with pytest.raises(ConfigurationError, match="max_open_orders"):
        msgspec.msgpack.decode(content, type=LimitChanges)


def test_of_two_changes_the_one_above_counts_and_either_can_be_taken_back() -> None:
    t, u = InstrumentId("T@x"), InstrumentId("U@x")
    below = LimitChanges(max_open_orders=3, max_duplicates=4, max_quantity={t: 1})
    above = LimitChanges(max_open_orders=9, max_quantity={u: 2})
    both = merged(below, above=above)
    assert both.named == {"max_open_orders": 9, "max_duplicates": 4, "max_quantity": {t: 1, u: 2}}
    assert merged(LimitChanges(), above=above) == above
    assert merged(below, above=LimitChanges()) is below
    assert without(both, ("max_open_orders", "max_quantity")).named == {"max_duplicates": 4}


@given(
    st.lists(
        st.dictionaries(st.sampled_from(sorted(BOUNDS)), st.integers(min_value=1, max_value=9)),
        max_size=5,
    )
)
def test_changes_merged_are_changes_made_one_after_the_other(
    several: list[dict[str, int]],
) -> None:
    low = {name: bound[0] for name, bound in BOUNDS.items()}
    changes = [
        changes_of({name: low[name] + count for name, count in one.items()}) for one in several
    ]
    limits, whole = Limits(), LimitChanges()
    for one in changes:
        limits, whole = changed(limits, one), merged(whole, above=one)
    assert changed(Limits(), whole) == limits


def test_sessions_come_one_after_the_other_and_are_not_too_many() -> None:
    """A28."""
    early, late = Session(begin_ns=1, end_ns=5), Session(begin_ns=5, end_ns=9)
    assert Limits(sessions=(early, late)).sessions == (early, late)
    with pytest.raises(ConfigurationError, match="sessions: 1 begins before 9"):
        Limits(sessions=(late, early))
    many = tuple(Session(begin_ns=n, end_ns=n + 1) for n in range(SESSIONS_MAX + 1))
    with pytest.raises(ConfigurationError, match="at most 5000"):
        Limits(sessions=many)


def test_limits_that_were_recorded_without_sessions_are_read_as_always_open() -> None:
    content = msgspec.msgpack.encode(list(msgspec.structs.astuple(Limits()))[:13])
    assert msgspec.msgpack.decode(content, type=Limits) == Limits()


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12, unique=True), st.integers(-1, 52))
def test_it_is_open_exactly_within_one_of_its_sessions(edges: list[int], at: int) -> None:
    pairs = sorted(edges)[: len(edges) // 2 * 2]
    windows = tuple(
        Session(begin_ns=begin, end_ns=end)
        for begin, end in zip(pairs[::2], pairs[1::2], strict=True)
    )
    inside = any(one.begin_ns <= at < one.end_ns for one in windows)
    assert Limits(sessions=windows).is_open(at) is inside


def test_limits_closed_to_symbols_restrict_them_beside_what_they_restricted() -> None:
    """A28: what a person halted."""
    limits = Limits(restricted=("GME",))
    assert closed(limits, ["T", "AMC", "T"]).restricted == ("AMC", "GME", "T")
    assert closed(limits, ["GME"]) is limits


def test_a_market_may_have_sessions_of_its_own() -> None:
    """A29: others have those of all; an empty one is always open."""
    day = (Session(begin_ns=1, end_ns=5),)
    limits = Limits(sessions=day, market_sessions={MarketId("coins"): ()})
    assert [limits.is_open(7, one) for one in (None, MarketId("x"), MarketId("coins"))] == [
        False,
        False,
        True,
    ]
    late = (Session(begin_ns=6, end_ns=9), Session(begin_ns=1, end_ns=5))
    with pytest.raises(ConfigurationError, match="sessions: 1 begins before 9"):
        Limits(market_sessions={MarketId("coins"): late})
