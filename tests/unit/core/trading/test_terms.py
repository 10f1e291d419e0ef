"""Which terms an order may have together, and when its date is over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.state import Outcome, Phase
from tandem.core.trading.terms import GRACE_NS, OVER, is_reached, objection, over_ns
from tandem.domain.commands import RefusalReason
from tandem.domain.ids import Lots, Ticks
from tandem.domain.link import Withdraw
from tandem.domain.order import OrderType, Side, TimeInForce
from tandem.domain.parents import ParentSpec, Rounding, SelfTrade
from tandem.domain.reports import RejectCode
from tests.unit.core.trading.desk_driver import MS, SECOND, Floor

NOW = 10**18
GTD = TimeInForce.GOOD_TILL_DATE


def spec(side: Side = Side.BUY, **fields: Any) -> ParentSpec:
    asked: dict[str, Any] = {"symbol": "T", "side": side, "quantity": Lots(10)}
    return ParentSpec(**(asked | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"limit_price": Ticks(1_000)},
        {"limit_price": Ticks(1_000), "post_only": True},
        {"stop_price": Ticks(990)},
        {"stop_price": Ticks(990), "trail": Ticks(5)},
        {"limit_price": Ticks(985), "stop_price": Ticks(990)},
        {"time_in_force": GTD, "good_till_ns": NOW + 1},
    ],
)
def test_terms_that_can_be_together_are_taken(fields: dict[str, Any]) -> None:
    """A7."""
    assert objection(spec(**fields), market_ns=NOW) is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"quantity": 0}, "quantity 0"),
        ({"limit_price": 0}, "price 0 is not within 1"),
        ({"stop_price": 0}, "stop price 0"),
        ({"stop_price": 990, "trail": 2**60}, f"trail {2**60}"),
        ({"rounding": Rounding(min_percent=101)}, "101 to 150 per cent"),
        ({"post_only": True}, "a market order cannot be post-only"),
        ({"post_only": True, "stop_price": 5, "limit_price": 5}, "a stop cannot be post-only"),
        (
            {"post_only": True, "limit_price": 5, "time_in_force": TimeInForce.FILL_OR_KILL},
            "a fok order cannot be post-only",
        ),
        ({"trail": 5}, "a trail needs a stop price"),
        ({"time_in_force": GTD}, "a gtd order needs its date"),
        ({"good_till_ns": NOW + 1}, "a day order has no date"),
        ({"time_in_force": GTD, "good_till_ns": NOW - 7 * MS}, "its date was 7 ms ago"),
    ],
)
def test_terms_that_cannot_be_together_are_refused_and_said(
    fields: dict[str, Any], says: str
) -> None:
    """A7."""
    text = objection(spec(**fields), market_ns=NOW)
    assert text is not None
    assert says in text


@given(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 50))
def test_a_stop_is_reached_at_its_price_and_beyond_on_its_own_side_only(
    side: Side, stop: int, seen: int
) -> None:
    asked = spec(side, stop_price=Ticks(stop))
    assert is_reached(asked, Ticks(seen)) is ((seen - stop) * side.sign >= 0)
    assert not is_reached(asked, None)
    assert not is_reached(spec(side), Ticks(seen))


def test_without_a_stop_or_a_trade_no_stop_is_reached() -> None:
    assert not is_reached(spec(Side.BUY), Ticks(1))
    assert not is_reached(spec(Side.BUY, stop_price=Ticks(1)), None)


def test_a_date_is_over_from_its_own_moment_on() -> None:
    dated = spec(time_in_force=GTD, good_till_ns=NOW)
    assert [over_ns(dated, NOW + one) for one in (-5, 0, 5)] == [-5, 0, 5]
    assert over_ns(spec(), NOW) is None


def test_every_term_reaches_the_venue_with_each_order_and_each_retry() -> None:
    """A7: what a refused slot left goes out with the same terms elsewhere."""
    floor = Floor().open()
    floor.quote()
    date_ns = floor.now.market_ns + 60 * SECOND
    parent = floor.sell(
        10,
        980,
        slots=("s1", "s2"),
        stop_price=Ticks(990),
        trail=Ticks(10),
        time_in_force=GTD,
        good_till_ns=date_ns,
        reduce_only=True,
    )
    floor.rejected(floor.attempts(parent)[0], RejectCode.CLOSED)
    orders = [one.order for one in floor.attempts(parent)]
    assert len(orders) == 3
    for order in orders:
        assert order.order_type is OrderType.STOP_LIMIT
        assert (order.limit_price, order.stop_price, order.trail) == (980, 990, 10)
        assert (order.time_in_force, order.good_till_ns) == (GTD, date_ns)
        assert order.reduce_only


def test_what_a_triggered_stop_left_does_not_wait_for_its_price_again() -> None:
    floor = Floor().open()
    parent = floor.sell(10, 950, slots=("s1",), stop_price=Ticks(990))
    (attempt,) = floor.attempts(parent)
    floor.fill(attempt, 4)
    floor.canceled(attempt)
    again = floor.attempts(parent)[1].order
    assert (again.quantity, again.limit_price, again.stop_price) == (6, 950, None)


def test_a_stop_reserves_its_limit_price_or_its_whole_side() -> None:
    """C1: once triggered, a stop without a limit may meet an own order at any price."""
    floor = Floor().open()
    stop = floor.sell(10, None, stop_price=Ticks(950))
    refused = floor.refusal(floor.place(Side.BUY, 1, 910))
    assert refused.reason is RefusalReason.SELF_TRADE
    floor.cancel(stop.parent_id)
    for attempt in floor.attempts(stop):
        floor.canceled(attempt)
    floor.sell(10, 940, stop_price=Ticks(950))
    floor.buy(1, 939)
    assert floor.refusal(floor.place(Side.BUY, 1, 940)).reason is RefusalReason.SELF_TRADE


# -- good till its date


def dated(floor: Floor, after_ns: int, **rest: Any) -> Any:
    date_ns = floor.now.market_ns + after_ns
    return floor.buy(10, slots=("s1",), time_in_force=GTD, good_till_ns=date_ns, **rest)


def test_an_order_that_its_venue_ends_by_its_date_ended_as_it_was_meant_to() -> None:
    """A7."""
    floor = Floor().open()
    parent = dated(floor, 3 * SECOND)
    (attempt,) = floor.attempts(parent)
    floor.fill(attempt, 4)
    floor.pass_time(3 * SECOND)
    floor.expired(attempt)
    assert (parent.outcome, parent.text) == (Outcome.INCOMPLETE, OVER)
    assert len(parent.attempts) == 1


def test_an_order_that_its_venue_does_not_end_by_its_date_is_canceled() -> None:
    """A7."""
    floor = Floor().open()
    parent = dated(floor, 3 * SECOND)
    (attempt,) = floor.attempts(parent)
    floor.accept(attempt)
    floor.pass_time(3 * SECOND + GRACE_NS - 1)
    assert not parent.cancel_wanted
    effects = floor.pass_time(1)
    assert [one for one in effects if isinstance(getattr(one, "message", None), Withdraw)]
    floor.canceled(attempt)
    assert parent.outcome is Outcome.CANCELED


def test_nothing_is_tried_again_after_the_date() -> None:
    floor = Floor().open()
    parent = dated(floor, 3 * SECOND)
    (attempt,) = floor.attempts(parent)
    floor.quote(3_000)  # no slot can take it for now: its price is beyond the collar
    floor.canceled(attempt)
    assert parent.pieces
    floor.pass_time(3 * SECOND)
    assert (parent.outcome, parent.text) == (Outcome.INCOMPLETE, OVER)
    assert len(parent.attempts) == 1


def test_what_waits_for_its_wave_is_not_sent_after_the_date() -> None:
    floor = Floor().open()
    floor.at("s1").not_ready()
    parent = dated(floor, SECOND)
    assert floor.attempts(parent)[0].phase is Phase.PLANNED
    floor.pass_time(SECOND)
    assert floor.attempts(parent)[0].sends == 0
    assert parent.outcome is Outcome.INCOMPLETE


def test_an_order_that_waits_for_others_to_be_canceled_ends_with_its_date() -> None:
    floor = Floor().open()
    floor.sell(10, 1_000, slots=("s2",))
    parent = dated(floor, SECOND, self_trade=SelfTrade.CANCEL_RESTING)
    floor.pass_time(SECOND)
    assert (parent.outcome, parent.text) == (Outcome.CANCELED, OVER)
    assert not parent.attempts


def test_a_date_is_kept_over_a_restart() -> None:
    floor = Floor().open()
    parent = dated(floor, 60 * SECOND)
    floor.accept(floor.attempts(parent)[0])
    floor.restart()
    for hand in floor.all_hands():
        hand.join(ready=True)
        hand.ready()
    floor.pass_time(61 * SECOND)
    assert parent.cancel_wanted
