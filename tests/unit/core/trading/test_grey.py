"""Workers that answer us but not for their venue are replaced, unless the venue is away."""

from tandem.core.trading.grey import PATIENCE
from tandem.domain import link
from tandem.domain.ids import AccountId
from tandem.domain.order import OrderStatus
from tests.unit.core.trading.desk_driver import SECOND, Floor


def test_a_worker_without_answers_is_replaced_while_others_get_theirs() -> None:
    """I2."""
    floor = Floor().open()
    silent, heard = floor.attempts(floor.buy(2, slots=("s1", "s2")))
    floor.accept(silent)
    floor.accept(heard)
    killed: list[str] = []
    for _ in range(12):
        killed += floor.killed(floor.pass_time(SECOND))
        if heard.query_id is not None:
            floor.found(heard, OrderStatus.NEW)
    assert killed == ["w1"]
    assert floor.counted("grey_workers") == 1


def test_when_the_venue_is_away_all_look_grey_and_none_is_replaced_so_soon() -> None:
    floor = Floor().open()
    for attempt in floor.attempts(floor.buy(2, slots=("s1", "s2"))):
        floor.accept(attempt)
    effects = floor.pass_time(8 * SECOND)
    assert floor.killed(effects) == []
    effects = floor.pass_time(PATIENCE * 3 * SECOND)
    assert sorted(floor.killed(effects)) == ["w1", "w2"]


def test_any_word_of_the_venue_for_its_account_shows_that_a_worker_is_not_grey() -> None:
    floor = Floor().open()
    (attempt,) = floor.attempts(floor.buy(1, slots=("s1",)))
    floor.accept(attempt)
    floor.pass_time(6 * SECOND)
    worker = floor.state.workers[floor.at("s1").incarnation]
    assert worker.unanswered_since_ns is not None
    floor.timed_out(attempt)
    assert worker.unanswered_since_ns is not None
    hand = floor.at("s1")
    hand.account_id, mine = AccountId("A9"), hand.account_id
    floor.accept(attempt)
    assert worker.unanswered_since_ns is not None
    hand.account_id = mine
    floor.accept(attempt)
    assert worker.unanswered_since_ns is None


def test_a_worker_that_never_becomes_ready_is_replaced_while_others_are() -> None:
    """I2: its account would be nobody's."""
    floor = Floor().open()
    floor.spare("w9")
    floor.at("s1").not_ready()
    assert floor.killed(floor.pass_time(3 * SECOND - 1)) == []
    assert floor.killed(floor.pass_time(1)) == ["w1"]
    assert floor.killed(floor.pass_time(30 * SECOND)) == []
    floor.at("s1").die()
    floor.at("s1").ready()
    assert floor.killed(floor.pass_time(30 * SECOND)) == []


def test_a_worker_that_is_not_connected_is_not_called_grey() -> None:
    floor = Floor().open()
    hand = floor.at("s1")
    hand.not_ready()
    hand.lose()
    assert floor.killed(floor.pass_time(10 * SECOND)) == []
    hand.join()
    assert floor.killed(floor.pass_time(10 * SECOND)) == ["w1"]


def test_nobody_ready_at_a_venue_takes_five_times_as_long() -> None:
    floor = Floor().open()
    for hand in floor.all_hands():
        hand.not_ready()
    assert floor.killed(floor.pass_time(PATIENCE * 3 * SECOND - 1)) == []
    assert len(floor.killed(floor.pass_time(1))) == 4


def test_an_account_taken_back_waits_for_nobody() -> None:
    floor = Floor().open()
    floor.at("s1").not_ready()
    floor.at("s1").die()
    assert floor.killed(floor.pass_time(10 * SECOND)) == []
    assert floor.sent(link.Grant) == []


def test_a_question_that_an_already_killed_worker_leaves_open_kills_nobody_again() -> None:
    floor = Floor().open()
    silent, heard = floor.attempts(floor.buy(2, slots=("s1", "s2")))
    floor.accept(silent)
    floor.accept(heard)
    floor.at("s1").silent()
    for _ in range(12):
        assert floor.killed(floor.pass_time(SECOND)) == []
        if heard.query_id is not None:
            floor.found(heard, OrderStatus.NEW)
