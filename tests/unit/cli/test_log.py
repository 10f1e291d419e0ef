"""Which records name an order, and what their lines say."""

import pytest

from tandem.cli.log import _names, commands_of
from tandem.domain.commands import Asked, Done, RefusalReason, Refused, ResumeTrading
from tandem.domain.desk import Commanded, Due, Tell
from tandem.domain.ids import AskerId, CommandId

ME = AskerId(1)


@pytest.mark.parametrize(
    ("said", "order", "is_named"),
    [
        ('["d1-2"]', "d1-2", True),
        ('["d1-2-1-1"]', "d1-2", True),
        ('["d1-20"]', "d1-2", False),
        ('["d1-20-1-1"]', "d1-2", False),
        ('["xd1-2"]', "d1-2", False),
    ],
)
def test_an_order_is_named_by_itself_and_by_its_parts(
    said: str, order: str, is_named: bool
) -> None:
    assert _names(said, order=order) is is_named


def tell(command_id: str, reason: RefusalReason | None = None) -> Tell:
    answer = Done(text="") if reason is None else Refused(reason=reason, text="no")
    return Tell(asker=ME, command_id=CommandId(command_id), answer=answer)


def test_the_line_of_a_refusal_names_its_command() -> None:
    """C13."""
    asked = Asked(command_id=CommandId("mine"), command=ResumeTrading())
    event = Commanded(asker=ME, asked=asked)
    assert commands_of(event, []) == "command mine"
    assert commands_of(event, [tell("mine")]) == "command mine"
    refused = commands_of(event, [tell("mine", RefusalReason.HALTED)])
    assert refused == "command mine refused: halted"
    assert commands_of(Due(), [tell("up-1")]) == "command up-1"
    assert commands_of(Due(), []) == ""
