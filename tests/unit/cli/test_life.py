"""An order's life as it is drawn."""

import io
import json

import msgspec
import pytest

from tandem.cli.life import LANE, TIME, arrow, drawing, show_life
from tandem.domain.ids import AccountId, ClientOrderId, CommandId, SlotId
from tandem.domain.views import AttemptView, Course, HopView, LifeView
from tests.unit.cli.test_following import WORKING

STEPS = (
    ("planned", 0, Course.COORDINATOR),
    ("released", 410_000, Course.TO_WORKER),
    ("sent by its worker", 620_000, Course.TO_VENUE),
    ("filled 10", 1_234_560_000, Course.FROM_VENUE),
)
ATTEMPT = AttemptView(
    client_order_id=ClientOrderId("d1-1-1-1"),
    slot_id=SlotId("w1"),
    account_id=AccountId("A1"),
    quantity="10",
    phase="final",
    status="filled",
    ending="filled",
    text="",
    filled="10",
    sends=1,
    for_person=False,
    hops=tuple(
        HopView(what=what, at_ns=77 + since_ns, course=course, since_command_ns=since_ns)
        for what, since_ns, course in STEPS
    ),
    command_id=CommandId("run:1"),
    workers=("p1", "p3"),
)
LIFE = LifeView(parents=(WORKING,), attempts=(ATTEMPT,))


def test_every_hop_is_a_line_with_its_way_and_its_time_since_the_command() -> None:
    """A36 C13."""
    assert drawing(ATTEMPT).splitlines() == [
        "d1-1-1-1  w1  A1: 10 of 10, 1 send, filled",
        "              coordinator   p3            exchange",
        "     0.00 ms  ●             ·             ·  planned",
        "     0.41 ms  ●────────────▶·             ·  released",
        "     0.62 ms  ·             ●────────────▶·  sent by its worker",
        " 1,234.56 ms  ·◀──────────────────────────●  filled 10",
    ]


@pytest.mark.parametrize("course", list(Course))
def test_every_course_is_as_wide(course: Course) -> None:
    assert len(arrow(course)) == 2 * LANE + 1


def test_what_went_the_other_way_points_the_other_way() -> None:
    assert arrow(Course.FROM_WORKER).rstrip("· ") == f"·◀{'─' * (LANE - 2)}●"


def test_an_attempt_that_is_open_says_where_it_is_and_who_must_look() -> None:
    open_one = msgspec.structs.replace(
        ATTEMPT, ending=None, phase="unknown", status="pending_new", for_person=True, workers=()
    )
    head, lanes = drawing(open_one).splitlines()[:2]
    assert head.endswith("1 send, unknown pending_new; waits for a person")
    assert lanes[TIME + LANE :].startswith("no worker ")
    refused = msgspec.structs.replace(ATTEMPT, ending="refused", text="funds")
    assert drawing(refused).splitlines()[0].endswith("refused: funds")


def test_an_order_is_shown_under_the_command_that_asked_for_it() -> None:
    """C13."""
    out = io.StringIO()
    assert show_life("d1-1", LIFE, out, as_json=False) == 0
    text = out.getvalue()
    assert text.startswith("command run:1\n")
    assert f"\n\n{drawing(ATTEMPT)}" in text


def test_programs_read_the_same() -> None:
    out = io.StringIO()
    assert show_life("d1-1", LIFE, out, as_json=True) == 0
    (attempt,) = json.loads(out.getvalue())["attempts"]
    assert attempt["command_id"] == "run:1"
    assert attempt["hops"][2] == {
        "what": "sent by its worker",
        "at_ns": 620_077,
        "course": "to_venue",
        "since_command_ns": 620_000,
    }


def test_a_command_that_was_refused_has_a_reason_instead_of_a_life() -> None:
    out = io.StringIO()
    view = LifeView(parents=(), attempts=(), refused="risk: too much")
    assert show_life("mine", view, out, as_json=False) == 1
    assert out.getvalue() == "command mine was refused: risk: too much\n"
    out = io.StringIO()
    assert show_life("mine", LifeView(parents=(), attempts=()), out, as_json=False) == 1
    assert out.getvalue() == "no order mine is known (any more)\n"


def test_an_order_that_the_exchange_ended_by_itself_says_why() -> None:
    """C1 A29."""
    ended = msgspec.structs.replace(ATTEMPT, ending="canceled", cause="self_match")
    head = drawing(ended).splitlines()[0]
    assert head.endswith("canceled by the exchange itself: it would have met an own order")
    odd = msgspec.structs.replace(ended, cause="other")
    assert drawing(odd).splitlines()[0].endswith("by the exchange itself: other")
