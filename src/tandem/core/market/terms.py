"""The grid of an instrument that nobody has listed, found in what its feed says."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

from tandem.domain.exchange import (
    BestShown,
    DepthShown,
    Level,
    MarketEvent,
    PublicTrade,
    QuoteBar,
    TradeBar,
)
from tandem.domain.ids import InstrumentId, MarketId, VenueId
from tandem.domain.instrument import STEPS_MAX, Instrument

PLACES_MAX: Final = 8
# Numbers of a feed may grow so much above those of its beginning.
_GROWTH: Final = 1_000
_QUOTES: Final = (
    *("USDT", "USDC", "BUSD", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "NZD"),
    *("BTC", "ETH"),
)


def probe(symbol: str, venue_id: VenueId, *, lot_places: int = PLACES_MAX) -> Instrument:
    """Return an instrument so fine that a feed's numbers can be looked at."""
    base, quote = currencies_of(symbol)
    return Instrument(
        instrument_id=InstrumentId(f"{venue_id}:{symbol}"),
        symbol=symbol,
        venue_id=venue_id,
        market_id=MarketId(""),
        base=base,
        quote=quote,
        tick_size=_step(PLACES_MAX),
        lot_size=_step(lot_places),
    )


def currencies_of(symbol: str) -> tuple[str, str]:
    """Return base and quote of such as BTCUSD; what ends in no currency is priced in USD."""
    for quote in _QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            return symbol.removesuffix(quote), quote
    return symbol, "USD"


def finest_steps(
    events: Iterable[MarketEvent], *, lot_places: int = PLACES_MAX
) -> tuple[Decimal, Decimal]:
    """Return the largest powers of ten of which all prices, and all sizes, are multiples.

    `events` are on the grid of `probe`. A step is made coarser where numbers a thousand times as
    large could not be held otherwise.
    """
    price_places = size_places = 0
    price_most = size_most = 0
    for event in events:
        prices, sizes = _numbers(event)
        for price in prices:
            price_places = max(price_places, _places(price, PLACES_MAX))
            price_most = max(price_most, price)
        for size in sizes:
            size_places = max(size_places, _places(size, lot_places))
            size_most = max(size_most, size)
    return (
        _step(_held(price_places, price_most, PLACES_MAX)),
        _step(_held(size_places, size_most, lot_places)),
    )


def _held(places: int, most: int, of_places: int) -> int:
    while places and most * _GROWTH * 10**places // 10**of_places >= STEPS_MAX:
        places -= 1
    return places


def _places(steps: int, of_places: int) -> int:
    """Return how many decimals `steps` of ten to the minus `of_places` have."""
    places = of_places
    while places and steps % 10 == 0:
        steps //= 10
        places -= 1
    return places


def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def _numbers(event: MarketEvent) -> tuple[tuple[int, ...], tuple[int, ...]]:
    match event:
        case DepthShown():
            return _of_levels((*event.bids, *event.asks))
        case BestShown():
            return _of_levels(tuple(one for one in (event.bid, event.ask) if one is not None))
        case PublicTrade():
            return (event.price,), (event.quantity,)
        case TradeBar():
            return (event.open, event.high, event.low, event.close), (event.volume,)
        case QuoteBar():
            return (*event.bids, *event.asks), (event.bid_quantity, event.ask_quantity)
        case _:
            assert_never(event)


def _of_levels(levels: tuple[Level, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(price for price, _ in levels), tuple(size for _, size in levels)
