"""What strategies may return, judged alike in both languages."""

import pytest

from tandem.domain.order import Side
from tandem.domain.strategies import Answer, Language, StrategyText, WantedOrder
from tandem.strategies.engine import Engine
from tests.unit.strategies.market import SERIES, answers, bars, instrument, lua, walk

CLOSE = walk(21)[20]  # in ticks of 0.01
EXPECTED = 'expected "long", "short", "flat", a number from -1 to 1, a table or nothing, got'

ONLY = "expected only position, stop, target, orders"


def in_lua(value: str) -> Answer:
    return answers(Engine(), lua(f"return {value}"), walk(21), 20)[0]


def in_python(value: str) -> Answer:
    text = f"def decide(close):\n    return {value}"
    return answers(
        Engine(), StrategyText(name="t", language=Language.PYTHON, text=text), walk(21), 20
    )[0]


@pytest.mark.parametrize(
    ("said", "ppm"),
    [
        ("'long'", 1_000_000),
        ("'short'", -1_000_000),
        ("'flat'", 0),
        ("0.25", 250_000),
        ("-1", -1_000_000),
        ("1", 1_000_000),
        ("1 / 3", 333_333),
        ("-1 / 3", -333_333),
    ],
)
def test_words_and_numbers_are_positions(said: str, ppm: int) -> None:
    """B20."""
    assert in_lua(said) == in_python(said) == Answer(position_ppm=ppm)


def test_nothing_keeps_the_position() -> None:
    assert in_lua("nil") == in_python("None") == Answer()


@pytest.mark.parametrize(
    ("lua_said", "python_said", "got"),
    [
        ("'buy'", "'buy'", "'buy'"),
        ("1.5", "1.5", "1.5"),
        ("0 / 0", "float('nan')", "nan"),
    ],
)
def test_anything_else_is_an_error_and_nothing_is_traded(
    lua_said: str, python_said: str, got: str
) -> None:
    """B20."""
    assert in_lua(lua_said) == Answer(error=f"line 1: {EXPECTED} {got}")
    assert in_python(python_said) == Answer(error=f"line 2: {EXPECTED} {got}")


def test_a_table_has_a_position_with_the_prices_that_end_it() -> None:
    """B35: rounded to the tick."""
    wanted = Answer(
        position_ppm=500_000,
        stop_price=CLOSE - 100,  # type: ignore[arg-type]
        target_price=CLOSE + 235,  # type: ignore[arg-type]
    )
    assert in_lua("{ position = 0.5, stop = close() - 1, target = close() + 2.349 }") == wanted
    assert in_python("{'position': 0.5, 'stop': close() - 1, 'target': close() + 2.349}") == wanted


def test_a_table_has_orders_rounded_to_lot_and_tick() -> None:
    """B35."""
    first = WantedOrder(
        side=Side.BUY,
        quantity=10_500,  # type: ignore[arg-type]
        limit_price=CLOSE,  # type: ignore[arg-type]
        stop_price=CLOSE - 100,  # type: ignore[arg-type]
    )
    second = WantedOrder(side=Side.SELL, quantity=1)  # type: ignore[arg-type]
    lua_said = (
        "{ orders = { { side = 'buy', quantity = 10.5, limit = close(), stop = close() - 1 }, "
        "{ side = 'sell', quantity = 0.0006 } } }"
    )
    python_said = (
        "{'orders': [{'side': 'buy', 'quantity': 10.5, 'limit': close(), 'stop': close() - 1}, "
        "{'side': 'sell', 'quantity': 0.0006}]}"
    )
    assert in_lua(lua_said) == in_python(python_said) == Answer(orders=(first, second))


@pytest.mark.parametrize(
    ("lua_said", "why"),
    [
        ("{ positon = 1 }", f"the answer has 'positon', {ONLY}"),
        ("{ position = 2 }", "position is 2, expected a number from -1 to 1"),
        ("{ position = {} }", "position is a table, expected a number from -1 to 1"),
        ("{ stop = 3 }", "stop and target belong to a position: expected one beside them"),
        ("{ position = 1, stop = 'x' }", "stop is 'x', expected a price"),
        ("{ position = 1, stop = -3 }", "stop is -3, expected a price from 0.09 to 90000"),
        ("{ position = 1, target = 1e9 }", "target is 1e+09, expected a price from 0.09 to 90000"),
        ("{ orders = 3 }", "orders: expected a list of at most 16"),
        ("{ orders = { side = 1 } }", "orders: expected a list of at most 16"),
        ("{ orders = { 3 } }", "order 1 is 3, expected a table"),
        ("{ orders = { {} } }", 'order 1: side is missing, expected "buy" or "sell"'),
        (
            "{ orders = { { side = 'buy', quantity = 0 } } }",
            "order 1: quantity is 0, expected one of at least half a lot",
        ),
        (
            "{ orders = { { side = 'buy', quantity = 1, limit = true } } }",
            "order 1: limit is True, expected a price",
        ),
        (
            "{ orders = { { side = 'buy', amount = 1 } } }",
            "order 1 has 'amount', expected only side, quantity, limit, stop, target",
        ),
    ],
)
def test_a_table_that_is_none_of_these_is_refused_with_what_was_expected(
    lua_said: str, why: str
) -> None:
    """B35."""
    engine = Engine()
    said = answers(engine, lua(f"return {lua_said}"), [9_000] * 21, 20)[0]
    assert said == Answer(error=f"line 1: {why}")
    assert engine.on_bar(SERIES, bars([9_000] * 22)[21]) == []


def test_without_the_right_to_be_short_a_short_holds_the_quote_currency() -> None:
    """B20: also in a table."""
    for said in ("'short'", "-0.5", "{ position = 'short' }"):
        engine = Engine()
        text = lua(f"return {said}")
        engine.open_series(SERIES, instrument(), bars([9_000])[0].span, [])
        engine.load(text)
        engine.attach(0, text.text_hash, SERIES, parameters={}, others={})
        assert engine.on_bar(SERIES, bars([9_000])[0]) == [(0, Answer(position_ppm=0))]
