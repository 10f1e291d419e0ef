"""The table of times that a storm ends with."""

import statistics
import sys
from collections.abc import Mapping, Sequence

from tests.system.storm.judge import Judgement
from tests.system.storm.strategy_judge import Strategic


def write(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_times(judgement: Judgement) -> None:
    """Print how long after each kind of blow it was known, and the account traded again."""
    write("times in ms after the blow:")
    for kind, values in sorted(judgement.detection.items()):
        write(f"  known: {kind:<45} {_figures(values)}")
    for kind, values in sorted(judgement.first_order.items()):
        write(f"  traded again: {kind:<38} {_figures(values)}")
    write(f"  {'UNKNOWN settled':<52} {_figures(judgement.settlement)}")


def print_counts(counts: Mapping[str, int]) -> None:
    """Print what was done how often."""
    for what, count in sorted(counts.items()):
        write(f"  {what:<28} {count:>6}")


def print_verdict(judgement: Judgement, strategies: Strategic) -> int:
    """Print what must not be, as far as it is; return the exit code."""
    for bad in (*judgement.lost[:10], *judgement.repeated[:10], *strategies.bad[:20]):
        write(f"  BAD {bad}")
    counts = [len(judgement.lost), len(judgement.repeated), judgement.crossed, len(strategies.bad)]
    write("{} lost, {} repeated, {} crossed, {} wrong with strategies".format(*counts))
    return 1 if any(counts) else 0


def _figures(values: Sequence[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    tail = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return (
        f"{len(ordered):>5}  p50 {statistics.median(ordered):>7.0f}  p99 {tail:>7.0f}  "
        f"max {ordered[-1]:>7.0f}"
    )
