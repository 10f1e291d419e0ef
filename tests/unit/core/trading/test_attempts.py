"""The life of one attempt: what each report makes of it, early, late, twice or in contradiction."""

import pytest

from tandem.core.trading.attempts import HOPS_MAX
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Attempt, Ending, Outcome, ParentPhase, Phase
from tandem.domain import link
from tandem.domain.commands import ResolveOrder, SetUpPool
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import FenceClass, OrderStatus, Side, TimeInForce
from tandem.domain.reports import DEFINITE, RejectCode
from tandem.domain.venue import CancelCode
from tests.unit.core.trading.desk_driver import (
    SECOND,
    Floor,
    fill_of,
    settings_of,
)


def one_order(quantity: int = 10, **settings: object) -> tuple[Floor, Attempt]:
    """Return a desk with one buy of one slot, released and nothing heard of it."""
    floor = Floor(settings_of(**settings)).open()
    parent = floor.buy(quantity, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    assert attempt.phase is Phase.RELEASED
    return floor, attempt


def test_an_order_is_released_accepted_and_filled() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    assert (attempt.phase, attempt.status) == (Phase.LIVE, OrderStatus.NEW)
    floor.fill(attempt, 4)
    assert attempt.status is OrderStatus.PARTIALLY_FILLED
    floor.fill(attempt, 6)
    assert (attempt.phase, attempt.ending) == (Phase.FINAL, Ending.FILLED)
    parent = floor.state.parents[attempt.parent_id]
    assert (parent.phase, parent.outcome) == (ParentPhase.DONE, Outcome.FILLED)
    assert [hop.what for hop in attempt.hops] == [
        "planned",
        "released",
        "accepted",
        "filled 4",
        "filled 6",
        "final: filled",
    ]
    floor.replay()


def test_a_fill_without_its_acceptance_shows_that_the_order_lives() -> None:
    floor, attempt = one_order()
    floor.fill(attempt, 4)
    assert attempt.phase is Phase.LIVE
    floor.accept(attempt)
    assert attempt.status is OrderStatus.PARTIALLY_FILLED
    assert floor.counted("reports_repeated") == 1


def test_a_repeated_fill_is_counted_once() -> None:
    """F4 F9: executions are known by their id."""
    floor, attempt = one_order()
    floor.fill(attempt, 4, execution="e")
    floor.fill(attempt, 4, execution="e")
    assert attempt.cum_quantity == 4
    assert floor.counted("fills_repeated") == 1


@pytest.mark.parametrize("quantity", [0, -3, 2**53 + 1])
def test_a_fill_that_cannot_be_one_is_not_booked(quantity: int) -> None:
    floor, attempt = one_order()
    floor.fill(attempt, quantity)
    assert (attempt.cum_quantity, floor.counted("fills_garbled")) == (0, 1)


def test_a_fill_overtaken_by_the_end_stands() -> None:
    """F9: the venue counted it, so the parent waits for it, and nothing of it is sent again."""
    floor, attempt = one_order()
    floor.accept(attempt)
    parent = floor.state.parents[attempt.parent_id]
    floor.canceled(attempt, 7)
    assert (attempt.missing, parent.done_quantity, parent.phase) == (7, 7, ParentPhase.WORKING)
    floor.fill(attempt, 3)
    floor.fill(attempt, 4)
    assert attempt.missing == 0
    assert floor.counted("fills_after_end") == 2
    assert sum(one.order.quantity for one in floor.attempts(parent)[1:]) == 3


def test_a_fill_beyond_the_end_comes_out_of_what_waits_to_be_tried_again() -> None:
    """I1 C4: the rest was to be tried again; what traded late is no longer of it."""
    floor, attempt = one_order()
    floor.quote(2_000)  # nothing passes the price collar: the rest waits
    floor.rejected(attempt)
    parent = floor.state.parents[attempt.parent_id]
    assert [one.quantity for one in parent.pieces] == [10]
    floor.fill(attempt, 4)
    assert [one.quantity for one in parent.pieces] == [6]
    floor.fill(attempt, 6)
    assert (parent.outcome, parent.done_quantity) == (Outcome.FILLED, 10)
    assert floor.counted("fills_beyond_end") == 2
    assert not floor.counted("overfilled")


def test_more_than_was_ordered_halts_and_cancels_everything() -> None:
    """I9: the venue says so, so it is booked; a person must look."""
    floor, attempt = one_order()
    other = floor.attempts(floor.buy(5, 990, slots=("s2",)))[0]
    floor.accept(other)
    floor.fill(attempt, 12)
    assert floor.state.exposure.state is TradingState.HALTED
    assert "12 traded or open of 10" in floor.state.halt_reason
    assert len(floor.sent(link.Halt)) == 4
    assert [one.client_order_id for one in floor.sent(link.Withdraw)] == [
        other.order.client_order_id
    ]
    assert floor.refusal(floor.place(Side.BUY, 1)).reason == "halted"


def test_a_child_that_trades_too_much_halts_though_its_parent_had_room() -> None:
    """I1 holds for each child."""
    floor = Floor().open()
    parent = floor.buy(20, slots=("s1", "s2"))
    first, second = floor.attempts(parent)
    floor.accept(second)
    floor.canceled(second, 0)
    floor.fill(first, 11)
    assert floor.counted("overfilled") == 1


def test_a_late_fill_after_its_rest_was_sent_again_halts() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.canceled(attempt, 0)
    again = floor.attempts(attempt.parent_id)[1]
    assert again.order.quantity == 10
    floor.fill(attempt, 3)
    assert floor.state.exposure.state is TradingState.HALTED
    assert again.cancel_wanted


def test_a_later_word_that_more_had_traded_is_believed_and_asked_for() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    floor.canceled(attempt, 0)
    parent = floor.state.parents[attempt.parent_id]
    assert parent.phase is ParentPhase.DONE
    floor.canceled(attempt, 4)
    assert (parent.done_quantity, attempt.missing) == (4, 4)
    floor.pass_time(1)
    assert attempt.query_id is not None
    floor.found(attempt, OrderStatus.CANCELED, [fill_of(attempt, 4, "late")])
    assert (attempt.missing, parent.filled) == (0, 4)
    floor.canceled(attempt, 4)
    assert floor.counted("reports_contradictory") == 1


def test_a_later_word_is_asked_for_after_a_restart_as_well() -> None:
    """I2 F19: no alarm of before the restart stands in the way."""
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    floor.canceled(attempt, 4)
    floor.fill(attempt, 4)
    floor.now_ns += SECOND
    floor.restart()
    hand = floor.at("s1")
    hand.join(ready=True)
    floor.canceled(attempt, 5)
    floor.pass_time(SECOND)
    assert attempt.query_id is not None


def test_a_word_beyond_what_was_ordered_is_not_believed_without_executions() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.canceled(attempt, 2**63)
    assert attempt.final_cum == 10


def test_what_a_venue_counted_and_asked_for_all_does_not_know_never_was() -> None:
    """I2: nothing waits for ever for an execution that nobody has."""
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.fill(attempt, 1)
    floor.expired(attempt, 6)
    floor.pass_time(1)
    floor.found(attempt, OrderStatus.EXPIRED, cum=1)
    parent = floor.state.parents[attempt.parent_id]
    assert (attempt.final_cum, parent.done_quantity) == (1, 1)
    assert (parent.phase, floor.counted("fills_never_were")) == (ParentPhase.DONE, 1)


def test_a_parent_ends_without_executions_that_nobody_tells() -> None:
    """I2: the quantity is known, the price is not; it goes on asking now and then."""
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.expired(attempt, 6)
    parent = floor.state.parents[attempt.parent_id]
    floor.pass_time(29 * SECOND)
    assert parent.phase is ParentPhase.WORKING
    floor.pass_time(2 * SECOND)
    assert (parent.outcome, parent.done_quantity) == (Outcome.INCOMPLETE, 6)
    assert parent.text == "the venue counts more executions than it told"
    asked = floor.counted("questions")
    floor.pass_time(30 * SECOND)
    assert 5 <= floor.counted("questions") - asked <= 8
    floor.fill(attempt, 6)
    assert floor.state.seats["s1"].open == {}


@pytest.mark.parametrize("code", sorted(DEFINITE))
def test_a_definite_refusal_gives_everything_back(code: RejectCode) -> None:
    """F14."""
    floor, attempt = one_order()
    floor.rejected(attempt, code, "so it is")
    assert (attempt.phase, attempt.ending) == (Phase.FINAL, Ending.REFUSED)
    assert attempt.text == f"{code}: so it is"


@pytest.mark.parametrize("code", sorted(set(RejectCode) - DEFINITE - {RejectCode.DUPLICATE_ID}))
def test_a_refusal_that_proves_nothing_makes_it_unknown_with_its_reservations(
    code: RejectCode,
) -> None:
    """F13."""
    floor, attempt = one_order()
    floor.rejected(attempt, code)
    assert attempt.phase is Phase.UNKNOWN
    assert floor.state.seats["s1"].reserved_cash["USD"] == 100
    assert floor.counted("unclear_refusals") == 1


def test_a_refusal_of_an_order_that_lives_is_a_contradiction_and_asked_about() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.rejected(attempt)
    assert attempt.phase is Phase.LIVE
    floor.pass_time(1)
    assert len([one for one in floor.sent(link.Ask)]) == 1


def test_late_reports_about_an_ended_order_change_nothing() -> None:
    """F9."""
    floor, attempt = one_order()
    floor.fill(attempt, 10)
    before = attempt.hops[:]
    floor.accept(attempt)
    floor.rejected(attempt)
    floor.expired(attempt)
    floor.timed_out(attempt)
    floor.not_sent(attempt)
    floor.cancel_rejected(attempt, CancelCode.FINAL)
    assert attempt.ending is Ending.FILLED
    assert attempt.hops == before


def test_an_id_that_the_venue_knows_is_asked_about_at_once() -> None:
    """F3: class A; there is no waiting for the expiry of what is there."""
    floor, attempt = one_order()
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    assert floor.counted("unknown") == 1
    floor.pass_time(1)
    floor.found(attempt, OrderStatus.NEW)
    assert attempt.phase is Phase.LIVE


def test_a_time_out_makes_it_unknown_once() -> None:
    """F13."""
    floor, attempt = one_order()
    floor.timed_out(attempt)
    floor.timed_out(attempt)
    assert (attempt.phase, floor.counted("unknown")) == (Phase.UNKNOWN, 1)


def test_what_a_worker_did_not_hand_over_goes_back() -> None:
    floor, attempt = one_order()
    floor.not_sent(attempt, link.NotSentReason.RISK)
    assert (attempt.ending, attempt.text) == (Ending.NOT_SENT, "risk")
    again = floor.attempts(attempt.parent_id)[1]
    key = again.order.client_order_id
    told = link.NotSent(client_order_id=key, reason=link.NotSentReason.LEASE, text="over")
    floor.at("s1").report(told)
    assert again.text == "lease: over"


def test_what_an_order_that_lives_is_said_not_to_have_been_changes_nothing() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.not_sent(attempt)
    assert attempt.phase is Phase.LIVE


def test_unknown_order_in_answer_to_a_cancel_settles_nothing() -> None:
    """The cancel may have overtaken its order: cancel again once the order is found."""
    floor, attempt = one_order()
    floor.cancel(attempt.parent_id)
    assert len(floor.sent(link.Withdraw)) == 1
    floor.cancel_rejected(attempt, CancelCode.UNKNOWN_ORDER)
    assert attempt.phase is Phase.RELEASED
    floor.accept(attempt)
    assert len(floor.sent(link.Withdraw)) == 1
    floor.canceled(attempt)
    parent = floor.state.parents[attempt.parent_id]
    assert (attempt.ending, parent.outcome) == (Ending.CANCELED, Outcome.CANCELED)


def test_a_cancel_that_comes_after_the_end_asks_how_it_ended() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    floor.cancel_rejected(attempt, CancelCode.FINAL)
    floor.pass_time(1)
    floor.found(attempt, OrderStatus.FILLED, [fill_of(attempt, 10, "lost")])
    assert attempt.ending is Ending.FILLED
    assert floor.counted("fills_by_query") == 1


def test_a_cancel_is_repeated_until_it_is_answered() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.cancel(attempt.parent_id)
    effects = floor.pass_time(2 * SECOND)
    assert len(floor.sent(link.Withdraw, effects)) == 3
    assert floor.cancel(attempt.parent_id).text == "d-1 is being canceled"  # type: ignore[union-attr]
    assert floor.sent(link.Withdraw) == []


def test_a_cancel_without_a_worker_waits_for_the_next() -> None:
    """F2."""
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.at("s1").die()
    floor.cancel(attempt.parent_id)
    assert floor.sent(link.Withdraw) == []
    spare = floor.spare()
    spare.ready()
    assert [one.client_order_id for one in floor.sent(link.Withdraw)] == [
        attempt.order.client_order_id
    ]


def test_a_found_record_of_a_refusal_ends_the_only_send() -> None:
    floor, attempt = one_order()
    floor.rejected(attempt, RejectCode.DUPLICATE_ID)
    floor.pass_time(1)
    floor.found(attempt, OrderStatus.REJECTED)
    assert (attempt.ending, attempt.text) == (Ending.REFUSED, "the venue has it as refused")


def test_an_answer_that_it_still_lives_does_not_raise_the_dead() -> None:
    floor, attempt = one_order()
    floor.accept(attempt)
    floor.canceled(attempt, 4)
    floor.pass_time(1)
    floor.found(attempt, OrderStatus.PARTIALLY_FILLED, [fill_of(attempt, 3, "e")])
    assert (attempt.phase, attempt.missing) == (Phase.FINAL, 1)


def test_a_venue_of_class_c_leaves_it_to_a_person() -> None:
    """What no machine can settle blocks the instrument on that account, and is shown."""
    floor, attempt = one_order(fence_class=FenceClass.NEITHER)
    floor.timed_out(attempt)
    assert attempt.for_person
    refused = floor.refusal(floor.place(Side.BUY, 1, slots=("s1",)))
    assert refused.reason == "blocked"
    floor.buy(1, 1_000, slots=("s2",))
    floor.accept(attempt)
    assert not attempt.for_person
    assert floor.state.seats["s1"].blocked == {}


def test_two_orders_for_a_person_block_until_both_are_settled() -> None:
    floor, first = one_order(fence_class=FenceClass.NEITHER)
    second = floor.attempts(floor.buy(5, slots=("s1",)))[0]
    floor.timed_out(first)
    floor.timed_out(second)
    floor.accept(first)
    assert list(floor.state.seats["s1"].blocked.values()) == [1]
    floor.accept(second)
    assert floor.state.seats["s1"].blocked == {}


def test_what_a_person_said_and_the_venue_says_later_is_booked_once() -> None:
    """I5."""
    floor, attempt = one_order(fence_class=FenceClass.NEITHER)
    floor.timed_out(attempt)
    floor.ask(
        ResolveOrder(
            client_order_id=attempt.order.client_order_id,
            lived=True,
            cum_quantity=Lots(6),
            price=Ticks(1_000),
        )
    )
    floor.fill(attempt, 4, execution="a")
    floor.fill(attempt, 2, execution="b")
    assert (attempt.cum_quantity, floor.counted("fills_known_by_hand")) == (6, 2)
    floor.fill(attempt, 1, execution="c")
    assert attempt.cum_quantity == 7


def test_a_report_about_nobody_or_before_its_release_is_counted_and_dropped() -> None:
    floor = Floor().open()
    floor.at("s2").not_ready()
    planned = floor.attempts(floor.buy(10, slots=("s2",)))[0]
    floor.fill(planned, 10)
    assert planned.phase is Phase.PLANNED
    assert floor.counted("reports_before_release") == 1
    key = planned.order.client_order_id
    floor.state.attempts.pop(key)
    floor.look_away()
    floor.at("s1").report(link.TimedOut(client_order_id=key))
    assert floor.counted("reports_of_unknown_orders") == 1


def test_a_late_report_of_a_worker_that_lost_its_account_counts() -> None:
    """I5: reports are known by their order, whoever brings them."""
    floor = Floor().open()
    attempt = floor.attempts(floor.buy(10, slots=("s4",)))[0]
    before = floor.at("s4")
    floor.cancel(attempt.parent_id)
    floor.canceled(attempt)
    floor.command(SetUpPool(workers=2))
    assert floor.state.seats["s4"].holder is None
    floor.fill(attempt, 3, by=before)
    assert (attempt.final_cum, attempt.cum_quantity) == (3, 3)


def test_a_life_story_has_an_end() -> None:
    floor, attempt = one_order(quantity=1_000)
    for number in range(100):
        floor.fill(attempt, 1, execution=str(number))
    assert len(attempt.hops) == HOPS_MAX


def test_an_order_that_was_to_end_at_once_is_not_tried_again() -> None:
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",), time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
    (attempt,) = floor.attempts(parent)
    floor.fill(attempt, 3)
    floor.canceled(attempt)
    assert (parent.outcome, parent.done_quantity) == (Outcome.INCOMPLETE, 3)
