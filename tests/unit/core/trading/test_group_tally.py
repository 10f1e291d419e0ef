"""What a group traded, and how its round trips went."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.booked import BookedAction
from tandem.core.trading.group_tally import Tally
from tandem.domain.ids import (
    AccountId,
    ActionId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    Ticks,
)
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.venue import Adjusted
from tests.unit.core.trading.counted import these

CENT = Decimal("0.01")


def tally_of(*signed: tuple[int, int, str]) -> Tally:
    """Return what so many lots, at a price and for a fee, come to."""
    tally = Tally()
    for lots, price, fee in signed:
        tally.on_fill(Side.BUY if lots > 0 else Side.SELL, fill(abs(lots), price, fee), CENT)
    return tally


def fill(lots: int, price: int, fee: str) -> Filled:
    return Filled(
        client_order_id=ClientOrderId(""),
        execution_id=ExecutionId(""),
        quantity=Lots(lots),
        price=Ticks(price),
        fee=Decimal(fee),
        venue_at_ns=0,
    )


def action(new: int = 1, old: int = 1, dividend: str = "0") -> BookedAction:
    told = Adjusted(
        action_id=ActionId("1"),
        instrument_id=InstrumentId("T@X"),
        numerator=new,
        denominator=old,
        dividend=Decimal(dividend),
        lots=0,
        cash=Decimal(0),
        venue_at_ns=0,
    )
    return BookedAction(
        market_ns=0, account_id=AccountId("A1"), told=told, position=0, lot_size=Decimal(1)
    )


def test_a_round_trip_goes_from_flat_to_flat() -> None:
    """B34: however many executions it took."""
    tally = tally_of((5, 1_000, "0"), (5, 1_010, "0"), (-8, 1_020, "0"))
    assert (tally.round_trips, tally.won) == (0, 0)
    tally.on_fill(Side.SELL, fill(2, 1_000, "0"), CENT)
    assert these(tally.round_trips, tally.won, tally.trip) == (1, 1, 0)


def test_a_round_trip_that_gained_less_than_its_fees_did_not_win() -> None:
    """B34: 10 lots gain a cent each, and cost 0.05 twice."""
    assert tally_of((10, 1_000, "0.05"), (-10, 1_001, "0.05")).won == 0
    assert tally_of((10, 1_000, "0.05"), (-10, 1_001, "0.04")).won == 1


def test_an_execution_that_turns_over_ends_one_trip_and_begins_another() -> None:
    """B34: its fee is paid by both, by their lots."""
    tally = tally_of((10, 1_000, "0"), (-15, 1_003, "0.3"))
    assert these(tally.round_trips, tally.won) == (1, 1)  # 0.30 gained, 0.20 of the fee
    assert tally.trip == Decimal("50.15") - Decimal("0.1")
    tally.on_fill(Side.BUY, fill(5, 1_002, "0"), CENT)
    assert these(tally.round_trips, tally.won) == (2, 1)  # 0.05 gained, 0.10 of the fee


def test_short_trips_win_when_prices_fall() -> None:
    assert tally_of((-10, 1_000, "0"), (10, 990, "0")).won == 1
    assert tally_of((-10, 1_000, "0"), (10, 1_010, "0")).won == 0


def test_income_counts_for_the_trip_that_holds() -> None:
    """A30."""
    tally = tally_of((10, 1_000, "0"))
    tally.on_action(action(dividend="0.5"))
    tally.on_fill(Side.SELL, fill(10, 960, "0"), CENT)
    assert these(tally.won, tally.position.income) == (1, 5)


def test_a_split_changes_lots_and_ends_a_trip_of_which_nothing_is_left() -> None:
    """A29."""
    tally = tally_of((1, 1_000, "0"))
    tally.on_action(action(2, 1))
    assert (tally.position.quantity, tally.round_trips) == (2, 0)
    tally.on_action(action(1, 3))
    assert (tally.position.quantity, tally.round_trips, tally.won) == (0, 1, 0)
    tally.on_action(action(1, 3))
    assert tally.round_trips == 1


def test_a_short_position_is_split_alike() -> None:
    tally = tally_of((-3, 1_000, "0"))
    tally.on_action(action(1, 2))
    assert tally.position.quantity == -1


@given(
    st.lists(
        st.tuples(st.integers(-9, 9).filter(bool), st.integers(900, 1_100), st.integers(-9, 9)),
        max_size=20,
    )
)
def test_round_trips_are_what_lies_between_moments_of_holding_nothing(
    orders: list[tuple[int, int, int]],
) -> None:
    """B34: traded lot by lot, each with its part of the fee, the trips are the same ones."""
    tally = Tally()
    held, money, trades, won = 0, Decimal(0), 0, 0
    for lots, price, cents in orders:
        sign, fee = (1 if lots > 0 else -1), abs(lots) * cents
        side = Side.BUY if lots > 0 else Side.SELL
        tally.on_fill(side, fill(abs(lots), price, str(fee * CENT)), CENT)
        for _ in range(abs(lots)):
            held += sign
            money -= (sign * price + cents) * CENT
            if not held:
                trades, won, money = trades + 1, won + (money > 0), Decimal(0)
    assert these(tally.round_trips, tally.won, tally.trip) == these(trades, won, money)
