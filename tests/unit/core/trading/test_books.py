"""What an order reserves, what a fill moves, and what is given back."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.state import Opening
from tandem.domain.ids import AccountId, InstrumentId, SlotId, Ticks
from tandem.domain.limits import Limits
from tandem.domain.order import Side
from tests.unit.core.trading.desk_driver import Floor, fill_of, settings_of

T = InstrumentId("T@X")
A1 = AccountId("A1")


def test_a_purchase_reserves_cash_and_a_fill_turns_it_into_lots() -> None:
    floor = Floor().open()
    seat = floor.state.seats["s1"]
    (attempt,) = floor.attempts(floor.buy(10, 1_000, slots=("s1",)))
    assert seat.reserved_cash["USD"] == 100
    floor.fill(attempt, 4)
    assert seat.reserved_cash["USD"] == 60
    assert floor.state.ledger.cash(A1, "USD") == 100_000 - 40 - Decimal("0.01")
    assert floor.state.ledger.lots(A1, T) == 1_004
    floor.canceled(attempt)
    assert seat.reserved_cash["USD"] == 60  # what was left is tried again


def test_a_sale_reserves_lots() -> None:
    floor = Floor().open()
    seat = floor.state.seats["s1"]
    (attempt,) = floor.attempts(floor.sell(10, 1_000, slots=("s1",)))
    assert seat.reserved_lots == {T: 10}
    floor.fill(attempt, 10)
    assert seat.reserved_lots == {T: 0}
    assert floor.state.ledger.lots(A1, T) == 990


def test_a_market_order_reserves_what_the_collar_would_still_allow() -> None:
    floor = Floor(settings_of(limits=Limits(price_collar_ppm=50_000))).open()
    floor.buy(10, None, slots=("s1",))
    assert floor.state.seats["s1"].reserved_cash["USD"] == Decimal("105.0")


@pytest.mark.parametrize(("stop", "reserved"), [(1_050, "110.3"), (900, "105.0")])
def test_a_stop_without_a_limit_reserves_at_the_worse_of_its_price_and_the_market(
    stop: int, reserved: str
) -> None:
    """A7: 5 per cent beyond it, rounded up to a tick."""
    floor = Floor(settings_of(limits=Limits(price_collar_ppm=50_000))).open()
    floor.buy(10, None, slots=("s1",), stop_price=Ticks(stop))
    assert floor.state.seats["s1"].reserved_cash["USD"] == Decimal(reserved)


def test_what_two_orders_need_together_must_be_there() -> None:
    floor = Floor().open()
    floor.buy(9_000, 1_000, slots=("s1",))
    refused = floor.refusal(floor.place(Side.BUY, 1_001, 1_000, slots=("s1",)))
    assert refused.text == "A1 needs 10010.00 USD and has 10000.00 free"


def test_gains_are_realized_against_what_was_held_before() -> None:
    """A30: net of fees."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.sell(10, 1_010, slots=("s1",)))
    floor.fill(attempt, 10)
    assert floor.state.exposure.realized["USD"] == Decimal("1.00") - Decimal("0.01")


def test_a_fill_that_realizes_nothing_and_costs_nothing_is_no_gain() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    fill = fill_of(attempt, 10, "free")
    floor.teller(attempt).report(msgspec.structs.replace(fill, fee=Decimal(0)))
    assert floor.state.exposure.realized == {}


def test_lots_held_from_before_get_their_cost_when_there_is_a_price() -> None:
    floor = Floor().open()
    position = floor.state.positions["A1"][T]
    assert (position.quantity, position.cost) == (1_000, Decimal(1_000_000))
    assert floor.state.openings == []


def test_they_wait_for_the_price_of_their_own_instrument() -> None:
    floor = Floor().open(quoted=("T",))
    assert [one.instrument_id for one in floor.state.openings] == ["U@X"] * 4
    assert isinstance(floor.state.openings[0], Opening)


def test_an_absurd_quote_moves_nothing() -> None:
    floor = Floor().open()
    floor.quote(0)
    assert floor.counted("quotes_garbled") == 2
    assert floor.state.exposure.holdings["T@X"].reference == 1_000


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 30)), max_size=12))
def test_when_all_has_ended_nothing_is_reserved_and_the_ledger_balances(
    orders: list[tuple[Side, int]],
) -> None:
    """I5 I6: position = opening + fills, and cash to the last digit."""
    floor = Floor(is_checked=False).open()
    traded = 0
    for side, quantity in orders:
        answer = floor.place(side, quantity, 999 if side is Side.BUY else 1_001)
        for attempt in floor.attempts(floor.parent_of(answer)):
            part = attempt.order.quantity // 2
            if part:
                floor.fill(attempt, part)
                traded += part * side.sign
            floor.expired(attempt)
    state = floor.state
    state.ledger.check()
    assert state.exposure.open_orders == 0
    assert sum(state.ledger.lots(AccountId(f"A{n}"), T) for n in range(1, 5)) == 4_000 + traded
    for number in range(1, 5):
        seat = state.seats[SlotId(f"s{number}")]
        assert not any(seat.reserved_cash.values())
        assert not any(seat.reserved_lots.values())


@pytest.mark.parametrize("may", [False, True])
def test_only_an_account_that_may_goes_short(may: bool) -> None:
    floor = Floor(settings_of(may_short=may)).open()
    answer = floor.place(Side.SELL, 2_000, 1_001, slots=("s1",))
    assert (getattr(answer, "reason", None) == "funds") is not may
