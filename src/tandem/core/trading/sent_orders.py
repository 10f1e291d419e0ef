"""What one run of a worker knows of the orders it was handed, and what they expose its account to.

The exposure counts an order from its send until the venue's word that it has ended, so the gate
of the worker is never too wide. An order is forgotten only when the coordinator has its end on
disk: whatever is not known here was never sent, unless `forgot` says that too many were seen.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from tandem.core.trading.plausible import is_execution, is_quote
from tandem.core.trading.risk import Exposure
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.link import Progress, Seen
from tandem.domain.order import Order
from tandem.domain.reports import DEFINITE, Accepted, ExecutionReport, Filled, Rejected
from tandem.domain.venue import Amended, OrderFound, OrderNotFound, Quote

SEEN_MAX = 50_000
TOLD_MAX = 1_000  # in one hello, which must fit into one message


class SentOrder(msgspec.Struct, gc=False):
    """What this run knows of one attempt."""

    order: Order
    send_number: int = 0
    progress: Progress = Progress.NOT_SENT
    sent_ns: int | None = None
    answered: bool = False
    counted: bool = False  # what is open of it is in the exposure
    cum_quantity: int = 0
    executions: dict[ExecutionId, None] = {}
    final_report: int | None = None  # the report of its end

    @property
    def leaves(self) -> Lots:
        """What may still trade."""
        return Lots(max(0, self.order.quantity - self.cum_quantity))


class SentOrders:
    """All of them, oldest first, and the exposure of the account that they belong to."""

    def __init__(self) -> None:
        self.orders: dict[ClientOrderId, SentOrder] = {}
        self.exposure = Exposure()
        self.forgot = False
        self._deadlines: deque[tuple[int, SentOrder, int]] = deque()  # with the send's number
        self._instruments: dict[InstrumentId, Instrument] = {}

    def told(self) -> tuple[tuple[Seen, ...], bool]:
        """Return the youngest that fit into a hello, and whether that is all."""
        youngest = list(self.orders.items())[-TOLD_MAX:]
        seen = tuple(Seen(client_order_id=key, progress=one.progress) for key, one in youngest)
        return seen, not self.forgot and len(self.orders) <= TOLD_MAX

    def take(self, order: Order) -> SentOrder:
        """Return what is known of this order, from now on."""
        known = self.orders.get(order.client_order_id)
        if known is None:
            known = self.orders[order.client_order_id] = SentOrder(order=order)
            if len(self.orders) > SEEN_MAX:
                del self.orders[next(iter(self.orders))]
                self.forgot = True
        return known

    def forget(self, client_order_id: ClientOrderId, *, report_id: int) -> None:
        """Forget an order whose end was told in this report or an earlier one."""
        known = self.orders.get(client_order_id)
        final_report = known.final_report if known is not None else None
        if final_report is not None and final_report <= report_id:
            del self.orders[client_order_id]

    # -- answers

    def wait(self, known: SentOrder, deadline_ns: int) -> None:
        """Expect an answer to its last send by then; deadlines come in their order."""
        self._deadlines.append((deadline_ns, known, known.send_number))

    def next_deadline_ns(self) -> int | None:
        """Return the first deadline of a send that is not answered yet.

        Answered ones are forgotten here: else every order would wake the worker once more.
        """
        deadlines = self._deadlines
        while deadlines:
            deadline_ns, known, send_number = deadlines[0]
            if not known.answered and known.send_number == send_number:
                return deadline_ns
            deadlines.popleft()
        return None

    def overdue(self, now_ns: int) -> list[SentOrder]:
        """Return what was not answered by its deadline, each once."""
        found = []
        while (deadline_ns := self.next_deadline_ns()) is not None and deadline_ns <= now_ns:
            found.append(self._deadlines.popleft()[1])
        return found

    # -- exposure

    def track(self, instruments: Iterable[Instrument]) -> None:
        """Let the gate know these instruments."""
        for instrument in instruments:
            self._instruments[instrument.instrument_id] = instrument
            self.exposure.track(instrument)

    def on_quote(self, quote: Quote, now: Instant) -> None:
        """Judge and value by this quote from now on, if its prices can be prices."""
        if is_quote(quote):
            self.exposure.note_quote(quote, now)

    def on_positions(self, positions: dict[InstrumentId, int]) -> None:
        """Take the venue's word about what the account holds."""
        for instrument_id, lots in positions.items():
            if instrument_id in self.exposure.holdings:
                self.exposure.set_position(instrument_id, lots)

    def on_account_dropped(self) -> None:
        """Another account begins with nothing out; what is known of prices stays."""
        before, self.exposure = self.exposure, Exposure()
        self.track(self._instruments.values())
        for instrument_id, holding in before.holdings.items():
            if holding.reference is not None:
                seen_at = Instant(0, holding.reference_market_ns)
                self.exposure.note_reference(instrument_id, holding.reference, seen_at)
                self.exposure.holdings[instrument_id].doubt = holding.doubt
        for known in self.orders.values():
            known.counted = False

    def on_sent(self, known: SentOrder, limits: Limits, now: Instant) -> None:
        """Count the order as out, unless it is."""
        rest = known.order
        if not known.counted and known.leaves:
            known.counted = True
            if known.cum_quantity:
                rest = msgspec.structs.replace(rest, quantity=known.leaves)
            self.exposure.note_sent(rest, limits, now)

    def on_fill(self, known: SentOrder, fill: Filled) -> bool:
        """Count an execution, once; return whether the order has ended, with this or before."""
        order = known.order
        if fill.execution_id not in known.executions and is_execution(fill):
            known.executions[fill.execution_id] = None
            leaves = known.leaves if known.counted else Lots(0)
            known.cum_quantity += fill.quantity
            if order.instrument_id in self.exposure.holdings:
                self.exposure.note_filled(order, fill.quantity, fill.price, leaves_quantity=leaves)
        if known.cum_quantity < order.quantity:
            return False
        self.on_ended(known)
        return True

    def _on_amended(self, known: SentOrder, report: Amended) -> bool:
        """Count an order that is for less now; return whether it has ended by that."""
        quantity = max(report.quantity, known.cum_quantity)
        if not 0 < quantity < known.order.quantity:
            return False
        if known.counted:
            self.exposure.note_lowered(known.order, known.order.quantity - quantity)
        known.order = msgspec.structs.replace(known.order, quantity=Lots(quantity))
        return known.cum_quantity == quantity

    def on_report(
        self, known: SentOrder, report: ExecutionReport | Amended, report_id: int
    ) -> None:
        """Count what the venue says about an order; `report_id` is under which that is told."""
        known.answered = True
        if isinstance(report, Filled):
            has_ended = self.on_fill(known, report)
        elif isinstance(report, Amended):
            has_ended = self._on_amended(known, report)
        elif isinstance(report, Rejected):
            has_ended = report.code in DEFINITE and known.cum_quantity == 0
        else:
            has_ended = not isinstance(report, Accepted)
        if has_ended:
            known.final_report = report_id
            self.on_ended(known)

    def on_answer(self, answer: OrderFound | OrderNotFound, earliest_ns: int | None) -> None:
        """Count what a lost report would have told.

        `earliest_ns` is what the venue's clock shows at least; None while nobody knows.
        """
        known = self.orders.get(answer.client_order_id)
        if known is None:
            return
        if isinstance(answer, OrderFound):
            for fill in answer.fills:
                self.on_fill(known, fill)
            has_ended = answer.status.is_final
        else:
            expires_at_ns = known.order.expires_at_ns
            has_ended = (
                expires_at_ns is not None
                and earliest_ns is not None
                and earliest_ns > expires_at_ns
            )
        if has_ended:
            self.on_ended(known)

    def on_ended(self, known: SentOrder) -> None:
        """Nothing more of it can trade: give back what was out."""
        if known.counted:
            known.counted = False
            self.exposure.note_ended(known.order, leaves_quantity=known.leaves)
