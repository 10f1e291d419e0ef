"""What was booked, one by one: for statements, which are made from a desk's records."""

from decimal import ROUND_DOWN, Decimal
from typing import Final

import msgspec

from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    Lots,
    ParentId,
    Ticks,
)
from tandem.domain.money import EXACT, ZERO, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.venue import Adjusted

_FEE_STEP: Final = Decimal("0.000000000001")


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """The part of an execution that an assignment claims; none has an empty id: it is left over."""

    strategy: str
    lots: int
    assignment_id: str = ""


class Part(msgspec.Struct, frozen=True, gc=False):
    """What one strategy, and which of its assignments, has of an execution."""

    strategy: str
    assignment_id: str
    fill: Filled


class BookedFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An execution, whose it was, and what it did to its account's position.

    `order_id` is what the trader asked for: the pair, the two-sided quote or the algorithm that
    the parent is a part of, or the parent itself. `realized` is by average cost, `realized_fifo`
    by first in, first out, both in ticks times lots and without the fee. `position` is what the
    account held afterwards, in lots. `market_ns` is when the desk heard of it. `shares` are the
    lots of each assignment, of an order that was placed for assignments. `step_value` is what a
    lot is worth for each tick of its price.
    """

    market_ns: int
    account_id: AccountId
    instrument_id: InstrumentId
    parent_id: ParentId
    order_id: ParentId
    strategy: str
    side: Side
    fill: Filled
    realized: Decimal
    realized_fifo: Decimal
    position: int
    step_value: Decimal
    shares: tuple[Claimed, ...] = ()


class Handed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one strategy handed to another inside an account: no execution, and no fee.

    The assignments are those that strategies traded for, empty for orders that a person placed.
    """

    market_ns: int
    account_id: AccountId
    instrument_id: InstrumentId
    quantity: int
    price: Ticks
    buyer: str
    seller: str
    step_value: Decimal
    buyer_assignment: str = ""
    seller_assignment: str = ""

    @property
    def as_fill(self) -> Filled:
        """It, as if it was an execution without a fee."""
        return Filled(
            client_order_id=ClientOrderId(""),
            execution_id=ExecutionId(""),
            quantity=Lots(self.quantity),
            price=self.price,
            fee=ZERO,
            venue_at_ns=self.market_ns,
        )


class BookedAction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A split or a dividend, and what the account held afterwards, in lots of `lot_size`."""

    market_ns: int
    account_id: AccountId
    told: Adjusted
    position: int
    lot_size: Decimal

    @property
    def instrument_id(self) -> InstrumentId:
        """What was split, or pays."""
        return self.told.instrument_id


Booked = BookedFill | Handed | BookedAction


def parts_of(booked: BookedFill) -> list[Part]:
    """Return what each assignment has of an execution; lots and fees sum to the whole exactly."""
    fill = booked.fill
    if not booked.shares:
        return [Part(booked.strategy, "", fill)]
    parts, fee_left = [], fill.fee
    for number, claimed in enumerate(booked.shares, start=1):
        fee = fee_left if number == len(booked.shares) else fee_of(fill, claimed.lots)
        fee_left = subtract(fee_left, fee)
        part = msgspec.structs.replace(fill, quantity=Lots(claimed.lots), fee=fee)
        parts.append(Part(claimed.strategy, claimed.assignment_id, part))
    return parts


def fee_of(fill: Filled, lots: int) -> Decimal:
    """Return the fee of so many lots of it, rounded down; who has the last lots pays the rest."""
    share = EXACT.divide(multiply(fill.fee, lots), fill.quantity)
    return share.quantize(_FEE_STEP, rounding=ROUND_DOWN, context=EXACT)
