"""What Prometheus reads of a pool, in its text format.

Every number is the desk's own, or the market process' own: nothing is counted here. Whoever reads
sees the same after a restart of any process, but the market process counts from its own start.
Durations are in seconds, as Prometheus wants them.

Source: "Exposition formats", "Metric and label naming" in Prometheus' documentation.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from tandem.domain.commands import RefusalReason
from tandem.domain.halting import EvaluatorsView, EvaluatorView
from tandem.domain.views import LatencyView, SlotView, StatusView, WorkerView

# By the name in the desk's counters.
COUNTERS: Final = {
    "fills": ("tandem_fills", "Executions booked."),
    "takeovers": ("tandem_takeovers", "Accounts given to another worker."),
    "unknown": ("tandem_unknowns", "Requests of which nobody knew whether they arrived."),
    "workers_silent": ("tandem_workers_silent", "Workers that were silent beyond their alarm."),
    "workers_died": ("tandem_workers_died", "Worker processes of this computer that ended."),
    "leases_lapsed": ("tandem_leases_lapsed", "Leases that were over before they were renewed."),
    "for_person": ("tandem_persons_called", "Orders that no machine could settle."),
}
ENDINGS: Final = ("filled", "canceled", "incomplete", "refused")


def exposition(status: StatusView | None, view: EvaluatorsView | None = None) -> bytes:
    """Return the page; of a coordinator that does not answer it says only that.

    `view` says who evaluates strategies, where anybody does.
    """
    registry = CollectorRegistry()
    registry.register(_Pool(status, view))
    return generate_latest(registry)


class _Pool(Collector):
    def __init__(self, status: StatusView | None, view: EvaluatorsView | None) -> None:
        self._status = status
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        status = self._status
        answers = "Whether the coordinator answers."
        yield GaugeMetricFamily("tandem_up", answers, value=status is not None)
        if status is not None:
            yield from _gauges(status)
            yield from _counters(status)
            yield _histogram(status.latencies)
        if self._view is not None:
            yield from _evaluators(self._view)


def _gauges(status: StatusView) -> Iterator[Metric]:
    is_trading = status.pool == "trading" and status.trading == "active"
    plain = {
        "tandem_trading": ("Whether orders are taken.", is_trading),
        "tandem_orders_open": ("Orders that have not ended.", status.parents_open),
        "tandem_attempts_unknown": ("Requests that may or may not have arrived.", status.unknown),
        "tandem_attempts_for_person": (
            "Orders that wait for a person's word.",
            len(status.for_person),
        ),
        "tandem_external_unexplained": (
            "Accounts and instruments where somebody else trades, and nobody said why.",
            sum(one.waits for one in status.external),
        ),
        "tandem_priced_instruments": ("Instruments whose price is known.", status.priced),
    }
    for name, (text, value) in plain.items():
        yield GaugeMetricFamily(name, text, value=value)
    yield _labeled(
        GaugeMetricFamily("tandem_slots", "Slots by what they are.", labels=["state"]),
        _count(("ready", "waiting", "leaving", "unused"), map(slot_state, status.slots)),
    )
    yield _labeled(
        GaugeMetricFamily("tandem_workers", "Workers by what they are.", labels=["state"]),
        _count(("trading", "spare", "draining", "lost"), map(worker_state, status.workers)),
    )
    leases = GaugeMetricFamily(
        "tandem_lease_left_seconds", "What is left of a lease.", labels=["slot"]
    )
    for one in status.slots:
        if one.lease_left_ns is not None:
            leases.add_metric([one.slot_id], one.lease_left_ns / 1e9)
    yield leases


def _evaluators(view: EvaluatorsView) -> Iterator[Metric]:
    yield _labeled(
        GaugeMetricFamily(
            "tandem_evaluators", "Who evaluates strategies, by what they are.", labels=["state"]
        ),
        _count(("busy", "idle", "leaving"), map(evaluator_state, view.evaluators)),
    )
    yield GaugeMetricFamily(
        "tandem_evaluators_elsewhere",
        "Of these, those of other computers.",
        value=sum(not one.is_here for one in view.evaluators),
    )
    if view.wanted is not None:
        text = "How many evaluators this computer should have, by what waits."
        yield GaugeMetricFamily("tandem_evaluators_wanted", text, value=view.wanted)
    text = "Bars of series that wait for an evaluator's answer."
    yield GaugeMetricFamily("tandem_evaluations_open", text, value=view.open_tasks)
    text = "How long the oldest of these has waited."
    yield GaugeMetricFamily("tandem_evaluation_oldest_seconds", text, value=view.oldest_ns / 1e9)
    counted = {"lost": view.lost, "redone": view.redone, "moved": view.moved}
    yield _labeled(
        CounterMetricFamily(
            "tandem_evaluating",
            "Evaluators lost, their bars redone elsewhere, and series moved to another one.",
            labels=["what"],
        ),
        counted,
    )


def evaluator_state(evaluator: EvaluatorView) -> str:
    """Return what an evaluator is, in a word."""
    if evaluator.is_leaving:
        return "leaving"
    return "busy" if evaluator.held else "idle"


def slot_state(slot: SlotView) -> str:
    """Return what a slot is, in a word."""
    if not slot.active:
        return "unused"
    if slot.leaving:
        return "leaving"
    return "ready" if slot.ready else "waiting"


def worker_state(worker: WorkerView) -> str:
    """Return what a worker is, in a word."""
    if not worker.connected:
        return "lost"
    if worker.draining:
        return "draining"
    return "trading" if worker.slot_id is not None else "spare"


def _count(names: Iterable[str], states: Iterable[str]) -> dict[str, int]:
    counts = dict.fromkeys(names, 0)
    for one in states:
        counts[one] += 1
    return counts


def _counters(status: StatusView) -> Iterator[Metric]:
    counters = status.counters
    for what, (name, text) in COUNTERS.items():
        yield CounterMetricFamily(name, text, value=counters.get(what, 0))
    yield CounterMetricFamily(
        "tandem_orders_taken", "Orders taken, parts of others included.", value=status.orders
    )
    yield CounterMetricFamily(
        "tandem_journal_records", "Events recorded by the coordinator.", value=status.records
    )
    yield CounterMetricFamily(
        "tandem_coordinator_starts", "Starts of the coordinator.", value=status.coordinator_epoch
    )
    yield _labeled(
        CounterMetricFamily("tandem_orders_ended", "Orders by their outcome.", labels=["outcome"]),
        {one: counters.get(f"parents_{one}", 0) for one in ENDINGS},
    )
    yield _labeled(
        CounterMetricFamily("tandem_refusals", "Commands refused.", labels=["reason"]),
        {one.value: counters.get(f"refused_{one}", 0) for one in RefusalReason},
    )
    yield _labeled(
        CounterMetricFamily(
            "tandem_counted", "Whatever the desk counts, by its name.", labels=["what"]
        ),
        dict(sorted(counters.items())),
    )


def _labeled(
    family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, int]
) -> CounterMetricFamily | GaugeMetricFamily:
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _histogram(latencies: Iterable[LatencyView]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "tandem_latency_seconds", "How long things took, each when it ended.", labels=["span"]
    )
    for one in latencies:
        bounds = [*(str(bound_ns / 1e9) for bound_ns in one.bounds_ns), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(one.counts)), strict=True))
        family.add_metric([one.what], buckets, sum_value=one.total_us / 1e6)
    return family
