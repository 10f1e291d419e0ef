"""Volume: what trades, and on which side of the price."""

from typing import Final

from tandem.strategies.ta.definition import (
    CHOSEN,
    CLOSE_VOLUME,
    FIRST_VALUE,
    HIGH_LOW_CLOSE,
    HIGH_TO_VOLUME,
    MEAN,
    TOTAL,
    WINDOW,
    Indicator,
    Input,
    Own,
    average,
    period,
    whole,
)
from tandem.strategies.ta.volume_weighted import ChaikinFlow, MoneyFlow, RelativeVolume


def _total(name: str, text: str, inputs: tuple[Input, ...]) -> Indicator:
    return Indicator(name=name, doc=text, inputs=inputs, seed=TOTAL)


VOLUMES: Final = (
    _total("obv", "Volume added up on rises of the close, taken off on falls.", CLOSE_VOLUME),
    _total("ad", "Volume added up by where the close is in the bar's range.", HIGH_TO_VOLUME),
    _total("pvt", "Volume added up times the close's change as a share.", CLOSE_VOLUME),
    _total("nvi", "The close's changes on bars of less volume, multiplied up.", CLOSE_VOLUME),
    _total("pvi", "The close's changes on bars of more volume, multiplied up.", CLOSE_VOLUME),
    _total("wad", "Williams' accumulation: true gains less true losses, added up.", HIGH_LOW_CLOSE),
    Indicator(
        name="adosc",
        doc="Chaikin's oscillator: a fast exponential average of `ad` less a slow one.",
        inputs=HIGH_TO_VOLUME,
        parameters=(
            whole("fast_period", default=3, least=2),
            whole("slow_period", default=10, least=2),
        ),
        seed=FIRST_VALUE,
    ),
    Indicator(
        name="cmf",
        doc="Chaikin's money flow: what `ad` adds in the window, over the window's volume.",
        inputs=HIGH_TO_VOLUME,
        parameters=(period(20, least=2),),
        seed=WINDOW,
        own=Own(make=ChaikinFlow, bars=lambda bars: bars),
    ),
    Indicator(
        name="mfi",
        doc="Money flow: worth traded on rises, in percent of rises and falls.",
        inputs=HIGH_TO_VOLUME,
        parameters=(period(14, least=2),),
        seed=WINDOW,
        own=Own(make=MoneyFlow, bars=lambda bars: bars + 1),
    ),
    Indicator(
        name="efi",
        doc="Elder's force: the exponential average of the close's change times volume.",
        inputs=CLOSE_VOLUME,
        parameters=(period(13),),
        seed=MEAN,
    ),
    Indicator(
        name="marketfi",
        doc="How far the price went for each unit of volume: high less low, over volume.",
        inputs=(Input.HIGH, Input.LOW, Input.VOLUME),
        seed=WINDOW,
    ),
    Indicator(
        name="pvo",
        doc="The fast average of volume less the slow one, in percent of the slow one.",
        inputs=(Input.VOLUME,),
        parameters=(
            whole("fast_period", default=12, least=2),
            whole("slow_period", default=26, least=2),
            average("kind", default="ema"),
        ),
        seed=CHOSEN,
    ),
    Indicator(
        name="rvol",
        doc="Volume over its mean of the `period` bars before; undefined where nothing traded.",
        inputs=(Input.VOLUME,),
        parameters=(period(20),),
        seed=WINDOW,
        own=Own(make=RelativeVolume, bars=lambda bars: bars + 1),
    ),
)
