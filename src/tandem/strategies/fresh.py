"""The paper's own way: for each evaluation a new virtual machine and the whole history again.

It is the judge of the engine that stays: both say the same of every bar, or what stays warm has
kept something that it should not have.
"""

from collections.abc import Mapping, Sequence

import msgspec

from tandem.domain.bars import Bar, Span
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Parameters, StrategyText
from tandem.strategies.engine import Engine, SeriesId
from tandem.strategies.lua_machine import Lua

_OWN = SeriesId("own")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A series with all of its bars since the origin."""

    instrument: Instrument
    span: Span
    bars: Sequence[Bar]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that an evaluation depends on, but for the bars of its own series."""

    text: StrategyText
    parameters: Parameters = msgspec.field(default_factory=dict)
    state: str = "{}"
    position_ppm: int = 0
    others: Mapping[str, Listed] = msgspec.field(default_factory=dict)
    may_short: bool = False


def evaluate(case: Case, own: Listed, *, lua: Lua | None = None) -> Answer:
    """Return what a strategy says of the last bar of its series; an empty answer for nothing.

    Raises:
        StrategyError: the text cannot be used.
    """
    engine = Engine(lua=lua)
    engine.open_series(_OWN, own.instrument, own.span, own.bars)
    for symbol, other in case.others.items():
        engine.open_series(SeriesId(symbol), other.instrument, other.span, other.bars)
    engine.load(case.text)
    engine.attach(
        0,
        case.text.text_hash,
        _OWN,
        parameters=case.parameters,
        state=case.state,
        position_ppm=case.position_ppm,
        others={symbol: SeriesId(symbol) for symbol in case.others},
        may_short=case.may_short,
    )
    said = engine.decide(_OWN)
    return said[0][1] if said else Answer(state=case.state)
