"""What a strategy in Python remembers; the rules of Lua's are tried with the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.strategies.errors import StrategyError
from tandem.strategies.remembering import State, state_of, state_text

FINITE = st.floats(allow_nan=False, allow_infinity=False).map(lambda one: one + 0.0)
VALUES = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=60) | FINITE


@given(st.dictionaries(st.text(max_size=15), VALUES, max_size=64))
def test_what_is_remembered_comes_back_the_same(kept: dict[str, bool | int | float | str]) -> None:
    state = State({})
    for name, value in kept.items():
        state[name] = value
    back = state_of(state_text(state))
    assert back == kept
    assert all(type(back[name]) is type(value) for name, value in kept.items())


def test_names_are_items_and_attributes_and_none_forgets() -> None:
    state = State({"a": 1})
    assert (state.a, state["a"], state.b, state.get("b", 3)) == (1, 1, None, 3)
    state.a = 1
    assert not state.is_changed
    state.b = 2
    assert state.is_changed
    assert list(state) == ["a", "b"]
    state.a = None
    state.c = None
    assert dict(state) == {"b": 2}


def test_one_and_true_are_not_the_same() -> None:
    state = State({"a": 1})
    state.a = True
    assert state.is_changed
    assert state_text(state) == '{"a":true}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "x" * 257, [1], {}])
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(StrategyError, match=r"state\.x: expected"):
        State({})["x"] = value  # type: ignore[assignment]


def test_there_are_at_most_64_names_and_they_are_short() -> None:
    state = State({str(number): number for number in range(64)})
    state["3"] = 4
    with pytest.raises(StrategyError, match="at most 64 names"):
        state["more"] = 1
    with pytest.raises(StrategyError, match="short name"):
        State({})["x" * 65] = 1


def test_a_text_that_is_no_state_is_refused_and_so_is_one_that_is_too_long() -> None:
    for text in ("", "[]", '{"a":[1]}', '{"a":null}'):
        with pytest.raises(StrategyError, match="state: "):
            state_of(text)
    with pytest.raises(StrategyError, match="expected at most 32768"):
        state_text({str(number): "\x01" * 256 for number in range(64)})
