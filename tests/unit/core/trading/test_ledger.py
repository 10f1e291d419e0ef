"""The books balance, whatever is booked."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.ledger import Ledger, Total
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    MarketId,
    Ticks,
    VenueId,
)
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.reports import Filled

A, B = AccountId("a"), AccountId("b")


def instrument(symbol: str, tick_size: str, lot_size: str, quote: str = "USD") -> Instrument:
    return Instrument(
        instrument_id=InstrumentId(f"{symbol}@x"),
        symbol=symbol,
        venue_id=VenueId("x"),
        market_id=MarketId("x"),
        base=symbol,
        quote=quote,
        tick_size=Decimal(tick_size),
        lot_size=Decimal(lot_size),
    )


T = instrument("T", "0.01", "1")
COIN = instrument("BTCUSD", "0.5", "0.00000001")
CROSS = instrument("ETHBTC", "0.00000001", "0.00000001", "BTC")


def fill(quantity: int, price: int, fee: str = "0") -> Filled:
    return Filled(
        client_order_id=ClientOrderId("c"),
        execution_id=ExecutionId("e"),
        quantity=Lots(quantity),
        price=Ticks(price),
        fee=Decimal(fee),
        venue_at_ns=0,
    )


def test_a_buy_takes_money_and_fee_and_brings_lots() -> None:
    ledger = Ledger()
    ledger.open_cash(A, "USD", Decimal(1_000))
    ledger.book_fill(A, T, Side.BUY, fill(10, 2_500, "0.35"))
    assert ledger.cash(A, "USD") == Decimal("749.65")
    assert ledger.lots(A, T.instrument_id) == 10
    assert ledger.trial_balance() == [
        Total(unit="USD", debits=Decimal("1000.00"), credits=Decimal("1000.00")),
        Total(unit="T@x", debits=Decimal(10), credits=Decimal(10)),
    ]


def test_a_sell_brings_money_and_a_rebate_and_takes_lots() -> None:
    ledger = Ledger()
    ledger.open_lots(A, T.instrument_id, 4)
    ledger.book_fill(A, T, Side.SELL, fill(10, 2_500, "-0.02"))
    assert ledger.cash(A, "USD") == Decimal("250.02")
    assert ledger.lots(A, T.instrument_id) == -6
    assert ledger.accounts[A].fees == {"USD": Decimal("-0.02")}
    ledger.check()


def test_an_account_never_seen_holds_nothing() -> None:
    ledger = Ledger()
    ledger.open_cash(A, "USD", Decimal(5))
    assert (ledger.cash(B, "USD"), ledger.lots(B, T.instrument_id)) == (Decimal(0), 0)
    assert (ledger.cash(A, "EUR"), ledger.lots(A, T.instrument_id)) == (Decimal(0), 0)


def test_opening_twice_adds_up() -> None:
    ledger = Ledger()
    for _ in range(2):
        ledger.open_cash(A, "USD", Decimal(5))
        ledger.open_lots(A, T.instrument_id, -3)
    assert (ledger.cash(A, "USD"), ledger.lots(A, T.instrument_id)) == (Decimal(10), -6)
    ledger.check()


def test_a_booking_without_its_far_side_is_found() -> None:
    """I6."""
    ledger = Ledger()
    ledger.book_fill(A, T, Side.BUY, fill(1, 100))
    ledger.accounts[A].cash["USD"] += Decimal("0.01")
    with pytest.raises(AssertionError, match=r"USD has debits 1\.0*, credits 0\.99"):
        ledger.check()
    ledger.accounts[A].cash["USD"] -= Decimal("0.01")
    ledger.check()
    ledger.accounts[A].lots[T.instrument_id] -= 1
    with pytest.raises(AssertionError, match="T@x has debits 0, credits 1"):
        ledger.check()


FILLS = st.tuples(
    st.sampled_from([A, B]),
    st.sampled_from([T, COIN, CROSS]),
    st.sampled_from(Side),
    st.integers(1, 2**53),
    st.integers(1, 2**53),
    st.decimals(-(10**6), 10**6, places=12).map(str),
)


@given(st.lists(FILLS, max_size=30), st.decimals(0, 10**12, places=8))
def test_debits_equal_credits_and_cash_is_exact_to_the_last_digit(
    fills: list[tuple[AccountId, Instrument, Side, int, int, str]], opening: Decimal
) -> None:
    """I6."""
    ledger = Ledger()
    ledger.open_cash(A, "USD", opening)
    ledger.open_lots(B, T.instrument_id, 17)
    cash = {(A, "USD"): Fraction(opening)}
    lots = {(B, T.instrument_id): 17}
    for account_id, one, side, quantity, price, fee in fills:
        ledger.book_fill(account_id, one, side, fill(quantity, price, fee))
        ledger.check()
        worth = Fraction(one.tick_size) * Fraction(one.lot_size) * price * quantity
        money, thing = (account_id, one.quote), (account_id, one.instrument_id)
        cash[money] = cash.get(money, Fraction(0)) - worth * side.sign - Fraction(fee)
        lots[thing] = lots.get(thing, 0) + quantity * side.sign
    for (account_id, currency), amount in cash.items():
        assert Fraction(ledger.cash(account_id, currency)) == amount
    for (account_id, instrument_id), count in lots.items():
        assert ledger.lots(account_id, instrument_id) == count
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(ledger), type=Ledger)
    assert again == ledger
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(ledger)
