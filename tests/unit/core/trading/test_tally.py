"""What two-sided orders have traded and gained."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.tally import Tally, percent_of
from tandem.domain.money import ZERO
from tandem.domain.order import Side


def tally_of(*trades: tuple[Side, int, str]) -> Tally:
    tally = Tally()
    for side, lots, money in trades:
        tally.count(side, lots, money=Decimal(money), fees=Decimal("0.5"))
    return tally


def test_what_was_bought_and_sold_is_realized_at_average_prices() -> None:
    """C3."""
    tally = tally_of((Side.BUY, 4, "40"), (Side.BUY, 4, "48"), (Side.SELL, 6, "72"))
    assert (tally.inventory, tally.fees) == (2, Decimal("1.5"))
    assert tally.realized() == 6  # six sold at 12, bought at 11
    assert tally.unrealized(Decimal(13)) == 4
    assert tally.unrealized(None) is None


def test_a_short_inventory_gains_when_the_mark_falls() -> None:
    tally = tally_of((Side.SELL, 3, "30"), (Side.BUY, 1, "9"))
    assert tally.inventory == -2
    assert tally.realized() == 1
    assert tally.unrealized(Decimal(8)) == 4


def test_without_an_inventory_nothing_needs_a_mark() -> None:
    assert (Tally().realized(), Tally().unrealized(None)) == (ZERO, ZERO)


def test_a_copy_counts_for_itself() -> None:
    first = tally_of((Side.BUY, 1, "2"))
    second = first.copy()
    second.count(Side.SELL, 1, money=Decimal(3), fees=ZERO)
    assert (first.inventory, second.inventory) == (1, 0)
    assert second.realized() == 1


def test_an_inventory_leans_by_its_share_of_the_most_allowed() -> None:
    assert [percent_of(one, most=3) for one in (-3, -1, 0, 2)] == [-100, -33, 0, 66]


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 99), st.integers(1, 10**9))),
    st.integers(1, 10**7),
)
def test_both_gains_add_up_to_what_was_received_less_what_was_paid(
    trades: list[tuple[Side, int, int]], mark: int
) -> None:
    """C3, I6: to the last digit, whatever was traded."""
    tally = tally_of(*((side, lots, str(money)) for side, lots, money in trades))
    unrealized = tally.unrealized(Decimal(mark))
    assert unrealized is not None
    whole = tally.received - tally.paid + tally.inventory * mark
    assert tally.realized() + unrealized == whole
