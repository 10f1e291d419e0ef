"""The grid of an instrument that nobody has listed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.market.terms import currencies_of, finest_steps, probe
from tandem.domain.exchange import BestShown, MarketEvent
from tandem.domain.ids import VenueId
from tests.unit.core.market.market_news import COIN, bar, best, depth, level, quote_bar, trade

FINE = 10**8
ONE = Decimal(1)


@pytest.mark.parametrize(
    ("event", "tick", "lot"),
    [
        (trade(105 * FINE, 3 * FINE), "1", "1"),
        (trade(105 * FINE // 10, FINE // 4), "0.1", "0.01"),
        (bar(FINE, FINE, FINE, FINE // 1_000, 7), "0.001", "1E-8"),
        (quote_bar((1, 1, 1, 1), (2, 2, 2, 2), 0), "1E-8", "1"),
        (best(FINE, 2 * FINE, FINE), "1", "1"),
        (BestShown(instrument_id=COIN, bid=None, ask=level(FINE // 2, FINE)), "0.1", "1"),
        (depth([level(FINE, FINE)], [level(FINE // 100, FINE)]), "0.01", "1"),
    ],
)
def test_the_grid_is_the_coarsest_on_which_all_numbers_lie(
    event: MarketEvent, tick: str, lot: str
) -> None:
    assert finest_steps([event]) == (Decimal(tick), Decimal(lot))


def test_nothing_known_is_a_grid_of_whole_numbers() -> None:
    assert finest_steps([]) == (ONE, ONE)


def test_a_step_is_coarser_where_larger_numbers_could_not_be_held() -> None:
    assert finest_steps([trade(FINE, 10**6 * FINE + 1)]) == (ONE, Decimal("0.000001"))
    assert finest_steps([trade(FINE, 10**11)], lot_places=0) == (ONE, ONE)


def test_base_and_quote_are_found_in_the_symbol() -> None:
    assert currencies_of("ADAUSDT") == ("ADA", "USDT")
    assert currencies_of("EURUSD") == ("EUR", "USD")
    assert currencies_of("USD") == ("USD", "USD")
    assert currencies_of("SPY") == ("SPY", "USD")
    one = probe("ETHBTC", VenueId("paper"), lot_places=4)
    assert (one.instrument_id, one.base, one.quote) == ("paper:ETHBTC", "ETH", "BTC")
    assert (one.tick_size, one.lot_size) == (Decimal("1E-8"), Decimal("0.0001"))


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**12)), min_size=1))
def test_every_price_that_fits_is_on_the_grid_found(numbers: list[tuple[int, int]]) -> None:
    tick, lot = finest_steps([trade(price, size) for price, size in numbers])
    for price, size in numbers:
        assert (price * Decimal("1E-8")) % tick == 0
        assert (size * Decimal("1E-8")) % lot == 0
