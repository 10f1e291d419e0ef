"""Splits and dividends at the paper exchange."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.corporate import KEPT, PAUSE_NS
from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import (
    DepthShown,
    PublicTrade,
    Restarted,
    SyntheticBook,
    SyntheticMarket,
)
from tandem.domain.ids import ActionId, InstrumentId, Lots, Ticks
from tandem.domain.limits import LOTS_MAX, Session
from tandem.domain.order import OrderStatus
from tandem.domain.reports import Canceled, EndCause, RejectCode
from tandem.domain.venue import (
    AskBalances,
    Balances,
    CorporateActed,
    CorporateAction,
    OrderFound,
    QueryOrder,
    VenueMessage,
)
from tests.unit.core.matching.paper import (
    ALL_THERE_IS,
    BUY,
    COIN,
    GTC,
    NOON_NS,
    SELL,
    SHARE,
    Paper,
    account,
    kinds,
    quoted,
)

SYNTHETIC = SyntheticMarket(
    books=(
        SyntheticBook(
            instrument_id=SHARE, reference=Ticks(1_000), stride=Ticks(10), depth=Lots(50)
        ),
    )
)


def trade_at(price: int) -> PublicTrade:
    return PublicTrade(instrument_id=SHARE, price=Ticks(price), quantity=Lots(1), taker=None)


def split(paper: Paper, new: int, old: int, session: int = 1, **rest: Any) -> list[VenueMessage]:
    asked = CorporateAction(instrument_id=SHARE, numerator=new, denominator=old, **rest)
    return paper.ask(asked, session)


def dividend(paper: Paper, amount: str, session: int = 1) -> list[VenueMessage]:
    return paper.ask(CorporateAction(instrument_id=SHARE, dividend=Decimal(amount)), session)


def balances(paper: Paper, session: int = 1) -> Balances:
    (told,) = paper.ask(AskBalances(query_id=9), session)
    assert isinstance(told, Balances)
    return told


def market_of(paper: Paper) -> Any:
    return paper.exchange.state.markets[SHARE]


def test_a_split_changes_every_position_and_the_price_and_nothing_is_made() -> None:
    """A29: two new for one old."""
    paper = Paper()
    paper.market(trade_at(1_001))
    told = split(paper, 2, 1)
    assert told[-1] == CorporateActed(
        action_id=ActionId("paper-C1"), text="5 accounts were adjusted"
    )
    assert [paper.shares(one) for one in ("A1", "B1", "N1")] == [2_000] * 3
    assert (market_of(paper).last, market_of(paper).splits) == (500, 1)
    assert paper.sums() == ALL_THERE_IS


def test_the_candle_of_the_minute_of_a_split_is_of_the_scale_after_it() -> None:
    """A29, B8."""
    paper = Paper()
    paper.market(trade_at(1_001))
    split(paper, 2, 1)
    candle = paper.exchange.state.candles.open[SHARE]
    assert (candle.open, candle.high, candle.low, candle.close, candle.volume) == (500,) * 4 + (2,)


def test_open_orders_end_with_the_cause_and_for_a_while_no_new_one_is_taken() -> None:
    """A29: an order of the old scale would trade at twice its worth."""
    paper = Paper()
    paper.market(trade_at(1_000))
    paper.place("A1-1", BUY, 5, 900, time_in_force=GTC)
    paper.place("A1-2", SELL, 5, 800, stop_price=Ticks(900), time_in_force=GTC)
    paper.place("A1-3", BUY, 1, 1, instrument_id=COIN)
    told = split(paper, 2, 1)
    ended = [one for one in told if isinstance(one, Canceled)]
    assert [(one.client_order_id, one.cause) for one in ended] == [
        ("A1-1", EndCause.SPLIT),
        ("A1-2", EndCause.SPLIT),
    ]
    (found,) = paper.ask(QueryOrder(query_id=1, client_order_id=ended[0].client_order_id))
    assert isinstance(found, OrderFound)
    assert (found.status, found.cause) == (OrderStatus.CANCELED, EndCause.SPLIT)
    assert paper.account("A1").held["USD"] == Decimal("1E-10")
    assert not paper.account("A1").held_lots[SHARE]
    (refused,) = paper.place("A1-4", SELL, 5, 400)
    assert refused.code is RejectCode.CLOSED  # type: ignore[union-attr]
    paper.wait(PAUSE_NS)
    assert kinds(paper.place("A1-5", SELL, 5, 400)) == ["Accepted"]


def test_what_makes_no_whole_lot_is_paid_in_money_and_owed_by_who_is_short() -> None:
    """A29: one new for three old, at the price of after it."""
    short = account("N1", "ned", may_short=True, positions={SHARE: -100})
    paper = Paper(accounts=(account("A1", "ann", positions={SHARE: 100}), short))
    paper.market(trade_at(900))
    split(paper, 1, 3)
    assert (paper.shares("A1"), paper.shares("N1")) == (33, -33)
    assert market_of(paper).last == 2_700
    # A third of a new one at 27.
    assert (paper.cash("A1"), paper.cash("N1")) == (Decimal(100_009), Decimal(99_991))


def test_a_dividend_is_paid_to_holders_and_owed_by_who_is_short_and_orders_stay() -> None:
    """A30."""
    short = account("N1", "ned", may_short=True, positions={SHARE: -100})
    flat = account("B1", "bob", positions={})
    paper = Paper(accounts=(account("A1", "ann"), short, flat), logged_in=False)
    paper.on_session("A1", 1)
    paper.place("A1-1", BUY, 5, 900, time_in_force=GTC)
    told = dividend(paper, "0.25")
    assert told[-1] == CorporateActed(
        action_id=ActionId("paper-C1"), text="2 accounts were adjusted"
    )
    assert (paper.cash("A1"), paper.cash("N1")) == (Decimal(100_250), Decimal(99_975))
    assert paper.account("B1").adjusted == []
    assert len(paper.book()) == 1
    assert paper.exchange.state.resumes_ns == {}


def test_every_session_of_an_account_is_told_its_balances_with_what_was_done() -> None:
    """A29: unasked, with the words that explain them, and again to whoever asks."""
    paper = Paper()
    paper.market(trade_at(1_000))
    pushed = split(paper, 2, 1, session=2)[0]
    assert isinstance(pushed, Balances)
    assert (pushed.query_id, pushed.positions[SHARE], pushed.splits) == (0, 2_000, {SHARE: 1})
    (one,) = pushed.adjusted
    assert (one.numerator, one.denominator, one.lots, one.cash) == (2, 1, 1_000, Decimal(0))
    assert balances(paper, 3).adjusted[0].action_id == one.action_id


def test_balances_of_a_while_ago_know_nothing_of_what_came_since() -> None:
    """They agree with themselves: position, money, actions and number of splits."""
    paper = Paper(read_lag_ns=1_000_000)
    paper.market(trade_at(1_000))
    split(paper, 2, 1)
    dividend(paper, "1")
    before = balances(paper)
    assert (before.positions[SHARE], before.cash["USD"]) == (1_000, Decimal(100_000))
    assert (before.adjusted, before.splits) == ((), {})
    paper.wait(2_000_000)
    after = balances(paper)
    assert (after.positions[SHARE], after.cash["USD"]) == (2_000, Decimal(102_000))
    assert len(after.adjusted) == 2


def test_balances_of_a_while_ago_hold_no_money_that_a_dividend_brought_since() -> None:
    poor = account("A1", "ann", cash={})
    paper = Paper(accounts=(poor,), logged_in=False, read_lag_ns=1_000_000)
    paper.on_session("A1", 1)
    dividend(paper, "1")
    assert balances(paper).cash == {}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (CorporateAction(instrument_id=InstrumentId("no")), "no is not listed here"),
        (
            CorporateAction(instrument_id=SHARE, numerator=0),
            "ratio 0:1: expected numbers from 1 to 10000",
        ),
        (
            CorporateAction(instrument_id=SHARE, numerator=3, denominator=10_001),
            "ratio 3:10001: expected numbers from 1 to 10000",
        ),
        (
            CorporateAction(instrument_id=SHARE, dividend=Decimal("NaN")),
            "dividend NaN: expected 0 to 1000000000000000",
        ),
        (CorporateAction(instrument_id=SHARE), "expected a split or a dividend, one of them"),
        (
            CorporateAction(instrument_id=SHARE, numerator=2, dividend=Decimal(1)),
            "expected a split or a dividend, one of them",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_expected(
    asked: CorporateAction, text: str
) -> None:
    paper = Paper()
    before = paper.exchange.snapshot()
    (told,) = paper.ask(asked)
    assert told == CorporateActed(action_id=None, text=text)
    assert Exchange.restore(before).state.accounts == paper.exchange.state.accounts


def test_nobody_comes_to_hold_more_than_can_be_counted() -> None:
    paper = Paper(accounts=(account("A1", "ann", positions={SHARE: 2**50}),), logged_in=False)
    paper.on_session("A1", 1)
    (told,) = split(paper, 100, 1)
    assert isinstance(told, CorporateActed)
    assert told.text.startswith("ratio 100:1: an account would hold more than")


def test_whoever_is_not_logged_in_to_an_account_splits_nothing() -> None:
    paper = Paper(logged_in=False)
    assert split(paper, 2, 1) == []


def test_only_the_latest_actions_are_told() -> None:
    paper = Paper()
    for _ in range(KEPT + 3):
        dividend(paper, "0.01")
    told = balances(paper)
    assert len(told.adjusted) == KEPT
    assert told.adjusted[-1].action_id == f"paper-C{KEPT + 3}"


def test_the_synthetic_market_goes_on_at_the_new_price() -> None:
    """A29: quotes say how many splits they are after."""
    paper = Paper(synthetic=SYNTHETIC)
    paper.wait(2_000_000_000)
    split(paper, 2, 1)
    assert paper.book() == []
    effects = paper.wait(PAUSE_NS + 2_000_000_000)
    prices = [price for _, price, _ in paper.book()]
    assert all(400 < price < 600 for price in prices)
    assert len(prices) == 10
    last = quoted(effects, 1)[-1].quotes[-1]
    assert last.splits == 1


def test_a_dividend_lowers_the_synthetic_price_by_itself() -> None:
    paper = Paper(synthetic=SYNTHETIC)
    paper.wait(1_000_000_000)
    before = market_of(paper).center
    dividend(paper, "0.505")
    assert market_of(paper).center == before - 50
    assert market_of(paper).plan.reference == 950


def test_what_a_feed_displays_in_the_pause_is_there_when_it_is_over() -> None:
    paper = Paper()
    split(paper, 2, 1)
    shown = DepthShown(
        instrument_id=SHARE,
        bids=((Ticks(499), Lots(5)),),
        asks=((Ticks(501), Lots(5)),),
        is_whole=True,
    )
    paper.market(shown)
    assert paper.book() == []
    paper.wait(PAUSE_NS)
    assert paper.book() == [("buy", 499, 5), ("sell", 501, 5)]


def test_a_second_split_in_the_pause_makes_it_longer_and_a_feed_s_word_ends_it() -> None:
    paper = Paper()
    split(paper, 2, 1)
    paper.wait(PAUSE_NS // 2)
    split(paper, 2, 1)
    paper.wait(PAUSE_NS - 1_000_000)
    assert paper.exchange.state.is_still(SHARE)
    paper.resume()
    assert not paper.exchange.state.is_still(SHARE)
    paper.halt()
    split(paper, 2, 1)
    paper.wait(2 * PAUSE_NS)
    assert paper.exchange.state.is_still(SHARE)


def test_a_pause_begins_anew_with_the_process() -> None:
    """Whatever its clock says then."""
    paper = Paper()
    split(paper, 2, 1)
    paper.wait(PAUSE_NS - 1_000_000)
    paper.now_ns = 0
    paper.on(Restarted())
    paper.wait(PAUSE_NS - 1_000_000)
    assert paper.exchange.state.is_still(SHARE)
    paper.wait(1_000_000)
    assert not paper.exchange.state.is_still(SHARE)


def test_a_pause_that_ends_between_two_sessions_lets_nothing_trade_before_the_next() -> None:
    begins_ns = NOON_NS + 60_000_000_000
    open_ns = NOON_NS + 4_000_000_000
    sessions = (
        Session(begin_ns=NOON_NS, end_ns=open_ns),
        Session(begin_ns=begins_ns, end_ns=begins_ns + 10**9),
    )
    paper = Paper(sessions=sessions)
    split(paper, 2, 1)
    paper.wait(PAUSE_NS)
    assert paper.exchange.state.resumes_ns == {}
    assert paper.exchange.state.is_still(SHARE)
    paper.wait(begins_ns + 1 - NOON_NS - paper.now_ns)
    assert not paper.exchange.state.is_still(SHARE)


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=8
    ),
    st.lists(st.integers(-500, 500), min_size=2, max_size=4),
)
def test_nothing_is_made_or_lost_and_what_is_told_sums_to_what_is_held(
    actions: list[tuple[int, int, int]], held: list[int]
) -> None:
    """A29: a law for all holdings, ratios and amounts."""
    accounts = tuple(
        account(f"X{n}", f"x{n}", may_short=True, positions={SHARE: lots, COIN: 0})
        for n, lots in enumerate(held)
    )
    paper = Paper(accounts=accounts, logged_in=False)
    paper.on_session("X0", 1)
    paper.market(trade_at(997))
    sums = paper.sums()
    for new, old, cents in actions:
        if new != old:
            split(paper, new, old)
        elif cents:
            dividend(paper, f"0.0{cents}")
    assert paper.sums() == sums
    told = balances(paper)
    assert told.positions.get(SHARE, 0) == held[0] + sum(one.lots for one in told.adjusted)
    assert told.cash["USD"] == 100_000 + sum(one.cash for one in told.adjusted)
    again = Exchange.restore(paper.exchange.snapshot())
    assert again.snapshot() == paper.exchange.snapshot()


@pytest.mark.parametrize("ratio", [(1, 10_000), (10_000, 1)])
def test_however_often_it_is_split_everything_can_still_be_counted(ratio: tuple[int, int]) -> None:
    """Whoever has an account may ask for it; nothing outgrows its number."""
    owner = account("A1", "ann", positions={})
    paper = Paper(accounts=(owner,), logged_in=False, synthetic=SYNTHETIC)
    paper.on_session("A1", 1)
    paper.wait(2_000_000_000)
    for _ in range(9):
        split(paper, *ratio)
        paper.wait(PAUSE_NS + 2_000_000_000)
    again = Exchange.restore(paper.exchange.snapshot())
    assert again.snapshot() == paper.exchange.snapshot()
    assert 1 <= market_of(paper).center <= LOTS_MAX
