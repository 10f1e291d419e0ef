from decimal import Decimal

import msgspec

from tandem.core.matching.state import OrderRecord, opening
from tandem.domain.exchange import Fees
from tandem.domain.order import OrderStatus
from tests.unit.core.matching.paper import BUY, SHARE, order, settings


def test_accounts_of_one_owner_share_a_number() -> None:
    state = opening(settings())
    assert [one.owner for one in state.accounts] == [1, 1, 2, 3, 4]


def test_an_account_without_fees_of_its_own_has_those_of_the_exchange() -> None:
    state = opening(settings(fees=Fees(maker=Decimal("-0.1"), taker=Decimal("0.2"))))
    assert state.accounts[0].fees.taker == Decimal("0.2")
    assert state.accounts[2].fees.taker == Decimal("0.001")
    assert [one.hold_rate for one in state.accounts[:3]] == [
        Decimal("1.2"),
        Decimal("1.2"),
        Decimal("1.001"),
    ]


def test_an_exchange_that_pays_rebates_only_holds_the_plain_value() -> None:
    state = opening(settings(fees=Fees(maker=Decimal("-0.1"), taker=Decimal("-0.2"))))
    assert state.accounts[0].hold_rate == 1


def test_nothing_is_left_of_a_final_order() -> None:
    record = OrderRecord(
        number=1, account=0, order=order("x", BUY, 10, 100), accepted_at_ns=0, cum_quantity=3
    )
    record.prevented = 2
    assert record.leaves == 5
    record.status = OrderStatus.CANCELED
    assert record.leaves == 0


def test_opening_twice_shares_nothing() -> None:
    one = opening(settings())
    one.accounts[0].positions[SHARE] = 0
    one.accounts[0].records[1] = OrderRecord(
        number=1, account=0, order=order("x", BUY, 1, 1), accepted_at_ns=0
    )
    other = opening(settings())
    assert msgspec.msgpack.encode(one) != msgspec.msgpack.encode(other)
    assert other.accounts[0].positions[SHARE] == 1_000
    assert other.accounts[0].records == {}
