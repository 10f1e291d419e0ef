"""Volatility: how wide bars and prices swing."""

from typing import Final

from tandem.strategies.ta.definition import (
    CLOSE,
    HIGH_LOW,
    HIGH_LOW_CLOSE,
    MEANS,
    WILDER,
    WINDOW,
    Indicator,
    number,
    period,
    whole,
)

RANGES: Final = (
    Indicator(
        name="trange",
        doc="The true range: from the close before to the farther of this bar's high and low.",
        inputs=HIGH_LOW_CLOSE,
        seed=WINDOW,
    ),
    Indicator(
        name="atr",
        doc="Wilder's average of the true range.",
        inputs=HIGH_LOW_CLOSE,
        parameters=(period(14),),
        seed=WILDER,
    ),
    Indicator(
        name="natr",
        doc="The average true range in percent of the close.",
        inputs=HIGH_LOW_CLOSE,
        parameters=(period(14),),
        seed=WILDER,
    ),
    Indicator(
        name="adr",
        doc="The mean of high less low.",
        inputs=HIGH_LOW,
        parameters=(period(14),),
        seed=WINDOW,
    ),
    Indicator(
        name="cvi",
        doc="Chaikin's volatility: how the average of high less low changed, in percent.",
        inputs=HIGH_LOW,
        parameters=(period(10, least=2), whole("change_period", default=10)),
        seed=MEANS,
    ),
    Indicator(
        name="massi",
        doc="The mass index: whether ranges widen, summed over `slow_period` bars.",
        inputs=HIGH_LOW,
        parameters=(
            whole("fast_period", default=9, least=2),
            whole("slow_period", default=25, least=2),
        ),
        seed=MEANS,
    ),
    Indicator(
        name="rvi",
        doc="Dorsey's relative volatility: deviation on rises in percent of all, smoothed.",
        inputs=CLOSE,
        parameters=(period(14), whole("deviation_period", default=10, least=2)),
        seed=WILDER,
    ),
    Indicator(
        name="avgdev",
        doc="The mean distance of closes from their mean.",
        inputs=CLOSE,
        parameters=(period(14, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="stddev",
        doc="The standard deviation of closes, of the window as a whole, times `deviations`.",
        inputs=CLOSE,
        parameters=(period(5, least=2), number("deviations", default=1.0)),
        seed=WINDOW,
    ),
    Indicator(
        name="var",
        doc="The variance of closes, of the window as a whole; TA-Lib ignores `deviations`.",
        inputs=CLOSE,
        parameters=(period(5), number("deviations", default=1.0)),
        seed=WINDOW,
    ),
)
