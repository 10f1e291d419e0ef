"""Every command to the desk as a whole finds who carries it out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.commands import (
    ClearObjectives,
    Command,
    DrainWorker,
    HaltTrading,
    ReduceOnly,
    ResumeTrading,
    SetLimits,
)
from tests.unit.core.trading.desk_driver import Floor


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (HaltTrading(reason="x"), "halted; 0 orders are being canceled"),
        (ResumeTrading(), "trading was not halted"),
        (SetLimits(), "desk: nothing set"),
        (ReduceOnly(on=False), "desk did not only reduce"),
        (ClearObjectives(), "there were no objectives"),
        (DrainWorker(worker="nobody"), "no worker nobody"),
    ],
)
def test_a_command_is_carried_out_by_whom_it_is_for(command: Command, says: str) -> None:
    answer = Floor().open().ask(command)
    assert getattr(answer, "text", None) == says


@given(st.lists(st.sampled_from([HaltTrading(reason="x"), ResumeTrading(), ClearObjectives()])))
def test_after_any_of_them_the_records_give_the_same_desk(commands: list[Command]) -> None:
    """C6 I11."""
    floor = Floor(is_checked=False).open()
    for one in commands:
        floor.command(one)
    floor.replay()
