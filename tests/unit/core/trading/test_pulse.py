"""Silence is told once, and never because we slept ourselves."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.pulse import Pulse
from tandem.domain.ids import Incarnation

MS = 1_000_000
ONE, TWO = Incarnation("one"), Incarnation("two")


def checked_until(pulse: Pulse[Incarnation], first_ms: int, last_ms: int) -> list[str]:
    """Check every 50 ms; return who was told, with the time in milliseconds."""
    return [
        f"{key} {at}" for at in range(first_ms, last_ms + 1, 50) for key in pulse.silent(at * MS)
    ]


def test_the_silent_are_told_once_and_again_after_they_were_heard_of() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 0)
    pulse.heard(TWO, 100 * MS)
    assert checked_until(pulse, 0, 1_000) == ["one 300", "two 400"]
    pulse.heard(ONE, 1_000 * MS)
    assert checked_until(pulse, 1_050, 2_000) == ["one 1300"]


def test_who_is_heard_of_in_time_is_never_told() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    for at in range(0, 2_000, 50):
        pulse.heard(ONE, at * MS)
        assert pulse.silent(at * MS) == []


def test_who_is_forgotten_is_not_told() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 0)
    pulse.forget(ONE)
    pulse.forget(TWO)
    assert checked_until(pulse, 0, 1_000) == []


def test_after_our_own_stall_every_alarm_starts_again() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 0)
    assert checked_until(pulse, 0, 200) == []
    assert checked_until(pulse, 2_000, 3_000) == ["one 2300"]


def test_a_check_that_is_a_little_late_is_no_stall() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 0)
    assert checked_until(pulse, 0, 200) == []
    assert pulse.silent(300 * MS) == [ONE]


def test_a_restart_gives_everyone_the_grace_that_a_first_heartbeat_does_not_shorten() -> None:
    """F19."""
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 0)
    pulse.heard(TWO, 0)
    pulse.on_restart(5_000 * MS)
    pulse.heard(ONE, 5_010 * MS)
    assert checked_until(pulse, 5_000, 7_000) == ["one 6050", "two 6050"]


def test_a_grace_shorter_than_the_alarm_is_the_alarm() -> None:
    pulse: Pulse[Incarnation] = Pulse(grace_ns=0)
    pulse.heard(ONE, 0)
    pulse.on_restart(0)
    assert checked_until(pulse, 0, 1_000) == ["one 300"]


def test_it_survives_a_snapshot() -> None:
    pulse: Pulse[Incarnation] = Pulse()
    pulse.heard(ONE, 5)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(pulse), type=Pulse[Incarnation]) == pulse


@given(
    st.lists(st.tuples(st.sampled_from(["hear", "check"]), st.integers(0, 400 * MS)), max_size=60)
)
def test_nobody_is_told_before_the_alarm_or_within_it_after_a_stall(
    steps: list[tuple[str, int]],
) -> None:
    pulse: Pulse[Incarnation] = Pulse()
    now = heard = stalled = 0
    checked: int | None = None
    for kind, delay in steps:
        now += delay
        if kind == "hear":
            pulse.heard(ONE, now)
            heard = now
            continue
        if checked is None or now - checked > 2 * pulse.heartbeat_ns:
            stalled = now
        checked = now
        if pulse.silent(now):
            assert now - heard > pulse.alarm_ns
            assert now - stalled > pulse.alarm_ns
