"""What an algorithm sees."""

from typing import Any

from tandem.core.trading.algos.sight import PartSeen, Sight
from tandem.domain.ids import ParentId, Ticks
from tandem.domain.order import Side


def sight(**changes: Any) -> Sight:
    fields: dict[str, Any] = {
        "market_ns": 0,
        "began_market_ns": 0,
        "bid": Ticks(999),
        "ask": Ticks(1_002),
        "last": Ticks(1_000),
        "volume": 0,
        "bought": 0,
        "sold": 0,
        "open_buys": 0,
        "open_sells": 0,
        "parts": (),
        "is_ending": False,
    }
    return Sight(**(fields | changes))


def test_the_middle_is_doubled_so_that_it_is_whole() -> None:
    assert sight().middle == 2_001


def test_without_both_sides_the_last_trade_is_the_middle() -> None:
    assert sight(bid=None).middle == 2_000
    assert sight(ask=None, last=None).middle is None


def test_each_side_has_its_own_quantities() -> None:
    seen = sight(bought=5, sold=3, open_buys=2, open_sells=1)
    assert seen.position == 2
    assert (seen.traded(Side.BUY), seen.traded(Side.SELL)) == (5, 3)
    assert (seen.out(Side.BUY), seen.out(Side.SELL)) == (2, 1)


def test_a_part_is_found_by_its_role() -> None:
    part = PartSeen("slice", ParentId("d-2"), Side.BUY, 1, None, 0, is_ending=False)
    assert sight(parts=(part,)).has("slice")
    assert not sight(parts=(part,)).has("close")
