"""What a parent is being changed to."""

from hypothesis import given
from hypothesis import strategies as st

from tandem.core.trading.replacement import Replacement
from tandem.domain.ids import Lots, Ticks
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_nothing_but_price_and_quantity_changes(asked: int, came: int, price: int) -> None:
    """A7: the quantity is what it came to, which may be more than was asked for."""
    spec = ParentSpec(symbol="T", side=Side.SELL, quantity=Lots(7), reduce_only=True)
    to = Replacement(quantity=Lots(asked), limit_price=Ticks(price), is_anew=True)
    changed = to.applied(spec, Lots(came))
    assert changed == ParentSpec(
        symbol="T", side=Side.SELL, quantity=Lots(came), limit_price=Ticks(price), reduce_only=True
    )


def test_what_it_came_to_is_what_the_order_is_for() -> None:
    spec = ParentSpec(symbol="T", side=Side.BUY, quantity=Lots(7))
    to = Replacement(quantity=Lots(5), limit_price=None, is_anew=False)
    assert to.applied(spec, Lots(6)).quantity == 6
