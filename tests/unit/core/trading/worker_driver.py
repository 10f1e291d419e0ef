"""A worker with a scripted coordinator and venue."""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tandem.core.trading.worker import Worker
from tandem.domain import link, venue
from tandem.domain.bundle import Bundle
from tandem.domain.desk import VenueSettings
from tandem.domain.ids import (
    AccountId,
    ClientOrderId,
    ExecutionId,
    Incarnation,
    InstrumentId,
    Lots,
    Ticks,
    VenueId,
    VenueOrderId,
)
from tandem.domain.instant import Instant
from tandem.domain.limits import Limits
from tandem.domain.order import Order, Side, TimeInForce
from tandem.domain.reports import Accepted, Canceled, Filled, RejectCode, Rejected
from tandem.domain.worker import Say, ToVenue, WorkerEffect
from tests.unit.core.trading.desk_driver import MS, SECOND, X, Y, instrument

M = TypeVar("M")
OFFSET_NS = 77 * SECOND
WORD = "s3cret"
A, B = AccountId("A"), AccountId("B")


def bundle(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "strategies": (),
        "instruments": (instrument("T", X, "m"),),
        "venues": (VenueSettings(venue_id=X), VenueSettings(venue_id=Y)),
        "limits": Limits(),
    }
    return msgspec.msgpack.encode(Bundle(**(fields | changes)))


class Bench:
    """One worker on the bench."""

    def __init__(self, *, shares_clock: bool = True) -> None:
        self.worker = Worker(Incarnation("i"), "w1", shares_clock=shares_clock)
        self.now_ns = 1_000 * SECOND
        self.epoch = 1
        self.effects: list[WorkerEffect] = []

    @property
    def now(self) -> Instant:
        return Instant(self.now_ns, self.now_ns + 10**18)

    def take(self, effects: list[WorkerEffect]) -> list[WorkerEffect]:
        self.effects = list(effects)
        return self.effects

    def hear(
        self, message: link.CoordinatorMessage, epoch: int | None = None
    ) -> list[WorkerEffect]:
        return self.take(self.worker.on_coordinator(message, epoch or self.epoch, self.now))

    def venue(self, message: venue.VenueMessage, venue_id: VenueId = X) -> list[WorkerEffect]:
        return self.take(self.worker.on_venue(venue_id, message, self.now))

    def up(self, venue_id: VenueId = X) -> list[WorkerEffect]:
        return self.take(self.worker.on_session_up(venue_id))

    def down(self, venue_id: VenueId = X) -> list[WorkerEffect]:
        return self.take(self.worker.on_session_down(venue_id))

    def connect(self, account: AccountId | None = None, epoch: int = 0, **rest: Any) -> link.Hello:
        """Connect and be welcomed; return the hello."""
        (said,) = self.take(self.worker.on_connected())
        assert isinstance(said, Say)
        assert isinstance(said.message, link.Hello)
        fields = {"account_id": account, "account_epoch": epoch, "halted": False} | rest
        self.hear(link.Welcome(**fields))
        return said.message

    def pass_time(self, ns: int) -> list[WorkerEffect]:
        effects: list[WorkerEffect] = []
        end_ns = self.now_ns + ns
        while (due_ns := self.worker.next_due_ns) is not None and due_ns <= end_ns:
            self.now_ns = due_ns
            effects += self.worker.on_due(self.now)
        self.now_ns = end_ns
        return self.take(effects)

    def said(self, kind: type[M]) -> list[M]:
        return [
            one.message
            for one in self.effects
            if isinstance(one, Say) and isinstance(one.message, kind)
        ]

    def asked(self, kind: type[M]) -> list[M]:
        return [
            one.request
            for one in self.effects
            if isinstance(one, ToVenue) and isinstance(one.request, kind)
        ]

    def reported(self) -> list[link.WorkerReport]:
        return [one.report for one in self.said(link.Reported)]

    # -- until it can trade

    def configure(self, content: bytes | None = None) -> list[WorkerEffect]:
        return self.hear(link.BundlePart(index=0, count=1, content=content or bundle()))

    def grant(
        self, account: AccountId = A, epoch: int = 1, lease_ns: int | None = None, at: VenueId = X
    ) -> list[WorkerEffect]:
        return self.hear(
            link.Grant(
                account_id=account,
                account_epoch=epoch,
                venue_id=at,
                lease_ns=lease_ns,
                secret=WORD,
            )
        )

    def log_in(self, account: AccountId = A, at: VenueId = X) -> list[WorkerEffect]:
        """Let the venue log the account in, and tell balances and the time."""
        self.venue(venue.LoggedIn(venue_id=at, account_id=account, venue_at_ns=0), at)
        (ask,) = self.asked(venue.AskTime)
        self.venue(venue.Balances(query_id=0, cash={}, positions={InstrumentId("T@X"): 100}), at)
        return self.time(ask.query_id, at=at)

    def time(
        self, query_id: int, offset_ns: int = OFFSET_NS, at: VenueId = X
    ) -> list[WorkerEffect]:
        told = venue.VenueTime(query_id=query_id, venue_at_ns=self.now_ns + offset_ns)
        return self.venue(told, at)

    def quote(self, price: int = 1_000) -> None:
        quote = venue.Quote(
            instrument_id=InstrumentId("T@X"), bid=Ticks(price), ask=Ticks(price), last=None
        )
        self.venue(venue.Quotes(quotes=(quote,)))

    def open(self, lease_ns: int | None = None) -> "Bench":
        """Bring it to where it trades account A."""
        self.connect()
        self.configure()
        self.up()
        self.grant(lease_ns=lease_ns)
        self.log_in()
        self.quote()
        return self

    # -- orders

    def order(self, key: str = "o", quantity: int = 10, side: Side = Side.BUY) -> Order:
        return Order(
            client_order_id=ClientOrderId(key),
            instrument_id=InstrumentId("T@X"),
            side=side,
            quantity=Lots(quantity),
            limit_price=Ticks(1_000),
            time_in_force=TimeInForce.DAY,
            expires_at_ns=self.now_ns + OFFSET_NS + SECOND,
        )

    def release(
        self, order: Order | None = None, send: int = 1, **changes: Any
    ) -> list[WorkerEffect]:
        fields: dict[str, Any] = {
            "account_id": A,
            "account_epoch": 1,
            "send_number": send,
            "order": order or self.order(),
            "release_by_ns": self.now_ns + OFFSET_NS + 700 * MS,
            "parent_quantity_left": 1_000,
        }
        return self.hear(link.Release(**(fields | changes)))

    def accept(self, key: str = "o") -> list[WorkerEffect]:
        return self.venue(
            Accepted(client_order_id=ClientOrderId(key), venue_order_id=VenueOrderId("v"))
        )

    def fill(self, key: str = "o", quantity: int = 10, execution: str = "e") -> list[WorkerEffect]:
        return self.venue(
            Filled(
                client_order_id=ClientOrderId(key),
                execution_id=ExecutionId(f"{key}/{execution}"),
                quantity=Lots(quantity),
                price=Ticks(1_000),
                fee=Decimal(0),
                venue_at_ns=0,
            )
        )

    def canceled(self, key: str = "o", cum: int = 0) -> list[WorkerEffect]:
        return self.venue(Canceled(client_order_id=ClientOrderId(key), cum_quantity=Lots(cum)))

    def rejected(self, key: str = "o", code: RejectCode = RejectCode.FUNDS) -> list[WorkerEffect]:
        return self.venue(Rejected(client_order_id=ClientOrderId(key), code=code))

    @property
    def open_orders(self) -> int:
        return self.worker._sent.exposure.open_orders
