"""What may be written as parameters of an indicator, and what is said of what may not."""

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.strategies import ta
from tandem.strategies.ta.definition import Scalar
from tests.unit.strategies.ta.markets import market


def test_parameters_that_are_left_out_have_their_defaults() -> None:
    assert ta.bind(ta.find("macd"), ()) == (12, 26, 9)
    assert ta.bind(ta.find("macd"), (5,)) == (5, 26, 9)
    assert ta.bind(ta.find("macd"), (5,), {"signal_period": 3}) == (5, 26, 3)


def test_numbers_become_of_their_kind_and_may_be_bound_again() -> None:
    bound = ta.bind(ta.find("bbands"), (10.0, 2, 1, "ema"))
    assert bound == (10, 2.0, 1.0, "ema")
    assert [type(one) for one in bound] == [int, float, float, str]
    assert ta.bind(ta.find("bbands"), bound) == bound


@pytest.mark.parametrize(
    ("name", "given", "named", "said"),
    [
        ("sma", (0,), {}, "ta.sma: period is 0, expected 1 to 1000"),
        ("sma", (1001,), {}, "ta.sma: period is 1001, expected 1 to 1000"),
        ("rsi", (1,), {}, "ta.rsi: period is 1, expected 2 to 1000"),
        ("sma", (2.5,), {}, "ta.sma: period is 2.5, expected a whole number, 1 to 1000"),
        ("sma", (float("nan"),), {}, "ta.sma: period is nan, expected a whole number, 1 to 1000"),
        ("sma", (float("inf"),), {}, "ta.sma: period is inf, expected a whole number, 1 to 1000"),
        ("sma", (True,), {}, "ta.sma: period is True, expected a whole number, 1 to 1000"),
        ("sma", ("ten",), {}, "ta.sma: period is 'ten', expected a whole number, 1 to 1000"),
        ("sar", ("x",), {}, "ta.sar: acceleration is 'x', expected a number, 0 to 100"),
        ("sar", (float("nan"),), {}, "ta.sar: acceleration is nan, expected 0 to 100"),
        ("sar", (-0.1,), {}, "ta.sar: acceleration is -0.1, expected 0 to 100"),
        ("ma", (5, "sms"), {}, "ta.ma: kind is 'sms', expected one of sma, ema, wma, dema"),
        ("ma", (5, 1), {}, "ta.ma: kind is 1, expected one of sma, ema, wma, dema"),
        ("sma", (5, 6), {}, "ta.sma: 2 parameters given, expected at most 1 (period)"),
        ("obv", (5,), {}, "ta.obv: 1 parameters given, expected at most 0 (none)"),
        ("sma", (5,), {"period": 6}, "ta.sma: period is given twice"),
        (
            "sma",
            (),
            {"length": 6},
            "ta.sma: there is no parameter 'length', expected one of period",
        ),
        (
            "tema",
            (1000,),
            {},
            "ta.tema: needs 2998 bars for its first value, expected parameters that need at most "
            "2000",
        ),
        (
            "ichimoku",
            (),
            {"span_period": 1000, "displacement": 1000, "base_period": 1001},
            "ta.ichimoku: base_period is 1001, expected 2 to 1000",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_named_with_what_was_expected(
    name: str, given: tuple[Scalar, ...], named: dict[str, Scalar], said: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ta.bind(ta.find(name), given, named)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize("name", sorted(ta.catalogue))
def test_the_bounds_of_a_definition_are_ones_that_are_carried_out(name: str) -> None:
    """Each parameter alone at its least and at its most makes a stream, or needs too much."""
    indicator = ta.find(name)
    columns = market("walk", bars=3)
    for parameter in indicator.parameters:
        if parameter.kind is not ta.Kind.AVERAGE:
            for edge in (parameter.least, parameter.most):
                try:
                    bound = ta.bind(indicator, (), {parameter.name: edge})
                except ConfigurationError as error:
                    assert "needs" in str(error)  # noqa: PT017 - both ends are right
                else:
                    assert len(ta.batch(indicator, bound, columns)) == len(indicator.outputs)


@pytest.mark.parametrize(
    ("name", "given", "bars"),
    [
        ("sma", (10,), 10),
        ("rsi", (14,), 15),
        ("macd", (), 34),
        ("tema", (10,), 28),
        ("adx", (14,), 28),
        ("obv", (), 1),
        ("vwap", (), 1),
        ("rolling_vwap", (7,), 7),
        ("ichimoku", (), 78),
        ("chop", (), 15),
        ("chandelier", (), 23),
        ("alligator", (), 21),
    ],
)
def test_the_warm_up_follows_from_the_parameters(
    name: str, given: tuple[Scalar, ...], bars: int
) -> None:
    """B18."""
    indicator = ta.find(name)
    assert ta.bars_needed(indicator, ta.bind(indicator, given)) == bars
