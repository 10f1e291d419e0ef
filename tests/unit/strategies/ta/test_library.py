"""TA-Lib behind our words: floats only, and its own method when it is warm."""

import pytest

from tandem.strategies import ta
from tandem.strategies.ta.library import LibraryStream, lookback, width
from tests.unit.strategies.ta.markets import bars_of, market, numbers, until


@pytest.mark.parametrize("name", sorted(ta.catalogue))
def test_every_number_that_is_said_is_a_float(name: str) -> None:
    """A script that prints a whole number must print the same live and in a backtest."""
    indicator = ta.find(name)
    columns = market("walk", bars=130)
    running = ta.stream(indicator, (), until(columns, 128))
    said = [running.value] + [running.update(*bar) for bar in bars_of(indicator, columns)[128:]]
    assert {type(number) for one in said for number in numbers(one)} == {float}
    assert [len(numbers(one)) for one in said] == [len(indicator.outputs)] * 3


def test_a_warm_stream_of_floats_costs_no_call_of_ours() -> None:
    running = LibraryStream("EMA", (3,), [market("walk", bars=10)["close"]])
    assert type(running.update).__name__ == "builtin_function_or_method"


def test_a_function_tells_its_warm_up_and_its_outputs() -> None:
    assert lookback("BBANDS", (20, 2.0, 2.0, "ema")) == 19
    assert width("BBANDS") == 3
