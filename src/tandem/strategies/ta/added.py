"""What TA-Lib lacks, defined in the same way."""

from typing import Final

from tandem.strategies.ta.definition import (
    HIGH_LOW,
    HIGH_LOW_CLOSE,
    HIGH_TO_VOLUME,
    SESSION,
    WILDER,
    WINDOW,
    Indicator,
    Input,
    Kind,
    Own,
    Parameter,
    number,
    period,
    whole,
)
from tandem.strategies.ta.running import Alligator, Chandelier, Choppiness, Ichimoku
from tandem.strategies.ta.volume_weighted import RollingVwap, Vwap

ADDED: Final = (
    Indicator(
        name="vwap",
        doc="The mean price weighted by volume since the session began, at an hour of UTC.",
        inputs=(*HIGH_TO_VOLUME, Input.TIME),
        parameters=(
            Parameter(name="begins_at_hour", kind=Kind.WHOLE, default=0, least=0, most=23),
        ),
        seed=SESSION,
        own=Own(make=Vwap, bars=lambda _: 1),
    ),
    Indicator(
        name="rolling_vwap",
        doc="The mean price weighted by volume; the typical price where nothing traded.",
        inputs=HIGH_TO_VOLUME,
        parameters=(period(20),),
        seed=WINDOW,
        own=Own(make=RollingVwap, bars=lambda bars: bars),
    ),
    Indicator(
        name="ichimoku",
        doc="Conversion and base line, and the cloud's two edges under this bar.",
        inputs=HIGH_LOW,
        outputs=("conversion", "base", "span_a", "span_b"),
        parameters=(
            whole("conversion_period", default=9, least=2),
            whole("base_period", default=26, least=2),
            whole("span_period", default=52, least=2),
            whole("displacement", default=26, least=0),
        ),
        seed=WINDOW,
        own=Own(make=Ichimoku, bars=lambda *bound: max(bound[:3]) + bound[3]),
    ),
    Indicator(
        name="alligator",
        doc="Williams' alligator: three of Wilder's averages of the middle price, shown late.",
        inputs=HIGH_LOW,
        outputs=("jaw", "teeth", "lips"),
        seed=WILDER,
        own=Own(make=Alligator, bars=lambda: 21),
    ),
    Indicator(
        name="chop",
        doc="Choppiness: 100 where prices went to and fro, near 0 where they went straight.",
        inputs=HIGH_LOW_CLOSE,
        parameters=(period(14, least=2),),
        seed=WINDOW,
        own=Own(make=Choppiness, bars=lambda bars: bars + 1),
    ),
    Indicator(
        name="chandelier",
        doc="Where a long and a short are left: `ranges` average true ranges off the extremes.",
        inputs=HIGH_LOW_CLOSE,
        outputs=("long", "short"),
        parameters=(period(22, least=2), number("ranges", default=3.0)),
        seed=WILDER,
        own=Own(make=Chandelier, bars=lambda bars, _: bars + 1),
    ),
)
