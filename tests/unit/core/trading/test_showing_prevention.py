"""What self-trade prevention did, as a trader sees it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.showing import show
from tandem.domain.control import AskRefusals
from tandem.domain.ids import AccountId, ClientOrderId, InstrumentId, ParentId
from tandem.domain.order import Side
from tandem.domain.parents import SelfTrade
from tandem.domain.views import InternalView, PreventionView
from tests.unit.core.trading.desk_driver import Floor


def look(floor: Floor, limit: int = 20) -> PreventionView:
    question = AskRefusals(number=1, limit=limit)
    view = show(floor.desk, question, records=0, leases={}, now=floor.now)
    assert isinstance(view, PreventionView)
    return view


def test_a_refusal_is_shown_with_the_order_it_would_have_met_the_newest_first() -> None:
    """C1: by its command, in a trader's words."""
    floor = Floor().open()
    sell = floor.sell(5, 1_001, slots=("s1",))
    floor.place(Side.BUY, 3, 1_002, slots=("s2",))
    floor.place(Side.BUY, 4, None, slots=("s2",))
    newest, oldest = look(floor).refusals
    assert (newest.quantity, newest.limit_price) == ("4", None)
    assert (oldest.symbol, oldest.side, oldest.quantity) == ("T", Side.BUY, "3")
    assert (oldest.limit_price, oldest.mode, oldest.owner) == ("10.02", "reject_new", None)
    assert oldest.met == ClientOrderId(f"{sell.parent_id}-1-1")
    assert oldest.met_parent == sell.parent_id
    assert oldest.market_ns == floor.now.market_ns
    assert len(look(floor, limit=1).refusals) == 1


def test_what_was_netted_is_shown_with_its_price_and_what_it_came_to() -> None:
    """C1."""
    floor = Floor().open()
    floor.at("s1").not_ready()
    floor.sell(5, 1_001, slots=("s1",), strategy="long")
    floor.buy(3, 1_002, slots=("s1",), strategy="short", self_trade=SelfTrade.NET_INTERNALLY)
    view = look(floor)
    (netting,) = view.nettings
    assert (netting.account_id, netting.symbol) == (AccountId("A1"), "T")
    assert (netting.quantity, netting.price) == ("3", "10.01")
    assert (netting.buyer, netting.seller) == (ParentId("d-2"), ParentId("d-1"))
    t = InstrumentId("T@X")
    cost = Decimal("30.03")
    assert view.internal == (
        InternalView(strategy="short", instrument_id=t, lots=3, cost=cost),
        InternalView(strategy="long", instrument_id=t, lots=-3, cost=-cost),
    )


@given(st.integers(-3, 9), st.integers(0, 5))
def test_never_more_is_shown_than_was_asked_for(limit: int, refused: int) -> None:
    floor = Floor().open()
    floor.sell(5, 1_001, slots=("s1",))
    for _ in range(refused):
        floor.place(Side.BUY, 3, 1_002, slots=("s2",))
    assert len(look(floor, limit).refusals) == max(0, min(limit, refused))
