"""What others do on an account of ours, as the desk remembers it.

External is whatever the venue tells of an account and no attempt of ours explains: orders and
executions of another program, and holdings that came or went without either.
"""

from decimal import Decimal

import msgspec

from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Ticks
from tandem.domain.order import Side


class ExternalOrder(msgspec.Struct, array_like=True, gc=False):
    """An open order that no attempt accounts for; it reserves price and buying power.

    `is_ours`: it has one of our ids, but its attempt has ended. `seen_by` is the audit that saw
    it last.
    """

    instrument_id: InstrumentId
    side: Side
    price: Ticks | None
    leaves: int
    reserved_price: int
    seen_by: int
    is_ours: bool = False


class Difference(msgspec.Struct, array_like=True, gc=False):
    """How much more the venue says the account holds than our books do, and since when."""

    amount: Decimal
    seen_ns: int


class Unexplained(msgspec.Struct, array_like=True, gc=False):
    """Why an instrument or a currency waits for the trader's word: the latest that was found."""

    since_ns: int
    text: str


class ExternalBook(msgspec.Struct, gc=False):
    """One account's. `lots` and `cash` are what others added to it, negative when they took.

    A unit is an instrument or a currency. `suspected` differences were seen once; `executions`
    are the youngest that were booked, so that a repeated one is known.
    """

    orders: dict[ClientOrderId, ExternalOrder] = {}
    lots: dict[InstrumentId, int] = {}
    cash: dict[str, Decimal] = {}
    unexplained: dict[str, Unexplained] = {}
    suspected: dict[str, Difference] = {}
    executions: dict[ExecutionId, None] = {}


class AuditState(msgspec.Struct, gc=False):
    """How far the audits of one account are; times are CLOCK_BOOTTIME.

    `epoch` is the grant under which it was last asked for at once. `query_id` is that of the audit
    under way. `known` is the digest of the last answer that
    agreed with our books, `books` that of the books then. `undead` are orders listed as open
    whose attempts have ended, with the audit that saw them first.
    """

    epoch: int = 0
    query_id: int | None = None
    asked_at_ns: int = 0
    soon_ns: int | None = None
    cursor: int | None = None
    known: bytes = b""
    books: bytes = b""
    undead: dict[ClientOrderId, int] = {}
    booked_ns: dict[InstrumentId, int] = {}  # when an execution was last booked
