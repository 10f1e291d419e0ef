"""How long things took: counted once when they end, from the steps that were noted anyway.

Every bucket is twice as wide as the one before, so that its number is the length of a number in
bits: counting a span costs a shift and an addition. What cannot be a span is left out: a step is
timed by CLOCK_BOOTTIME, which begins anew with a reboot, and the moment of a send is what a worker
said.
"""

from collections.abc import Sequence
from typing import Final

from tandem.core.trading.latency_state import BUCKETS, Histogram, Latencies
from tandem.core.trading.state import Attempt, Hop

SHIFT: Final = 14  # the first bucket is below 2 ** 14 ns, 16 µs; the last but one below 69 s
SPAN_NS_MAX: Final = 366 * 86_400 * 1_000_000_000
BOUNDS_NS: Final = tuple(1 << (SHIFT + place) for place in range(BUCKETS - 1))
_LAST: Final = BUCKETS - 1


def add(histogram: Histogram, span_ns: int) -> None:
    """Count a span."""
    if 0 <= span_ns <= SPAN_NS_MAX:
        place = (span_ns >> SHIFT).bit_length()
        histogram.counts[place if place < _LAST else _LAST] += 1
        histogram.total_us += span_ns // 1_000


def on_final(latencies: Latencies, attempt: Attempt, began_ns: int) -> None:
    """Count an attempt that ends now, of a parent that began at `began_ns`.

    Only a child's first attempt says how long the trader waited for a release.
    """
    released_ns = accepted_ns = filled_ns = None
    for hop in attempt.hops:
        what = hop.what
        if what == "released":
            released_ns = hop.at_ns
        elif what == "accepted":
            accepted_ns = hop.at_ns
        elif filled_ns is None and what.startswith("filled"):
            filled_ns = hop.at_ns
    if released_ns is None:
        return
    if attempt.number == 1:
        add(latencies.begun_released, released_ns - began_ns)
    if attempt.sent_ns is not None:
        add(latencies.released_sent, attempt.sent_ns - released_ns)
    if accepted_ns is not None:
        add(latencies.released_accepted, accepted_ns - released_ns)
    if filled_ns is not None:
        add(latencies.released_filled, filled_ns - released_ns)


def on_known(latencies: Latencies, hops: Sequence[Hop], *, now_ns: int) -> None:
    """Count an attempt of which nobody knew, and now somebody does."""
    for hop in reversed(hops):
        if hop.what.startswith("unknown"):
            add(latencies.unknown_known, now_ns - hop.at_ns)
            return
