"""Workers on other computers: silence never proves death, and no account has two traders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.core.trading.lease import LEASE_NS
from tandem.core.trading.parting import ABSENT_MAX
from tandem.core.trading.pool import DRAIN_LOOK_NS
from tandem.core.trading.state import Attempt, Phase, PoolPhase, Seat
from tandem.domain import link
from tandem.domain.commands import Done, DrainWorker, SetUpPool, SwapWorker
from tandem.domain.desk import DeskEffect, LeaseLapsed, VenueSettings
from tandem.domain.ids import AccountId, Incarnation, SlotId
from tandem.domain.order import FenceClass
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor, Hand, X, settings_of

VENUE = VenueSettings(venue_id=X)
A1, A2 = AccountId("A1"), AccountId("A2")
LEASED = (FenceClass.UNIQUE, FenceClass.NEITHER)
ALL = tuple(FenceClass)


def pool(
    fence_class: FenceClass = FenceClass.EXPIRES, *, spares: int = 1, slots: int = 2
) -> tuple[Floor, Hand]:
    """Return a pool whose workers are all elsewhere, and the first of its spares."""
    floor = Floor(settings_of(fence_class=fence_class, slots=slots)).open(elsewhere=True)
    hands = [floor.spare(f"spare{n}", f"machine{n}") for n in range(1, spares + 1)]
    return floor, hands[0] if hands else floor.at("s1")


def seat(floor: Floor, slot: str = "s1") -> Seat:
    found = floor.state.seats[SlotId(slot)]
    assert isinstance(found, Seat)
    return found


def buy_one(floor: Floor) -> Attempt:
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    return attempt


def sent_on(floor: Floor, hand: Hand, attempt: Attempt) -> None:
    hand.seen[attempt.order.client_order_id] = link.Progress.SENT
    floor.accept(attempt, by=hand)


def drain(floor: Floor, hand: Hand) -> list[DeskEffect]:
    assert floor.ask(DrainWorker(worker=hand.name)) == Done(
        text=f"{hand.name} takes no other account"
    )
    return floor.effects


# -- silence


@pytest.mark.parametrize("fence_class", ALL)
def test_a_silent_worker_elsewhere_is_not_killed_and_nothing_more_is_released_to_it(
    fence_class: FenceClass,
) -> None:
    """F8 C2: it may live."""
    floor, spare = pool(fence_class)
    buy_one(floor)
    floor.at("s1").silent()
    assert floor.effects == []
    assert spare.account_id is None
    buy_one(floor)
    assert floor.sent(link.Release) == []
    assert floor.counted("takeovers_needed") == 1


def test_with_nothing_under_way_its_account_is_free_at_once_where_requests_expire() -> None:
    """C2: class A."""
    floor, spare = pool()
    sent_on(floor, floor.at("s1"), buy_one(floor))
    floor.at("s1").silent()
    (grant,) = floor.sent(link.Grant, floor.pass_time(0))
    assert (spare.account_id, grant.account_epoch, grant.lease_ns) == (A1, 2, None)


def test_else_its_account_is_free_when_everything_it_was_handed_has_expired() -> None:
    """C2 C9: class A, not a nanosecond before."""
    floor, spare = pool()
    first = buy_one(floor)
    floor.pass_time(100 * MS)
    buy_one(floor)
    floor.pass_time(300 * MS)
    floor.at("s1").silent()
    wait_ns = VENUE.validity_ns + VENUE.skew_ns - 300 * MS
    floor.pass_time(wait_ns - 1)
    assert spare.account_id is None
    assert first.phase is Phase.RELEASED
    floor.pass_time(1)
    assert spare.account_id == A1
    assert first.phase is Phase.UNKNOWN


def test_a_question_that_made_it_unknown_does_not_end_the_wait_for_its_expiry() -> None:
    """C9."""
    floor, spare = pool()
    attempt = buy_one(floor)
    floor.timed_out(attempt)
    assert attempt.phase is Phase.UNKNOWN
    floor.at("s1").silent()
    floor.pass_time(VENUE.validity_ns + VENUE.skew_ns - 1)
    assert spare.account_id is None
    floor.pass_time(1)
    assert spare.account_id == A1


def test_while_no_venue_clock_is_known_our_own_clock_ends_the_wait() -> None:
    """F19: after a restart, and the first silence."""
    floor, spare = pool()
    buy_one(floor)
    floor.pass_time(200 * MS)
    floor.restart()
    spare.join()
    floor.hands[Incarnation("i-w1")].silent()
    assert floor.state.clocks[X].offset_ns is None
    floor.pass_time(VENUE.validity_ns + 2 * VENUE.skew_ns - 1)
    assert spare.account_id is None
    floor.pass_time(1)
    assert spare.account_id == A1


@pytest.mark.parametrize("fence_class", LEASED)
def test_elsewhere_without_expiry_only_the_end_of_its_lease_frees_an_account(
    fence_class: FenceClass,
) -> None:
    """C2 F8: classes B and C."""
    floor, spare = pool(fence_class)
    attempt = buy_one(floor)
    floor.at("s1").silent()
    floor.pass_time(60 * SECOND)
    assert spare.account_id is None
    floor.lapse("s1")
    assert spare.account_id == A1
    assert spare.account_epoch == 2
    assert attempt.phase is Phase.UNKNOWN
    assert floor.counted("leases_lapsed") == floor.counted("takeovers") == 1
    (granted,) = floor.sent(link.Grant)
    assert granted.lease_ns == LEASE_NS


def test_the_end_of_a_lease_takes_the_account_from_a_worker_that_is_heard_as_well() -> None:
    """Its heartbeats may be lost while its other words are not."""
    floor, spare = pool(FenceClass.UNIQUE)
    hand = floor.at("s1")
    floor.lapse("s1")
    assert [one.account_id for one in floor.sent(link.Revoke)] == [A1]
    assert hand.account_id is None
    assert spare.account_id == A1


def test_the_end_of_another_lease_than_the_present_one_ends_nothing() -> None:
    """I3: an older epoch, another account, an account that is nobody's."""
    floor, _ = pool(FenceClass.UNIQUE, spares=0)
    floor.lapse("s1", epoch=9)
    floor.on(LeaseLapsed(account_id=AccountId("?"), account_epoch=1))
    assert seat(floor).holder == "i-w1"
    floor.at("s1").silent()
    floor.lapse("s1")
    floor.hands[Incarnation("i-w1")].lose()
    before = floor.counted("leases_lapsed")
    floor.lapse("s1")
    assert floor.counted("leases_lapsed") == before == 1


@pytest.mark.parametrize("fence_class", ALL)
def test_who_is_heard_of_again_in_time_goes_on(fence_class: FenceClass) -> None:
    """F8: a takeover averted."""
    floor, spare = pool(fence_class)
    hand = floor.at("s1")
    attempt = buy_one(floor)
    sent_on(floor, hand, attempt)
    hand.silent()
    hand.join(ready=True)
    assert floor.counted("takeovers_averted") == 1
    floor.pass_time(2 * SECOND)
    assert spare.account_id is None
    assert seat(floor).holder == hand.incarnation
    buy_one(floor)
    assert len(floor.sent(link.Release)) == 1


def test_two_silences_of_one_worker_are_two_takeovers_needed_and_each_waits_for_all() -> None:
    floor, spare = pool()
    hand = floor.at("s1")
    hand.silent()
    hand.silent()
    assert floor.counted("takeovers_needed") == 1
    hand.join(ready=True)
    attempt = buy_one(floor)
    hand.silent()
    assert floor.counted("takeovers_needed") == 2
    floor.pass_time(VENUE.validity_ns)
    assert spare.account_id is None
    assert attempt.phase is Phase.RELEASED


def test_what_is_released_in_between_is_waited_for_too() -> None:
    """An alarm of the first silence rings, and everything is counted anew."""
    floor, spare = pool()
    hand = floor.at("s1")
    buy_one(floor)
    hand.silent()
    floor.pass_time(500 * MS)
    hand.join(ready=True)
    late = buy_one(floor)
    sent_at_ns = floor.now_ns
    hand.silent()
    floor.pass_time(700 * MS)
    assert spare.account_id is None
    floor.now_ns = max(floor.now_ns, sent_at_ns)
    floor.pass_time(sent_at_ns + VENUE.validity_ns + VENUE.skew_ns - floor.now_ns)
    assert spare.account_id == A1
    assert late.phase is Phase.UNKNOWN


def test_after_its_replacement_a_zombie_is_welcomed_without_an_account() -> None:
    """C2 F8: and waits behind all other spares."""
    floor, spare = pool()
    zombie = floor.at("s1")
    zombie.silent()
    floor.pass_time(0)
    assert spare.account_id == A1
    zombie.join(ready=True)
    (welcome,) = floor.sent(link.Welcome)
    assert welcome.account_id is None
    zombie.account_id = None
    other = floor.spare("spare2", "machine2")
    floor.at("s2").silent()
    floor.pass_time(0)
    assert zombie.account_id == A2  # it waits longer than the other
    assert other.account_id is None


def test_without_a_spare_the_seat_is_empty_until_somebody_comes() -> None:
    floor, _ = pool(spares=0)
    hand = floor.at("s1")
    hand.silent()
    floor.pass_time(0)
    assert seat(floor).holder is None
    hand.join()
    assert (hand.account_id, hand.account_epoch) == (A1, 2)


def test_a_silent_spare_elsewhere_holds_nothing_and_gets_nothing() -> None:
    floor, spare = pool()
    spare.silent()
    floor.at("s1").silent()
    floor.pass_time(SECOND)
    assert spare.account_id is None
    spare.join()
    assert spare.account_id == A1


def test_of_the_absent_only_so_many_are_remembered() -> None:
    floor, _ = pool(spares=0)
    floor.look_away()
    for number in range(ABSENT_MAX + 2):
        hand = floor.spare(f"late{number}", "far")
        hand.silent()
    names = [one.name for one in floor.state.workers.values()]
    assert "late1" not in names
    assert "late2" in names
    assert len(names) == 2 + ABSENT_MAX


@pytest.mark.parametrize("machine", [None, "m9"])
def test_a_hello_of_the_same_run_from_another_machine_is_dropped(machine: str | None) -> None:
    """A run of a process does not move."""
    floor, _ = pool()
    hand = floor.at("s1")
    hand.machine = machine
    hand.join(ready=True)
    assert floor.effects == []
    assert floor.counted("hellos_dropped") == 1
    assert seat(floor).ready


# -- whoever must go


def grey_one(floor: Floor) -> Hand:
    """Let the first worker be grey: its session is down while the other's is up."""
    hand = floor.at("s1")
    hand.not_ready()
    return hand


@pytest.mark.parametrize("fence_class", ALL)
def test_a_grey_worker_elsewhere_is_revoked_and_its_account_free_when_it_gave_it_back(
    fence_class: FenceClass,
) -> None:
    """I2 F8."""
    floor, spare = pool(fence_class)
    attempt = buy_one(floor)
    hand = grey_one(floor)
    assert floor.sent(link.Revoke, floor.pass_time(3 * SECOND - 1)) == []
    effects = floor.pass_time(1)
    assert floor.killed(effects) == []
    assert len(floor.sent(link.Revoke, effects)) == 1
    assert floor.counted("grey_workers") == 1
    if fence_class is not FenceClass.EXPIRES:
        assert floor.state.workers[hand.incarnation].unwanted
        assert spare.account_id is None
        hand.gave_back(A1)
    floor.pass_time(0)
    assert spare.account_id == A1
    assert attempt.phase is Phase.UNKNOWN
    assert not floor.state.workers[hand.incarnation].unwanted


def test_a_grey_worker_that_does_not_answer_is_not_called_grey_again() -> None:
    floor, _ = pool(FenceClass.UNIQUE)
    grey_one(floor)
    effects = floor.pass_time(30 * SECOND)
    assert len(floor.sent(link.Revoke, effects)) == 1
    assert floor.counted("grey_workers") == 1


def test_a_hello_that_still_holds_what_was_revoked_is_revoked_again() -> None:
    """F8: a reconnect renews nothing."""
    floor, spare = pool(FenceClass.UNIQUE)
    hand = grey_one(floor)
    floor.pass_time(3 * SECOND)
    hand.account_id, hand.account_epoch = A1, 1  # it never heard of it
    for _ in range(2):
        hand.join(ready=True)
        assert len(floor.sent(link.Revoke)) == 1
        hand.account_id, hand.account_epoch = A1, 1
        assert floor.counted("takeovers_averted") == 0
    assert spare.account_id is None
    floor.lapse("s1")
    assert spare.account_id == A1


def test_a_hello_without_the_account_gives_it_back() -> None:
    """Its word was lost with the connection; the same where the grant never came."""
    floor, spare = pool(FenceClass.UNIQUE)
    hand = grey_one(floor)
    floor.pass_time(3 * SECOND)
    assert hand.account_id is None
    hand.join()
    assert spare.account_id == A1
    (welcome,) = floor.sent(link.Welcome)
    assert welcome.account_id is None


def test_who_gave_back_and_is_the_only_spare_gets_the_account_anew() -> None:
    floor, _ = pool(FenceClass.UNIQUE, spares=0)
    hand = grey_one(floor)
    floor.pass_time(3 * SECOND)
    hand.gave_back(A1)
    assert (hand.account_id, hand.account_epoch) == (A1, 2)
    assert not floor.state.workers[hand.incarnation].unwanted


@pytest.mark.parametrize(("account", "epoch"), [(A1, 9), (A2, 1)])
def test_giving_back_what_one_does_not_hold_frees_nothing(account: AccountId, epoch: int) -> None:
    """I3."""
    floor, spare = pool(FenceClass.UNIQUE)
    floor.at("s1").gave_back(account, epoch)
    spare.gave_back(A1)
    assert floor.counted("old_epochs_dropped") == 2
    assert seat(floor).holder == "i-w1"


def test_a_person_swaps_a_worker_elsewhere() -> None:
    """A18."""
    floor, spare = pool(FenceClass.NEITHER)
    floor.ask(SwapWorker(slot_id=SlotId("s1")))
    assert floor.killed() == []
    assert len(floor.sent(link.Revoke)) == 1
    floor.hands[Incarnation("i-w1")].gave_back(A1)
    assert spare.account_id == A1


def test_a_worker_elsewhere_that_never_confirms_holds_nothing_that_could_be_taken() -> None:
    floor = Floor(settings_of(slots=2))
    for number in (1, 2, 3):
        floor.hand(f"w{number}", "m").join()
    floor.command(SetUpPool(workers=3))
    for hand in floor.all_hands()[:2]:
        hand.configured()
    effects = floor.pass_time(3 * SECOND)
    assert floor.counted("set_up_swapped_out") == 1
    assert floor.sent(link.Revoke, effects) == []
    late = floor.all_hands()[2]
    late.configured()
    assert floor.state.workers[late.incarnation].confirmed


def test_a_smaller_pool_waits_until_a_worker_elsewhere_gave_its_account_back() -> None:
    """It may hear of that late."""
    floor, _ = pool(FenceClass.UNIQUE, slots=4, spares=0)
    floor.command(SetUpPool(workers=2))
    assert [one.account_id for one in floor.sent(link.Revoke)] == ["A3", "A4"]
    assert seat(floor, "s3").holder == "i-w3"
    floor.hands[Incarnation("i-w3")].gave_back(AccountId("A3"))
    assert seat(floor, "s3").holder is None
    assert floor.effects == []
    floor.command(SetUpPool(workers=4))
    assert floor.state.pool.phase is PoolPhase.CONFIGURING
    floor.hands[Incarnation("i-w4")].gave_back(AccountId("A4"))
    assert len(floor.sent(link.Grant)) == 2


# -- draining


def test_a_drained_worker_hands_over_only_to_a_spare() -> None:
    """A18: no gap."""
    floor, _ = pool(spares=0)
    drain(floor, floor.at("s1"))
    assert floor.sent(link.Revoke) == []
    buy_one(floor)
    assert len(floor.sent(link.Release)) == 1
    sent_on(floor, floor.at("s1"), floor.attempts()[-1])
    spare = floor.spare("late", "far")
    assert len(floor.sent(link.Revoke)) == 1
    floor.hands[Incarnation("i-w1")].gave_back(A1)
    assert spare.account_id == A1
    assert floor.counted("drains") == 1


@pytest.mark.parametrize("machine", [None, "far"])
def test_it_is_handed_over_when_nothing_is_on_its_way_and_nothing_is_released_meanwhile(
    machine: str | None,
) -> None:
    """A18: here and elsewhere."""
    floor = Floor(settings_of(slots=2)).open(elsewhere=machine is not None)
    spare = floor.spare("spare", machine)
    hand = floor.at("s1")
    first = buy_one(floor)
    drain(floor, hand)
    second = buy_one(floor)
    assert floor.sent(link.Release) == []
    assert floor.sent(link.Revoke, floor.pass_time(3 * DRAIN_LOOK_NS)) == []
    floor.accept(first)
    assert len(floor.sent(link.Revoke, floor.pass_time(DRAIN_LOOK_NS))) == 1
    assert second.phase is Phase.PLANNED
    hand.gave_back(A1)
    assert spare.account_id == A1
    assert first.phase is Phase.LIVE
    spare.ready()
    assert [one.account_epoch for one in floor.sent(link.Release)] == [2]
    assert floor.state.workers[hand.incarnation].slot_id is None
    other = floor.at("s2")
    other.silent() if machine else other.die()
    floor.pass_time(SECOND)
    assert seat(floor, "s2").holder is None  # the drained one takes no other account
    floor.replay()


def test_two_drained_workers_do_not_both_leave_for_one_spare() -> None:
    """No gap."""
    floor, spare = pool()
    first, second = floor.at("s1"), floor.at("s2")
    assert len(floor.sent(link.Revoke, drain(floor, first))) == 1
    assert floor.sent(link.Revoke, drain(floor, second)) == []
    floor.hand("unconfirmed", "far").join()
    assert floor.sent(link.Revoke) == []
    first.gave_back(A1)
    assert floor.sent(link.Revoke) == []
    assert seat(floor, "s2").holder == second.incarnation
    late = floor.spare("late", "far")
    assert len(floor.sent(link.Revoke)) == 1
    second.gave_back(A2)
    assert (spare.account_id, late.account_id) == (A1, A2)


def test_one_spare_that_comes_late_takes_over_from_one_of_two_drained_workers() -> None:
    floor, _ = pool(spares=0)
    for slot in ("s1", "s2"):
        assert floor.sent(link.Revoke, drain(floor, floor.at(slot))) == []
    floor.spare("late", "far")
    assert [one.account_id for one in floor.sent(link.Revoke)] == [A1]


def test_a_spare_that_a_silent_worker_may_need_is_not_taken_for_a_drained_one() -> None:
    floor, _ = pool(FenceClass.UNIQUE)
    floor.at("s2").silent()
    assert floor.sent(link.Revoke, drain(floor, floor.at("s1"))) == []


def test_a_drained_worker_whose_last_word_was_lost_has_left_by_its_next_hello() -> None:
    """Else a grant that it knows already would wait for ever."""
    floor, spare = pool(FenceClass.UNIQUE)
    hand = floor.at("s1")
    drain(floor, hand)
    assert hand.account_id is None
    hand.lose()
    hand.join()
    assert spare.account_id == A1
    assert floor.sent(link.Revoke) == []


def test_a_drained_worker_that_never_heard_of_it_is_asked_again() -> None:
    floor, spare = pool(FenceClass.UNIQUE)
    hand = floor.at("s1")
    drain(floor, hand)
    hand.account_id, hand.account_epoch = A1, 1
    hand.lose()
    hand.join(ready=True)
    assert len(floor.sent(link.Revoke)) == 1
    hand.gave_back(A1)
    assert spare.account_id == A1


def test_a_drained_worker_goes_on_when_the_spare_has_gone_before_it_was_asked() -> None:
    """An alarm of the first try rings, and asks nothing."""
    floor = Floor(settings_of(slots=2)).open(elsewhere=True)
    spare = floor.spare("spare")
    hand = floor.at("s1")
    attempt = buy_one(floor)
    hand.seen[attempt.order.client_order_id] = link.Progress.SENT
    drain(floor, hand)
    spare.die()
    hand.lose()
    hand.join(ready=True)
    floor.accept(attempt)
    assert floor.sent(link.Revoke, floor.pass_time(SECOND)) == []
    buy_one(floor)
    assert len(floor.sent(link.Release)) == 1


def test_a_drained_worker_that_turns_grey_leaves_as_any_grey_one_does() -> None:
    """Class A: when everything has expired, whether it answers or not."""
    floor, spare = pool()
    hand = floor.at("s1")
    buy_one(floor)
    drain(floor, hand)
    floor.ask(SwapWorker(slot_id=SlotId("s1")))
    floor.pass_time(VENUE.validity_ns + VENUE.skew_ns - 1)
    assert spare.account_id is None
    floor.pass_time(1)
    assert spare.account_id == A1


@pytest.mark.parametrize("fence_class", ALL)
def test_a_drained_worker_here_that_is_not_connected_keeps_its_account_until_it_is_dead(
    fence_class: FenceClass,
) -> None:
    """Its right ends with its process."""
    floor = Floor(settings_of(fence_class=fence_class)).open()
    spare = floor.spare()
    hand = floor.at("s1")
    buy_one(floor)
    drain(floor, hand)
    hand.lose()
    floor.pass_time(10 * SECOND)
    assert spare.account_id is None
    hand.die()
    assert spare.account_id == A1


def test_a_worker_without_a_seat_that_is_drained_gets_none() -> None:
    floor, spare = pool()
    drain(floor, spare)
    floor.at("s1").silent()
    floor.pass_time(SECOND)
    assert spare.account_id is None


# -- the coordinator restarts in the middle


@pytest.mark.parametrize("fence_class", ALL)
def test_a_silent_worker_is_still_being_left_after_a_restart(fence_class: FenceClass) -> None:
    """F19: with all of its time before it again."""
    floor, spare = pool(fence_class)
    hand = floor.at("s1")
    buy_one(floor)
    hand.silent()
    floor.pass_time(900 * MS)
    floor.restart()
    spare.join()
    floor.pass_time(VENUE.validity_ns + 2 * VENUE.skew_ns - 1)
    assert spare.account_id is None
    floor.pass_time(1)
    if fence_class is FenceClass.EXPIRES:
        assert spare.account_id == A1
    else:
        assert spare.account_id is None
        assert (A1, 1, hand.incarnation) in floor.desk.leased()
        floor.lapse("s1")
        assert spare.account_id == A1
    floor.replay()


@pytest.mark.parametrize("fence_class", ALL)
def test_who_comes_back_after_a_restart_goes_on(fence_class: FenceClass) -> None:
    """F19."""
    floor, spare = pool(fence_class)
    hand = floor.at("s1")
    hand.silent()
    floor.restart()
    spare.join()
    hand.join(ready=True)
    hand.ready()
    floor.pass_time(10 * SECOND)
    assert seat(floor).holder == hand.incarnation
    buy_one(floor)
    assert len(floor.sent(link.Release)) == 1


@pytest.mark.parametrize("fence_class", ALL)
def test_an_unwanted_worker_is_unwanted_after_a_restart(fence_class: FenceClass) -> None:
    """F19."""
    floor, spare = pool(fence_class)
    hand = floor.at("s1")
    buy_one(floor)
    floor.ask(SwapWorker(slot_id=SlotId("s1")))
    hand.account_id, hand.account_epoch = A1, 1
    floor.restart()
    hand.join(ready=True)
    assert len(floor.sent(link.Revoke)) == 1
    spare.join()
    hand.gave_back(A1)
    assert spare.account_id == A1


@pytest.mark.parametrize("machine", [None, "far"])
@pytest.mark.parametrize("fence_class", ALL)
def test_a_drained_worker_is_drained_on_after_a_restart(
    fence_class: FenceClass, machine: str | None
) -> None:
    """F19 A18: and it keeps its account meanwhile, unless all it was handed has expired."""
    floor = Floor(settings_of(fence_class=fence_class, slots=2))
    floor.open(elsewhere=machine is not None)
    spare = floor.spare("spare", machine)
    hand = floor.at("s1")
    sent_on(floor, hand, buy_one(floor))
    buy_one(floor)
    drain(floor, hand)
    floor.restart()
    spare.join()
    floor.pass_time(VENUE.validity_ns)
    assert spare.account_id is None
    hand.join(ready=True)
    assert len(floor.sent(link.Revoke)) == 1
    hand.gave_back(A1)
    assert spare.account_id == A1


def test_leases_are_those_of_holders_elsewhere_whose_requests_do_not_expire() -> None:
    for fence_class in ALL:
        floor, _ = pool(fence_class)
        leased = [] if fence_class is FenceClass.EXPIRES else [(A1, 1, "i-w1"), (A2, 1, "i-w2")]
        assert floor.desk.leased() == leased
        assert Floor(settings_of(fence_class=fence_class)).open().desk.leased() == []


# -- law


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ALL),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["silent", "join", "fresh", "gave", "lapse", "drain", "swap", "restart", "lose"]
            ),
            st.integers(0, 3),
            st.integers(0, 2_000),
        ),
        max_size=25,
    ),
)
def test_whatever_happens_an_epoch_of_an_account_is_granted_to_one_run_only(
    fence_class: FenceClass, steps: list[tuple[str, int, int]]
) -> None:
    """I3: and every seat that is being left is left or stayed in the end."""
    floor, _ = pool(fence_class, spares=2)
    hands = floor.all_hands()
    granted: dict[tuple[AccountId, int], Incarnation] = {}
    for what, which, wait_ms in steps:
        hand = hands[which]
        if what == "fresh":
            hand.account_id, hand.account_epoch = None, 0
        _happen(floor, hand, what)
        floor.pass_time(wait_ms * MS)
        for one in floor.state.seats.values():
            if one.holder is not None:
                key = (one.account_id, one.epoch)
                assert granted.setdefault(key, one.holder) == one.holder
    for hand in hands:
        hand.join()
    for slot in ("s1", "s2"):
        floor.lapse(slot)
    floor.pass_time(10 * SECOND)
    is_held = {one.unwanted for one in floor.state.workers.values()}
    assert is_held == {False}


def _happen(floor: Floor, hand: Hand, what: str) -> None:
    match what:
        case "silent":
            hand.silent()
        case "join" | "fresh":
            hand.join(ready=hand.account_id is not None)
        case "gave":
            hand.gave_back(A1, seat(floor).epoch)
        case "lapse":
            floor.lapse("s1")
        case "drain":
            drain(floor, hand)
        case "swap":
            floor.command(SwapWorker(slot_id=SlotId("s1")))
        case "restart":
            floor.restart()
        case _:
            hand.lose()
