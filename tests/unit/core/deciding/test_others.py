"""Which bars of other instruments are seen: recorded, hashed, and the same for everybody."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.deciding import others
from tandem.core.deciding.inputs import attached_of, chain_of, chained, inputs_hash
from tandem.core.market.origins import origin_ns
from tandem.domain.bars import Bar, FinalBar
from tandem.domain.deciding import (
    AskWhole,
    BarsFinal,
    Decided,
    DeciderEffect,
    Evaluate,
    OthersTold,
    TaskAnswered,
)
from tandem.domain.evaluation import Evaluated, OtherSeen
from tandem.domain.ids import InstrumentId
from tandem.shells.histories import BarsThen, task_with_history
from tandem.sim.bars import MemoryBars
from tests.unit.core.deciding.bench import COIN, OTHER, Bench, entry, final, said

ID = OTHER.instrument_id


def other(number: int, *, at: int | None = None, revision: int = 0) -> FinalBar:
    """Return the bar of the other instrument with this number, that begins `at` minutes."""
    bar = final(number if at is None else at, close=100 + number, instrument=OTHER).bar
    return FinalBar(number=number, bar=bar, revision=revision)


def closes(task: Evaluate) -> list[int]:
    return [one.bar.close for one in task.others]


def test_what_was_over_is_seen_and_recorded_and_the_rest_waits() -> None:
    """B33 B16: one bar behind at most."""
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(other(1), other(2), other(3), final(2))
    assert bench.task.whole is not None
    assert bench.task.others == ()  # they are in its history
    assert bench.task.whole.others_seen == (OtherSeen(instrument_id=ID, number=3),)
    bench.answer(bench.task, said(0, 1))
    assert bench.decided.others == (OtherSeen(instrument_id=ID, number=3),)
    bench.bars(other(4), final(3))
    assert bench.task.whole is None
    assert closes(bench.task) == [102]
    bench.answer(bench.task)
    (key,) = bench.decider.state.keys.values()
    assert others.chains_of(key, (OTHER,)) == (chain_of([other(2).bar]),)


def test_a_bar_that_is_told_again_or_later_is_seen_once() -> None:
    """B33: nobody waits for it."""
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(other(1), final(2))
    bench.answer(bench.task)
    bench.bars(final(4))
    assert closes(bench.task) == []
    bench.answer(bench.task)
    assert bench.bars(other(1), other(2)) == []
    bench.bars(other(2), other(3), final(5))
    assert closes(bench.task) == [102, 103]


def test_a_correction_of_another_series_changes_history_and_decides_nothing() -> None:
    """B9 B33."""
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(other(1), final(2))
    bench.answer(bench.task)
    bench.bars(other(2, at=1, revision=1), final(3))
    assert bench.task.whole is not None
    assert bench.task.whole.wants_chain
    assert bench.task.whole.others_seen[0].number == 2


def test_what_was_published_before_is_read_and_not_decided_on() -> None:
    """B13 B33: until a bar that began after all of it, everybody is cold."""
    bench = Bench(entry("a", others=(OTHER,)), entry("b", instrument=OTHER))
    bench.on(OthersTold(bars=(other(7),)))
    assert bench.tasks == []
    for number, is_whole in ((6, True), (7, True), (8, True), (9, False)):
        bench.bars(final(number))
        assert (bench.task.whole is not None) is is_whole
        bench.answer(bench.task)


def test_too_many_that_wait_are_read_from_history_when_they_are_over() -> None:
    """B33: a series that stands still holds no memory."""
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(final(1))
    bench.answer(bench.task)
    most = others.PENDING_MAX
    bench.on(BarsFinal(bars=tuple(other(number) for number in range(1, most + 4))))
    (key,) = bench.decider.state.keys.values()
    assert len(key.others_pending) == most
    for number, is_whole in ((2, True), (3, True), (4, True), (5, False)):
        bench.bars(final(number))
        assert (bench.task.whole is not None) is is_whole
        bench.answer(bench.task)
    assert key.others_cut_ns == 0


def test_whoever_is_looked_at_while_a_bar_is_evaluated_is_not_in_its_inputs() -> None:
    """B13 B16."""
    plain, looking = entry("a"), entry("b", others=(OTHER,))
    bench = Bench(plain, looking)
    bench.bars(other(1), final(2))
    bench.answer(bench.task)
    bench.bars(other(2), other(3), final(3))
    task = bench.task
    assert closes(task) == [102]
    bench.roster(plain)
    bench.roster(plain, looking)
    bench.answer(task, said(0, 1))
    (key,) = bench.decider.state.keys.values()
    assert key.others_chains == {}
    bench.bars(final(4))
    assert bench.task.whole is not None
    assert bench.task.whole.wants_chain


def test_a_bar_that_is_asked_again_is_asked_with_all_that_was_told_since() -> None:
    """B15 B33: under another roster, so that no answer to less counts."""
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(other(1), final(3))
    bench.answer(bench.task)
    bench.bars(final(4))
    first = bench.task
    bench.bars(other(2), other(3))
    bench.cold(first)
    again = bench.task
    assert again.whole is not None
    assert [one.number for one in again.whole.others_seen] == [3]
    assert again.task_id.roster > first.task_id.roster
    assert bench.answer(first) == []
    bench.answer(again)
    bench.bars(final(5))
    assert (closes(bench.task), bench.decider.state.late) == ([], 1)
    same = bench.task.task_id
    bench.cold(bench.task)
    assert bench.task.task_id == same


def test_whoever_came_while_a_bar_was_asked_is_asked_with_what_it_looks_at() -> None:
    """B13 B16: the bar is asked again after a restart, of all that are assigned by then."""
    third = msgspec.structs.replace(OTHER, instrument_id="paper:third", symbol="THIRD")
    bench = Bench(entry("a", others=(OTHER,)))
    bench.bars(other(1), final(3))
    bench.roster(entry("a", others=(OTHER,)), entry("b", others=(third,)))
    bench.restart()
    whole = bench.task.whole
    assert whole is not None
    assert whole.wants_chain
    assert [one.instrument_id for one in whole.others_seen] == [
        one.instrument_id for one in whole.others
    ]


class Floor:
    """A decider over a store, and an evaluator that keeps what it was given."""

    def __init__(self) -> None:
        self.bench = Bench(entry("a", others=(OTHER,)))
        self.store = MemoryBars()
        self.store.list_instruments([COIN, OTHER])
        self.held: dict[InstrumentId, list[Bar]] = {}
        self.asked: Evaluate | None = None
        self.checked = 0

    def publish(self, *finals: FinalBar, is_told: bool = True) -> None:
        self.store.add(finals)
        if is_told:
            self.perform(self.bench.bars(*finals))

    def restart(self) -> None:
        """Come back, and tell what was stored and not told."""
        self.perform(self.bench.restart())
        for key in list(self.bench.decider.state.keys.values()):
            missed = self.store.published(COIN.instrument_id, key.span, after=key.seen, count=99)
            self.perform(self.bench.bars(*missed) if missed else [])
            after = key.others_told.get(ID, 0)
            told = self.store.published(ID, key.span, after=after, count=99)
            self.perform(self.bench.on(OthersTold(bars=tuple(told))))

    def perform(self, effects: list[DeciderEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Evaluate):
                self.asked = effect
                self.evaluate(effect)
            elif isinstance(effect, Decided):
                self.check(effect)

    def evaluate(self, effect: Evaluate) -> None:
        task, history = task_with_history(effect, {}, BarsThen(self.store, effect))
        if task.whole is not None:
            series = (task.whole.series, *task.whole.others)
            self.held = {
                one.instrument.instrument_id: list(
                    one.history.bars(one.instrument.instrument_id, task.bar.span)
                )
                for one in series
            }
        for one in task.others:
            self.held[one.bar.instrument_id].append(one.bar)
        self.held[task.bar.instrument_id].append(task.bar)
        key = self.bench.decider.state.keys[task.task_id.key]
        (number,) = key.members
        answer = Evaluated(task_id=task.task_id, said=(said(number, task.task_id.number),))
        self.perform(self.bench.on(TaskAnswered(answer=answer, history=history)))

    def check(self, decided: Decided) -> None:
        """Read again what was given, by what is recorded alone."""
        asked = self.asked
        assert asked is not None
        (decision,) = decided.decisions
        assert decided.task_id == asked.task_id
        rostered = entry("a", others=(OTHER,))
        attached = attached_of(
            rostered.assignment,
            0,  # type: ignore[arg-type]
            state=decided.states_before[0],
            position_ppm=decided.positions_before[0],
        )
        whole = AskWhole(
            instrument=COIN,
            others=(OTHER,),
            from_ns=origin_ns(asked.bar.span, asked.bar.begin_ns, COIN.instrument_id),
            attached=(attached,),
            others_seen=decided.others,
        )
        again = Evaluate(task_id=asked.task_id, bar=asked.bar, whole=whole)
        task, history = task_with_history(again, {}, BarsThen(self.store, again))
        assert task.whole is not None
        assert history is not None
        (seen,) = (list(one.history.bars(ID, asked.bar.span)) for one in task.whole.others)
        assert self.held[ID] == seen
        assert all(one.end_ns <= asked.bar.begin_ns for one in seen)
        found = inputs_hash(attached, chained(history.chain, asked.bar), (chain_of(seen),))
        assert decision.inputs_hash == found
        self.checked += 1


STEPS = st.sampled_from(
    ["own", "other", "other", "others", "correct", "lost own", "lost other", "restart", "roster"]
)


@given(st.lists(STEPS, max_size=40))
def test_what_an_evaluator_holds_is_what_is_read_again_by_the_recorded_numbers(
    steps: list[str],
) -> None:
    """B16 B33 I14: late, repeated and corrected bars, restarts and new assignments included."""
    floor = Floor()
    own, number, at = 0, 0, 0
    for step in steps:
        is_told = not step.startswith("lost")
        if step.endswith("own"):
            own += 1
            floor.publish(final(own), is_told=is_told)
        elif step == "correct" and at:
            number += 1
            floor.publish(other(number, at=max(1, at - number % 3), revision=number))
        elif step.startswith(("other", "lost other")):
            count = 3 if step == "others" else 1
            bars = [other(number + one, at=at + one) for one in range(1, count + 1)]
            number, at = number + count, at + count
            floor.publish(*bars, is_told=is_told)
        elif step == "roster":
            floor.bench.roster()
            floor.bench.roster(entry("a", number=number + 2, others=(OTHER,)))
            floor.restart()
        if step == "restart" or not is_told:
            floor.restart()
    floor.publish(final(own + 1))
    assert floor.checked
