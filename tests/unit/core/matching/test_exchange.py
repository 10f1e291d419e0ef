import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import (
    DAY_NS,
    DepthShown,
    Due,
    ExchangeEffect,
    ExchangeEvent,
    HaltEvent,
    MarketEvent,
    MarketEvents,
    PublicTrade,
    Requested,
    Restarted,
    SelfMatch,
    SessionClosed,
    SessionOpened,
    SyntheticBook,
    SyntheticMarket,
    TradingHalted,
    TradingResumed,
)
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, Lots, Ticks, VenueId
from tandem.domain.instant import Instant
from tandem.domain.limits import Session
from tandem.domain.order import Order, OrderStatus, Side, TimeInForce
from tandem.domain.reports import Expired, RejectCode, Rejected
from tandem.domain.venue import (
    AmendOrder,
    AskBalances,
    AskTime,
    CancelCode,
    CancelOrder,
    CancelRejected,
    ListExecutions,
    ListOpenOrders,
    LoggedIn,
    Login,
    LoginRefused,
    Misbehave,
    Misbehavior,
    OrderFound,
    PlaceOrder,
    QueryOrder,
    Quote,
    VenueRequest,
    VenueTime,
)
from tests.unit.core.matching.paper import (
    ALL_THERE_IS,
    BOOT_NS,
    BUY,
    COIN,
    DAY,
    GTC,
    NOON_NS,
    SELL,
    SESSIONS,
    SHARE,
    Paper,
    closed,
    kinds,
    order,
    quoted,
    settings,
    told,
)

MS = 1_000_000
SECOND_NS = 1_000 * MS
SYNTHETIC = SyntheticMarket(
    books=(
        SyntheticBook(
            instrument_id=SHARE, reference=Ticks(100), stride=Ticks(1), depth=Lots(20), levels=3
        ),
    )
)


def test_a_login_tells_the_venue_and_its_time() -> None:
    paper = Paper(logged_in=False)
    (answer,) = paper.on_session("A1", 1)
    assert answer == LoggedIn(
        venue_id=VenueId("paper"),
        account_id=AccountId("A1"),
        venue_at_ns=NOON_NS + paper.now_ns,
    )


@pytest.mark.parametrize(("name", "secret"), [("A1", "wrong"), ("A1", ""), ("Z9", "z9")])
def test_a_wrong_login_is_refused_and_the_session_closed(name: str, secret: str) -> None:
    """It can ask nothing more."""
    paper = Paper(logged_in=False)
    paper.on(SessionOpened(session=1))
    login = Login(account_id=AccountId(name), secret=secret)
    effects = paper.on(Requested(session=1, request=login))
    assert [type(one) for one in told(effects, 1)] == [LoginRefused]
    assert closed(effects) == [1]
    assert paper.ask(AskTime(query_id=1)) == []


def test_a_session_for_market_data_gets_quotes_and_no_account() -> None:
    paper = Paper()
    paper.on(SessionOpened(session=50))
    assert kinds(paper.ask(Login(account_id=None, secret=""), 50)) == ["LoggedIn"]
    paper.place("A1-1", BUY, 1, 100)
    (message,) = quoted(paper.wait(200 * MS), 50)
    assert message.quotes == (Quote(instrument_id=SHARE, bid=Ticks(100), ask=None, last=None),)
    refused = paper.ask(PlaceOrder(order=order("x", BUY, 1, 100)), 50)
    assert isinstance(refused[0], Rejected)
    assert refused[0].code is RejectCode.NOT_LOGGED_IN


def test_a_second_login_on_a_session_moves_it_to_the_other_account() -> None:
    paper = Paper()
    paper.log_in("B1", 1)
    assert paper.account("A1").sessions == []
    assert sorted(paper.account("B1").sessions) == [1, 3]


def test_before_a_login_only_the_time_is_told() -> None:
    paper = Paper(logged_in=False)
    paper.on(SessionOpened(session=1))
    assert kinds(paper.ask(AskTime(query_id=1))) == ["VenueTime"]
    for request in (
        QueryOrder(query_id=1, client_order_id=ClientOrderId("x")),
        ListOpenOrders(query_id=1),
        ListExecutions(query_id=1, cursor=0),
        AskBalances(query_id=1),
    ):
        assert paper.ask(request) == []
    (refused,) = paper.ask(CancelOrder(client_order_id=ClientOrderId("x")))
    assert isinstance(refused, CancelRejected)
    assert refused.code is CancelCode.UNKNOWN_ORDER


def test_a_session_that_was_never_opened_gets_nothing() -> None:
    paper = Paper(logged_in=False)
    assert paper.on(Requested(session=9, request=AskTime(query_id=1))) == []
    assert paper.on(SessionClosed(session=9)) == []


def test_a_session_number_that_opens_again_is_a_new_connection() -> None:
    paper = Paper()
    paper.on(SessionOpened(session=1))
    assert paper.account("A1").sessions == []
    assert paper.ask(AskBalances(query_id=1)) == []


def test_quotes_that_changed_are_pushed_at_most_every_so_often() -> None:
    paper = Paper(quotes_every_ns=200 * MS)
    paper.wait(SECOND_NS)
    pushed = 0
    for number in range(100):
        paper.place(f"A1-{number}", BUY, 1, 100 + number)
        pushed += len(quoted(paper.wait(10 * MS), 3))
    assert pushed in (5, 6)
    paper.wait(SECOND_NS)
    assert paper.exchange.state.markets[SHARE].quoted.bid == 199
    assert quoted(paper.wait(SECOND_NS), 3) == []


def test_a_quote_that_is_as_it_was_is_not_pushed() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 1, 100)
    paper.wait(SECOND_NS)
    paper.place("A1-2", BUY, 1, 99)
    assert quoted(paper.wait(SECOND_NS), 3) == []


def test_a_new_session_gets_the_quotes_that_the_others_have() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 1, 100)
    paper.wait(SECOND_NS)
    paper.on(SessionOpened(session=60))
    login = Login(account_id=None, secret="")
    (message,) = quoted(paper.on(Requested(session=60, request=login)), 60)
    assert [one.instrument_id for one in message.quotes] == [SHARE]


def test_day_orders_end_with_the_day_and_others_stay() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 1, 100, time_in_force=DAY)
    paper.place("A1-2", BUY, 1, 100, time_in_force=GTC)
    messages = told(paper.wait(12 * 3_600 * SECOND_NS), 1)
    assert [one.client_order_id for one in messages if isinstance(one, Expired)] == ["A1-1"]
    assert paper.book() == [("buy", 100, 1)]
    assert paper.exchange.state.day_ends_at_ns % DAY_NS == 0


def test_the_day_may_end_at_another_hour_and_ends_again_the_next_day() -> None:
    paper = Paper(day_ends_at_ns=20 * 3_600 * SECOND_NS)
    for number in range(3):
        paper.place(f"A1-{number}", BUY, 1, 100)
        assert len(told(paper.wait(DAY_NS), 1)) == 1
    assert (paper.exchange.state.day_ends_at_ns - 20 * 3_600 * SECOND_NS) % DAY_NS == 0


def test_a_replay_that_begins_in_another_year_has_its_own_days() -> None:
    exchange = Exchange(settings())
    exchange.on(Restarted(), Instant(0, 500 * DAY_NS))
    exchange.on(Due(), Instant(1, 10 * DAY_NS + 5))
    assert exchange.state.day_ends_at_ns == 11 * DAY_NS
    exchange.on(Due(), Instant(2, 30 * DAY_NS))
    assert exchange.state.day_ends_at_ns == 31 * DAY_NS


def test_server_time_is_utc_at_the_start_and_steady_from_then_on() -> None:
    """A step of UTC moves no request's expiry."""
    exchange = Exchange(settings())
    exchange.on(SessionOpened(session=1), Instant(500, 10_000))
    request = Requested(session=1, request=AskTime(query_id=1))
    (answer,) = told(exchange.on(request, Instant(600, 99_000)), 1)
    assert answer == VenueTime(query_id=1, venue_at_ns=10_100)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Instant(2_000, 10), 11_500),  # the process alone: the epoch stays
        (Instant(5, 50_000), 50_000),  # the machine: a new epoch, from UTC
        (Instant(5, 10), 11_000),  # the machine, and UTC went back: never back
    ],
)
def test_server_time_never_goes_back_when_process_or_machine_start_again(
    now: Instant, expected: int
) -> None:
    exchange = Exchange(settings())
    exchange.on(SessionOpened(session=1), Instant(500, 10_000))
    exchange.on(Due(), Instant(1_500, 11_000))
    exchange.on(Restarted(), now)
    assert exchange.state.at_ns == expected
    exchange.on(Due(), Instant(now.now_ns + 1, now.market_ns))
    assert exchange.state.at_ns == expected + 1


def test_server_time_stands_still_while_the_clock_is_behind() -> None:
    exchange = Exchange(settings())
    exchange.on(SessionOpened(session=1), Instant(500, 10_000))
    exchange.on(Due(), Instant(400, 9_000))
    assert exchange.state.at_ns == 10_000


def test_a_restart_closes_sessions_and_keeps_orders_and_money() -> None:
    paper = Paper()
    paper.place("A1-1", BUY, 1, 100)
    paper.misbehave(delay_report=1.0, delay_ns_max=SECOND_NS)
    paper.place("A1-2", BUY, 1, 100)
    paper.on(Restarted())
    assert paper.exchange.state.sessions == {}
    assert paper.exchange.state.parcels == []
    assert paper.book() == [("buy", 100, 1), ("buy", 100, 1)]
    paper.misbehave()
    paper.on_session("A1", 70)
    request = QueryOrder(query_id=1, client_order_id=ClientOrderId("A1-2"))
    paper.on(Requested(session=70, request=Misbehave(misbehavior=Misbehavior(), seed=1)))
    (answer,) = paper.ask(request, 70)
    assert isinstance(answer, OrderFound)
    assert answer.status is OrderStatus.NEW


def test_nothing_is_wanted_before_the_first_event() -> None:
    exchange = Exchange(settings(synthetic=SYNTHETIC))
    assert exchange.next_due_ns is None
    exchange.on(Restarted(), Instant(7, 7))
    assert exchange.next_due_ns == 7


def test_an_idle_exchange_wants_nothing_but_the_end_of_the_day() -> None:
    paper = Paper()
    assert paper.exchange.next_due_ns == paper.now_ns + DAY_NS - (NOON_NS + paper.now_ns) % DAY_NS


def test_a_control_that_is_not_open_is_not_obeyed() -> None:
    paper = Paper(misbehavior_open=False)
    paper.misbehave(lose_request=1.0)
    assert kinds(paper.place("A1-1", BUY, 1, 100)) == ["Accepted"]


def test_a_lost_request_does_nothing() -> None:
    paper = Paper()
    paper.misbehave(lose_request=1.0)
    assert paper.place("A1-1", BUY, 1, 100) == []
    assert paper.ask(AskTime(query_id=1)) == []
    assert paper.book() == []


def test_a_refusal_for_no_reason_is_definite_and_true() -> None:
    paper = Paper()
    paper.misbehave(reject=1.0)
    (refused,) = paper.place("A1-1", BUY, 1, 100)
    assert isinstance(refused, Rejected)
    assert refused.code is RejectCode.CLOSED
    assert paper.book() == []


def test_an_unclear_refusal_may_hide_an_order_that_lives() -> None:
    """F13: of many, some live and some do not, and all say the same."""
    paper = Paper()
    paper.misbehave(unclear=1.0)
    codes = []
    for number in range(100):
        for one in paper.place(f"A1-{number}", BUY, 1, 100):
            assert isinstance(one, Rejected)
            codes.append(one.code)
    assert codes == [RejectCode.BUSY] * 100
    assert 30 < len(paper.book()) < 70
    (refused,) = paper.place("A1-bad", BUY, 0, 100)
    assert isinstance(refused, Rejected)
    assert refused.code is RejectCode.BUSY


NAMES = st.sampled_from(["A1", "A2", "B1", "U1", "N1"])
IDS = st.sampled_from([ClientOrderId(one) for one in ("a", "b", "c", "d", "e", "")])
NUMBERS = st.integers(-3, 12) | st.sampled_from([2**53, 2**63 - 1, -(2**63)])
ORDERS = st.builds(
    Order,
    client_order_id=IDS,
    instrument_id=st.sampled_from([SHARE, COIN, InstrumentId("none")]),
    side=st.sampled_from(Side),
    quantity=NUMBERS.map(Lots),
    limit_price=st.none() | st.integers(95, 105).map(Ticks) | NUMBERS.map(Ticks),
    time_in_force=st.sampled_from(TimeInForce),
    post_only=st.booleans(),
    expires_at_ns=st.none() | st.sampled_from([0, NOON_NS * 2]),
    stop_price=st.none() | st.integers(95, 105).map(Ticks) | NUMBERS.map(Ticks),
    trail=st.none() | NUMBERS.map(Ticks),
    good_till_ns=st.none() | st.sampled_from([0, NOON_NS + 3 * SECOND_NS, NOON_NS * 2]),
    reduce_only=st.booleans(),
)
CHANCES = st.sampled_from([0.0, 0.0, 0.3, 1.0, -1.0, float("nan"), float("inf")])
REQUESTS: st.SearchStrategy[VenueRequest] = st.one_of(
    st.builds(PlaceOrder, order=ORDERS),
    st.builds(CancelOrder, client_order_id=IDS),
    st.builds(
        AmendOrder,
        client_order_id=IDS,
        quantity=NUMBERS.map(Lots),
        limit_price=st.none() | st.integers(95, 105).map(Ticks) | NUMBERS.map(Ticks),
    ),
    st.builds(Login, account_id=st.none() | NAMES.map(AccountId), secret=NAMES.map(str.lower)),
    st.builds(QueryOrder, query_id=NUMBERS, client_order_id=IDS),
    st.builds(ListOpenOrders, query_id=NUMBERS, cursor=NUMBERS, most=st.none() | NUMBERS),
    st.builds(
        ListExecutions,
        query_id=NUMBERS,
        cursor=st.none() | NUMBERS,
        most=st.none() | NUMBERS,
    ),
    st.builds(AskBalances, query_id=NUMBERS),
    st.builds(AskTime, query_id=NUMBERS),
    st.builds(
        Misbehave,
        misbehavior=st.builds(
            Misbehavior,
            lose_report=CHANCES,
            repeat_report=CHANCES,
            delay_report=CHANCES,
            contradict=CHANCES,
            reject=st.sampled_from([0.0, 0.1]),
            cancel_unasked=CHANCES,
            unclear=st.sampled_from([0.0, 0.2]),
            delay_ns_max=NUMBERS,
            read_lag_ns=NUMBERS,
            skew_ns=NUMBERS,
        ),
        seed=st.integers(-(2**63), 2**63 - 1),
    ),
)
LEVELS = st.tuples(st.tuples(st.integers(95, 105).map(Ticks), st.integers(0, 9).map(Lots)))
MARKET: st.SearchStrategy[MarketEvent | HaltEvent] = st.one_of(
    st.builds(
        DepthShown, instrument_id=st.just(SHARE), bids=LEVELS, asks=LEVELS, is_whole=st.booleans()
    ),
    st.builds(
        PublicTrade,
        instrument_id=st.just(SHARE),
        price=st.integers(95, 105).map(Ticks),
        quantity=st.integers(0, 9).map(Lots),
        taker=st.none() | st.sampled_from(Side),
    ),
    st.builds(TradingHalted, instrument_id=st.just(SHARE)),
    st.builds(TradingResumed, instrument_id=st.sampled_from([SHARE, COIN, InstrumentId("none")])),
)
SESSION = st.integers(1, 7)
EVENTS: st.SearchStrategy[ExchangeEvent] = st.one_of(
    st.builds(Requested, session=SESSION, request=REQUESTS),
    st.builds(Requested, session=SESSION, request=st.builds(PlaceOrder, order=ORDERS)),
    st.builds(MarketEvents, events=st.tuples(MARKET)),
    st.builds(SessionOpened, session=SESSION),
    st.builds(SessionClosed, session=SESSION),
    st.just(Due()),
    st.just(Restarted()),
)
STEPS = st.lists(
    st.tuples(EVENTS, st.sampled_from([0, 1_000, 50 * MS, SECOND_NS, DAY_NS])), max_size=25
)


SESSIONS_KEPT = (
    Session(begin_ns=NOON_NS, end_ns=NOON_NS + 5 * SECOND_NS),
    Session(begin_ns=NOON_NS + 6 * SECOND_NS, end_ns=NOON_NS + DAY_NS),
)


@given(st.sampled_from(SelfMatch), st.booleans(), st.booleans(), STEPS)
def test_any_events_in_any_order_are_answered_encodable_replayable_and_conserve_everything(
    mode: SelfMatch, is_synthetic: bool, has_sessions: bool, steps: list[tuple[ExchangeEvent, int]]
) -> None:
    """I5, I6, I11, over everything a session can say and a market can do."""
    paper = Paper(
        self_match=mode,
        synthetic=SYNTHETIC if is_synthetic else None,
        sessions=SESSIONS_KEPT if has_sessions else (),
    )
    start = paper.exchange.snapshot()
    record: list[tuple[ExchangeEvent, int, bytes]] = []
    for event, after_ns in steps:
        effects = paper.on(event, after_ns=after_ns)
        record.append((event, paper.now_ns, msgspec.msgpack.encode(effects)))
        assert paper.sums() == ALL_THERE_IS
        for one in paper.exchange.state.accounts:
            assert one.cash["USD"] >= one.held.get("USD", 0) >= 0
            for key, lots in one.held_lots.items():
                assert one.settings.may_short or one.positions[key] >= lots >= 0
        due_ns = paper.exchange.next_due_ns
        assert due_ns is not None or has_sessions
    _assert_replayed(start, record, paper.exchange.snapshot())


def _assert_replayed(
    start: bytes, record: list[tuple[ExchangeEvent, int, bytes]], end: bytes
) -> None:
    """Replay with a restore after every event: effects and states are equal byte for byte."""
    exchange = Exchange.restore(start)
    for event, now_ns, expected in record:
        effects: list[ExchangeEffect] = exchange.on(event, Instant(now_ns, NOON_NS + now_ns))
        assert msgspec.msgpack.encode(effects) == expected
        copy = exchange.snapshot()
        exchange = Exchange.restore(copy)
        assert exchange.snapshot() == copy
    assert exchange.snapshot() == end


def test_a_long_day_with_a_market_is_replayed_to_the_same_bytes() -> None:
    paper = Paper(synthetic=SYNTHETIC, latency_ns_min=MS, latency_ns_max=3 * MS)
    other = Paper(synthetic=SYNTHETIC, latency_ns_min=MS, latency_ns_max=3 * MS)
    for one in (paper, other):
        for number in range(300):
            name = list(SESSIONS)[number % len(SESSIONS)]
            side = BUY if number % 3 else SELL
            one.place(f"{name}-{number}", side, 1 + number % 7, 95 + number % 11)
            one.wait(20 * MS)
    end = paper.exchange.snapshot()
    assert end == other.exchange.snapshot() == Exchange.restore(end).snapshot()
    assert paper.exchange.state.executions > 100
    assert paper.sums() == ALL_THERE_IS
    assert paper.now_ns > BOOT_NS
