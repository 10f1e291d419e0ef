"""Answers on the screen."""

import io
import json

from tandem.cli.asking import write_answer
from tandem.domain.commands import Done, RefusalReason, Refused, Taken
from tandem.domain.ids import CommandId, ParentId

REFUSED = Refused(reason=RefusalReason.RISK, text="too much")
MINE = CommandId("mine")


def written(answer: Done | Refused | Taken, *, command_id: CommandId | None = None) -> str:
    out = io.StringIO()
    code = write_answer(answer, out, as_json=False, command_id=command_id)
    assert code == (1 if isinstance(answer, Refused) else 0)
    return out.getvalue()


def test_a_refusal_names_the_command_so_that_it_can_be_looked_up() -> None:
    """C13."""
    assert written(REFUSED, command_id=MINE) == "refused (risk): too much [command mine]\n"
    assert written(REFUSED) == "refused (risk): too much\n"


def test_other_answers_are_a_line() -> None:
    assert written(Taken(order_id=ParentId("d1-1")), command_id=MINE) == "taken: d1-1\n"
    assert written(Done(text="")) == "done\n"
    assert written(Done(text="gone")) == "gone\n"


def test_programs_read_the_command_id() -> None:
    """C13."""
    out = io.StringIO()
    write_answer(REFUSED, out, as_json=True, command_id=MINE)
    assert json.loads(out.getvalue())["command_id"] == "mine"
    out = io.StringIO()
    write_answer(REFUSED, out, as_json=True)
    assert "command_id" not in json.loads(out.getvalue())
