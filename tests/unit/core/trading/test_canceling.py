"""Canceling all that is open, or all on one symbol."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.canceling import cancel_all
from tandem.core.trading.turn import Turn
from tests.unit.core.trading.desk_driver import Floor


@given(st.lists(st.sampled_from("TU"), max_size=5), st.sampled_from(["T", "U", None]))
def test_what_is_on_the_symbol_is_canceled_and_nothing_else(
    symbols: list[str], chosen: str | None
) -> None:
    floor = Floor(is_checked=False).open()
    parents = [floor.buy(1, symbol=one, slots=("s1",)) for one in symbols]
    turn = Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)
    count = cancel_all(turn, "enough", symbol=chosen)
    wanted = [one in (chosen, None) or chosen is None for one in symbols]
    assert [one.cancel_wanted for one in parents] == wanted
    assert count == sum(wanted)
