"""One execution as it was booked: for statements, which are made from a desk's records."""

from decimal import Decimal

import msgspec

from tandem.domain.ids import AccountId, InstrumentId, ParentId
from tandem.domain.order import Side
from tandem.domain.reports import Filled


class BookedFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An execution, whose it was, and what it did to its account's position.

    `order_id` is what the trader asked for: the pair, the two-sided quote or the algorithm that
    the parent is a part of, or the parent itself. `realized` is by average cost, `realized_fifo`
    by first in, first out, both in ticks times lots and without the fee. `position` is what the
    account held afterwards, in lots. `market_ns` is when the desk heard of it.
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
