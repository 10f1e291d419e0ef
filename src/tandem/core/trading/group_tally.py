"""What a group traded of one instrument on one account, and how its round trips went.

A round trip goes from flat to flat: it begins with the first lot held and ends
with the last one closed. An execution that turns a position over ends one and begins the next.
"""

from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.trading.booked import BookedAction, fee_of
from tandem.core.trading.positions import Position
from tandem.domain.money import ZERO, add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.reports import Filled

_BUY: Final = Side.BUY


class Tally(msgspec.Struct, gc=False):
    """What a group traded of one instrument on one account; values in ticks times lots.

    A split changes how many lots it holds; what was bought and sold before it stays in old lots.
    `round_trips` are over, `won` of them gained more than their fees; `trip` is the money that the
    one under way has brought in so far.
    """

    position: Position = msgspec.field(default_factory=Position)
    executions: int = 0
    bought_lots: int = 0
    sold_lots: int = 0
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    round_trips: int = 0
    won: int = 0
    trip: Decimal = ZERO

    def on_fill(
        self, side: Side, fill: Filled, step_value: Decimal, *, executions: int = 1
    ) -> None:
        """Count one execution, or a part of one that counts where its first part does."""
        self._follow(side, fill, step_value)
        self.position.on_fill(side, fill)
        self.executions += executions
        value = Decimal(fill.price * fill.quantity)
        if side is _BUY:
            self.bought_lots += fill.quantity
            self.bought = add(self.bought, value)
        else:
            self.sold_lots += fill.quantity
            self.sold = add(self.sold, value)

    def on_action(self, booked: BookedAction) -> None:
        """Count a split or a dividend, as if the group alone held what it has."""
        told = booked.told
        position, held = self.position, self.position.quantity
        if told.is_split:
            lots = abs(held) * told.numerator // told.denominator
            position.split((lots if held > 0 else -lots) - held)
            if held and not position.quantity:
                self._end_trip()
        else:
            income = multiply(multiply(told.dividend, booked.lot_size), held)
            position.income = add(position.income, income)
            self.trip = add(self.trip, income)

    def _follow(self, side: Side, fill: Filled, step_value: Decimal) -> None:
        held, sign = self.position.quantity, -1 if side is _BUY else 1
        closed = min(fill.quantity, abs(held)) if held * sign > 0 else 0
        value, fee = multiply(step_value, sign * fill.price), fill.fee
        if closed:
            part = fee if closed == fill.quantity else fee_of(fill, closed)
            self.trip = subtract(add(self.trip, multiply(value, closed)), part)
            fee = subtract(fee, part)
            if closed == abs(held):
                self._end_trip()
        self.trip = subtract(add(self.trip, multiply(value, fill.quantity - closed)), fee)

    def _end_trip(self) -> None:
        self.round_trips += 1
        self.won += self.trip > 0
        self.trip = ZERO
