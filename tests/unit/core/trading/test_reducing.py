"""Reduce-only orders: never beyond the position of an account, whatever else is out there."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.account_gate import room
from tandem.core.trading.state import Outcome
from tandem.core.trading.turn import Turn
from tandem.domain.commands import RefusalReason
from tandem.domain.ids import AccountId, InstrumentId, SlotId
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade, Split
from tandem.domain.venue import Balances
from tests.unit.core.trading.desk_driver import SECOND, Floor, settings_of
from tests.unit.core.trading.outside import Account

T = InstrumentId("T@X")


class Held(Floor):
    """A floor whose accounts hold what the test says."""

    def __init__(self, lots: dict[str, int], **changes: Any) -> None:
        self.lots = lots
        super().__init__(settings_of(**({"may_short": True} | changes)))

    def balances(self, account_id: AccountId) -> Balances:
        lots = self.lots.get(account_id, 0)
        held = {T: lots} if lots else {}
        return Balances(query_id=0, cash={"USD": Decimal(100_000)}, positions=held)

    def left(self, side: Side = Side.SELL, slot: str = "s1") -> int:
        turn = Turn(self.state, self.desk.rules, self.now, self.now_ns)
        instrument = self.desk.rules.instruments[T]
        return room(turn, self.state.seats[SlotId(slot)], instrument, side)

    def shares(self, side: Side, quantity: int, **rest: Any) -> list[tuple[str, int]]:
        """Place a reduce-only order; return who trades how much of it."""
        parent = self.parent_of(self.place(side, quantity, reduce_only=True, **rest))
        found = [(str(one.slot_id), int(one.order.quantity)) for one in self.attempts(parent)]
        assert parent.quantity == sum(lots for _, lots in found)
        return found


def held(lots: dict[str, int]) -> Held:
    floor = Held(lots)
    floor.open()
    return floor


def test_an_order_is_cut_to_the_positions_and_what_one_cannot_take_goes_to_the_others() -> None:
    """A7."""
    floor = held({"A1": 12, "A2": 1, "A3": -5})
    assert floor.shares(Side.SELL, 12) == [("s1", 11), ("s2", 1)]
    assert floor.shares(Side.BUY, 50, price=900) == [("s3", 5)]


def test_with_each_the_quantity_of_one_account_is_not_given_to_another() -> None:
    floor = held({"A1": 12, "A2": 1})
    assert floor.shares(Side.SELL, 5, split=Split.EACH) == [("s1", 5), ("s2", 1)]


def test_without_a_position_it_is_refused() -> None:
    floor = held({"A1": 5})
    refused = floor.refusal(floor.place(Side.BUY, 5, reduce_only=True))
    assert refused.reason is RefusalReason.RISK
    assert refused.text == "there is no position in T that a buy order would reduce"
    assert not floor.state.parents


def test_whatever_is_out_on_the_same_side_is_counted_in_full() -> None:
    floor = held({"A1": 20})
    first = floor.attempts(floor.sell(8, slots=("s1",)))[0]
    floor.fill(first, 3)
    floor.buy(4, 900, slots=("s1",))
    assert floor.left() == 12
    floor.canceled(first, 5)  # two executions are missing: they have traded all the same
    retried = floor.attempts()[-1]
    assert (retried.order.quantity, floor.left()) == (3, 12)
    outside = Account(floor)
    outside.open(Side.SELL, 7, 1_100)
    outside.open(Side.BUY, 3, 800, key="other")
    floor.pass_time(11 * SECOND)
    outside.reply()
    assert floor.left() == 5


def test_what_is_tried_again_is_cut_to_what_the_position_is_by_then() -> None:
    floor = held({"A1": 10, "A2": 10})
    parent = floor.sell(10, slots=("s1",), reduce_only=True)
    (attempt,) = floor.attempts(parent)
    floor.quote(3_000)
    floor.canceled(attempt, 0)  # waits: its price is beyond the collar
    other = floor.attempts(floor.sell(6, 3_000, slots=("s1",)))[0]
    floor.quote()
    floor.pass_time(SECOND)
    assert [one.order.quantity for one in floor.attempts(parent)] == [10, 4]
    floor.fill(floor.attempts(parent)[1], 4)
    assert (parent.outcome, parent.done_quantity) == (Outcome.INCOMPLETE, 4)
    floor.fill(other, 6)
    assert floor.left() == 0


def test_what_is_tried_again_waits_while_there_is_nothing_to_reduce() -> None:
    floor = held({"A1": 10})
    parent = floor.sell(10, slots=("s1",), reduce_only=True)
    floor.quote(3_000)
    floor.canceled(floor.attempts(parent)[0], 0)
    floor.attempts(floor.sell(10, 3_000, slots=("s1",)))
    floor.quote()
    floor.pass_time(40 * SECOND)
    assert (parent.outcome, len(parent.attempts)) == (Outcome.INCOMPLETE, 1)
    assert parent.text == "no slot could take what was left"


def test_after_own_orders_in_the_way_are_canceled_it_is_cut_once_more() -> None:
    floor = held({"A1": 10, "A2": 10})
    resting = floor.attempts(floor.buy(5, 1_000, slots=("s3",)))[0]
    modes: dict[str, Any] = {"reduce_only": True, "self_trade": SelfTrade.CANCEL_RESTING}
    parent = floor.sell(20, slots=("s1", "s2"), **modes)
    first = floor.attempts(floor.sell(10, 1_100, slots=("s1",)))[0]
    floor.canceled(resting, 0)
    (attempt,) = floor.attempts(parent)
    assert (attempt.slot_id, attempt.order.quantity) == ("s2", 10)
    assert first.order.quantity == 10


def test_after_own_orders_in_the_way_are_canceled_there_may_be_nothing_left_to_reduce() -> None:
    floor = held({"A1": 10})
    resting = floor.attempts(floor.buy(5, 1_000, slots=("s3",)))[0]
    parent = floor.sell(10, slots=("s1",), reduce_only=True, self_trade=SelfTrade.CANCEL_RESTING)
    floor.sell(10, 1_100, slots=("s1",))
    floor.canceled(resting, 0)
    assert parent.outcome is Outcome.INCOMPLETE
    assert parent.text == "there is no position in T that a sell order would reduce"
    assert not parent.attempts


@given(
    st.dictionaries(st.sampled_from(("A1", "A2", "A3", "A4")), st.integers(-30, 30)),
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 40), st.booleans(), st.sampled_from(Split)),
        max_size=6,
    ),
)
def test_no_account_could_be_turned_by_its_reduce_only_orders(
    lots: dict[str, int], asked: list[tuple[Side, int, bool, Split]]
) -> None:
    """A7: should all that is out on one side trade, a reduce-only order does not cross zero."""
    floor = held(lots)
    for side, quantity, reduces, split in asked:
        price = 990 if side is Side.BUY else 1_010
        before = {slot: floor.left(side, slot) for slot in ("s1", "s2", "s3", "s4")}
        known = len(floor.attempts())
        floor.place(side, quantity, price, reduce_only=reduces, split=split)
        if reduces:
            for one in floor.attempts()[known:]:
                assert one.order.quantity <= before[one.slot_id]
