"""What Prometheus reads: every number of the desk, once, under its name."""

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tandem.adapters.prometheus.exposition import exposition, slot_state, worker_state
from tandem.core.trading.latencies import BOUNDS_NS
from tandem.domain.halting import EvaluatorsView, EvaluatorView
from tandem.domain.ids import AccountId, ClientOrderId, SlotId
from tandem.domain.views import LatencyView, SlotView, StatusView, WorkerView

SLOT = SlotView(
    slot_id=SlotId("w1"),
    account_id=AccountId("A1"),
    venue_id="paper",
    fence_class="A",
    active=True,
    ready=True,
    worker="p1",
    pid=10,
    epoch=1,
    open_orders=3,
)
WORKER = WorkerView(name="p1", pid=10, connected=True, confirmed=True, slot_id=SlotId("w1"))
STATUS = StatusView(
    pool="trading",
    trading="active",
    reason="",
    coordinator_epoch=2,
    records=10,
    slots=(
        SLOT,
        msgspec.structs.replace(SLOT, slot_id=SlotId("w2"), leaving=True, lease_left_ns=1_500_000),
    ),
    workers=(WORKER, msgspec.structs.replace(WORKER, name="p2", slot_id=None)),
    parents_open=3,
    parents_done=4,
    unknown=1,
    for_person=(ClientOrderId("d1-1-1-1"),),
    counters={"takeovers": 2, "refused_risk": 5, "parents_filled": 4, "fills": 7, 'odd"\n': 1},
    orders=7,
    latencies=(
        LatencyView(
            what="released_filled",
            bounds_ns=BOUNDS_NS,
            counts=(1, 0, 2, *[0] * (len(BOUNDS_NS) - 3), 1),
            total_us=2_500_000,
        ),
    ),
)


def samples(
    status: StatusView | None, view: EvaluatorsView | None = None
) -> dict[tuple[str, ...], float]:
    """Return what a reader of the page finds: values by name and labels."""
    found = {}
    for family in text_string_to_metric_families(exposition(status, view).decode()):
        for one in family.samples:
            found[one.name, *one.labels.values()] = one.value
    return found


def test_every_number_of_the_desk_is_on_the_page() -> None:
    """C13."""
    found = samples(STATUS)
    expected = {
        ("tandem_up",): 1,
        ("tandem_trading",): 1,
        ("tandem_orders_open",): 3,
        ("tandem_attempts_unknown",): 1,
        ("tandem_attempts_for_person",): 1,
        ("tandem_slots", "ready"): 1,
        ("tandem_slots", "leaving"): 1,
        ("tandem_slots", "unused"): 0,
        ("tandem_workers", "trading"): 1,
        ("tandem_workers", "spare"): 1,
        ("tandem_lease_left_seconds", "w2"): 0.0015,
        ("tandem_fills_total",): 7,
        ("tandem_takeovers_total",): 2,
        ("tandem_unknowns_total",): 0,
        ("tandem_orders_taken_total",): 7,
        ("tandem_journal_records_total",): 10,
        ("tandem_coordinator_starts_total",): 2,
        ("tandem_orders_ended_total", "filled"): 4,
        ("tandem_orders_ended_total", "canceled"): 0,
        ("tandem_refusals_total", "risk"): 5,
        ("tandem_refusals_total", "funds"): 0,
        ("tandem_counted_total", "takeovers"): 2,
        ("tandem_counted_total", 'odd"\n'): 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("tandem_lease_left_seconds", "w1") not in found


def test_a_histogram_counts_everything_below_each_bound() -> None:
    """C13: Prometheus adds up; the desk counts each span once."""
    found = samples(STATUS)
    buckets = {
        key[1]: value for key, value in found.items() if key[0] == "tandem_latency_seconds_bucket"
    }
    assert list(buckets.values()) == [1, 1, *[3] * (len(BOUNDS_NS) - 2), 4]
    assert [*buckets][:2] == ["1.6384e-05", "3.2768e-05"]
    assert [*buckets][-1] == "+Inf"
    assert found["tandem_latency_seconds_count", "released_filled"] == 4
    assert found["tandem_latency_seconds_sum", "released_filled"] == 2.5


def test_of_a_coordinator_that_does_not_answer_only_that_is_said() -> None:
    """C15."""
    assert samples(None) == {("tandem_up",): 0}


@pytest.mark.parametrize(
    ("active", "leaving", "ready", "state"),
    [
        (False, False, False, "unused"),
        (True, True, True, "leaving"),
        (True, False, True, "ready"),
        (True, False, False, "waiting"),
    ],
)
def test_a_slot_is_one_thing(active: bool, leaving: bool, ready: bool, state: str) -> None:
    slot = msgspec.structs.replace(SLOT, active=active, leaving=leaving, ready=ready)
    assert slot_state(slot) == state


@pytest.mark.parametrize(
    ("connected", "draining", "slot", "state"),
    [
        (False, True, "w1", "lost"),
        (True, True, "w1", "draining"),
        (True, False, "w1", "trading"),
        (True, False, None, "spare"),
    ],
)
def test_a_worker_is_one_thing(
    connected: bool, draining: bool, slot: str | None, state: str
) -> None:
    slot_id = SlotId(slot) if slot is not None else None
    worker = msgspec.structs.replace(
        WORKER, connected=connected, draining=draining, slot_id=slot_id
    )
    assert worker_state(worker) == state


def test_evaluators_are_told_with_how_many_are_wanted() -> None:
    """B15, C13."""
    one = EvaluatorView(name="e1", is_here=True, held=2, waiting=0, is_leaving=False)
    view = EvaluatorsView(
        wanted=3,
        fewest=1,
        most=4,
        evaluators=(
            one,
            msgspec.structs.replace(one, name="e2", held=0),
            msgspec.structs.replace(one, name="e3", is_leaving=True),
            msgspec.structs.replace(one, name="tower-e1", is_here=False),
        ),
        open_tasks=4,
        oldest_ns=1_500_000_000,
        lost=1,
        redone=2,
        moved=3,
    )
    found = samples(STATUS, view)
    states = {state: found["tandem_evaluators", state] for state in ("busy", "idle", "leaving")}
    assert states == {"busy": 2, "idle": 1, "leaving": 1}
    assert found["tandem_evaluators_elsewhere",] == 1
    assert found["tandem_evaluators_wanted",] == 3
    assert found["tandem_evaluations_open",] == 4
    assert found["tandem_evaluation_oldest_seconds",] == 1.5
    counted = {what: found["tandem_evaluating_total", what] for what in ("lost", "redone", "moved")}
    assert counted == {"lost": 1, "redone": 2, "moved": 3}
    unknown = samples(None, msgspec.structs.replace(view, wanted=None))
    assert ("tandem_evaluators_wanted",) not in unknown
    assert not [name for name, *_ in samples(STATUS) if name.startswith("tandem_evaluat")]
