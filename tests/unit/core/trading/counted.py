"""A desk and books beside it, for tests of statements that are a few lines each."""

from decimal import Decimal
from typing import Any

import msgspec

from tandem.core.trading.accounting import Accounting, Moment
from tandem.core.trading.booked import Booked
from tandem.core.trading.statements import Period, statement
from tandem.domain.desk import DeskSettings
from tandem.domain.order import Side
from tandem.domain.statements import CostMethod, GroupBy, RowKind, Statement, StatementRow
from tests.unit.core.trading.desk_driver import Floor, fill_of


class Counted:
    """A pool whose orders trade in full at once; `trade` at a price, in whole lots."""

    def __init__(self, settings: DeskSettings | None = None) -> None:
        self.floor = Floor(settings, is_checked=False).open()
        self.floor.desk.booked = []

    @property
    def booked(self) -> list[Booked]:
        assert self.floor.desk.booked is not None
        return self.floor.desk.booked

    def trade(self, side: Side, quantity: int, price: int = 1_000, **rest: Any) -> str:
        """Trade one order, on the first account unless told; return its id."""
        fee = Decimal(rest.pop("fee", "0.01"))
        parent = self.floor.parent_of(
            self.floor.place(side, quantity, price, slots=rest.pop("slots", ("s1",)), **rest)
        )
        for attempt in self.floor.attempts(parent):
            fill = msgspec.structs.replace(fill_of(attempt, attempt.order.quantity, "e"), fee=fee)
            self.floor.teller(attempt).report(fill)
        return parent.parent_id

    def moment(self, *by: GroupBy, method: CostMethod = CostMethod.FIFO) -> Moment:
        """Return the figures as they are now."""
        accounting = Accounting(by, method)
        for one in self.booked:
            accounting.on_booked(one)
        return accounting.moment(self.floor.desk)

    def statement(
        self, *by: GroupBy, method: CostMethod = CostMethod.FIFO, start: Moment | None = None
    ) -> Statement:
        """Return the statement from that moment, or the first record, until now."""
        period = Period(
            start=start or Moment(), end=self.moment(*by, method=method), booked=self.booked
        )
        return statement(self.floor.desk.rules.catalogue, by, method, period)


def rows_of(found: Statement, kind: RowKind = RowKind.GROUP) -> dict[tuple[str, ...], StatementRow]:
    """Return rows of that kind by their group; all tests have but one currency."""
    rows = {one.group: one for one in found.rows if one.kind is kind}
    assert len(rows) == sum(one.kind is kind for one in found.rows)
    return rows


def these(*values: object) -> tuple[object, ...]:
    """Return figures to be compared at once: equal numbers are equal, whatever their types."""
    return values
