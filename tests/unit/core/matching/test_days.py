import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.days import next_begin_ns, session_at
from tandem.core.matching.exchange import Exchange
from tandem.domain.exchange import Due
from tandem.domain.ids import MarketId
from tandem.domain.instant import Instant
from tandem.domain.limits import Session
from tandem.domain.order import TimeInForce
from tandem.domain.reports import Expired, RejectCode
from tandem.domain.venue import AmendCode
from tests.unit.core.matching.paper import (
    BOOT_NS,
    BUY,
    COIN,
    GTC,
    NOON_NS,
    SELL,
    SHARE,
    Paper,
    instrument,
    kinds,
    settings,
    told,
)
from tests.unit.core.matching.test_admission import code
from tests.unit.core.matching.test_floor import fills, offered, unchanged

SECOND_NS = 1_000_000_000
BEGIN_NS = NOON_NS + BOOT_NS
GTD = TimeInForce.GOOD_TILL_DATE
MORNING = Session(begin_ns=BEGIN_NS, end_ns=BEGIN_NS + 10 * SECOND_NS)
EVENING = Session(begin_ns=BEGIN_NS + 20 * SECOND_NS, end_ns=BEGIN_NS + 30 * SECOND_NS)


def expired(paper: Paper, duration_ns: int, session: int = 1) -> list[str]:
    messages = told(paper.wait(duration_ns), session)
    return [one.client_order_id for one in messages if isinstance(one, Expired)]


def test_a_dated_order_ends_at_its_moment_by_itself() -> None:
    paper = Paper()
    till_ns = BEGIN_NS + 5 * SECOND_NS
    paper.place("A1-1", BUY, 1, 100, time_in_force=GTD, good_till_ns=till_ns)
    paper.place("A1-2", BUY, 1, None, time_in_force=GTD, good_till_ns=till_ns, stop_price=900)
    assert expired(paper, 4 * SECOND_NS) == []
    assert expired(paper, 2 * SECOND_NS) == ["A1-1", "A1-2"]
    assert paper.book() == []
    assert paper.held("A1") == 0


@pytest.mark.parametrize("till_ns", [None, 0, NOON_NS])
def test_a_date_that_is_past_or_missing_is_refused(till_ns: int | None) -> None:
    paper = Paper()
    refused = paper.place("A1-1", BUY, 1, 100, time_in_force=GTD, good_till_ns=till_ns)
    assert code(refused) is RejectCode.BAD_DATE


def test_outside_of_sessions_orders_are_refused_and_cancels_go_on() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.place("A1-1", BUY, 5, 100, time_in_force=GTC)
    paper.wait(11 * SECOND_NS)
    assert code(paper.place("A1-2", BUY, 1, 100)) is RejectCode.CLOSED
    assert unchanged(paper.amend("A1-1", 6, 100)) is AmendCode.CLOSED
    assert kinds(paper.amend("A1-1", 4, 100)) == ["Amended"]
    assert kinds(paper.cancel("A1-1")) == ["Canceled"]
    paper.wait(10 * SECOND_NS)
    assert kinds(paper.place("A1-2", BUY, 1, 100)) == ["Accepted"]


def test_day_orders_end_with_the_session_and_others_stay() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.place("A1-1", BUY, 1, 100)
    paper.place("A1-2", BUY, 1, 100, time_in_force=GTC)
    assert expired(paper, 9 * SECOND_NS) == []
    assert expired(paper, 2 * SECOND_NS) == ["A1-1"]
    paper.wait(10 * SECOND_NS)
    paper.place("A1-3", BUY, 1, 100)
    assert expired(paper, 10 * SECOND_NS) == ["A1-3"]
    assert paper.book() == [("buy", 100, 1)]


def test_a_jump_from_one_session_into_another_ends_the_day_orders_of_the_first() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.place("A1-1", BUY, 1, 100)
    effects = paper.on(Due(), after_ns=21 * SECOND_NS)
    assert kinds(told(effects, 1)) == ["Expired"]
    assert kinds(paper.place("A1-2", BUY, 1, 100)) == ["Accepted"]


def test_nothing_trades_between_sessions_and_what_was_shown_meanwhile_is_there_after() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.place("A1-1", BUY, 5, 100, time_in_force=GTC)
    paper.wait(11 * SECOND_NS)
    offered(paper, (99, 3), (101, 4))
    assert paper.book() == [("buy", 100, 5)]
    assert fills(told(paper.wait(10 * SECOND_NS), 1)) == [(3, 100)]
    assert paper.book() == [("buy", 100, 2), ("sell", 101, 4)]


def test_a_halted_instrument_stays_halted_when_the_session_begins() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.halt()
    paper.wait(21 * SECOND_NS)
    assert code(paper.place("A1-1", SELL, 1, 100)) is RejectCode.CLOSED
    paper.resume()
    assert kinds(paper.place("A1-1", SELL, 1, 100)) == ["Accepted"]


def test_a_halt_that_ends_between_sessions_lets_nothing_trade_before_the_next() -> None:
    paper = Paper(sessions=(MORNING, EVENING))
    paper.wait(11 * SECOND_NS)
    paper.halt()
    paper.resume()
    assert code(paper.place("A1-1", SELL, 1, 100)) is RejectCode.CLOSED


def test_the_next_moment_is_the_end_of_the_session_or_the_begin_of_the_next() -> None:
    exchange = Exchange(settings(sessions=(MORNING, EVENING), quotes_every_ns=99 * SECOND_NS))
    wanted = []
    for market_ns in (0, MORNING.begin_ns, MORNING.end_ns, EVENING.begin_ns):
        exchange.on(Due(), Instant(1_000, market_ns))
        wanted.append(exchange.next_due_ns)
    ten_ns = 10 * SECOND_NS
    assert wanted == [1_000 + one for one in (BEGIN_NS, ten_ns, ten_ns, ten_ns)]


def test_after_the_last_session_nothing_is_waited_for() -> None:
    exchange = Exchange(settings(sessions=(MORNING, EVENING)))
    exchange.on(Due(), Instant(1_000, EVENING.end_ns))
    assert exchange.next_due_ns is None


SESSIONS = st.lists(st.integers(0, 50), min_size=0, max_size=12, unique=True).map(
    lambda some: [
        Session(begin_ns=begin, end_ns=end)
        for begin, end in zip(sorted(some)[::2], sorted(some)[1::2], strict=False)
    ]
)


@given(SESSIONS, st.integers(-5, 60))
def test_a_scan_of_all_sessions_finds_the_same(sessions: list[Session], now_ns: int) -> None:
    within = [one for one in sessions if one.begin_ns <= now_ns < one.end_ns]
    assert session_at(sessions, now_ns) == (within[0] if within else None)
    later = [one.begin_ns for one in sessions if one.begin_ns > now_ns]
    assert next_begin_ns(sessions, now_ns) == min(later, default=None)


COINS = MarketId("coins")
TWO_MARKETS = (
    instrument(SHARE, "1"),
    msgspec.structs.replace(instrument(COIN, "0.00000001"), market_id=COINS),
)


def test_a_market_with_sessions_of_its_own_closes_while_the_other_trades_on() -> None:
    """A28 A29: shares between their bells, coins around the clock."""
    paper = Paper(
        instruments=TWO_MARKETS,
        sessions=(MORNING, EVENING),
        market_sessions={COINS: ()},
        day_ends_at_ns=12 * 3_600 * SECOND_NS + 25 * SECOND_NS,
    )
    paper.place("A1-1", BUY, 5, 100)
    paper.place("A1-2", BUY, 5, 100, instrument_id=COIN)
    assert expired(paper, 11 * SECOND_NS) == ["A1-1"]
    assert code(paper.place("A1-3", BUY, 5, 100)) is RejectCode.CLOSED
    assert kinds(paper.place("A1-4", BUY, 5, 100, instrument_id=COIN)) == ["Accepted"]
    assert expired(paper, 14 * SECOND_NS) == ["A1-2", "A1-4"]
    assert kinds(paper.place("A1-5", BUY, 5, 100)) == ["Accepted"]


def test_two_calendars_are_followed_each_by_itself_and_through_a_restore() -> None:
    """A29: the market that is open first closes first."""
    paper = Paper(instruments=TWO_MARKETS, sessions=(MORNING,), market_sessions={COINS: (EVENING,)})
    paper.wait(SECOND_NS)
    state = paper.exchange.state
    assert (state.is_still(SHARE), state.is_still(COIN)) == (False, True)
    paper.wait(11 * SECOND_NS)
    assert (state.is_still(SHARE), state.is_still(COIN)) == (True, True)
    paper.wait(10 * SECOND_NS)
    paper.exchange = Exchange.restore(paper.exchange.snapshot())
    state = paper.exchange.state
    assert (state.is_still(SHARE), state.is_still(COIN)) == (True, False)
    assert state.market_ends_at_ns == {COINS: EVENING.end_ns}
    paper.wait(10 * SECOND_NS)
    assert (state.is_still(SHARE), state.is_still(COIN)) == (True, True)
    assert state.market_ends_at_ns == {}
