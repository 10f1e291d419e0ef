"""For whom an order trades."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading import claims
from tandem.core.trading.booked import Claimed
from tandem.core.trading.state import DeskState, Parent
from tandem.core.trading.target_state import Assigned, Claim
from tandem.domain.ids import ClientOrderId, CommandId, InstrumentId, Lots, ParentId, SlotId
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.parents import ParentSpec
from tandem.domain.strategies import AssignmentId
from tests.unit.core.trading.strategy_floor import assignment, strategy_floor

T, S1 = InstrumentId("T@X"), SlotId("s1")


def order(side: Side, quantity: int) -> Order:
    return Order(
        client_order_id=ClientOrderId("d-1-1-1"),
        instrument_id=T,
        side=side,
        quantity=Lots(quantity),
        limit_price=None,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    )


def parent_of(*claimed: Claim) -> Parent:
    quantity = sum(one.left for one in claimed)
    spec = ParentSpec(symbol="T", side=Side.BUY, quantity=Lots(quantity), strategy="strategies")
    return Parent(
        parent_id=ParentId("d-1"),
        command_id=CommandId("c"),
        spec=spec,
        quantity=quantity,
        slots=[S1],
        claims=list(claimed),
    )


def state_of(*keys: str) -> DeskState:
    state = DeskState()
    for key in keys:
        state.strategies.assigned[AssignmentId(key)] = Assigned(assignment(key), 1)
    return state


def held(state: DeskState, key: str) -> int:
    return claims.net_of(state.strategies, S1, T).members[AssignmentId(key)].held


def of(key: str, lots: int) -> Claimed:
    return Claimed(key, lots, key)


def test_an_execution_goes_to_claims_in_their_turn() -> None:
    """B3."""
    state = state_of("a", "b")
    parent = parent_of(Claim(AssignmentId("a"), "a", 4), Claim(AssignmentId("b"), "b", 3))
    bought = order(Side.BUY, 7)
    assert claims.on_fill(state, parent, bought, slot_id=S1, lots=3) == (of("a", 3),)
    assert claims.on_fill(state, parent, bought, slot_id=S1, lots=4) == (of("a", 1), of("b", 3))
    assert (held(state, "a"), held(state, "b")) == (4, 3)
    assert claims.on_fill(state, parent, bought, slot_id=S1, lots=1) == ()


def test_more_than_was_claimed_is_the_order_s() -> None:
    state = state_of("a")
    parent = parent_of(Claim(AssignmentId("a"), "a", 4))
    found = claims.on_fill(state, parent, order(Side.SELL, 5), slot_id=S1, lots=5)
    assert found == (of("a", 4), Claimed("strategies", 1))
    assert held(state, "a") == -4


def test_what_nobody_claims_any_more_stays_the_account_s() -> None:
    state = state_of()
    parent = parent_of(Claim(AssignmentId("a"), "a", 4))
    found = claims.on_fill(state, parent, order(Side.BUY, 4), slot_id=S1, lots=4)
    assert (found, state.strategies.nets) == ((of("a", 4),), {})


def test_what_trades_of_a_wanted_order_is_wanted() -> None:
    state = state_of("a")
    parent = parent_of(Claim(AssignmentId("a"), "a", 4, is_order=True))
    claims.on_fill(state, parent, order(Side.BUY, 4), slot_id=S1, lots=4)
    assert held(state, "a") == 4
    assert not claims.net_of(state.strategies, S1, T).members[AssignmentId("a")].lacking


@given(
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    fills=st.lists(st.integers(1, 40), max_size=10),
)
def test_every_lot_has_exactly_one_owner(parts: list[int], fills: list[int]) -> None:
    keys = [f"a{at}" for at in range(len(parts))]
    state = state_of(*keys)
    parent = parent_of(
        *(Claim(AssignmentId(key), key, lots) for key, lots in zip(keys, parts, strict=True))
    )
    bought, left = order(Side.BUY, sum(parts)), sum(parts)
    for lots in fills:
        part = min(lots, left)
        if part:
            given_out = claims.on_fill(state, parent, bought, slot_id=S1, lots=part)
            assert sum(one.lots for one in given_out) == part
            left -= part
    members = claims.net_of(state.strategies, S1, T).members
    assert sum(one.held for one in members.values()) == sum(parts) - left
    assert sum(one.left for one in parent.claims) == left


def test_an_order_that_is_not_known_any_more_ends_without_a_word() -> None:
    floor = strategy_floor()
    floor.assign()
    floor.set(position=1)
    parent = floor.state.parents[floor.out()[0].parent_id]
    assert parent.parent_id not in floor.assigned().orders
    floor.fill_all()
    assert floor.held() == 10
