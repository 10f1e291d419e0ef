"""Heartbeats that may still be acknowledged."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.heartbeats import WAITING_MAX, Heartbeats


def test_an_acknowledgement_names_the_moment_of_its_heartbeat_once() -> None:
    beats = Heartbeats()
    assert (beats.send(10), beats.send(20)) == (1, 2)
    assert beats.acknowledged(2) == 20
    assert beats.acknowledged(2) is None
    assert beats.acknowledged(1) == 10


@given(st.integers(1, 3 * WAITING_MAX))
def test_only_so_many_are_waited_for(count: int) -> None:
    beats = Heartbeats()
    for now_ns in range(count):
        beats.send(now_ns)
    known = [one for one in range(1, count + 1) if beats.acknowledged(one) is not None]
    assert known == list(range(max(1, count - WAITING_MAX + 1), count + 1))
