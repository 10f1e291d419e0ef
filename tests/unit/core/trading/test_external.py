"""Booking what others do: reserved, counted, blocked, explained."""

from decimal import Decimal

import pytest

from tandem.core.trading import external
from tandem.domain.commands import Done, ExplainExternal, RefusalReason
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade
from tandem.domain.reports import Canceled
from tests.unit.core.trading.desk_driver import SECOND, Floor
from tests.unit.core.trading.outside import T, U, opened, reasons

BUY, SELL = Side.BUY, Side.SELL
A1 = AccountId("A1")


def explain(floor: Floor, unit: str = T, account_id: AccountId = A1) -> object:
    return floor.ask(ExplainExternal(account_id=account_id, unit=unit))


# -- executions


def test_an_outside_trade_is_booked_as_external_and_blocks_its_instrument_until_explained() -> None:
    """F24 I5 I6: cash, position and exposure are the real ones."""
    floor, account = opened()
    account.trade(BUY, 7, 1_010)
    account.look()
    ledger = floor.state.ledger
    assert ledger.cash(A1, "USD") == Decimal("100000") - Decimal("70.70") - Decimal("0.01")
    assert ledger.lots(A1, T) == 1_007
    assert floor.state.exposure.holdings[T].position == 4_007
    assert reasons(account) == ["order theirs: buy 7 at 10.10"]
    refused = floor.refusal(floor.place(BUY, 1, slots=("s1",)))
    assert refused.reason is RefusalReason.BLOCKED
    assert "external" in refused.text
    floor.parent_of(floor.place(BUY, 1, slots=("s2",)))
    floor.parent_of(floor.place(BUY, 1, symbol="U", slots=("s1",)))
    assert explain(floor) == Done(text="T@X on A1 is traded again")
    floor.parent_of(floor.place(BUY, 1, slots=("s1",)))


def test_an_order_over_all_slots_goes_to_those_that_are_not_blocked() -> None:
    floor, account = opened()
    account.trade(SELL, 7)
    account.look()
    parent = floor.buy(3)
    assert parent.slots == ["s2", "s3", "s4"]


def test_nothing_outside_is_a_gain_or_loss_of_ours() -> None:
    """F24: neither of a parent, nor of the day, nor realized."""
    floor, account = opened()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.fill(attempt, 10)
    account.lots[T] += 10
    account.cash["USD"] = floor.state.ledger.cash(A1, "USD")
    before = dict(floor.state.exposure.realized)
    account.trade(SELL, 500, 2_000)
    account.trade(BUY, 500, 1)
    account.look()
    position = floor.state.positions[A1][T]
    assert (position.quantity, position.realized, position.realized_fifo) == (1_010, 0, 0)
    assert floor.state.exposure.realized == before
    assert parent.filled_value == 10_000


def test_the_same_execution_is_booked_once_whatever_the_cursor_says() -> None:
    """F9."""
    floor, account = opened()
    told = account.trade(BUY, 7)
    account.look()
    account.executions.append(told)
    account.look()
    assert floor.counted("external_fills") == 1
    assert floor.counted("fills_repeated") == 1


def test_execution_ids_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "EXECUTIONS_MAX", 2)
    _, account = opened()
    for _ in range(3):
        account.trade(BUY, 1)
    account.look()
    assert list(account.seat.external.executions) == ["Es1-2", "Es1-3"]


def test_executions_that_cannot_be_or_of_what_is_not_listed_here_show_as_money() -> None:
    """F24: their grid is unknown, what they moved is not."""
    floor, account = opened()
    account.trade(BUY, 7, 1_000, instrument_id=InstrumentId("?"))
    account.trade(BUY, 0)
    account.lots.pop(InstrumentId("?"))
    account.look(2)
    assert floor.counted("external_fills_unlisted") == 1
    assert floor.counted("fills_garbled") == 1
    assert list(account.seat.external.unexplained) == ["USD"]
    assert floor.state.ledger.cash(A1, "USD") == account.cash["USD"]


# -- orders


def test_an_outside_order_reserves_its_price_on_all_accounts_until_it_is_gone() -> None:
    """F24 I4: the refusal names it."""
    floor, account = opened()
    account.open(SELL, 5, 1_001, key="x")
    account.look()
    assert reasons(account) == ["order x"]
    for manner in SelfTrade:
        refused = floor.refusal(floor.place(BUY, 1, 1_001, slots=("s2",), self_trade=manner))
        assert refused.reason is RefusalReason.SELF_TRADE
        assert refused.met == "external:A1:x"
    floor.parent_of(floor.place(BUY, 1, 1_000, slots=("s2",)))
    account.orders.clear()
    account.look()
    floor.parent_of(floor.place(BUY, 1, 1_001, slots=("s2",)))


def test_an_outside_market_order_reserves_its_whole_side() -> None:
    floor, account = opened()
    account.open(BUY, 5, None, key="x")
    account.look()
    assert floor.refusal(floor.place(SELL, 1, 1_000, slots=("s2",))).met == "external:A1:x"
    assert floor.state.seats["s1"].reserved_cash["USD"] > 50


def test_a_price_that_cannot_be_reserves_the_whole_side() -> None:
    """I4: the gate fails closed."""
    floor, account = opened()
    account.open(SELL, 5, -3, key="x")
    account.look()
    assert floor.refusal(floor.place(BUY, 1, 990, slots=("s2",))).met == "external:A1:x"


def test_an_outside_order_takes_its_part_of_what_can_be_spent_and_sold() -> None:
    """F24."""
    floor, account = opened()
    account.open(BUY, 9_000, 1_000, key="x")
    account.open(SELL, 995, 1_100, key="y")
    account.open(SELL, 995, 1_100, key="z", instrument_id=U)
    account.look()
    explain(floor)
    explain(floor, U)
    assert floor.refusal(floor.place(SELL, 6, 1_050, slots=("s1",))).reason is RefusalReason.FUNDS
    refused = floor.refusal(floor.place(BUY, 1_001, 1_000, symbol="U", slots=("s1",)))
    assert refused.reason is RefusalReason.FUNDS
    assert floor.state.exposure.holdings[T].open_buys == 9_000
    account.open(BUY, 9_000, 1_000, key="x", cum=8_999)
    account.look()
    assert floor.state.exposure.holdings[T].open_buys == 1
    account.orders.clear()
    account.look()
    floor.parent_of(floor.place(SELL, 6, 1_050, slots=("s1",)))


def test_a_fill_of_an_outside_order_leaves_less_of_it() -> None:
    _, account = opened()
    account.open(BUY, 9, 900, key="x")
    account.look()
    account.trade(BUY, 4, 900, key="x")
    account.trade(BUY, 4, 900, key="x", instrument_id=U)
    account.look()
    assert account.seat.external.orders["x"].leaves == 5


def test_an_id_that_comes_again_with_another_order_is_another_order() -> None:
    floor, account = opened()
    account.open(BUY, 9, 900, key="x")
    account.look()
    account.open(SELL, 9, 1_100, key="x")
    account.look()
    (order,) = account.seat.external.orders.values()
    assert (order.side, order.price) == (SELL, 1_100)
    assert floor.counted("external_orders") == 2


def test_an_outside_order_on_what_is_not_listed_here_can_meet_nothing() -> None:
    floor, account = opened()
    account.open(BUY, 9, 900, instrument_id=InstrumentId("?"))
    account.look()
    assert floor.counted("external_orders_unlisted") == 1
    assert account.seat.external.orders == {}


def test_an_own_order_is_not_canceled_for_one_that_an_outside_order_stands_behind() -> None:
    """C1: what cannot be cleared away is not begun."""
    floor, account = opened()
    own = floor.sell(1, 1_000, slots=("s2",))
    floor.accept(floor.attempts(own)[0])
    account.open(SELL, 5, 1_001, key="x")
    account.look()
    refused = floor.place(BUY, 1, 1_001, slots=("s3",), self_trade=SelfTrade.CANCEL_RESTING)
    assert floor.refusal(refused).met == "external:A1:x"
    assert not own.cancel_wanted


def test_what_waits_for_own_orders_to_be_gone_waits_for_an_outside_one_as_well() -> None:
    floor, account = opened()
    floor.pass_time(10 * SECOND)
    (attempt,) = floor.attempts(floor.sell(1, 1_000, slots=("s2",)))
    floor.accept(attempt)
    parent = floor.buy(1, 1_001, slots=("s3",), self_trade=SelfTrade.CANCEL_RESTING)
    account.open(SELL, 5, 1_001, key="x")
    account.reply()
    floor.canceled(attempt)
    assert floor.attempts(parent) == []
    account.orders.clear()
    account.hand.report(Canceled(client_order_id=ClientOrderId("x"), cum_quantity=Lots(0)))
    account.look()
    assert len(floor.attempts(parent)) == 1


# -- explained


def test_what_is_new_after_it_was_explained_blocks_again() -> None:
    floor, account = opened()
    account.trade(BUY, 7)
    account.look()
    explain(floor)
    account.look()
    assert account.seat.blocked == {}
    account.trade(BUY, 7)
    account.look()
    assert account.seat.blocked == {T: 1}


def test_only_what_waits_can_be_explained() -> None:
    floor, account = opened()
    account.trade(BUY, 7)
    account.look()
    for unit, account_id in ((U, A1), (T, AccountId("A2")), (T, AccountId("?")), ("USD", A1)):
        refused = explain(floor, unit, account_id)
        assert getattr(refused, "reason", None) is RefusalReason.UNKNOWN_ORDER


def test_two_reasons_must_both_be_explained() -> None:
    floor, account = opened()
    account.cash["USD"] += 5
    account.look(2)
    account.trade(BUY, 7)
    account.look()
    assert account.seat.blocked == {T: 2, U: 1}
    assert reasons(account)[0] == "+5 USD that no execution explains"
    explain(floor, "USD")
    assert account.seat.blocked == {T: 1}
    explain(floor)
    assert account.seat.blocked == {}


def test_a_wave_that_was_blocked_goes_out_when_the_trader_has_explained() -> None:
    floor, account = opened()
    floor.pass_time(10 * SECOND)
    floor.at("s2").not_ready()
    parent = floor.buy(10, slots=("s1", "s2"))
    account.trade(BUY, 7)
    account.reply()
    floor.at("s2").ready()
    assert parent.planned == 2
    explain(floor)
    assert parent.planned == 0
