"""An order that is lowered where it is: only by the venues' words, and never below what traded."""

import pytest

from tandem.core.trading.state import Attempt, Ending, Outcome, Parent, Phase
from tandem.domain.commands import Done
from tandem.domain.link import Amend, Progress, Withdraw
from tandem.domain.order import OrderStatus
from tandem.domain.venue import AmendCode
from tests.unit.core.trading.desk_driver import SECOND, Floor, fill_of


def resting(quantity: int = 100, slots: int = 4) -> tuple[Floor, Parent, list[Attempt]]:
    """An order that rests in equal parts."""
    floor = Floor().open()
    parent = floor.buy(quantity, slots=[f"s{one}" for one in range(1, slots + 1)])
    attempts = floor.attempts(parent)
    for one in attempts:
        floor.accept(one)
    return floor, parent, attempts


def targets(floor: Floor) -> list[int]:
    return [int(one.quantity) for one in floor.sent(Amend)]


def test_it_is_lowered_where_it_rests_and_counts_in_full_until_its_venue_says_so() -> None:
    """I1, A7: every venue is told the whole quantity, and each word gives a part back."""
    floor, parent, attempts = resting()
    assert floor.replace(parent, 60) == Done(
        text="d-1 is being lowered; it keeps its place in the queue"
    )
    assert targets(floor) == [15, 15, 15, 15]
    assert not floor.sent(Withdraw)
    seat = floor.state.seats["s1"]
    for number, one in enumerate(attempts):
        assert (parent.quantity, parent.allocated) == (100 - 10 * number, 100 - 10 * number)
        assert parent.text == "being lowered"
        floor.amended(one, 15)
    assert (parent.quantity, parent.allocated, parent.text) == (60, 60, "lowered")
    assert (parent.spec.quantity, parent.replacement) == (60, None)
    assert seat.reserved_cash["USD"] == 150
    assert [one.wanted_quantity for one in attempts] == [None] * 4
    assert len(parent.attempts) == 4
    for one in attempts:
        floor.fill(one, 15)
    assert parent.outcome is Outcome.FILLED
    floor.replay()


def test_what_is_too_little_to_share_is_taken_from_the_first() -> None:
    floor, parent, _ = resting(20, 2)
    floor.replace(parent, 19)
    assert targets(floor) == [9]


def test_a_lost_answer_is_asked_for_again_by_the_same_figure() -> None:
    """F9, F13: a repeat changes nothing at the venue, and a query shows what is true."""
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    for _ in range(3):
        effects = floor.pass_time(SECOND)
        assert {int(one.quantity) for one in floor.sent(Amend, effects)} == {6}
        floor.found(attempt, quantity=10)  # a venue's answer may be old
        assert parent.quantity == 10
    floor.pass_time(SECOND)
    floor.found(attempt, quantity=6)
    assert (parent.quantity, attempt.order.quantity, parent.replacement) == (6, 6, None)
    assert floor.counted("amends_by_query") == 1
    floor.amended(attempt, 6)
    assert floor.counted("amends_repeated") == 1
    assert not floor.sent(Amend, floor.pass_time(4 * SECOND))


def test_an_order_that_filled_by_its_lower_quantity_is_found_to_have_ended() -> None:
    """F13: the word of the amendment was lost, and so were the fills."""
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.pass_time(SECOND)
    floor.found(attempt, OrderStatus.FILLED, [fill_of(attempt, 6, "e1")], quantity=6)
    assert (parent.outcome, parent.done_quantity, parent.quantity) == (Outcome.FILLED, 6, 6)


def test_fills_that_came_before_the_word_end_it_with_the_word() -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.fill(attempt, 6)
    assert attempt.phase is Phase.LIVE
    floor.amended(attempt, 6)
    assert (attempt.ending, parent.outcome) == (Ending.FILLED, Outcome.FILLED)


def test_a_word_below_what_has_traded_lowers_it_to_that_and_nonsense_changes_nothing() -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    for quantity in (0, -5, 10, 11):
        floor.amended(attempt, quantity)
    assert parent.quantity == 10
    floor.fill(attempt, 7)
    floor.amended(attempt, 6)
    assert (parent.outcome, parent.done_quantity) == (Outcome.FILLED, 7)
    assert parent.text == "more had traded than it was to be lowered to"
    floor.amended(attempt, 5)
    assert floor.counted("amends_late") == 1


def test_what_nobody_knows_about_waits_until_it_is_found() -> None:
    """F13, I1."""
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.timed_out(attempt)
    floor.replace(parent, 6)
    assert not floor.sent(Amend)
    assert not floor.sent(Amend, floor.pass_time(4 * SECOND))
    assert parent.quantity == 10
    floor.found(attempt, quantity=10)
    assert targets(floor) == [6]
    floor.amended(attempt, 6)
    assert parent.quantity == 6


def test_what_was_released_is_asked_for_when_its_venue_has_it() -> None:
    floor = Floor().open()
    parent = floor.buy(10, slots=("s1",))
    (attempt,) = floor.attempts(parent)
    floor.replace(parent, 6)
    assert not floor.sent(Amend)
    floor.accept(attempt)
    assert targets(floor) == [6]


def test_what_was_not_released_yet_is_lowered_at_once_or_never_leaves() -> None:
    floor = Floor().open()
    floor.at("s2").not_ready()
    parent = floor.buy(10, slots=("s1", "s2"))
    first, second = floor.attempts(parent)
    floor.replace(parent, 3)
    assert (first.ending, second.order.quantity) == (Ending.WITHDRAWN, 3)
    assert (parent.quantity, parent.replacement) == (3, None)
    floor.at("s2").ready()
    assert (second.phase, second.order.quantity) == (Phase.RELEASED, 3)


def test_what_waits_to_be_tried_again_is_taken_first() -> None:
    floor, parent, (first, second) = resting(20, 2)
    floor.quote(3_000)
    floor.canceled(first, 4)
    floor.replace(parent, 16)
    assert not floor.sent(Amend)
    assert ([one.quantity for one in parent.pieces], parent.quantity) == ([2], 16)
    floor.replace(parent, 11)
    assert (parent.pieces, targets(floor)) == ([], [7])
    floor.amended(second, 7)
    assert (parent.quantity, parent.text) == (11, "lowered")


def test_what_ends_meanwhile_is_not_tried_again_until_all_are_lowered() -> None:
    """I1: what another venue may not give up can still be taken from it."""
    floor, parent, attempts = resting()
    floor.replace(parent, 60)
    floor.canceled(attempts[0], 0)
    assert [one.quantity for one in parent.pieces] == [15]
    assert len(parent.attempts) == 4
    floor.amended(attempts[1], 15)
    floor.amend_rejected(attempts[2], AmendCode.TRADED)
    floor.amended(attempts[3], 15)
    floor.fill(attempts[2], 22)
    floor.canceled(attempts[2])
    assert (parent.quantity, parent.replacement) == (60, None)
    assert floor.attempts(parent)[-1].order.quantity == 8
    floor.replay()


def test_an_amendment_that_comes_too_late_is_a_result_and_the_others_give_up_more() -> None:
    """A7, I1: the venue has traded as much already, so all that is left there is too much."""
    floor, parent, (first, second) = resting(20, 2)
    floor.replace(parent, 12)
    floor.amend_rejected(first, AmendCode.TRADED)
    assert floor.counted("amends_too_late") == 1
    assert [one.client_order_id for one in floor.sent(Withdraw)] == [first.order.client_order_id]
    floor.fill(first, 10)
    floor.amended(second, 6)
    # Four more than was hoped for: the second is asked once more, for its one copy was obeyed.
    assert targets(floor) == [2]
    floor.amended(second, 2)
    assert (parent.quantity, parent.done_quantity, parent.text) == (12, 10, "lowered")


def test_when_all_has_traded_before_it_stays_what_it_was() -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.fill(attempt, 10)
    assert (parent.outcome, parent.quantity) == (Outcome.FILLED, 10)
    assert parent.text == "more had traded than it was to be lowered to"
    assert floor.counted("replaces_too_late") == 1


def test_to_what_has_traded_is_to_cancel_what_is_left() -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.fill(attempt, 4)
    floor.replace(parent, 4)
    assert floor.sent(Withdraw)
    assert not floor.sent(Amend)
    floor.canceled(attempt)
    assert (parent.outcome, parent.quantity) == (Outcome.FILLED, 4)


def test_a_venue_that_will_not_amend_gets_a_new_order_for_what_is_left() -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.amend_rejected(attempt, AmendCode.BAD_QUANTITY)
    assert floor.sent(Withdraw)
    floor.canceled(attempt, 1)
    again = floor.attempts(parent)[1]
    assert (again.order.quantity, parent.quantity, parent.replacement) == (5, 6, None)
    assert floor.counted("attempts_remade") == 1


@pytest.mark.parametrize("code", [AmendCode.UNKNOWN_ORDER, AmendCode.FINAL])
def test_that_the_order_is_unknown_or_over_proves_nothing_and_is_looked_at(code: AmendCode) -> None:
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.amend_rejected(attempt, code)
    assert (attempt.phase, attempt.wanted_quantity) == (Phase.LIVE, 6)
    assert floor.sent(Amend, floor.pass_time(SECOND))
    floor.canceled(attempt, 2)
    floor.amend_rejected(attempt, code)
    assert floor.attempts(parent)[1].order.quantity == 4
    floor.amend_rejected(floor.attempts(parent)[1], AmendCode.TRADED)
    assert not floor.attempts(parent)[1].cancel_wanted  # nothing was asked of this one


def test_a_second_figure_is_sent_only_when_no_copy_of_the_first_can_come_later() -> None:
    """F9: an old copy that came after it would raise the order again."""
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 8)
    floor.replace(parent, 6)  # waits: the first is not confirmed
    assert not floor.sent(Amend)
    floor.amended(attempt, 8)
    assert targets(floor) == [6]
    floor.pass_time(SECOND)  # asked again: two copies are under way
    floor.amended(attempt, 6)
    floor.replace(parent, 5)
    assert not floor.sent(Amend)
    assert floor.sent(Withdraw)
    floor.canceled(attempt, 0)
    assert floor.attempts(parent)[1].order.quantity == 5
    assert parent.quantity == 5


def test_a_worker_that_takes_over_asks_again() -> None:
    """C2."""
    floor, parent, (attempt,) = resting(10, 1)
    spare = floor.spare()
    floor.replace(parent, 6)
    floor.at("s1").die()
    effects = spare.ready()
    assert [int(one.quantity) for one in floor.sent(Amend, effects)] == [6]
    floor.amended(attempt, 6)
    assert parent.quantity == 6


def test_a_worker_that_is_away_is_asked_when_it_is_back() -> None:
    floor, parent, _ = resting(10, 1)
    hand = floor.at("s1")
    hand.lose()
    floor.replace(parent, 6)
    assert not floor.sent(Amend)
    hand.join(ready=True)
    effects = hand.ready()
    assert [int(one.quantity) for one in floor.sent(Amend, effects)] == [6]


def test_a_coordinator_that_comes_back_asks_again() -> None:
    """F19."""
    floor, parent, (attempt,) = resting(10, 1)
    floor.replace(parent, 6)
    floor.restart()
    for hand in floor.all_hands():
        hand.seen = {attempt.order.client_order_id: Progress.SENT}
        hand.join(ready=True)
        hand.ready()
    effects = floor.pass_time(SECOND)
    assert 6 in [int(one.quantity) for one in floor.sent(Amend, effects)]
    floor.amended(attempt, 6)
    assert (parent.quantity, parent.text) == (6, "lowered")
    floor.replay()


def test_a_cancel_ends_it_in_the_middle() -> None:
    floor, parent, (first, second) = resting(20, 2)
    floor.replace(parent, 10)
    floor.cancel(parent.parent_id)
    assert parent.replacement is None
    floor.amended(first, 5)
    floor.canceled(first, 0)
    floor.canceled(second, 0)
    assert parent.outcome is Outcome.CANCELED
