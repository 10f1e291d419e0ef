from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching import ledger
from tandem.core.matching.state import OrderRecord, opening
from tandem.domain.exchange import Fees
from tandem.domain.ids import Ticks
from tandem.domain.order import Order
from tandem.domain.reports import RejectCode
from tests.unit.core.matching.paper import BUY, COIN, SELL, account, instrument, order, settings

COINS = instrument(COIN, "0.00000001")


def test_a_value_is_exact_to_its_last_digit() -> None:
    value = ledger.value_of(COINS, price=2**53 - 1, quantity=2**53 - 1)
    assert ledger.EXACT.divide(value, COINS.step_value) == Decimal((2**53 - 1) ** 2)


@given(st.decimals("-0.01", "0.01", places=6), st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_fee_is_never_above_its_rate_and_less_than_a_step_below(
    rate: Decimal, price: int, quantity: int
) -> None:
    value = ledger.value_of(COINS, price=price, quantity=quantity)
    fee = ledger.fee_of(value, rate=rate)
    exact = ledger.EXACT.multiply(value, rate)
    assert exact - Decimal("0.00000001") < fee <= exact
    assert fee == ledger.fee_of(-value, rate=rate)


def test_no_rate_is_no_fee() -> None:
    assert ledger.fee_of(Decimal(100), rate=Decimal(0)) == 0


def record(asked: Order, *, waits: bool = False) -> OrderRecord:
    return OrderRecord(number=1, account=0, order=asked, accepted_at_ns=0, waits=waits)


def test_holding_and_giving_back_leaves_nothing_held() -> None:
    state = opening(settings(accounts=(account("A1", "ann", fees=Fees(taker=Decimal("0.0013"))),)))
    holder = state.accounts[0]
    bought = record(order("x", BUY, 7, 333, instrument_id=COIN))
    ledger.hold(holder, COINS, bought, 7)
    for _ in range(7):
        ledger.hold(holder, COINS, bought, -1)
    assert holder.held["USD"] == 0
    sold = record(order("x", SELL, 7, 333, instrument_id=COIN))
    ledger.hold(holder, COINS, sold, 7)
    assert holder.held_lots[COIN] == 7
    ledger.hold(holder, COINS, sold, -7)
    assert holder.held_lots[COIN] == 0


def test_nothing_is_held_for_a_market_order() -> None:
    holder = opening(settings()).accounts[0]
    ledger.hold(holder, COINS, record(order("x", BUY, 7, None, instrument_id=COIN)), 7)
    assert holder.held == {}


@pytest.mark.parametrize(
    ("limit", "reduce_only", "expected"), [(None, False, 21), (400, False, 28), (400, True, 0)]
)
def test_a_waiting_stop_is_held_at_its_limit_or_stop_unless_it_may_only_reduce(
    limit: int | None, reduce_only: bool, expected: int
) -> None:
    holder = opening(settings()).accounts[0]
    waiting = order("x", BUY, 7, limit, stop_price=Ticks(300), reduce_only=reduce_only)
    ledger.hold(holder, instrument(COIN, "1"), record(waiting, waits=True), 7)
    assert holder.held.get("USD", 0) == expected


def test_a_buy_lacks_funds_from_one_step_above_what_is_free() -> None:
    holder = opening(settings(accounts=(account("A1", "a", cash={"USD": Decimal(10)}),))).accounts[
        0
    ]
    share = instrument(COIN, "1")
    assert ledger.lack(holder, share, order("x", BUY, 10, 100), Decimal(0)) is None
    assert ledger.lack(holder, share, order("x", BUY, 1, 1_001), Decimal(0)) is RejectCode.FUNDS
    assert ledger.lack(holder, share, order("x", BUY, 1, None), Decimal(10)) is None
    assert ledger.lack(holder, share, order("x", BUY, 1, None), Decimal(11)) is RejectCode.FUNDS


def test_a_buy_must_have_its_fee_as_well() -> None:
    fees = Fees(taker=Decimal("0.01"))
    poor = account("A1", "a", cash={"USD": Decimal(10)}, fees=fees)
    holder = opening(settings(accounts=(poor,))).accounts[0]
    share = instrument(COIN, "1")
    assert ledger.lack(holder, share, order("x", BUY, 1, 990), Decimal(0)) is None
    assert ledger.lack(holder, share, order("x", BUY, 1, 991), Decimal(0)) is RejectCode.FUNDS


def test_a_sell_lacks_a_position_unless_the_account_may_be_short() -> None:
    state = opening(settings())
    plain, short = state.accounts[0], state.accounts[4]
    many = order("x", SELL, 10**8 + 1, 100, instrument_id=COIN)
    assert ledger.lack(plain, COINS, many, Decimal(0)) is RejectCode.POSITION
    assert ledger.lack(short, COINS, many, Decimal(0)) is None
