"""Asking until an attempt is settled: what proves absence, what does not, and when to ask again."""

import pytest

from tandem.core.trading.grey import PATIENCE
from tandem.core.trading.state import Attempt, Ending, Outcome, ParentPhase, Phase
from tandem.domain import link
from tandem.domain.order import FenceClass, OrderStatus
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.desk_driver import (
    MS,
    SECOND,
    Floor,
    fill_of,
    settings_of,
)

# A request expires one second after its release; two skew bounds and a read lag later a question
# can prove that it is not there.
PROOF_NS = 1_250 * MS


def unknown_order(fence_class: FenceClass = FenceClass.EXPIRES) -> tuple[Floor, Attempt]:
    """Return a desk with one buy of slot 1 that timed out."""
    floor = Floor(settings_of(fence_class=fence_class)).open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.timed_out(attempt)
    return floor, attempt


def test_silence_makes_an_order_unknown_when_its_request_has_expired() -> None:
    """F13."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.pass_time(PROOF_NS - 1)
    assert floor.counted("unknown") == 0
    effects = floor.pass_time(1)
    assert attempt.phase is Phase.UNKNOWN
    assert len(floor.sent(link.Ask, effects)) == 1


def test_nobody_is_asked_before_the_answer_could_prove_anything() -> None:
    """F3."""
    floor, _attempt = unknown_order()
    assert floor.sent(link.Ask, floor.pass_time(PROOF_NS - 1)) == []
    assert len(floor.sent(link.Ask, floor.pass_time(1))) == 1


def test_two_answers_a_read_lag_apart_prove_absence_and_the_rest_is_tried_again() -> None:
    """F3 F2: asked late enough; then attempt 2, with the same quantity."""
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    floor.not_found(attempt)
    assert (attempt.phase, attempt.absences) == (Phase.UNKNOWN, 1)
    assert floor.sent(link.Ask, floor.pass_time(50 * MS - 1)) == []
    assert len(floor.sent(link.Ask, floor.pass_time(1))) == 1
    floor.not_found(attempt)
    assert attempt.ending is Ending.ABSENT
    again = floor.attempts(attempt.parent_id)[1]
    assert (again.phase, again.order.quantity) == (Phase.RELEASED, 10)
    assert again.order.client_order_id == "d-1-1-2"


def test_an_answer_to_a_question_asked_too_early_proves_nothing() -> None:
    floor, attempt = unknown_order()
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    floor.pass_time(1)
    floor.not_found(attempt)
    floor.pass_time(SECOND)
    assert floor.counted("not_found_too_early") == 1
    assert attempt.absences == 0


def test_an_answer_that_comes_late_to_a_question_asked_too_early_proves_nothing() -> None:
    """F3: what counts is when it was asked."""
    floor, attempt = unknown_order()
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    floor.pass_time(1_210 * MS)
    floor.now_ns += 90 * MS
    floor.not_found(attempt)
    assert (attempt.absences, floor.counted("not_found_too_early")) == (0, 1)


def test_an_answer_to_an_earlier_question_is_dropped() -> None:
    """F9."""
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    first = attempt.query_id
    floor.pass_time(SECOND)
    assert attempt.query_id != first
    floor.not_found(attempt, first)
    assert (attempt.absences, floor.counted("answers_late")) == (0, 1)


def test_absence_of_an_order_that_lived_proves_nothing() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    floor.pass_time(5 * SECOND)
    floor.not_found(attempt)
    assert (attempt.phase, floor.counted("not_found_proves_nothing")) == (Phase.LIVE, 1)


def test_an_order_that_was_found_is_adopted_with_its_fills() -> None:
    """F3 F4 F15: what the lost reports said is learned, and only the rest is open."""
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    floor.found(attempt, OrderStatus.PARTIALLY_FILLED, [fill_of(attempt, 4, "e")])
    assert (attempt.phase, attempt.cum_quantity) == (Phase.LIVE, 4)
    assert attempt.status is OrderStatus.PARTIALLY_FILLED
    assert floor.counted("unknown_proved_live") == 1


def test_an_order_found_ended_is_ended() -> None:
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    floor.found(attempt, OrderStatus.FILLED, [fill_of(attempt, 10, "e")])
    assert attempt.ending is Ending.FILLED
    floor.replay()


def test_an_order_found_canceled_there_was_unknown_before() -> None:
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    floor.found(attempt, OrderStatus.CANCELED)
    assert attempt.ending is Ending.CANCELED
    assert floor.counted("unknown_found_ended") == 1


def test_an_order_that_lives_is_looked_at_now_and_then() -> None:
    """F4: the stream and the poll feed the same path."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.accept(attempt)
    for _ in range(3):
        asked = floor.sent(link.Ask, floor.pass_time(5 * SECOND))
        assert len(asked) == 1
        floor.found(attempt, OrderStatus.NEW)
    floor.replay()


def test_a_lost_question_is_asked_again() -> None:
    floor, _attempt = unknown_order()
    assert len(floor.sent(link.Ask, floor.pass_time(PROOF_NS + 2 * SECOND))) == 4


def test_a_woken_slot_asks_anew_though_a_question_is_on_its_way() -> None:
    floor, _attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    effects = floor.at("s1").ready()
    assert len(floor.sent(link.Ask, effects)) == 1


def test_nothing_is_asked_while_nobody_fills_the_slot_and_at_once_when_somebody_does() -> None:
    """F2: takeover."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.at("s1").die()
    assert attempt.phase is Phase.UNKNOWN
    assert floor.sent(link.Ask, floor.pass_time(10 * SECOND)) == []
    effects = floor.spare().ready()
    assert len(floor.sent(link.Ask, effects)) == 1


def test_without_a_clock_to_be_trusted_nobody_judges_an_expiry() -> None:
    floor, _attempt = unknown_order()
    floor.at("s1").clock(floor.offset_ns + SECOND)
    assert floor.sent(link.Ask, floor.pass_time(5 * SECOND)) == []
    floor.at("s1").clock(floor.offset_ns + SECOND)
    assert len(floor.sent(link.Ask, floor.pass_time(SECOND))) >= 1


def test_a_released_order_waits_for_a_clock_as_well() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.at("s1").clock(floor.offset_ns + SECOND)
    floor.pass_time(5 * SECOND)
    assert attempt.phase is Phase.RELEASED


def test_an_absence_answered_while_no_clock_is_trusted_proves_nothing() -> None:
    floor, attempt = unknown_order()
    floor.pass_time(PROOF_NS)
    floor.at("s1").clock(floor.offset_ns + SECOND)
    floor.not_found(attempt)
    assert (attempt.absences, floor.counted("not_found_too_early")) == (0, 1)


# -- class B: the id is refused for ever once used


def test_class_b_sends_the_same_attempt_again_under_a_new_number() -> None:
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    (again,) = floor.sent(link.Release, floor.pass_time(1))
    assert (again.send_number, again.order) == (2, attempt.order)
    assert again.order.expires_at_ns is None
    floor.accept(attempt)
    assert attempt.phase is Phase.LIVE
    assert attempt.resent_since_ns is None


def test_class_b_a_refusal_of_a_resend_settles_nothing() -> None:
    """The first send may still arrive."""
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    floor.pass_time(1)
    floor.rejected(attempt, RejectCode.FUNDS)
    assert (attempt.phase, floor.counted("refused_resends")) == (Phase.UNKNOWN, 1)


def test_class_b_a_worker_whose_resends_are_never_answered_is_replaced() -> None:
    """F13: it says that it is ready, and its venue hears nothing of it."""
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    assert "w1" in floor.killed(floor.pass_time((PATIENCE + 1) * 3 * SECOND))
    assert attempt.phase is Phase.UNKNOWN


def test_class_b_not_sending_a_resend_settles_nothing() -> None:
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    floor.pass_time(1)
    floor.not_sent(attempt)
    assert attempt.phase is Phase.UNKNOWN


def test_class_b_duplicate_means_found() -> None:
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    floor.pass_time(1)
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    assert len(floor.sent(link.Ask, floor.pass_time(1))) == 1
    floor.found(attempt, OrderStatus.FILLED, [fill_of(attempt, 10, "e")])
    assert attempt.ending is Ending.FILLED


@pytest.mark.parametrize("is_duplicate", [False, True])
def test_class_b_asks_a_person_when_nothing_settles_it(is_duplicate: bool) -> None:
    """Resends that are refused for ten seconds, or an id that is used and not found."""
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    floor.pass_time(1)
    for _ in range(20):
        if is_duplicate:
            floor.rejected(attempt, RejectCode.DUPLICATE_ID)
        else:
            floor.rejected(attempt, RejectCode.BUSY)
        floor.pass_time(SECOND // 2)
    assert not attempt.for_person
    floor.pass_time(SECOND)
    assert attempt.for_person
    floor.pass_time(SECOND)
    assert floor.counted("for_person") == 1


def test_class_b_sends_nothing_again_while_halted_or_without_a_clock() -> None:
    floor, _attempt = unknown_order(FenceClass.UNIQUE)
    floor.halt()
    assert floor.sent(link.Release, floor.pass_time(2 * SECOND)) == []
    floor.resume()
    floor.at("s1").clock(floor.offset_ns + SECOND)
    assert floor.sent(link.Release, floor.pass_time(2 * SECOND)) == []
    floor.at("s1").clock(floor.offset_ns + SECOND)
    assert len(floor.sent(link.Release, floor.pass_time(SECOND))) >= 1


def test_class_b_absence_proves_nothing() -> None:
    floor, attempt = unknown_order(FenceClass.UNIQUE)
    floor.pass_time(1)
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    floor.pass_time(1)
    floor.not_found(attempt)
    assert floor.counted("not_found_proves_nothing") == 1


def test_class_c_is_asked_about_and_settled_by_what_the_venue_knows() -> None:
    floor, attempt = unknown_order(FenceClass.NEITHER)
    floor.pass_time(1)
    floor.not_found(attempt)
    assert attempt.phase is Phase.UNKNOWN
    floor.pass_time(SECOND)
    floor.found(attempt, OrderStatus.NEW)
    assert not attempt.for_person


# -- after a restart


@pytest.mark.parametrize("fence_class", list(FenceClass))
def test_a_restart_in_any_phase_makes_every_wait_anew(fence_class: FenceClass) -> None:
    """F19 I2: CLOCK_BOOTTIME may begin at zero again."""
    floor = Floor(settings_of(fence_class=fence_class)).open()
    released = floor.attempts(floor.buy(1, slots=("s1",)))[0]
    live = floor.attempts(floor.buy(2, slots=("s2",)))[0]
    floor.accept(live)
    ending = floor.attempts(floor.buy(3, slots=("s3",)))[0]
    floor.accept(ending)
    floor.expired(ending, 2)
    floor.now_ns = 5
    floor.offset_ns += 1_000 * SECOND
    floor.restart()
    assert [one.phase for one in (released, live, ending)] == [
        Phase.UNKNOWN,
        Phase.LIVE,
        Phase.FINAL,
    ]
    for hand in floor.all_hands():
        hand.seen = {released.order.client_order_id: link.Progress.SENT}
        hand.join(ready=True)
        hand.ready()
    floor.pass_time(2 * SECOND)
    assert live.query_id is not None
    assert ending.query_id is not None
    floor.found(released, OrderStatus.FILLED, [fill_of(released, 1, "e")]) if (
        released.query_id is not None
    ) else floor.fill(released, 1)
    floor.found(live, OrderStatus.FILLED, [fill_of(live, 2, "e")])
    floor.found(ending, OrderStatus.EXPIRED, [fill_of(ending, 2, "e")])
    assert all(one.phase is ParentPhase.DONE for one in floor.state.parents.values())
    assert floor.state.parents[released.parent_id].outcome is Outcome.FILLED
    floor.replay()
