"""What is remembered of own orders that would have met is bounded, and adds up."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.prevention import (
    KEPT_MAX,
    InternalPosition,
    Netting,
    Prevention,
    Refusal,
)
from tandem.domain.ids import AccountId, ClientOrderId, CommandId, InstrumentId, ParentId, Ticks
from tandem.domain.order import Side

T = InstrumentId("T@X")
NETTING = Netting(1, 2, AccountId("A1"), T, 3, Ticks(1_000), ParentId("d-1"), ParentId("d-2"))
REFUSAL = Refusal(
    at_ns=1,
    market_ns=2,
    command_id=CommandId("c"),
    owner=None,
    instrument_id=T,
    side=Side.BUY,
    quantity=3,
    limit_price=None,
    mode="reject_new",
    met=ClientOrderId("d-1-1-1"),
    met_parent=ParentId("d-1"),
    text="it could meet your own order d-1-1-1",
)


def test_the_latest_are_kept_and_not_more_than_a_sixteenth_beyond_that() -> None:
    prevention = Prevention()
    for number in range(3 * KEPT_MAX):
        prevention.note_refusal(msgspec.structs.replace(REFUSAL, at_ns=number))
        prevention.note_netting(
            msgspec.structs.replace(NETTING, at_ns=number), buyer="a", seller="b"
        )
        for kept in (prevention.refusals, prevention.nettings):
            assert len(kept) <= KEPT_MAX + KEPT_MAX // 16
            assert kept[-1].at_ns == number
    assert len(prevention.refusals) >= KEPT_MAX


def test_lots_and_value_move_from_the_seller_to_the_buyer() -> None:
    prevention = Prevention()
    prevention.note_netting(NETTING, buyer="a", seller="b")
    prevention.note_netting(NETTING, buyer="a", seller="c")
    assert prevention.internal["a"] == {T: InternalPosition(6, Decimal(6_000))}
    assert prevention.internal["b"] == {T: InternalPosition(-3, Decimal(-3_000))}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 99))))
def test_what_all_strategies_took_over_from_each_other_is_nothing(
    moved: list[tuple[str, str, int]],
) -> None:
    """I6: netting makes neither lots nor money."""
    prevention = Prevention()
    for buyer, seller, quantity in moved:
        netting = msgspec.structs.replace(NETTING, quantity=quantity)
        prevention.note_netting(netting, buyer=buyer, seller=seller)
    held = [one for by in prevention.internal.values() for one in by.values()]
    assert sum(one.lots for one in held) == 0
    assert sum(one.value for one in held) == 0
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(prevention), type=Prevention)
    assert again == prevention
