from decimal import Decimal

from tandem.core.matching import listing
from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import Due, Restarted
from tandem.domain.ids import VenueId
from tandem.domain.instant import Instant
from tandem.domain.instrument import Catalogue

SYMBOLS = (
    "ITUB BKRF TSLA FCEL CLF T PBR MSFT PLUG INTC X OXY AAL NIO AMC AAPL F TME BAC GE"
    " BTCUSD BTCUSDT"
)


def test_the_share_list_and_two_coins_are_listed() -> None:
    listed = listing.instruments()
    assert " ".join(one.symbol for one in listed) == SYMBOLS
    assert {one.tick_size for one in listed} == {Decimal("0.01")}
    assert [str(one.market_id) for one in listed].count("us-equities") == 20


def test_two_venues_of_one_market_fit_into_one_catalogue() -> None:
    other = VenueId("other")
    catalogue = Catalogue((*listing.instruments(), *listing.instruments(other)))
    assert [one.venue_id for one in catalogue.on_symbol("F")] == ["paper", "other"]


def test_the_accounts_hold_cash_and_every_share_under_one_owner() -> None:
    accounts = listing.accounts(count=3)
    assert [one.account_id for one in accounts] == ["A1", "A2", "A3"]
    assert {one.owner for one in accounts} == {"trader"}
    assert all(one.cash == {"USD": Decimal(1_000_000)} for one in accounts)
    assert all(list(one.positions.values()) == [1_000] * 20 for one in accounts)


def test_everything_listed_is_quoted_after_the_first_step() -> None:
    exchange = Exchange(listing.settings(seed=5))
    exchange.on(Restarted(), Instant(0, 0))
    exchange.on(Due(), Instant(1, 1))
    for one in listing.instruments():
        resting = exchange.resting(one.instrument_id)
        assert [order.is_buy for order in resting] == [True] * 5 + [False] * 5
        assert all(order.leaves > 0 for order in resting)
