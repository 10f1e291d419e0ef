"""What becomes of the rest when an algorithm's time is over."""

from tandem.core.trading.algos.memos import TwapMemo
from tandem.core.trading.algos.sight import LEFT, PartSeen, Step
from tandem.core.trading.algos.time_over import step_after, taking
from tandem.domain.algos import AtEnd
from tandem.domain.ids import ParentId, Ticks
from tandem.domain.order import Side, TimeInForce
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.algos.test_twap import spec

TAKE = spec(at_end=AtEnd.TAKE, limit_price=Ticks(1_005))


def test_what_is_out_is_waited_for_first() -> None:
    part = PartSeen("slice", ParentId("d-2"), Side.BUY, 4, None, 0, is_ending=False)
    seen = sight(market_ns=1_000, bought=6, open_buys=4, parts=(part,))
    assert step_after(TAKE, TwapMemo(seed=1), seen, again_ns=250) == Step()


def test_the_rest_is_left_and_said() -> None:
    step = step_after(spec(), TwapMemo(seed=1), sight(market_ns=1_000, bought=6), again_ns=250)
    assert step.is_over
    assert (step.text, step.left) == (f"its time is over; {LEFT} is left", 4)


def test_the_rest_is_taken_within_the_limit_price_and_never_rests() -> None:
    seen = sight(market_ns=1_000, bought=6)
    step = step_after(TAKE, TwapMemo(seed=1), seen, again_ns=250)
    assert step.place == (taking(TAKE, 4, "close"),)
    assert step.place[0].limit_price == 1_005
    assert step.place[0].time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert step.wake_market_ns == 1_250


def test_it_is_tried_again_and_then_given_up() -> None:
    memo = TwapMemo(seed=1)
    placed = []
    for market_ns in (1_000, 1_100, 1_250, 1_500, 1_750, 1_999):
        step = step_after(TAKE, memo, sight(market_ns=market_ns, bought=6), again_ns=250)
        assert step.wake_market_ns is not None
        if step.place:
            placed.append(market_ns)
    assert placed == [1_000, 1_250, 1_500, 1_750]
    step = step_after(TAKE, memo, sight(market_ns=2_000, bought=6), again_ns=250)
    assert step.is_over
    assert (step.text, step.left) == (f"could not take the rest: {LEFT} is left", 4)
