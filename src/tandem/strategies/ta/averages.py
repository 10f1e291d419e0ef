"""Averages and bands: what runs along the price."""

from typing import Final

from tandem.strategies.ta.definition import (
    CHOSEN,
    CLOSE,
    CLOSE_VOLUME,
    FIRST_VALUE,
    HIGH_LOW,
    HIGH_LOW_CLOSE,
    MEAN,
    MEANS,
    TREND,
    WINDOW,
    Indicator,
    Own,
    average,
    number,
    period,
    whole,
)
from tandem.strategies.ta.volume_weighted import Vwma

_BANDS: Final = ("upper", "middle", "lower")


def _close(name: str, usual: int, text: str, least: int = 1) -> Indicator:
    """Return an average of closes over a window."""
    return Indicator(
        name=name,
        doc=text,
        inputs=CLOSE,
        parameters=(period(usual, least=least),),
        seed=WINDOW,
    )


def _fading(name: str, usual: int, text: str) -> Indicator:
    return Indicator(name=name, doc=text, inputs=CLOSE, parameters=(period(usual),), seed=MEAN)


AVERAGES_AND_BANDS: Final = (
    _close("sma", 30, "The simple mean of the last closes."),
    _close("wma", 30, "The mean of the last closes, the newest weighing most, falling evenly."),
    _close("trima", 30, "The mean of the last closes, those in the middle weighing most."),
    _close("hma", 20, "Hull's average: quick and smooth, out of three weighted means."),
    _close("midpoint", 14, "The middle between the highest and the lowest close.", least=2),
    _fading("ema", 30, "The exponential average: the newest close weighs 2 / (period + 1)."),
    _fading("rma", 30, "Wilder's average: the newest close weighs 1 / period."),
    _fading("dema", 30, "The double exponential average, which lags less."),
    _fading("tema", 30, "The triple exponential average, which lags less still."),
    _fading("zlema", 30, "The exponential average of closes corrected for its lag."),
    Indicator(
        name="t3",
        doc="Tillson's average: six exponential averages, as smooth as `volume_factor` wants.",
        inputs=CLOSE,
        parameters=(period(5), number("volume_factor", default=0.7, most=1.0)),
        seed=MEANS,
    ),
    Indicator(
        name="kama",
        doc="Kaufman's average: quick where the price goes straight, slow where it does not.",
        inputs=CLOSE,
        parameters=(period(30),),
        seed=FIRST_VALUE,
    ),
    Indicator(
        name="mama",
        doc="Ehlers' adaptive average and the one that follows it, led by the price's phase.",
        inputs=CLOSE,
        outputs=("mama", "fama"),
        parameters=(
            number("fast_limit", default=0.5, least=0.01, most=0.99),
            number("slow_limit", default=0.05, least=0.01, most=0.99),
        ),
        seed=FIRST_VALUE,
    ),
    Indicator(
        name="ma",
        doc="The average of the kind that is named.",
        inputs=CLOSE,
        parameters=(period(30), average("kind")),
        seed=CHOSEN,
    ),
    Indicator(
        name="vwma",
        doc="The mean of the last closes weighted by volume; the close where nothing traded.",
        inputs=CLOSE_VOLUME,
        parameters=(period(30),),
        seed=WINDOW,
        own=Own(make=Vwma, bars=lambda bars: bars),
    ),
    Indicator(
        name="midprice",
        doc="The middle between the highest high and the lowest low.",
        inputs=HIGH_LOW,
        parameters=(period(14, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="ht_trendline",
        doc="The price without its dominant cycle, by the Hilbert transform.",
        inputs=CLOSE,
        seed=FIRST_VALUE,
    ),
    Indicator(
        name="bbands",
        doc="Bollinger's bands: an average, and so many standard deviations around it.",
        inputs=CLOSE,
        outputs=_BANDS,
        parameters=(
            period(20, least=2),
            number("deviations_up", default=2.0),
            number("deviations_down", default=2.0),
            average("kind"),
        ),
        seed=CHOSEN,
    ),
    Indicator(
        name="accbands",
        doc="Acceleration bands: means of highs and lows stretched by how wide the bars are.",
        inputs=HIGH_LOW_CLOSE,
        outputs=_BANDS,
        parameters=(period(20, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="donchian",
        doc="The highest high and the lowest low, this bar's included, and their middle.",
        inputs=HIGH_LOW,
        outputs=_BANDS,
        parameters=(period(20, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="kc",
        also=("keltner",),
        doc="Keltner's channel: an exponential average, and so many average true ranges around it.",
        inputs=HIGH_LOW_CLOSE,
        outputs=_BANDS,
        parameters=(
            period(20, least=2),
            whole("range_period", default=10),
            number("ranges", default=2.0),
        ),
        seed=MEANS,
    ),
    Indicator(
        name="sar",
        doc="Wilder's parabolic stop-and-reverse: where a position in the trend is given up.",
        inputs=HIGH_LOW,
        parameters=(number("acceleration", default=0.02), number("maximum", default=0.2)),
        seed=TREND,
    ),
    Indicator(
        name="sarext",
        doc="As `sar`, with its own steps for each side; negative while short.",
        inputs=HIGH_LOW,
        parameters=(
            number("start", default=0.0, least=-1e9, most=1e9),
            number("offset_on_reverse", default=0.0),
            number("start_long", default=0.02),
            number("acceleration_long", default=0.02),
            number("maximum_long", default=0.2),
            number("start_short", default=0.02),
            number("acceleration_short", default=0.02),
            number("maximum_short", default=0.2),
        ),
        seed=TREND,
    ),
    Indicator(
        name="supertrend",
        doc="A stop some average true ranges off the middle; `trend` is 1 above it, -1 below.",
        inputs=HIGH_LOW_CLOSE,
        outputs=("stop", "trend"),
        parameters=(period(10, least=2), number("multiplier", default=3.0)),
        seed=TREND,
    ),
)
