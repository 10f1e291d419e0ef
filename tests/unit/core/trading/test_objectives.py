"""Objectives: a profit, a loss or a time at which the desk stops, or closes everything."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.objective_state import ObjectivePhase
from tandem.core.trading.risk import TradingState
from tandem.core.trading.state import Attempt, Phase
from tandem.domain import link
from tandem.domain.algos import Twap
from tandem.domain.commands import (
    AtObjective,
    ClearObjectives,
    Done,
    PlaceAlgo,
    RefusalReason,
    SetObjectives,
)
from tandem.domain.desk import Alert, DeskSettings
from tandem.domain.ids import InstrumentId, Lots
from tandem.domain.limits import Limits
from tandem.domain.order import FenceClass, Side, TimeInForce
from tandem.domain.venue import Balances
from tests.unit.core.trading.desk_driver import SECOND, Floor, fill_of, settings_of

T = InstrumentId("T@X")
FLATTEN = AtObjective.FLATTEN


class Small(Floor):
    """Accounts that begin with a few lots of T each, by account."""

    def __init__(self, settings: DeskSettings, held: dict[str, int]) -> None:
        self.held = held
        super().__init__(settings)

    def balances(self, account_id: Any) -> Balances:
        positions = {T: self.held.get(account_id, 0)}
        return Balances(query_id=0, cash={"USD": Decimal(100_000)}, positions=positions)


def small(
    limits: Limits | None = None, fence: FenceClass = FenceClass.EXPIRES, **held: int
) -> Small:
    chosen = limits or Limits(max_orders_per_second=100_000, max_duplicates=100_000)
    settings = settings_of(slots=2, may_short=True, limits=chosen, fence_class=fence)
    floor = Small(settings, held)
    floor.open()
    return floor


def aim(floor: Floor, **fields: Any) -> None:
    answer = floor.ask(SetObjectives(**({"currency": "USD"} | fields)))
    assert answer == Done(text="objectives are set")


def phase(floor: Floor) -> ObjectivePhase:
    found = floor.state.objectives.phase
    assert isinstance(found, ObjectivePhase)
    return found


def alerts(floor: Floor) -> list[str]:
    return [one.text for one in floor.effects if isinstance(one, Alert)]


def closing(floor: Floor) -> list[Attempt]:
    """Return what is out to close positions."""
    return [
        one
        for one in floor.attempts()
        if one.phase is Phase.RELEASED
        and floor.state.parents[one.parent_id].spec.strategy == "flatten"
    ]


def test_a_profit_stops_the_desk_and_says_so() -> None:
    """A1: 20 lots gain 10 ticks each: 2.00."""
    floor = small(A1=10, A2=10)
    aim(floor, target_profit=Decimal(2))
    floor.quote(1_009)
    assert phase(floor) is ObjectivePhase.WATCHING
    assert floor.state.objectives.gain == Decimal("1.8")
    floor.buy(2, 990)
    floor.quote(1_010)
    assert phase(floor) is ObjectivePhase.STOPPED
    text = "objective reached: profit of 2.00 USD, the target is 2"
    assert alerts(floor) == [f"{text}; only what reduces a position may trade"]
    assert floor.state.limits.desk.text == text
    assert len(floor.sent(link.Withdraw)) == 2
    assert floor.refusal(floor.place(Side.BUY, 1)).text == "reducing_only"
    floor.sell(1, 1_011, slots=("s1",))
    floor.replay()


def test_a_loss_counts_fees_and_what_is_realized_since_it_was_set() -> None:
    """A1: sold 10 lots 5 ticks below their cost, a fee of 0.01, and 10 more lose 5 ticks."""
    floor = small(A1=10, A2=10)
    aim(floor, loss_limit=Decimal("1.01"))
    (attempt,) = floor.attempts(floor.sell(10, 995, slots=("s1",)))
    floor.teller(attempt).report(fill_of(attempt, 10, "e", price=995))
    floor.quote(996)
    assert phase(floor) is ObjectivePhase.WATCHING
    floor.quote(995)
    assert floor.state.objectives.reached == "loss of 1.01 USD, the limit is 1.01"


def test_what_was_gained_before_does_not_count() -> None:
    floor = small(A1=10)
    floor.quote(1_500)
    aim(floor, target_profit=Decimal(1))
    assert floor.state.objectives.gain == 0
    floor.quote(1_509)
    assert phase(floor) is ObjectivePhase.WATCHING


def test_what_is_held_before_does_not_count_when_only_trades_do() -> None:
    """A1: 10 lots held gain nothing; 4 bought at 1,010 do, 3 sold lose; two fees of 0.01."""
    floor = small(A1=10)
    aim(floor, target_profit=Decimal("0.18"), of_trades=True)
    floor.quote(1_010)
    assert floor.state.objectives.gain == 0
    (bought,) = floor.attempts(floor.buy(4, 1_010, slots=("s1",)))
    floor.teller(bought).report(fill_of(bought, 4, "e", price=1_010))
    (sold,) = floor.attempts(floor.sell(3, 1_010, slots=("s1",)))
    floor.teller(sold).report(fill_of(sold, 3, "f", price=1_010))
    floor.quote(1_015)
    assert floor.state.objectives.gain == Decimal("0.03")
    floor.quote(1_030)
    assert phase(floor) is ObjectivePhase.STOPPED
    floor.replay()


def test_of_trades_counts_only_the_instruments_that_are_meant() -> None:
    floor = small(A1=10)
    aim(floor, target_profit=Decimal(1), of_trades=True, symbols=("U",))
    assert list(floor.state.objectives.kept) == []
    floor.quote(1_500)
    assert floor.state.objectives.gain == 0


def test_a_short_position_gains_when_the_price_falls() -> None:
    floor = small(A1=-10)
    aim(floor, target_profit=Decimal(1))
    floor.quote(990)
    assert phase(floor) is ObjectivePhase.STOPPED


def test_no_objective_acts_on_a_price_that_is_older_than_the_reference_age() -> None:
    """A1: it says so."""
    limits = Limits(max_reference_age_ns=10 * SECOND)
    floor = small(limits, A1=10)
    aim(floor, target_profit=Decimal(1))
    floor.now_ns += 11 * SECOND
    floor.quote(2_000, "U")
    assert phase(floor) is ObjectivePhase.WATCHING
    assert floor.state.objectives.note == "the price of T is 11 s old: nothing is judged"
    floor.quote(2_000)
    assert phase(floor) is ObjectivePhase.STOPPED


def test_the_gain_counts_from_when_every_price_is_known() -> None:
    floor = Small(settings_of(slots=2), {"A1": 10})
    floor.open(quoted=("U",))
    aim(floor, target_profit=Decimal(1))
    assert floor.state.objectives.note == "no price of T yet: no profit or loss is judged"
    floor.quote(500)
    assert floor.state.objectives.baseline == 0
    floor.quote(510)
    assert phase(floor) is ObjectivePhase.STOPPED


def test_only_the_symbols_that_are_named_count() -> None:
    floor = Floor().open()
    aim(floor, target_profit=Decimal(100), symbols=("U",))
    floor.quote(1_100, "T")
    assert phase(floor) is ObjectivePhase.WATCHING
    floor.quote(1_100, "U")
    assert phase(floor) is ObjectivePhase.STOPPED


def test_after_its_time_the_desk_stops() -> None:
    """A1: total time; the alarm rings by itself."""
    floor = small(A1=10)
    aim(floor, lasts_ns=5 * SECOND)
    floor.pass_time(4 * SECOND)
    assert phase(floor) is ObjectivePhase.WATCHING
    floor.pass_time(2 * SECOND)
    assert phase(floor) is ObjectivePhase.STOPPED
    assert floor.state.objectives.reached == "the time is over"


def test_a_time_that_came_while_the_coordinator_was_away_is_noticed() -> None:
    floor = small(A1=10)
    aim(floor, lasts_ns=5 * SECOND)
    floor.now_ns += 9 * SECOND
    floor.restart()
    floor.pass_time(SECOND)
    assert phase(floor) is ObjectivePhase.STOPPED


def test_a_far_away_time_is_waited_for_in_steps() -> None:
    floor = small(A1=10)
    aim(floor, lasts_ns=2**61)
    floor.pass_time(2 * 3_600 * SECOND)
    assert phase(floor) is ObjectivePhase.WATCHING
    due_ns = floor.state.objectives.alarm_at_ns
    assert floor.now_ns < due_ns <= floor.now_ns + 3_600 * SECOND


def test_to_be_flat_everything_is_canceled_and_then_every_position_is_closed() -> None:
    """A1 A28: nothing is closed before the cancel is confirmed; long and short; per account."""
    floor = small(A1=10, A2=-4)
    resting = floor.attempts(floor.sell(6, 1_020, slots=("s1",)))[0]
    floor.accept(resting)
    aim(floor, flat_after_ns=100 * SECOND)
    floor.pass_time(89 * SECOND)
    floor.quote()
    assert phase(floor) is ObjectivePhase.WATCHING
    floor.pass_time(SECOND)
    assert phase(floor) is ObjectivePhase.FLATTENING
    assert resting.cancel_wanted
    assert closing(floor) == []  # a close could meet what is not gone yet
    waits = f"T on A1: waits for {resting.order.client_order_id}, and 1 more"
    assert floor.state.objectives.note == waits
    floor.fill(resting, 1)
    floor.canceled(resting, 1)
    floor.pass_time(SECOND)
    (first,) = closing(floor)
    assert (first.slot_id, first.order.side, first.order.quantity) == ("s1", Side.SELL, 9)
    assert first.order.limit_price is None
    assert first.order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    floor.fill(first, 9)
    floor.pass_time(SECOND)
    (second,) = closing(floor)
    assert (second.slot_id, second.order.side, second.order.quantity) == ("s2", Side.BUY, 4)
    floor.fill(second, 4)
    assert phase(floor) is ObjectivePhase.FLAT
    assert alerts(floor) == ["flat: it is time to be flat"]
    assert floor.state.exposure.state is TradingState.REDUCING
    floor.replay()


def test_what_did_not_trade_is_tried_again_until_it_has() -> None:
    """A28."""
    floor = small(A1=10)
    aim(floor, loss_limit=Decimal(1), then=FLATTEN)
    floor.quote(990)
    (one,) = closing(floor)
    floor.fill(one, 7)
    floor.canceled(one, 7)
    assert closing(floor) == []
    floor.pass_time(SECOND)
    (again,) = closing(floor)
    assert again.order.quantity == 3
    floor.fill(again, 3)
    assert phase(floor) is ObjectivePhase.FLAT
    assert floor.state.objectives.tries == 2


def test_a_close_keeps_within_the_limits() -> None:
    """I10: 11.00 a lot at worst, so nine lots; then by quantity; then not even one."""
    floor = small(Limits(max_notional=Decimal(100), max_quantity={T: 20}), A1=11)
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    (one,) = closing(floor)
    assert one.order.quantity == 9
    floor.limit(account="A1", max_quantity={T: 1})
    floor.fill(one, 9)
    floor.pass_time(SECOND)
    (one,) = closing(floor)
    assert one.order.quantity == 1
    floor.limit(max_notional=Decimal(1))
    floor.fill(one, 1)
    floor.pass_time(SECOND)
    assert floor.state.objectives.note == "T on A1: not even one lot is within the limits"


def test_it_says_why_a_position_cannot_be_closed() -> None:
    """A1: retried until flat, or said why not; several are counted."""
    floor = small(A1=10, A2=10)
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.halt()
    floor.pass_time(SECOND)
    assert floor.state.objectives.note == "T on A1: halted, and 1 more"
    floor.resume()
    floor.pass_time(SECOND)
    assert len(closing(floor)) == 2


def test_nothing_is_sold_by_a_price_that_is_too_old() -> None:
    floor = small(Limits(max_reference_age_ns=10 * SECOND), A1=10)
    aim(floor, lasts_ns=20 * SECOND, then=FLATTEN)
    floor.pass_time(21 * SECOND)
    assert closing(floor) == []
    assert floor.state.objectives.note.startswith("T on A1: the price of T is 21 s old")
    floor.quote()
    floor.pass_time(SECOND)
    assert len(closing(floor)) == 1


def test_an_order_that_waits_for_a_person_is_never_closed_against() -> None:
    """I17: nobody knows what it holds."""
    floor = small(fence=FenceClass.NEITHER, A1=10)
    (attempt,) = floor.attempts(floor.sell(3, 1_001, slots=("s1",)))
    floor.timed_out(attempt)
    floor.pass_time(3 * SECOND)
    assert attempt.for_person
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(2 * SECOND)
    key = attempt.order.client_order_id
    assert floor.state.objectives.note == f"T on A1: {key} waits for a person"


def test_it_is_not_flat_while_something_could_still_trade() -> None:
    floor = small()
    (attempt,) = floor.attempts(floor.buy(3, 990, slots=("s1",)))
    floor.accept(attempt)
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    assert phase(floor) is ObjectivePhase.FLATTENING
    floor.canceled(attempt)
    assert phase(floor) is ObjectivePhase.FLAT


def test_algorithms_end_before_it_is_flat() -> None:
    floor = small()
    spec = Twap(symbol="T", side=Side.BUY, quantity=Lots(10), duration_ns=60 * SECOND, slices=10)
    floor.ask(PlaceAlgo(spec=spec))
    for one in floor.attempts():
        floor.fill(one, one.order.quantity)
    aim(floor, flat_after_ns=SECOND)
    floor.pass_time(2 * SECOND)
    assert not floor.state.running
    for one in closing(floor):
        floor.fill(one, one.order.quantity)
    assert phase(floor) is ObjectivePhase.FLAT
    assert floor.state.ledger.lots("A1", T) == 0


def test_flat_by_a_moment_leaves_time_to_become_flat() -> None:
    """A28."""
    floor = small()
    now_ns = floor.now.market_ns
    aim(floor, flat_by_market_ns=now_ns + 3_600 * SECOND)
    assert floor.state.objectives.flat_at_ns == now_ns + 3_570 * SECOND
    aim(floor, flat_by_market_ns=now_ns + 60 * SECOND)
    assert floor.state.objectives.flat_at_ns == now_ns + 54 * SECOND


def test_clearing_lets_the_desk_trade_again() -> None:
    floor = small(A1=10)
    assert floor.ask(ClearObjectives()) == Done(text="there were no objectives")
    aim(floor, target_profit=Decimal(1))
    assert floor.ask(ClearObjectives()) == Done(text="objectives are cleared")
    aim(floor, target_profit=Decimal(1))
    floor.quote(1_010)
    assert floor.ask(ClearObjectives()) == Done(text="objectives are cleared")
    assert floor.state.exposure.state is TradingState.ACTIVE
    floor.quote(2_000)
    assert phase(floor) is ObjectivePhase.NONE


def test_a_person_who_lifts_it_clears_the_objectives() -> None:
    """Else they would go on selling."""
    floor = small(A1=10)
    aim(floor, target_profit=Decimal(1), then=FLATTEN)
    floor.quote(1_010)
    answer = floor.reduce_only(on=False)
    assert answer == Done(text="desk trades again; its objectives are cleared")
    assert phase(floor) is ObjectivePhase.NONE


def test_new_objectives_replace_the_old_and_old_alarms_mean_nothing() -> None:
    floor = small(A1=10)
    aim(floor, lasts_ns=2 * SECOND)
    aim(floor, lasts_ns=10 * SECOND)
    floor.pass_time(5 * SECOND)
    assert phase(floor) is ObjectivePhase.WATCHING
    aim(floor, target_profit=Decimal(500))
    floor.pass_time(20 * SECOND)
    assert phase(floor) is ObjectivePhase.WATCHING


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"currency": "EUR", "lasts_ns": 1}, "no currency 'EUR'; there are USD"),
        ({"symbols": ("Z",), "lasts_ns": 1}, "no symbol 'Z' is traded in USD"),
        ({"flat_by_market_ns": 1}, "flat_by is over"),
    ],
)
def test_objectives_that_cannot_be_are_refused(fields: dict[str, Any], text: str) -> None:
    floor = small()
    refused = floor.refusal(floor.ask(SetObjectives(**({"currency": "USD"} | fields))))
    assert refused.reason is RefusalReason.BAD_OBJECTIVE
    assert refused.text.startswith(text)
    assert phase(floor) is ObjectivePhase.NONE


@given(
    st.integers(-12, 12),
    st.integers(-12, 12),
    st.lists(st.integers(0, 12), max_size=12),
)
def test_whatever_of_each_close_trades_it_ends_flat_and_never_turns_a_position(
    first: int, second: int, traded: list[int]
) -> None:
    """A28."""
    floor = small(A1=first, A2=second)
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    sizes = {"A1": abs(first), "A2": abs(second)}
    for step in range(30):
        for one in closing(floor):
            most = traded[step] if step < len(traded) else 100
            quantity = min(most, one.order.quantity)
            if quantity:
                floor.fill(one, quantity)
            if not one.is_final:
                floor.canceled(one, quantity)
        for account, before in sizes.items():
            lots = abs(floor.state.ledger.lots(account, T))
            assert lots <= before
            sizes[account] = lots
        floor.quote()
        floor.pass_time(SECOND)
    assert phase(floor) is ObjectivePhase.FLAT
    assert set(sizes.values()) == {0}


def test_a_close_that_the_gate_holds_back_says_why() -> None:
    """I10: it goes on when it may."""
    floor = small(A1=10)
    floor.limit(account="A1", restricted=("T",))
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    assert floor.state.objectives.note == "T on A1: restricted of A1"


def test_at_its_loss_limit_the_gain_between_stays_unnoticed() -> None:
    floor = small(A1=10)
    aim(floor, target_profit=Decimal(5), loss_limit=Decimal(5))
    for price in (1_010, 990, 1_049):
        floor.quote(price)
        assert phase(floor) is ObjectivePhase.WATCHING


def test_what_was_closed_before_counts_with_its_result() -> None:
    """A1: flat positions count what they realized; other instruments stay out."""
    floor = small(A1=10)
    (attempt,) = floor.attempts(floor.sell(10, 1_000, slots=("s1",)))
    aim(floor, target_profit=Decimal(1), symbols=("T",))
    floor.teller(attempt).report(fill_of(attempt, 10, "e", price=1_020))
    floor.quote(1_000, "U")
    assert floor.state.objectives.gain == Decimal("1.99")
    assert phase(floor) is ObjectivePhase.STOPPED


def test_the_time_is_looked_at_with_every_price_as_well() -> None:
    floor = small(A1=10)
    aim(floor, lasts_ns=5 * SECOND)
    floor.now_ns += 6 * SECOND
    floor.quote()
    assert floor.state.objectives.reached == "the time is over"


def test_what_has_no_price_yet_is_neither_judged_nor_sold() -> None:
    floor = Small(settings_of(slots=2), {"A1": 10})
    floor.open(quoted=("U",))
    aim(floor, target_profit=Decimal(1), symbols=("U",))
    assert floor.state.objectives.gain == 0
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    note = "T on A1: no price of T yet: no profit or loss is judged"
    assert floor.state.objectives.note == note


def test_an_open_order_of_another_instrument_is_not_waited_for() -> None:
    floor = small(A1=10)
    (other,) = floor.attempts(floor.buy(3, 990, symbol="U", slots=("s1",)))
    floor.accept(other)
    aim(floor, lasts_ns=SECOND, then=FLATTEN)
    floor.pass_time(SECOND)
    (one,) = closing(floor)
    floor.fill(one, 10)
    assert phase(floor) is ObjectivePhase.FLATTENING
    floor.canceled(other)
    floor.pass_time(SECOND)
    assert phase(floor) is ObjectivePhase.FLAT
