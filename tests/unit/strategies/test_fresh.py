"""What stays warm and what is made anew agree, in both languages and both virtual machines."""

from random import Random

import msgspec
import pytest

from tandem.domain.bars import Bar, Span
from tandem.domain.strategies import Answer, StrategyText
from tandem.strategies.engine import Engine
from tandem.strategies.fresh import Case, Listed, evaluate
from tandem.strategies.lua_machine import Lua
from tests.unit.strategies.market import PAPER, SERIES, bars, instrument, lua, walk
from tests.unit.strategies.scripts import made_up

SCRIPTS = 240
A_CHUNK = 20
BARS = 320
HISTORY = 120
FRESH_EACH = 4  # of the bars of each script

Told = list[list[tuple[int, Answer]]]


def _resident(texts: list[StrategyText], market: list[Bar], kind: Lua | None = None) -> Told:
    """Return what each says of each bar after the history, all of them in one engine."""
    engine = Engine(lua=kind)
    engine.open_series(SERIES, instrument(), Span.M1, market[:HISTORY])
    for number, text in enumerate(texts):
        engine.load(text)
        engine.attach(number, text.text_hash, SERIES, parameters={}, others={}, may_short=True)
    return [sorted(engine.on_bar(SERIES, one)) for one in market[HISTORY:]]


def _comparable(told: Told) -> list[list[tuple[int, tuple[object, ...]]]]:
    """Return answers with what is remembered as values: 1 and 1.0 are equal there."""
    return [
        [
            (number, (*msgspec.structs.astuple(one)[:4], msgspec.json.decode(one.state), one.error))
            for number, one in bar
        ]
        for bar in told
    ]


@pytest.mark.parametrize("chunk", range(SCRIPTS // A_CHUNK))
def test_made_up_strategies_say_the_same_whoever_evaluates_them(chunk: int) -> None:
    """B16, B17: 240 scripts by 200 bars: LuaJIT, plain Lua, Python, and fresh machines."""
    pairs = [made_up(seed) for seed in range(chunk * A_CHUNK, (chunk + 1) * A_CHUNK)]
    market = bars(walk(BARS, seed=chunk))
    in_lua = [one.lua for one in pairs]

    told = _resident(in_lua, market)

    assert not [answer.error for bar in told for _, answer in bar if answer.error]
    assert sum(answer.position_ppm is not None for bar in told for _, answer in bar) > 1_000
    assert _resident(in_lua, market, Lua.PLAIN) == told
    assert _comparable(_resident([one.python for one in pairs], market)) == _comparable(told)
    _judge(in_lua, told, market, seed=chunk)


def _judge(texts: list[StrategyText], told: Told, market: list[Bar], *, seed: int) -> None:
    """Compare with fresh machines, on some bars."""
    draw = Random(seed)
    for number, text in enumerate(texts):
        chosen = set(draw.sample(range(len(told)), FRESH_EACH))
        last, position = Answer(), 0
        for at, bar in enumerate(told):
            said = dict(bar).get(number, Answer(state=last.state))
            if at in chosen:
                case = Case(text=text, state=last.state, position_ppm=position, may_short=True)
                own = Listed(instrument=instrument(), span=Span.M1, bars=market[: HISTORY + at + 1])
                assert evaluate(case, own) == said, f"{text.text}\nat {at}"
            last = said
            position = position if said.position_ppm is None else said.position_ppm


def test_a_fresh_machine_has_nothing_of_the_one_before() -> None:
    """B17."""
    market = bars(walk(50))
    own = Listed(instrument=instrument(), span=Span.M1, bars=market)
    assert evaluate(Case(text=lua(PAPER), may_short=True), own).position_ppm is not None
    error = evaluate(Case(text=lua("return sma")), own).error
    assert error == "line 1: unknown name 'sma'"
