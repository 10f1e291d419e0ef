"""The engine: what goes in, what is answered, in both virtual machines."""

import numpy as np
import pytest
import talib

from tandem.domain.bars import Span
from tandem.strategies.engine import Engine
from tandem.strategies.errors import StrategyError
from tandem.strategies.lua_machine import Lua
from tests.unit.strategies.market import (
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
