"""Which prices are of the scale of what is held."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.price_scale import is_current
from tandem.core.trading.turn import Turn
from tandem.domain.ids import InstrumentId
from tandem.domain.venue import Quote
from tests.unit.core.trading.desk_driver import Floor

T = InstrumentId("T@X")


def quote(splits: int, instrument_id: InstrumentId = T) -> Quote:
    return Quote(instrument_id=instrument_id, bid=None, ask=None, last=None, splits=splits)


def turn_of(floor: Floor) -> Turn:
    return Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)


def test_prices_of_what_was_never_split_and_of_what_nobody_holds_are_current() -> None:
    turn = turn_of(Floor().open())
    assert is_current(turn, quote(0))
    assert is_current(turn, quote(3, InstrumentId("no")))


def test_accounts_that_were_never_opened_hold_nothing_to_be_valued() -> None:
    floor = Floor()
    assert is_current(turn_of(floor), quote(1))


def test_only_those_that_know_of_fewer_splits_are_asked_soon() -> None:
    """A29."""
    floor = Floor().open()
    seats = list(floor.state.seats.values())
    floor.look_away()
    for seat in seats:
        seat.audit.soon_ns = None
    seats[0].adjustments.splits[T] = 1
    assert not is_current(turn_of(floor), quote(1))
    assert [seat.audit.soon_ns is not None for seat in seats] == [False, True, True, True]


@given(st.lists(st.integers(0, 2), min_size=4, max_size=4), st.integers(0, 2))
def test_a_price_is_current_when_all_accounts_are_of_its_scale(
    known: list[int], splits: int
) -> None:
    floor = Floor(is_checked=False).open()
    floor.state.splits.instruments[T] = None
    for seat, count in zip(floor.state.seats.values(), known, strict=True):
        seat.adjustments.splits[T] = count
    assert is_current(turn_of(floor), quote(splits)) is (set(known) == {splits})
