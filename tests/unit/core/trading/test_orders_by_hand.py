"""What a person does to the desk: cancel, halt, resume, swap, resolve."""

from decimal import Decimal

import pytest

from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Attempt, Ending, Outcome
from tandem.domain import link
from tandem.domain.commands import Answer, Done, DrainWorker, ResolveOrder, SwapWorker
from tandem.domain.ids import ClientOrderId, Incarnation, Lots, SlotId, Ticks
from tandem.domain.order import FenceClass, Side
from tests.unit.core.trading.desk_driver import SECOND, Floor, X, instrument, settings_of


def test_all_orders_are_canceled_at_once() -> None:
    floor = Floor().open()
    floor.buy(4)
    floor.sell(4, 1_001)
    assert floor.cancel(None) == Done(text="2 orders are being canceled")
    assert len(floor.sent(link.Withdraw)) == 8


def test_what_is_not_there_cannot_be_canceled() -> None:
    floor = Floor().open()
    assert floor.refusal(floor.cancel("d-9")).text == "no order d-9"


def test_a_halt_refuses_new_orders_and_cancels_open_ones_until_resumed() -> None:
    """Stop means stopped: nothing new, and what is open is canceled."""
    floor = Floor().open()
    floor.buy(4)
    assert floor.halt() == Done(text="halted; 1 orders are being canceled")
    assert {one.on for one in floor.sent(link.Halt)} == {True}
    assert len(floor.sent(link.Halt)) == len(floor.sent(link.Withdraw)) == 4
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "halted: enough"
    floor.restart()
    assert floor.state.exposure.state is TradingState.HALTED
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.ready()
    assert floor.resume() == Done(text="trading")
    assert {one.on for one in floor.sent(link.Halt)} == {False}
    floor.buy(1)
    assert floor.resume() == Done(text="trading was not halted")


def test_a_worker_is_swapped_for_the_spare() -> None:
    """A18: asked by a person."""
    floor = Floor().open()
    spare = floor.spare()
    answer = floor.ask(SwapWorker(slot_id=SlotId("s2")))
    assert answer == Done(text="w2 is being replaced on s2")
    assert floor.killed() == ["w2"]
    floor.at("s2").die()
    assert spare.account_id == "A2"


@pytest.mark.parametrize("slot", ["s2", "s9"])
def test_nobody_is_swapped_where_nobody_is(slot: str) -> None:
    floor = Floor().open()
    floor.at("s2").die()
    assert floor.refusal(floor.ask(SwapWorker(slot_id=SlotId(slot)))).reason == "unknown_slot"


def test_nobody_is_drained_who_is_not_there() -> None:
    floor = Floor().open()
    refused = floor.refusal(floor.ask(DrainWorker(worker="w9")))
    assert (refused.reason, refused.text) == ("unknown_worker", "no worker w9")


def test_all_workers_of_a_name_are_drained() -> None:
    """A18: a run that is gone may still be remembered beside the one that took its name."""
    floor = Floor().open()
    twin = floor.hand("w1")
    twin.incarnation = Incarnation("i-twin")
    floor.hands[twin.incarnation] = twin
    twin.join()
    floor.ask(DrainWorker(worker="w1"))
    assert [one.name for one in floor.state.workers.values() if one.draining] == ["w1", "w1"]


def waiting() -> tuple[Floor, Attempt]:
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER)).open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.timed_out(attempt)
    assert attempt.for_person
    return floor, attempt


def resolve(floor: Floor, attempt: Attempt, **fields: object) -> Answer:
    key = attempt.order.client_order_id
    return floor.ask(ResolveOrder(client_order_id=key, **fields))  # type: ignore[arg-type]


def test_a_person_says_that_it_never_reached_its_venue() -> None:
    floor, attempt = waiting()
    answer = resolve(floor, attempt, lived=False)
    assert answer == Done(text="d-1-1-1 never reached its venue")
    assert attempt.ending is Ending.ABSENT
    assert len(floor.sent(link.Release)) == 1


def test_a_person_says_what_traded_and_at_which_price() -> None:
    floor, attempt = waiting()
    answer = resolve(
        floor, attempt, lived=True, cum_quantity=Lots(6), price=Ticks(999), fee=Decimal("0.5")
    )
    assert answer == Done(text="d-1-1-1 ended with 6 traded")
    assert (attempt.ending, attempt.cum_quantity) == (Ending.RESOLVED, 6)
    parent = floor.state.parents[attempt.parent_id]
    assert (parent.outcome, parent.filled_value, parent.fees) == (
        Outcome.INCOMPLETE,
        Decimal(6 * 999),
        Decimal("0.5"),
    )
    floor.replay()


def test_what_traded_is_said_as_its_venue_writes_it() -> None:
    listed = (instrument("T", X, "m", lot="0.001"),)
    floor = Floor(settings_of(fence_class=FenceClass.NEITHER, instruments=listed)).open()
    (attempt,) = floor.attempts(floor.buy(10, slots=("s1",)))
    floor.timed_out(attempt)
    refused = floor.refusal(resolve(floor, attempt, lived=True, cum_quantity=Lots(11)))
    assert refused.text == "traded 0.011: expected 0.000 to 0.010"
    told = resolve(floor, attempt, lived=True, cum_quantity=Lots(10), price=Ticks(999))
    assert told == Done(text="d-1-1-1 ended with 0.010 traded")


def test_a_person_says_that_it_ended_without_a_trade() -> None:
    floor, attempt = waiting()
    assert resolve(floor, attempt, lived=True) == Done(text="d-1-1-1 ended with 0 traded")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"cum_quantity": Lots(11), "price": Ticks(1)}, "traded 11: expected 0 to 10"),
        ({"cum_quantity": Lots(-1), "price": Ticks(1)}, "traded -1: expected 0 to 10"),
        ({"cum_quantity": Lots(1)}, "needs its price"),
        ({"cum_quantity": Lots(1), "price": Ticks(-5)}, "needs its price"),
        ({"cum_quantity": Lots(1), "price": Ticks(5), "fee": Decimal("NaN")}, "fee that is a sum"),
    ],
)
def test_a_word_that_cannot_be_is_refused(fields: dict[str, object], text: str) -> None:
    floor, attempt = waiting()
    refused = floor.refusal(resolve(floor, attempt, lived=True, **fields))
    assert (refused.reason, text in refused.text) == ("bad_order", True)
    assert attempt.for_person


def test_only_what_waits_for_a_person_can_be_resolved() -> None:
    floor, attempt = waiting()
    floor.accept(attempt)
    assert floor.refusal(resolve(floor, attempt, lived=False)).reason == "unknown_order"
    nobody = ResolveOrder(client_order_id=ClientOrderId("?"), lived=False)
    assert floor.refusal(floor.ask(nobody)).reason == "unknown_order"


def test_a_canceled_order_that_a_person_resolves_is_not_tried_again() -> None:
    floor, attempt = waiting()
    floor.cancel(attempt.parent_id)
    resolve(floor, attempt, lived=False)
    assert floor.sent(link.Release) == []
    floor.pass_time(SECOND)
    assert floor.state.parents[attempt.parent_id].outcome is Outcome.CANCELED
