"""What the decider remembers: B14, B23."""

from tandem.core.deciding.state import DeciderState, KeyState, key_of
from tandem.domain.bars import Span
from tests.unit.core.deciding.bench import COIN, OTHER, entry


def test_a_series_is_found_by_those_that_look_at_it() -> None:
    """B14, B33."""
    state = DeciderState()
    name = key_of(entry("a", others=(OTHER,)))
    state.keys[name] = KeyState(COIN, Span.M1, others={OTHER.instrument_id: OTHER})
    state.index()
    assert state.by_series == {
        f"{COIN.instrument_id} 1m": [name],
        f"{OTHER.instrument_id} 1m": [name],
    }


def test_what_is_of_one_series_is_evaluated_together() -> None:
    """B23."""
    assert key_of(entry("a")) == key_of(entry("b"))
    assert key_of(entry("a")) != key_of(entry("b", instrument=OTHER))
