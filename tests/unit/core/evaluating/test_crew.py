"""Which evaluators of a computer run, leave and end."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.evaluating.crew import LEAVE_NS, Crew


class Stage:
    """A crew, and what was done for it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.crew = Crew(
            start=lambda name: self.done.append(("start", name)),
            leave=lambda name: self.done.append(("leave", name)),
            end=lambda name: self.done.append(("end", name)),
        )

    def want(self, count: int, now_ns: int = 0) -> list[tuple[str, str]]:
        self.done.clear()
        self.crew.want(count, now_ns=now_ns)
        return list(self.done)


def test_it_grows_by_new_names_and_the_newest_leave() -> None:
    """B15."""
    stage = Stage()
    assert stage.want(3) == [("start", "e1"), ("start", "e2"), ("start", "e3")]
    assert stage.want(3) == []
    assert stage.want(1) == [("leave", "e3"), ("leave", "e2")]
    assert stage.crew.size == 1


def test_one_that_leaves_is_told_until_it_has_gone_and_ended_when_it_stays() -> None:
    stage = Stage()
    stage.want(2)
    assert stage.want(1, 5) == [("leave", "e2")]
    assert stage.want(1, 5 + LEAVE_NS - 1) == [("leave", "e2")]
    assert stage.want(1, 5 + LEAVE_NS) == [("end", "e2")]
    assert stage.crew.on_ended("e2")
    assert stage.want(1, 6 + LEAVE_NS) == []


def test_a_name_is_not_given_again_before_its_process_has_ended() -> None:
    stage = Stage()
    stage.want(2)
    stage.want(1)
    assert stage.want(2) == [("start", "e3"), ("leave", "e2")]
    assert stage.crew.on_ended("e2")
    assert stage.want(3) == [("start", "e2")]


def test_one_that_ends_by_itself_is_replaced_by_whoever_watches() -> None:
    stage = Stage()
    stage.want(2)
    assert not stage.crew.on_ended("e1")
    assert stage.want(2) == []


def test_when_all_have_ended_at_once_those_that_were_leaving_come_back_and_leave_again() -> None:
    stage = Stage()
    stage.want(3)
    stage.want(2)
    stage.crew.on_all_ended()
    assert stage.crew.size == 3
    assert not stage.crew.on_ended("e3")
    assert stage.want(2) == [("leave", "e3")]


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans())))
def test_those_that_run_and_stay_are_as_many_as_wanted(steps: list[tuple[int, bool]]) -> None:
    """No name runs twice at a time, whatever is wanted and whoever is slow to go."""
    stage = Stage()
    running: set[str] = set()
    for count, goes in steps:
        leaving = set()
        for what, name in stage.want(count):
            if what == "start":
                assert name not in running
                running.add(name)
            else:
                assert name in running
                leaving.add(name)
        assert len(running - leaving) == count
        for name in leaving if goes else ():
            assert stage.crew.on_ended(name)
            running.remove(name)
