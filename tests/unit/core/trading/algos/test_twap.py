"""Time-weighted average price: even, exact, and on time."""

from typing import Any

from tandem.core.trading.algos import twap
from tandem.core.trading.algos.memos import TwapMemo
from tandem.domain.algos import AtEnd, Twap
from tandem.domain.ids import Lots
from tandem.domain.order import Side
from tests.unit.core.trading.algos.test_sight import sight


def spec(**changes: Any) -> Twap:
    fields: dict[str, Any] = {
        "symbol": "T",
        "side": Side.BUY,
        "quantity": Lots(10),
        "duration_ns": 1_000,
        "slices": 4,
    }
    return Twap(**(fields | changes))


def test_a_twap_that_cannot_be_is_refused_in_words() -> None:
    for changes, word in (
        ({"slices": 0}, "slices"),
        ({"slices": 11}, "slices"),
        ({"duration_ns": 0}, "duration"),
        ({"jitter_percent": 91}, "jitter"),
    ):
        text = twap.objection(spec(**changes))
        assert text is not None
        assert word in text
    assert twap.objection(spec()) is None


def test_slices_that_are_late_are_placed_as_one() -> None:
    step = twap.step(spec(), TwapMemo(seed=1), sight(market_ns=600))
    assert [one.quantity for one in step.place] == [7]
    assert step.wake_market_ns == 750


def test_at_the_end_the_rest_is_left_or_taken() -> None:
    late = sight(market_ns=1_000, bought=6)
    assert twap.step(spec(), TwapMemo(seed=1), late).is_over
    taken = twap.step(spec(at_end=AtEnd.TAKE), TwapMemo(seed=1), late)
    assert [(one.role, one.quantity) for one in taken.place] == [("close", 4)]
