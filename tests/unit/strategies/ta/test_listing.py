"""The catalogue has every name once, and says what comes near a wrong one."""

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.strategies import ta
from tandem.strategies.ta.listing import GROUPS

ASKED = """
sma ema wma dema tema trima kama t3 rsi macd bbands stoch stochf stochrsi adx adxr plus_di
minus_di dx cci mfi obv ad adosc atr natr trange mom roc rocp rocr willr ultosc aroon aroonosc bop
cmo apo ppo trix sar stddev var linearreg linearreg_slope linearreg_angle linearreg_intercept tsf
correl beta min max sum midpoint midprice avgprice medprice typprice wclprice ht_dcperiod
ht_dcphase ht_phasor ht_sine ht_trendline ht_trendmode cdldoji cdlhammer cdlengulfing
vwap rolling_vwap keltner donchian supertrend ichimoku heikin_ashi hma zlema vwma
"""


def test_every_indicator_that_was_asked_for_is_there_under_its_name() -> None:
    """B18."""
    assert set(ASKED.split()) <= set(ta.catalogue)
    assert sum(name.islower() for name in ta.catalogue) == len(ta.catalogue)


def test_no_name_is_given_twice() -> None:
    every = [name for group in GROUPS.values() for one in group for name in (one.name, *one.also)]
    assert sorted(every) == sorted(set(every)) == sorted(ta.catalogue)


def test_another_name_means_the_same_definition() -> None:
    assert ta.find("keltner") is ta.find("kc")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smaa", "ta.smaa: there is no such indicator, expected "),
        ("qqqqqq", "ta.qqqqqq: there is no such indicator, expected one of docs/indicators.md"),
    ],
)
def test_a_wrong_name_is_answered_with_what_comes_near(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ta.find(name)
    assert str(raised.value).startswith(said)


def test_every_parameter_and_output_has_one_name_of_its_own() -> None:
    for indicator in ta.catalogue.values():
        names = [one.name for one in indicator.parameters]
        assert len(set(names)) == len(names)
        assert len(set(indicator.outputs)) == len(indicator.outputs) > 0
