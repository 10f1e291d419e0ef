"""The kinds of algorithms."""

import msgspec

from tandem.core.trading.algos import kinds
from tandem.core.trading.algos.memos import IcebergMemo, MomentumMemo, ParticipateMemo, TwapMemo
from tandem.domain.commands import ReplaceOrder
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tests.unit.core.trading.algos.rehearsal import MEMOS
from tests.unit.core.trading.algos.test_iceberg import spec as iceberg
from tests.unit.core.trading.algos.test_momentum import spec as momentum
from tests.unit.core.trading.algos.test_participate import spec as participation
from tests.unit.core.trading.algos.test_sight import sight
from tests.unit.core.trading.algos.test_twap import spec


def test_a_kind_is_known_by_its_spec() -> None:
    assert kinds.name_of(spec()) == "twap"
    assert kinds.new_memo(spec(), seed=7) == TwapMemo(seed=7)


def test_every_kind_remembers_what_a_snapshot_can_hold() -> None:
    for one, memo in (
        (spec(), TwapMemo(seed=7)),
        (participation(), ParticipateMemo()),
        (iceberg(), IcebergMemo(seed=7)),
        (momentum(), MomentumMemo()),
    ):
        made = kinds.new_memo(one, seed=7)
        assert made == memo
        assert MEMOS.decode(msgspec.msgpack.encode(made)) == made
        assert kinds.objection(one) is None
        assert kinds.step(one, made, sight(is_ending=True)).is_over


def test_one_that_follows_a_trend_has_room_for_its_position() -> None:
    """A12."""
    long = sight(bought=10, open_sells=3)
    assert kinds.room(momentum(), Side.BUY, long) == 0
    assert kinds.room(momentum(), Side.SELL, long) == 17
    assert kinds.room(momentum(long_only=True), Side.SELL, long) == 7


def test_one_that_follows_a_trend_has_no_limit_price() -> None:
    command = ReplaceOrder(order_id="d-1", limit_price=Ticks(5))
    assert kinds.replaced(momentum(), command) == "a momentum algorithm has no limit price"


def test_there_is_room_for_what_has_neither_traded_nor_is_out() -> None:
    seen = sight(bought=3, open_buys=2)
    assert kinds.room(spec(), Side.BUY, seen) == 5
    assert kinds.room(spec(), Side.SELL, seen) == 3


def test_a_replaced_spec_has_the_new_words_and_keeps_the_others() -> None:
    command = ReplaceOrder(order_id="d-1", quantity=Lots(7), limit_price=Ticks(5))
    changed = kinds.replaced(spec(), command)
    assert changed == spec(quantity=Lots(7), limit_price=Ticks(5))
    assert kinds.replaced(spec(), ReplaceOrder(order_id="d-1")) == spec()
