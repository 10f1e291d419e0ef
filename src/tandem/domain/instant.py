"""The two clocks that a decision may know."""

import msgspec


class Instant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One moment, passed into every decision.

    `now_ns` is CLOCK_BOOTTIME (it counts through a laptop's sleep, and starts at zero after a
    reboot): leases and time-outs. `market_ns` is UTC of the market that is traded or replayed:
    sessions, schedules, staleness. A replay at 100 times speed moves only the second.
    """

    now_ns: int
    market_ns: int
