"""The static check: what it says of texts, and that it and the machines agree."""

from random import Random

import pytest

from tandem.domain.strategies import Language, StrategyText
from tandem.strategies.check import check
from tandem.strategies.engine import Engine
from tandem.strategies.errors import StrategyError
from tandem.strategies.lua_machine import Lua
from tandem.strategies.lua_tokens import tokens
from tandem.strategies.names import LUA_FIELDS, LUA_NAMES
from tests.unit.strategies.market import PAPER, answers, lua, walk
from tests.unit.strategies.scripts import made_up

PRINTED = PAPER.replace("--", "//").replace("local ema", "local em")
ENDS = "the end can be reached without a return: then the position stays as it is"
NEVER = "it never returns anything: expected a return of what is wanted"
OUTSIDE = (
    "1:1: expected, outside of functions, imports of math, functions, a class, and values that "
    "cannot change: numbers, strings, tuples"
)
GIVEN = (
    "decide can be given bar, close, high, instrument, log, low, open, params, position, state, "
    "ta, volume, not"
)
NO_DECIDE = "expected a function 'decide(ta, bar, position, params, state)', or a class with one"
DEFAULT = "a default that can change is kept between bars; expected a value that cannot"
END = "the end of the text"
SETS = "the order of a set differs from run to run; write a tuple"


def said(text: str, language: Language = Language.LUA) -> list[str]:
    return [str(one) for one in check(StrategyText(name="tried", language=language, text=text))]


def python(*lines: str) -> list[str]:
    return said("\n".join(lines), Language.PYTHON)


def test_the_papers_strategy_as_it_is_meant_has_no_problem() -> None:
    """B19."""
    assert said(PAPER) == []


def test_the_papers_strategy_as_printed_is_told_what_to_change_and_where() -> None:
    """B19: all at once in the check, and the first when it is loaded."""
    slashes = "a comment begins with '--' in Lua, not with '//'"
    assert said(PRINTED) == [
        f"1:1: {slashes}",
        f"4:1: {slashes}",
        "5:7: warning: 'em' is never used",
        f"7:1: {slashes}",
        "9:12: unknown name 'ema'; did you mean 'em'?",
    ]
    with pytest.raises(StrategyError, match="line 1: a comment begins with '--'"):
        Engine().load(lua(PRINTED))
    misspelt = PRINTED.replace("//", "--")
    assert answers(Engine(), lua(misspelt), walk(40), 20)[0].error == "line 9: unknown name 'ema'"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("return ta.smaa(9)()", ["1:11: ta has no 'smaa'; did you mean 'sma'?"]),
        (
            "return ta.sma(1, 2, 3)()",
            ["1:11: ta.sma: 3 parameters given, expected at most 1 (period)"],
        ),
        ("return ta.sma(0)()", ["1:11: ta.sma: period is 0, expected 1 to 1000"]),
        ('return ta.sma(10, "1h")() > close() and 1 or 0', []),
        ("return ta.sma(params.period)() > close(2) and 1 or 0", []),
        (
            "local a = ta.sma(3)\nreturn a > 3 and 1",
            ["2:8: 'a' is an indicator, not its value; write 'a()'"],
        ),
        ("if close() > 3 then return 1 end", [f"1:33: warning: {ENDS}"]),
        ("if close() > 3 then return 1 else return 0 end", []),
        ("local a = 1\na = 2 + a", [f"2:10: {NEVER}"]),
        ("do return 1 end\nreturn 0", ["2:1: warning: this is never reached"]),
        ("while true do end\nreturn 0", ["2:1: warning: this is never reached"]),
        ("while true do if close() > 1 then break end end\nreturn 0", []),
        ("repeat local a = 1 until a > 3 return 1", []),
        ("error('no')\nreturn 1", ["2:1: warning: this is never reached"]),
        ("local a, _b = 1, 2\nreturn 1", ["1:7: warning: 'a' is never used"]),
        ("local a = 1 local a = 2 return a", ["1:7: warning: 'a' is never used"]),
        ("x = 4 return 1", ["1:1: 'x' is not declared; write: local x = …"]),
        (
            "local count = 1 cont = count return count",
            ["1:17: 'cont' is not declared; did you mean 'count'?"],
        ),
        ("position = 4 return 1", ["1:1: 'position' can only be read"]),
        ("function f() end return 1", ["1:10: 'f' is not declared; write: local f = …"]),
        ("local function f(x, ...) return ... end return f(1)", []),
        ("local t = {} function t.f() end t.x, t[1] = 1, 2 return #t", []),
        ("local t = { 1; [2] = 3, k = 4, f = function(x) return x end } return t.f{ 1 }", []),
        ("for i = 1, 3, 1 do log(i) end for k, v in pairs({}) do log(k, v) end return 1", []),
        ("return bar.clsoe", ["1:12: bar has no 'clsoe'; did you mean 'close'?"]),
        ("return math.flor(1)", ["1:13: math has no 'flor'; did you mean 'floor'?"]),
        ("return -2 ^ 2 .. 'x' == not true and (1 + 2):f() or 0x10", []),
        ("break", ["1:1: 'break' stands in no loop", f"1:6: {NEVER}"]),
        ("return 1 local x = 2", ["1:10: nothing can follow 'return' in its block"]),
        (
            "if close() > 1 then\nreturn 1",
            [f"2:9: expected 'end' (to close 'if' in line 1), got {END}"],
        ),
        ("return 1 end", ["1:10: 'end' closes nothing"]),
        ("end", ["1:1: 'end' closes nothing"]),
        ("local 3 = 4", ["1:7: expected a name, got '3'"]),
        ("close() + 1", ["1:9: expected a value, got '+'"]),
        ("close", ["1:6: expected '=' or a call, got the end of the text"]),
        ("return )", ["1:8: expected a value, got ')'"]),
        ("return 1 != 2", ["1:1: '!=' is not Lua; write '~='"]),
        ("return " + "(" * 150 + "1" + ")" * 150, ["1:88: nested too deeply"]),
        ("", [f"1:1: {NEVER}"]),
    ],
)
def test_a_lua_text_is_read_as_a_person_would(text: str, problems: list[str]) -> None:
    assert said(text) == problems


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (["def decide(ta):", "    return ta.sma(10)() > 1 and 'long'"], []),
        (
            ["def decide(ta):", "    return ta.sma(1, 2, 3)()"],
            ["2:12: ta.sma: 3 parameters given, expected at most 1 (period)"],
        ),
        (
            ["def decide(ta):", "    return ta.sma(perod=3)()"],
            ["2:12: ta.sma: there is no parameter 'perod', expected one of period"],
        ),
        (
            ["def decide(bar):", "    return bar.clos"],
            ["2:12: bar has no 'clos'; did you mean 'close'?"],
        ),
        (
            ["def decide(bar):", "    return close()"],
            ["2:12: unknown name 'close'; add it to what 'decide' is given"],
        ),
        (
            ["def decide(close):", "    prise = 1", "    return price"],
            [
                "2:5: warning: 'prise' is never used",
                "3:12: unknown name 'price'; did you mean 'prise'?",
            ],
        ),
        (
            ["def decide(bar):", "    if bar.close > 1:", "        return 1"],
            [f"2:5: warning: {ENDS}"],
        ),
        (
            ["def decide(bar):", "    while True:", "        pass", "    return 1"],
            ["4:5: warning: this is never reached"],
        ),
        (
            [
                "def decide(bar):",
                "    try:",
                "        return 1",
                "    except ValueError:",
                "        return 0",
            ],
            [],
        ),
        (["def decide(bar):", "    pass"], [f"1:1: {NEVER}"]),
        (["def decide(wat):", "    return 1"], [f"1:12: {GIVEN} 'wat'"]),
        (["import os", "def decide():", "    return 1"], ["1:1: only math can be imported"]),
        (["from math import sqrt", "def decide():", "    return sqrt(1)"], []),
        (["cache = []", "def decide():", "    return 1"], [OUTSIDE]),
        (
            ["A = 1 / 0", "def decide():", "    return A"],
            ["1:1: ZeroDivisionError: division by zero"],
        ),
        (
            ["A = 1", "def decide():", "    global A", "    return 1"],
            ["3:5: nothing is kept between bars but 'state'"],
        ),
        (
            ["def decide():", "    decide.x = 1", "    return 1"],
            ["2:5: only 'state' and 'self' have attributes that can be set"],
        ),
        (["def decide(x=[]):", "    return 1"], [f"1:1: {DEFAULT}", f"1:12: {GIVEN} 'x'"]),
        (["def decide(bar):", "    return [x for x in {1, 2}][0]"], [f"2:24: {SETS}"]),
        (["def decide(bar):", "    return bar.close in {1, 2}"], []),
        (
            ["def decide(bar):", "    return (1).__class__"],
            ["2:12: names that begin with '__' are reserved"],
        ),
        (
            ["def decide(bar):", "    try:", "        return 1", "    except:", "        return 0"],
            ["4:5: expected what is caught: 'except ValueError:'"],
        ),
        (
            [
                "class S:",
                "    def decide(self, bar):",
                "        self.x = 1",
                "        return self.x",
            ],
            [],
        ),
        (
            ["class S(dict):", "    def decide(self):", "        return 1"],
            ["1:1: a class stands alone here, without others above it"],
        ),
        (["x = 1"], [f"1:1: {NO_DECIDE}"]),
        (["def decide(:"], ["1:1: invalid syntax"]),
    ],
)
def test_a_python_text_is_read_as_a_person_would(lines: list[str], problems: list[str]) -> None:
    assert python(*lines) == problems


TWO = "an indicator: 2 values given, expected 0 or 1"
SPANS = "1m, 3m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"
UNCALLED = "'ta.sma' is an indicator, not its value; write 'ta.sma(…)()'"
GOT = 'expected "long", "short", "flat", a number from -1 to 1, a table or nothing, got'
BACK = "expected bars back, a whole number from 0 to 1023, got"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("close(1, 2) return 1", ["1:1: close: 2 values given, expected 0 or 1"]),
        ("close('x') return 1", [f"1:1: close: {BACK} 'x'"]),
        ("close(1024) return 1", [f"1:1: close: {BACK} 1024"]),
        ("close(1.5) return 1", [f"1:1: close: {BACK} 1.5"]),
        ("return close(1023) > low(params.back) and 1", []),
        (
            "local a = ta.sma(3) return a(1, 2)",
            [f"1:28: {TWO}"],
        ),
        ("return ta.sma(3)(-1)", [f"1:8: an indicator: {BACK} -1"]),
        ("return math.max()", ["1:8: math.max: 0 values given, expected at least 1"]),
        ("return math.max(ta.macd()())", []),
        ("return math.pow(2)", ["1:8: math.pow: 1 value given, expected 2"]),
        ("return math.pow(ta.macd()())", []),
        ("return math.abs(1, 2, close())", ["1:8: math.abs: 2 values given, expected 1"]),
        ("return math.random(1, 2, 3)", ["1:8: math.random: 3 values given, expected 0 to 2"]),
        ("local function f(...) return math.abs(...) end return f(1, 2)", []),
        ("local function math() return 7 end return math(1)", []),
        ("log() return 1", ["1:1: log: 0 values given, expected at least 1"]),
        ("log'a' return instrument{}", []),
        ("local f = math.max return f()", []),
        (
            "return ta.sma(3) > 1",
            [f"1:8: {UNCALLED}"],
        ),
        (
            "return 1 + ta.sma(3)",
            [f"1:12: {UNCALLED}"],
        ),
        (
            "local a = ta.sma(3) local b = a return -b",
            ["1:41: 'b' is an indicator, not its value; write 'b()'"],
        ),
        ("local a = ta.sma(3) return a", ["1:28: 'a' is an indicator, not its value; write 'a()'"]),
        ("local a = ta.sma(3) return not a and 1", []),
        (
            'return ta.sma(3, "7m")()',
            [f"1:11: ta.sma: no time-scale '7m', expected one of {SPANS}"],
        ),
        ("return 'lng'", [f"1:8: {GOT} 'lng'"]),
        ("return -1.5", [f"1:8: {GOT} -1.5"]),
        ("return [[long]]", []),
        ("return '\\108ong'", []),
        ("local function f() return 'lng' end return f() and 1", []),
        ("return nil", []),
        (
            "return { position = 1, stopp = 3 }",
            ["1:24: the answer has 'stopp', expected only position, stop, target, orders"],
        ),
        ("return { position = 1, stop = 3, target = 4, orders = { { side = 'buy' } } }", []),
    ],
)
def test_what_a_lua_text_gives_and_returns_is_judged_where_it_stands(
    text: str, problems: list[str]
) -> None:
    """B19: as a run would, before it."""
    assert said(text) == problems


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ("close(1, 2)", ["2:5: close: 2 values given, expected 0 or 1"]),
        ("close(back=2)", []),
        ("close(*params.x)", []),
        ("close(**params)", []),
        ("close('x')", [f"2:5: close: {BACK} 'x'"]),
        ("close(3.0)", []),
        ("close(1e999)", [f"2:5: close: {BACK} inf"]),
        ("close = len; close(1, 2)", []),
        ("log()", ["2:5: log: 0 values given, expected at least 1"]),
        ("a = ta.sma(3); a(1, 2)", [f"2:20: {TWO}"]),
        ("a = ta.sma(3); return a > 1", ["2:27: 'a' is an indicator, not its value; write 'a()'"]),
        ("a = ta.sma(3); a = a(); return a > 1", []),
        (
            "return -ta.sma(3)",
            [f"2:13: {UNCALLED}"],
        ),
        ("return 1 + ta.sma(3)(2)", []),
        ("return ta.sma(3)(-2)", [f"2:12: an indicator: {BACK} -2"]),
        (
            "return ta.sma(3)",
            [f"2:12: {UNCALLED}"],
        ),
        ("return 'lng'", [f"2:12: {GOT} 'lng'"]),
        ("return True", [f"2:12: {GOT} True"]),
        ("return None", []),
        ("return (lambda: 5)() and [x for x in (2, 3)][0]", []),
        (
            "return {'positon': 1, params.x: 2}",
            ["2:13: the answer has 'positon', expected only position, stop, target, orders"],
        ),
    ],
)
def test_what_a_python_text_gives_and_returns_is_judged_where_it_stands(
    body: str, problems: list[str]
) -> None:
    """B19: as a run would, before it."""
    found = python("def decide(ta, close, log, params):", f"    {body}", "    return 1")
    assert [one for one in found if "warning" not in one] == problems


@pytest.mark.parametrize("kind", list(Lua))
def test_every_name_that_the_check_knows_is_there(kind: Lua) -> None:
    engine = Engine(lua=kind)
    fields = [f"{owner}.{name}" for owner in LUA_FIELDS for name in LUA_FIELDS[owner]]
    lines = [f"if {name} == nil then error('{name}') end" for name in sorted([*LUA_NAMES, *fields])]
    assert answers(engine, lua("\n".join([*lines, "return 1"])), walk(3), 2)[0].error is None


def test_a_text_without_an_error_can_be_loaded_and_a_mangled_one_is_never_a_surprise() -> None:
    """Texts with a token taken out, doubled or exchanged: check and compiler agree on each."""
    engines = [Engine(lua=kind) for kind in Lua]
    draw = Random(1)
    refused = 0
    for seed in range(300):
        pieces = [one.text for one in tokens(made_up(seed).lua.text)]
        at, other = draw.randrange(len(pieces)), draw.randrange(len(pieces))
        pieces[at] = draw.choice(("", pieces[at] + " " + pieces[at], pieces[other]))
        text = lua("".join(pieces))
        is_fine = not any(one.is_error for one in check(text))
        for engine in engines:
            try:
                engine.load(text)
            except StrategyError:
                assert not is_fine, text.text
                refused += 1
    assert refused > 50
