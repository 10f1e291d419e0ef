"""Whether what was said of one attachment can be: the bounds that hold outside of its process.

A strategy's process checks what strategies return, but it is the tenant's, and whoever breaks it
from inside writes what he likes.
"""

from typing import Final

from tandem.domain.evaluation import Said
from tandem.domain.strategies import FULL_PPM, STATE_BYTES_MAX, Answer, WantedOrder

ORDERS_MAX: Final = 16
LINES_MAX: Final = 10
LENGTH_MAX: Final = 2_000  # of a line or an error
NUMBER_MAX: Final = 2**53  # of a price or a quantity
_NO_STATE: Final = Answer().state
_UNSOUND: Final = "it answered what no strategy can answer"


def is_sound(said: Said) -> bool:
    """Return whether it keeps every bound."""
    answer = said.answer
    if not -FULL_PPM <= (answer.position_ppm or 0) <= FULL_PPM:
        return False
    if (
        answer.state == _NO_STATE
        and answer.error is None
        and answer.stop_price is None
        and answer.target_price is None
        and not answer.orders
        and not said.lines
    ):
        return True  # a position alone: nearly all are, thousands on one bar
    return (
        len(answer.state.encode()) <= STATE_BYTES_MAX
        and len(answer.error or "") <= LENGTH_MAX
        and len(said.lines) <= LINES_MAX
        and all(len(line) <= LENGTH_MAX for line in said.lines)
        and len(answer.orders) <= ORDERS_MAX
        and all(map(_is_price, (answer.stop_price, answer.target_price)))
        and all(map(_is_order, answer.orders))
    )


def sound(said: Said) -> Said:
    """Return it, or an error in its place."""
    return said if is_sound(said) else Said(number=said.number, answer=Answer(error=_UNSOUND))


def _is_order(order: WantedOrder) -> bool:
    prices = (order.limit_price, order.stop_price, order.target_price)
    return 0 < order.quantity <= NUMBER_MAX and all(map(_is_price, prices))


def _is_price(price: int | None) -> bool:
    return price is None or 0 < price <= NUMBER_MAX
