"""What a worker does at its venue for the coordinator besides handing over orders.

It cancels, amends, asks about one order, and audits the account as a whole. An audit is a row of
questions over one session: open orders, executions, balances, and executions once more. When the
last answer is empty, the balances contain every execution told and no other. So the coordinator
can compare them with its books, and whatever it finds in addition was traded by somebody else.

Executions that this run has reported itself are left out: those reports are on their way or on
disk, and go before the audit's answer on the same connection.
"""

import enum
from hashlib import blake2b
from typing import Final, assert_never

import msgspec

from tandem.domain.desk import MS
from tandem.domain.ids import ExecutionId
from tandem.domain.link import (
    EXECUTIONS_TOLD_MAX,
    Amend,
    Ask,
    Audit,
    Audited,
    Executed,
    Listed,
    Withdraw,
)
from tandem.domain.reports import ExecutionReport, Filled
from tandem.domain.venue import (
    Amended,
    AmendOrder,
    AskBalances,
    Balances,
    CancelOrder,
    Executions,
    ListExecutions,
    ListOpenOrders,
    OpenOrder,
    OpenOrders,
    QueryOrder,
    VenueRequest,
)

AGAIN_NS: Final = 300 * MS  # before a question without an answer is asked again
TIMES_MAX: Final = 20
PAGE: Final = 200  # orders or executions in one answer of the venue
PAGES_MAX: Final = 1_000
REPORTED_MAX: Final = 50_000
_ENCODER: Final = msgspec.msgpack.Encoder()


class _Stage(enum.Enum):
    """What is asked now; the questions come in this order."""

    ORDERS = 1
    EXECUTIONS = 2
    BALANCES = 3
    STILLNESS = 4


class _Running(msgspec.Struct):
    """An audit under way."""

    asked: Audit
    cursor: int | None
    stage: _Stage = _Stage.ORDERS
    query_id: int = 0
    times: int = 1
    pages: int = 0
    listed_to: int = 0
    orders: list[OpenOrder] = []
    executions: list[Executed] = []
    balances: Balances | None = None


class Errands:
    """Those of one run. `due_ns` is when a question must be asked again."""

    def __init__(self) -> None:
        self.due_ns: int | None = None
        self._running: _Running | None = None
        self._next_query = 1
        self._reported: dict[ExecutionId, None] = {}  # since the last audit began
        self._reported_before: dict[ExecutionId, None] = {}

    def drop(self) -> None:
        """Give up the audit: nobody can be asked, or nobody told."""
        self._running = None
        self.due_ns = None

    def note_reported(self, report: ExecutionReport | Amended) -> None:
        """Leave this execution out of the next audit: its report tells it."""
        if isinstance(report, Filled) and len(self._reported) < REPORTED_MAX:
            self._reported[report.execution_id] = None

    def requests(self, asked: Withdraw | Amend | Ask | Audit, now_ns: int) -> list[VenueRequest]:
        """Return what to ask the venue; an audit takes the place of an earlier one."""
        match asked:
            case Withdraw():
                return [CancelOrder(client_order_id=asked.client_order_id)]
            case Amend():
                return [
                    AmendOrder(
                        client_order_id=asked.client_order_id,
                        quantity=asked.quantity,
                        limit_price=asked.limit_price,
                    )
                ]
            case Ask():
                query_id = asked.query_id
                return [QueryOrder(query_id=query_id, client_order_id=asked.client_order_id)]
            case Audit():
                self._running = _Running(asked=asked, cursor=asked.cursor)
                self._reported_before, self._reported = self._reported, {}
                return [self._ask(self._running, now_ns)]
            case _:
                assert_never(asked)

    def on_due(self, now_ns: int) -> list[VenueRequest]:
        """Ask once more what was not answered, but not for ever."""
        running = self._running
        if running is None or self.due_ns is None or self.due_ns > now_ns:
            return []
        if running.times >= TIMES_MAX:
            self.drop()
            return []
        running.times += 1
        self.due_ns = now_ns + AGAIN_NS
        return [_question(running)]

    def _ask(self, running: _Running, now_ns: int) -> VenueRequest:
        """Ask under a new number, so that a late answer to an earlier question is none to this."""
        running.query_id = self._next_query
        running.times = 1
        running.pages += 1
        self._next_query += 1
        self.due_ns = now_ns + AGAIN_NS
        return _question(running)

    def on_answer(
        self, told: OpenOrders | Executions | Balances, now_ns: int
    ) -> tuple[list[VenueRequest], list[Listed | Audited]]:
        """Return what to ask next, or what to tell the coordinator; one of them is empty."""
        running = self._running
        if running is None or told.query_id != running.query_id:
            return [], []
        if isinstance(told, OpenOrders):
            _take_orders(running, told)
        elif isinstance(told, Balances):
            running.balances = told
            running.stage = _Stage.STILLNESS
        elif self._take_executions(running, told):
            self.drop()
            return [], _told(running)
        if running.pages >= PAGES_MAX:
            self.drop()
            return [], []
        return [self._ask(running, now_ns)], []

    def _take_executions(self, running: _Running, told: Executions) -> bool:
        """Return whether this was the last question."""
        running.cursor = told.cursor
        for fill, what in zip(told.fills, told.traded, strict=False):
            key = fill.execution_id
            if key not in self._reported and key not in self._reported_before:
                running.executions.append(
                    Executed(fill=fill, instrument_id=what.instrument_id, side=what.side)
                )
        is_still = not told.fills
        if running.stage is _Stage.STILLNESS:
            running.balances = running.balances if is_still else None
            return True
        if is_still:
            running.stage = _Stage.BALANCES
        return len(running.executions) >= EXECUTIONS_TOLD_MAX


def _question(running: _Running) -> VenueRequest:
    query_id = running.query_id
    match running.stage:
        case _Stage.ORDERS:
            return ListOpenOrders(query_id=query_id, cursor=running.listed_to, most=PAGE)
        case _Stage.BALANCES:
            return AskBalances(query_id=query_id)
        case _:
            most = max(1, EXECUTIONS_TOLD_MAX - len(running.executions))
            return ListExecutions(query_id=query_id, cursor=running.cursor, most=most)


def _take_orders(running: _Running, told: OpenOrders) -> None:
    running.orders.extend(told.orders)
    if told.cursor is None:
        running.stage = _Stage.EXECUTIONS
    else:
        running.listed_to = told.cursor


def _told(running: _Running) -> list[Listed | Audited]:
    query_id, balances = running.asked.query_id, running.balances
    assert running.cursor is not None, "executions were listed"
    digest = b""
    if balances is not None:
        held = (sorted(balances.cash.items()), sorted(balances.positions.items()))
        since = (balances.adjusted, sorted(balances.splits.items()))
        digest = blake2b(_ENCODER.encode((running.orders, held, since)), digest_size=16).digest()
        if digest == running.asked.known and not running.executions:
            return [Audited(query_id=query_id, cursor=running.cursor, digest=digest)]
    answers: list[Listed | Audited] = [
        Listed(query_id=query_id, orders=tuple(running.orders[begin : begin + PAGE]))
        for begin in range(0, len(running.orders), PAGE)
    ]
    answers.append(
        Audited(
            query_id=query_id,
            cursor=running.cursor,
            executions=tuple(running.executions),
            balances=balances,
            digest=digest,
        )
    )
    return answers
