"""Heartbeats that may still be acknowledged."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.heartbeats import WAITING_MAX, WORSE_PER_ACK_NS, Heartbeats


def test_an_acknowledgement_names_the_moment_of_its_heartbeat_once() -> None:
    beats = Heartbeats()
    assert (beats.send(10), beats.send(20)) == (1, 2)
    assert beats.acknowledged(2, heard_at_ns=0, now_ns=30) == 20
    assert beats.acknowledged(2, heard_at_ns=0, now_ns=30) is None
    assert beats.acknowledged(1, heard_at_ns=0, now_ns=30) == 10


@given(st.integers(1, 3 * WAITING_MAX))
def test_only_so_many_are_waited_for(count: int) -> None:
    beats = Heartbeats()
    for now_ns in range(count):
        beats.send(now_ns)
    known = [
        one
        for one in range(1, count + 1)
        if beats.acknowledged(one, heard_at_ns=0, now_ns=count) is not None
    ]
    assert known == list(range(max(1, count - WAITING_MAX + 1), count + 1))


def test_the_quickest_pair_tells_most_of_the_coordinators_clock() -> None:
    beats = Heartbeats()
    for sent_ns, heard_at_ns, now_ns in ((0, 1_500, 1_000), (10_000, 11_040, 10_100)):
        beats.send(sent_ns)
        number = 1 if sent_ns == 0 else 2
        beats.acknowledged(number, heard_at_ns=heard_at_ns, now_ns=now_ns)
    assert (beats.offset_ns, beats.error_ns) == (990, 50)
    beats.send(20_000)
    beats.acknowledged(3, heard_at_ns=22_000, now_ns=21_000)
    assert (beats.offset_ns, beats.error_ns) == (990, 50 + WORSE_PER_ACK_NS)
    beats.forget_clock()
    assert beats.offset_ns is None


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=20),
)
def test_the_coordinators_clock_is_known_within_the_error(
    ahead_ns: int, ways: list[tuple[int, int]]
) -> None:
    beats, now_ns = Heartbeats(), 0
    for there_ns, back_ns in ways:
        number = beats.send(now_ns)
        heard_at_ns = now_ns + there_ns + ahead_ns
        now_ns += there_ns + back_ns
        beats.acknowledged(number, heard_at_ns=heard_at_ns, now_ns=now_ns)
        assert beats.offset_ns is not None
        assert abs(beats.offset_ns - ahead_ns) <= beats.error_ns + 1
        now_ns += 50_000_000
