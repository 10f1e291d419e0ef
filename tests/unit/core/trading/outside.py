"""An account as its venue has it, with somebody else trading there, for tests of reconciliation."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from tandem.core.trading.state import Attempt
from tandem.domain import link
from tandem.domain.desk import DeskEffect
from tandem.domain.ids import ClientOrderId, ExecutionId, InstrumentId, Lots, SlotId, Ticks
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Filled
from tandem.domain.venue import Balances, OpenOrder
from tests.unit.core.trading.desk_driver import SECOND, Floor, Hand

T = InstrumentId("T@X")
U = InstrumentId("U@X")
STEP = Decimal("0.01")  # what one lot is worth at a price of one tick


class Account:
    """What the venue knows of the account in one slot; `reply` answers the audit under way."""

    def __init__(self, floor: Floor, slot: str = "s1") -> None:
        self.floor = floor
        self.slot = slot
        opening = floor.balances(self.seat.account_id)
        self.cash = dict(opening.cash)
        self.lots: dict[InstrumentId, int] = dict(opening.positions)
        self.executions: list[link.Executed] = []
        self.orders: dict[ClientOrderId, OpenOrder] = {}

    @property
    def seat(self) -> Any:
        return self.floor.state.seats[SlotId(self.slot)]

    @property
    def hand(self) -> Hand:
        return self.floor.at(self.slot)

    def trade(
        self, side: Side, quantity: int, price: int = 1_000, *, key: str = "theirs", **rest: Any
    ) -> link.Executed:
        """Let somebody trade; no stream tells it."""
        fields: dict[str, Any] = {
            "client_order_id": ClientOrderId(key),
            "execution_id": ExecutionId(f"E{self.slot}-{len(self.executions) + 1}"),
            "quantity": Lots(quantity),
            "price": Ticks(price),
            "fee": Decimal("0.01"),
            "venue_at_ns": 1,
        }
        instrument_id = rest.pop("instrument_id", T)
        fill = Filled(**(fields | rest))
        return self.execute(fill, side, instrument_id)

    def execute(self, fill: Filled, side: Side, instrument_id: InstrumentId = T) -> link.Executed:
        self.cash["USD"] -= side.sign * STEP * fill.price * fill.quantity + fill.fee
        self.lots[instrument_id] = self.lots.get(instrument_id, 0) + side.sign * fill.quantity
        told = link.Executed(fill=fill, instrument_id=instrument_id, side=side)
        self.executions.append(told)
        return told

    def open(
        self, side: Side, quantity: int, price: int | None, *, key: str = "theirs", **rest: Any
    ) -> None:
        """Let an order of somebody rest."""
        order = Order(
            client_order_id=ClientOrderId(key),
            instrument_id=rest.pop("instrument_id", T),
            side=side,
            quantity=Lots(quantity),
            limit_price=None if price is None else Ticks(price),
            time_in_force=TimeInForce.DAY,
        )
        cum_quantity = Lots(rest.pop("cum", 0))
        self.orders[order.client_order_id] = OpenOrder(order=order, cum_quantity=cum_quantity)

    def rest(self, attempt: Attempt) -> None:
        """Let an order of ours rest."""
        opened = OpenOrder(order=attempt.order, cum_quantity=Lots(attempt.cum_quantity))
        self.orders[attempt.order.client_order_id] = opened

    @property
    def is_asked(self) -> bool:
        return self.seat.audit.query_id is not None

    def reply(self, **changes: Any) -> list[DeskEffect]:
        """Answer the audit under way as a worker does that has reported nothing itself."""
        audit = self.seat.audit
        assert audit.query_id is not None, "nobody asked"
        begin = len(self.executions) if audit.cursor is None else audit.cursor
        found = tuple(self.executions[begin : begin + link.EXECUTIONS_TOLD_MAX])
        held = (self.cash, self.lots, list(self.orders.values()))
        digest = blake2b(msgspec.msgpack.encode(held), digest_size=16).digest()
        fields: dict[str, Any] = {
            "query_id": audit.query_id,
            "cursor": begin + len(found),
            "executions": found,
        }
        if len(found) < link.EXECUTIONS_TOLD_MAX:
            balances = Balances(query_id=1, cash=dict(self.cash), positions=dict(self.lots))
            fields |= {"balances": balances, "digest": digest}
        if not found and digest == self.known:
            fields["balances"] = None
            return self.say(link.Audited(**(fields | changes)))
        listed = link.Listed(query_id=audit.query_id, orders=tuple(self.orders.values()))
        return self.say(listed) + self.say(link.Audited(**(fields | changes)))

    @property
    def known(self) -> bytes:
        return next(
            one.message.known
            for event in reversed(self.floor.told)
            for one in event
            if isinstance(one.message, link.Audit)
            and one.message.account_id == self.seat.account_id
        )

    def say(self, answer: link.Listed | link.Audited) -> list[DeskEffect]:
        return self.hand.say(link.Answered(account_id=self.seat.account_id, answer=answer))

    def look(self, times: int = 1) -> list[DeskEffect]:
        """Let time pass until so many audits have been asked, and answer them."""
        effects: list[DeskEffect] = []
        for _ in range(times):
            for _ in range(200):
                if self.is_asked:
                    break
                effects += self.floor.pass_time(SECOND // 10)
            effects += self.reply()
        return effects


def opened(**changes: Any) -> tuple[Floor, Account]:
    """Return a desk and the account in its first slot, which was audited once."""
    floor = Floor(**changes).open()
    account = Account(floor)
    account.look()
    return floor, account


def reasons(account: Account) -> Sequence[str]:
    return [one.text for one in account.seat.external.unexplained.values()]
