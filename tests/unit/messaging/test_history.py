import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.messaging.errors import TooManyTopicsError
from tandem.messaging.history import REPLAYED_MAX, TURN, Depth, History, Reach


def said(history: History, topic: bytes, *, bodies: list[bytes]) -> None:
    for body in bodies:
        history.next_number(topic)
        history.keep(topic, body=body)


def test_each_topic_has_its_own_numbers() -> None:
    history = History(Depth())
    said(history, b"x", bodies=[b"0", b"1"])
    said(history, b"y", bodies=[b"0"])
    assert [history.next_number(topic) for topic in (b"x", b"y", b"z")] == [2, 1, 0]


def test_the_newest_messages_are_kept() -> None:
    history = History(Depth(messages_max=2))
    said(history, b"x", bodies=[b"0", b"1", b"2"])
    assert history.again(b"x", 0) == ([b"1", b"2"], Reach(b"x", 1, 3))
    assert history.again(b"x", 2) == ([b"2"], Reach(b"x", 1, 3))
    assert history.again(b"x", 9) == ([], Reach(b"x", 1, 3))
    assert history.again(b"nothing", 0) == ([], Reach(b"nothing", 0, 0))


def test_bytes_are_bounded_too_but_the_newest_stays() -> None:
    history = History(Depth(bytes_max=5))
    said(history, b"x", bodies=[b"0", b"11", b"222"])
    assert history.again(b"x", 0) == ([b"11", b"222"], Reach(b"x", 1, 3))
    said(history, b"x", bodies=[b"3333333"])
    assert history.again(b"x", 0) == ([b"3333333"], Reach(b"x", 3, 4))


def test_topics_are_bounded() -> None:
    history = History(Depth(topics_max=1))
    said(history, b"x", bodies=[b"0"])
    with pytest.raises(TooManyTopicsError, match="b'y' is topic 2 of this end"):
        history.next_number(b"y")


def test_an_answer_is_of_limited_length() -> None:
    history = History(Depth(bytes_max=10_000_000))
    said(history, b"x", bodies=[b"0"] * (REPLAYED_MAX + 1))
    assert len(history.again(b"x", 0)[0]) == REPLAYED_MAX
    said(history, b"y", bodies=[bytes(600_000)] * 3)
    assert len(history.again(b"y", 0)[0]) == 2


def test_a_topic_is_announced_after_its_message_and_again_in_turn() -> None:
    history = History(Depth())
    for number in range(TURN + 50):
        said(history, b"%d" % number, bodies=[b""])
    assert len(history.tides()) == TURN + 50
    again = [*history.tides(), *history.tides()]
    assert {reach.topic for reach in again} == {b"%d" % number for number in range(TURN + 50)}
    assert len(history.tides()) == TURN


def test_a_new_subscriber_hears_of_what_it_wants() -> None:
    history = History(Depth())
    for topic in (b"1m/x", b"1m/y", b"1h/x"):
        said(history, topic, bodies=[b""])
    assert history.below(b"1m/") == [Reach(b"1m/x", 0, 1), Reach(b"1m/y", 0, 1)]


@given(st.lists(st.binary(max_size=6), max_size=40), st.integers(1, 8), st.integers(0, 30))
def test_what_is_kept_is_the_end_of_what_was_said(
    bodies: list[bytes], messages_max: int, bytes_max: int
) -> None:
    history = History(Depth(messages_max=messages_max, bytes_max=bytes_max))
    said(history, b"x", bodies=bodies)
    kept, reach = history.again(b"x", 0)
    assert reach == Reach(b"x", len(bodies) - len(kept), len(bodies))
    assert kept == bodies[reach.oldest :]
    assert len(kept) <= messages_max
    assert len(kept) <= 1 or sum(map(len, kept)) <= bytes_max
