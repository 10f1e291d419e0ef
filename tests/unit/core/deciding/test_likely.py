"""What a new evaluator will probably be asked to go on with: B16."""

from tandem.core.deciding.likely import Likely, likely
from tandem.domain.evaluation import TaskKey
from tests.unit.core.deciding.bench import COIN, OTHER, Bench, entry, final, said


def found(bench: Bench, *homes: str) -> list[Likely]:
    return likely(bench.decider.state, lambda key: key in homes)


def test_what_was_evaluated_last_is_held_with_what_it_remembers_now() -> None:
    bench = Bench(entry())
    assert found(bench) == [], "everything goes along with the first bar"
    bench.bars(final(1))
    task = bench.task
    assert found(bench) == [], "nobody has answered yet"
    bench.answer(task, said(0, 500_000, state='{"n":1}'))
    (one,) = found(bench)
    assert one.task_id == task.task_id
    assert task.whole is not None
    assert one.whole.from_ns == task.whole.from_ns
    (attached,) = one.whole.attached
    assert (attached.position_ppm, attached.state) == (500_000, '{"n":1}')


def test_while_a_bar_is_evaluated_the_one_before_is_held() -> None:
    """Whoever gets that task then is warm for it."""
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task)
    bench.bars(final(2))
    (one,) = found(bench)
    assert one.task_id.number == 1
    assert bench.task.task_id.number == 2
    assert bench.task.whole is None


def test_who_is_suspended_is_not_held() -> None:
    bench = Bench(entry("a"), entry("b", number=2))
    bench.bars(final(1))
    bench.answer(bench.task)
    bench.bars(final(2))
    bench.answer(bench.task, said(0, error="division by zero"))
    assert found(bench) == [], "the roster has changed: all is asked anew"
    bench.bars(final(3))
    bench.answer(bench.task)
    (one,) = found(bench)
    assert [attached.number for attached in one.whole.attached] == [1]


def test_after_a_restart_nothing_is_likely() -> None:
    bench = Bench(entry())
    bench.bars(final(1))
    bench.answer(bench.task)
    bench.restart()
    assert found(bench) == []


def test_keys_without_a_home_come_first() -> None:
    bench = Bench(entry("a"), entry("b", number=2, instrument=OTHER))
    bench.bars(final(1), final(1, instrument=OTHER))
    for task in bench.tasks:
        bench.answer(task)
    first, second = (one.task_id.key for one in found(bench))
    assert [one.task_id.key for one in found(bench, first)] == [second, first]
    assert [one.task_id.key for one in found(bench, second)] == [first, second]
    assert first == TaskKey(f"{COIN.instrument_id} 1m")


def test_those_that_look_at_other_series_are_asked_with_everything() -> None:
    bench = Bench(entry(others=(OTHER,)))
    bench.bars(final(1))
    bench.answer(bench.task)
    assert found(bench) == []
