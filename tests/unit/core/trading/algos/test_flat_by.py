"""Algorithms that are flat by a moment."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos.flat_by import LEAD_NS_MAX, begins_ns, gives_back, lead_ns, objection
from tandem.core.trading.state import Algo, Attempt
from tandem.domain.algos import (
    AlgoSpec,
    Bracket,
    Iceberg,
    Leaving,
    MakeMarket,
    Momentum,
    Participate,
    Stop,
    Twap,
)
from tandem.domain.commands import PauseOrder, PlaceAlgo, RefusalReason, Taken
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tests.unit.core.trading.desk_driver import SECOND, Floor

MINUTE = 60 * SECOND
WORKED: dict[str, Any] = {"symbol": "T", "side": Side.BUY, "quantity": Lots(8)}
KINDS: list[AlgoSpec] = [
    Twap(**WORKED, duration_ns=MINUTE, slices=2),
    Participate(**WORKED, percent=10, duration_ns=MINUTE),
    Iceberg(**WORKED, limit_price=Ticks(1_000), visible=Lots(4)),
    Stop(**WORKED, stop_price=Ticks(1_000)),
    Bracket(**WORKED, limit_price=Ticks(1_000), target_price=Ticks(1_100), stop_price=Ticks(900)),
    MakeMarket(
        symbol="T",
        quantity=Lots(4),
        half_spread=Ticks(5),
        inventory_limit=Lots(8),
        tolerance=Ticks(1),
        refresh_ns=SECOND,
        duration_ns=MINUTE,
        leaving=Leaving.KEEP,
    ),
    Momentum(
        symbol="T",
        quantity=Lots(4),
        sample_ns=SECOND,
        window=1,
        threshold_ppm=1,
        duration_ns=MINUTE,
        leaving=Leaving.KEEP,
    ),
]


def place(floor: Floor, spec: AlgoSpec, after_ns: int | None = 10 * MINUTE) -> Algo:
    flat_by_ns = None if after_ns is None else floor.now.market_ns + after_ns
    answer = floor.ask(PlaceAlgo(spec=_with(spec, flat_by_ns)))
    assert isinstance(answer, Taken), answer
    found = floor.state.algos[answer.order_id]
    assert isinstance(found, Algo)
    return found


def _with(spec: AlgoSpec, flat_by_ns: int | None) -> AlgoSpec:
    fields = {name: getattr(spec, name) for name in spec.__struct_fields__}
    return type(spec)(**(fields | {"flat_by_ns": flat_by_ns}))


def out(floor: Floor) -> list[Attempt]:
    return [one for one in floor.attempts() if not one.is_final]


def fill_all(floor: Floor) -> None:
    for attempt in out(floor):
        floor.fill(attempt, attempt.order.quantity - attempt.cum_quantity)


def cancel_all(floor: Floor) -> None:
    for attempt in out(floor):
        floor.canceled(attempt)


@pytest.mark.parametrize("spec", KINDS, ids=lambda one: type(one).__name__)
def test_every_kind_ends_by_then_and_what_was_recorded_without_it_never_has_to(
    spec: AlgoSpec,
) -> None:
    """A28."""
    assert spec.flat_by_ns is None
    floor = Floor(is_checked=False).open()
    algo = place(floor, spec)
    for _ in range(12):
        floor.quote()
        floor.pass_time(MINUTE)
        cancel_all(floor)
    assert algo.phase.value == "done"
    assert floor.now.market_ns > algo.began_market_ns + 10 * MINUTE


def test_what_it_bought_is_held_until_then_and_traded_back_before() -> None:
    """A28: also when its work is done long before."""
    floor = Floor().open()
    algo = place(floor, KINDS[0])
    for _ in range(3):
        fill_all(floor)
        floor.pass_time(30 * SECOND)
        floor.quote()
    assert (algo.phase.value, algo.text) == ("ending", "holds what it has until it is to be flat")
    assert out(floor) == []
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.ready()
    floor.pass_time(8 * MINUTE + 20 * SECOND)
    assert out(floor) == []
    assert algo.text == "no_reference_price"
    floor.quote()
    floor.pass_time(SECOND)
    sides = [one.order.side for one in out(floor)]
    assert sides == [Side.SELL] * 4
    assert floor.now.market_ns < algo.began_market_ns + 10 * MINUTE
    fill_all(floor)
    assert (algo.phase.value, algo.bought, algo.sold) == ("done", 8, 8)
    floor.replay()


def test_a_person_who_cancels_it_keeps_what_it_holds() -> None:
    floor = Floor().open()
    algo = place(floor, KINDS[0])
    for _ in range(3):
        fill_all(floor)
        floor.pass_time(30 * SECOND)
        floor.quote()
    floor.cancel(algo.algo_id)
    assert (algo.phase.value, algo.text, algo.sold) == ("done", "canceled", 0)
    floor.cancel(algo.algo_id)
    assert algo.text == "canceled"


def test_a_paused_one_becomes_flat_as_well() -> None:
    floor = Floor().open()
    algo = place(floor, KINDS[0])
    fill_all(floor)
    floor.ask(PauseOrder(order_id=algo.algo_id))
    floor.pass_time(9 * MINUTE)
    floor.quote()
    floor.pass_time(40 * SECOND)
    assert [one.order.side for one in out(floor)] == [Side.SELL] * 4
    floor.cancel(algo.algo_id)
    assert (len(out(floor)), algo.text) == (4, "it is time to be flat")
    fill_all(floor)
    assert (algo.phase.value, algo.bought, algo.sold) == ("done", 4, 4)


def test_one_that_only_reduces_just_ends() -> None:
    """What it gave back would grow a position."""
    floor = Floor().open()
    spec = Twap(**(WORKED | {"side": Side.SELL}), duration_ns=MINUTE, slices=2, reduce_only=True)
    assert not gives_back(spec)
    algo = place(floor, spec, SECOND * 20)
    fill_all(floor)
    floor.pass_time(19 * SECOND)
    assert (algo.phase.value, algo.text) == ("done", "it is time to be flat")


@pytest.mark.parametrize("after_ns", [0, -SECOND, 400 * 86_400 * SECOND])
def test_a_moment_that_is_over_or_too_far_is_refused(after_ns: int) -> None:
    floor = Floor().open()
    flat_by_ns = floor.now.market_ns + after_ns
    refused = floor.refusal(floor.ask(PlaceAlgo(spec=_with(KINDS[0], flat_by_ns))))
    assert refused.reason is RefusalReason.BAD_ORDER
    assert refused.text.startswith(f"flat by {flat_by_ns} is not within a year")


def test_one_without_such_a_moment_never_begins() -> None:
    assert begins_ns(KINDS[0], 0) is None
    assert objection(KINDS[0], 0) is None


@given(st.integers(1, 10**18), st.integers(0, 10**18))
def test_it_begins_after_it_began_and_at_most_so_long_before(span_ns: int, began_ns: int) -> None:
    spec = _with(KINDS[0], began_ns + span_ns)
    begins = begins_ns(spec, began_ns)
    assert begins is not None
    assert began_ns < begins <= began_ns + span_ns
    assert began_ns + span_ns - begins == lead_ns(span_ns) <= LEAD_NS_MAX
