"""A worker's set-up: whole bundles count, garbled ones leave what was there."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.risk import TradingState
from tandem.core.trading.worker_set_up import WorkerSetUp
from tandem.domain.bundle import Bundle
from tandem.domain.desk import VenueSettings
from tandem.domain.ids import AccountId, VenueId
from tandem.domain.limits import LimitChanges, Limits
from tandem.domain.link import BundlePart, Limit, Limited

X, Y = VenueId("x"), VenueId("y")
CONTENT = msgspec.msgpack.encode(
    Bundle(
        strategies=(),
        instruments=(),
        venues=(VenueSettings(venue_id=X, skew_ns=7),),
        limits=Limits(),
    )
)


def part(content: bytes, index: int = 0, count: int = 1) -> BundlePart:
    return BundlePart(index=index, count=count, content=content)


def test_only_the_whole_bundle_sets_a_worker_up() -> None:
    """A5."""
    set_up = WorkerSetUp()
    assert (set_up.skew_ns(X), set_up.read_lag_ns(X), set_up.instruments) == (0, 0, ())
    assert not set_up.take(part(CONTENT[:5], 0, 2))
    assert set_up.bundle_hash is None
    assert set_up.take(part(CONTENT[5:], 1, 2))
    assert not set_up.is_garbled
    assert (set_up.skew_ns(X), set_up.skew_ns(Y), set_up.skew_ns(None)) == (7, 0, 0)
    assert set_up.read_lag_ns(X) == VenueSettings(venue_id=X).read_lag_ns


def test_a_garbled_bundle_is_confirmed_by_its_own_hash_and_changes_nothing_else() -> None:
    set_up = WorkerSetUp()
    set_up.take(part(CONTENT))
    before = set_up.bundle_hash
    assert set_up.take(part(b"nonsense"))
    assert set_up.is_garbled
    assert set_up.bundle_hash != before
    assert set_up.skew_ns(X) == 7


def limit(number: int, *, reduces: bool = False, **changes: int) -> Limit:
    return Limit(
        account_id=AccountId("A"),
        account_epoch=1,
        number=number,
        changes=LimitChanges(**changes),  # type: ignore[arg-type]
        reduces=reduces,
    )


def test_the_limits_are_the_bundle_s_with_what_a_person_set_since() -> None:
    """A28."""
    set_up = WorkerSetUp()
    set_up.take(part(CONTENT))
    assert set_up.limits is set_up.limits
    assert set_up.limits == Limits()
    assert [set_up.state] == [TradingState.ACTIVE]
    told = set_up.limit(limit(2, max_open_orders=3, reduces=True))
    assert told == Limited(account_id=AccountId("A"), account_epoch=1, number=2)
    assert set_up.limits == Limits(max_open_orders=3)
    assert [set_up.state] == [TradingState.REDUCING]


def test_older_limits_do_not_replace_newer_ones_and_another_account_has_none_of_them() -> None:
    set_up = WorkerSetUp()
    set_up.take(part(CONTENT))
    set_up.limit(limit(2, max_open_orders=3))
    assert set_up.limit(limit(1, max_open_orders=9)).number == 2
    assert set_up.limits.max_open_orders == 3
    set_up.take(part(CONTENT))
    assert set_up.limits.max_open_orders == 3
    set_up.forget_limit()
    assert set_up.limits == Limits()


@given(st.permutations(range(1, 6)))
def test_whatever_comes_in_which_order_the_newest_limits_count(numbers: list[int]) -> None:
    set_up = WorkerSetUp()
    set_up.take(part(CONTENT))
    for number in numbers:
        set_up.limit(limit(number, max_open_orders=number))
    assert set_up.limits.max_open_orders == 5
