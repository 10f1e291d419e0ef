"""The computer's clocks."""

import time
from fractions import Fraction

import msgspec

from tandem.domain.errors import ConfigurationError
from tandem.domain.instant import Instant


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A market of the past, played from `begin_ns` (UTC) at `speed` times life."""

    begin_ns: int
    speed: Fraction


class SystemClock:
    """Satisfies `tandem.ports.Clock`: CLOCK_BOOTTIME, and UTC or a replay's time.

    A replay begins when the clock is made, and goes on through a laptop's sleep.
    """

    def __init__(self, replay: Replay | None = None) -> None:
        """Start the clock.

        Raises:
            ConfigurationError: the replay's speed is not positive.
        """
        if replay is not None and replay.speed <= 0:
            raise ConfigurationError(f"replay speed {replay.speed}: must be above zero")
        self._replay = replay
        self._start_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def now(self) -> Instant:
        """See `Clock.now`."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if self._replay is None:
            return Instant(now_ns, time.time_ns())
        speed = self._replay.speed
        played_ns = (now_ns - self._start_ns) * speed.numerator // speed.denominator
        return Instant(now_ns, self._replay.begin_ns + played_ns)
