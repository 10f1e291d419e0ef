"""The driver of algorithms: taken, shown the market, paused, replaced, canceled, restarted."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import settings as settings_for
from hypothesis import strategies as st

from tandem.core.trading.algos import driver
from tandem.core.trading.state import Algo, AlgoPhase, Attempt
from tandem.domain.algos import Twap
from tandem.domain.commands import (
    Done,
    PauseOrder,
    PlaceAlgo,
    RefusalReason,
    Refused,
    ReplaceOrder,
    ResumeOrder,
    Taken,
)
from tandem.domain.ids import Lots, ParentId, Ticks
from tandem.domain.order import OrderStatus, Side
from tandem.domain.parents import Rounding, Split
from tests.unit.core.trading.algos.test_momentum import spec as momentum
from tests.unit.core.trading.desk_driver import (
    SECOND,
    Floor,
    X,
    Y,
    fill_of,
    instrument,
    prove,
    settings_of,
    two_markets,
)


def twap(**changes: Any) -> Twap:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.BUY,
        "quantity": Lots(40),
        "limit_price": Ticks(1_001),
        "duration_ns": 40 * SECOND,
        "slices": 4,
    }
    return Twap(**(fields | changes))


def begin(floor: Floor, **changes: Any) -> Algo:
    answer = floor.ask(PlaceAlgo(spec=twap(**changes)))
    assert isinstance(answer, Taken), answer
    found = floor.state.algos[answer.order_id]
    assert isinstance(found, Algo)
    return found


def follow(floor: Floor) -> Algo:
    """Return a momentum algorithm that has become long by ten lots."""
    spec = momentum(quantity=Lots(10), sample_ns=SECOND, duration_ns=60 * SECOND)
    answer = floor.ask(PlaceAlgo(spec=msgspec.structs.replace(spec, good_for_ns=5 * SECOND)))
    assert isinstance(answer, Taken), answer
    for _ in range(3):
        floor.quote(1_000)
        floor.pass_time(SECOND)
    floor.quote(1_010)
    algo: Algo = floor.state.algos[answer.order_id]
    fill_all(floor, algo)
    assert algo.bought == 10
    return algo


def phase(algo: Algo) -> AlgoPhase:
    """Return where it is now, which no type checker can know."""
    return algo.phase


def out(floor: Floor, algo: Algo) -> list[Attempt]:
    """Return the attempts of an algorithm that have not ended, oldest first."""
    return [one for part in algo.parts for one in floor.attempts(part) if not one.is_final]


def fill_all(floor: Floor, algo: Algo) -> int:
    """Let everything that is out trade in full; return how much that was."""
    lots = 0
    for one in out(floor, algo):
        lots += one.order.quantity
        floor.accept(one)
        floor.fill(one, one.order.quantity)
    return lots


def test_a_twap_trades_its_quantity_in_even_slices_and_ends() -> None:
    floor = Floor().open()
    algo = begin(floor)
    traded = [fill_all(floor, algo)]
    for _ in range(3):
        floor.pass_time(10 * SECOND)
        traded.append(fill_all(floor, algo))
    assert traded == [10, 10, 10, 10]
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (40, 0)


def test_what_a_slice_did_not_get_is_caught_up_by_the_next() -> None:
    floor = Floor().open()
    algo = begin(floor)
    for one in out(floor, algo):
        floor.accept(one)
        floor.expired(one, 0)
    floor.pass_time(10 * SECOND)
    assert sum(one.order.quantity for one in out(floor, algo)) == 20


def test_a_refused_algorithm_changes_nothing() -> None:
    floor = Floor().open()
    answers = [
        floor.ask(PlaceAlgo(spec=spec))
        for spec in (
            twap(quantity=Lots(0)),
            twap(limit_price=Ticks(0)),
            twap(split=Split.EACH),
            twap(rounding=Rounding(min_percent=110, max_percent=120)),
            twap(slices=0),
            twap(symbol="NONE"),
        )
    ]
    assert all(isinstance(one, Refused) for one in answers)
    assert not floor.state.algos
    assert floor.state.next_order == 1


def test_a_paused_algorithm_cancels_what_is_out_and_catches_up_when_resumed() -> None:
    floor = Floor().open()
    algo = begin(floor)
    assert isinstance(floor.ask(PauseOrder(order_id=algo.algo_id)), Done)
    for one in out(floor, algo):
        floor.canceled(one, 0)
    floor.pass_time(25 * SECOND)
    floor.quote(1_000)
    assert not out(floor, algo)
    assert isinstance(floor.ask(PauseOrder(order_id=algo.algo_id)), Refused)
    assert isinstance(floor.ask(ResumeOrder(order_id=algo.algo_id)), Done)
    assert fill_all(floor, algo) == 30
    assert isinstance(floor.ask(ResumeOrder(order_id=algo.algo_id)), Refused)


def test_a_replaced_quantity_is_what_trades_in_the_end() -> None:
    floor = Floor().open()
    algo = begin(floor)
    fill_all(floor, algo)
    key = algo.algo_id
    assert isinstance(floor.ask(ReplaceOrder(order_id=key, quantity=Lots(20))), Done)
    refused = floor.ask(ReplaceOrder(order_id=key, quantity=Lots(9)))
    assert isinstance(refused, Refused)
    assert "10" in refused.text
    for _ in range(3):
        floor.pass_time(10 * SECOND)
        fill_all(floor, algo)
    assert algo.bought == 20
    late = floor.ask(ReplaceOrder(order_id=key, quantity=Lots(30)))
    assert isinstance(late, Refused)


def test_a_replaced_limit_cancels_what_is_out_by_the_old_one() -> None:
    floor = Floor().open()
    algo = begin(floor)
    old = out(floor, algo)
    floor.ask(ReplaceOrder(order_id=algo.algo_id, limit_price=Ticks(1_002)))
    assert all(one.cancel_wanted for one in old)
    for one in old:
        floor.canceled(one, 0)
    floor.pass_time(10 * SECOND)
    assert {one.order.limit_price for one in out(floor, algo)} == {1_002}


def test_a_canceled_algorithm_ends_when_everything_of_it_has_ended() -> None:
    """C14."""
    floor = Floor().open()
    algo = begin(floor)
    assert isinstance(floor.cancel(algo.algo_id), Done)
    assert phase(algo) is AlgoPhase.ENDING
    for one in out(floor, algo):
        floor.fill(one, 2)
        floor.canceled(one, 2)
    assert phase(algo) is AlgoPhase.DONE
    assert algo.bought == 8
    assert algo.algo_id not in floor.state.running


def test_a_halt_ends_every_algorithm() -> None:
    """C9."""
    floor = Floor().open()
    algo = begin(floor)
    floor.halt()
    for one in out(floor, algo):
        floor.canceled(one, 0)
    assert phase(algo) is AlgoPhase.DONE
    assert isinstance(floor.ask(PlaceAlgo(spec=twap())), Refused)


def test_one_that_is_paused_can_be_canceled() -> None:
    floor = Floor().open()
    algo = begin(floor)
    floor.ask(PauseOrder(order_id=algo.algo_id))
    for one in out(floor, algo):
        floor.canceled(one, 0)
    floor.cancel(algo.algo_id)
    assert phase(algo) is AlgoPhase.DONE
    text = algo.text
    floor.cancel(algo.algo_id)
    assert algo.text == text


def test_a_part_that_is_refused_is_tried_again_a_little_later() -> None:
    """What stands in its way may go; and a refusal costs nobody a busy machine."""
    floor = Floor().open()
    resting = floor.sell(10, 1_001)
    algo = begin(floor)
    assert (algo.refusals, algo.open) == (1, [])
    assert "could meet" in algo.text
    floor.quote(1_000)
    assert algo.refusals == 1
    floor.cancel(resting.parent_id)
    for one in floor.attempts(resting):
        floor.canceled(one, 0)
    floor.pass_time(10 * SECOND)
    assert sum(one.order.quantity for one in out(floor, algo)) == 20


def test_quotes_without_end_leave_one_alarm() -> None:
    floor = Floor().open()
    begin(floor)

    def alarms() -> int:
        found = [one for each in floor.state.alarms_at.values() for one in each]
        return sum(kind == "algo" for kind, _ in found)

    for _ in range(50):
        floor.pass_time(SECOND // 100)
        floor.quote(1_000)
    assert alarms() == 1


def test_an_alarm_of_market_time_rings_sooner_when_the_market_runs_faster() -> None:
    floor = Floor(settings_of(market_speed=Decimal(20))).open()
    began_ns = floor.now_ns
    begin(floor)
    dues = [
        due_ns
        for due_ns, alarms in floor.state.alarms_at.items()
        if any(kind == "algo" for kind, _ in alarms)
    ]
    assert dues == [began_ns + 10 * SECOND // 20]


def test_a_replaced_algorithm_is_checked_like_a_new_one() -> None:
    floor = Floor().open()
    key = begin(floor).algo_id
    for command, word in (
        (ReplaceOrder(order_id=key, quantity=Lots(3)), "slices"),
        (ReplaceOrder(order_id=key, limit_price=Ticks(0)), "price"),
    ):
        assert word in floor.refusal(floor.ask(command)).text
    assert floor.state.algos[key].spec == twap()


def test_one_that_follows_a_trend_has_a_quantity_and_no_limit_to_replace() -> None:
    floor = Floor().open()
    answer = floor.ask(
        PlaceAlgo(spec=momentum(quantity=Lots(10), sample_ns=SECOND, duration_ns=9 * SECOND))
    )
    assert isinstance(answer, Taken)
    key = answer.order_id
    assert key is not None
    limited = floor.ask(ReplaceOrder(order_id=key, limit_price=Ticks(1_000)))
    assert "no limit price" in floor.refusal(limited).text
    assert isinstance(floor.ask(ReplaceOrder(order_id=key, quantity=Lots(4))), Done)
    assert floor.state.algos[key].spec.quantity == 4


def test_a_worker_that_dies_amid_a_slice_costs_nothing_of_it() -> None:
    """A18: the spare takes the account over, and the algorithm counts what it finds there."""
    floor = Floor().open()
    floor.spare()
    algo = begin(floor)
    lost = out(floor, algo)[0]
    for one in out(floor, algo)[1:]:
        floor.fill(one, one.order.quantity)
    floor.at(lost.slot_id).die()
    hand = floor.at(lost.slot_id)
    assert hand.name == "spare"
    hand.ready()
    floor.pass_time(2 * SECOND)
    assert algo.open
    floor.found(lost, OrderStatus.FILLED, [fill_of(lost, lost.order.quantity, "f")])
    assert (algo.open, algo.bought) == ([], 10)


def test_what_gives_an_inventory_back_is_not_canceled_with_the_rest() -> None:
    floor = Floor().open()
    algo = follow(floor)
    assert isinstance(floor.cancel(algo.algo_id), Done)
    assert [one.role for one in algo.open] == ["leave"]
    floor.cancel(None)  # a person may cancel that as well
    for one in out(floor, algo):
        floor.canceled(one, 0)
    floor.pass_time(SECOND)
    assert phase(algo) is AlgoPhase.ENDING
    fill_all(floor, algo)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (10, 10)


def test_a_position_that_a_halt_keeps_is_said() -> None:
    """C9: nothing is traded under a halt, not even to be flat."""
    floor = Floor().open()
    algo = follow(floor)
    floor.halt()
    floor.pass_time(5 * SECOND)
    assert phase(algo) is AlgoPhase.DONE
    assert (algo.bought, algo.sold) == (10, 0)
    assert "10 could not be given back" in algo.text


def test_what_is_left_is_said_as_its_venue_writes_it() -> None:
    """A person never sees lots."""
    listed = instrument("T", X, "m", lot="0.00000001")
    floor = Floor(settings_of(instruments=(listed,))).open()
    algo = follow(floor)
    floor.halt()
    floor.pass_time(5 * SECOND)
    assert algo.text == "0.00000010 could not be given back"


def test_those_that_are_done_are_forgotten_and_those_that_run_are_not() -> None:
    floor = Floor(settings_of(finished_max=2)).open()
    running = begin(floor)
    done = []
    for _ in range(4):
        algo = begin(floor, quantity=Lots(4), slices=1)
        fill_all(floor, algo)
        assert phase(algo) is AlgoPhase.DONE
        done.append(algo.algo_id)
    assert list(floor.state.algos) == [running.algo_id, *done[2:]]


def test_of_very_many_parts_the_last_are_kept() -> None:
    floor = Floor().open()
    algo = begin(floor)
    fill_all(floor, algo)
    floor.look_away()
    algo.parts[:0] = [ParentId("d-0")] * (2 * driver.PARTS_KEPT - 1)
    floor.pass_time(10 * SECOND)
    assert len(algo.parts) == driver.PARTS_KEPT + 1
    assert algo.bought == 10


def test_what_is_shown_is_kept_by_venue_with_its_moment() -> None:
    """A14."""
    settings = two_markets(
        instruments=(instrument("T", X, "m"), instrument("T", Y, "m")),
    )
    floor = Floor(settings).open()
    algo = begin(floor)
    began = floor.now.market_ns
    assert (algo.shown_max, algo.shown[X].lots, algo.shown[Y].lots) == (10, 4, 6)
    fill_all(floor, algo)
    floor.pass_time(20 * SECOND)
    assert algo.shown_max == 20
    assert algo.shown[X].market_ns > began
    assert algo.shown[X].lots + algo.shown[Y].lots >= 20


@given(
    st.integers(4, 100),
    st.integers(1, 4),
    st.integers(0, 90),
    st.lists(st.tuples(st.integers(1, 15), st.sampled_from(["fill", "end", "pause", "resume"]))),
)
@settings_for(max_examples=30, deadline=None)
def test_a_desk_never_trades_beyond_an_algorithms_quantity(
    quantity: int, slices: int, jitter: int, acts: list[tuple[int, str]]
) -> None:
    """I20: whatever is filled, refused, paused or restarted."""
    floor = Floor(is_checked=False).open()
    algo = begin(floor, quantity=Lots(quantity), slices=slices, jitter_percent=jitter)
    for seconds, act in acts:
        floor.pass_time(seconds * SECOND)
        for one in out(floor, algo):
            if act == "fill":
                floor.fill(one, one.order.quantity)
            elif act == "end":
                floor.expired(one, 0)
        if act == "pause":
            floor.ask(PauseOrder(order_id=algo.algo_id))
        elif act == "resume":
            floor.ask(ResumeOrder(order_id=algo.algo_id))
        used = algo.bought + sum(one.order.quantity for one in out(floor, algo))
        assert used <= quantity
    prove(floor.desk)
    floor.replay()


def test_an_order_that_is_no_algorithm_cannot_be_paused() -> None:
    floor = Floor().open()
    refused = floor.refusal(floor.ask(PauseOrder(order_id="d-99")))
    assert refused.reason is RefusalReason.UNKNOWN_ORDER


def test_a_restart_lets_every_algorithm_go_on() -> None:
    """I8: the schedule is of market time, which a restart does not move."""
    floor = Floor().open()
    algo = begin(floor)
    fill_all(floor, algo)
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
    floor.pass_time(11 * SECOND)
    assert sum(one.order.quantity for one in out(floor, algo)) == 10


def test_without_a_price_at_first_the_arrival_is_the_first_one_seen() -> None:
    floor = Floor().open(quoted=("U",))
    algo = begin(floor, limit_price=Ticks(1_001))
    assert algo.arrival is None
    floor.quote(1_003)
    assert algo.arrival == 2_006


def test_news_and_alarms_after_the_end_change_nothing() -> None:
    floor = Floor().open()
    algo = begin(floor, slices=1, quantity=Lots(4))
    last = out(floor, algo)[-1]
    fill_all(floor, algo)
    assert phase(algo) is AlgoPhase.DONE
    floor.fill(last, 1, execution="e1")  # told twice
    floor.pass_time(41 * SECOND)
    assert phase(algo) is AlgoPhase.DONE
    assert algo.bought == 4
