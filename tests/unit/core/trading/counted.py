"""A desk and books beside it, for tests of statements that are a few lines each."""

from decimal import Decimal
from typing import Any

import msgspec

from tandem.core.trading.accounting import Accounting, Moment
from tandem.core.trading.booked import Booked, BookedFill
from tandem.core.trading.equity import MINUTE_NS
from tandem.core.trading.statements import Period, statement
from tandem.domain.desk import DeskSettings
from tandem.domain.ids import ActionId, InstrumentId
from tandem.domain.order import Side
from tandem.domain.statements import CostMethod, GroupBy, RowKind, Statement, StatementRow
from tandem.domain.venue import Adjusted, Balances
from tests.unit.core.trading.desk_driver import Floor, fill_of


class Counted:
    """A pool whose orders trade in full at once; `trade` at a price, in whole lots."""

    def __init__(self, settings: DeskSettings | None = None) -> None:
        self.floor = Floor(settings, is_checked=False).open()
        self.floor.desk.booked = []
        self._actions = 0

    @property
    def everything(self) -> list[Booked]:
        assert self.floor.desk.booked is not None
        return self.floor.desk.booked

    @property
    def booked(self) -> list[BookedFill]:
        return [one for one in self.everything if isinstance(one, BookedFill)]

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

    def act(self, symbol: str, new: int = 1, old: int = 1, dividend: str = "0") -> None:
        """Split or pay on every account, each by what our books hold there."""
        key = InstrumentId(f"{symbol}@X")
        self._actions += 1
        for slot_id, seat in self.floor.state.seats.items():
            held = self.floor.state.ledger.lots(seat.account_id, key)
            told = Adjusted(
                action_id=ActionId(f"X-C{self._actions}"),
                instrument_id=key,
                numerator=new,
                denominator=old,
                dividend=Decimal(dividend),
                lots=abs(held) * new // old * (1 if held > 0 else -1) - held,
                cash=Decimal(dividend) * held,
                venue_at_ns=0,
            )
            splits = dict(seat.adjustments.splits)
            splits[key] = splits.get(key, 0) + (new != old)
            balances = Balances(query_id=0, cash={}, positions={}, adjusted=(told,), splits=splits)
            self.floor.at(slot_id).ready(balances=balances)
        self.floor.splits[key] = self.floor.splits.get(key, 0) + (new != old)

    def moment(self, *by: GroupBy, method: CostMethod = CostMethod.FIFO) -> Moment:
        """Return the figures as they are now."""
        accounting = Accounting(by, method)
        for one in self.everything:
            accounting.on_booked(one)
        return accounting.moment(self.floor.desk)

    def statement(
        self, *by: GroupBy, method: CostMethod = CostMethod.FIFO, start: Moment | None = None
    ) -> Statement:
        """Return the statement from that moment, or the first record, until now."""
        period = Period(
            start=start or Moment(), end=self.moment(*by, method=method), booked=self.everything
        )
        return statement(self.floor.desk.rules.catalogue, by, method, period)


class Followed:
    """Books kept beside a desk from now on; `minute` ends a minute of the market."""

    def __init__(self, floor: Floor, *by: GroupBy, method: CostMethod = CostMethod.FIFO) -> None:
        self.floor = floor
        self.by, self.method = by, method
        self.accounting = Accounting(by, method, lambda _: True)
        self.at_ns = 0
        self.booked: list[Booked] = []
        floor.desk.booked = []
        self.start = self.accounting.moment(floor.desk)
        self.accounting.begin(floor.desk, 0)

    def minute(self, count: int = 1) -> None:
        """Let a record come so many minutes after the last one; nobody else's clock moves."""
        self._read()
        self.at_ns += count * MINUTE_NS
        self.accounting.on_time(self.floor.desk, self.at_ns)

    def statement(self) -> Statement:
        """Return the statement up to now, with every curve."""
        self._read()
        end = self.accounting.end(self.floor.desk)
        period = Period(start=self.start, end=end, booked=self.booked)
        return statement(self.floor.desk.rules.catalogue, self.by, self.method, period)

    def _read(self) -> None:
        assert self.floor.desk.booked is not None
        for one in self.floor.desk.booked:
            self.accounting.on_booked(one)
            self.booked.append(one)
        self.floor.desk.booked.clear()


def points_of(found: Statement) -> dict[tuple[str, ...], tuple[tuple[int, Decimal], ...]]:
    """Return curves in minutes by their group; the total's is that of no group."""
    return {
        one.group: tuple((point.at_ns // MINUTE_NS, point.equity) for point in one.points)
        for one in found.curves
    }


def rows_of(found: Statement, kind: RowKind = RowKind.GROUP) -> dict[tuple[str, ...], StatementRow]:
    """Return rows of that kind by their group; all tests have but one currency."""
    rows = {one.group: one for one in found.rows if one.kind is kind}
    assert len(rows) == sum(one.kind is kind for one in found.rows)
    return rows


def these(*values: object) -> tuple[object, ...]:
    """Return figures to be compared at once: equal numbers are equal, whatever their types."""
    return values
