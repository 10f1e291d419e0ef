"""One environment in both virtual machines: what scripts see is the same, always."""

import pytest

from tandem.strategies.engine import Engine
from tandem.strategies.lua_machine import Lua
from tests.unit.strategies.market import answers, lua, walk

both = pytest.mark.parametrize("kind", list(Lua))


def logged(kind: Lua, text: str, bars: int = 1) -> list[str]:
    engine = Engine(lua=kind)
    said = answers(engine, lua(text), walk(20 + bars), 20)
    assert [one.error for one in said] == [None] * bars
    return [line for _, line in engine.logged()]


@both
def test_tables_are_gone_through_in_the_order_of_their_keys(kind: Lua) -> None:
    """B17: the machines keep them in other orders, and one of them in another each time."""
    text = """
        local t = { zebra = 1, apple = 2, [true] = 3, [10] = 4, [2.5] = 5, mid = 6, [false] = 7 }
        for key, value in pairs(t) do log(key, value) end
        for place, value in ipairs({ 'a', 'b', nil, 'd' }) do log(place, value) end
    """
    assert logged(kind, text) == [
        *("true 3", "false 7", "2.5 5", "10 4", "apple 2", "mid 6", "zebra 1"),
        *("1 a", "2 b"),
    ]


@both
def test_chance_begins_anew_on_every_bar(kind: Lua) -> None:
    """B17."""
    text = "log(math.random(), math.random(6), math.random(10, 20))"
    first, second = logged(kind, text, bars=2)
    assert first == second == "0.00032870750889588 4 18"


@both
def test_nothing_shows_an_address_and_what_is_no_number_is_spelled_alike(kind: Lua) -> None:
    """B17."""
    text = """
        log({}, log, nil, true, 0/0, 1/0, -1/0, 1e15, 0.1, -0.0)
        log(tonumber('0b11'), tonumber(' 12e1 '), tonumber('inf'), tonumber('0x10'), tonumber(3))
    """
    assert logged(kind, text) == [
        "table function nil true nan inf -inf 1e+15 0.1 0",
        "nil 120 nil nil 3",
    ]


@both
def test_the_library_is_there_and_counts_what_it_does(kind: Lua) -> None:
    """B17."""
    text = """
        log(('%5.2f|%d|%s|%x|%%'):format(1.005, 42, nil, 255), ('ab'):rep(3), ('hello'):sub(-3))
        log(string.upper('a'), ('A'):lower(), string.byte('A'), string.len('xyz'))
        local t = { 3, 1, 2 }
        table.sort(t) table.insert(t, 1, 9) table.insert(t, 4) table.remove(t, 2)
        log(table.concat(t, ','), table.unpack({ 7, 8 }), select('#', 1, 2), select(2, 'a', 'b'))
        table.sort(t, function(a, b) return a > b end) log(t[1], math.max(1, 5, 3), math.min(2, -1))
        log(math.modf(-2.5), math.fmod(7, 3), math.floor(-0.5), math.sqrt(16), type(math.huge))
    """
    assert logged(kind, text) == [
        *(" 1.00|42|nil|ff|% ababab llo", "A a 65 3", "9,2,3,4 7 2 b", "9 5 -1"),
        *("-2 1 -1 4 number",),
    ]


@both
@pytest.mark.parametrize(
    "name",
    [
        *("io", "os", "require", "load", "loadstring", "dofile", "pcall", "xpcall", "coroutine"),
        *("setmetatable", "getmetatable", "rawget", "rawset", "rawequal", "setfenv", "getfenv"),
        *("_G", "debug", "package", "module", "newproxy", "collectgarbage", "ffi", "jit", "bit"),
        "python",
    ],
)
def test_what_is_dangerous_is_not_there(name: str, kind: Lua) -> None:
    """B17."""
    said = answers(Engine(lua=kind), lua(f"return {name}"), walk(3), 2)[0]
    assert said.error == f"line 1: unknown name '{name}'"


@both
def test_a_log_is_short(kind: Lua) -> None:
    lines = logged(kind, "for i = 1, 12 do log(i, string.rep('x', 300), 'never') end")
    assert len(lines) == 10
    assert {len(line) for line in lines} == {200}


@both
def test_every_byte_of_a_text_is_remembered(kind: Lua) -> None:
    text = "state.x = state.x and state.x .. '!' or 'é\\255' log(state.x, #state.x)"
    engine = Engine(lua=kind)
    said = answers(engine, lua(text), walk(22), 20)
    assert [one.error for one in said] == [None, None]
    first, second = [line for _, line in engine.logged()]
    assert (first, second) == ("é\ufffd 3", "é\ufffd! 4")
    assert said[0].state == '{"x":"Ã©ÿ"}'
