"""Momentum: how fast and how steadily prices move."""

from typing import Final

from tandem.strategies.ta.definition import (
    CHOSEN,
    CLOSE,
    HIGH_LOW,
    HIGH_LOW_CLOSE,
    MEANS,
    OPEN_TO_CLOSE,
    WILDER,
    WINDOW,
    Indicator,
    Input,
    average,
    period,
    whole,
)

_LINES: Final = ("macd", "signal", "histogram")


def _change(name: str, text: str) -> Indicator:
    return Indicator(name=name, doc=text, inputs=CLOSE, parameters=(period(10),), seed=WINDOW)


def _wilder(name: str, text: str, inputs: tuple[Input, ...], least: int = 2) -> Indicator:
    parameters = (period(14, least=least),)
    return Indicator(name=name, doc=text, inputs=inputs, parameters=parameters, seed=WILDER)


def _two_averages(name: str, text: str) -> Indicator:
    parameters = (
        whole("fast_period", default=12, least=2),
        whole("slow_period", default=26, least=2),
        average("kind", default="ema"),
    )
    return Indicator(name=name, doc=text, inputs=CLOSE, parameters=parameters, seed=CHOSEN)


CHANGES: Final = (
    _change("mom", "The close less that of `period` bars before."),
    _change("roc", "The change since `period` bars before, in percent."),
    _change("rocp", "The change since `period` bars before, as a share."),
    _change("rocr", "The close over that of `period` bars before."),
    _change("rocr100", "The close over that of `period` bars before, times 100."),
    _wilder("rsi", "Wilder's relative strength: gains' share of all moves, 0 to 100.", CLOSE),
    _wilder("cmo", "Chande's oscillator, with Wilder's averages: gains less losses.", CLOSE),
    Indicator(
        name="cmou",
        doc="Chande's oscillator, over plain sums: gains less losses, -100 to 100.",
        inputs=CLOSE,
        parameters=(period(14, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="er",
        doc="Kaufman's efficiency: how much of its way the close got ahead, 0 to 1.",
        inputs=CLOSE,
        parameters=(period(10, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="vhf",
        doc="How wide the closes reached over how long their way was.",
        inputs=CLOSE,
        parameters=(period(28, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="dpo",
        doc="The close of half a period before, less the mean around it.",
        inputs=CLOSE,
        parameters=(period(20, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="fosc",
        doc="How far the close is off its linear forecast, in percent.",
        inputs=CLOSE,
        parameters=(period(5, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="coppock",
        doc="Coppock's curve: the weighted mean of two changes in percent.",
        inputs=CLOSE,
        parameters=(
            whole("average_period", default=10),
            whole("first_period", default=11),
            whole("second_period", default=14),
        ),
        seed=WINDOW,
    ),
    Indicator(
        name="trix",
        doc="The change of a threefold exponential average from bar to bar, in percent.",
        inputs=CLOSE,
        parameters=(period(30),),
        seed=MEANS,
    ),
    Indicator(
        name="tsi",
        doc="True strength: the twice smoothed change over its twice smoothed size, times 100.",
        inputs=CLOSE,
        parameters=(
            whole("first_period", default=25, least=2),
            whole("second_period", default=13, least=2),
        ),
        seed=MEANS,
    ),
    _two_averages("apo", "The fast average less the slow one."),
    _two_averages("ppo", "The fast average less the slow one, in percent of the slow one."),
    Indicator(
        name="macd",
        doc="The fast exponential average less the slow one, its average, and their difference.",
        inputs=CLOSE,
        outputs=_LINES,
        parameters=(
            whole("fast_period", default=12, least=2),
            whole("slow_period", default=26, least=2),
            whole("signal_period", default=9),
        ),
        seed=MEANS,
    ),
    Indicator(
        name="macdfix",
        doc="As `macd` with 12 and 26 bars, whose weights are 0.15 and 0.075.",
        inputs=CLOSE,
        outputs=_LINES,
        parameters=(whole("signal_period", default=9),),
        seed=MEANS,
    ),
    Indicator(
        name="macdext",
        doc="As `macd`, of the kinds of average that are named.",
        inputs=CLOSE,
        outputs=_LINES,
        parameters=(
            whole("fast_period", default=12, least=2),
            average("fast_kind"),
            whole("slow_period", default=26, least=2),
            average("slow_kind"),
            whole("signal_period", default=9),
            average("signal_kind"),
        ),
        seed=CHOSEN,
    ),
    Indicator(
        name="ac",
        doc="The awesome oscillator less its mean: whether momentum grows.",
        inputs=HIGH_LOW,
        parameters=(
            whole("fast_period", default=5, least=2),
            whole("slow_period", default=34, least=2),
            whole("signal_period", default=5, least=2),
        ),
        seed=WINDOW,
    ),
    Indicator(
        name="ao",
        doc="The awesome oscillator: a fast mean of middle prices less a slow one.",
        inputs=HIGH_LOW,
        parameters=(
            whole("fast_period", default=5, least=2),
            whole("slow_period", default=34, least=2),
        ),
        seed=WINDOW,
    ),
    Indicator(
        name="bop",
        doc="Balance of power: where the close is off the open, over the bar's range.",
        inputs=OPEN_TO_CLOSE,
        seed=WINDOW,
    ),
    Indicator(
        name="imi",
        doc="Intraday momentum: gains from open to close, in percent of all such moves.",
        inputs=(Input.OPEN, Input.CLOSE),
        parameters=(period(14, least=2),),
        seed=WINDOW,
    ),
    Indicator(
        name="qstick",
        doc="The mean of close less open.",
        inputs=(Input.OPEN, Input.CLOSE),
        parameters=(period(10),),
        seed=WINDOW,
    ),
    _wilder("plus_dm", "Wilder's directional movement up.", HIGH_LOW, least=1),
    _wilder("minus_dm", "Wilder's directional movement down.", HIGH_LOW, least=1),
    _wilder("plus_di", "Movement up, in percent of the true range.", HIGH_LOW_CLOSE, least=1),
    _wilder("minus_di", "Movement down, in percent of the true range.", HIGH_LOW_CLOSE, least=1),
    _wilder("dx", "How one-sided movement is, 0 to 100.", HIGH_LOW_CLOSE),
    _wilder("adx", "Wilder's average of `dx`: how strong the trend is.", HIGH_LOW_CLOSE),
    _wilder("adxr", "The mean of `adx` now and `period` - 1 bars before.", HIGH_LOW_CLOSE),
)
