"""Made-up bars and an instrument for tests of strategies."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from tandem.domain.bars import Bar, Span
from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instrument import Instrument
from tandem.domain.strategies import Answer, Language, StrategyText
from tandem.strategies.engine import Engine, SeriesId

SERIES = SeriesId("coin")
OTHER = SeriesId("other")
PAPER = """\
-- Simple moving average
local sma = ta.sma (10)

-- Exponential moving average
local ema = ta.ema(10)

-- Short term > long term

if sma() > ema() then
return "short"
else
return "long"
end
"""


def instrument(symbol: str = "BTCUSD", tick: str = "0.01", lot: str = "0.001") -> Instrument:
    return Instrument(
        instrument_id=InstrumentId(symbol),
        symbol=symbol,
        venue_id=VenueId("paper"),
        market_id=MarketId("paper"),
        base=symbol[:3],
        quote="USD",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
    )


def bar(number: int, closes: Sequence[int], *, span: Span = Span.M1, symbol: str = "BTCUSD") -> Bar:
    """Return bar `number` of a market that closes at these ticks; it opens where it closed."""
    opened, close = closes[max(0, number - 1)], closes[number]
    return Bar(
        instrument_id=InstrumentId(symbol),
        span=span,
        begin_ns=number * span.ns,
        open=Ticks(opened),
        high=Ticks(max(opened, close) + number % 3),
        low=Ticks(min(opened, close) - number % 2),
        close=Ticks(close),
        volume=Lots(number % 7 * 100),
    )


def bars(closes: Sequence[int], *, span: Span = Span.M1, symbol: str = "BTCUSD") -> list[Bar]:
    return [bar(number, closes, span=span, symbol=symbol) for number in range(len(closes))]


def walk(count: int, seed: int = 1) -> list[int]:
    """Return closes that go up and down at random, in ticks."""
    draw, price, closes = Random(seed), 10_000, []
    for _ in range(count):
        price = max(1_000, price + draw.randint(-60, 60))
        closes.append(price)
    return closes


def lua(text: str) -> StrategyText:
    return StrategyText(name="tried", language=Language.LUA, text=text)


def attach(engine: Engine, text: StrategyText, number: int = 0) -> None:
    """Load a text and attach it to the series, with the right to be short."""
    engine.load(text)
    engine.attach(number, text.text_hash, SERIES, parameters={}, others={}, may_short=True)


def answers(
    engine: Engine, text: StrategyText, closes: Sequence[int], history: int
) -> list[Answer]:
    """Return what a strategy says of each bar after the first `history` ones; empty for nothing."""
    market = bars(closes)
    engine.open_series(SERIES, instrument(), Span.M1, market[:history])
    attach(engine, text)
    said = [dict(engine.on_bar(SERIES, one)) for one in market[history:]]
    return [one.get(0, Answer()) for one in said]
