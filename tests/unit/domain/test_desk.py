"""Settings of a desk that cannot be are refused by name."""

from decimal import Decimal

import pytest

from tandem.domain.desk import SECOND, DeskSettings, Timings, VenueSettings
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import DeskId, VenueId
from tandem.domain.limits import Limits
from tandem.domain.link import BUNDLE_BYTES_MAX

X = VenueId("X")


@pytest.mark.parametrize("name", Timings.__struct_fields__)
@pytest.mark.parametrize("time_ns", [0, -1])
def test_the_desk_waits_for_something_each_time(name: str, time_ns: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is {time_ns}, expected above 0"):
        Timings(**{name: time_ns})


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({"release_by_ns": 0}, "release_by_ns 0 is not within 1 to validity_ns, 1000000000"),
        ({"release_by_ns": SECOND + 1}, "is not within"),
        ({"validity_ns": 1}, "is not within 1 to validity_ns, 1"),
        ({"skew_ns": -1}, "skew_ns -1 or read_lag_ns 50000000 is negative"),
        ({"read_lag_ns": -1}, "read_lag_ns -1 is negative"),
    ],
)
def test_nothing_is_released_later_than_it_is_valid(times: dict[str, int], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        VenueSettings(venue_id=X, **times)


def settings_of(**changes: object) -> DeskSettings:
    fields: dict[str, object] = {
        "desk_id": DeskId("d"),
        "slots": (),
        "venues": (),
        "instruments": (),
        "limits": Limits(),
    }
    return DeskSettings(**(fields | changes))  # type: ignore[arg-type]


def test_a_bundle_of_five_megabytes_is_taken_and_one_more_byte_is_not() -> None:
    """A38."""
    assert len(settings_of(bundle=bytes(BUNDLE_BYTES_MAX)).bundle) == 5_000_000
    with pytest.raises(ConfigurationError, match="bundle of 5000001 bytes"):
        settings_of(bundle=bytes(BUNDLE_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "change", [{"attempts_max": 0}, {"finished_max": -1}, {"market_speed": Decimal(0)}]
)
def test_numbers_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a(t least|bove)"):
        settings_of(**change)


def test_a_venue_that_is_never_late_is_a_venue() -> None:
    settings = VenueSettings(venue_id=X, skew_ns=0, read_lag_ns=0, release_by_ns=SECOND)
    assert settings.validity_ns == SECOND
