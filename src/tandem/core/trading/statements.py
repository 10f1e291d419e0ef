"""From the figures of two moments to a statement of what lies between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tandem.core.trading.accounting import (
    CashFigure,
    Cell,
    Figure,
    Moment,
    account_key,
    is_of_accounts,
)
from tandem.core.trading.booked import Booked, BookedAction, BookedFill
from tandem.core.trading.equity import Curve, Key
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.money import EXACT, ZERO, add, multiply, subtract
from tandem.domain.order import Side
from tandem.domain.statements import (
    ActionRow,
    CashRow,
    CostMethod,
    EquityCurve,
    EquityPoint,
    ExecutionRow,
    GroupBy,
    RowKind,
    Statement,
    StatementRow,
)

CENT: Final = Decimal("0.00000001")
_NO_FIGURE: Final = Figure()
_NO_CASH: Final = CashFigure()


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The moments between which a statement is made, and what was booked between them.

    `from_ns` and `to_ns` are as they were asked for.
    """

    start: Moment
    end: Moment
    booked: Sequence[Booked]
    from_ns: int | None = None
    to_ns: int | None = None


class Sum(msgspec.Struct, gc=False):
    """What several cells of one currency come to; unrealized gains at the start and at the end."""

    executions: int = 0
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    realized: Decimal = ZERO
    before: Decimal | None = ZERO
    unrealized: Decimal | None = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    round_trips: int = 0
    won: int = 0
    bought_lots: int = 0
    sold_lots: int = 0
    lots: int = 0
    cost: Decimal = ZERO
    instruments: dict[InstrumentId, None] = {}

    def include(self, instrument_id: InstrumentId, *, start: Figure, end: Figure) -> None:
        """Add what one cell did between two moments."""
        self.instruments[instrument_id] = None
        self.executions += end.executions - start.executions
        self.bought = add(self.bought, subtract(end.bought, start.bought))
        self.sold = add(self.sold, subtract(end.sold, start.sold))
        self.realized = add(self.realized, subtract(end.realized, start.realized))
        self.before = _plus(self.before, start.unrealized)
        self.unrealized = _plus(self.unrealized, end.unrealized)
        self.fees = add(self.fees, subtract(end.fees, start.fees))
        self.income = add(self.income, subtract(end.income, start.income))
        self.round_trips += end.round_trips - start.round_trips
        self.won += end.won - start.won
        self.bought_lots += end.bought_lots - start.bought_lots
        self.sold_lots += end.sold_lots - start.sold_lots
        self.lots += end.lots
        self.cost = add(self.cost, end.cost)

    def less(self, other: "Sum") -> "Sum":
        """Return the money of this without that of the other; of several instruments."""
        return Sum(
            executions=self.executions - other.executions,
            bought=subtract(self.bought, other.bought),
            sold=subtract(self.sold, other.sold),
            realized=subtract(self.realized, other.realized),
            before=_minus(self.before, other.before),
            unrealized=_minus(self.unrealized, other.unrealized),
            fees=subtract(self.fees, other.fees),
            income=subtract(self.income, other.income),
        )

    @property
    def gain(self) -> Decimal | None:
        """What was realized, the income, and what the unrealized gain has changed by."""
        return _plus(add(self.realized, self.income), _minus(self.unrealized, self.before))

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to be said of it."""
        money = (self.bought, self.sold, self.realized, self.before, self.unrealized, self.fees)
        is_still = not any(one is None or one for one in (*money, self.income))
        return is_still and not (self.executions or self.lots)


Sums = dict[tuple[Key, str], Sum]


def statement(
    catalogue: Catalogue, by: tuple[GroupBy, ...], method: CostMethod, period: Period
) -> Statement:
    """Return the statement of a period; its moments were counted by `by`, in that way."""
    groups = _sums(catalogue, period.start.groups, period.end.groups, lambda cell: cell[0])
    totals = _sums(catalogue, period.start.totals, period.end.totals, lambda _: ())
    rest: Sums = {}
    if not is_of_accounts(by):
        of_place: Callable[[Cell], Key] = lambda cell: account_key(by, cell)  # noqa: E731 - typed
        known = _sums(catalogue, period.start.groups, period.end.groups, of_place)
        whole = _sums(catalogue, period.start.totals, period.end.totals, of_place)
        rest = {place: one.less(known.get(place) or Sum()) for place, one in whole.items()}
    fills = [one for one in period.booked if isinstance(one, BookedFill)]
    rows = [
        _row(kind, place, one, catalogue, period.end)
        for kind, sums in ((RowKind.GROUP, groups), (RowKind.REST, rest))
        for place, one in sums.items()
        if not one.is_nothing
    ]
    return Statement(
        by=by,
        method=method,
        from_ns=period.from_ns,
        to_ns=period.to_ns,
        rows=tuple(rows),
        totals=tuple(
            _row(RowKind.TOTAL, place, one, catalogue, period.end) for place, one in totals.items()
        ),
        cash=_cash_rows(period),
        executions=tuple(_execution(catalogue, method, one) for one in fills),
        balanced=period.end.balanced,
        notes=tuple(_notes(fills)),
        actions=tuple(
            _action(catalogue, one) for one in period.booked if isinstance(one, BookedAction)
        ),
        curves=tuple(_equity_curves(period.end)),
    )


def _sums(
    catalogue: Catalogue,
    start: Mapping[Cell, Figure],
    end: Mapping[Cell, Figure],
    key_of: Callable[[Cell], Key],
) -> Sums:
    """Return sums over cells, by what `key_of` makes of a cell and by currency."""
    sums: Sums = {}
    for cell, figure in end.items():
        instrument_id = cell[2]
        place = (key_of(cell), catalogue[instrument_id].quote)
        found = sums.get(place)
        if found is None:
            found = sums[place] = Sum()
        found.include(instrument_id, start=start.get(cell) or _NO_FIGURE, end=figure)
    return sums


def _row(
    kind: RowKind,
    place: tuple[Key, str],
    of: Sum,
    catalogue: Catalogue,
    end: Moment,
) -> StatementRow:
    group, currency = place
    gain = of.gain
    row = StatementRow(
        kind=kind,
        group=group,
        currency=currency,
        executions=of.executions,
        bought=exact(of.bought),
        sold=exact(of.sold),
        realized=exact(of.realized),
        unrealized=_exact(of.unrealized),
        gain=_exact(gain),
        fees=exact(of.fees),
        net=_exact(_minus(gain, of.fees)),
        income=exact(of.income),
        turnover=exact(add(of.bought, of.sold)),
    )
    curve = None if kind is RowKind.REST else end.curves.get(place)
    if curve is not None:
        row = _with_story(row, of, curve)
    if kind is not RowKind.GROUP or len(of.instruments) != 1:
        return row
    instrument = catalogue[next(iter(of.instruments))]
    mark = end.marks.get(instrument.instrument_id)
    return msgspec.structs.replace(
        row,
        symbol=instrument.symbol,
        bought_quantity=_quantity(instrument, of.bought_lots),
        sold_quantity=_quantity(instrument, of.sold_lots),
        position=_quantity(instrument, of.lots),
        average_cost=_average_cost(instrument, of),
        mark=None if mark is None else _price(instrument, mark),
    )


def _with_story(row: StatementRow, of: Sum, curve: Curve) -> StatementRow:
    """Return the row with what is known of how its gain came about."""
    return msgspec.structs.replace(
        row,
        round_trips=of.round_trips,
        won=of.won,
        drawdown=exact(curve.deepest.amount),
        drawdown_from_ns=curve.deepest.from_ns,
        drawdown_to_ns=curve.deepest.to_ns,
        drawdown_now=_exact(curve.present),
    )


def _equity_curves(end: Moment) -> Iterator[EquityCurve]:
    """Yield the curves whose points were kept, from where each began."""
    for (group, currency), curve in end.curves.items():
        if curve.points:
            yield EquityCurve(
                kind=RowKind.GROUP if group else RowKind.TOTAL,
                group=group,
                currency=currency,
                points=tuple(_points(curve.points)),
            )


def _points(looks: Sequence[tuple[int, Decimal]]) -> Iterator[EquityPoint]:
    first = peak = looks[0][1]
    for at_ns, equity in looks:
        peak = max(peak, equity)
        yield EquityPoint(at_ns, exact(subtract(equity, first)), exact(subtract(peak, equity)))


def _average_cost(instrument: Instrument, of: Sum) -> Decimal | None:
    """Return the cost of a unit held, rounded to 8 digits: it is shown and not reckoned with."""
    if not of.lots:
        return None
    units = multiply(instrument.lot_size, abs(of.lots))
    return exact(EXACT.divide(of.cost, units).quantize(CENT))


def _quantity(instrument: Instrument, lots: int) -> Decimal:
    return exact(multiply(instrument.lot_size, lots))


def _price(instrument: Instrument, ticks: int) -> Decimal:
    return exact(multiply(instrument.tick_size, ticks))


def _cash_rows(period: Period) -> tuple[CashRow, ...]:
    rows = []
    for (account_id, currency), end in period.end.cash.items():
        start = period.start.cash.get((account_id, currency)) or _NO_CASH
        rows.append(_cash_row(account_id, currency, start=start, end=end))
    return tuple(rows)


def _cash_row(
    account_id: AccountId, currency: str, *, start: CashFigure, end: CashFigure
) -> CashRow:
    return CashRow(
        account_id=account_id,
        currency=currency,
        start=exact(start.cash),
        opened=exact(subtract(end.opened, start.opened)),
        traded=exact(subtract(end.traded, start.traded)),
        fees=exact(subtract(end.fees, start.fees)),
        external=exact(subtract(end.external, start.external)),
        end=exact(end.cash),
        income=exact(subtract(end.income, start.income)),
    )


def _action(catalogue: Catalogue, booked: BookedAction) -> ActionRow:
    told = booked.told
    instrument = catalogue[told.instrument_id]
    return ActionRow(
        at_ns=booked.market_ns,
        account_id=booked.account_id,
        instrument_id=told.instrument_id,
        symbol=instrument.symbol,
        action_id=told.action_id,
        ratio=f"{told.numerator}:{told.denominator}" if told.is_split else "",
        dividend=None if told.is_split else exact(told.dividend),
        quantity=_quantity(instrument, told.lots),
        cash=exact(told.cash),
        currency=instrument.quote,
        position=_quantity(instrument, booked.position),
    )


def _execution(catalogue: Catalogue, method: CostMethod, booked: BookedFill) -> ExecutionRow:
    fill = booked.fill
    instrument = catalogue[booked.instrument_id]
    value = instrument.notional(fill.price, fill.quantity)
    realized = booked.realized_fifo if method is CostMethod.FIFO else booked.realized
    received = value if booked.side is Side.SELL else -value
    return ExecutionRow(
        at_ns=booked.market_ns,
        account_id=booked.account_id,
        instrument_id=booked.instrument_id,
        symbol=instrument.symbol,
        order_id=booked.order_id,
        parent_id=booked.parent_id,
        client_order_id=fill.client_order_id,
        execution_id=fill.execution_id,
        strategy=booked.strategy,
        side=booked.side,
        quantity=_quantity(instrument, fill.quantity),
        price=_price(instrument, fill.price),
        currency=instrument.quote,
        value=exact(value),
        fee=exact(fill.fee),
        cash=exact(subtract(received, fill.fee)),
        realized=exact(multiply(instrument.step_value, realized)),
        position=_quantity(instrument, booked.position),
    )


def _notes(booked: Sequence[BookedFill]) -> list[str]:
    """Say what figures cannot: what a broker without fees may live on."""
    has_paid: dict[AccountId, bool] = {}
    for one in booked:
        has_paid[one.account_id] = has_paid.get(one.account_id, False) or bool(one.fill.fee)
    free = sorted(account_id for account_id, paid in has_paid.items() if not paid)
    if not free:
        return []
    return [
        f"{', '.join(free)} paid no fee: a broker without fees may be paid for where it sends "
        "orders (payment for order flow), and that shows in prices only"
    ]


def exact(value: Decimal) -> Decimal:
    """Return the same amount without zeros behind its last digit; equal amounts, equal text."""
    return value.normalize(EXACT) if value else ZERO


def _exact(value: Decimal | None) -> Decimal | None:
    return None if value is None else exact(value)


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else add(one, other)


def _minus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else subtract(one, other)
