"""The engine: what goes in, what is answered, in both virtual machines."""

from typing import Any

import msgspec
import numpy as np
import pytest
import talib

from tandem.domain.bars import Span
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.strategies.attaching import Sources
from tandem.strategies.engine import UNUSED_MAX, Engine
from tandem.strategies.errors import StrategyError
from tandem.strategies.lua_machine import Lua
from tandem.strategies.series import Handle
from tests.unit.strategies.market import (
    OTHER,
    PAPER,
    SERIES,
    answers,
    attach,
    bars,
    instrument,
    lua,
    walk,
)

both = pytest.mark.parametrize("kind", list(Lua))


@both
def test_the_papers_strategy_is_short_when_sma_is_above_ema_and_else_long(kind: Lua) -> None:
    """B19, B33: the answers are those of TA-Lib's arrays on the same closes."""
    closes = walk(400)
    prices = np.array(closes) / 100
    wanted = np.where(talib.SMA(prices, 10) > talib.EMA(prices, 10), -1_000_000, 1_000_000)

    said = answers(Engine(lua=kind), lua(PAPER), closes, history=100)

    assert [one.position_ppm for one in said] == wanted[100:].tolist()


@both
def test_until_its_indicators_are_warm_a_strategy_says_nothing(kind: Lua) -> None:
    said = answers(Engine(lua=kind), lua(PAPER), walk(15), history=0)

    assert [one.position_ppm is None for one in said] == [True] * 9 + [False] * 6
    assert all(one.error is None for one in said)


@both
def test_the_first_error_suspends_that_strategy_and_nobody_else(kind: Lua) -> None:
    engine = Engine(lua=kind)
    market = bars(walk(30))
    engine.open_series(SERIES, instrument(), Span.M1, market[:20])
    attach(engine, lua("return 'long'"), 7)
    attach(engine, lua("local x = 1\nwhile true do end"), 8)

    said = dict(engine.on_bar(SERIES, market[20]))
    assert said[8].error == "line 2: its budget is spent: an endless loop?"
    assert said[7].position_ppm == 1_000_000
    assert [number for number, _ in engine.on_bar(SERIES, market[21])] == [7]


@both
def test_a_text_that_is_no_lua_is_refused_with_its_line(kind: Lua) -> None:
    with pytest.raises(StrategyError) as caught:
        Engine(lua=kind).load(lua("local x = 1\nif x then\nreturn 'long'\n"))
    assert str(caught.value) == "line 4: 'end' expected (to close 'if' at line 2) near '<eof>'"


def python(*lines: str) -> StrategyText:
    return StrategyText(name="tried", language=Language.PYTHON, text="\n".join(lines))


COUNTING = (
    lua("state.n = (state.n or 0) + params.step\nif state.n > 3 then return position + 0.25 end"),
    python(
        "def decide(state, params, position):",
        "    state.n = (state.n or 0) + params.step",
        "    if state.n > 3:",
        "        return position + 0.25",
    ),
)


@pytest.mark.parametrize("text", COUNTING)
def test_state_parameters_and_position_are_what_they_were_last(text: StrategyText) -> None:
    """Handed over to another engine, it goes on as if nothing had happened."""
    engine = Engine()
    market = bars(walk(30))

    def begin(at: int, state: str, position_ppm: int) -> None:
        engine.open_series(SERIES, instrument(), Span.M1, market[:at])
        engine.load(text)
        engine.attach(
            5,
            text.text_hash,
            SERIES,
            parameters={"step": 2},
            others={},
            state=state,
            position_ppm=position_ppm,
        )

    begin(20, "{}", 0)
    assert engine.on_bar(SERIES, market[20]) == [(5, Answer(state='{"n":2}'))]
    said = Answer(state='{"n":4}', position_ppm=250_000)
    assert _rounded(engine.on_bar(SERIES, market[21])) == [(5, said)]
    engine = Engine()
    begin(22, '{"n":4}', 250_000)
    said = Answer(state='{"n":6}', position_ppm=500_000)
    assert _rounded(engine.on_bar(SERIES, market[22])) == [(5, said)]
    engine.detach(5)
    engine.detach(5)
    assert engine.on_bar(SERIES, market[23]) == []


def _rounded(said: list[tuple[int, Answer]]) -> list[tuple[int, Answer]]:
    """Return answers with whole numbers of the state spelled alike."""
    return [
        (number, msgspec.structs.replace(one, state=one.state.replace(".0", "")))
        for number, one in said
    ]


@both
def test_a_history_that_begins_anew_leaves_who_is_attached_attached(kind: Lua) -> None:
    engine = Engine(lua=kind)
    market = bars(walk(60))
    first = answers(engine, lua("return ta.sma(20)() > close(15) and 1 or 0"), walk(60), 30)
    engine.open_series(SERIES, instrument(), Span.M1, market[10:59])
    again = dict(engine.on_bar(SERIES, market[59]))
    assert again[0] == first[-1]


@both
def test_another_instrument_is_seen_as_it_was_at_this_bar(kind: Lua) -> None:
    """B35: never ahead, and only those that the assignment names."""
    text = lua("local eth = instrument('ETH')\nreturn eth.close() / 100 + eth.ta.sma(2)() / 1e6")
    engine = Engine(lua=kind)
    mine, others = bars([9_000] * 9), bars([1_000, 2_000, 3_000, 4_000], symbol="ETH")
    engine.open_series(SERIES, instrument(), Span.M1, [])
    engine.open_series(OTHER, instrument("ETH"), Span.M1, [])
    engine.load(text)
    engine.attach(1, text.text_hash, SERIES, parameters={}, others={"ETH": OTHER})
    assert engine.on_bar(SERIES, mine[0]) == []
    engine.feed(OTHER, others[0])
    engine.feed(OTHER, others[1])
    assert engine.on_bar(SERIES, mine[1]) == [(1, Answer(position_ppm=200_015))]
    engine.feed(OTHER, others[2])
    error = "line 1: instrument: 'ETH' is ahead of this bar"
    assert engine.decide(SERIES) == [(1, Answer(error=error))]
    stranger = lua("return instrument('XRP').close()")
    engine.load(stranger)
    engine.attach(2, stranger.text_hash, SERIES, parameters={}, others={"ETH": OTHER})
    error = "line 1: instrument: 'XRP' is not among the others of this assignment"
    assert engine.on_bar(SERIES, mine[2]) == [(2, Answer(error=error))]


@both
def test_a_longer_time_scale_has_finished_bars_only(kind: Lua) -> None:
    """B18: made here or by somebody else, an hour's indicators are the same."""
    closes = walk(400)
    text = lua("log(ta.sma(3, '15m')(), ta.atr(4, '15m')(2))\nreturn 1")
    engine = Engine(lua=kind)
    answers(engine, text, closes, 300)
    logged = [line for _, line in engine.logged()]
    assert len(logged) == 100
    quarters = [closes[number] / 100 for number in range(14, 400, 15)]
    for number, line in enumerate(logged, start=300):
        done = (number + 1) // 15
        assert float(line.split()[0]) == pytest.approx(sum(quarters[done - 3 : done]) / 3)


@both
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("return ta.sma(500, '1h')()", "ta.sma: on 1h it needs 30060 bars of 1m, and 2000 are "),
        ("return ta.sma(0)()", "ta.sma: period is 0, expected 1 to 1000"),
        ("return ta.sma('x')()", "ta.sma: period is 'x', expected a whole number, 1 to 1000"),
        ("return close(-1)", "close: expected bars back, a whole number from 0 to 1023"),
        ("return ta.sma(2)(1.5)", "ta.sma: expected bars back, a whole number from 0 to 1023"),
        ("return ta.smaa(2)", "ta has no 'smaa'"),
        ("return bar.clsoe", "bar has no 'clsoe'"),
        ("ta.sma = 1", "'ta' can only be read"),
        ("x = 1", "'x' is not declared; write 'local x = …'"),
        ("state.x = {}", "state.x: expected a number, a boolean or a short string"),
        ("state.x = 0/0", "state.x: nan cannot be kept"),
        ("for i = 1, 65 do state['x' .. i] = 1 end", "state: at most 64 names"),
        ("for i = 1, 65 do ta.sma(i) end", "more than 64 indicators in one evaluation"),
        ("return string.rep('x', 1e6)", "string.rep: the result is too long"),
        ("local t = {} for i = 1, 1e9 do t[i] = i end", "its budget is spent: an endless loop?"),
        ("local function f() return f() end return f()", "its budget is spent: an endless loop?"),
        ("error('no way')", "no way"),
        ("return nil + 1", "attempt to perform arithmetic on a nil value"),
    ],
)
def test_an_error_names_its_line_and_says_what_was_expected(
    text: str, error: str, kind: Lua
) -> None:
    said = answers(Engine(lua=kind), lua(f"-- first\n{text}"), walk(60), 59)[0]
    assert said.error is not None
    assert said.error.startswith(f"line 2: {error}")


ANSWERED_WRONG = [
    ("{ position = 'x' }", "{'position': 'x'}", "position is 'x', expected a number from -1 to 1"),
    (
        "{ orders = { { side = 'bye' } } }",
        "{'orders': [{'side': 'bye'}]}",
        """order 1: side is 'bye', expected "buy" or "sell\"""",
    ),
    ("'lng'", "'lng'", """expected "long", "short", "flat", a number from -1 to 1"""),
]


@pytest.mark.parametrize(("in_lua", "in_python", "error"), ANSWERED_WRONG)
def test_a_wrong_answer_names_the_line_that_returned_it(
    in_lua: str, in_python: str, error: str
) -> None:
    """B20."""
    for kind in Lua:
        text = lua(f"if close() < 0 then\n  return 1\nend\nreturn {in_lua}")
        (said,) = answers(Engine(lua=kind), text, walk(3), 2)
        assert said.error is not None
        assert said.error.startswith(f"line 4: {error}")
    text = python(
        "def wanted(log, state):",
        "    log('wanted')",
        "    state.asked = (state.asked or 0) + 1",
        f"    return {in_python}",
        "",
        "def decide(close, log, state):",
        "    if close() < 0:",
        "        return 1",
        "    return wanted(log, state)",
    )
    engine = Engine()
    (said,) = answers(engine, text, walk(3), 2)
    assert said.error is not None
    assert said.error.startswith(f"line 9: {error}")
    assert [line for _, line in engine.logged()] == ["wanted"]


@both
def test_whoever_is_late_is_ended_and_the_next_one_goes_on(kind: Lua) -> None:
    """The flag is a byte that is shared with whoever waits; he sets it while they run."""
    control = bytearray(8)
    engine = Engine(lua=kind, control=control)
    market = bars(walk(9))
    engine.open_series(SERIES, instrument(), Span.M1, market[:5])
    text = "local s = ta.sma(2)\nfor i = 1, 2000 do s() end\nreturn 1"
    attach(engine, lua(text), 1)
    attach(engine, lua(text), 2)
    sources = engine._lua._sources

    def find_late(*asked: Any) -> Handle:
        control[0] = 1
        return sources.find(*asked)

    engine._lua._sources = Sources(find_late, sources.track)
    assert dict(engine.on_bar(SERIES, market[5])) == {
        1: Answer(error="line 2: it took too long"),
        2: Answer(position_ppm=1_000_000),
    }
    assert control == b"\0\0\0\0\xff\xff\xff\xff"


@pytest.mark.parametrize(
    "line", ["open('x')", "eval('1')", "getattr(1, 'x')", "print(1)", "hash(1)", "id(1)"]
)
def test_python_is_given_nothing_that_it_could_misuse_by_accident(line: str) -> None:
    said = answers(Engine(), python("def decide():", f"    return {line}"), walk(3), 2)[0]
    assert said.error is not None
    assert said.error.startswith("line 2: NameError: name ")


def test_a_wrong_answer_that_cannot_be_said_twice_is_an_error_and_no_more() -> None:
    """B17 F22: whose line it is on is looked for by asking again; the process goes on."""
    text = python("def decide(log):", "    return '{0.__self__}'.format(log)")
    said = answers(Engine(), text, walk(3), 2)[0]
    assert said.error is not None
    assert said.error.startswith('expected "long", "short", "flat", a number')


def test_a_python_object_lives_for_one_bar() -> None:
    text = python(
        "class Strategy:",
        "    seen = 0",
        "    def decide(self, bar):",
        "        self.seen = self.seen + 1",
        "        return self.seen / 4",
    )
    said = answers(Engine(), text, walk(10), 5)
    assert {one.position_ppm for one in said} == {250_000}


@both
@pytest.mark.parametrize(
    "text",
    [
        "local s = 'x' for i = 1, 40 do s = s .. s end return 1",
        "local t = {} for i = 1, 9000 do t[i] = string.rep('x', 60000) .. i end return 1",
    ],
)
def test_memory_that_a_strategy_fills_is_empty_for_the_next_one(text: str, kind: Lua) -> None:
    """B17."""
    engine = Engine(lua=kind, memory_bytes=32 << 20)
    market = bars(walk(30))
    engine.open_series(SERIES, instrument(), Span.M1, market[:20])
    for number in range(3):
        attach(engine, lua(f"{text} -- {number}"), number)
    attach(engine, lua(PAPER), 9)
    said = dict(engine.on_bar(SERIES, market[20]))
    errors = [said[number].error or "" for number in range(3)]
    assert all("not enough memory" in one or "its budget is spent" in one for one in errors)
    assert said[9].position_ppm is not None
    assert [number for number, _ in engine.on_bar(SERIES, market[21])] == [9]


@both
def test_thousands_can_go_and_come_and_those_who_stay_are_not_touched(kind: Lua) -> None:
    engine = Engine(lua=kind)
    market = bars(walk(30))
    engine.open_series(SERIES, instrument(), Span.M1, market[:20])
    for number in range(500):
        attach(engine, lua(f"return {number} / 1000"), number)
    for number in range(500):
        if number % 100:
            engine.detach(number)
    attach(engine, lua("return 'long'"), 777)
    said = engine.on_bar(SERIES, market[20])
    assert [(number, one.position_ppm) for number, one in said] == [
        *((number, number * 1_000) for number in range(0, 500, 100)),
        (777, 1_000_000),
    ]


@pytest.mark.parametrize("language", list(Language))
def test_texts_that_nobody_uses_are_forgotten_in_the_end(language: Language) -> None:
    engine = Engine()
    market = bars(walk(3))
    engine.open_series(SERIES, instrument(), Span.M1, market[:2])
    body = "return {}" if language is Language.LUA else "def decide():\n    return {}"
    texts = [
        StrategyText(name="tried", language=language, text=body.format(number / 2_000))
        for number in range(UNUSED_MAX + 2)
    ]
    attach(engine, texts[0])
    for text in texts[1:]:
        engine.load(text)
    assert engine.on_bar(SERIES, market[2])[0][1].position_ppm == 0
    with pytest.raises(KeyError):
        attach_loaded(engine, texts[1])
    attach_loaded(engine, texts[2])


def attach_loaded(engine: Engine, text: StrategyText) -> None:
    engine.attach(9, text.text_hash, SERIES, parameters={}, others={})
