"""Whether the desk takes anything new."""

import pytest

from tandem.core.trading import taking
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason
from tandem.domain.desk import RoomChanged
from tests.unit.core.trading.desk_driver import Floor, X


def reason(floor: Floor) -> RefusalReason | None:
    turn = Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)
    refused = taking.closed(turn)
    return None if refused is None else refused.reason


def test_a_desk_that_is_not_set_up_takes_nothing() -> None:
    floor = Floor()
    assert reason(floor) is RefusalReason.NOT_SET_UP
    assert reason(floor.open()) is None


@pytest.mark.parametrize("halts", [True, False])
def test_a_halt_and_a_full_disk_take_nothing(halts: bool) -> None:
    """I11."""
    floor = Floor().open()
    if halts:
        floor.halt()
        assert reason(floor) is RefusalReason.HALTED
        return
    floor.on(RoomChanged(short=True))
    assert reason(floor) is RefusalReason.DISK_FULL


def test_a_clock_that_jumped_takes_nothing() -> None:
    floor = Floor().open()
    floor.look_away()
    floor.state.clocks[X].trusted = False
    assert reason(floor) is RefusalReason.VENUE_CLOCK
