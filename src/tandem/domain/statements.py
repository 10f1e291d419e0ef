"""What a statement of account says: gains, fees and cash over a span of market time.

All amounts are exact. An order that is a part of a pair, a two-sided quote or an algorithm counts
under that as `order`, and under its own id as `parent`.
"""

import enum
from decimal import Decimal

from tandem.domain.ids import (
    AccountId,
    ActionId,
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    ParentId,
)
from tandem.domain.order import Side
from tandem.domain.value import Value


class CostMethod(enum.StrEnum):
    """Which cost the lots that are closed first had."""

    FIFO = "fifo"  # that of the lots that were opened first
    AVERAGE = "average"  # the average of all that are open


class GroupBy(enum.StrEnum):
    """What the rows of a statement are about."""

    ACCOUNT = "account"
    INSTRUMENT = "instrument"
    ORDER = "order"  # what the trader asked for
    PARENT = "parent"  # each parent order by itself
    STRATEGY = "strategy"
    ASSIGNMENT = "assignment"  # of a strategy; what nobody was assigned has none


class RowKind(enum.StrEnum):
    """What a row of a statement is."""

    GROUP = "group"
    REST = "rest"  # what was held before, what others did, and what groups closed for each other
    TOTAL = "total"


class StatementRow(Value, frozen=True, kw_only=True):
    """One group in one currency. `income` is of dividends, and of what splits paid in money.

    `group` has one name for each of the statement's `by`. `bought` and `sold` are values;
    `realized` is without fees; `gain` is what was realized, the income, and what the unrealized
    gain has changed by; `net` is `gain` less `fees`. The unrealized gain is that of the end; it,
    the gain and the net one are None where no price is known to value a position at. What stands
    between `net` and `income` is None where the row covers several instruments; quantities are in
    units of its base.

    `turnover` is what was bought and sold. `round_trips` from flat to flat ended in the period,
    each on one account in one instrument, as if nothing had been held before it; `won` of them
    gained more than their fees. `drawdown` is how far the equity, which is `net` over time, fell
    at most from a height (at `drawdown_from_ns`) to what came after it (until `drawdown_to_ns`),
    looked at after the last record of each minute; `drawdown_now` how far it is below its height.
    They are None where they are not kept: of the rest, and in statements by order.
    """

    kind: RowKind
    group: tuple[str, ...]
    currency: str
    executions: int
    bought: Decimal
    sold: Decimal
    realized: Decimal
    unrealized: Decimal | None
    gain: Decimal | None
    fees: Decimal
    net: Decimal | None
    symbol: str | None = None
    bought_quantity: Decimal | None = None
    sold_quantity: Decimal | None = None
    position: Decimal | None = None
    average_cost: Decimal | None = None
    mark: Decimal | None = None
    income: Decimal = Decimal(0)
    turnover: Decimal = Decimal(0)
    round_trips: int | None = None
    won: int | None = None
    drawdown: Decimal | None = None
    drawdown_from_ns: int | None = None
    drawdown_to_ns: int | None = None
    drawdown_now: Decimal | None = None


class EquityPoint(Value, frozen=True):
    """Gain less fees since the period began, and how far that is below its height so far."""

    at_ns: int  # market time
    equity: Decimal
    drawdown: Decimal


class EquityCurve(Value, frozen=True, kw_only=True):
    """What a group, or all of them together (a total), had gained by and by since the period began.

    It has a point where equity had changed at the end of a minute, or of the period.
    """

    kind: RowKind
    group: tuple[str, ...]
    currency: str
    points: tuple[EquityPoint, ...]


class CashRow(Value, frozen=True, kw_only=True):
    """One account's money: `start + opened + traded - fees + external + income = end`.

    `opened` was there at the first login; `external` came or went by others' doing.
    """

    account_id: AccountId
    currency: str
    start: Decimal
    opened: Decimal
    traded: Decimal
    fees: Decimal
    external: Decimal
    end: Decimal
    income: Decimal = Decimal(0)


class ExecutionRow(Value, frozen=True, kw_only=True):
    """One execution. `cash` is what it moved, fee included; `realized` is without the fee.

    `position` is what the account held afterwards; `at_ns` is market time.
    """

    at_ns: int
    account_id: AccountId
    instrument_id: InstrumentId
    symbol: str
    order_id: ParentId
    parent_id: ParentId
    client_order_id: ClientOrderId
    execution_id: ExecutionId
    strategy: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    value: Decimal
    fee: Decimal
    cash: Decimal
    realized: Decimal
    position: Decimal


class ActionRow(Value, frozen=True, kw_only=True):
    """A split or a dividend on one account: what it added, and what was held afterwards.

    `ratio` is new units for old ones, `dividend` for each unit held; one of them is empty.
    """

    at_ns: int
    account_id: AccountId
    instrument_id: InstrumentId
    symbol: str
    action_id: ActionId
    ratio: str
    dividend: Decimal | None
    quantity: Decimal
    cash: Decimal
    currency: str
    position: Decimal


class Statement(Value, frozen=True, kw_only=True):
    """A statement over the market time from `from_ns` (included) to `to_ns` (not included).

    None is the first and the last record. `totals` are the accounts' own books, by currency: the
    sums of `rows`. `balanced`: debits equal credits in every unit.
    """

    by: tuple[GroupBy, ...]
    method: CostMethod
    from_ns: int | None
    to_ns: int | None
    rows: tuple[StatementRow, ...]
    totals: tuple[StatementRow, ...]
    cash: tuple[CashRow, ...]
    executions: tuple[ExecutionRow, ...]
    balanced: bool
    notes: tuple[str, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    curves: tuple[EquityCurve, ...] = ()
