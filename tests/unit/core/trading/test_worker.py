"""One worker: what it hands to a venue and what not, what it reports, and what it forgets."""

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.heartbeats import WAITING_MAX
from tandem.core.trading.risk import TradingState
from tandem.core.trading.sent_orders import TOLD_MAX
from tandem.domain import link, venue
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    DeskId,
    ExecutionId,
    HaltId,
    InstrumentId,
    Lots,
    Ticks,
)
from tandem.domain.limits import LimitChanges, Limits
from tandem.domain.order import OrderStatus, Side
from tandem.domain.reports import Accepted, Canceled, Expired, Filled, RejectCode, Rejected
from tandem.domain.worker import Hangup, Say, ToVenue
from tests.unit.core.trading.desk_driver import MS, SECOND, X, Y
from tests.unit.core.trading.worker_driver import OFFSET_NS, WORD, A, B, Bench, bundle


def not_sent(bench: Bench) -> tuple[link.NotSentReason, str]:
    (report,) = bench.reported()
    assert isinstance(report, link.NotSent)
    assert bench.asked(venue.PlaceOrder) == []
    return report.reason, report.text


# -- until it can trade


def test_a_worker_confirms_its_bundle_and_logs_into_the_account_it_is_granted() -> None:
    """A5 A6: its own account only, with the secret that came with the grant."""
    bench = Bench()
    hello = bench.connect()
    assert (hello.connection, hello.account_id, hello.ready, hello.seen) == (1, None, False, ())
    bench.configure()
    assert bench.said(link.Configured) == [
        link.Configured(bundle_hash=sha256(bundle()).hexdigest())
    ]
    assert bench.up() == []
    bench.grant()
    assert bench.asked(venue.Login) == [venue.Login(account_id=A, secret=WORD)]
    bench.log_in()
    (ready,) = bench.said(link.Ready)
    assert (ready.account_id, ready.account_epoch) == (A, 1)
    assert {one.offset_ns for one in bench.said(link.ClockRead)} == {OFFSET_NS}


def test_a_session_that_comes_up_later_is_logged_in_then() -> None:
    bench = Bench()
    bench.connect()
    bench.configure()
    assert bench.grant() == []
    assert bench.up(Y) == []
    bench.up()
    assert len(bench.asked(venue.Login)) == 1


def test_a_refused_login_is_told() -> None:
    bench = Bench()
    bench.connect()
    bench.up()
    bench.grant()
    bench.venue(venue.LoginRefused(reason="no such account"))
    (told,) = bench.said(link.NotReady)
    assert told.reason == "login refused: no such account"


def test_a_login_of_another_account_or_for_market_data_is_not_ours() -> None:
    bench = Bench().open()
    assert bench.venue(venue.LoggedIn(venue_id=X, account_id=None, venue_at_ns=0)) == []


def test_a_bundle_comes_in_parts_and_one_out_of_order_is_waited_for_anew() -> None:
    """A38."""
    bench = Bench()
    bench.connect()
    content = bundle()
    half = len(content) // 2
    parts = [content[:half], content[half:]]
    assert bench.hear(link.BundlePart(index=1, count=2, content=parts[1])) == []
    assert bench.hear(link.BundlePart(index=0, count=2, content=parts[0])) == []
    bench.worker.on_disconnected()
    assert bench.hear(link.BundlePart(index=1, count=2, content=parts[1])) == []
    bench.hear(link.BundlePart(index=0, count=2, content=parts[0]))
    bench.hear(link.BundlePart(index=1, count=2, content=parts[1]))
    assert len(bench.said(link.Configured)) == 1


@pytest.mark.parametrize("content", [b"\xc1", b""])
def test_a_bundle_that_is_none_is_confirmed_by_its_hash_and_never_trades(content: bytes) -> None:
    """The hash is what the coordinator compares; what cannot be read makes nothing ready."""
    bench = Bench()
    bench.connect()
    bench.hear(link.BundlePart(index=0, count=1, content=content))
    assert len(bench.said(link.Configured)) == 1
    bench.up()
    bench.grant()
    bench.log_in()
    assert bench.said(link.Ready) == []
    assert bench.worker.counters["bundles_garbled"] == 1


def test_a_bundle_of_impossible_limits_does_not_raise() -> None:
    limits = msgspec.structs.replace(Limits())
    msgspec.structs.force_setattr(limits, "max_open_orders", 0)
    bench = Bench()
    bench.connect()
    bench.configure(bundle(limits=limits))
    assert bench.worker.counters["bundles_garbled"] == 1


def test_a_bundle_that_comes_last_makes_it_ready() -> None:
    bench = Bench()
    bench.connect()
    bench.up()
    bench.grant()
    bench.log_in()
    assert bench.said(link.Ready) == []
    bench.configure()
    assert len(bench.said(link.Ready)) == 1


def test_a_new_bundle_keeps_what_is_out() -> None:
    bench = Bench().open()
    bench.release()
    bench.configure(bundle(limits=Limits(max_open_orders=1)))
    assert bench.open_orders == 1
    bench.release(bench.order("p"))
    assert not_sent(bench) == (link.NotSentReason.RISK, "open_orders")
    bench.fill()
    assert bench.open_orders == 0


# -- releases


def test_a_release_is_handed_to_the_venue_once_for_each_send_number() -> None:
    """F5 F9 I3."""
    bench = Bench().open()
    order = bench.order()
    bench.release(order)
    assert bench.asked(venue.PlaceOrder) == [venue.PlaceOrder(order=order)]
    assert bench.release(order) == []
    assert bench.worker.counters["sends_repeated"] == 1
    bench.release(order, send=2)
    assert len(bench.asked(venue.PlaceOrder)) == 1
    assert bench.open_orders == 1


@pytest.mark.parametrize("change", [{"account_epoch": 2}, {"account_id": B}])
def test_a_release_for_another_account_or_epoch_is_dropped(change: dict[str, Any]) -> None:
    """F5 I3."""
    bench = Bench().open()
    assert bench.release(**change) == []
    assert bench.worker.counters["other_accounts_dropped"] == 1


def test_words_of_an_older_coordinator_are_dropped() -> None:
    """F19."""
    bench = Bench().open()
    bench.hear(link.Halt(on=False), epoch=3)
    assert bench.hear(link.Halt(on=True), epoch=2) == []
    assert not bench.worker.halted


def test_nothing_is_sent_while_the_session_is_down() -> None:
    bench = Bench().open()
    bench.down()
    (told,) = bench.said(link.NotReady)
    assert told.reason == "the venue's session ended"
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.SESSION_DOWN
    assert bench.down() == []
    assert bench.down(Y) == []


def test_nothing_new_is_sent_while_halted_and_cancels_go_on() -> None:
    bench = Bench().open()
    bench.release(bench.order("p"))
    bench.hear(link.Halt(on=True))
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.HALTED
    word = link.Withdraw(account_id=A, account_epoch=1, client_order_id=ClientOrderId("p"))
    bench.hear(word)
    assert len(bench.asked(venue.CancelOrder)) == 1
    bench.hear(link.Halt(on=False))
    bench.release(bench.order("q"))
    assert len(bench.asked(venue.PlaceOrder)) == 1


def test_nothing_is_sent_after_its_last_moment() -> None:
    bench = Bench().open()
    order = bench.order()
    late = bench.now_ns + OFFSET_NS - 301 * MS
    bench.release(order, release_by_ns=late)
    assert not_sent(bench) == (link.NotSentReason.TOO_LATE, "301 ms after its last moment")
    bench.release(bench.order("p"), release_by_ns=late + MS)
    assert len(bench.asked(venue.PlaceOrder)) == 1


def test_a_lease_must_outlive_the_request() -> None:
    """Before its first acknowledged heartbeat a worker elsewhere holds nothing."""
    bench = Bench().open(lease_ns=3 * SECOND)
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.SESSION_DOWN
    assert bench.said(link.Ready) == []
    bench.take(bench.worker.beat(bench.now))
    (beat,) = bench.said(link.Heartbeat)
    acknowledged = link.BeatAcknowledged(number=beat.number, account_id=A, account_epoch=1)
    bench.hear(acknowledged)
    assert len(bench.said(link.Ready)) == 1
    bench.release(bench.order("p"))
    assert len(bench.asked(venue.PlaceOrder)) == 1
    bench.now_ns += 2 * SECOND
    bench.release(bench.order("q"))
    assert not_sent(bench)[0] is link.NotSentReason.LEASE
    bench.hear(acknowledged)
    bench.hear(link.BeatAcknowledged(number=99, account_id=A, account_epoch=1))
    bench.take(bench.worker.beat(bench.now))
    (beat,) = bench.said(link.Heartbeat)
    bench.hear(link.BeatAcknowledged(number=beat.number, account_id=None, account_epoch=0))
    bench.release(bench.order("r"))
    assert not_sent(bench)[0] is link.NotSentReason.LEASE


def test_the_risk_gate_is_the_last_before_the_wire() -> None:
    """I10: the coordinator's is not the only one."""
    bench = Bench().open()
    bench.release(bench.order(quantity=100), parent_quantity_left=99)
    assert not_sent(bench) == (link.NotSentReason.RISK, "children_exceed_parent")
    bench.release(bench.order(quantity=100), send=2, parent_quantity_left=100)
    assert len(bench.asked(venue.PlaceOrder)) == 1


def test_a_resend_that_is_not_sent_leaves_the_first_send_standing() -> None:
    """Class B: it may still arrive, so it is told at every hello."""
    bench = Bench().open()
    order = bench.order()
    bench.release(order)
    bench.hear(link.Halt(on=True))
    bench.release(order, send=2)
    assert not_sent(bench)[0] is link.NotSentReason.HALTED
    bench.hear(link.Acknowledge(report_id=1))
    (seen,) = bench.connect(A, 1).seen
    assert seen.progress is link.Progress.SENT


def test_a_cancel_without_a_session_is_lost_and_comes_again_from_the_desk() -> None:
    bench = Bench().open()
    bench.down()
    word = link.Withdraw(account_id=A, account_epoch=1, client_order_id=ClientOrderId("o"))
    assert bench.hear(word) == []


def test_a_session_that_ends_while_nobody_listens_is_told_by_the_next_hello() -> None:
    bench = Bench().open()
    bench.worker.on_disconnected()
    assert bench.down() == []
    assert not bench.connect(A, 1).ready


def test_a_request_for_a_class_without_expiry_is_judged_by_its_last_moment() -> None:
    bench = Bench().open()
    order = msgspec.structs.replace(bench.order(), expires_at_ns=None)
    bench.release(order)
    assert len(bench.asked(venue.PlaceOrder)) == 1


# -- reports


def test_reports_are_numbered_and_repeated_until_they_are_acknowledged() -> None:
    """F9: after a reconnect, in order."""
    bench = Bench().open()
    bench.release()
    bench.accept()
    bench.fill(quantity=4, execution="a")
    bench.worker.on_disconnected()
    bench.fill(quantity=6, execution="b")
    assert bench.said(link.Reported) == []
    bench.connect(A, 1)
    said = bench.said(link.Reported)
    assert [one.report_id for one in said] == [1, 2, 3]
    assert {one.send_number for one in said} == {1}
    assert {one.sent_ns for one in said} == {bench.now_ns}
    bench.hear(link.Acknowledge(report_id=2))
    bench.connect(A, 1)
    assert [one.report_id for one in bench.said(link.Reported)] == [3]


def test_a_hello_tells_every_attempt_until_its_end_is_acknowledged() -> None:
    """F2: what is not told was never sent."""
    bench = Bench().open()
    bench.release()
    bench.hear(link.Halt(on=True))
    bench.release(bench.order("p"))
    hello = bench.connect(A, 1)
    assert [(one.client_order_id, one.progress) for one in hello.seen] == [
        ("o", link.Progress.SENT),
        ("p", link.Progress.NOT_SENT),
    ]
    assert (hello.account_id, hello.account_epoch, hello.ready) == (A, 1, True)
    bench.hear(link.Acknowledge(report_id=1))
    assert [one.client_order_id for one in bench.connect(A, 1).seen] == ["o"]
    bench.canceled()
    assert [one.client_order_id for one in bench.connect(A, 1).seen] == ["o"]
    bench.hear(link.Acknowledge(report_id=2))
    assert bench.connect(A, 1).seen == ()


def test_an_order_that_was_sent_again_is_told_though_its_first_end_is_acknowledged() -> None:
    """F2 F3: class B; the second send is out."""
    bench = Bench().open()
    order = bench.order()
    bench.release(order)
    bench.rejected()
    bench.release(order, send=2)
    bench.hear(link.Acknowledge(report_id=1))
    assert [one.client_order_id for one in bench.connect(A, 1).seen] == ["o"]


def test_a_hello_that_cannot_tell_all_says_so() -> None:
    """A39: it must fit into one message."""
    bench = Bench().open()
    bench.hear(link.Halt(on=True))
    for number in range(TOLD_MAX + 1):
        bench.release(bench.order(f"desk-1234567890-{number}-12-12"))
    hello = bench.connect(A, 1)
    assert (len(hello.seen), hello.seen_all) == (TOLD_MAX, False)
    assert len(msgspec.msgpack.encode([hello])) < link.MESSAGE_BYTES_MAX


def test_a_sent_order_without_an_answer_times_out_once() -> None:
    """F13: later than its request is valid, so what timed out is already dead."""
    bench = Bench().open()
    bench.release()
    assert bench.pass_time(1_499 * MS) == []
    bench.pass_time(MS)
    assert bench.reported() == [link.TimedOut(client_order_id=ClientOrderId("o"))]
    bench.pass_time(20 * SECOND)
    assert bench.reported() == []


def test_an_answered_order_does_not_time_out() -> None:
    """Also when its acceptance was lost and only the fill came."""
    bench = Bench().open()
    bench.release()
    bench.fill(quantity=1)
    bench.pass_time(2 * SECOND)
    assert bench.reported() == []


def test_an_old_send_does_not_time_out_for_the_new_one() -> None:
    bench = Bench().open()
    order = bench.order()
    bench.release(order)
    bench.now_ns += 100 * MS
    bench.release(order, send=2)
    bench.pass_time(1_450 * MS)
    assert bench.reported() == []
    bench.pass_time(SECOND)
    assert len(bench.reported()) == 1


def test_what_was_not_sent_or_is_forgotten_does_not_time_out() -> None:
    bench = Bench().open()
    bench.release(bench.order("p"))
    bench.canceled("p")
    bench.hear(link.Acknowledge(report_id=1))
    bench.hear(link.Halt(on=True))
    bench.release()
    assert len(bench.reported()) == 1
    bench.pass_time(2 * SECOND)
    assert bench.reported() == []


def test_nobody_waits_for_an_answered_order() -> None:
    bench = Bench().open()
    refresh_ns = bench.worker.next_due_ns
    bench.release()
    assert bench.worker.next_due_ns == bench.now_ns + 1_500 * MS
    bench.accept()
    assert bench.worker.next_due_ns == refresh_ns
    bench.release(bench.order("p"))
    bench.down()
    assert bench.worker.next_due_ns == bench.now_ns + 1_500 * MS
    bench.pass_time(2 * SECOND)
    assert bench.worker.next_due_ns is None


def test_news_of_another_run_s_order_is_reported_all_the_same() -> None:
    """F4: after a takeover."""
    bench = Bench().open()
    bench.fill("before")
    (said,) = bench.said(link.Reported)
    assert (said.send_number, said.sent_ns) == (None, None)
    bench.venue(
        venue.CancelRejected(client_order_id=ClientOrderId("before"), code=venue.CancelCode.FINAL)
    )
    assert len(bench.reported()) == 1


def test_an_amendment_is_handed_on_like_a_cancel_and_its_answer_is_reported() -> None:
    """A7, F6: of an account that is not held any more it is dropped."""
    bench = Bench().open()
    bench.release()
    key = ClientOrderId("o")
    figures: dict[str, Any] = {"quantity": Lots(6), "limit_price": Ticks(1_000)}
    bench.hear(link.Amend(account_id=A, account_epoch=0, client_order_id=key, **figures))
    assert not bench.effects
    bench.hear(link.Amend(account_id=A, account_epoch=1, client_order_id=key, **figures))
    (asked,) = bench.asked(venue.AmendOrder)
    assert asked == venue.AmendOrder(client_order_id=key, **figures)
    told = venue.Amended(client_order_id=key, cum_quantity=Lots(0), **figures)
    bench.venue(told)
    assert bench.reported() == [told]
    no = venue.AmendRejected(client_order_id=key, code=venue.AmendCode.FINAL)
    bench.venue(no)
    assert bench.reported() == [no]


def test_answers_to_questions_are_handed_on_and_not_repeated() -> None:
    bench = Bench().open()
    bench.hear(
        link.Ask(account_id=A, account_epoch=1, query_id=7, client_order_id=ClientOrderId("o"))
    )
    assert bench.asked(venue.QueryOrder) == [
        venue.QueryOrder(query_id=7, client_order_id=ClientOrderId("o"))
    ]
    answer = venue.OrderNotFound(query_id=7, client_order_id=ClientOrderId("o"))
    bench.venue(answer)
    assert bench.said(link.Answered) == [link.Answered(account_id=A, answer=answer)]
    bench.worker.on_disconnected()
    assert bench.venue(answer) == []


@pytest.mark.parametrize(
    "word",
    [
        link.Ask(account_id=B, account_epoch=1, query_id=7, client_order_id=ClientOrderId("o")),
        link.Withdraw(account_id=A, account_epoch=2, client_order_id=ClientOrderId("o")),
    ],
)
def test_questions_and_cancels_for_others_are_dropped(word: link.CoordinatorMessage) -> None:
    assert Bench().open().hear(word) == []


# -- exposure


@pytest.mark.parametrize(
    ("code", "left"), [(RejectCode.FUNDS, 0), (RejectCode.BUSY, 1), (RejectCode.DUPLICATE_ID, 1)]
)
def test_only_a_definite_refusal_ends_an_order(code: RejectCode, left: int) -> None:
    """F14."""
    bench = Bench().open()
    bench.release()
    bench.rejected(code=code)
    assert bench.open_orders == left


def test_a_refusal_of_what_traded_ends_nothing() -> None:
    bench = Bench().open()
    bench.release()
    bench.fill(quantity=1)
    bench.rejected()
    assert bench.open_orders == 1


def test_a_resend_after_an_end_counts_again() -> None:
    """Class B: the refusal of one send does not end the next."""
    bench = Bench().open()
    order = bench.order()
    bench.release(order)
    bench.rejected()
    bench.release(order, send=2)
    assert bench.open_orders == 1
    bench.fill()
    assert bench.open_orders == 0


def test_what_a_question_finds_counts_as_if_it_had_been_reported() -> None:
    bench = Bench().open()
    bench.release()
    fill = Filled(
        client_order_id=ClientOrderId("o"),
        execution_id=ExecutionId("e"),
        quantity=Lots(3),
        price=Ticks(1_000),
        fee=Decimal(0),
        venue_at_ns=0,
    )
    found = venue.OrderFound(
        query_id=1,
        client_order_id=ClientOrderId("o"),
        status=OrderStatus.PARTIALLY_FILLED,
        cum_quantity=Lots(3),
        fills=(fill,),
    )
    bench.venue(found)
    assert bench.worker._sent.exposure.holdings[InstrumentId("T@X")].position == 103
    assert bench.open_orders == 1
    bench.venue(msgspec.structs.replace(found, status=OrderStatus.CANCELED))
    assert bench.open_orders == 0
    assert [one.client_order_id for one in bench.connect(A, 1).seen] == ["o"]


@pytest.mark.parametrize(("after_ns", "left"), [(1_100 * MS, 1), (1_101 * MS, 0)])
def test_what_is_not_found_after_its_expiry_is_out_no_more(after_ns: int, left: int) -> None:
    bench = Bench().open()
    bench.release()
    bench.now_ns += after_ns
    bench.venue(venue.OrderNotFound(query_id=1, client_order_id=ClientOrderId("o")))
    assert bench.open_orders == left


def test_what_cannot_expire_stays_out() -> None:
    bench = Bench().open()
    bench.release(msgspec.structs.replace(bench.order(), expires_at_ns=None))
    bench.now_ns += 60 * SECOND
    bench.venue(venue.OrderNotFound(query_id=1, client_order_id=ClientOrderId("o")))
    assert bench.open_orders == 1


# -- accounts


def test_a_welcome_that_names_an_epoch_of_no_account_changes_nothing() -> None:
    bench = Bench()
    bench.connect(None, 5)
    assert (bench.worker.account_id, bench.worker.account_epoch) == (None, 0)
    assert bench.effects == []


def test_a_welcome_that_names_another_account_drops_the_one_held() -> None:
    """F5 I3: a worker drives at most one account."""
    bench = Bench().open()
    bench.connect(None, 0)
    assert bench.worker.account_id is None
    assert Hangup(venue_id=X) in bench.effects
    assert bench.release() == []


def test_a_revoked_account_is_hung_up_and_another_s_revocation_is_not_ours() -> None:
    bench = Bench().open()
    assert bench.hear(link.Revoke(account_id=B)) == []
    assert bench.hear(link.Revoke(account_id=A)) == [
        Hangup(venue_id=X),
        Say(message=link.GaveBack(account_id=A, account_epoch=1)),
    ]
    assert bench.hear(link.Revoke(account_id=A)) == []


def test_another_account_begins_with_nothing_out_and_the_prices_known() -> None:
    bench = Bench().open()
    bench.release()
    bench.grant(B)
    assert bench.effects == [Hangup(venue_id=X)]
    assert bench.open_orders == 0
    bench.down()
    bench.up()
    assert bench.asked(venue.Login) == [venue.Login(account_id=B, secret=WORD)]
    bench.log_in(B)
    bench.release(bench.order("p"), account_id=B)
    assert len(bench.asked(venue.PlaceOrder)) == 1
    bench.fill("o", 3)
    assert bench.open_orders == 1


def test_an_account_granted_before_its_login_is_dropped_without_a_hangup() -> None:
    bench = Bench()
    bench.connect()
    bench.grant()
    assert bench.grant(B) == []
    assert bench.worker.account_id == B


def test_old_and_repeated_grants_change_nothing() -> None:
    """I3."""
    bench = Bench().open()
    bench.grant(epoch=2)
    assert bench.worker.account_epoch == 2
    assert len(bench.said(link.Ready)) == 1  # the same session, under the new epoch
    assert bench.grant(epoch=1) == bench.grant(epoch=2) == []
    assert bench.worker.account_epoch == 2
    assert bench.worker.counters["grants_repeated"] == 2


def test_a_worker_elsewhere_takes_the_length_of_its_lease_from_the_grant() -> None:
    bench = Bench().open(lease_ns=9 * SECOND)
    assert bench.worker.lease.lease_ns == 9 * SECOND


# -- the venue's clock and balances


def test_clock_and_balances_are_read_again_now_and_then() -> None:
    bench = Bench().open()
    bench.pass_time(30 * SECOND)
    assert len(bench.asked(venue.AskTime)) == len(bench.asked(venue.AskBalances)) == 1
    bench.pass_time(30 * SECOND)
    assert len(bench.asked(venue.AskTime)) == 1


def test_a_second_login_does_not_read_twice_as_often() -> None:
    bench = Bench().open()
    bench.down()
    bench.up()
    bench.log_in()
    bench.pass_time(35 * SECOND)
    assert len(bench.asked(venue.AskTime)) == 1
    bench.down()
    bench.pass_time(35 * SECOND)
    assert bench.asked(venue.AskTime) == []


def test_a_vague_reading_is_read_again() -> None:
    bench = Bench()
    bench.connect()
    bench.configure()
    bench.up()
    bench.grant()
    bench.venue(venue.LoggedIn(venue_id=X, account_id=A, venue_at_ns=0))
    (ask,) = bench.asked(venue.AskTime)
    bench.now_ns += 101 * MS
    bench.time(ask.query_id)
    assert bench.worker.counters["clock_readings_vague"] == 1
    (again,) = bench.asked(venue.AskTime)
    bench.time(again.query_id)
    assert len(bench.said(link.ClockRead)) == 1
    assert bench.time(99) == []


def test_a_venue_that_the_bundle_does_not_know_has_no_bound_of_skew() -> None:
    bench = Bench()
    bench.connect()
    bench.configure(bundle(venues=()))
    bench.up()
    bench.grant()
    bench.log_in()
    assert len(bench.said(link.Ready)) == 1


def test_readings_while_nobody_listens_are_kept_for_the_next_welcome() -> None:
    bench = Bench()
    bench.connect()
    bench.configure()
    bench.up()
    bench.grant()
    bench.worker.on_disconnected()
    bench.log_in()
    assert bench.said(link.Ready) == []
    bench.connect(A, 1)
    assert len(bench.said(link.Ready)) == len(bench.said(link.ClockRead)) == 1


def test_only_quotes_count_of_a_venue_that_is_not_the_account_s() -> None:
    bench = Bench().open()
    assert bench.venue(venue.LoginRefused(reason="?"), Y) == []
    assert bench.venue(venue.Executions(query_id=1, fills=(), cursor=0)) == []


def test_an_audit_asks_for_orders_executions_and_balances_and_tells_them() -> None:
    """F23 F24."""
    bench = Bench().open()
    bench.release()
    bench.fill()
    bench.hear(link.Audit(account_id=A, account_epoch=1, query_id=7, cursor=0))
    (ask,) = bench.asked(venue.ListOpenOrders)
    bench.pass_time(300 * MS)
    assert bench.asked(venue.ListOpenOrders) == [ask]
    bench.venue(venue.OpenOrders(query_id=ask.query_id, orders=()))
    (executions,) = bench.asked(venue.ListExecutions)
    (reported,) = bench.worker._unacked
    assert isinstance(reported.report, Filled)
    what = venue.Traded(instrument_id=InstrumentId("T@X"), side=Side.BUY)
    listed = venue.Executions(
        query_id=executions.query_id, fills=(reported.report,), cursor=1, traded=(what,)
    )
    bench.venue(listed)
    (executions,) = bench.asked(venue.ListExecutions)
    bench.venue(venue.Executions(query_id=executions.query_id, fills=(), cursor=1))
    (balances,) = bench.asked(venue.AskBalances)
    told = venue.Balances(query_id=balances.query_id, cash={}, positions={})
    bench.venue(told)
    assert bench.said(link.Ready) == []
    (executions,) = bench.asked(venue.ListExecutions)
    bench.venue(venue.Executions(query_id=executions.query_id, fills=(), cursor=1))
    (answered,) = bench.said(link.Answered)
    assert isinstance(answered.answer, link.Audited)
    assert (answered.answer.executions, answered.answer.balances) == ((), told)


def test_an_audit_ends_with_the_connection_the_session_and_the_account() -> None:
    for end in (Bench.down, lambda bench: bench.worker.on_disconnected()):
        bench = Bench().open()
        bench.hear(link.Audit(account_id=A, account_epoch=1, query_id=7, cursor=0))
        (ask,) = bench.asked(venue.ListOpenOrders)
        end(bench)
        assert bench.venue(venue.OpenOrders(query_id=ask.query_id, orders=())) == []


def test_an_audit_of_an_older_epoch_is_dropped() -> None:
    bench = Bench().open()
    assert bench.hear(link.Audit(account_id=A, account_epoch=0, query_id=7, cursor=0)) == []


def test_heartbeats_are_numbered_and_old_ones_are_forgotten() -> None:
    bench = Bench().open(lease_ns=3 * SECOND)
    for _ in range(WAITING_MAX + 1):
        bench.take(bench.worker.beat(bench.now))
    assert bench.said(link.Heartbeat) == [link.Heartbeat(number=WAITING_MAX + 1)]
    bench.hear(link.BeatAcknowledged(number=1, account_id=A, account_epoch=1))
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.SESSION_DOWN
    assert bench.said(link.Ready) == []


def test_elsewhere_the_coordinators_clock_is_learned_before_anything_is_ready() -> None:
    bench = Bench(shares_clock=False).open()
    assert bench.said(link.Ready) == []
    assert bench.said(link.ClockRead) == []
    bench.take(bench.worker.beat(bench.now))
    (beat,) = bench.said(link.Heartbeat)
    ahead_ns = 77 * SECOND
    heard = link.BeatAcknowledged(
        number=beat.number, account_id=None, account_epoch=0, at_ns=bench.now_ns + ahead_ns
    )
    bench.hear(heard)
    assert len(bench.said(link.Ready)) == 1
    (read,) = bench.said(link.ClockRead)
    assert read.venue_id == X
    bench.release()
    bench.accept("o")
    (reported,) = bench.said(link.Reported)
    assert reported.sent_ns == bench.now_ns + ahead_ns


# -- anything in any order

ODD = (0, 1, 5, 10, -1, 2**53, 2**63, -(2**63))
Numbers = tuple[int, int, int, int]


def pick(choices: Any, number: int) -> Any:
    return choices[number % len(choices)]


def any_word(bench: Bench, numbers: Numbers) -> None:
    """Let the coordinator, the venue or time say something."""
    a, b, c, d = numbers
    key = ClientOrderId(pick("opqr", b))
    amount = Lots(pick(ODD, c))
    account = pick((A, A, B), c)
    fill = Filled(
        client_order_id=key,
        execution_id=ExecutionId(str(d % 4)),
        quantity=amount,
        price=Ticks(pick(ODD, d)),
        fee=Decimal(pick(("0", "NaN", "1"), d)),
        venue_at_ns=0,
    )
    quote = venue.Quote(
        instrument_id=InstrumentId(pick(("T@X", "?"), b)),
        bid=Ticks(pick(ODD, c)),
        ask=None,
        last=Ticks(pick(ODD, d)),
    )
    order = msgspec.structs.replace(
        bench.order(key, quantity=pick((1, 5, 10, 0, -1), c), side=pick(tuple(Side), d)),
        instrument_id=InstrumentId(pick(("T@X", "T@X", "?"), d)),
    )
    steps: tuple[Callable[[], object], ...] = (
        lambda: bench.release(order, send=d % 3, account_id=account, account_epoch=1 + d % 2),
        lambda: bench.release(order, send=d % 3, release_by_ns=pick(ODD, d)),
        lambda: bench.release(order, send=1 + d % 3),
        lambda: bench.accept(key),
        lambda: bench.venue(fill),
        lambda: bench.fill(key, 1 + c % 6, str(d % 6)),
        lambda: bench.canceled(key, amount),
        lambda: bench.venue(Expired(client_order_id=key, cum_quantity=amount)),
        lambda: bench.rejected(key, pick(tuple(RejectCode), c)),
        lambda: bench.venue(
            venue.OrderFound(
                query_id=c,
                client_order_id=key,
                status=pick(tuple(OrderStatus), d),
                cum_quantity=amount,
                fills=(fill,) if c % 2 else (),
            )
        ),
        lambda: bench.venue(venue.OrderNotFound(query_id=c, client_order_id=key)),
        lambda: bench.venue(venue.Quotes(quotes=(quote,))),
        lambda: bench.quote(),
        lambda: bench.connect(pick((A, A, B, None), c), d % 3, halted=a % 3 == 0),
        bench.worker.on_disconnected,
        lambda: bench.up(pick((X, Y), c)),
        lambda: bench.down(pick((X, X, Y), c)),
        lambda: bench.grant(account, d % 4, pick((None, SECOND), c), pick((X, X, Y), d)),
        lambda: bench.hear(link.Revoke(account_id=account)),
        lambda: bench.hear(link.Halt(on=bool(c % 2)), epoch=1 + d % 2),
        lambda: bench.hear(link.Acknowledge(report_id=pick((0, 1, 2, 5, 2**63), c))),
        lambda: bench.hear(
            link.BundlePart(index=c % 3, count=d % 3, content=pick((bundle(), b"", b"?"), b))
        ),
        lambda: bench.configure(bundle(**({"instruments": ()} if c % 2 else {}))),
        lambda: bench.venue(venue.LoggedIn(venue_id=X, account_id=account, venue_at_ns=c)),
        lambda: bench.venue(
            venue.Balances(query_id=0, cash={}, positions={InstrumentId("T@X"): c % 9})
        ),
        lambda: bench.time(1 + c % 6, pick(ODD, d)),
        lambda: bench.time(1 + c % 6),
        lambda: bench.pass_time(pick((0, MS, SECOND, 40 * SECOND), c)),
        lambda: bench.take(bench.worker.beat(bench.now)),
        lambda: bench.take(bench.worker.halt_by_hand(HaltId(f"h{c % 2}"), "", bench.now)),
        lambda: bench.hear(link.HaltLifted(halt_id=HaltId(f"h{c % 2}"))),
        lambda: bench.venue(venue.OpenOrders(query_id=(1 << 32) + c % 9, orders=())),
    )
    pick(steps, a)()


numbers = st.integers(0, 255)
words = st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=60)


@given(words)
def test_nothing_that_is_said_makes_a_worker_raise_or_send_twice(chosen: list[Numbers]) -> None:
    """F5 F9 I3: a send number goes to the venue once, and the exposure is what is out."""
    bench = Bench().open()
    sent: dict[tuple[str, int], int] = {}
    for one in chosen:
        bench.effects = []
        before = {key: known.send_number for key, known in bench.worker._seen.items()}
        any_word(bench, one)
        for effect in bench.effects:
            if isinstance(effect, ToVenue) and isinstance(effect.request, venue.PlaceOrder):
                key = effect.request.order.client_order_id
                number = bench.worker._seen[key].send_number
                assert number > before.get(key, -1)
                sent[key, number] = sent.get((key, number), 0) + 1
        exposure = bench.worker._sent.exposure
        counted = [known for known in bench.worker._seen.values() if known.counted]
        assert exposure.open_orders == len(counted)
        for holding in exposure.holdings.values():
            assert holding.open_buys >= 0
            assert holding.open_sells >= 0
    for key in list(bench.worker._seen):
        bench.canceled(key)
    assert not any(known.counted for known in bench.worker._seen.values())


def test_every_report_kind_finds_its_way() -> None:
    bench = Bench().open()
    bench.release()
    reports = (
        Accepted(client_order_id=ClientOrderId("o"), venue_order_id="v"),  # type: ignore[arg-type]
        Canceled(client_order_id=ClientOrderId("o"), cum_quantity=Lots(0)),
        Expired(client_order_id=ClientOrderId("o"), cum_quantity=Lots(0)),
        Rejected(client_order_id=ClientOrderId("o"), code=RejectCode.OTHER),
    )
    for report in reports:
        bench.venue(report)
        assert bench.reported() == [report]
    assert bench.worker.account_id == AccountId("A")


# -- a halt by hand

H = HaltId("h-1")


def halt(bench: Bench, halt_id: HaltId = H) -> None:
    bench.take(bench.worker.halt_by_hand(halt_id, "enough", bench.now))


def listed(bench: Bench, *keys: str) -> None:
    (asked,) = bench.asked(venue.ListOpenOrders)
    orders = tuple(venue.OpenOrder(order=bench.order(key), cum_quantity=Lots(0)) for key in keys)
    bench.venue(venue.OpenOrders(query_id=asked.query_id, orders=orders))


def test_a_worker_halted_by_hand_sends_nothing_new_cancels_and_tells_its_coordinator() -> None:
    """C9 C14."""
    bench = Bench().open()
    bench.release(bench.order("p"))
    bench.accept("p")
    halt(bench)
    assert [one.reason for one in bench.said(link.Halted)] == ["enough"]
    assert [one.client_order_id for one in bench.asked(venue.CancelOrder)] == ["p"]
    listed(bench, "p", "left by another")
    assert [one.client_order_id for one in bench.asked(venue.CancelOrder)] == ["left by another"]
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.HALTED
    halt(bench)
    assert bench.effects == []


def test_a_halt_by_hand_works_without_a_coordinator_and_is_told_at_the_next_hello() -> None:
    """C9: it asks the venue again and again, by its own clock."""
    bench = Bench().open()
    bench.worker.on_disconnected()
    halt(bench)
    assert bench.said(link.Halted) == []
    bench.pass_time(100 * MS)
    assert len(bench.asked(venue.ListOpenOrders)) == 2
    assert bench.connect(A, 1).halt_id == H


def test_no_coordinator_lifts_a_halt_that_it_has_not_heard_of() -> None:
    """C14."""
    bench = Bench().open()
    halt(bench)
    bench.hear(link.Halt(on=True))
    bench.hear(link.Halt(on=False))
    bench.connect(A, 1, halted=False)
    bench.hear(link.HaltLifted(halt_id=HaltId("another")))
    bench.release()
    assert not_sent(bench)[0] is link.NotSentReason.HALTED
    bench.hear(link.HaltLifted(halt_id=H))
    bench.release(bench.order("q"))
    assert len(bench.asked(venue.PlaceOrder)) == 1


def test_an_account_that_comes_to_a_halted_worker_is_swept_once_it_is_logged_in() -> None:
    """C9: the worker that left the orders open is dead."""
    bench = Bench()
    halt(bench)
    assert bench.effects == []
    bench.connect()
    bench.configure()
    bench.up()
    bench.hear(
        link.Grant(account_id=A, account_epoch=1, venue_id=X, lease_ns=None, desk_id=DeskId("d1"))
    )
    bench.venue(venue.LoggedIn(venue_id=X, account_id=A, venue_at_ns=0))
    listed(bench, "d1-1-1-1", "other")
    assert [one.client_order_id for one in bench.asked(venue.CancelOrder)] == ["d1-1-1-1"]
    bench.down()
    assert bench.worker.by_hand.due_ns is None


def limit(number: int = 1, *, epoch: int = 1, reduces: bool = False, **changes: int) -> link.Limit:
    return link.Limit(
        account_id=A,
        account_epoch=epoch,
        number=number,
        changes=LimitChanges(**changes),  # type: ignore[arg-type]
        reduces=reduces,
    )


def test_limits_that_a_person_set_are_confirmed_and_judge_every_later_release() -> None:
    """A28 I10: the last gate before the wire."""
    bench = Bench().open()
    bench.hear(limit(max_open_orders=1))
    assert bench.said(link.Limited) == [link.Limited(account_id=A, account_epoch=1, number=1)]
    bench.release(bench.order("o1"))
    assert bench.asked(venue.PlaceOrder)
    bench.release(bench.order("o2"))
    (told,) = bench.reported()
    assert isinstance(told, link.NotSent)
    assert told.text == "open_orders"


def test_an_account_that_only_reduces_sends_no_order_that_adds() -> None:
    """A28: it holds 100."""
    bench = Bench().open()
    bench.hear(limit(reduces=True))
    bench.release(bench.order("o1"))
    (told,) = bench.reported()
    assert isinstance(told, link.NotSent)
    assert told.text == "reducing_only"
    bench.release(bench.order("o2", side=Side.SELL))
    assert bench.asked(venue.PlaceOrder)
    bench.hear(limit(2))
    bench.release(bench.order("o3"))
    assert bench.asked(venue.PlaceOrder)


def test_limits_of_another_epoch_are_not_this_account_s() -> None:
    bench = Bench().open()
    bench.hear(limit(epoch=2, max_open_orders=1))
    assert bench.said(link.Limited) == []


def test_another_account_begins_without_the_limits_of_the_last() -> None:
    bench = Bench().open()
    bench.hear(limit(reduces=True))
    bench.hear(link.Revoke(account_id=A))
    assert bench.worker._set_up.state is TradingState.ACTIVE
