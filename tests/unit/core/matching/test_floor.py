from decimal import Decimal
from typing import Any

import pytest

from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import (
    DAY_NS,
    DepthShown,
    Due,
    Fees,
    PublicTrade,
    SelfMatch,
    SessionOpened,
    ToSession,
)
from tandem.domain.ids import ClientOrderId, Lots, Ticks
from tandem.domain.instant import Instant
from tandem.domain.order import OrderStatus, Side
from tandem.domain.reports import (
    Accepted,
    Canceled,
    EndCause,
    Expired,
    Filled,
    RejectCode,
    Rejected,
)
from tandem.domain.venue import (
    AmendCode,
    Amended,
    AmendRejected,
    CancelCode,
    CancelRejected,
    ListOpenOrders,
    OpenOrders,
    OrderFound,
    QueryOrder,
    VenueMessage,
)
from tests.unit.core.matching.paper import (
    ALL_THERE_IS,
    BUY,
    COIN,
    DAY,
    FOK,
    GTC,
    IOC,
    NOON_NS,
    SELL,
    SHARE,
    Paper,
    account,
    kinds,
    order,
)


def code(messages: list[VenueMessage]) -> RejectCode:
    (message,) = messages
    assert isinstance(message, Rejected)
    return message.code


def fills(messages: list[VenueMessage]) -> list[tuple[int, int]]:
    return [(one.quantity, one.price) for one in messages if isinstance(one, Filled)]


def offered(paper: Paper, *asks: tuple[int, int], bids: tuple[tuple[int, int], ...] = ()) -> None:
    paper.market(
        DepthShown(
            instrument_id=SHARE,
            bids=tuple((Ticks(price), Lots(lots)) for price, lots in bids),
            asks=tuple((Ticks(price), Lots(lots)) for price, lots in asks),
            is_whole=True,
        )
    )


def test_an_order_that_meets_nobody_rests_and_holds_its_cash() -> None:
    paper = Paper()
    assert kinds(paper.place("A1-1", BUY, 10, 1_000)) == ["Accepted"]
    assert paper.book() == [("buy", 1_000, 10)]
    assert paper.held("A1") == Decimal("100.00")


def test_two_accounts_trade_at_the_resting_price_and_each_is_told_its_own_fee() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 10, 1_000)
    accepted, filled = paper.place("B1-1", BUY, 4, 1_010)
    assert isinstance(accepted, Accepted)
    assert isinstance(filled, Filled)
    assert (filled.quantity, filled.price, filled.fee) == (4, 1_000, Decimal("0.04"))
    assert paper.cash("B1") == Decimal("99959.96")
    assert paper.cash("A1") == Decimal("100040.00")
    assert (paper.shares("B1"), paper.shares("A1")) == (1_004, 996)
    assert paper.sums() == ALL_THERE_IS


def test_a_maker_may_be_paid_a_rebate() -> None:
    paper = Paper()
    paper.place("B1-1", SELL, 10, 1_000)
    paper.place("A1-1", BUY, 10, 1_000)
    assert paper.cash("B1") == Decimal("100100.01")
    assert paper.exchange.state.fees["USD"] == Decimal("-0.01")
    assert paper.sums() == ALL_THERE_IS


def test_execution_ids_differ_between_the_sides_of_one_trade() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 10, 1_000)
    paper.place("B1-1", BUY, 10, 1_000)
    ids = [
        one.fill.execution_id
        for account in paper.exchange.state.accounts
        for one in account.executions
    ]
    assert len(ids) == 2
    assert ids[0] != ids[1]


def test_final_orders_and_executions_are_kept_up_to_a_number() -> None:
    paper = Paper(final_orders_kept=10, executions_kept=5)
    for number in range(300):
        paper.place(f"A1-{number}", SELL, 1, 100)
        paper.place(f"B1-{number}", BUY, 1, 100)
    holder = paper.account("A1")
    assert 10 <= len(holder.records) <= 10 + 64
    assert len(holder.numbers) == len(holder.ended) == len(holder.records)
    assert 5 <= len(holder.executions) <= 5 + 64
    assert holder.dropped + len(holder.executions) == 300


def test_forgetting_an_order_keeps_a_later_one_of_the_same_id() -> None:
    paper = Paper(final_orders_kept=1)
    paper.place("A1-again", BUY, 1, 100)
    paper.cancel("A1-again")
    paper.place("A1-again", BUY, 1, 100)
    for number in range(200):
        paper.place(f"A1-{number}", BUY, 1, 100)
        paper.cancel(f"A1-{number}")
    assert kinds(paper.cancel("A1-again")) == ["Canceled"]


def test_a_cancel_ends_the_order_and_gives_back_what_it_held() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("B1-1", SELL, 4, 1_000)
    (canceled,) = paper.cancel("A1-1")
    assert canceled == Canceled(
        client_order_id=order("A1-1", BUY, 1, 1).client_order_id, cum_quantity=Lots(4)
    )
    assert paper.held("A1") == 0
    assert paper.book() == []


def test_a_venue_may_cancel_what_traded_in_part_unasked() -> None:
    """F15: whether it traded as it came or while it rested; a whole order is left alone."""
    paper = Paper()
    paper.misbehave(cancel_unasked=1.0)
    assert kinds(paper.place("A1-1", BUY, 10, 1_000)) == ["Accepted"]
    assert paper.book() == [("buy", 1_000, 10)]
    offered(paper, (1_000, 4))
    assert paper.book() == []
    (ended,) = (one for one in paper.account("A1").records.values())
    assert (ended.status, ended.cum_quantity) == (OrderStatus.CANCELED, 4)
    offered(paper, (1_000, 3))
    messages = paper.place("A1-2", BUY, 10, 1_000)
    assert kinds(messages) == ["Accepted", "Filled", "Canceled"]
    assert paper.held("A1") == 0
    assert paper.sums() == ALL_THERE_IS


def test_a_cancel_of_what_has_ended_or_never_was_is_refused() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.cancel("A1-1")
    codes = [
        one.code
        for name in ("A1-1", "A1-2")
        for one in paper.cancel(name)
        if isinstance(one, CancelRejected)
    ]
    assert codes == [CancelCode.FINAL, CancelCode.UNKNOWN_ORDER]


def test_a_market_order_takes_what_there_is_and_ends() -> None:
    paper = Paper()
    offered(paper, (1_000, 3), (1_001, 4))
    messages = paper.place("A1-1", BUY, 10, None)
    assert kinds(messages) == ["Accepted", "Filled", "Filled", "Expired"]
    assert fills(messages) == [(3, 1_000), (4, 1_001)]
    assert paper.held("A1") == 0
    assert paper.sums() == ALL_THERE_IS


def test_a_market_sell_takes_the_bids() -> None:
    paper = Paper()
    offered(paper, bids=((999, 3), (998, 4)))
    assert fills(paper.place("A1-1", SELL, 5, None, time_in_force=GTC)) == [(3, 999), (2, 998)]


def test_a_market_buy_needs_the_cash_for_what_it_would_take() -> None:
    poor = account("A1", "ann", cash={"USD": Decimal(30)})
    paper = Paper(accounts=(poor,), logged_in=False)
    paper.on_session("A1", 1)
    offered(paper, (1_000, 2), (1_001, 5))
    assert code(paper.place("A1-1", BUY, 3, None)) is RejectCode.FUNDS
    assert fills(paper.place("A1-2", BUY, 2, None)) == [(2, 1_000)]
    assert paper.cash("A1") == Decimal("10.00")


def test_immediate_or_cancel_never_rests() -> None:
    paper = Paper()
    offered(paper, (1_000, 3))
    messages = paper.place("A1-1", BUY, 10, 1_000, time_in_force=IOC)
    assert kinds(messages) == ["Accepted", "Filled", "Expired"]
    assert paper.book() == []
    assert paper.held("A1") == 0


def test_fill_or_kill_trades_as_a_whole_or_not_at_all() -> None:
    paper = Paper()
    offered(paper, (1_000, 3), (1_001, 3))
    messages = paper.place("A1-1", BUY, 5, 1_000, time_in_force=FOK)
    assert kinds(messages) == ["Accepted", "Expired"]
    assert isinstance(messages[1], Expired)
    assert messages[1].cum_quantity == 0
    assert fills(paper.place("A1-2", BUY, 5, 1_001, time_in_force=FOK)) == [(3, 1_000), (2, 1_001)]


def test_post_only_is_refused_where_it_would_trade() -> None:
    paper = Paper()
    offered(paper, (1_000, 3), bids=((990, 3),))
    assert code(paper.place("A1-1", BUY, 1, 1_000, post_only=True)) is RejectCode.WOULD_TAKE
    assert code(paper.place("A1-2", SELL, 1, 990, post_only=True)) is RejectCode.WOULD_TAKE
    assert kinds(paper.place("A1-3", BUY, 1, 999, post_only=True)) == ["Accepted"]
    assert kinds(paper.place("A1-4", SELL, 1, 1_001, post_only=True)) == ["Accepted"]
    paper = Paper()
    assert kinds(paper.place("A1-5", SELL, 1, 1_000, post_only=True)) == ["Accepted"]


def own_meeting(
    mode: SelfMatch, quantity: int = 10, **changes: Any
) -> tuple[Paper, list[VenueMessage]]:
    """A1 rests 4 at 1000, B1 5 behind; A2, of the same owner as A1, comes and takes."""
    paper = Paper(self_match=mode)
    paper.place("A1-1", SELL, 4, 1_000)
    paper.place("B1-1", SELL, 5, 1_000)
    return paper, paper.place("A2-1", BUY, quantity, 1_000, **changes)


def test_reject_refuses_before_anything_trades() -> None:
    """I4"""
    paper, messages = own_meeting(SelfMatch.REJECT)
    assert code(messages) is RejectCode.SELF_MATCH
    assert paper.book() == [("sell", 1_000, 4), ("sell", 1_000, 5)]
    assert kinds(paper.place("U1-1", BUY, 10, 1_000)) == ["Accepted", "Filled", "Filled"]


def test_expire_taker_ends_the_new_order_where_it_would_meet_its_own() -> None:
    paper, messages = own_meeting(SelfMatch.EXPIRE_TAKER)
    assert kinds(messages) == ["Accepted", "Canceled"]
    assert paper.book() == [("sell", 1_000, 4), ("sell", 1_000, 5)]


def test_expire_maker_ends_the_resting_order_and_goes_on() -> None:
    paper, messages = own_meeting(SelfMatch.EXPIRE_MAKER)
    assert fills(messages) == [(5, 1_000)]
    assert paper.book() == [("buy", 1_000, 5)]
    assert paper.account("A1").held_lots[SHARE] == 0


def test_expire_both_ends_both() -> None:
    paper, messages = own_meeting(SelfMatch.EXPIRE_BOTH)
    assert kinds(messages) == ["Accepted", "Canceled"]
    assert paper.book() == [("sell", 1_000, 5)]


def test_decrement_takes_the_smaller_quantity_off_both() -> None:
    paper, messages = own_meeting(SelfMatch.DECREMENT)
    assert fills(messages) == [(5, 1_000)]
    assert paper.book() == [("buy", 1_000, 1)]
    assert paper.held("A2") == Decimal("10.00")
    more = paper.place("B1-2", SELL, 1, 1_000)
    assert kinds(more) == ["Accepted", "Filled"]
    assert paper.account("A2").records[3].status is OrderStatus.CANCELED
    assert paper.account("A2").records[3].cum_quantity == 6
    assert paper.held("A2") == 0


def test_decrement_may_use_up_the_new_order() -> None:
    paper = Paper(self_match=SelfMatch.DECREMENT)
    paper.place("A1-1", SELL, 4, 1_000)
    assert kinds(paper.place("A2-1", BUY, 3, 1_000)) == ["Accepted", "Canceled"]
    assert paper.book() == [("sell", 1_000, 1)]


@pytest.mark.parametrize(
    ("mode", "causes"),
    [
        (SelfMatch.EXPIRE_TAKER, [None, EndCause.SELF_MATCH]),
        (SelfMatch.EXPIRE_MAKER, [EndCause.SELF_MATCH, None]),
        (SelfMatch.EXPIRE_BOTH, [EndCause.SELF_MATCH, EndCause.SELF_MATCH]),
        (SelfMatch.DECREMENT, [EndCause.SELF_MATCH, EndCause.SELF_MATCH]),
    ],
)
def test_what_self_match_prevention_ended_says_so(
    mode: SelfMatch, causes: list[EndCause | None]
) -> None:
    """C1: a report with its cause, and an order without one was canceled by who placed it."""
    paper = Paper(self_match=mode)
    paper.place("A1-1", SELL, 4, 1_000)
    paper.place("A2-1", BUY, 4, 1_000)
    paper.cancel("A1-1")
    paper.cancel("A2-1")
    records = [paper.account(one).records[number] for one, number in (("A1", 1), ("A2", 2))]
    assert [one.cause for one in records] == causes


@pytest.mark.parametrize("mode", list(SelfMatch))
def test_fill_or_kill_counts_no_lots_behind_its_own_unless_those_give_way(
    mode: SelfMatch,
) -> None:
    paper, messages = own_meeting(mode, 5, time_in_force=FOK)
    if mode is SelfMatch.EXPIRE_MAKER:
        assert fills(messages) == [(5, 1_000)]
    else:
        assert fills(messages) == []
        assert len(paper.book()) == 2


@pytest.mark.parametrize("mode", [SelfMatch.EXPIRE_TAKER, SelfMatch.EXPIRE_MAKER])
def test_a_market_order_that_finds_only_its_own_is_not_refused_for_want_of_others(
    mode: SelfMatch,
) -> None:
    paper = Paper(self_match=mode)
    paper.place("A1-1", SELL, 4, 1_000)
    messages = paper.place("A2-1", BUY, 4, None)
    assert kinds(messages)[0] == "Accepted"
    assert kinds(messages)[-1] in ("Canceled", "Expired")


@pytest.mark.parametrize("mode", list(SelfMatch))
@pytest.mark.parametrize("side", [BUY, SELL])
def test_orders_of_one_owner_never_trade_with_each_other(mode: SelfMatch, side: Side) -> None:
    """I4"""
    paper = Paper(self_match=mode)
    paper.place("A1-1", side.opposite, 4, 1_000)
    paper.place("A1-2", side, 4, 1_000)
    paper.place("A2-1", side, 9, 1_000)
    assert paper.exchange.state.executions == 0
    assert paper.sums() == ALL_THERE_IS


def test_a_price_and_a_size_of_many_digits_settle_to_the_last_one() -> None:
    paper = Paper(fees=Fees(maker=Decimal("0.00015"), taker=Decimal("0.00035")))
    changes = {"instrument_id": COIN, "time_in_force": DAY}
    paper.place("A1-1", SELL, 12_345_679, 3_700_123, **changes)
    paper.place("U1-1", BUY, 1_234_567, 3_700_123, **changes)
    assert paper.cash("U1") == 100_000 - Decimal("456.8049751741") - Decimal("0.15988174")
    assert paper.sums() == ALL_THERE_IS


def unchanged(messages: list[VenueMessage]) -> AmendCode:
    (message,) = messages
    assert isinstance(message, AmendRejected)
    return message.code


def test_a_lower_quantity_keeps_the_place_in_the_queue() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 10, 1_000)
    paper.place("U1-1", SELL, 10, 1_000)
    (amended,) = paper.amend("A1-1", 4, 1_000)
    assert amended == Amended(
        client_order_id=ClientOrderId("A1-1"),
        quantity=Lots(4),
        limit_price=Ticks(1_000),
        cum_quantity=Lots(0),
    )
    assert paper.account("A1").held_lots[SHARE] == 4
    assert fills(paper.place("B1-1", BUY, 6, 1_000)) == [(4, 1_000), (2, 1_000)]
    assert paper.account("A1").records[1].status is OrderStatus.FILLED


@pytest.mark.parametrize(("quantity", "price"), [(11, 1_000), (10, 999), (4, 999)])
def test_more_or_another_price_goes_to_the_back_of_the_queue(quantity: int, price: int) -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("U1-1", BUY, 10, price)
    assert kinds(paper.amend("A1-1", quantity, price)) == ["Amended"]
    assert paper.book() == [("buy", price, 10), ("buy", price, quantity)]
    assert paper.held("A1") == Decimal(quantity * price) / 100


def test_an_amended_order_that_crosses_trades_at_once_and_what_traded_counts() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("B1-1", SELL, 3, 1_000)
    paper.place("B1-2", SELL, 4, 1_005)
    messages = paper.amend("A1-1", 8, 1_005)
    assert kinds(messages) == ["Amended", "Filled"]
    assert isinstance(messages[0], Amended)
    assert messages[0].cum_quantity == 3
    assert paper.book() == [("buy", 1_005, 1)]
    assert paper.held("A1") == Decimal("10.05")
    assert paper.sums() == ALL_THERE_IS


def test_the_same_amendment_again_changes_nothing_and_is_told_again() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("U1-1", BUY, 5, 1_000)
    first = paper.amend("A1-1", 12, 1_000)
    assert paper.amend("A1-1", 12, 1_000) == first
    assert paper.book() == [("buy", 1_000, 5), ("buy", 1_000, 12)]
    assert len(paper.account("A1").records[1].past) == 1


@pytest.mark.parametrize(
    ("name", "quantity", "price", "expected"),
    [
        ("A1-none", 5, 1_000, AmendCode.UNKNOWN_ORDER),
        ("A1-ended", 5, 1_000, AmendCode.FINAL),
        ("A1-1", 0, 1_000, AmendCode.BAD_QUANTITY),
        ("A1-1", 2**53, 1_000, AmendCode.BAD_QUANTITY),
        ("A1-1", 5, 0, AmendCode.BAD_PRICE),
        ("A1-1", 5, 2**53, AmendCode.BAD_PRICE),
        ("A1-1", 5, None, AmendCode.BAD_PRICE),
        ("A1-1", 3, 1_000, AmendCode.TRADED),
        ("A1-1", 10_004, 1_000, AmendCode.FUNDS),
        ("A1-sold", 1_004, 1_200, AmendCode.POSITION),
        ("A1-post", 5, 1_100, AmendCode.WOULD_TAKE),
        ("A1-1", 10, 1_200, AmendCode.SELF_MATCH),
    ],
)
def test_an_amendment_that_cannot_be_is_refused_and_changes_nothing(
    name: str, quantity: int, price: int | None, expected: AmendCode
) -> None:
    paper = Paper(self_match=SelfMatch.REJECT)
    paper.place("A1-ended", BUY, 5, 900)
    paper.cancel("A1-ended")
    paper.place("A1-1", BUY, 10, 1_000)
    paper.place("B1-1", SELL, 3, 1_000)
    paper.place("A1-post", BUY, 5, 900, post_only=True)
    paper.place("B1-2", SELL, 5, 1_100)
    paper.place("A1-sold", SELL, 100, 1_200)
    before = (paper.book(), paper.held("A1"), dict(paper.account("A1").held_lots))
    assert unchanged(paper.amend(name, quantity, price)) is expected
    assert (paper.book(), paper.held("A1"), paper.account("A1").held_lots) == before


def test_an_amendment_without_an_account_is_turned_away() -> None:
    paper = Paper(logged_in=False)
    paper.on_session("A1", 1)
    paper.place("A1-1", BUY, 10, 1_000)
    paper.on(SessionOpened(session=5))
    assert unchanged(paper.amend("N1-1", 5, 1_000)) is AmendCode.UNKNOWN_ORDER


def test_questions_see_an_order_as_it_was_one_read_lag_ago() -> None:
    paper = Paper(read_lag_ns=1_000_000)
    paper.place("A1-1", BUY, 10, 1_000)
    paper.wait(2_000_000)
    paper.amend("A1-1", 4, 1_000)

    def told() -> list[int | None]:
        listed, found = (
            paper.ask(ListOpenOrders(query_id=1))[0],
            paper.ask(QueryOrder(query_id=2, client_order_id=ClientOrderId("A1-1")))[0],
        )
        assert isinstance(listed, OpenOrders)
        assert isinstance(found, OrderFound)
        return [listed.orders[0].order.quantity, found.quantity]

    assert told() == [10, 10]
    paper.wait(2_000_000)
    assert told() == [4, 4]


def at(price: int) -> PublicTrade:
    return PublicTrade(instrument_id=SHARE, price=Ticks(price), quantity=Lots(0), taker=None)


def test_a_stop_waits_outside_the_book_and_holds_what_it_may_need() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, None, stop_price=Ticks(1_050))
    paper.place("A1-2", SELL, 10, 940, stop_price=Ticks(950))
    paper.place("A1-3", SELL, 10, None, stop_price=Ticks(950), time_in_force=GTC)
    assert paper.book() == []
    assert paper.held("A1") == Decimal("105.00")
    assert paper.account("A1").held_lots[SHARE] == 20
    for number in (1, 2, 3):
        assert kinds(paper.cancel(f"A1-{number}")) == ["Canceled"]
    assert paper.held("A1") == 0
    assert paper.account("A1").held_lots[SHARE] == 0


@pytest.mark.parametrize(
    ("side", "quantity", "changes", "expected"),
    [
        (BUY, 1, {"stop_price": 0}, RejectCode.BAD_PRICE),
        (BUY, 1, {"trail": 5}, RejectCode.BAD_PRICE),
        (BUY, 1, {"stop_price": 100, "trail": 0}, RejectCode.BAD_PRICE),
        (BUY, 1, {"stop_price": 100, "post_only": True}, RejectCode.WOULD_TAKE),
        (BUY, 10_001, {"stop_price": 1_000}, RejectCode.FUNDS),
        (SELL, 1_001, {"stop_price": 1_000}, RejectCode.POSITION),
    ],
)
def test_a_stop_that_cannot_be_is_refused(
    side: Side, quantity: int, changes: dict[str, Any], expected: RejectCode
) -> None:
    (refused,) = Paper().place("A1-1", side, quantity, None, **changes)
    assert isinstance(refused, Rejected)
    assert refused.code is expected


def test_a_trade_between_two_accounts_triggers_a_stop_after_the_taker_is_done() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 5, 1_000)
    paper.place("A1-2", SELL, 5, 1_001)
    paper.place("U1-1", BUY, 3, None, stop_price=Ticks(1_000))
    paper.place("B1-1", BUY, 7, 1_001)
    assert fills(paper.place("B1-2", BUY, 1, 1_001)) == []
    record = paper.account("U1").records[3]
    assert [(one.fill.quantity, one.fill.price) for one in record.executions] == [(3, 1_001)]
    assert paper.sums() == ALL_THERE_IS


def test_a_public_trade_triggers_a_stop_limit_which_then_rests() -> None:
    paper = Paper()
    paper.place("A1-1", SELL, 5, 1_000, stop_price=Ticks(900))
    paper.market(at(901))
    assert paper.book() == []
    paper.market(at(900))
    assert paper.book() == [("sell", 1_000, 5)]
    paper.cancel("A1-1")
    assert paper.account("A1").held_lots[SHARE] == 0


def test_a_stop_that_is_reached_when_it_comes_is_triggered_at_once() -> None:
    paper = Paper()
    paper.market(at(1_000))
    offered(paper, bids=((990, 5),))
    assert kinds(paper.place("A1-1", SELL, 5, None, stop_price=Ticks(1_000))) == [
        "Accepted",
        "Filled",
    ]


def test_a_trailing_stop_that_comes_follows_the_last_price_at_once() -> None:
    paper = Paper()
    paper.market(at(1_000))
    paper.place("A1-1", SELL, 5, 900, stop_price=Ticks(950), trail=Ticks(10))
    (listed,) = paper.ask(ListOpenOrders(query_id=1))
    assert isinstance(listed, OpenOrders)
    assert [one.stop_price for one in listed.orders] == [990]
    paper.market(at(990))
    (listed,) = paper.ask(ListOpenOrders(query_id=1))
    assert isinstance(listed, OpenOrders)
    assert [one.stop_price for one in listed.orders] == [None]
    assert paper.book() == [("sell", 900, 5)]


def test_stops_trigger_stops_one_after_the_other() -> None:
    paper = Paper()
    offered(paper, bids=((1_000, 5), (990, 5), (980, 5)))
    paper.place("A1-1", SELL, 5, None, stop_price=Ticks(991))
    paper.place("A1-2", SELL, 5, None, stop_price=Ticks(999))
    paper.place("A1-3", SELL, 5, None, stop_price=Ticks(1_000))
    paper.place("U1-1", SELL, 5, 1_000)
    prices = [one.fill.price for one in paper.account("A1").executions]
    assert prices == [990, 980]
    number = paper.account("A1").numbers["A1-2"]
    assert paper.account("A1").records[number].status is OrderStatus.EXPIRED


def test_a_triggered_order_meets_no_order_of_its_owner() -> None:
    """I4"""
    paper = Paper(self_match=SelfMatch.REJECT)
    paper.place("A2-1", BUY, 5, 990)
    paper.place("A1-1", SELL, 5, None, stop_price=Ticks(950))
    paper.market(at(995))
    paper.place("A1-2", SELL, 5, None, stop_price=Ticks(996))
    assert paper.account("A1").records[3].status is OrderStatus.CANCELED
    assert paper.account("A1").records[3].cause is EndCause.SELF_MATCH
    assert paper.account("A1").held_lots[SHARE] == 5
    assert paper.exchange.state.executions == 0


def test_a_triggered_order_that_cannot_pay_is_canceled() -> None:
    paper = Paper()
    offered(paper, (2_000, 500))
    paper.place("A1-1", BUY, 90, None, stop_price=Ticks(1_000))
    paper.place("A1-2", BUY, 9_900, 1_000)
    paper.place("B1-1", SELL, 1, 1_000)
    assert paper.account("A1").records[2].status is OrderStatus.CANCELED
    assert paper.sums() == ALL_THERE_IS


def test_a_waiting_order_is_amended_where_it_waits() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 10, 1_000, stop_price=Ticks(950))
    assert kinds(paper.amend("A1-1", 20, 1_010)) == ["Amended"]
    assert paper.held("A1") == Decimal("202.00")
    assert kinds(paper.amend("A1-1", 5, 1_010)) == ["Amended"]
    assert unchanged(paper.amend("A1-1", 10_000, 1_010)) is AmendCode.FUNDS
    paper.market(at(950))
    assert paper.book() == [("buy", 1_010, 5)]
    assert paper.held("A1") == Decimal("50.50")


def test_open_orders_come_oldest_first_after_a_restore_too() -> None:
    paper = Paper()
    paper.place("B1-1", BUY, 1, 100)
    paper.place("A1-1", BUY, 1, 100)
    paper.place("B1-2", BUY, 1, 100)
    copy = Exchange.restore(paper.exchange.snapshot())
    effects = copy.on(Due(), Instant(paper.now_ns, NOON_NS + DAY_NS))
    ended = [one.message for one in effects if isinstance(one, ToSession)]
    names = [one.client_order_id for one in ended if isinstance(one, Expired)]
    assert names == ["B1-1", "A1-1", "B1-2"]
