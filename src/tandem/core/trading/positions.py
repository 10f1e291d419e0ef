"""One account's position in one instrument, and what was gained by it.

The argument: every lot that is closed takes its cost out of the position exactly once, whole
units of tick times lot. So, however cost is allocated to the lots that are closed first,

    realized + unrealized + income - fees = cash flow + value of what is held

holds to the last digit, and two ways of allocating differ only in when a gain counts as realized.
A split changes how many lots there are, not what they cost all together.
"""

from decimal import Decimal
from typing import Final

import msgspec

from tandem.domain.ids import Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.money import EXACT, ZERO, add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.reports import Filled
from tandem.domain.value import Value

TRANCHES_MAX: Final = 1_000
_BUY: Final = Side.BUY  # finding a member of an enum costs more than comparing it


class ProfitAndLoss(Value, frozen=True, kw_only=True):
    """A position in money of the quote currency; only `fees` counts fees, only `income` dividends.

    The unrealized ones are None where no price is known to value the position at.
    """

    quantity: int
    cost: Decimal
    realized: Decimal
    realized_fifo: Decimal
    unrealized: Decimal | None
    unrealized_fifo: Decimal | None
    fees: Decimal
    income: Decimal = ZERO


class Tranche(msgspec.Struct, array_like=True, gc=False):
    """Lots that were opened together, and their cost in ticks times lots; both positive."""

    lots: int
    cost: Decimal


class Position(msgspec.Struct, array_like=True, gc=False):
    """Lots held (negative when short), their cost and the gains, in two ways of counting.

    `cost` is by average, positive for long and short; `tranches`, oldest first, by first in,
    first out. Costs and gains are whole numbers of ticks times lots, as `Decimal` because they
    can outgrow 64 bits; `fees`, and the `income` of dividends, are money. A part closed of an
    average cost takes its proportion rounded down, and the rest of it stays with what is still
    open. Neighbors of one price are one tranche; beyond `TRANCHES_MAX` of them the youngest takes
    in whatever is opened.
    """

    quantity: int = 0
    cost: Decimal = ZERO
    tranches: list[Tranche] = []
    realized: Decimal = ZERO
    realized_fifo: Decimal = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO

    @property
    def cost_fifo(self) -> Decimal:
        """What the lots held have cost by first in, first out; in ticks times lots."""
        cost = ZERO
        for tranche in self.tranches:
            cost = add(cost, tranche.cost)
        return cost

    def on_fill(self, side: Side, fill: Filled) -> Decimal:
        """Count one execution; return what it realized (first in, first out), without its fee.

        The amount returned is in ticks times lots.
        """
        if fill.fee:
            self.fees = add(self.fees, fill.fee)
        return self._trade(fill.quantity if side is _BUY else -fill.quantity, fill.price)

    def take_over(self, lots: int, price: Ticks) -> None:
        """Count lots that are not our doing, held from before or moved by others.

        They are opened at `price`; what goes out goes at its cost, so nothing is realized.
        """
        realized, realized_fifo = self.realized, self.realized_fifo
        self._trade(lots, price)
        self.realized, self.realized_fifo = realized, realized_fifo

    def split(self, lots: int) -> None:
        """Count lots that a split added, or (negative) took: the others have cost as much more.

        Where nothing is left, what it had cost is lost. Lots that there were none to be split for
        cost nothing; what they belong to is told later.
        """
        held = self.quantity
        if not held or held * (held + lots) < 0:
            self.take_over(lots, Ticks(0))
            return
        self.quantity = held + lots
        if not self.quantity:
            sign = 1 if held > 0 else -1
            self.realized = subtract(self.realized, multiply(self.cost, sign))
            self.realized_fifo = subtract(self.realized_fifo, multiply(self.cost_fifo, sign))
            self.cost, self.tranches = ZERO, []
            return
        self.tranches = _scaled(self.tranches, abs(self.quantity), of=abs(held))

    def profit_and_loss(self, instrument: Instrument, mark: Ticks | None) -> ProfitAndLoss:
        """Return the position in money, valued at `mark`."""
        step_value = instrument.step_value
        signed_step = step_value if self.quantity >= 0 else -step_value
        unrealized = unrealized_fifo = None
        if mark is not None:
            value = Decimal(mark * abs(self.quantity))
            unrealized = multiply(signed_step, subtract(value, self.cost))
            unrealized_fifo = multiply(signed_step, subtract(value, self.cost_fifo))
        return ProfitAndLoss(
            quantity=self.quantity,
            cost=multiply(step_value, self.cost),
            realized=multiply(step_value, self.realized),
            realized_fifo=multiply(step_value, self.realized_fifo),
            unrealized=unrealized,
            unrealized_fifo=unrealized_fifo,
            fees=self.fees,
            income=self.income,
        )

    def _trade(self, signed: int, price: Ticks) -> Decimal:
        if not signed:
            return ZERO
        held, lots = self.quantity, abs(signed)
        self.quantity = held + signed
        if held == 0 or (held > 0) is (signed > 0):
            self._open(lots, price)
            return ZERO
        closed = min(lots, abs(held))
        realized = self._close(closed, price, held=held)
        if lots > closed:
            self._open(lots - closed, price)
        return realized

    def _open(self, lots: int, price: Ticks) -> None:
        cost = Decimal(price * lots)
        self.cost = add(self.cost, cost)
        tranches = self.tranches
        if tranches:
            youngest = tranches[-1]
            if len(tranches) >= TRANCHES_MAX or youngest.cost == price * youngest.lots:
                youngest.lots += lots
                youngest.cost = add(youngest.cost, cost)
                return
        tranches.append(Tranche(lots, cost))

    def _close(self, lots: int, price: Ticks, *, held: int) -> Decimal:
        cost = self.cost if lots == abs(held) else _share(self.cost, lots, of=abs(held))
        self.cost = subtract(self.cost, cost)
        fifo_cost = self._take_oldest(lots)
        value = Decimal(price * lots)
        if held > 0:
            gain, fifo_gain = subtract(value, cost), subtract(value, fifo_cost)
        else:
            gain, fifo_gain = subtract(cost, value), subtract(fifo_cost, value)
        self.realized = add(self.realized, gain)
        self.realized_fifo = add(self.realized_fifo, fifo_gain)
        return fifo_gain

    def _take_oldest(self, lots: int) -> Decimal:
        """Take `lots` out of the tranches; return what they had cost."""
        cost, emptied = ZERO, 0
        for tranche in self.tranches:
            if tranche.lots > lots:
                part = _share(tranche.cost, lots, of=tranche.lots)
                tranche.lots -= lots
                tranche.cost = subtract(tranche.cost, part)
                cost = add(cost, part)
                break
            lots -= tranche.lots
            cost = add(cost, tranche.cost)
            emptied += 1
        del self.tranches[:emptied]
        return cost


def _share(cost: Decimal, lots: int, *, of: int) -> Decimal:
    """Return the part of `cost` that belongs to `lots` of so many, rounded down."""
    return EXACT.divide_int(multiply(cost, lots), of)


def _scaled(tranches: list[Tranche], lots: int, *, of: int) -> list[Tranche]:
    """Return tranches of so many lots in all, with the same costs in the same order.

    What is left without a lot of its own costs the next one as much more.
    """
    made: list[Tranche] = []
    before, until, cost = 0, 0, ZERO
    for tranche in tranches:
        until += tranche.lots
        cost = add(cost, tranche.cost)
        if until * lots // of > before:
            made.append(Tranche(until * lots // of - before, cost))
            before, cost = until * lots // of, ZERO
    assert before == lots, f"{before} lots of {lots}"
    return made
