"""Which workers may have tasks: those that have confirmed what they were given."""

from tandem.messaging.setting_up import AGAIN_NS, TRIES_MAX, Newcomers, Verdict

A, B = b"a", b"b"


def given(newcomers: Newcomers, worker: bytes = A, *, now_ns: int = 0) -> int:
    number = newcomers.on_given(worker, digest=b"right", now_ns=now_ns)
    assert number is not None
    return number


def come(worker: bytes = A) -> Newcomers:
    newcomers = Newcomers(2)
    assert newcomers.on_ready(worker, 7)
    return newcomers


def test_who_confirms_what_it_was_given_is_let_in() -> None:
    newcomers = come()
    assert newcomers.on_confirmed(A, given(newcomers), digest=b"right") is Verdict.RIGHT
    assert newcomers.let_in(A) == 7
    assert list(newcomers) == []


def test_who_says_that_it_is_ready_again_is_not_given_it_twice() -> None:
    newcomers = come()
    assert not newcomers.on_ready(A, 7)
    assert newcomers.on_ready(B, 1)
    assert not newcomers.on_ready(b"c", 1), "there are as many as may be"
    assert list(newcomers) == [A, B]


def test_another_hash_lets_nobody_in() -> None:
    newcomers = come()
    number = given(newcomers)
    assert newcomers.on_confirmed(A, number, digest=b"wrong") is Verdict.WRONG
    assert newcomers.on_confirmed(A, number, digest=b"right") is Verdict.UNASKED


def test_who_was_given_something_else_since_has_confirmed_nothing() -> None:
    newcomers = come()
    first = given(newcomers)
    assert given(newcomers) > first
    assert newcomers.on_confirmed(A, first, digest=b"right") is Verdict.UNASKED
    assert newcomers.on_confirmed(B, first, digest=b"right") is Verdict.UNASKED


def test_it_is_tried_a_few_times() -> None:
    newcomers = come()
    assert [newcomers.may_try(A) for _ in range(TRIES_MAX)] == [True] * (TRIES_MAX - 1) + [False]


def test_who_confirms_nothing_for_long_is_given_it_again() -> None:
    newcomers = come()
    assert newcomers.late(AGAIN_NS) == [], "it was not given anything yet"
    given(newcomers, now_ns=5)
    assert newcomers.late(AGAIN_NS + 4) == []
    assert newcomers.late(AGAIN_NS + 5) == [A]
    assert newcomers.late(AGAIN_NS + 5) == [], "it is being made"


def test_who_is_gone_is_given_nothing() -> None:
    newcomers = come()
    newcomers.forget(A)
    newcomers.forget(A)
    assert newcomers.on_given(A, digest=b"right", now_ns=0) is None
