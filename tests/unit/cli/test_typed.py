"""What a person types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.calling import BadInputError
from tandem.cli.typed import Choice, duration_ns, moment_text, until_ns
from tandem.core.matching import listing
from tandem.domain.errors import OffGridError
from tandem.domain.ids import SlotId
from tandem.domain.views import CatalogueView

SLOTS = tuple(SlotId(f"w{number}") for number in range(1, 9))
CHOICE = Choice(CatalogueView(instruments=listing.instruments(), slots=SLOTS, venues={}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500_000_000), ("30s", 30 * 10**9), ("5m", 300 * 10**9), ("1.5h", 5_400 * 10**9)],
)
def test_durations_have_units(text: str, expected: int) -> None:
    assert duration_ns(text) == expected


@pytest.mark.parametrize("text", ["", "30", "s", "-3s", "0s", "3 s", "1e3s", "3d", "٣s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="30s"):
        duration_ns(text)


def test_a_duration_without_end_is_refused() -> None:
    assert duration_ns("87600h") == 315_360_000 * 10**9
    with pytest.raises(BadInputError, match="at most 87600h"):
        duration_ns("87600.1h")


@given(st.text(max_size=20))
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    try:
        assert duration_ns(text) > 0
    except BadInputError:
        return


NOON_NS = 20_000 * 86_400 * 10**9 + 12 * 3_600 * 10**9  # 2024-10-04


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", "2024-10-04 12:01:30"),
        ("15:30", "2024-10-04 15:30:00"),
        ("15:30:07", "2024-10-04 15:30:07"),
        ("9:00", "2024-10-05 09:00:00"),  # the next one
        ("12:00", "2024-10-05 12:00:00"),
        ("2024-10-09T08:00", "2024-10-09 08:00:00"),
        ("2024-10-09T08:00:00+02:00", "2024-10-09 06:00:00"),
        ("2024-10-09T08:00:00Z", "2024-10-09 08:00:00"),
    ],
)
def test_a_moment_is_a_span_from_now_or_a_time_in_utc(text: str, expected: str) -> None:
    """A7."""
    assert moment_text(until_ns(text, market_ns=NOON_NS)) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "12:60", "12:00:60", "2024-13-01", "0s"])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="expected"):
        until_ns(text, market_ns=NOON_NS)


def test_a_moment_that_is_over_is_refused_and_the_time_said() -> None:
    with pytest.raises(BadInputError, match="is over: the market is at 2024-10-04 12:00:00"):
        until_ns("2024-10-04T12:00", market_ns=NOON_NS)


@given(st.text(max_size=20), st.integers(0, 10**19))
def test_any_text_is_a_moment_to_come_or_refused(text: str, market_ns: int) -> None:
    try:
        assert until_ns(text, market_ns=market_ns) > market_ns
    except BadInputError:
        return


def test_slots_are_chosen_by_name_or_number() -> None:
    assert CHOICE.slots(None, None) == ()
    assert CHOICE.slots("w1,w3", None) == CHOICE.slots("w1, w3,w1", None) == ("w1", "w3")
    assert CHOICE.slots(None, 4) == SLOTS[:4]
    assert CHOICE.all_slots == SLOTS


@pytest.mark.parametrize(
    ("names", "accounts", "expected"),
    [
        ("w9", None, "--slots: no slot 'w9'"),
        (",", None, "--slots ',': expected slots such as w1,w2"),
        ("", None, "expected slots such as"),
        (None, 9, "1 to 8"),
        (None, 0, "1 to 8"),
        ("w1", 1, "one of"),
    ],
)
def test_other_slots_are_refused(names: str | None, accounts: int | None, expected: str) -> None:
    with pytest.raises(BadInputError, match=expected):
        CHOICE.slots(names, accounts)


def test_prices_and_quantities_lie_on_the_grid_of_the_symbol() -> None:
    assert CHOICE.price("TSLA", text="650.01") == 65_001
    assert CHOICE.quantity("BTCUSD", text="0.5") == 50_000_000
    with pytest.raises(OffGridError):
        CHOICE.price("TSLA", text="650.001")
    with pytest.raises(BadInputError, match="traded here: AAL"):
        CHOICE.quantity("NOPE", text="1")
