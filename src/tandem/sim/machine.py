"""One simulated computer: its clocks, and whether it is asleep."""

import random
from typing import Protocol

import msgspec

from tandem.domain.instant import Instant

SECOND_NS = 1_000_000_000
TICK_NS = 10_000_000  # the kernel counts start times of processes in hundredths of a second
# Monday 2026-01-05, 14:30 UTC: New York opens, so schedules and sessions have something to do.
MARKET_START_NS = 1_767_623_400 * SECOND_NS


class ClockFaults(msgspec.Struct, frozen=True, kw_only=True):
    """How wrong the clocks of a machine may be; drawn once for each machine."""

    rate_error_ppb_max: int = 0
    market_skew_ns_max: int = 0
    uptime_ns_max: int = 0


class Time(Protocol):
    """Whoever knows the world's time: its loop."""

    now_ns: int


class Machine:
    """One computer and its clocks, all driven by the world's time.

    Its boot clock counts through sleep and starts at zero after a reboot; its monotonic clock,
    which drives the timers of its processes, stands still during sleep. Both run fast or slow by
    the same rate error. `market_skew_ns` is how far its UTC is ahead of the world's; a scenario
    may change it at any time.
    """

    def __init__(self, name: str, *, time: Time, draws: random.Random, faults: ClockFaults) -> None:
        self.name = name
        self.asleep = False
        self.boots = 1
        self.market_skew_ns = draws.randint(-faults.market_skew_ns_max, faults.market_skew_ns_max)
        self.slept_ns = 0
        self._time = time
        rate_error_ppb = draws.randint(-faults.rate_error_ppb_max, faults.rate_error_ppb_max)
        self._rate_ppb = SECOND_NS + rate_error_ppb
        self._booted_at_ns = time.now_ns
        self._uptime_ns = draws.randint(0, faults.uptime_ns_max)
        self._asleep_since_ns = 0

    def boot_ns(self) -> int:
        """Return CLOCK_BOOTTIME."""
        run_ns = self._time.now_ns - self._booted_at_ns
        return self._uptime_ns + run_ns * self._rate_ppb // SECOND_NS

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC, which does not count sleep."""
        return self.boot_ns() - self.slept_ns

    def market_ns(self) -> int:
        """Return UTC as this machine believes it to be."""
        return MARKET_START_NS + self._time.now_ns + self.market_skew_ns

    def due_ns(self, monotonic_ns: int) -> int:
        """Return the world's time at which the monotonic clock will show `monotonic_ns`."""
        run_ns = monotonic_ns + self.slept_ns - self._uptime_ns
        return self._booted_at_ns - (-run_ns * SECOND_NS // self._rate_ppb)

    def reboot(self) -> None:
        """Start the boot clock at zero, now."""
        self.boots += 1
        self._booted_at_ns = self._time.now_ns
        self._uptime_ns = 0
        self.slept_ns = 0
        self.asleep = False

    def fall_asleep(self) -> None:
        """Stop the monotonic clock (it is wrong until `wake`: nobody can look)."""
        self.asleep = True
        self._asleep_since_ns = self.boot_ns()

    def wake(self) -> None:
        """Let the monotonic clock go on where it stood."""
        self.asleep = False
        self.slept_ns += self.boot_ns() - self._asleep_since_ns


class SimClock:
    """Satisfies `tandem.ports.Clock` with the clocks of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def now(self) -> Instant:
        """Return this moment; see `Clock.now`."""
        machine = self._machine
        return Instant(machine.boot_ns(), machine.market_ns())
