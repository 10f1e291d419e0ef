"""Trades with oneself, found among an exchange's executions."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.core.matching.own_trades import own_trades
from tandem.core.matching.state import ExchangeState, Execution, opening
from tandem.domain.exchange import AccountSettings, ExchangeSettings
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    Ticks,
    VenueId,
)
from tandem.domain.reports import Filled


def execution(number: int, lots: int, **changes: Any) -> Execution:
    fill = Filled(
        client_order_id=ClientOrderId("c"),
        execution_id=ExecutionId(f"x-E{number}"),
        quantity=Lots(abs(lots)),
        price=changes.pop("price", Ticks(10)),
        fee=Decimal(0),
        venue_at_ns=0,
    )
    made = Execution(5, InstrumentId("T@x"), Decimal(-lots * 10), lots, fill)
    return msgspec.structs.replace(made, **changes)


def exchange(owners: str, *executions: tuple[int, Execution]) -> ExchangeState:
    accounts = tuple(
        AccountSettings(
            account_id=AccountId(f"A{place}"), secret="", owner=owner, cash={}, positions={}
        )
        for place, owner in enumerate(owners)
    )
    state = opening(ExchangeSettings(venue_id=VenueId("x"), instruments=(), accounts=accounts))
    for place, one in executions:
        state.accounts[place].executions.append(one)
    return state


def test_two_sides_of_one_owner_are_a_trade_with_oneself() -> None:
    """C1 I4."""
    assert own_trades(exchange("aa", (0, execution(1, 7)), (1, execution(2, -7)))) == 1


def test_two_owners_may_trade() -> None:
    assert own_trades(exchange("ab", (0, execution(1, 7)), (1, execution(2, -7)))) == 0


@pytest.mark.parametrize(
    "other",
    [
        execution(3, -7),
        execution(2, 7),
        execution(2, -6),
        execution(2, -7, at_ns=6),
        execution(2, -7, price=Ticks(11)),
        execution(2, -7, instrument_id=InstrumentId("U@x")),
    ],
)
def test_what_merely_follows_is_another_trade(other: Execution) -> None:
    assert own_trades(exchange("aa", (0, execution(1, 7)), (1, other))) == 0


@given(st.lists(st.integers(1, 9), max_size=10))
def test_as_many_as_there_were_are_found(sizes: list[int]) -> None:
    both = [
        pair
        for place, lots in enumerate(sizes)
        for pair in ((0, execution(3 * place + 1, lots)), (1, execution(3 * place + 2, -lots)))
    ]
    assert own_trades(exchange("aa", *both)) == len(sizes)
