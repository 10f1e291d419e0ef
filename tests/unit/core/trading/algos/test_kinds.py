"""The kinds of algorithms."""

from tandem.core.trading.algos import kinds
from tandem.core.trading.algos.memos import TwapMemo
from tandem.domain.commands import ReplaceOrder
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.algos.test_twap import spec


def test_a_kind_is_known_by_its_spec() -> None:
    assert kinds.name_of(spec()) == "twap"
    assert kinds.new_memo(spec(), seed=7) == TwapMemo(seed=7)


def test_there_is_room_for_what_has_neither_traded_nor_is_out() -> None:
    seen = sight(bought=3, open_buys=2)
    assert kinds.room(spec(), Side.BUY, seen) == 5
    assert kinds.room(spec(), Side.SELL, seen) == 3


def test_a_replaced_spec_has_the_new_words_and_keeps_the_others() -> None:
    command = ReplaceOrder(order_id="d-1", quantity=Lots(7), limit_price=Ticks(5))
    changed = kinds.replaced(spec(), command)
    assert changed == spec(quantity=Lots(7), limit_price=Ticks(5))
    assert kinds.replaced(spec(), ReplaceOrder(order_id="d-1")) == spec()
