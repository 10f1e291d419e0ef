"""What is assigned takes effect while bars come: B13, B23, B24."""

from tandem.domain.deciding import RosterSeen
from tandem.domain.strategies import FULL_PPM
from tests.unit.core.deciding.bench import COIN, OTHER, TEXT, Bench, entry, final, said


def test_an_assignment_takes_effect_with_the_next_bar() -> None:
    """B13: without a restart."""
    bench = Bench()
    bench.bars(final(1))
    bench.roster(entry())
    bench.bars(final(2))
    assert bench.task.task_id.number == 2


def test_one_that_came_or_went_makes_everybody_cold_and_the_rest_keep_their_memory() -> None:
    """B13, B16."""
    bench = Bench(entry("a"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, state='{"n":1}'))
    bench.roster(entry("a"), entry("b"))
    bench.bars(final(2))
    assert bench.task.whole is not None
    first, second = bench.task.whole.attached
    assert (first.number, first.state, second.number, second.state) == (0, '{"n":1}', 1, "{}")
    bench.answer(bench.task)
    bench.roster(entry("b"))
    bench.bars(final(3))
    assert bench.task.whole is not None
    assert [one.number for one in bench.task.whole.attached] == [1]


def test_one_that_is_given_anew_begins_anew() -> None:
    """B13: its number has risen, and its last decisions count no more."""
    bench = Bench(entry("a"))
    bench.bars(final(1))
    bench.answer(bench.task, said(0, FULL_PPM, state='{"n":1}'))
    bench.roster(entry("a", number=2))
    bench.bars(final(2))
    assert bench.task.whole is not None
    (attached,) = bench.task.whole.attached
    assert (attached.state, attached.position_ppm) == ("{}", 0)
    bench.answer(bench.task, said(attached.number, FULL_PPM))
    assert [one.number for one in bench.targets] == [2]


def test_the_last_one_of_a_series_takes_the_series_with_it() -> None:
    """B23."""
    bench = Bench(entry("a"), entry("b", instrument=OTHER))
    bench.roster(entry("b", instrument=OTHER))
    assert [one.instrument for one in bench.decider.state.keys.values()] == [OTHER]
    assert bench.bars(final(1)) == []


def test_a_series_that_nobody_looks_at_any_more_is_not_waited_for() -> None:
    """B33."""
    bench = Bench(entry("a", others=(OTHER,)), entry("b"))
    bench.bars(final(1, instrument=OTHER))
    bench.roster(entry("b"))
    (key,) = bench.decider.state.keys.values()
    assert (key.others, key.others_pending) == ({}, [])
    assert list(bench.decider.state.by_series) == [f"{COIN.instrument_id} 1m"]


def test_texts_are_kept_while_something_uses_them() -> None:
    """B16."""
    bench = Bench(entry("a"))
    bench.on(RosterSeen(version=2, texts=(), entries=(entry("a"),)))
    assert list(bench.decider.state.texts) == [TEXT.text_hash]
    bench.roster()
    assert bench.decider.state.texts == {}


def test_an_assignment_whose_text_is_missing_is_told() -> None:
    """B16."""
    bench = Bench()
    bench.on(RosterSeen(version=2, texts=(), entries=(entry("a"),)))
    assert bench.notes == ["a: its text is not known"]
    assert bench.decider.state.held == {}
