"""A market's clock that begins where one wants."""

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.wiring.begins import plan_begin

HOUR_NS = 3_600_000_000_000


def test_the_clock_begins_at_the_moment_and_runs_at_the_speed() -> None:
    """A28."""
    plan = plan_begin("1990-01-01T01:00+00:00", speed="100")
    assert plan.begin_ns == 631_152_000_000_000_000 + HOUR_NS
    assert (plan.places, plan.instruments, plan.speed) == ((), (), "100")
    assert plan.clock().now().market_ns >= plan.begin_ns


@pytest.mark.parametrize(
    ("text", "speed", "word"),
    [
        ("tomorrow", "1", "tomorrow"),
        ("2026-11-27T14:30", "1", "time zone"),
        ("1800-01-01T00:00Z", "1", "1990"),
        ("2026-11-27T14:30Z", "0", "speed"),
        ("2026-11-27T14:30Z", "fast", "speed"),
    ],
)
def test_what_is_no_moment_or_speed_is_refused(text: str, speed: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        plan_begin(text, speed=speed)
