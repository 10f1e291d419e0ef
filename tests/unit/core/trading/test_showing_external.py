"""What others do on our accounts, as a trader sees it."""

import msgspec

from tandem.core.trading.showing import show
from tandem.core.trading.showing_external import ORDERS_MAX
from tandem.domain.commands import ExplainExternal
from tandem.domain.control import ANSWER_BYTES_MAX, AskStatus
from tandem.domain.ids import AccountId
from tandem.domain.order import Side
from tandem.domain.views import ExternalView, StatusView
from tests.unit.core.trading.desk_driver import Floor
from tests.unit.core.trading.outside import T, U, opened


def look(floor: Floor) -> tuple[ExternalView, ...]:
    view = show(floor.desk, AskStatus(number=1), records=0, leases={})
    assert isinstance(view, StatusView)
    return view.external


def test_nothing_external_is_no_row() -> None:
    floor, _ = opened()
    assert look(floor) == ()


def test_what_others_traded_and_have_open_is_shown_and_what_waits_comes_first() -> None:
    """F24: by account and instrument, with the latest that was found."""
    floor, account = opened()
    account.trade(Side.SELL, 7)
    account.open(Side.BUY, 5, 999, key="x", cum=2, instrument_id=U)
    account.open(Side.SELL, 5, None, key="y", instrument_id=U)
    account.look()
    floor.ask(ExplainExternal(account_id=AccountId("A1"), unit=T))
    first, second, third = look(floor)
    assert (first.account_id, first.symbol, first.waits, first.moved) == ("A1", "U", True, "+0")
    assert [(one.client_order_id, one.quantity, one.limit_price) for one in first.orders] == [
        ("x", "3", "9.99"),
        ("y", "5", None),
    ]
    assert first.text == "order y"
    assert (second.symbol, second.moved, second.waits, second.text) == ("T", "-7", False, "")
    assert (third.unit, third.symbol, third.moved) == ("USD", "USD", "+69.99")


def test_an_answer_with_very_many_external_orders_fits() -> None:
    floor, account = opened()
    for number in range(300):
        account.open(Side.BUY, 1, 900, key=f"x{number}")
    account.look()
    (row,) = look(floor)
    assert len(row.orders) == ORDERS_MAX
    assert len(msgspec.msgpack.encode(look(floor))) < ANSWER_BYTES_MAX
