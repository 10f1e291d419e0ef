"""The driver of algorithms: taken, shown the market, paused, replaced, canceled, restarted."""

from typing import Any

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
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import Split
from tests.unit.core.trading.desk_driver import SECOND, Floor


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
