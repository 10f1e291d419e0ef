"""How far a desk is with its objectives."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.objective_state import Kept, ObjectivePhase, Objectives
from tandem.domain.commands import SetObjectives
from tandem.domain.ids import Ticks
from tandem.domain.limits import LOTS_MAX


def test_it_is_on_while_there_is_something_to_see_or_to_do() -> None:
    found = {
        one: (Objectives(phase=one).is_on, Objectives(phase=one).is_flattening)
        for one in ObjectivePhase
    }
    assert found == {
        ObjectivePhase.NONE: (False, False),
        ObjectivePhase.WATCHING: (True, False),
        ObjectivePhase.STOPPED: (False, False),
        ObjectivePhase.FLATTENING: (True, True),
        ObjectivePhase.FLAT: (False, False),
    }


@given(st.sampled_from(ObjectivePhase), st.decimals(allow_nan=False, allow_infinity=False))
def test_it_comes_out_of_a_snapshot_as_it_went_in(phase: ObjectivePhase, gain: Decimal) -> None:
    """I11."""
    spec = SetObjectives(currency="USD", target_profit=Decimal(1))
    state = Objectives(spec=spec, phase=phase, gain=gain)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Objectives) == state


@given(st.integers(-999, 999), st.integers(1, 9_999), st.integers(1, 9), st.integers(1, 9))
def test_what_was_kept_is_worth_as_much_after_a_split(
    lots: int, reference: int, new: int, old: int
) -> None:
    """A29: however its lots and its price are rounded."""
    kept = Kept(lots, Ticks(reference))
    kept.split(numerator=new, denominator=old)
    assert kept.lots * kept.reference - kept.correction == lots * reference


def test_what_was_kept_is_counted_however_often_it_is_split() -> None:
    """C6: a snapshot holds it."""
    kept = Kept(LOTS_MAX, Ticks(LOTS_MAX))
    kept.split(numerator=1_000_000, denominator=1)
    kept.split(numerator=1, denominator=1_000_000)
    kept.split(numerator=1, denominator=1_000_000)
    assert abs(kept.lots) <= LOTS_MAX
    content = msgspec.msgpack.encode(kept)
    assert msgspec.msgpack.decode(content, type=Kept) == kept
