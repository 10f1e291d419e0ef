"""What a person types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.calling import BadInputError
from tandem.cli.typed import Choice, duration_ns
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


@given(st.text(max_size=20))
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    try:
        assert duration_ns(text) > 0
    except BadInputError:
        return


def test_slots_are_chosen_by_name_or_number() -> None:
    assert CHOICE.slots(None, None) == ()
    assert CHOICE.slots("w1,w3", None) == ("w1", "w3")
    assert CHOICE.slots(None, 4) == SLOTS[:4]
    assert CHOICE.all_slots == SLOTS


@pytest.mark.parametrize(
    ("names", "accounts", "expected"),
    [("w9", None, "no slot 'w9'"), (None, 9, "1 to 8"), (None, 0, "1 to 8"), ("w1", 1, "one of")],
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
