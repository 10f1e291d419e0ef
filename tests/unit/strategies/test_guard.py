"""What the guard puts into a text, and what it lets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.check import check
from tandem.strategies.engine import Engine
from tandem.strategies.errors import StrategyError
from tandem.strategies.guard import guarded
from tandem.strategies.lua_tokens import plain_text, tokens

HEAD = "local __t, __r = __t, __r; "
ENGINE = Engine()
WORDS = st.sampled_from(
    [
        *("if", "then", "end", "while", "do", "for", "=", "i", "1", ",", "function", "(", ")"),
        *("repeat", "until", "return", "'x'", "{", "}", "[", "]", ".", "ta", "sma", "local", "not"),
        *("-", "\n", "def decide():", "    return", "class", ":", "state", "[[", "]]", "--", "//"),
        *("0x1p4", "#"),
    ]
)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("return 1", "__r(1); return 1"),
        ("while x do y() end", "while x do __t();  y() end"),
        ("repeat y() until x", "repeat __t();  y() until x"),
        (
            "local f = function(a, ...) return g(a) end\nreturn f(1)",
            "local f = function(a, ...) __t();  return g(a) end\n__r(2); return f(1)",
        ),
        ("if x then return 1 end", "if x then __r(1); return 1 end"),
        ("do local s = 'do return' end -- do", "do __t();  local s = 'do return' end -- do"),
        ("local s = [==[ do ]] ]==]", "local s = [==[ do ]] ]==]"),
    ],
)
def test_a_count_stands_in_every_loop_and_function_and_no_line_moves(
    text: str, source: str
) -> None:
    """B17."""
    assert guarded(text).source == HEAD + source


def test_who_remembers_is_known_by_the_name_alone() -> None:
    assert guarded("state.x = 1").uses_state
    assert not guarded("return 'state' -- state").uses_state


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("return 1\n\nreturn 1LL", "line 3: '1LL' is not a number"),
        ("return 2i", "line 1: '2i' is not a number"),
        ("return 0x1p4", "line 1: '0x1p4' is not a number"),
        ("return 1..2", "line 1: '1..2' is not a number"),
        ("::top:: goto top", "line 1: 'goto' is not known here; write a loop"),
        ("__t = nil", "line 1: '__t': names that begin with '__' are reserved"),
        ("return '\\x41'", "line 1: '\\x' is not known in a string"),
        ("return '\\300'", "line 1: '\\300' is more than a byte"),
        ("return 'x", "line 1: a string without its end"),
        ("\n--[==[ x ]]", "line 2: '[==[' has no ']==]'"),
        ("return 1 && 2", "line 1: '&&' is not Lua; write 'and'"),
        ("return 1 || 2", "line 1: '||' is not Lua; write 'or'"),
        ("return !x", "line 1: '!' is not Lua; write 'not'"),
        ("return é", "line 1: unexpected 'é'"),
        ("\x1bLJ\x02", "line 1: a control character: expected text"),
        ("x = " + "{" * 101, "line 1: nested too deeply"),
        ("do " * 101, "line 1: nested too deeply"),
        ("--" + "x" * 70_000, "expected at most 65536 bytes"),
    ],
)
def test_what_two_machines_read_differently_or_not_at_all_is_refused(text: str, why: str) -> None:
    """B17."""
    with pytest.raises(StrategyError) as caught:
        guarded(text)
    assert str(caught.value) == why


def test_a_lone_carriage_return_ends_a_line_for_everyone() -> None:
    """In Lua it ends a comment, so what follows would be hidden from a guard that did not know."""
    assert guarded("-- x\rwhile true do end").source == HEAD + "-- x\nwhile true do __t();  end"


@given(st.text())
def test_the_tokens_of_a_text_are_the_text(text: str) -> None:
    try:
        plain = plain_text(text)
        found = list(tokens(plain))
    except StrategyError:
        return
    assert "".join(one.text for one in found) == plain


@given(st.lists(WORDS | st.text(max_size=5), max_size=30), st.sampled_from(list(Language)))
def test_whatever_is_written_the_check_and_the_engine_have_an_answer(
    words: list[str], language: Language
) -> None:
    """B17: and what the check finds no error in can be loaded."""
    text = StrategyText(name="tried", language=language, text=" ".join(words))
    has_error = any(one.is_error for one in check(text))
    try:
        ENGINE.load(text)
    except StrategyError:
        assert has_error
