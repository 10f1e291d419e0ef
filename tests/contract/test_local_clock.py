"""The computer's clocks and a replay's."""

import time
from fractions import Fraction

import pytest

from tandem.adapters.local.clock import Replay, SystemClock
from tandem.domain.errors import ConfigurationError


def test_the_two_clocks_are_boot_time_and_utc() -> None:
    clock = SystemClock()
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()
    now = clock.now()
    after = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()
    assert before[0] <= now.now_ns <= after[0]
    assert before[1] <= now.market_ns <= after[1]


@pytest.mark.parametrize("speed", [Fraction(1, 3), Fraction(1), Fraction(100)])
def test_a_replay_moves_the_market_only(speed: Fraction) -> None:
    begin_ns = 1_522_886_400_000_000_000
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    clock = SystemClock(Replay(begin_ns=begin_ns, speed=speed))
    after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    now = clock.now()
    assert now.now_ns >= after
    least, most = (now.now_ns - after) * speed, (now.now_ns - before) * speed
    assert least - 1 <= now.market_ns - begin_ns <= most


def test_neither_clock_goes_back() -> None:
    clock = SystemClock(Replay(begin_ns=0, speed=Fraction(7, 5)))
    moments = [clock.now() for _ in range(1000)]
    assert sorted(moments, key=lambda now: (now.now_ns, now.market_ns)) == moments


@pytest.mark.parametrize("speed", [Fraction(0), Fraction(-1)])
def test_a_replay_that_stands_still_or_runs_back_is_refused(speed: Fraction) -> None:
    with pytest.raises(ConfigurationError, match="must be above zero"):
        SystemClock(Replay(begin_ns=0, speed=speed))
