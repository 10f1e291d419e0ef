"""Releasing a wave together, waiting for who is not ready, and what was never sent."""

import pytest

from tandem.core.trading.state import Ending, Outcome, ParentPhase, Phase
from tandem.domain import link
from tandem.domain.order import FenceClass
from tandem.domain.parents import Split, WhenUnready
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor, settings_of


def test_all_children_of_a_wave_leave_together_with_the_same_times() -> None:
    """A10 C4: one parent of 1000 over eight accounts is eight children."""
    floor = Floor(settings_of(slots=8)).open()
    floor.buy(1_000)
    sent = floor.sent(link.Release)
    assert [one.account_id for one in sent] == [f"A{n}" for n in range(1, 9)]
    assert sum(one.order.quantity for one in sent) == 1_000
    venue_ns = floor.now_ns + floor.offset_ns
    assert {one.order.expires_at_ns for one in sent} == {venue_ns + SECOND}
    assert {one.release_by_ns for one in sent} == {venue_ns + 700 * MS}
    assert {one.send_number for one in sent} == {1}
    assert {one.parent_quantity_left for one in sent} == {1_000}


def test_each_slot_gets_the_whole_quantity_when_told_so() -> None:
    """A10: "simply synchronise the trades"."""
    floor = Floor().open()
    parent = floor.buy(7, split=Split.EACH)
    assert [one.order.quantity for one in floor.sent(link.Release)] == [7, 7, 7, 7]
    assert parent.quantity == 28


@pytest.mark.parametrize("fence_class", [FenceClass.UNIQUE, FenceClass.NEITHER])
def test_only_class_a_requests_expire(fence_class: FenceClass) -> None:
    floor = Floor(settings_of(fence_class=fence_class)).open()
    floor.buy(1, slots=("s1",))
    (sent,) = floor.sent(link.Release)
    assert sent.order.expires_at_ns is None


def test_a_wave_waits_until_its_last_slot_is_ready() -> None:
    """Always as a whole: nothing is released while one of them could not follow."""
    floor = Floor().open()
    floor.at("s3").not_ready()
    floor.buy(40)
    assert floor.sent(link.Release) == []
    floor.pass_time(SECOND)
    floor.at("s3").ready()
    assert len(floor.sent(link.Release)) == 4
    floor.replay()


def test_who_is_not_ready_in_time_is_left_out_and_the_others_take_its_share() -> None:
    """A17 C4."""
    floor = Floor().open()
    floor.at("s3").not_ready()
    parent = floor.buy(40)
    effects = floor.pass_time(2 * SECOND)
    sent = floor.sent(link.Release, effects)
    assert sorted(one.account_id for one in sent) == ["A1", "A1", "A2", "A4"]
    assert sum(one.order.quantity for one in sent) == 40
    assert floor.attempts(parent)[2].ending is Ending.WITHDRAWN


def test_or_nothing_is_released_at_all() -> None:
    floor = Floor().open()
    floor.at("s3").not_ready()
    parent = floor.buy(40, when_unready=WhenUnready.GIVE_UP)
    effects = floor.pass_time(2 * SECOND)
    assert floor.sent(link.Release, effects) == []
    assert (parent.outcome, parent.text) == (Outcome.CANCELED, "s3 was not ready in time")


def test_with_no_slot_left_the_parent_ends_at_its_deadline() -> None:
    """I2: nothing waits for ever."""
    floor = Floor().open()
    for hand in floor.all_hands():
        hand.die()
    parent = floor.buy(40)
    floor.pass_time(40 * SECOND)
    assert (parent.outcome, parent.done_quantity) == (Outcome.INCOMPLETE, 0)
    assert parent.text == "no slot could take what was left"
    assert floor.counted("pieces_dropped") == 4


def test_an_instrument_that_waits_for_a_person_is_not_released_on_that_account() -> None:
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    (lost,) = floor.attempts(floor.buy(5, slots=("s1",)))
    floor.at("s2").not_ready()
    parent = floor.buy(20, slots=("s1", "s2"))
    floor.timed_out(lost)
    floor.at("s2").ready()
    assert floor.sent(link.Release) == []
    effects = floor.pass_time(2 * SECOND)
    assert [one.account_id for one in floor.sent(link.Release, effects)] == ["A2", "A2"]
    assert parent.moves == 1


def test_a_wave_waits_for_a_clock_that_is_trusted() -> None:
    """Beyond its bound nothing new leaves."""
    floor = Floor().open()
    floor.at("s1").not_ready()
    floor.buy(4)
    floor.at("s2").clock(floor.offset_ns + SECOND)
    floor.at("s1").say(
        link.Ready(
            account_id=floor.state.seats["s1"].account_id,
            account_epoch=1,
            balances=floor.balances(floor.state.seats["s1"].account_id),
        )
    )
    assert floor.sent(link.Release) == []
    floor.at("s2").clock(floor.offset_ns + SECOND)
    assert len(floor.sent(link.Release)) == 4


# -- what a worker run does not know


def test_what_the_same_run_does_not_know_was_never_sent_and_is_released_again() -> None:
    """F2: the same attempt with the same times, under a new send number."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    (first,) = floor.sent(link.Release)
    hand = floor.at("s1")
    hand.lose()
    floor.now_ns += 100 * MS
    hand.join(ready=True, seen=False)
    (again,) = floor.sent(link.Release)
    assert again.send_number == 2
    assert (again.order, again.release_by_ns) == (first.order, first.release_by_ns)
    assert (attempt.phase, floor.counted("released_again")) == (Phase.RELEASED, 1)
    floor.replay()


def test_what_the_run_knows_is_left_alone() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    hand = floor.at("s1")
    hand.seen = {attempt.order.client_order_id: link.Progress.SENT}
    hand.lose()
    hand.join(ready=True)
    assert floor.sent(link.Release) == []
    assert attempt.phase is Phase.RELEASED


def test_a_run_that_had_to_forget_proves_nothing() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.at("s1").join(ready=True, seen=False, seen_all=False)
    assert (attempt.phase, attempt.sends) == (Phase.RELEASED, 1)


def test_another_run_that_does_not_know_it_proves_nothing() -> None:
    """F5: only the run that it was handed to can say."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.at("s1").die()
    floor.spare().ready()
    floor.at("s1").join(ready=True, seen=False)
    assert (attempt.phase, attempt.sends) == (Phase.UNKNOWN, 1)


def test_what_was_handed_out_twice_is_not_proved_unsent() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    hand = floor.at("s1")
    hand.join(ready=True, seen=False)
    hand.join(ready=True, seen=False)
    assert (attempt.phase, attempt.sends) == (Phase.RELEASED, 2)


@pytest.mark.parametrize("why", ["too late", "not ready", "canceled", "halted"])
def test_what_may_not_go_again_goes_back_to_its_parent(why: str) -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    hand = floor.at("s1")
    if why == "too late":
        floor.pass_time(701 * MS)
    elif why == "canceled":
        floor.cancel(attempt.parent_id)
    elif why == "halted":
        floor.halt()
    hand.join(ready=why != "not ready", seen=False)
    assert attempt.ending is Ending.NEVER_SENT


def test_a_worker_that_no_longer_fills_the_slot_proves_it_too() -> None:
    """F19: such a statement also settles what a restart made UNKNOWN."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    hand = floor.at("s1")
    floor.restart()
    assert attempt.phase is Phase.UNKNOWN
    floor.pass_time(SECOND)
    hand.join(ready=True, seen=False)
    assert attempt.ending is Ending.NEVER_SENT
    parent = floor.state.parents[attempt.parent_id]
    assert parent.phase is ParentPhase.WORKING


def test_every_hello_is_told_what_the_worker_holds() -> None:
    floor = Floor().open()
    hand = floor.at("s1")
    hand.join(ready=True)
    (word,) = floor.sent(link.Welcome)
    assert (word.account_id, word.account_epoch, word.halted) == ("A1", 1, False)
    floor.halt()
    floor.hand("w9").join()
    (word,) = floor.sent(link.Welcome)
    assert (word.account_id, word.account_epoch, word.halted) == (None, 0, True)
