"""A synthetic market whose clock begins where one wants, and runs as fast as one wants.

So a trading day of the calendar, with its session's end, can be lived through in minutes.
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from tandem.adapters.local.clock import SystemClock
from tandem.domain.errors import ConfigurationError
from tandem.wiring.settings import ReplayPlan, read_speed

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def plan_begin(text: str, *, speed: str) -> ReplayPlan:
    """Return a plan by which the market's clock begins at `text`, now, at `speed`.

    Raises:
        ConfigurationError: it is no moment such as 2026-11-27T14:30Z, or the speed is none.
    """
    fraction: Fraction = read_speed(speed)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"begin {text!r}: {_EXPECTED}") from error
    if moment.tzinfo is None or not _FIRST <= moment < _LAST:
        raise ConfigurationError(f"begin {text!r}: {_EXPECTED}, from 1990 to 2199")
    begin_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return ReplayPlan(
        begin_ns=begin_ns,
        began_at_ns=SystemClock().now().now_ns,
        speed=str(fraction),
    )


_EXPECTED: Final = "expected a moment with its time zone, such as 2026-11-27T14:30Z"
