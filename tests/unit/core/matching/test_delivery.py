from collections import Counter
from typing import Any

import pytest

from tandem.core.matching.delivery import bounded
from tandem.domain.exchange import SessionClosed, SessionOpened
from tandem.domain.reports import Accepted, Filled
from tandem.domain.venue import AskTime, Misbehavior, VenueMessage, VenueTime
from tests.unit.core.matching.paper import BUY, NOON_NS, SELL, Paper, kinds, told

MS = 1_000_000
MANY = 400


def after_trades(seed: int = 1, count: int = MANY, **lies: Any) -> list[VenueMessage]:
    """Return what B1 is told of that many trades: a report of acceptance and a fill each."""
    paper = Paper()
    paper.misbehave(seed, **lies)
    messages: list[VenueMessage] = []
    for number in range(count):
        paper.place(f"A1-{number}", SELL, 1, 100)
        messages += paper.place(f"B1-{number}", BUY, 1, 100)
    return messages + told(paper.wait(3_600_000 * MS), 3)


def counts(messages: list[VenueMessage]) -> dict[str, int]:
    return dict(Counter(kinds(messages)))


def test_without_lies_everything_is_told_once_and_in_order() -> None:
    messages = after_trades()
    assert kinds(messages) == ["Accepted", "Filled"] * MANY


def test_every_session_of_the_account_is_told() -> None:
    paper = Paper()
    paper.on_session("A1", 77)
    paper.on(SessionOpened(session=78))
    effects = paper.on(SessionClosed(session=99))
    assert effects == []
    paper.misbehave(delay_report=1.0, delay_ns_max=MS)
    paper.place("A1-2", BUY, 1, 100)
    effects = paper.wait(MS)
    assert kinds(told(effects, 1)) == kinds(told(effects, 77)) == ["Accepted"]
    assert told(effects, 78) == []


def test_a_lost_report_is_never_told() -> None:
    """F9"""
    assert after_trades(lose_report=1.0) == []
    told_once = counts(after_trades(lose_report=0.5))
    assert 150 < told_once["Filled"] < 250


def test_a_repeated_report_is_told_twice() -> None:
    assert counts(after_trades(repeat_report=1.0)) == {"Accepted": 2 * MANY, "Filled": 2 * MANY}


def test_a_delayed_report_comes_later_and_out_of_order_but_comes() -> None:
    messages = after_trades(delay_report=0.5, delay_ns_max=50 * MS)
    assert counts(messages) == {"Accepted": MANY, "Filled": MANY}
    assert kinds(messages) != ["Accepted", "Filled"] * MANY


def test_a_contradiction_is_a_true_report_said_again_after_later_ones() -> None:
    messages = after_trades(contradict=0.5)
    said = counts(messages)
    assert said["Accepted"] > MANY
    assert said["Filled"] > MANY
    distinct = {one.execution_id for one in messages if isinstance(one, Filled)}
    assert len(distinct) == MANY


def test_only_the_last_reports_are_kept_for_contradictions() -> None:
    paper = Paper()
    paper.misbehave(contradict=0.1)
    for number in range(50):
        paper.place(f"A1-{number}", BUY, 1, 100)
    assert len(paper.account("A1").recent) == 8


def test_an_answer_is_delayed_too() -> None:
    paper = Paper()
    paper.misbehave(delay_report=1.0, delay_ns_max=10 * MS)
    assert paper.ask(AskTime(query_id=1)) == []
    (answer,) = told(paper.wait(10 * MS), 1)
    assert isinstance(answer, VenueTime)


def test_what_waits_for_a_closed_session_is_dropped() -> None:
    paper = Paper()
    paper.misbehave(delay_report=1.0, delay_ns_max=10 * MS)
    paper.place("A1-1", BUY, 1, 100)
    paper.on(SessionClosed(session=1))
    assert [told(paper.wait(10 * MS), session) for session in (1, 2, 3)] == [[], [], []]
    assert paper.exchange.state.parcels == []


@pytest.mark.parametrize("seed", range(5))
def test_latency_is_within_its_bounds_and_keeps_the_order_of_a_session(seed: int) -> None:
    paper = Paper(latency_ns_min=2 * MS, latency_ns_max=5 * MS, seed=seed)
    begin_ns = paper.now_ns
    for number in range(50):
        assert paper.place(f"A1-{number}", BUY, 1, 100) == []
    early = told(paper.wait(begin_ns + 2 * MS - paper.now_ns), 1)
    assert early == []
    reports = told(paper.wait(6 * MS), 1)
    ids = [one.client_order_id for one in reports if isinstance(one, Accepted)]
    assert ids == [f"A1-{number}" for number in range(50)]


def test_the_same_seed_lies_the_same_way() -> None:
    lies = {"lose_report": 0.2, "repeat_report": 0.2, "delay_report": 0.2, "delay_ns_max": MS}
    assert after_trades(4, 50, **lies) == after_trades(4, 50, **lies)
    assert after_trades(4, 50, **lies) != after_trades(5, 50, **lies)


def test_times_that_would_leave_64_bits_are_bounded() -> None:
    wild = bounded(Misbehavior(delay_ns_max=2**63, read_lag_ns=-5, skew_ns=-(2**63)))
    assert (wild.delay_ns_max, wild.read_lag_ns) == (3_600_000 * MS, 0)
    assert wild.skew_ns == -3_600_000 * MS


def test_a_skewed_clock_is_what_the_venue_says_and_judges_by() -> None:
    paper = Paper()
    paper.misbehave(skew_ns=500 * MS)
    (answer,) = paper.ask(AskTime(query_id=9))
    assert answer == VenueTime(query_id=9, venue_at_ns=NOON_NS + paper.now_ns + 500 * MS)
    refused = paper.place("A1-1", BUY, 1, 100, expires_at_ns=NOON_NS + paper.now_ns + 100 * MS)
    assert kinds(refused) == ["Rejected"]
