"""What a seat's holder is told of its account's limits, and that it must confirm them."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.domain import link
from tandem.domain.commands import SetLimits
from tandem.domain.ids import AccountId
from tandem.domain.limits import LimitChanges
from tests.unit.core.trading.desk_driver import Floor


def test_nothing_is_said_while_nothing_was_ever_set() -> None:
    floor = Floor().open()
    told = [one for batch in floor.told for one in batch]
    assert not [one for one in told if isinstance(one.message, link.Limit)]


def test_no_order_is_released_until_the_account_s_worker_has_confirmed_its_limits() -> None:
    """A28 I10: the worker's gate is the last one before the wire."""
    floor = Floor().open()
    changes = LimitChanges(max_open_orders=7)
    floor.ask(SetLimits(account_id=AccountId("A2"), changes=changes))
    (told,) = floor.sent(link.Limit)
    assert (told.account_id, told.account_epoch, told.number) == ("A2", 1, 1)
    assert (told.changes, told.reduces) == (changes, False)
    floor.buy(4)
    assert floor.sent(link.Release) == []
    floor.at("s2").limited()
    assert len(floor.sent(link.Release)) == 4
    floor.replay()


def test_only_the_answer_to_the_last_words_counts() -> None:
    floor = Floor().open()
    for most in (7, 8):
        changes = LimitChanges(max_open_orders=most)
        floor.ask(SetLimits(account_id=AccountId("A2"), changes=changes))
    floor.buy(1, slots=("s2",))
    floor.at("s2").limited(number=1)
    assert floor.sent(link.Release) == []
    floor.at("s2").limited(epoch=9)
    assert floor.sent(link.Release) == []
    assert floor.counted("old_epochs_dropped") == 1
    floor.at("s2").limited()
    assert len(floor.sent(link.Release)) == 1


def test_a_spare_that_answers_for_an_account_it_does_not_hold_is_not_heard() -> None:
    floor = Floor().open()
    floor.limit(account="A2", max_open_orders=7)
    spare = floor.spare()
    spare.limit = floor.at("s2").limit
    spare.limited()
    assert floor.counted("old_epochs_dropped") == 1


def test_who_holds_the_account_next_is_told_with_the_grant() -> None:
    """A28: durable through takeovers; the desk's changes are below the account's."""
    floor = Floor().open()
    floor.limit(max_open_orders=50, max_duplicates=9)
    floor.limit(account="A2", max_open_orders=7)
    spare = floor.spare()
    floor.at("s2").die()
    assert [type(one) for one in floor.sent(object)][-2:] == [link.Grant, link.Limit]
    assert spare.limit is not None
    assert spare.limit.changes == LimitChanges(max_open_orders=7, max_duplicates=9)
    spare.ready()
    floor.buy(1, slots=("s2",))
    assert floor.sent(link.Release) == []
    spare.limited()
    assert len(floor.sent(link.Release)) == 1


def test_a_worker_that_comes_back_is_told_again_before_any_release() -> None:
    """The words may have been lost with the connection."""
    floor = Floor().open()
    floor.limit(account="A2", max_open_orders=7)
    hand = floor.at("s2")
    hand.lose()
    hand.join(ready=True)
    assert [one.number for one in floor.sent(link.Limit)] == [1]
    floor.buy(1, slots=("s2",))
    assert floor.sent(link.Release) == []
    hand.limited()
    assert len(floor.sent(link.Release)) == 1


def test_nobody_is_told_of_a_seat_that_nobody_holds() -> None:
    floor = Floor().open()
    floor.at("s2").die()
    floor.limit(account="A2", max_open_orders=7)
    assert floor.state.seats["s2"].limits_number == 1
    spare = floor.spare()
    assert spare.limit is not None
    assert spare.limit.number == 1


@given(st.lists(st.sampled_from(["set", "confirm", "old", "lose", "buy"]), max_size=12))
def test_a_release_always_follows_the_confirmation_of_the_last_words(acts: list[str]) -> None:
    """I10."""
    floor = Floor().open()
    floor.limit(account="A2", max_open_orders=5_000)
    for number, act in enumerate(acts):
        seat, hand = floor.state.seats["s2"], floor.at("s2")
        if act == "set":
            changes = LimitChanges(max_open_orders=6_000 + number)
            floor.ask(SetLimits(account_id=AccountId("A2"), changes=changes))
        elif act == "confirm":
            hand.limited()
        elif act == "old":
            hand.limited(number=max(1, seat.limits_number - 1))
        elif act == "lose":
            hand.lose()
            hand.join(ready=True)
        else:
            floor.buy(1, slots=("s2",))
        if floor.sent(link.Release):
            assert seat.limits_confirmed == seat.limits_number
