"""`tandem objectives`: what is typed, and what is shown."""

import io
import json
from decimal import Decimal

import pytest

from tandem.cli.calling import BadInputError
from tandem.cli.objectives import ObjectiveOptions, set_command, show_objectives
from tandem.domain.commands import AtObjective, SetObjectives
from tandem.domain.errors import ConfigurationError
from tandem.domain.views import ObjectivesView

SECOND = 1_000_000_000
NOON_NS = 1_800_014_400 * SECOND  # 2027-01-15 12:00


def test_objectives_are_typed_as_sums_spans_and_moments() -> None:
    """A1."""
    options = ObjectiveOptions(
        target_profit="500",
        loss_limit="250.5",
        lasts="2m",
        flat_by="12:30",
        then="flatten",
        symbols="T, U",
    )
    assert set_command(options, market_ns=NOON_NS) == SetObjectives(
        currency="USD",
        target_profit=Decimal(500),
        loss_limit=Decimal("250.5"),
        lasts_ns=120 * SECOND,
        flat_by_market_ns=NOON_NS + 1_800 * SECOND,
        then=AtObjective.FLATTEN,
        symbols=("T", "U"),
    )
    after = set_command(ObjectiveOptions(flat_after="5m"), market_ns=NOON_NS)
    assert after == SetObjectives(currency="USD", flat_after_ns=300 * SECOND)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (ObjectiveOptions(), ConfigurationError, "no objective"),
        (ObjectiveOptions(target_profit="much"), BadInputError, "--target-profit 'much'"),
        (ObjectiveOptions(loss_limit="-1"), ConfigurationError, "loss_limit is -1"),
        (ObjectiveOptions(loss_limit="nan"), ConfigurationError, "loss_limit is NaN"),
        (ObjectiveOptions(flat_by="then"), BadInputError, "'then': expected"),
    ],
)
def test_what_is_no_objective_is_refused_with_what_was_expected(
    options: ObjectiveOptions, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        set_command(options, market_ns=NOON_NS)


def shown(view: ObjectivesView) -> list[str]:
    out = io.StringIO()
    assert show_objectives(view, out, as_json=False) == 0
    return out.getvalue().splitlines()


def test_objectives_are_shown_with_the_gain_and_what_is_still_open() -> None:
    view = ObjectivesView(
        phase="flattening",
        currency="USD",
        symbols=("T",),
        target_profit=Decimal(500),
        loss_limit=Decimal(200),
        then="stop",
        gain=Decimal("1234.5"),
        flat_at_ns=NOON_NS,
        ends_at_ns=NOON_NS,
        reached="it is time to be flat",
        note="T on A1: halted",
        open_positions=("A1 10 T",),
    )
    assert shown(view) == [
        "flattening: T in USD; gain 1,234.5 USD",
        "target profit 500: then stop",
        "loss limit 200: then stop",
        f"ends at {shown_moment()}: then stop",
        f"begins to flatten at {shown_moment()}",
        "reached: it is time to be flat",
        "note: T on A1: halted",
        "still open: A1 10 T",
    ]


def shown_moment() -> str:
    (line,) = [
        one
        for one in shown(ObjectivesView(phase="watching", currency="USD", flat_at_ns=NOON_NS))
        if one.startswith("begins")
    ]
    assert "12:00" in line
    return line.removeprefix("begins to flatten at ")


def test_no_objectives_are_said_and_json_holds_everything() -> None:
    assert shown(ObjectivesView(phase="none")) == ["no objectives"]
    assert shown(ObjectivesView(phase="watching", currency="USD")) == [
        "watching: everything in USD; gain not known yet"
    ]
    out = io.StringIO()
    show_objectives(ObjectivesView(phase="none"), out, as_json=True)
    assert json.loads(out.getvalue())["phase"] == "none"
