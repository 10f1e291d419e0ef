"""What a cold evaluator is given to read: B16."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.deciding.inputs import chain_of
from tandem.domain.bars import FinalBar
from tandem.domain.deciding import AskWhole, Evaluate
from tandem.domain.evaluation import OWN_TENANT, TaskId, TaskKey
from tandem.shells.histories import BarsThen, task_with_history
from tandem.sim.bars import MemoryBars
from tests.unit.core.deciding.bench import COIN, final, revised


def store_of(*finals: FinalBar) -> MemoryBars:
    store = MemoryBars()
    store.list_instruments([COIN])
    store.add(finals)
    return store


def asked(of: FinalBar, *, wants_chain: bool = True) -> Evaluate:
    task_id = TaskId(tenant=OWN_TENANT, key=TaskKey("k"), roster=1, number=of.number)
    whole = AskWhole(
        instrument=COIN, others=(), from_ns=0, attached=(), closes=2, wants_chain=wants_chain
    )
    return Evaluate(task_id=task_id, bar=of.bar, whole=whole)


def closes(effect: Evaluate, store: MemoryBars) -> list[int]:
    task, _ = task_with_history(effect, {}, BarsThen(store, effect))
    assert task.whole is not None
    series = task.whole.series
    bars = series.history.bars(series.instrument.instrument_id, effect.bar.span)
    return [bar.close for bar in bars]


def test_history_is_read_as_it_was_when_the_bar_was_published() -> None:
    """B16: a correction that came after the bar is of a later number."""
    store = store_of(final(1), final(2), final(3), revised(4, of=1), final(5))
    assert closes(asked(final(3)), store) == [100, 100]
    assert closes(asked(final(5)), store) == [99, 100, 100]


def test_what_was_inserted_later_was_not_there() -> None:
    """B9: a bar that was left out, and came as a correction."""
    early = FinalBar(number=2, bar=final(3).bar)
    store = store_of(final(1), early, FinalBar(number=3, bar=final(2).bar, revision=1))
    assert closes(asked(early), store) == [100]


def test_what_was_found_of_the_history_goes_with_the_task() -> None:
    """B16."""
    store = store_of(final(1, close=7), final(2, close=8), final(3, close=9))
    _, found = task_with_history(asked(final(3)), {}, BarsThen(store, asked(final(3))))
    assert found is not None
    assert found.closes == (7, 8)
    assert found.chain == chain_of([final(1, close=7).bar, final(2, close=8).bar])
    _, found = task_with_history(asked(final(3), wants_chain=False), {}, store)
    assert found is not None
    assert found.chain == ""


@given(st.lists(st.integers(1, 5), max_size=4), st.integers(1, 6))
def test_later_corrections_change_no_history(of: list[int], number: int) -> None:
    """B9, B16: whenever it is read, and however much was corrected since."""
    finals = [final(one) for one in range(1, 7)]
    before = closes(asked(finals[number - 1]), store_of(*finals[:number]))
    corrected: list[FinalBar] = []
    for at, one in enumerate(of):
        revision = 1 + of[:at].count(one)
        bar = revised(0, of=one).bar
        corrected.append(FinalBar(number=7 + at, bar=bar, revision=revision))
    assert closes(asked(finals[number - 1]), store_of(*finals, *corrected)) == before
