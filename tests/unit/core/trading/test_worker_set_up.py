"""A worker's set-up: whole bundles count, garbled ones leave what was there."""

import msgspec

from tandem.core.trading.worker_set_up import WorkerSetUp
from tandem.domain.bundle import Bundle
from tandem.domain.desk import VenueSettings
from tandem.domain.ids import VenueId
from tandem.domain.limits import Limits
from tandem.domain.link import BundlePart

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
