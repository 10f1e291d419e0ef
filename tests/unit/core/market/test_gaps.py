"""What is missing, and what became of it."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.gaps import GAPS_MAX, Gap, Gaps, GapState


def test_only_what_was_not_known_is_asked_for() -> None:
    """B12."""
    gaps = Gaps()
    assert gaps.know(10, to_ns=20, until_ns=99, again=False) == [Gap(10, 20, 99)]
    assert gaps.know(5, to_ns=30, until_ns=99, again=False) == [Gap(5, 10, 99), Gap(20, 30, 99)]
    assert gaps.know(5, to_ns=30, until_ns=99, again=True) == []
    assert gaps.stop_ns() == 5


def test_an_answer_about_a_part_leaves_the_rest_open_for_longer() -> None:
    gaps = Gaps()
    gaps.know(0, to_ns=30, until_ns=50, again=False)
    gaps.know(40, to_ns=50, until_ns=60, again=False)
    gaps.answer(10, to_ns=20, state=GapState.ANSWERED, until_ns=70)
    assert [gaps.state_at(one) for one in (0, 10, 19, 20, 30)] == [
        GapState.OPEN,
        GapState.ANSWERED,
        GapState.ANSWERED,
        GapState.OPEN,
        None,
    ]
    assert [(one.from_ns, one.to_ns) for one in gaps.leave(69)] == [(40, 50)]
    assert [(one.from_ns, one.to_ns) for one in gaps.leave(70)] == [(0, 10), (20, 30)]
    assert gaps.leave(99) == []
    assert gaps.stop_ns() is None
    gaps.answer(0, to_ns=10, state=GapState.ANSWERED, until_ns=70)
    assert gaps.state_at(0) is GapState.LEFT


def test_what_was_answered_may_be_missing_again() -> None:
    gaps = Gaps()
    gaps.know(0, to_ns=10, until_ns=50, again=False)
    gaps.answer(0, to_ns=10, state=GapState.ANSWERED, until_ns=50)
    assert gaps.know(0, to_ns=10, until_ns=60, again=False) == []
    assert gaps.know(5, to_ns=10, until_ns=60, again=True) == [Gap(5, 10, 60)]
    gaps.forget(5)
    assert (gaps.state_at(0), gaps.state_at(5)) == (None, GapState.OPEN)


def test_very_many_gaps_become_one_that_holds_them() -> None:
    gaps = Gaps()
    for number in range(GAPS_MAX + 5):
        gaps.know(10 * number, to_ns=10 * number + 1, until_ns=number, again=False)
    assert gaps.state_at(10 * (GAPS_MAX + 2) + 5) is GapState.OPEN
    assert len(gaps.leave(10**9)) == GAPS_MAX


spans = st.tuples(st.integers(0, 30), st.integers(0, 30))


@given(st.lists(st.tuples(st.sampled_from(["know", "again", "answer"]), spans), max_size=12))
def test_every_moment_has_the_state_that_it_was_given_last(
    steps: list[tuple[str, tuple[int, int]]],
) -> None:
    """Judged by a table of moments."""
    gaps = Gaps()
    table: dict[int, GapState] = {}
    for what, (from_ns, to_ns) in steps:
        moments = range(from_ns, to_ns)
        if what == "answer":
            gaps.answer(from_ns, to_ns=to_ns, state=GapState.ANSWERED, until_ns=0)
            open_ones = [one for one in moments if table.get(one) is GapState.OPEN]
            table.update(dict.fromkeys(open_ones, GapState.ANSWERED))
        else:
            gaps.know(from_ns, to_ns=to_ns, until_ns=0, again=what == "again")
            new = [one for one in moments if what == "again" or one not in table]
            table.update(dict.fromkeys(new, GapState.OPEN))
    assert [gaps.state_at(one) for one in range(31)] == [table.get(one) for one in range(31)]
