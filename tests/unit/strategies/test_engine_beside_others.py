"""What scripts are given of Lua's own functions, and that no script pays for another."""

from typing import Any

import pytest

from tandem.adapters.jail.evaluation import Evaluation
from tandem.adapters.jail.rehearsal import rehearsal
from tandem.domain.evaluation import Attached, AttachmentNumber, Evaluated, Task, Whole
from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.engine import Engine
from tandem.strategies.lua_machine import Lua


def a_task(*texts: str) -> Task:
    model = rehearsal()[0]
    assert model.whole is not None
    made = [StrategyText(name="x", language=Language.LUA, text=text) for text in texts]
    whole = Whole(
        series=model.whole.series,
        texts=tuple(made),
        attached=tuple(
            Attached(number=AttachmentNumber(number), text_hash=text.text_hash)
            for number, text in enumerate(made)
        ),
    )
    return Task(task_id=model.task_id, bar=model.bar, whole=whole)


@pytest.mark.parametrize("kind", list(Lua))
@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('string.format("%5.2f|%s|%%|%d", 1.234, "a", 7)', " 1.23|a|%|7"),
        ("table.unpack({ 1, 2, 3 })", "1 2 3"),
        ("table.unpack({ 1, 2, 3 }, 2)", "2 3"),
        ('string.sub("hello", 2)', "ello"),
        ('("hello"):sub(-3, -2)', "ll"),
    ],
)
def test_what_may_be_left_out_is_left_out(kind: Lua, call: str, said: str) -> None:
    answer = Evaluation(Engine(lua=kind), lambda _: None).do(a_task(f"log({call})"))
    assert isinstance(answer, Evaluated)
    assert [(one.lines, one.answer.error) for one in answer.said] == [((said,), None)]


@pytest.mark.parametrize("call", ['string.sub("hello", 1.5)', 'table.unpack({}, "a")'])
def test_a_wrong_argument_names_the_line_of_the_script(call: str) -> None:
    answer = Evaluation(Engine(), lambda _: None).do(a_task(f"\nlog({call})"))
    assert isinstance(answer, Evaluated)
    error = answer.said[0].answer.error or ""
    assert error.startswith("line 2: ")
    assert error.endswith("expected a whole number")


def test_a_late_flag_that_came_too_late_does_not_stop_who_comes_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F22: it was meant for a script that ended by itself in the meantime."""
    control = bytearray(8)
    find = Engine._find

    def find_late(*asked: Any) -> object:
        control[0] = 1  # and the script that asks for this does nothing more that looks at it
        return find(*asked)

    monkeypatch.setattr(Engine, "_find", find_late)
    evaluation = Evaluation(Engine(control=control), lambda _: None)
    following = "for i = 1, 100 do end return 0.5"
    answer = evaluation.do(a_task("local sma = ta.sma(5)\nreturn 0.1", following))
    assert isinstance(answer, Evaluated)
    assert [one.answer.position_ppm for one in answer.said] == [100_000, 500_000]
