"""What `tandem top` shows."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.top_text import (
    BARS,
    WHAT,
    WIDE,
    bars,
    counters_text,
    duration,
    evaluators_text,
    latencies_text,
    percentile,
    persons_text,
    slots_text,
)
from tandem.core.trading.latencies import BOUNDS_NS
from tandem.domain.halting import EvaluatorsView, EvaluatorView
from tandem.domain.ids import AccountId, ClientOrderId
from tandem.domain.views import ExternalView, LatencyView
from tests.unit.cli.test_screen import STATUS

EVALUATORS = EvaluatorsView(
    wanted=2,
    fewest=1,
    most=4,
    evaluators=(
        EvaluatorView(name="e1", is_here=True, held=3, waiting=5, is_leaving=False),
        EvaluatorView(name="tower-e1", is_here=False, held=0, waiting=0, is_leaving=True),
    ),
    open_tasks=8,
    oldest_ns=120_000_000,
    lost=1,
    redone=4,
    moved=7,
)


def latency(**counts: int) -> LatencyView:
    """Return a histogram with that many in buckets b0, b1, …"""
    cells = [0] * (len(BOUNDS_NS) + 1)
    for name, count in counts.items():
        cells[int(name[1:])] = count
    return LatencyView(what="taken_over", bounds_ns=BOUNDS_NS, counts=tuple(cells), total_us=1)


def test_a_histogram_is_drawn_under_its_scale() -> None:
    """C13."""
    scale, line = latencies_text([latency(b5=8, b6=1)]).splitlines()
    assert line.startswith("takeover")
    at = WHAT + 5 * WIDE
    assert line[at : at + 2 * WIDE] == "██▁▁"
    assert scale[: at + WIDE].endswith("524 µs")  # the bound of that bucket, at its end
    assert line.split()[-5:] == ["9", "524", "µs", "1.0", "ms"]


def test_evaluators_are_listed_with_what_they_have_and_how_many_are_wanted() -> None:
    """C13, B15."""
    lines = evaluators_text(EVALUATORS).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["evaluator", "machine", "has", "waiting"],
        ["e1", "here", "ready", "3", "5"],
        ["tower-e1", "elsewhere", "leaving", "0", "0"],
    ]
    assert lines[3] == (
        "2 wanted here (1 to 4); 8 bars wait, the oldest for 120 ms; "
        "1 evaluators lost, 4 bars done again, 7 series moved"
    )


def test_a_fixed_number_of_evaluators_has_no_bounds_and_without_any_nobody_is_listed() -> None:
    fixed = msgspec.structs.replace(EVALUATORS, fewest=2, most=2, evaluators=(), open_tasks=0)
    assert evaluators_text(fixed).splitlines()[1].startswith("2 wanted here; 0 bars wait; ")
    unknown = msgspec.structs.replace(EVALUATORS, wanted=None, fewest=2, most=2)
    assert evaluators_text(unknown).splitlines()[3].startswith("8 bars wait, the oldest")
    assert evaluators_text(None) == "none\n"


def test_without_histograms_there_is_nothing_to_draw() -> None:
    assert latencies_text([]) == ""


def test_an_empty_histogram_has_no_bars_and_no_numbers() -> None:
    line = latencies_text([latency()]).splitlines()[1]
    assert line.split() == ["takeover", "0", "-", "-"]


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=30))
def test_no_count_is_invisible_and_the_largest_is_full(counts: list[int]) -> None:
    drawn = bars(counts)[::WIDE]
    assert [one == " " for one in drawn] == [count == 0 for count in counts]
    if any(counts):
        assert drawn[counts.index(max(counts))] == BARS[-1]


@pytest.mark.parametrize(
    ("counts", "percent", "expected"),
    [
        ({}, 50, "-"),
        ({"b0": 1}, 99, "16 µs"),
        ({"b0": 1, "b6": 1}, 50, "16 µs"),
        ({"b0": 1, "b6": 2}, 50, "1.0 ms"),
        ({"b0": 98, "b6": 2}, 99, "1.0 ms"),
        ({"b23": 1}, 50, "> 69 s"),
    ],
)
def test_so_many_per_cent_lie_below_the_bound(
    counts: dict[str, int], percent: int, expected: str
) -> None:
    assert percentile(latency(**counts), percent) == expected


@pytest.mark.parametrize(
    ("span_ns", "text"),
    [(16_384, "16 µs"), (1_048_576, "1.0 ms"), (33_554_432, "34 ms"), (2_147_483_648, "2.1 s")],
)
def test_durations_are_short(span_ns: int, text: str) -> None:
    assert duration(span_ns) == text


def test_leases_are_shown_where_there_are_any() -> None:
    assert "leases" not in slots_text(STATUS)
    slot = msgspec.structs.replace(STATUS.slots[0], lease_left_ns=2_340_000_000)
    text = slots_text(msgspec.structs.replace(STATUS, slots=(slot,)))
    assert text.splitlines()[-1] == "leases left: w1 2.3 s"


def test_what_waits_for_a_person_says_what_to_type() -> None:
    """C13."""
    external = ExternalView(
        account_id=AccountId("A1"),
        unit="T@paper",
        symbol="T",
        moved="5",
        orders=(),
        waits=True,
        text="bought by somebody else",
    )
    known = msgspec.structs.replace(external, waits=False, text="explained")
    status = msgspec.structs.replace(
        STATUS,
        unknown=3,
        for_person=(ClientOrderId("d1-1-1-1"),),
        external=(external, known),
    )
    assert persons_text(status).splitlines() == [
        "3 unknown, 1 wait for a person",
        "  tandem orders resolve d1-1-1-1",
        "  A1 T@paper: bought by somebody else",
    ]


def test_counters_stand_in_as_many_columns_as_fit() -> None:
    counters = {"fills": 12, "audits": 3, "starts": 1}
    assert counters_text(counters.items(), width=80) == "audits 3  fills 12  starts 1\n"
    assert counters_text(counters.items(), width=20).splitlines() == [
        "audits 3  fills 12",
        "starts 1",
    ]
    assert counters_text(counters.items(), width=1).count("\n") == 3
    assert counters_text([], width=80) == ""
