"""What a desk remembers of how long things took."""

from typing import Final

import msgspec

BUCKETS: Final = 24


class Histogram(msgspec.Struct, array_like=True, gc=False):
    """Spans by length: how many in each bucket (see `latencies`), and what they come to."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * BUCKETS)
    total_us: int = 0


class Latencies(msgspec.Struct, gc=False):
    """How long things took since the desk's first start.

    `begun_released` is from a parent's begin to its children's release, the three behind it are
    from a release, `taken_over` is from a vacant account to its readiness with the next worker.
    """

    begun_released: Histogram = msgspec.field(default_factory=Histogram)
    released_sent: Histogram = msgspec.field(default_factory=Histogram)
    released_accepted: Histogram = msgspec.field(default_factory=Histogram)
    released_filled: Histogram = msgspec.field(default_factory=Histogram)
    taken_over: Histogram = msgspec.field(default_factory=Histogram)
    unknown_known: Histogram = msgspec.field(default_factory=Histogram)
