"""What becomes of an inventory when its algorithm ends."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.algos.leaving import LEAVES_MAX, leave
from tandem.core.trading.algos.memos import MakeMarketMemo
from tandem.core.trading.algos.sight import LEAVE, LEFT, PartSeen, Step
from tandem.domain.algos import Leaving
from tandem.domain.ids import ParentId
from tandem.domain.order import Side, TimeInForce
from tests.unit.core.trading.algos.test_sight import sight


def test_an_inventory_is_given_back_at_the_market_from_where_it_is() -> None:
    for bought, sold, side in ((5, 2, Side.SELL), (2, 5, Side.BUY)):
        (one,) = leave(Leaving.FLATTEN, MakeMarketMemo(), sight(bought=bought, sold=sold)).place
        assert (one.role, one.side, one.quantity, one.limit_price) == (LEAVE, side, 3, None)
        assert one.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
        assert one.cancels_own
        assert one.is_exit


def test_it_waits_for_what_is_out_and_ends_when_nothing_is_held() -> None:
    out = PartSeen(LEAVE, ParentId("d-2"), Side.SELL, 3, None, 0, is_ending=False)
    assert leave(Leaving.FLATTEN, MakeMarketMemo(), sight(bought=3, parts=(out,))) == Step()
    assert leave(Leaving.FLATTEN, MakeMarketMemo(), sight()).is_over


def test_an_inventory_that_is_kept_is_not_traded() -> None:
    kept = leave(Leaving.KEEP, MakeMarketMemo(), sight(bought=3))
    assert (kept.is_over, kept.place) == (True, ())


def test_what_nobody_takes_is_said_in_the_end() -> None:
    memo = MakeMarketMemo()
    for _ in range(LEAVES_MAX):
        assert leave(Leaving.FLATTEN, memo, sight(bought=3)).place
    last = leave(Leaving.FLATTEN, memo, sight(bought=3))
    assert (last.is_over, last.text, last.left) == (True, f"{LEFT} could not be given back", 3)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 5))
def test_whatever_is_held_goes_back_in_full_and_no_more(bought: int, sold: int, part: int) -> None:
    memo = MakeMarketMemo()
    for _ in range(100):
        step = leave(Leaving.FLATTEN, memo, sight(bought=bought, sold=sold))
        if step.is_over:
            break
        (one,) = step.place
        traded = min(part, one.quantity)
        bought += traded * (one.side is Side.BUY)
        sold += traded * (one.side is Side.SELL)
        memo.leaves = 0  # something traded each time
    assert bought == sold
