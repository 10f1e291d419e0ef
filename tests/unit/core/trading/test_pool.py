"""Set-up, seats and who fills them: nothing trades before all have confirmed, no seat has two."""

from decimal import Decimal
from hashlib import sha256

import pytest

from tandem.core.trading.pool import BUNDLES_MAX, DEAD_MAX, OFFSET_NS_MAX
from tandem.core.trading.state import Phase, PoolPhase
from tandem.domain import link
from tandem.domain.commands import Done, Refused, SetUpPool
from tandem.domain.desk import FromWorker, Joined, Tell
from tandem.domain.ids import AccountId, Incarnation, InstrumentId, SlotId, VenueId
from tandem.domain.order import Side
from tandem.domain.venue import Balances
from tests.unit.core.trading.desk_driver import (
    MS,
    SECOND,
    Floor,
    Hand,
    settings_of,
)


def joined(count: int, **settings: object) -> tuple[Floor, list[Hand]]:
    """Return a desk that so many workers have joined, before its set-up."""
    floor = Floor(settings_of(**settings))
    hands = [floor.hand(f"w{number}") for number in range(1, count + 1)]
    for hand in hands:
        hand.join()
    return floor, hands


def answers(floor: Floor) -> list[object]:
    return [one.answer for one in floor.effects if isinstance(one, Tell)]


def set_up(floor: Floor, workers: int) -> None:
    floor.command(SetUpPool(workers=workers), "set-up")


# -- set-up


def test_a_pool_is_set_up_in_two_phases_and_then_trades() -> None:
    """A5 A17: every confirmation in, every account logged in, only then start."""
    floor, hands = joined(4)
    assert floor.refusal(floor.place(Side.BUY, 1)).reason == "not_set_up"
    set_up(floor, 4)
    assert len(floor.sent(link.BundlePart)) == 4
    for hand in hands[:3]:
        hand.configured()
        assert floor.sent(link.Grant) == []
    assert floor.refusal(floor.place(Side.BUY, 1)).reason == "setting_up"
    hands[3].configured()
    grants = floor.sent(link.Grant)
    assert [one.account_id for one in grants] == ["A1", "A2", "A3", "A4"]
    assert {one.secret for one in grants} == {""}  # A6: no secret in any record
    for hand in hands[:3]:
        hand.ready()
        assert floor.state.pool.phase is PoolPhase.LOGGING_IN
    hands[3].ready()
    assert answers(floor) == [Done(text="4 workers configured: 4 trade, 0 spare")]
    floor.replay()


def test_the_odd_one_is_the_spare() -> None:
    """A3: seven configured are six in the pool and one spare."""
    floor, hands = joined(7, slots=8)
    set_up(floor, 7)
    for hand in hands:
        hand.configured()
    for hand in hands[:6]:
        hand.ready()
    assert answers(floor) == [Done(text="7 workers configured: 6 trade, 1 spare")]
    assert hands[6].account_id is None
    assert sum(1 for seat in floor.state.seats.values() if seat.active) == 6


def test_ten_candidates_of_which_three_are_silent_give_exactly_six() -> None:
    """A2."""
    floor, hands = joined(10, slots=8)
    set_up(floor, 6)
    for hand in hands[3:]:
        hand.configured()
    for hand in hands[3:9]:
        hand.ready()
    assert answers(floor) == [Done(text="6 workers configured: 6 trade, 0 spare")]


@pytest.mark.parametrize("count", [-1, 0, 1])
def test_fewer_than_two_are_no_pool(count: int) -> None:
    """A3."""
    floor, _ = joined(2)
    refused = floor.refusal(floor.ask(SetUpPool(workers=count)))
    assert refused.text == f"{count} workers for 4 slots: a pool needs at least 2 of both"
    floor = Floor(settings_of(slots=1))
    assert floor.refusal(floor.ask(SetUpPool(workers=2))).reason == "bad_order"


def test_the_silent_are_swapped_out_and_the_others_go_on() -> None:
    """A5 A17."""
    floor, hands = joined(5, slots=8)
    set_up(floor, 5)
    for hand in hands[:3]:
        hand.configured()
    hands[3].silent()
    effects = floor.pass_time(3 * SECOND)
    assert floor.killed(effects) == ["w5"]
    assert floor.state.pool.phase is PoolPhase.LOGGING_IN
    assert len(floor.sent(link.Grant, effects)) == 2
    for hand in hands[:2]:
        hand.ready()
    assert answers(floor) == [Done(text="3 workers configured: 2 trade, 1 spare")]


def test_with_too_few_confirmations_the_set_up_ends_as_a_whole() -> None:
    """Zero orders, and an answer."""
    floor, hands = joined(3)
    set_up(floor, 3)
    hands[0].configured()
    effects = floor.pass_time(3 * SECOND)
    (told,) = [one for one in effects if isinstance(one, Tell)]
    assert isinstance(told.answer, Refused)
    assert told.answer.text == "1 of 3 workers confirmed: a pool needs at least 2"
    assert floor.state.pool.phase is PoolPhase.NONE
    floor.replay()


def test_who_cannot_log_in_is_swapped_for_the_spare() -> None:
    """A17."""
    floor, hands = joined(3)
    set_up(floor, 3)
    for hand in hands:
        hand.configured()
    hands[0].ready()
    effects = floor.pass_time(3 * SECOND)
    assert floor.killed(effects) == ["w2"]
    hands[1].die()
    assert hands[2].account_id == "A2"
    hands[2].ready()
    assert answers(floor) == [Done(text="3 workers configured: 2 trade, 1 spare")]


def test_a_login_that_nobody_manages_ends_the_set_up() -> None:
    floor, hands = joined(3)
    set_up(floor, 3)
    for hand in hands:
        hand.configured()
    hands[0].ready()
    floor.pass_time(3 * SECOND)
    hands[1].die()
    floor.pass_time(3 * SECOND)
    hands[2].die()
    effects = floor.pass_time(3 * SECOND)
    (told,) = [one for one in effects if isinstance(one, Tell)]
    assert told.answer == Refused(
        reason=told.answer.reason,  # type: ignore[union-attr]
        text="no worker could log in for s2",
    )
    assert len(floor.sent(link.Revoke, effects)) == 1
    assert floor.counted("set_ups_aborted") == 1


def test_swapping_for_login_has_an_end_though_nobody_dies() -> None:
    floor, hands = joined(2)
    set_up(floor, 2)
    for hand in hands:
        hand.configured()
    floor.pass_time(20 * SECOND)
    assert floor.state.pool.phase is PoolPhase.NONE


@pytest.mark.parametrize("step", ["hello", "confirmation", "grant", "login"])
def test_a_worker_that_dies_at_any_step_is_replaced_and_the_set_up_completes(step: str) -> None:
    """A17."""
    floor, hands = joined(3)

    def dies(now: str) -> None:
        if now == step:
            hands[0].die()
            floor.hand("w9").join()

    def living() -> list[Hand]:
        return [one for one in floor.all_hands() if one.incarnation in floor.state.workers]

    dies("hello")
    set_up(floor, 3)
    dies("confirmation")
    for hand in living():
        hand.configured()
    dies("grant")
    for hand in living():
        if hand.account_id is not None:
            hand.ready()
            dies("login")
    for hand in living():
        if hand.account_id is not None:
            hand.ready()
    assert floor.state.pool.phase is PoolPhase.TRADING


def test_a_set_up_asked_twice_is_answered_twice_and_done_once() -> None:
    floor, hands = joined(2)
    set_up(floor, 2)
    hands[0].configured()
    deadline = floor.state.pool.deadline_ns
    floor.now_ns += SECOND
    set_up(floor, 2)
    assert floor.effects == []
    assert floor.state.pool.deadline_ns == deadline
    hands[1].configured()
    for hand in hands:
        hand.ready()
    assert len(answers(floor)) == 1
    set_up(floor, 2)
    assert answers(floor) == [Done(text="2 workers configured: 2 trade, 0 spare")]
    assert floor.state.pool.phase is PoolPhase.TRADING


def test_another_set_up_takes_the_place_of_the_first() -> None:
    floor, hands = joined(2)
    set_up(floor, 4)
    floor.command(SetUpPool(workers=2), "another")
    for hand in hands:
        hand.configured()
    for hand in hands:
        hand.ready()
    assert answers(floor) == [Done(text="2 workers configured: 2 trade, 0 spare")]


def test_a_smaller_pool_later_takes_accounts_back_that_have_nothing_open() -> None:
    """Reconfigured while it trades."""
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s4",)))
    floor.command(SetUpPool(workers=2))
    assert [one.account_id for one in floor.sent(link.Revoke)] == ["A3"]
    assert floor.state.seats["s4"].active
    assert floor.state.pool.phase is PoolPhase.TRADING
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("s3",))).reason == "unknown_slot"
    floor.fill(attempt, 1)


def test_a_set_up_that_a_restart_met_goes_on_without_its_asker() -> None:
    """F19."""
    floor, hands = joined(2)
    set_up(floor, 2)
    hands[0].configured()
    floor.restart()
    for hand in hands:
        hand.join()
    hands[1].configured()
    for hand in hands:
        hand.ready()
    assert floor.state.pool.phase is PoolPhase.TRADING
    assert answers(floor) == []
    set_up(floor, 2)
    assert len(answers(floor)) == 1


# -- the bundle


def test_a_long_bundle_comes_in_parts_that_leave_room_for_orders() -> None:
    """A38."""
    bundle = bytes(range(256)) * 1_000
    floor, _ = joined(2, bundle=bundle)
    set_up(floor, 2)
    parts = [one for one in floor.sent(link.BundlePart)]
    mine = parts[: len(parts) // 2]
    assert b"".join(one.content for one in mine) == bundle
    assert [one.index for one in mine] == list(range(mine[0].count))
    assert max(len(one.content) for one in mine) <= link.BUNDLE_PART_BYTES


def test_an_empty_bundle_is_one_empty_part() -> None:
    floor, _ = joined(2, bundle=b"")
    set_up(floor, 2)
    assert floor.sent(link.BundlePart)[0] == link.BundlePart(index=0, count=1, content=b"")


def test_a_garbled_bundle_is_sent_again_so_often() -> None:
    floor, hands = joined(2)
    set_up(floor, 2)
    for _ in range(BUNDLES_MAX - 1):
        hands[0].configured("?")
        assert len(floor.sent(link.BundlePart)) == 1
    hands[0].configured("?")
    assert floor.effects == []
    assert not floor.state.workers[hands[0].incarnation].confirmed


def test_a_worker_that_confirmed_need_not_be_told_again_on_its_next_connection() -> None:
    floor, hands = joined(3)
    set_up(floor, 3)
    hands[0].configured()
    hands[1].configured()
    hands[0].join()
    assert floor.sent(link.BundlePart) == []
    hands[2].join(bundle_hash=sha256(b"bundle").hexdigest())
    assert len(floor.sent(link.Grant)) == 2


def test_who_holds_another_bundle_does_not_trade_until_it_has_this_one() -> None:
    """Versions are not mixed."""
    floor = Floor().open()
    hand = floor.at("s1")
    hand.join(bundle_hash="old", ready=True)
    assert len(floor.sent(link.BundlePart)) == 1
    hand.ready()
    assert not floor.state.seats["s1"].ready
    hand.configured()
    hand.ready()
    assert floor.state.seats["s1"].ready


# -- joining, losing, dying


def test_an_older_hello_than_the_last_is_dropped() -> None:
    """F9."""
    floor = Floor().open()
    hand = floor.at("s1")
    hand.join(ready=True)
    hand.join(connection=1)
    assert floor.effects == []
    assert floor.counted("hellos_dropped") == 1


def test_words_of_an_older_connection_are_dropped() -> None:
    """F5 F9."""
    floor = Floor().open()
    hand = floor.at("s1")
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    hand.seen = {attempt.order.client_order_id: link.Progress.SENT}
    hand.join(ready=True)
    hand.connection = 1
    floor.fill(attempt, 1)
    assert attempt.phase is Phase.RELEASED
    assert floor.counted("old_connections_dropped") == 1
    floor.on(
        FromWorker(
            incarnation=Incarnation("?"), connection=1, message=link.Configured(bundle_hash="")
        )
    )
    assert floor.counted("old_connections_dropped") == 2


def test_a_lost_connection_is_not_a_death() -> None:
    floor = Floor().open()
    hand = floor.at("s1")
    hand.lose(connection=7)
    assert floor.state.workers[hand.incarnation].up
    hand.lose()
    assert floor.state.seats["s1"].holder == hand.incarnation
    floor.buy(4)
    assert floor.sent(link.Release) == []


def test_an_account_goes_to_the_spare_when_its_worker_is_dead() -> None:
    """A18 C2 F5: at once, under a higher epoch; the dead one's words are dropped."""
    floor = Floor().open()
    spare = floor.spare()
    dead = floor.at("s2")
    dead.die()
    (grant,) = floor.sent(link.Grant)
    assert (grant.account_id, grant.account_epoch) == ("A2", 2)
    assert spare.account_id == "A2"
    spare.ready()
    floor.buy(4)
    assert len(floor.sent(link.Release)) == 4
    dead.join()
    assert floor.counted("hellos_of_the_dead") == 1
    dead.die()
    dead.silent()
    assert floor.effects == []
    assert floor.counted("takeovers") == 1


def test_a_silent_worker_is_killed_and_its_account_given_away_only_when_it_is_dead() -> None:
    """Silence alone proves nothing."""
    floor = Floor().open()
    spare = floor.spare()
    hand = floor.at("s1")
    hand.silent()
    assert floor.killed() == ["w1"]
    assert spare.account_id is None
    hand.join(ready=True)
    assert floor.killed() == ["w1"]
    hand.die()
    assert spare.account_id == "A1"


def test_a_hello_of_who_lost_its_grant_gets_it_again() -> None:
    floor = Floor().open()
    floor.at("s1").die()
    spare = floor.spare()
    spare.account_id, spare.account_epoch = None, 0
    spare.join()
    (grant,) = floor.sent(link.Grant)
    assert (grant.account_id, grant.account_epoch) == ("A1", 2)


def test_a_killed_or_unconfirmed_worker_gets_no_account() -> None:
    floor = Floor().open()
    killed = floor.spare("w8")
    killed.silent()
    floor.hand("w9").join()
    floor.at("s1").die()
    assert floor.sent(link.Grant) == []
    assert floor.state.seats["s1"].holder is None


def test_a_hello_says_ready_for_the_account_and_epoch_it_holds_only() -> None:
    """I3."""
    floor = Floor().open()
    hand = floor.at("s1")
    hand.join(ready=True, account_epoch=9)
    assert not floor.state.seats["s1"].ready
    hand.join(ready=True)
    assert floor.state.seats["s1"].ready


def test_words_about_another_account_or_epoch_change_nothing() -> None:
    """I3."""
    floor = Floor().open()
    hand = floor.at("s1")
    hand.ready(account_epoch=2)
    hand.ready(account_id=AccountId("A2"))
    floor.spare().say(link.NotReady(account_id=AccountId("A1"), account_epoch=1, reason="not mine"))
    assert floor.counted("old_epochs_dropped") == 3
    assert floor.state.seats["s1"].ready


def test_the_dead_are_remembered_not_for_ever() -> None:
    floor = Floor(is_checked=False)
    for number in range(DEAD_MAX + 1):
        hand = floor.hand(f"w{number}")
        hand.join()
        hand.die()
    assert len(floor.state.dead) == DEAD_MAX


def test_only_the_first_login_opens_the_books() -> None:
    floor = Floor().open()
    floor.at("s1").die()
    floor.spare().ready()
    assert floor.state.ledger.cash(AccountId("A1"), "USD") == 100_000


# -- a venue's clock


@pytest.mark.parametrize("odd", [SECOND, -SECOND, 101 * MS])
def test_a_clock_that_jumps_beyond_its_bound_stops_new_orders_until_it_is_sure_again(
    odd: int,
) -> None:
    """A clock that may be wrong by more is not traded by."""
    floor = Floor().open()
    hand = floor.at("s1")
    hand.clock(floor.offset_ns + odd)
    assert floor.refusal(floor.place(Side.BUY, 1)).reason == "venue_clock"
    hand.clock(floor.offset_ns + odd)
    floor.buy(1)


def test_half_of_the_bound_warns() -> None:
    floor = Floor().open()
    floor.at("s1").clock(floor.offset_ns + 51 * MS)
    assert floor.counted("venue_clock_warned") == 1
    floor.buy(1)


@pytest.mark.parametrize(
    ("offset_ns", "uncertainty_ns"),
    [(0, 51 * MS), (OFFSET_NS_MAX + 1, 0), (-OFFSET_NS_MAX - 1, 0)],
)
def test_vague_and_absurd_readings_are_no_readings(offset_ns: int, uncertainty_ns: int) -> None:
    floor = Floor().open()
    floor.at("s1").clock(offset_ns, uncertainty_ns)
    assert floor.state.clocks["X"].offset_ns == floor.offset_ns
    assert floor.counted("clock_readings_vague") == 1


def test_a_clock_of_a_venue_that_is_not_ours_is_ignored() -> None:
    floor = Floor().open()
    floor.at("s1").clock(venue=VenueId("?"))
    assert list(floor.state.clocks) == ["X"]


def test_after_a_restart_the_clock_is_read_anew() -> None:
    """F19: CLOCK_BOOTTIME may be another."""
    floor = Floor().open()
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
    floor.buy(4)
    assert floor.sent(link.Release) == []
    floor.at("s1").clock(floor.offset_ns + SECOND)
    assert len(floor.sent(link.Release)) == 4


def test_balances_that_cannot_be_are_left_out() -> None:
    floor, hands = joined(2)
    set_up(floor, 2)
    for hand in hands:
        hand.configured()
    hands[0].ready(
        balances=Balances(
            query_id=0,
            cash={"USD": Decimal("NaN"), "EUR": Decimal(5)},
            positions={InstrumentId("T@X"): 2**60, InstrumentId("?"): 1, InstrumentId("U@X"): 3},
        )
    )
    assert floor.counted("balances_garbled") == 3
    assert floor.state.ledger.lots(AccountId("A1"), InstrumentId("U@X")) == 3


def test_a_hello_before_any_set_up_is_welcomed_and_waits() -> None:
    floor, hands = joined(1)
    assert len(floor.sent(link.Welcome)) == 1
    assert floor.sent(link.BundlePart) == []
    assert isinstance(floor.log[-1][0], Joined)
    hands[0].configured()
    assert floor.state.workers[hands[0].incarnation].confirmed


def test_workers_that_join_later_fill_the_seats_that_were_left_empty_in_twos() -> None:
    """A18: an even pool grows by two, and the odd one is the spare."""
    floor, hands = joined(2)
    set_up(floor, 2)
    for hand in hands:
        hand.configured()
    for hand in hands:
        hand.ready()
    active = [one.active for one in floor.state.seats.values()]
    assert active == [True, True, False, False]
    third, fourth = floor.hand("w3"), floor.hand("w4")
    third.join()
    third.configured()
    assert not floor.state.seats[SlotId("s3")].active
    fourth.join()
    fourth.configured()
    assert all(one.holder is not None for one in floor.state.seats.values())


def test_a_pool_that_was_asked_to_be_small_does_not_grow_by_a_worker_that_comes_back() -> None:
    floor, hands = joined(4)
    set_up(floor, 2)
    for hand in hands:
        hand.configured()
    for hand in hands[:2]:
        hand.ready()
    hands[3].die()
    again = floor.hand("w4b")
    again.join()
    again.configured()
    assert [one.active for one in floor.state.seats.values()] == [True, True, False, False]
