"""Gains and fees by whatever they are asked for, kept beside a desk that is replayed.

The argument: the gain of a set of executions is their cash flow and the value of what they left.
That is a sum over executions, so it is the same however they are grouped, to the last digit. What
of it counts as realized depends on whose lots close whose. Accounts and instruments are asked of
the desk's own positions. An order or a strategy has books of its own, as if it alone had traded:
its figures do not depend on what the others do. What one strategy hands to another inside an
account both count, at one price. What was held before, what others did on an
account, and what one group closed of another, is the rest: the accounts' books less the groups'.
So every column of rows sums to the same total.

Beside the figures of a moment it keeps curves of equity (`equity.py`), of all groupings but those
by order: there may be a million of those, and what one has gained is no story.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, assert_never

import msgspec

from tandem.core.trading.booked import Booked, BookedAction, BookedFill, Handed, Part, parts_of
from tandem.core.trading.desk import Desk
from tandem.core.trading.equity import MINUTE_NS, Curve, Curves, Key, Place, worth
from tandem.core.trading.group_tally import Tally
from tandem.core.trading.positions import Position
from tandem.domain.ids import AccountId, InstrumentId
from tandem.domain.money import ZERO, add, multiply
from tandem.domain.order import Side
from tandem.domain.statements import CostMethod, GroupBy

_OF_ACCOUNTS: Final = (GroupBy.ACCOUNT, GroupBy.INSTRUMENT)
_OF_STRATEGIES: Final = (GroupBy.STRATEGY, GroupBy.ASSIGNMENT)
_OF_ORDERS: Final = (GroupBy.ORDER, GroupBy.PARENT)
Cell = tuple[Key, AccountId, InstrumentId]


class Figure(msgspec.Struct, frozen=True, gc=False):
    """A `Tally` in money at one moment, by one way of counting."""

    executions: int = 0
    bought_lots: int = 0
    sold_lots: int = 0
    lots: int = 0
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    round_trips: int = 0
    won: int = 0


class CashFigure(msgspec.Struct, frozen=True, gc=False):
    """One account's money in one currency: what it has, and how that came about."""

    cash: Decimal = ZERO
    opened: Decimal = ZERO
    traded: Decimal = ZERO
    fees: Decimal = ZERO
    external: Decimal = ZERO
    income: Decimal = ZERO


class Moment(msgspec.Struct, frozen=True):
    """All figures at one moment. `totals` are the accounts' own, their cells without a key.

    `marks` are the prices, in ticks, that positions are valued at, where one is known. `curves`
    are those of the period that it ends, the accounts' own without a key.
    """

    groups: dict[Cell, Figure] = {}
    totals: dict[Cell, Figure] = {}
    cash: dict[tuple[AccountId, str], CashFigure] = {}
    marks: dict[InstrumentId, int] = {}
    balanced: bool = True
    curves: dict[Place, Curve] = {}


def _nobody(_: Key) -> bool:
    return False


class Accounting:
    """Books of every group, kept beside a desk that is replayed."""

    def __init__(
        self,
        by: tuple[GroupBy, ...],
        method: CostMethod,
        is_traced: Callable[[Key], bool] = _nobody,
    ) -> None:
        """Keep books by these, which are counted in that way; and whose curves have points."""
        self._by = by
        self._method = method
        self._has_curves = not any(one in by for one in _OF_ORDERS)
        self._curves = Curves(is_traced)
        self._at_ns: int | None = None
        self._of_groups: dict[Cell, Tally] = {}
        self._of_accounts: dict[Cell, Tally] = {}

    def on_booked(self, booked: Booked) -> None:
        """Count one execution, an action, or what was handed over; the desk has booked it."""
        if isinstance(booked, BookedAction):
            of = (booked.account_id, booked.instrument_id)
            for tallies in (self._of_groups, self._of_accounts):
                for cell, tally in tallies.items():
                    if cell[1:] == of:
                        tally.on_action(booked)
            return
        if isinstance(booked, Handed):
            self._hand(booked)
            return
        place = (booked.account_id, booked.instrument_id)
        parts = [Part(booked.strategy, "", booked.fill)]
        if any(one in self._by for one in _OF_STRATEGIES):
            parts = parts_of(booked)
        side, step_value = booked.side, booked.step_value
        for number, part in enumerate(parts):
            key = tuple(_name(booked, one, part) for one in self._by)
            group = _tally(self._of_groups, (key, *place))
            group.on_fill(side, part.fill, step_value, executions=0 if number else 1)
        _tally(self._of_accounts, ((), *place)).on_fill(side, booked.fill, step_value)

    def _hand(self, handed: Handed) -> None:
        """Count it for both strategies; to the account it is nothing, and to no order."""
        if not any(one in self._by for one in _OF_STRATEGIES):
            return
        names = {GroupBy.ACCOUNT: handed.account_id, GroupBy.INSTRUMENT: handed.instrument_id}
        for strategy, assignment_id, side in (
            (handed.buyer, handed.buyer_assignment, Side.BUY),
            (handed.seller, handed.seller_assignment, Side.SELL),
        ):
            known = names | {GroupBy.STRATEGY: strategy, GroupBy.ASSIGNMENT: assignment_id}
            key = tuple(known.get(one, "") for one in self._by)
            group = _tally(self._of_groups, (key, handed.account_id, handed.instrument_id))
            group.on_fill(side, handed.as_fill, handed.step_value, executions=0)

    def on_time(self, desk: Desk, at_ns: int) -> None:
        """Look at what everybody is worth when a minute of the market is over.

        It is to be told the time of every record, before the desk decides on it.
        """
        if self._at_ns is None:
            self.begin(desk, at_ns)
        elif at_ns // MINUTE_NS != self._at_ns // MINUTE_NS:
            self._look(desk, self._at_ns)
        self._at_ns = at_ns

    def begin(self, desk: Desk, at_ns: int) -> None:
        """Begin the period that curves are of; without it they begin with the first record."""
        self._at_ns = at_ns
        self._curves.begin(at_ns, self._equities(desk))

    def end(self, desk: Desk) -> Moment:
        """Look once more, and return all figures, with the curves up to now."""
        if self._at_ns is not None:
            self._look(desk, self._at_ns)
        return msgspec.structs.replace(self.moment(desk), curves=self._curves.known)

    def _look(self, desk: Desk, at_ns: int) -> None:
        self._curves.look(at_ns, self._equities(desk))

    def _equities(self, desk: Desk) -> dict[Place, Decimal | None]:
        """Return what each group is worth in each currency, and each account's books together."""
        found: dict[Place, Decimal | None] = {}
        if not self._has_curves:
            return found

        def include(position: Position, instrument_id: InstrumentId, *keys: Key) -> None:
            instrument = desk.rules.instruments[instrument_id]
            mark = desk.state.exposure.holdings[instrument_id].reference
            value = worth(position, instrument, mark, self._method)
            for key in dict.fromkeys(keys):
                before = found.get((key, instrument.quote), ZERO)
                after = None if before is None or value is None else add(before, value)
                found[key, instrument.quote] = after

        of_accounts = is_of_accounts(self._by)
        for account_id in _accounts(desk):
            for instrument_id, position in desk.state.positions.get(account_id, {}).items():
                own = account_key(self._by, ((), account_id, instrument_id))
                include(position, instrument_id, (), own if of_accounts else ())
        if not of_accounts:
            for (key, _, instrument_id), tally in self._of_groups.items():
                include(tally.position, instrument_id, key)
        return found

    def moment(self, desk: Desk) -> Moment:
        """Return all figures as they are now, at the prices that the desk knows."""
        totals: dict[Cell, Figure] = {}
        for account_id in _accounts(desk):
            for instrument_id, position in desk.state.positions.get(account_id, {}).items():
                cell: Cell = ((), account_id, instrument_id)
                tally = self._of_accounts.get(cell) or Tally()
                totals[cell] = self._figure(desk, instrument_id, tally, position)
        if is_of_accounts(self._by):
            groups = {
                (account_key(self._by, cell), cell[1], cell[2]): one for cell, one in totals.items()
            }
        else:
            groups = {
                cell: self._figure(desk, cell[2], tally, tally.position)
                for cell, tally in self._of_groups.items()
            }
        return Moment(groups, totals, _cash(desk), _marks(desk), balanced=_is_balanced(desk))

    def _figure(
        self, desk: Desk, instrument_id: InstrumentId, tally: Tally, position: Position
    ) -> Figure:
        instrument = desk.rules.instruments[instrument_id]
        mark = desk.state.exposure.holdings[instrument_id].reference
        gains = position.profit_and_loss(instrument, mark)
        is_fifo = self._method is CostMethod.FIFO
        unrealized = gains.unrealized_fifo if is_fifo else gains.unrealized
        cost = gains.cost
        if is_fifo:
            cost = multiply(instrument.step_value, position.cost_fifo)
        return Figure(
            executions=tally.executions,
            bought_lots=tally.bought_lots,
            sold_lots=tally.sold_lots,
            lots=position.quantity,
            bought=multiply(instrument.step_value, tally.bought),
            sold=multiply(instrument.step_value, tally.sold),
            cost=cost,
            realized=gains.realized_fifo if is_fifo else gains.realized,
            unrealized=unrealized if position.quantity else ZERO,
            fees=gains.fees,
            income=gains.income,
            round_trips=tally.round_trips,
            won=tally.won,
        )


def _tally(tallies: dict[Cell, Tally], cell: Cell) -> Tally:
    tally = tallies.get(cell)
    if tally is None:
        tally = tallies[cell] = Tally()
    return tally


def _marks(desk: Desk) -> dict[InstrumentId, int]:
    holdings = desk.state.exposure.holdings
    return {key: one.reference for key, one in holdings.items() if one.reference is not None}


def _is_balanced(desk: Desk) -> bool:
    return all(one.debits == one.credits for one in desk.state.ledger.trial_balance())


def _cash(desk: Desk) -> dict[tuple[AccountId, str], CashFigure]:
    return {
        (account_id, currency): CashFigure(
            cash=amount,
            opened=-books.opening.get(currency, ZERO),
            traded=-books.market.get(currency, ZERO),
            fees=books.fees.get(currency, ZERO),
            external=-books.external.get(currency, ZERO),
            income=-books.issuer.get(currency, ZERO),
        )
        for account_id in _accounts(desk)
        if (books := desk.state.ledger.accounts.get(account_id)) is not None
        for currency, amount in books.cash.items()
    }


def _accounts(desk: Desk) -> list[AccountId]:
    """Return all accounts, in the order of the settings."""
    return [seat.account_id for seat in desk.state.seats.values()]


def _name(booked: BookedFill, by: GroupBy, part: Part) -> str:
    match by:
        case GroupBy.ACCOUNT:
            return booked.account_id
        case GroupBy.INSTRUMENT:
            return booked.instrument_id
        case GroupBy.ORDER:
            return booked.order_id
        case GroupBy.PARENT:
            return booked.parent_id
        case GroupBy.STRATEGY:
            return part.strategy
        case GroupBy.ASSIGNMENT:
            return part.assignment_id
        case _:
            assert_never(by)


def is_of_accounts(by: tuple[GroupBy, ...]) -> bool:
    """Return whether it groups by nothing but accounts and instruments."""
    return all(one in _OF_ACCOUNTS for one in by)


def account_key(by: tuple[GroupBy, ...], cell: Cell) -> Key:
    """Return the key of a cell in a grouping by accounts and instruments; others are empty."""
    names = {GroupBy.ACCOUNT: cell[1], GroupBy.INSTRUMENT: cell[2]}
    return tuple(names.get(one, "") for one in by)
