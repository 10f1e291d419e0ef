"""What can be true at all."""

from decimal import Decimal

import msgspec
import pytest

from tandem.core.trading.plausible import is_execution, is_money, is_quote
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots, Ticks
from tandem.domain.limits import LOTS_MAX
from tandem.domain.reports import Filled
from tandem.domain.venue import Quote

FILL = Filled(
    client_order_id=ClientOrderId("o"),
    execution_id=ExecutionId("e"),
    quantity=Lots(1),
    price=Ticks(1),
    fee=Decimal(0),
    venue_at_ns=0,
)


@pytest.mark.parametrize("text", ["0", "-0.01", "1E+15", "-1E+15", "1E-20", "0E-20"])
def test_sums_that_the_books_can_hold(text: str) -> None:
    """I6: to the last digit."""
    assert is_money(Decimal(text))


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E-21", "1E+16", "-1000000000000000.01"]
)
def test_sums_that_they_cannot(text: str) -> None:
    assert not is_money(Decimal(text))


@pytest.mark.parametrize(("quantity", "price"), [(1, 1), (LOTS_MAX, LOTS_MAX)])
def test_executions_that_can_be(quantity: int, price: int) -> None:
    fill = msgspec.structs.replace(FILL, quantity=Lots(quantity), price=Ticks(price))
    assert is_execution(fill)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": Lots(0)},
        {"quantity": Lots(-1)},
        {"quantity": Lots(LOTS_MAX + 1)},
        {"price": Ticks(0)},
        {"price": Ticks(-1)},
        {"price": Ticks(LOTS_MAX + 1)},
        {"fee": Decimal("NaN")},
    ],
)
def test_executions_that_cannot(change: dict[str, object]) -> None:
    assert not is_execution(msgspec.structs.replace(FILL, **change))


@pytest.mark.parametrize(
    ("bid", "ask", "last", "can_be"),
    [
        (1, 2, 3, True),
        (None, None, None, True),
        (2, 2, 3, True),
        (3, 2, 3, False),
        (0, 2, 3, False),
        (1, -2, 3, False),
        (1, 2, LOTS_MAX + 1, False),
    ],
)
def test_quotes(bid: int | None, ask: int | None, last: int | None, can_be: bool) -> None:
    quote = Quote(
        instrument_id=InstrumentId("T"),
        bid=None if bid is None else Ticks(bid),
        ask=None if ask is None else Ticks(ask),
        last=None if last is None else Ticks(last),
    )
    assert is_quote(quote) is can_be
