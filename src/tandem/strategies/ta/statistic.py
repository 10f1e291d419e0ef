"""Statistics of a window, prices out of one bar, and cycles."""

from typing import Final

from tandem.strategies.ta.definition import (
    CLOSE,
    FIRST_VALUE,
    HIGH_LOW,
    HIGH_LOW_CLOSE,
    OPEN_TO_CLOSE,
    WINDOW,
    Indicator,
    Input,
    number,
    period,
)


def _window(name: str, usual: int, text: str) -> Indicator:
    parameters = (period(usual, least=2),)
    return Indicator(name=name, doc=text, inputs=CLOSE, parameters=parameters, seed=WINDOW)


def _price(name: str, text: str, inputs: tuple[Input, ...]) -> Indicator:
    return Indicator(name=name, doc=text, inputs=inputs, seed=WINDOW)


def _cycle(name: str, text: str, outputs: tuple[str, ...] = ("value",)) -> Indicator:
    return Indicator(name=name, doc=text, inputs=CLOSE, outputs=outputs, seed=FIRST_VALUE)


STATISTICS: Final = (
    _window("max", 30, "The highest close."),
    _window("min", 30, "The lowest close."),
    _window("sum", 30, "The sum of closes."),
    Indicator(
        name="minmax",
        doc="The lowest and the highest close.",
        inputs=CLOSE,
        outputs=("min", "max"),
        parameters=(period(30, least=2),),
        seed=WINDOW,
    ),
    _window("linearreg", 14, "Where the straight line through the closes ends."),
    _window("linearreg_slope", 14, "How much that line rises a bar."),
    _window("linearreg_angle", 14, "The angle of that rise, in degrees."),
    _window("linearreg_intercept", 14, "Where that line begins."),
    _window("tsf", 14, "That line's forecast of the next bar."),
    _window("percentrank", 100, "How many percent of the closes before are below this one."),
    Indicator(
        name="percentile",
        doc="The close that so many percent of the closes reach at most, by nearest rank.",
        inputs=CLOSE,
        parameters=(period(30, least=2), number("percentile", default=50.0)),
        seed=WINDOW,
    ),
    Indicator(
        name="correl",
        doc="The correlation of highs with lows.",
        inputs=HIGH_LOW,
        parameters=(period(30),),
        seed=WINDOW,
    ),
    Indicator(
        name="beta",
        doc="How much lows change with highs, by their changes as shares.",
        inputs=HIGH_LOW,
        parameters=(period(5),),
        seed=WINDOW,
    ),
)

PRICES: Final = (
    _price("avgprice", "The mean of open, high, low and close.", OPEN_TO_CLOSE),
    _price("medprice", "The mean of high and low.", HIGH_LOW),
    _price("typprice", "The mean of high, low and close.", HIGH_LOW_CLOSE),
    _price("wclprice", "The mean of high, low and close, the close counted twice.", HIGH_LOW_CLOSE),
    Indicator(
        name="ha",
        also=("heikin_ashi",),
        doc="The Heikin-Ashi bar: its open is the middle of the one before.",
        inputs=OPEN_TO_CLOSE,
        outputs=("open", "high", "low", "close"),
        seed=FIRST_VALUE,
    ),
)

CYCLES: Final = (
    _cycle("ht_dcperiod", "The length of the dominant cycle in bars."),
    _cycle("ht_dcphase", "The phase of the dominant cycle in degrees."),
    _cycle("ht_phasor", "The dominant cycle's two components.", ("in_phase", "quadrature")),
    _cycle("ht_sine", "The sine of the phase, and of the phase 45 degrees on.", ("sine", "lead")),
    _cycle("ht_trendmode", "1 while the price follows a trend, 0 while it follows a cycle."),
)
