from hypothesis import given
from hypothesis import strategies as st

from tandem.messaging.answers import Answers, Limits, Standing
from tandem.messaging.words import Refusal, Reply, Request


def request(number: int, *, done_below: int = 0, client: bytes = b"c") -> Request:
    return Request(client, number, done_below, b"")


def test_a_request_is_carried_out_once_and_answered_as_often_as_it_is_asked() -> None:
    answers = Answers(Limits())
    assert answers.on_request(request(0)) is Standing.NEW
    assert answers.on_request(request(0)) is Standing.IN_THE_MAKING
    answers.on_answer(b"c", Reply(0, b"yes"))
    assert answers.on_request(request(0)) == Reply(0, b"yes")
    assert answers.repeated == 2


def test_a_refusal_is_an_answer_too() -> None:
    answers = Answers(Limits())
    answers.on_request(request(0))
    answers.on_answer(b"c", Refusal(0, "no"))
    assert answers.on_request(request(0)) == Refusal(0, "no")


def test_what_its_client_is_done_with_is_forgotten_and_not_done_again() -> None:
    answers = Answers(Limits(open_max=2))
    for number in (0, 1):
        answers.on_request(request(number))
        answers.on_answer(b"c", Reply(number, b"yes"))
    assert answers.on_request(request(2)) == Refusal(2, "2 requests are open, the most")
    assert answers.on_request(request(2, done_below=1)) is Standing.NEW
    assert answers.on_request(request(0)) is Standing.DONE_WITH
    answers.on_answer(b"c", Reply(0, b"late"))
    assert answers.on_request(request(1)) == Reply(1, b"yes")


def test_clients_do_not_meet() -> None:
    answers = Answers(Limits())
    assert answers.on_request(request(0)) is Standing.NEW
    assert answers.on_request(request(0, client=b"d")) is Standing.NEW
    answers.on_answer(b"d", Reply(0, b"for d"))
    assert answers.on_request(request(0)) is Standing.IN_THE_MAKING


def test_the_client_silent_longest_is_forgotten_first() -> None:
    answers = Answers(Limits(clients_max=2))
    for client in (b"c", b"d", b"c", b"e"):
        answers.on_request(request(0, client=client))
    answers.on_answer(b"d", Reply(0, b"nobody waits"))
    assert answers.on_request(request(0, client=b"c")) is Standing.IN_THE_MAKING
    assert answers.on_request(request(0, client=b"d")) is Standing.NEW


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=60))
def test_no_number_is_carried_out_twice(heard: list[tuple[int, int, bool]]) -> None:
    answers = Answers(Limits())
    carried_out: list[int] = []
    for number, done_below, is_answered in heard:
        found = answers.on_request(request(number, done_below=min(number, done_below)))
        if found is Standing.NEW:
            carried_out.append(number)
        if is_answered:
            answers.on_answer(b"c", Reply(number, b"%d" % number))
        assert not isinstance(found, Reply) or found.payload == b"%d" % number
    assert len(carried_out) == len(set(carried_out))
