"""Limits that are changed while trading goes on, and trading only to reduce."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.limiting import NAMES_MAX
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Outcome
from tandem.domain import link
from tandem.domain.commands import Done, ReduceOnly, RefusalReason, SetLimits
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.limits import LimitChanges, Limits
from tandem.domain.order import Side
from tests.unit.core.trading.desk_driver import SECOND, Floor, fill_of, settings_of

LOSS = LimitChanges(max_daily_loss=Decimal(1))
DAY = 86_400 * SECOND


def state_of(floor: Floor) -> TradingState:
    found = floor.state.exposure.state
    assert isinstance(found, TradingState)
    return found


def test_a_tighter_limit_of_the_desk_counts_from_the_next_order_on() -> None:
    """A28 I10."""
    floor = Floor().open()
    floor.buy(40)
    answer = floor.limit(max_notional=Decimal(100))
    assert answer == Done(text="desk: max_notional set")
    assert floor.refusal(floor.place(Side.BUY, 11)).text == "notional"
    floor.buy(10)
    assert len(floor.sent(link.Release)) == 4


def test_what_was_set_stands_over_the_settings_through_starts_until_it_is_reset() -> None:
    """A28: durable; another settings file changes only what nobody set."""
    floor = Floor().open()
    floor.limit(max_notional=Decimal(100))
    other = Limits(max_notional=Decimal(500), max_open_orders=3)
    floor.restart(settings_of(limits=other))
    limits = floor.desk.rules.limits
    assert (limits.max_notional, limits.max_open_orders) == (Decimal(100), 3)
    floor.ask(SetLimits(reset=("max_notional",)))
    assert floor.desk.rules.limits == other
    floor.replay()


def test_what_is_set_for_the_desk_reaches_every_worker() -> None:
    floor = Floor().open()
    floor.ask(SetLimits(changes=LimitChanges(max_open_orders=9)))
    told = floor.sent(link.Limit)
    assert [one.account_id for one in told] == ["A1", "A2", "A3", "A4"]


def test_an_instrument_can_have_a_largest_quantity_of_its_own() -> None:
    floor = Floor().open()
    floor.limit(max_quantity={InstrumentId("T@X"): 8})
    assert floor.refusal(floor.place(Side.BUY, 9)).text == "quantity"
    floor.buy(8)


def test_nothing_to_set_is_said() -> None:
    assert Floor().open().ask(SetLimits()) == Done(text="desk: nothing set")


@pytest.mark.parametrize(
    ("command", "reason", "text"),
    [
        (
            SetLimits(account_id=AccountId("A9")),
            RefusalReason.UNKNOWN_ACCOUNT,
            "no account A9; there are A1, A2, A3, A4",
        ),
        (SetLimits(reset=("max_fun",)), RefusalReason.BAD_LIMIT, "no limit 'max_fun'"),
        (
            SetLimits(changes=LimitChanges(max_quantity={InstrumentId("Z@X"): 1})),
            RefusalReason.BAD_LIMIT,
            "max_quantity: no instrument 'Z@X'",
        ),
        (
            SetLimits(changes=LimitChanges(restricted=("T", ""))),
            RefusalReason.BAD_LIMIT,
            "restricted: expected symbols",
        ),
        (
            SetLimits(changes=LimitChanges(restricted=("T",) * (NAMES_MAX + 1))),
            RefusalReason.BAD_LIMIT,
            "expected at most 1000 symbols",
        ),
        (
            ReduceOnly(account_id=AccountId("A9"), on=True),
            RefusalReason.UNKNOWN_ACCOUNT,
            "no account A9",
        ),
    ],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(
    command: SetLimits | ReduceOnly, reason: RefusalReason, text: str
) -> None:
    floor = Floor().open()
    before = msgspec.structs.replace(floor.state.limits)
    refused = floor.refusal(floor.ask(command))
    assert refused.reason is reason
    assert refused.text.startswith(text)
    assert floor.state.limits == before


def test_a_desk_that_only_reduces_takes_what_brings_a_position_nearer_to_zero() -> None:
    """A28: REDUCING, by command, through a restart, until a person lifts it."""
    floor = Floor().open()
    assert floor.reduce_only() == Done(text="desk only reduces; 0 orders are being canceled")
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "reducing_only"
    floor.sell(1)
    floor.restart()
    assert state_of(floor) is TradingState.REDUCING
    assert floor.reduce_only(on=False) == Done(text="desk trades again")
    assert floor.reduce_only(on=False) == Done(text="desk did not only reduce")
    assert state_of(floor) is TradingState.ACTIVE


def test_what_reduces_the_whole_but_not_its_own_account_does_not_pass() -> None:
    """A28: and what reduces its account passes, though the whole is flat."""
    floor = Floor(settings_of(slots=2, may_short=True)).open()
    (attempt,) = floor.attempts(floor.sell(1_001, 1_000, slots=("s2",)))
    floor.fill(attempt, 1_001)
    floor.reduce_only()
    assert floor.refusal(floor.place(Side.SELL, 1, slots=("s2",))).text == "reducing_only"
    (attempt,) = floor.attempts(floor.sell(1_000, 1_000, slots=("s1",)))
    floor.fill(attempt, 1_000)
    floor.buy(1, slots=("s2",))


def test_open_orders_that_would_add_are_canceled_and_the_others_stay() -> None:
    """A28: each account holds 1000."""
    floor = Floor().open()
    buy = floor.buy(4, 990)
    sell = floor.sell(400, 1_001)
    assert floor.reduce_only().text == "desk only reduces; 4 orders are being canceled"  # type: ignore[union-attr]
    assert {one.cancel_wanted for one in floor.attempts(buy)} == {True}
    assert {one.cancel_wanted for one in floor.attempts(sell)} == {False}
    for one in floor.attempts(buy):
        floor.canceled(one)
    assert buy.outcome is Outcome.INCOMPLETE
    assert buy.text == "only what reduces a position may stay"


def test_of_more_exits_than_there_is_to_exit_the_oldest_stay() -> None:
    floor = Floor(settings_of(may_short=True)).open()
    floor.sell(4_000, 1_001)
    more = floor.sell(4, 1_002)
    floor.reduce_only()
    assert {one.cancel_wanted for one in floor.attempts(more)} == {True}
    floor.reduce_only()  # once more changes nothing
    assert floor.sent(link.Withdraw) == []


def test_an_account_that_only_reduces_leaves_the_others_alone() -> None:
    """A28: its worker is told as well."""
    floor = Floor(settings_of(may_short=True)).open()
    buy = floor.buy(4, 990)
    floor.reduce_only("A2")
    assert [one.slot_id for one in floor.attempts(buy) if one.cancel_wanted] == ["s2"]
    limit = floor.at("s2").limit
    assert limit is not None
    assert limit.reduces
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("s2",))).text == "reducing_only of A2"
    floor.buy(1, 990, slots=("s1",))
    floor.sell(1_000, 1_001, slots=("s2",))
    floor.reduce_only("A2", on=False)
    floor.buy(1, 990, slots=("s2",))
    floor.replay()


def test_a_halt_stands_over_it_and_resuming_goes_back_to_it() -> None:
    floor = Floor().open()
    floor.halt()
    floor.reduce_only()
    assert state_of(floor) is TradingState.HALTED
    assert floor.resume() == Done(text="trading, but only to reduce: by hand")
    assert state_of(floor) is TradingState.REDUCING


def lose(floor: Floor, slot: str = "s2", lots: int = 10) -> None:
    """Sell shares that were valued at 10.00 for 9.00."""
    (attempt,) = floor.attempts(floor.sell(lots, 900, slots=(slot,)))
    execution = f"e{len(floor.log)}"
    floor.teller(attempt).report(fill_of(attempt, lots, execution, price=900))
    floor.confirm_limits()


def losing(**limits: Decimal) -> Floor:
    return Floor(settings_of(limits=Limits(max_duplicates=1_000, **limits))).open()  # type: ignore[arg-type]


def test_a_daily_loss_lets_the_desk_only_reduce_until_the_next_day() -> None:
    """A28: automatically."""
    floor = losing(max_daily_loss=Decimal(10))
    lose(floor)
    assert state_of(floor) is TradingState.REDUCING
    assert floor.state.limits.desk.text == "lost 10.01 USD today, the limit is 10"
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "daily_loss"
    lose(floor)
    assert floor.counted("daily_losses_reached") == 2  # of the desk and of the account, once each
    floor.now_ns += DAY
    floor.quote()
    assert state_of(floor) is TradingState.ACTIVE
    assert floor.state.limits.lapses_day is None
    floor.confirm_limits()
    floor.buy(1, slots=("s2",))
    floor.replay()


def test_a_loss_below_the_limit_and_a_profit_change_nothing() -> None:
    floor = losing(max_daily_loss=Decimal(11))
    lose(floor)
    (attempt,) = floor.attempts(floor.sell(1, 1_005, slots=("s2",)))
    floor.teller(attempt).report(fill_of(attempt, 1, "gain", price=1_005))
    assert state_of(floor) is TradingState.ACTIVE


def test_a_person_can_lift_it_and_then_the_loss_counts_from_zero() -> None:
    floor = losing(max_daily_loss=Decimal(10))
    lose(floor)
    assert floor.reduce_only(on=False).text == (  # type: ignore[union-attr]
        "desk trades again; the day's loss counts from zero again"
    )
    floor.buy(1, slots=("s1",))
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("s2",))).text == "daily_loss of A2"
    floor.reduce_only("A2", on=False)
    floor.buy(1, slots=("s2",))


def test_one_account_s_loss_stops_that_account_only() -> None:
    floor = Floor().open()
    floor.limit(account="A2", max_daily_loss=Decimal(10))
    lose(floor)
    assert state_of(floor) is TradingState.ACTIVE
    assert floor.refusal(floor.place(Side.BUY, 1, slots=("s2",))).text == "daily_loss of A2"
    floor.buy(1, slots=("s1",))


def test_a_daily_loss_that_is_tightened_below_what_was_lost_is_reached_at_once() -> None:
    """A28: tightening acts at once."""
    floor = Floor().open()
    lose(floor)
    floor.limit(max_daily_loss=Decimal(10))
    assert state_of(floor) is TradingState.REDUCING


def test_yesterday_s_loss_is_not_today_s() -> None:
    floor = Floor().open()
    lose(floor)
    floor.now_ns += DAY
    floor.limit(max_daily_loss=Decimal(10))
    assert state_of(floor) is TradingState.ACTIVE


def test_what_a_person_began_does_not_lapse_with_the_day() -> None:
    floor = losing(max_daily_loss=Decimal(10))
    floor.reduce_only()
    lose(floor)
    floor.now_ns += 2 * DAY
    floor.quote()
    assert floor.state.limits.desk.text == "by hand"
    assert state_of(floor) is TradingState.REDUCING


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 900), st.integers(0, 4)),
        max_size=8,
    )
)
def test_after_it_only_reduces_nothing_that_stays_can_turn_a_position(
    orders: list[tuple[Side, int, int]],
) -> None:
    """I10: whatever of the rest trades, no position goes further from zero."""
    floor = Floor(settings_of(slots=2, may_short=True)).open()
    for side, quantity, step in orders:
        floor.place(side, quantity, 990 - step if side is Side.BUY else 1_010 + step)
    floor.reduce_only()
    stay = [one for one in floor.attempts() if not one.is_final and not one.cancel_wanted]
    assert all(one.order.side is Side.SELL for one in stay)
    assert sum(one.order.quantity for one in stay) <= 2_000
