"""What a paper exchange lists and whom it knows when nothing else is said.

Reference prices are near those of spring 2021, the time of the share list.
"""

from decimal import Decimal
from typing import Final

from tandem.domain.exchange import (
    AccountSettings,
    ExchangeSettings,
    SyntheticBook,
    SyntheticMarket,
)
from tandem.domain.ids import AccountId, InstrumentId, Lots, MarketId, VenueId
from tandem.domain.instrument import Instrument

PAPER: Final = VenueId("paper")
EQUITIES: Final = MarketId("us-equities")
CRYPTO: Final = MarketId("crypto")
FOREX: Final = MarketId("forex")
OPENING_CASH: Final = Decimal(1_000_000)
OPENING_SHARES: Final = 1_000

_CENT: Final = Decimal("0.01")
_SHARES: Final = {
    "ITUB": "5.20",
    "BKRF": "16.40",
    "TSLA": "650.00",
    "FCEL": "9.80",
    "CLF": "21.50",
    "T": "29.40",
    "PBR": "10.30",
    "MSFT": "250.00",
    "PLUG": "30.50",
    "INTC": "56.80",
    "X": "25.90",
    "OXY": "26.40",
    "AAL": "22.80",
    "NIO": "39.60",
    "AMC": "29.00",
    "AAPL": "126.00",
    "F": "14.50",
    "TME": "15.60",
    "BAC": "42.00",
    "GE": "13.80",
}
_COINS: Final = (
    ("BTCUSD", "USD", "0.00000001", "37000.00"),
    ("BTCUSDT", "USDT", "0.00001", "37000.00"),
)


def instruments(venue_id: VenueId = PAPER) -> tuple[Instrument, ...]:
    """Return the 20 shares of the share list, then BTCUSD and BTCUSDT, as that venue has them."""
    shares = [
        Instrument(
            instrument_id=InstrumentId(f"{venue_id}:{symbol}"),
            symbol=symbol,
            venue_id=venue_id,
            market_id=EQUITIES,
            base=symbol,
            quote="USD",
            tick_size=_CENT,
            lot_size=Decimal(1),
        )
        for symbol in _SHARES
    ]
    coins = [
        Instrument(
            instrument_id=InstrumentId(f"{venue_id}:{symbol}"),
            symbol=symbol,
            venue_id=venue_id,
            market_id=CRYPTO,
            base="BTC",
            quote=quote,
            tick_size=_CENT,
            lot_size=Decimal(lot_size),
        )
        for symbol, quote, lot_size, _ in _COINS
    ]
    return (*shares, *coins)


def accounts(
    venue_id: VenueId = PAPER, *, count: int = 8, owner: str = "trader"
) -> tuple[AccountSettings, ...]:
    """Return the accounts A1, A2, … of one owner, each with cash and some of every share.

    The secret of an account is its name in small letters: this is paper money.
    """
    shares = [one for one in instruments(venue_id) if one.market_id == EQUITIES]
    return tuple(
        AccountSettings(
            account_id=AccountId(f"A{number}"),
            secret=f"a{number}",
            owner=owner,
            cash={"USD": OPENING_CASH},
            positions={one.instrument_id: OPENING_SHARES for one in shares},
        )
        for number in range(1, count + 1)
    )


def synthetic(venue_id: VenueId = PAPER) -> SyntheticMarket:
    """Return background participants for everything listed."""
    references = {**_SHARES, **{symbol: price for symbol, _, _, price in _COINS}}
    books = []
    for one in instruments(venue_id):
        reference = one.price(references[one.symbol])
        depth = 2_000 if one.market_id == EQUITIES else one.quantity("2")
        books.append(
            SyntheticBook(
                instrument_id=one.instrument_id,
                reference=reference,
                stride=one.price("0.01" if reference < 100_000 else "0.50"),
                depth=Lots(depth),
            )
        )
    return SyntheticMarket(books=tuple(books))


def settings(venue_id: VenueId = PAPER, *, seed: int = 1) -> ExchangeSettings:
    """Return a paper exchange with everything above; a second one may take another name."""
    return ExchangeSettings(
        venue_id=venue_id,
        instruments=instruments(venue_id),
        accounts=accounts(venue_id),
        seed=seed,
        synthetic=synthetic(venue_id),
    )
