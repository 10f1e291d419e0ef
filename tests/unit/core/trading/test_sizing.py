"""How many lots a wanted position is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import sizing
from tandem.core.trading.sizing import Worth, lots_of
from tandem.core.trading.turn import Turn
from tandem.domain.ids import InstrumentId, Lots, SlotId
from tandem.domain.limits import LOTS_MAX
from tandem.domain.strategies import FULL_PPM, Fixed, PercentOfEquity, Sizing, VolatilityTarget
from tests.unit.core.trading.desk_driver import Floor, settings_of
from tests.unit.core.trading.strategy_floor import StrategyFloor, strategy_floor

WORTH = Worth(equity=Decimal(10_000), lot_price=Decimal(30), volatility_ppm=20_000)


@pytest.mark.parametrize(
    ("how", "position_ppm", "lots"),
    [
        (Fixed(quantity=Lots(10)), FULL_PPM, 10),
        (Fixed(quantity=Lots(10)), -FULL_PPM, -10),
        (Fixed(quantity=Lots(10)), 0, 0),
        (Fixed(quantity=Lots(3)), 500_000, 1),
        (Fixed(quantity=Lots(3)), -500_000, -1),
        (PercentOfEquity(ppm=500_000), FULL_PPM, 166),  # 5,000 of 30 each
        (PercentOfEquity(ppm=500_000), -500_000, -83),
        (VolatilityTarget(ppm_per_day=10_000), FULL_PPM, 166),  # half of the equity varies by 1 %
        (VolatilityTarget(ppm_per_day=40_000), -FULL_PPM, -666),
    ],
)
def test_a_position_is_so_many_lots_rounded_toward_zero(
    how: Sizing, position_ppm: int, lots: int
) -> None:
    """B20."""
    assert lots_of(how, position_ppm, WORTH) == lots


@pytest.mark.parametrize("volatility_ppm", [None, 0, -1])
def test_a_volatility_that_is_not_known_sizes_nothing(volatility_ppm: int | None) -> None:
    worth = Worth(equity=WORTH.equity, lot_price=WORTH.lot_price, volatility_ppm=volatility_ppm)
    found = lots_of(VolatilityTarget(ppm_per_day=10_000), FULL_PPM, worth)
    assert found == "its volatility is not known"


def test_an_account_that_owes_more_than_it_has_is_worth_no_position() -> None:
    worth = Worth(equity=Decimal(-5), lot_price=Decimal(1))
    assert lots_of(PercentOfEquity(ppm=FULL_PPM), FULL_PPM, worth) == 0


@given(
    equity=st.decimals(0, 10**12, places=4),
    price=st.decimals("0.0001", 10**6, places=4),
    share=st.integers(1, FULL_PPM),
    ppm=st.integers(1, 100 * FULL_PPM),
)
def test_a_position_is_never_worth_more_than_its_share_of_equity(
    equity: Decimal, price: Decimal, share: int, ppm: int
) -> None:
    worth = Worth(equity=equity, lot_price=price)
    lots = lots_of(PercentOfEquity(ppm=ppm), share, worth)
    assert isinstance(lots, int)
    most = equity * ppm * share / FULL_PPM / FULL_PPM
    assert lots * price <= most
    assert lots == LOTS_MAX or (lots + 1) * price > most
    assert lots_of(PercentOfEquity(ppm=ppm), -share, worth) == -lots


def turn_of(floor: Floor) -> Turn:
    return Turn(floor.state, floor.desk.rules, floor.now, floor.now_ns)


def equity(floor: Floor) -> Decimal | str:
    return sizing.equity_of(turn_of(floor), floor.state.seats[SlotId("s1")], "USD")


def test_equity_is_cash_and_positions_of_its_currency_at_the_last_price() -> None:
    floor = Floor().open()  # 1,000 of each of two instruments, at a price of 10
    assert equity(floor) == 100_000 + 2 * 1_000 * 10
    floor.quote(1_100, "T")
    assert equity(floor) == 100_000 + 1_000 * 11 + 1_000 * 10
    assert sizing.equity_of(turn_of(floor), floor.state.seats[SlotId("s1")], "EUR") == 0


def test_equity_of_an_account_that_never_opened_is_nothing() -> None:
    floor = StrategyFloor(settings_of(slots=2))
    assert equity(floor) == 0


def test_a_price_that_is_missing_or_old_sizes_nothing() -> None:
    floor = Floor().open(quoted=("T",))
    assert equity(floor) == "no price of U, which A1 holds, is known"
    bought = floor.desk.rules.instruments[InstrumentId("T@X")]
    seat = floor.state.seats[SlotId("s1")]
    assert sizing.worth_on(turn_of(floor), seat, bought, None, {}) == equity(floor)
    flat = strategy_floor()
    seat = flat.state.seats[SlotId("s1")]
    worth = sizing.worth_on(turn_of(flat), seat, bought, 7, {})
    assert worth == Worth(equity=Decimal(100_000), lot_price=Decimal(10), volatility_ppm=7)
    flat.now_ns += 301 * 10**9
    assert sizing.worth_on(turn_of(flat), seat, bought, 7, {}) == "no price of T is young enough"
