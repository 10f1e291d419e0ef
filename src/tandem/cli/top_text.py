"""What `tandem top` shows, as text."""

from collections.abc import Iterable, Sequence
from typing import Final

from tandem.cli.printing import table
from tandem.cli.screen import pool_table
from tandem.domain.halting import EvaluatorsView
from tandem.domain.views import LatencyView, StatusView

BARS: Final = " ▁▂▃▄▅▆▇█"
SPANS: Final = {
    "begun_released": "command → release",
    "released_sent": "release → sent",
    "released_accepted": "release → accepted",
    "released_filled": "release → first fill",
    "taken_over": "takeover",
    "unknown_known": "unknown → known",
}
WHAT: Final = 22
WIDE: Final = 2  # characters a bucket
MARK_EVERY: Final = 6  # buckets
PERSONS_MAX: Final = 8


def slots_text(status: StatusView) -> str:
    """Return slots and workers, and the leases where there are any."""
    leases = ", ".join(
        f"{one.slot_id} {one.lease_left_ns / 1e9:.1f} s"
        for one in status.slots
        if one.lease_left_ns is not None
    )
    return pool_table(status) + (f"leases left: {leases}\n" if leases else "")


def latencies_text(latencies: Sequence[LatencyView]) -> str:
    """Return a bar for each bucket, and below which bounds the half and nearly all of them lie."""
    if not latencies:
        return ""
    bounds_ns = latencies[0].bounds_ns[MARK_EVERY - 1 :: MARK_EVERY]
    scale = "".join(f"{duration(one):>{WIDE * MARK_EVERY}}" for one in bounds_ns)
    width = WIDE * len(latencies[0].counts)
    heads = f"{'count':>9}  {'half below':>10}  {'99 % below':>10}"
    lines = [f"{'':<{WHAT}}{scale:<{width}}{heads}"]
    for one in latencies:
        below = (percentile(one, percent) for percent in (50, 99))
        lines.append(
            f"{SPANS.get(one.what, one.what):<{WHAT}}{bars(one.counts)}"
            f"{sum(one.counts):>9}  {'  '.join(f'{text:>10}' for text in below)}"
        )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def bars(counts: Sequence[int]) -> str:
    """Return a bar for each bucket; the fullest one is full, and no count is invisible."""
    most = max(1, *counts)
    full = len(BARS) - 1
    return "".join(BARS[-(-count * full // most)] * WIDE for count in counts)


def percentile(latency: LatencyView, percent: int) -> str:
    """Return the bound below which so many per cent of the spans lie."""
    total = sum(latency.counts)
    if not total:
        return "-"
    seen = 0
    for count, bound_ns in zip(latency.counts, latency.bounds_ns, strict=False):
        seen += count
        if seen * 100 >= total * percent:
            return duration(bound_ns)
    return f"> {duration(latency.bounds_ns[-1])}"


def duration(span_ns: int) -> str:
    """Return a span with two digits or three, in the unit that suits it."""
    for unit_ns, unit in ((1_000_000_000, "s"), (1_000_000, "ms")):
        if span_ns >= unit_ns:
            value = span_ns / unit_ns
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{span_ns / 1_000:.0f} µs"


def persons_text(status: StatusView) -> str:
    """Return what nobody knows, and what waits for a person."""
    lines = [f"{status.unknown} unknown, {len(status.for_person)} wait for a person"]
    lines += [f"  tandem orders resolve {one}" for one in status.for_person[:PERSONS_MAX]]
    waiting = [one for one in status.external if one.waits]
    lines += [f"  {one.account_id} {one.unit}: {one.text}" for one in waiting[:PERSONS_MAX]]
    return "".join(f"{line}\n" for line in lines)


def evaluators_text(view: EvaluatorsView | None) -> str:
    """Return who evaluates strategies, and how many are wanted."""
    if view is None:
        return "none\n"
    bounds = f" ({view.fewest} to {view.most})" if view.fewest < view.most else ""
    wanted = "" if view.wanted is None else f"{view.wanted} wanted here{bounds}; "
    rows = [
        (
            one.name,
            "here" if one.is_here else "elsewhere",
            "leaving" if one.is_leaving else "ready",
            one.held,
            one.waiting,
        )
        for one in view.evaluators
    ]
    oldest = f", the oldest for {duration(view.oldest_ns)}" if view.open_tasks else ""
    return (
        table(("evaluator", "machine", "", ">has", ">waiting"), rows)
        + f"{wanted}{view.open_tasks} bars wait{oldest}; "
        + f"{view.lost} evaluators lost, {view.redone} bars done again, {view.moved} series moved\n"
    )


def counters_text(counters: Iterable[tuple[str, int]], *, width: int) -> str:
    """Return what was counted, in as many columns as fit."""
    cells = [f"{name} {count}" for name, count in sorted(counters)]
    if not cells:
        return ""
    columns = max(1, width // (max(map(len, cells)) + 2))
    cells += [""] * (-len(cells) % columns)
    rows = [cells[place : place + columns] for place in range(0, len(cells), columns)]
    return table([""] * columns, rows).removeprefix("\n")
