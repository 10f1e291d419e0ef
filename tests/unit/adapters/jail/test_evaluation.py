"""What a tenant's process holds between tasks, with the real engine. B15, B16, B17."""

import msgspec
import pytest

from tandem.adapters.jail.child import bytes_of
from tandem.adapters.jail.evaluation import Evaluation
from tandem.adapters.jail.frames import ANSWER_BYTES_MAX
from tandem.adapters.jail.rehearsal import rehearsal
from tandem.domain.bars import Bar
from tandem.domain.evaluation import (
    OWN_TENANT,
    Attached,
    AttachmentNumber,
    Cold,
    Evaluated,
    History,
    OtherBar,
    Said,
    Series,
    Skipped,
    Task,
    TaskAnswer,
    TaskId,
    TaskKey,
    Whole,
    answer_of,
)
from tandem.domain.ids import Ticks
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.strategies.engine import Engine

MODEL = rehearsal()[0]
assert MODEL.whole is not None
INSTRUMENT = MODEL.whole.series.instrument
COUNTER = "state.n = (state.n or 0) + 1\nreturn state.n / 1000"


def bar(number: int) -> Bar:
    price = 10_000 + number
    return msgspec.structs.replace(
        MODEL.bar,
        begin_ns=number * MODEL.bar.span.ns,
        open=Ticks(price),
        high=Ticks(price),
        low=Ticks(price),
        close=Ticks(price),
    )


def lua(text: str) -> StrategyText:
    return StrategyText(name="x", language=Language.LUA, text=text)


def whole(*texts: str, first: int = 0, others: bool = False, bars: int = 30) -> Whole:
    series = Series(
        symbol="A-B", instrument=INSTRUMENT, history=History.of([bar(n) for n in range(1, bars)])
    )
    held = {lua(text).text_hash: lua(text) for text in texts}
    return Whole(
        series=series,
        texts=tuple(held.values()),
        attached=tuple(
            Attached(
                number=AttachmentNumber(first + place),
                text_hash=lua(text).text_hash,
                others=("B-C",) if others else (),
            )
            for place, text in enumerate(texts)
        ),
        others=(msgspec.structs.replace(series, symbol="B-C"),) if others else (),
    )


def task(number: int, all_of_it: Whole | None = None, *, roster: int = 1, key: str = "k") -> Task:
    which = TaskId(tenant=OWN_TENANT, key=TaskKey(key), roster=roster, number=number)
    return Task(task_id=which, bar=bar(29 + number), whole=all_of_it)


def positions(answer: TaskAnswer) -> dict[int, int | None]:
    assert isinstance(answer, Evaluated), answer
    return {one.number: one.answer.position_ppm for one in answer.said}


@pytest.fixture
def marks() -> list[int | None]:
    return []


@pytest.fixture
def evaluation(marks: list[int | None]) -> Evaluation:
    return Evaluation(Engine(), marks.append)


def test_what_was_taken_in_once_is_warm_for_the_next_bars(evaluation: Evaluation) -> None:
    assert positions(evaluation.do(task(1, whole(COUNTER, COUNTER)))) == {0: 1_000, 1: 1_000}
    assert positions(evaluation.do(task(2))) == {0: 2_000, 1: 2_000}
    assert positions(evaluation.do(task(3))) == {0: 3_000, 1: 3_000}


@pytest.mark.parametrize(
    "unknown", [task(3), task(1, roster=0), task(2, roster=2), task(2, key="other")]
)
def test_what_it_does_not_hold_it_says(evaluation: Evaluation, unknown: Task) -> None:
    """Another bar than the next, another roster, another key."""
    evaluation.do(task(1, whole(COUNTER)))
    assert evaluation.do(unknown) == Cold(task_id=unknown.task_id)
    assert positions(evaluation.do(task(2))) == {0: 2_000}


def test_the_same_task_twice_is_evaluated_once(evaluation: Evaluation) -> None:
    """B15."""
    first = evaluation.do(task(1, whole(COUNTER)))
    assert evaluation.do(task(1, whole(COUNTER))) == first
    second = evaluation.do(task(2))
    assert evaluation.do(task(2)) == second
    assert positions(evaluation.do(task(3))) == {0: 3_000}


def test_an_edited_text_counts_from_the_next_evaluation(evaluation: Evaluation) -> None:
    """B16."""
    evaluation.do(task(1, whole("return 0.1", COUNTER)))
    edited = task(2, whole("return 0.2", COUNTER), roster=2)
    assert positions(evaluation.do(edited)) == {0: 200_000, 1: 1_000}
    assert positions(evaluation.do(task(3, roster=2))) == {0: 200_000, 1: 2_000}


def test_who_is_gone_from_the_roster_is_evaluated_no_more(evaluation: Evaluation) -> None:
    evaluation.do(task(1, whole("return 0.1", "return 0.2")))
    assert positions(evaluation.do(task(2, whole("return 0.1"), roster=2))) == {0: 100_000}


def test_an_attachment_that_moved_to_another_key_left_the_first(evaluation: Evaluation) -> None:
    evaluation.do(task(1, whole("return 0.1", "return 0.2")))
    assert positions(evaluation.do(task(1, whole("return 0.3"), key="l"))) == {0: 300_000}
    assert positions(evaluation.do(task(2))) == {1: 200_000}


def test_a_text_that_is_wrong_fails_alone(evaluation: Evaluation) -> None:
    answer = evaluation.do(task(1, whole("return 0.1", "return (", "return 0.3")))
    assert isinstance(answer, Evaluated)
    errors = {int(one.number): one.answer.error or "" for one in answer.said}
    assert "line 1" in errors.pop(1)
    assert errors == {0: "", 2: ""}


def test_who_watches_knows_whose_text_is_being_used(
    evaluation: Evaluation, marks: list[int | None]
) -> None:
    """F22: a text can hang while it is compiled."""
    evaluation.do(task(1, whole("return 0.1", "return (", first=7)))
    assert marks == [7, None, 8, None]


def test_a_text_or_bars_that_did_not_come_are_an_error_of_that_attachment(
    evaluation: Evaluation,
) -> None:
    given = whole("return 0.1", "return 0.2")
    others = msgspec.structs.replace(given.attached[1], others=("X-Y",))
    broken = msgspec.structs.replace(
        given, texts=given.texts[1:], attached=(given.attached[0], others)
    )
    answer = evaluation.do(task(1, broken))
    assert isinstance(answer, Evaluated)
    errors = [one.answer.error or "" for one in answer.said]
    assert "did not come with the task" in errors[0]
    assert errors[1] == "bars of X-Y did not come with the task"


def test_a_history_that_cannot_be_is_not_evaluated_and_leaves_nothing_half_done(
    evaluation: Evaluation,
) -> None:
    evaluation.do(task(1, whole(COUNTER)))
    given = whole(COUNTER, others=True)
    history = msgspec.structs.replace(given.series.history, lows=bytes(8 * 29))
    series = msgspec.structs.replace(given.series, history=history)
    broken = task(2, msgspec.structs.replace(given, others=(series,)), roster=2)
    answer = evaluation.do(broken)
    assert isinstance(answer, Skipped)
    assert "low" in answer.reason
    assert evaluation.do(task(2)) == Cold(task_id=task(2).task_id)
    assert positions(evaluation.do(task(2, whole(COUNTER), roster=3))) == {0: 1_000}


def test_bars_of_others_are_seen_before_the_bar_that_decides(evaluation: Evaluation) -> None:
    text = 'return instrument("B-C").close() == close() and 0.5 or 0'
    first = task(1, whole(text, others=True))
    seen = msgspec.structs.replace(first, others=(OtherBar(symbol="B-C", bar=first.bar),))
    assert positions(evaluation.do(seen)) == {0: 500_000}
    assert positions(evaluation.do(task(2))) == {0: 0}
    stranger = msgspec.structs.replace(task(3), others=(OtherBar(symbol="?", bar=bar(32)),))
    assert positions(evaluation.do(stranger)) == {0: 0}


def test_what_was_logged_comes_along_and_changes_no_state(evaluation: Evaluation) -> None:
    text = "state.n = 5\nlog('a', 1)\nlog('b')\nif state.seen then return nil end"
    evaluation.do(task(1, whole("state.n = 5 return 0")))
    answer = evaluation.do(task(2, whole(text), roster=2))
    assert isinstance(answer, Evaluated)
    assert answer.said[0].lines == ("a 1", "b")
    quiet = evaluation.do(task(3, whole("log('only')"), roster=3))
    assert isinstance(quiet, Evaluated)
    assert quiet.said == (Said(number=AttachmentNumber(0), answer=Answer(), lines=("only",)),)


def test_who_only_logs_keeps_its_state(evaluation: Evaluation) -> None:
    text = "if not state.n then state.n = 5 return 0 end\nlog('still here')"
    evaluation.do(task(1, whole(text)))
    answer = evaluation.do(task(2))
    assert isinstance(answer, Evaluated)
    assert [one.answer.state for one in answer.said] == ['{"n":5}']


def test_an_answer_that_is_no_text_fails_alone() -> None:
    which = task(1).task_id
    good = Said(number=AttachmentNumber(0), answer=Answer(position_ppm=1))
    half = Said(number=AttachmentNumber(1), answer=Answer(), lines=("\ud800",))
    answer = answer_of(bytes_of(Evaluated(task_id=which, said=(good, half))))
    assert isinstance(answer, Evaluated)
    assert answer.said[0] == good
    assert answer.said[1].answer.error == "it said what is no text: half a character"


def test_answers_that_are_too_long_together_are_skipped() -> None:
    which = task(1).task_id
    long = Said(number=AttachmentNumber(0), answer=Answer(), lines=("x" * (ANSWER_BYTES_MAX + 1),))
    answer = answer_of(bytes_of(Evaluated(task_id=which, said=(long,))))
    assert isinstance(answer, Skipped)
    assert "at most" in answer.reason
