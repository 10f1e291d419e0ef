"""A small task in each language: doing it imports and reads whatever is imported or read late."""

from decimal import Decimal
from typing import Final

from tandem.domain.bars import Bar, Span
from tandem.domain.evaluation import (
    OWN_TENANT,
    Attached,
    AttachmentNumber,
    History,
    Series,
    Task,
    TaskId,
    TaskKey,
    Whole,
)
from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Language, StrategyText

_BARS: Final = 100
_LUA: Final = """\
state.count = (state.count or 0) + 1
local macd, signal = ta.macd(12, 26, 9)()
log(ta.sma(10)(), ta.rsi(14)(1))
return { position = macd > signal and 0.5 or 0, stop = close() * 0.9 }
"""
_WRONG: Final = "return nonsense"
_ENDLESS: Final = "while true do end"


def rehearsal() -> list[Task]:
    """Return tasks that use what strategies use, some of it wrongly."""
    texts = [
        StrategyText(name=str(number), language=Language.LUA, text=text)
        for number, text in enumerate((_LUA, _WRONG, _ENDLESS))
    ]
    instrument = Instrument(
        instrument_id=InstrumentId("rehearsal"),
        symbol="A-B",
        venue_id=VenueId("rehearsal"),
        market_id=MarketId("rehearsal"),
        base="A",
        quote="B",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.01"),
    )
    bars = [_bar(instrument, number) for number in range(_BARS + 1)]
    whole = Whole(
        series=Series(symbol="A-B", instrument=instrument, history=History.of(bars[:-1])),
        texts=tuple(texts),
        attached=tuple(
            Attached(number=AttachmentNumber(number), text_hash=text.text_hash)
            for number, text in enumerate(texts)
        ),
    )
    which = TaskId(tenant=OWN_TENANT, key=TaskKey("rehearsal"), roster=1, number=_BARS + 1)
    return [Task(task_id=which, bar=bars[-1], whole=whole)]


def _bar(instrument: Instrument, number: int) -> Bar:
    price = 10_000 + number * number % 37
    return Bar(
        instrument_id=instrument.instrument_id,
        span=Span.M1,
        begin_ns=number * Span.M1.ns,
        open=Ticks(price),
        high=Ticks(price + 2),
        low=Ticks(price - 2),
        close=Ticks(price + 1),
        volume=Lots(100 + number),
    )
