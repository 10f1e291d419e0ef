"""`tandem limits`: what is typed, and what is shown."""

import io
import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.calling import BadInputError
from tandem.cli.limits import set_command, show_limits
from tandem.domain.commands import SetLimits
from tandem.domain.errors import ConfigurationError, OffGridError
from tandem.domain.ids import AccountId, InstrumentId, VenueId
from tandem.domain.limits import LimitChanges
from tandem.domain.views import CatalogueView, LimitsView, LimitView, ScopeView
from tests.unit.core.trading.desk_driver import instrument

X, Y = VenueId("X"), VenueId("Y")
CATALOGUE = CatalogueView(
    instruments=(instrument("T", X, "m"), instrument("T", Y, "n")), slots=(), venues={}
)
LINES = (
    LimitView(name="max_notional", unit="", limit="500", settings="1000", is_set=True),
    LimitView(name="max_open_orders", unit="", limit="9", used="4", left="5", settings="7"),
    LimitView(name="max_daily_loss", unit="USD", limit="10", used="0", left="10"),
)
VIEW = LimitsView(
    scopes=(
        ScopeView(account_id=None, trading="reducing", reason="by hand", limits=LINES),
        ScopeView(account_id=AccountId("A1"), trading="active", reason="", limits=LINES[2:]),
    )
)


def typed(*pairs: str, account: str | None = None) -> SetLimits:
    return set_command(pairs, account, CATALOGUE)


def test_limits_are_typed_with_or_without_their_units() -> None:
    """A28."""
    command = typed(
        "max_notional=50000.5",
        "price_collar=2.5%",
        "duplicate_window=500ms",
        "max_reference_age_ns=7000000",
        "max_open_orders=3",
        "restricted=GME, AMC",
        "max_quantity=T:5",
        "max_daily_loss=default",
        account="A1",
    )
    assert command.account_id == "A1"
    assert command.reset == ("max_daily_loss",)
    assert command.changes == LimitChanges(
        max_notional=Decimal("50000.5"),
        price_collar_ppm=25_000,
        duplicate_window_ns=500_000_000,
        max_reference_age_ns=7_000_000,
        max_open_orders=3,
        restricted=("GME", "AMC"),
        max_quantity={InstrumentId("T@X"): 5, InstrumentId("T@Y"): 5},
    )
    assert typed("price_collar_ppm=7").changes == LimitChanges(price_collar_ppm=7)


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("max_fun=1", "expected NAME=VALUE"),
        ("max=1", "expected NAME=VALUE"),
        ("max_open_orders", "expected NAME=VALUE"),
        ("max_open_orders=many", "max_open_orders='many': expected a number"),
        ("max_notional=x", "max_notional='x': expected a number"),
        ("price_collar=x%", "expected a number"),
        ("duplicate_window=x", "duration 'x'"),
        ("max_quantity=Z:1", "expected SYMBOL:QUANTITY"),
    ],
)
def test_what_is_no_limit_is_refused_with_what_was_expected(pair: str, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        typed(pair)


def test_a_limit_beyond_its_bound_or_off_the_grid_is_refused() -> None:
    """I10."""
    with pytest.raises(ConfigurationError, match="max_open_orders is 0"):
        typed("max_open_orders=0")
    with pytest.raises(OffGridError):
        typed("max_quantity=T:0.5")
    with pytest.raises(BadInputError, match="expected NAME=VALUE"):
        typed()


def test_limits_are_shown_by_scope_with_what_was_set() -> None:
    out = io.StringIO()
    assert show_limits(VIEW, out, account=None, as_json=False) == 0
    lines = out.getvalue().splitlines()
    assert lines[0] == "desk: reducing (by hand)"
    assert lines[2].split(maxsplit=5)[5] == "set here; started with 1000"
    assert lines[3].split(maxsplit=5)[5] == "set for the desk; started with 7"
    assert lines[4].split() == ["max_daily_loss", "USD", "10", "0", "10"]
    assert lines[5] == "A1: active"


def test_one_account_can_be_shown_and_an_unknown_one_is_refused() -> None:
    out = io.StringIO()
    show_limits(VIEW, out, account="A1", as_json=True)
    (scope,) = json.loads(out.getvalue())["scopes"]
    assert scope["account_id"] == "A1"
    with pytest.raises(BadInputError, match="--account A9: expected one of A1"):
        show_limits(VIEW, out, account="A9", as_json=False)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_command_or_a_clear_error(text: str) -> None:
    for name in ("max_notional", "price_collar", "duplicate_window", "max_quantity", "restricted"):
        try:
            command = typed(f"{name}={text}")
        except (BadInputError, ConfigurationError, OffGridError):
            continue
        assert len(command.changes.named) + len(command.reset) == 1


def test_symbols_that_a_person_halted_are_said_above_the_limits() -> None:
    """A28."""
    scopes = (msgspec.structs.replace(VIEW.scopes[0], halted={"T": "odd prints"}),)
    out = io.StringIO()
    assert show_limits(LimitsView(scopes=scopes), out, account=None, as_json=False) == 0
    assert out.getvalue().splitlines()[:2] == [
        "desk: reducing (by hand)",
        "T is halted: odd prints",
    ]
