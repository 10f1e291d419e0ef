"""A desk with scripted workers, for tests that are a few lines each.

`Floor` feeds events, keeps what the desk wants done, and after each event proves the books: that
the sums agree, that own orders cannot meet, that nothing waits without an alarm, and that a desk
restored from its snapshot goes on in the same way.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tandem.core.trading import external
from tandem.core.trading.desk import Desk
from tandem.core.trading.state import (
    AlgoPhase,
    Attempt,
    BothPhase,
    PairPhase,
    Parent,
    ParentPhase,
    Phase,
    PoolPhase,
    Seat,
)
from tandem.domain import link
from tandem.domain.commands import (
    Answer,
    Asked,
    CancelOrders,
    Command,
    HaltTrading,
    PlaceParent,
    ReduceOnly,
    Refused,
    ReplaceOrder,
    ResumeTrading,
    SetLimits,
    SetUpPool,
    Taken,
)
from tandem.domain.desk import (
    Commanded,
    DeskEffect,
    DeskEvent,
    DeskSettings,
    Due,
    FromWorker,
    Joined,
    Kill,
    LeaseLapsed,
    QuotesSeen,
    Restarted,
    SlotSettings,
    Tell,
    Timings,
    ToWorker,
    VenueSettings,
    WorkerDied,
    WorkerLost,
    WorkerSilent,
)
from tandem.domain.ids import (
    AccountId,
    AskerId,
    ClientOrderId,
    CommandId,
    DeskId,
    ExecutionId,
    Incarnation,
    InstrumentId,
    Lots,
    MarketId,
    ParentId,
    SlotId,
    Ticks,
    VenueId,
    VenueOrderId,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import LimitChanges, Limits
from tandem.domain.order import FenceClass, OrderStatus, Side
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import (
    Accepted,
    Canceled,
    Expired,
    Filled,
    RejectCode,
    Rejected,
)
from tandem.domain.venue import (
    AmendCode,
    Amended,
    AmendRejected,
    Balances,
    CancelCode,
    CancelRejected,
    OrderFound,
    OrderNotFound,
    Quote,
)

MS = 1_000_000
SECOND = 1_000 * MS
X, Y = VenueId("X"), VenueId("Y")
ENCODER = msgspec.msgpack.Encoder()
M = TypeVar("M")


def instrument(symbol: str, venue_id: VenueId, market: str, *, lot: str = "1") -> Instrument:
    return Instrument(
        instrument_id=InstrumentId(f"{symbol}@{venue_id}"),
        symbol=symbol,
        venue_id=venue_id,
        market_id=MarketId(market),
        base=symbol,
        quote="USD",
        tick_size=Decimal("0.01"),
        lot_size=Decimal(lot),
    )


def settings_of(**changes: Any) -> DeskSettings:
    """Return a desk of four slots at venue X; T and U are listed there."""
    slots = changes.pop("slots", 4)
    fence_class = changes.pop("fence_class", FenceClass.EXPIRES)
    may_short = changes.pop("may_short", False)
    fields: dict[str, Any] = {
        "desk_id": DeskId("d"),
        "slots": tuple(
            SlotSettings(
                slot_id=SlotId(f"s{n}"),
                account_id=AccountId(f"A{n}"),
                venue_id=X,
                fence_class=fence_class,
                may_short=may_short,
            )
            for n in range(1, slots + 1)
        ),
        "venues": (VenueSettings(venue_id=X),),
        "instruments": (instrument("T", X, "m"), instrument("U", X, "m")),
        "limits": Limits(max_orders_per_second=100_000, max_duplicates=100_000),
        "bundle": b"bundle",
        "timings": Timings(),
    }
    return DeskSettings(**(fields | changes))


def two_markets(**changes: Any) -> DeskSettings:
    """Return a desk of two slots at each of two venues that are two markets; both list T."""
    slots = tuple(
        SlotSettings(
            slot_id=SlotId(f"{venue.lower()}{n}"),
            account_id=AccountId(f"{venue}{n}"),
            venue_id=venue,
            fence_class=changes.get("fence_class", FenceClass.EXPIRES),
            may_short=changes.get("may_short", False),
        )
        for venue in (X, Y)
        for n in (1, 2)
    )
    fields: dict[str, Any] = {
        "slots": slots,
        "venues": (VenueSettings(venue_id=X), VenueSettings(venue_id=Y)),
        "instruments": (instrument("T", X, "mx"), instrument("T", Y, "my")),
    }
    changes.pop("fence_class", None)
    changes.pop("may_short", None)
    return msgspec.structs.replace(settings_of(), **(fields | changes))


class Hand:
    """One scripted worker: what it was told, and how to speak for it."""

    def __init__(self, floor: "Floor", name: str, machine: str | None = None) -> None:
        self.floor = floor
        self.name = name
        self.machine = machine
        self.incarnation = Incarnation(f"i-{name}")
        self.connection = 0
        self.account_id: AccountId | None = None
        self.account_epoch = 0
        self.bundle_hash: str | None = None
        self.report_id = 0
        self.seen: dict[ClientOrderId, link.Progress] = {}
        self.limit: link.Limit | None = None

    def join(self, *, ready: bool = False, seen: bool = True, **changes: Any) -> list[DeskEffect]:
        """Say hello on a new connection; `seen` is whether it knows its attempts."""
        self.connection += 1
        fields: dict[str, Any] = {
            "incarnation": self.incarnation,
            "connection": self.connection,
            "name": self.name,
            "account_id": self.account_id,
            "account_epoch": self.account_epoch,
            "bundle_hash": self.bundle_hash,
            "ready": ready,
            "seen": tuple(
                link.Seen(client_order_id=key, progress=one)
                for key, one in (self.seen if seen else {}).items()
            ),
        }
        hello = link.Hello(**(fields | changes))
        pid, started = (len(self.name), 1) if self.machine is None else (0, 0)
        return self.floor.on(Joined(hello=hello, pid=pid, started=started, machine=self.machine))

    def say(self, message: Any) -> list[DeskEffect]:
        return self.floor.on(
            FromWorker(incarnation=self.incarnation, connection=self.connection, message=message)
        )

    def configured(self, bundle_hash: str | None = None) -> list[DeskEffect]:
        self.bundle_hash = bundle_hash or self.floor.desk.rules.bundle_hash
        return self.say(link.Configured(bundle_hash=self.bundle_hash))

    def clock(self, offset_ns: int = 0, uncertainty_ns: int = 0, venue: VenueId = X) -> None:
        self.say(link.ClockRead(venue_id=venue, offset_ns=offset_ns, uncertainty_ns=uncertainty_ns))

    def ready(self, **changes: Any) -> list[DeskEffect]:
        """Take the account last granted, and say that it can trade."""
        assert self.account_id is not None
        seat = next(
            one for one in self.floor.state.seats.values() if one.account_id == self.account_id
        )
        self.clock(self.floor.offset_ns, venue=seat.venue_id)
        fields: dict[str, Any] = {
            "account_id": self.account_id,
            "account_epoch": self.account_epoch,
            "balances": self.floor.balances(self.account_id),
        }
        return self.say(link.Ready(**(fields | changes)))

    def not_ready(self) -> list[DeskEffect]:
        assert self.account_id is not None
        return self.say(
            link.NotReady(
                account_id=self.account_id, account_epoch=self.account_epoch, reason="down"
            )
        )

    def limited(self, number: int | None = None, epoch: int | None = None) -> list[DeskEffect]:
        """Confirm the limits that it was told, or those of that number."""
        assert self.limit is not None, f"{self.name} was told no limits"
        return self.say(
            link.Limited(
                account_id=self.limit.account_id,
                account_epoch=epoch or self.limit.account_epoch,
                number=number or self.limit.number,
            )
        )

    def gave_back(self, account_id: AccountId, epoch: int = 1) -> list[DeskEffect]:
        return self.say(link.GaveBack(account_id=account_id, account_epoch=epoch))

    def report(self, report: link.WorkerReport, send: int | None = 1) -> list[DeskEffect]:
        self.report_id += 1
        return self.say(
            link.Reported(
                report_id=self.report_id,
                account_id=self.account_id or AccountId("?"),
                send_number=send,
                sent_ns=self.floor.now_ns,
                report=report,
            )
        )

    def lose(self, connection: int | None = None) -> list[DeskEffect]:
        return self.floor.on(
            WorkerLost(incarnation=self.incarnation, connection=connection or self.connection)
        )

    def die(self) -> list[DeskEffect]:
        return self.floor.on(WorkerDied(incarnation=self.incarnation))

    def silent(self) -> list[DeskEffect]:
        return self.floor.on(WorkerSilent(incarnation=self.incarnation))


class Floor:
    """The desk, its workers, and time."""

    def __init__(self, settings: DeskSettings | None = None, *, is_checked: bool = True) -> None:
        self.desk = Desk()
        self.settings = settings or settings_of()
        self.now_ns = 1_000 * SECOND
        self.offset_ns = 77 * SECOND
        self.hands: dict[Incarnation, Hand] = {}
        self.log: list[tuple[DeskEvent, Instant, bytes]] = []
        self.effects: list[DeskEffect] = []
        self.told: list[list[ToWorker]] = []
        self.is_checked = is_checked
        self._twin: Desk | None = None
        self._commands = 0
        self.splits: dict[InstrumentId, int] = {}  # of which the quotes are
        self.on(Restarted(settings=self.settings))

    # -- events

    @property
    def state(self) -> Any:
        return self.desk.state

    @property
    def now(self) -> Instant:
        return Instant(self.now_ns, self.now_ns + 10**18)

    def on(self, event: DeskEvent) -> list[DeskEffect]:
        """Let the desk decide, prove the books, and let the workers hear it."""
        if self.is_checked and len(self.log) % 5 == 0:
            self._twin = Desk.restore(self.desk.snapshot())
        effects = self.desk.on(event, self.now)
        encoded = ENCODER.encode(effects)
        self.log.append((event, self.now, encoded))
        if self._twin is not None:
            assert ENCODER.encode(self._twin.on(event, self.now)) == encoded
            assert self._twin.snapshot() == self.desk.snapshot()
        if self.is_checked:
            prove(self.desk)
        self.effects = effects
        self.told.append([one for one in effects if isinstance(one, ToWorker)])
        for effect in self.told[-1]:
            self._hear(effect)
        return effects

    def _hear(self, effect: ToWorker) -> None:
        hand = self.hands[effect.incarnation]
        if hand.connection != effect.connection:
            return
        message = effect.message
        if isinstance(message, link.Grant):
            hand.account_id = message.account_id
            hand.account_epoch = message.account_epoch
        elif isinstance(message, link.Limit):
            hand.limit = message
        elif isinstance(message, link.Revoke) and hand.account_id == message.account_id:
            hand.account_id, hand.account_epoch = None, 0

    def look_away(self) -> None:
        """Prove nothing from now on: the test has put something into the desk itself."""
        self.is_checked = False
        self._twin = None

    def restart(self, settings: DeskSettings | None = None) -> list[DeskEffect]:
        """The coordinator's process comes back."""
        return self.on(Restarted(settings=settings or self.settings))

    def pass_time(self, ns: int) -> list[DeskEffect]:
        """Let time pass, with every alarm at its moment; return all effects."""
        effects: list[DeskEffect] = []
        end_ns = self.now_ns + ns
        for _ in range(100_000):
            due_ns = self.desk.next_due_ns
            if due_ns is None or due_ns > end_ns:
                self.now_ns = end_ns
                return effects
            self.now_ns = max(self.now_ns, due_ns)
            effects.extend(self.on(Due()))
        raise AssertionError("alarms without end")

    def command(self, command: Command, command_id: str | None = None) -> list[DeskEffect]:
        if command_id is None:
            self._commands += 1
            command_id = f"c{self._commands}"
        asked = Asked(command_id=CommandId(command_id), command=command)
        return self.on(Commanded(asker=AskerId(1), asked=asked))

    def ask(self, command: Command, command_id: str | None = None) -> Answer:
        """Give a command and return its answer."""
        effects = self.command(command, command_id)
        told = [one for one in effects if isinstance(one, Tell)]
        assert len(told) == 1, told
        return told[0].answer

    # -- set-up

    def hand(self, name: str, machine: str | None = None) -> Hand:
        made = Hand(self, name, machine)
        self.hands[made.incarnation] = made
        return made

    def balances(self, account_id: AccountId) -> Balances:
        return Balances(
            query_id=0,
            cash={"USD": Decimal(100_000)},
            positions={one.instrument_id: 1_000 for one in self.settings.instruments},
        )

    def quote(self, price: int = 1_000, *symbols: str) -> None:
        self.on(
            QuotesSeen(
                quotes=tuple(
                    Quote(
                        instrument_id=one.instrument_id,
                        bid=Ticks(price - 1),
                        ask=Ticks(price + 1),
                        last=None,
                        splits=self.splits.get(one.instrument_id, 0),
                    )
                    for one in self.settings.instruments
                    if not symbols or one.symbol in symbols
                )
            )
        )

    def open(
        self, workers: int | None = None, quoted: Sequence[str] = (), *, elsewhere: bool = False
    ) -> "Floor":
        """Set the pool up: as many workers as slots unless told, all ready, a price seen."""
        count = len(self.settings.slots) if workers is None else workers
        for number in range(1, count + 1):
            self.hand(f"w{number}", f"m{number}" if elsewhere else None).join()
        self.command(SetUpPool(workers=count))
        for hand in self.all_hands():
            hand.configured()
        for hand in self.all_hands():
            if hand.account_id is not None:
                hand.ready()
        assert self.state.pool.phase is PoolPhase.TRADING
        self.quote(1_000, *quoted)
        return self

    def lapse(self, slot: str, epoch: int | None = None) -> list[DeskEffect]:
        """The lease of the slot's holder is over."""
        seat = self.state.seats[SlotId(slot)]
        return self.on(LeaseLapsed(account_id=seat.account_id, account_epoch=epoch or seat.epoch))

    def all_hands(self) -> list[Hand]:
        return list(self.hands.values())

    def spare(self, name: str = "spare", machine: str | None = None) -> Hand:
        """Return one more worker, confirmed and idle."""
        hand = self.hand(name, machine)
        hand.join()
        hand.configured()
        return hand

    def at(self, slot: str) -> Hand:
        """Return the worker that fills the slot."""
        return self.hands[self.state.seats[SlotId(slot)].holder]

    # -- orders

    def place(self, side: Side, quantity: int, price: int | None = 1_000, **rest: Any) -> Answer:
        symbol = rest.pop("symbol", "T")
        slots = tuple(SlotId(one) for one in rest.pop("slots", ()))
        spec = ParentSpec(
            symbol=symbol,
            side=side,
            quantity=Lots(quantity),
            limit_price=None if price is None else Ticks(price),
            slots=slots,
            **rest,
        )
        return self.ask(PlaceParent(spec=spec))

    def buy(self, quantity: int, price: int | None = 1_000, **rest: Any) -> Parent:
        return self.parent_of(self.place(Side.BUY, quantity, price, **rest))

    def sell(self, quantity: int, price: int | None = 1_000, **rest: Any) -> Parent:
        return self.parent_of(self.place(Side.SELL, quantity, price, **rest))

    def parent_of(self, answer: Answer) -> Parent:
        assert isinstance(answer, Taken), answer
        found = self.state.parents[answer.order_id]
        assert isinstance(found, Parent)
        return found

    def refusal(self, answer: Answer) -> Refused:
        assert isinstance(answer, Refused), answer
        return answer

    def cancel(self, order_id: str | None) -> Answer:
        return self.ask(CancelOrders(order_id=order_id))

    def halt(self) -> Answer:
        return self.ask(HaltTrading(reason="enough"))

    def limit(self, *, account: str | None = None, **changes: Any) -> Answer:
        """Set limits of the desk, or of an account, and let every worker that is told confirm."""
        account_id = None if account is None else AccountId(account)
        answer = self.ask(SetLimits(account_id=account_id, changes=LimitChanges(**changes)))
        self.confirm_limits()
        return answer

    def reduce_only(self, account: str | None = None, *, on: bool = True) -> Answer:
        """Let the desk, or an account, only reduce; its worker confirms."""
        account_id = None if account is None else AccountId(account)
        answer = self.ask(ReduceOnly(account_id=account_id, on=on))
        self.confirm_limits()
        return answer

    def confirm_limits(self) -> None:
        """Let every worker that was told limits in the last event confirm them."""
        for one in self.told[-1]:
            if isinstance(one.message, link.Limit):
                self.hands[one.incarnation].limited()

    def resume(self) -> Answer:
        return self.ask(ResumeTrading())

    def attempts(self, parent: Parent | ParentId | None = None) -> list[Attempt]:
        """Return a parent's attempts, or all that are remembered, oldest first."""
        if parent is None:
            return list(self.state.attempts.values())
        key = parent if isinstance(parent, str) else parent.parent_id
        found = self.state.parents[key]
        return [self.state.attempts[one] for one in found.attempts]

    # -- the venue's word, told by whoever fills the slot

    def teller(self, attempt: Attempt) -> Hand:
        return self.at(attempt.slot_id)

    def accept(self, attempt: Attempt, by: Hand | None = None) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        told = Accepted(client_order_id=key, venue_order_id=VenueOrderId("v"))
        return (by or self.teller(attempt)).report(told)

    def fill(
        self,
        attempt: Attempt,
        quantity: int,
        *,
        execution: str = "",
        by: Hand | None = None,
        price: int | None = None,
    ) -> list[DeskEffect]:
        number = len(attempt.executions) + 1
        report = fill_of(attempt, quantity, execution or f"e{number}", price)
        return (by or self.teller(attempt)).report(report)

    def canceled(
        self, attempt: Attempt, cum: int | None = None, by: Hand | None = None
    ) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        quantity = Lots(attempt.cum_quantity if cum is None else cum)
        told = Canceled(client_order_id=key, cum_quantity=quantity)
        return (by or self.teller(attempt)).report(told)

    def expired(self, attempt: Attempt, cum: int | None = None) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        quantity = Lots(attempt.cum_quantity if cum is None else cum)
        return self.teller(attempt).report(Expired(client_order_id=key, cum_quantity=quantity))

    def rejected(
        self, attempt: Attempt, code: RejectCode = RejectCode.FUNDS, text: str = ""
    ) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        return self.teller(attempt).report(Rejected(client_order_id=key, code=code, text=text))

    def not_sent(
        self, attempt: Attempt, reason: link.NotSentReason = link.NotSentReason.SESSION_DOWN
    ) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        return self.teller(attempt).report(link.NotSent(client_order_id=key, reason=reason))

    def timed_out(self, attempt: Attempt) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        return self.teller(attempt).report(link.TimedOut(client_order_id=key))

    def cancel_rejected(self, attempt: Attempt, code: CancelCode) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        return self.teller(attempt).report(CancelRejected(client_order_id=key, code=code))

    def amended(self, attempt: Attempt, quantity: int) -> list[DeskEffect]:
        """The venue says what the order is for now."""
        told = Amended(
            client_order_id=attempt.order.client_order_id,
            quantity=Lots(quantity),
            limit_price=attempt.order.limit_price,
            cum_quantity=Lots(attempt.cum_quantity),
        )
        return self.teller(attempt).report(told)

    def amend_rejected(self, attempt: Attempt, code: AmendCode) -> list[DeskEffect]:
        key = attempt.order.client_order_id
        return self.teller(attempt).report(AmendRejected(client_order_id=key, code=code))

    def replace(
        self, parent: Parent, quantity: int | None = None, price: int | None = None
    ) -> Answer:
        return self.ask(
            ReplaceOrder(
                order_id=parent.parent_id,
                quantity=None if quantity is None else Lots(quantity),
                limit_price=None if price is None else Ticks(price),
            )
        )

    def not_found(self, attempt: Attempt, query_id: int | None = None) -> list[DeskEffect]:
        """Answer the present question about an attempt: the venue does not know it."""
        number = attempt.query_id if query_id is None else query_id
        assert number is not None, "nobody asked"
        answer = OrderNotFound(query_id=number, client_order_id=attempt.order.client_order_id)
        return self._answer(attempt, answer)

    def found(
        self,
        attempt: Attempt,
        status: OrderStatus = OrderStatus.NEW,
        fills: Sequence[Filled] = (),
        *,
        cum: int | None = None,
        quantity: int | None = None,
    ) -> list[DeskEffect]:
        assert attempt.query_id is not None, "nobody asked"
        traded = sum(one.quantity for one in fills) if cum is None else cum
        answer = OrderFound(
            query_id=attempt.query_id,
            client_order_id=attempt.order.client_order_id,
            status=status,
            cum_quantity=Lots(traded),
            fills=tuple(fills),
            quantity=None if quantity is None else Lots(quantity),
        )
        return self._answer(attempt, answer)

    def _answer(self, attempt: Attempt, answer: OrderFound | OrderNotFound) -> list[DeskEffect]:
        hand = self.teller(attempt)
        assert hand.account_id is not None
        return hand.say(link.Answered(account_id=hand.account_id, answer=answer))

    # -- what the desk wants

    def sent(self, kind: type[M], effects: list[DeskEffect] | None = None) -> list[M]:
        """Return the words of that kind to workers, of the last event unless told."""
        return [
            one.message
            for one in (self.effects if effects is None else effects)
            if isinstance(one, ToWorker) and isinstance(one.message, kind)
        ]

    def killed(self, effects: list[DeskEffect] | None = None) -> list[str]:
        return [
            self.hands[one.incarnation].name
            for one in (self.effects if effects is None else effects)
            if isinstance(one, Kill)
        ]

    def counted(self, what: str) -> int:
        number = self.state.counters.get(what, 0)
        assert isinstance(number, int)
        return number

    def replay(self) -> None:
        """Prove that the same events give the same effects and the same state."""
        desk = Desk()
        for event, now, encoded in self.log:
            assert ENCODER.encode(desk.on(event, now)) == encoded
        assert desk.snapshot() == self.desk.snapshot()


def but_audits(effects: list[DeskEffect]) -> list[DeskEffect]:
    """Return the effects without the questions that a desk asks every so often."""
    return [
        one
        for one in effects
        if not isinstance(one, ToWorker) or not isinstance(one.message, link.Audit)
    ]


def fill_of(attempt: Attempt, quantity: int, execution: str, price: int | None = None) -> Filled:
    return Filled(
        client_order_id=attempt.order.client_order_id,
        execution_id=ExecutionId(f"{attempt.order.client_order_id}/{execution}"),
        quantity=Lots(quantity),
        price=Ticks(price or attempt.order.limit_price or 1_000),
        fee=Decimal("0.01"),
        venue_at_ns=1,
    )


# -- what must hold after every event


def prove(desk: Desk) -> None:
    """Assert every invariant that a desk can be asked about."""
    _prove_parents(desk)
    _prove_reservations(desk)
    _prove_gate(desk)
    _prove_alarms(desk)
    _prove_seats(desk)
    desk.state.ledger.check()


def _prove_parents(desk: Desk) -> None:
    state = desk.state
    for key, parent in state.parents.items():
        attempts = [state.attempts[one] for one in parent.attempts]
        out = [one for one in attempts if not one.is_final]
        assert parent.allocated == sum(one.order.quantity for one in out), key
        assert parent.planned == sum(1 for one in out if one.phase is Phase.PLANNED), key
        final = sum(one.final_cum or 0 for one in attempts if one.is_final)
        assert parent.done_quantity == final, key
        assert parent.filled == sum(one.cum_quantity for one in attempts), key
        waiting = sum(one.quantity for one in parent.pieces)
        if not state.counters.get("overfilled"):
            used = parent.done_quantity + parent.allocated + waiting
            if parent.phase is not ParentPhase.CLEARING:
                used += parent.prevented + parent.netted
            assert used <= parent.quantity, f"{key}: {used} of {parent.quantity}"
        is_open = key in state.working
        assert is_open is (parent.phase is not ParentPhase.DONE), key
        if not is_open:
            assert not out, key
            assert not parent.pieces, key
    for attempt in state.attempts.values():
        counted = sum(attempt.executions.values())
        assert attempt.cum_quantity == counted, attempt.order.client_order_id


def _out(desk: Desk) -> Iterator[tuple[SlotId, InstrumentId, Side, int, int]]:
    """Yield slot, instrument, side, reserved price and open lots of all that may be at a venue."""
    state = desk.state
    for attempt in state.attempts.values():
        if not attempt.is_final:
            order = attempt.order
            leaves = max(0, order.quantity - attempt.cum_quantity)
            price = attempt.reserved_price
            yield attempt.slot_id, order.instrument_id, order.side, price, leaves
    for seat in state.seats.values():
        for one in seat.external.orders.values():
            yield seat.slot_id, one.instrument_id, one.side, one.reserved_price, one.leaves


def _prove_reservations(desk: Desk) -> None:
    state = desk.state
    live = sum(1 for one in state.attempts.values() if not one.is_final)
    assert state.exposure.open_orders == live
    cash: dict[tuple[SlotId, str], Decimal] = {}
    lots: Counter[tuple[SlotId, InstrumentId]] = Counter()
    open_lots: Counter[tuple[InstrumentId, Side]] = Counter()
    for slot_id, instrument_id, side, price, leaves in _out(desk):
        open_lots[instrument_id, side] += leaves
        if side is Side.BUY:
            listed = desk.rules.catalogue[instrument_id]
            amount = listed.step_value * price * leaves
            cash[slot_id, listed.quote] = cash.get((slot_id, listed.quote), Decimal(0)) + amount
        else:
            lots[slot_id, instrument_id] += leaves
    seats = state.seats.values()
    reserved_cash = {(one.slot_id, k): v for one in seats for k, v in one.reserved_cash.items()}
    assert {k: v for k, v in reserved_cash.items() if v} == {k: v for k, v in cash.items() if v}
    reserved_lots = {(one.slot_id, k): v for one in seats for k, v in one.reserved_lots.items()}
    assert {k: v for k, v in reserved_lots.items() if v} == {k: v for k, v in lots.items() if v}
    for seat in seats:
        assert seat.blocked == Counter(_blocked(desk, seat)), seat.slot_id
    for instrument_id, holding in state.exposure.holdings.items():
        assert holding.open_buys == open_lots[instrument_id, Side.BUY], instrument_id
        assert holding.open_sells == open_lots[instrument_id, Side.SELL], instrument_id
        held = sum(books.lots.get(instrument_id, 0) for books in state.ledger.accounts.values())
        assert holding.position == held, instrument_id


def _blocked(desk: Desk, seat: Seat) -> Iterator[InstrumentId]:
    """Yield what must not be traded at a seat, once for each reason."""
    for attempt in desk.state.attempts.values():
        if attempt.for_person and not attempt.is_final and attempt.slot_id == seat.slot_id:
            yield attempt.order.instrument_id
    for unit in seat.external.unexplained:
        for listed in desk.rules.settings.instruments:
            is_there = listed.venue_id == seat.venue_id
            if is_there and unit in (listed.instrument_id, listed.quote):
                yield listed.instrument_id


def _prove_gate(desk: Desk) -> None:
    """I4: every own buy stands below every own sell; and what is reserved is what is out."""
    state = desk.state
    reserved = {
        (book_id, side, price, key)
        for book_id, book in state.gate.books.items()
        for side, half in ((Side.BUY, book.buys), (Side.SELL, book.sells))
        for price, queue in ((None, half.unpriced), *half.queues.items())
        for key in queue
    }
    out = {
        (one.book_id, one.order.side, one.order.limit_price, key)
        for key, one in state.attempts.items()
        if not one.is_final
    }
    others = {
        (desk.rules.catalogue[one.instrument_id].book_id, one.side, one.price, name)
        for seat in state.seats.values()
        for key, one in seat.external.orders.items()
        for name in [external.gate_key(seat.account_id, key)]
    }
    assert reserved == out | others
    for book_id in state.gate.books:
        ours = [(side, price) for one, side, price, _ in out if one == book_id]
        buys = [2**60 if price is None else price for side, price in ours if side is Side.BUY]
        sells = [-1 if price is None else price for side, price in ours if side is Side.SELL]
        assert not buys or not sells or max(buys) < min(sells), book_id


def _prove_alarms(desk: Desk) -> None:
    """I2: whatever is not done has an alarm, or waits for something that has one."""
    state = desk.state
    assert sorted(state.alarm_times) == sorted(state.alarms_at)
    exact = {(due_ns, *one) for due_ns, alarms in state.alarms_at.items() for one in alarms}
    pending = {(kind, key) for _, kind, key in exact}
    for key, attempt in state.attempts.items():
        is_waiting = attempt.phase not in (Phase.PLANNED, Phase.FINAL)
        if is_waiting or (attempt.missing and key in state.seats[attempt.slot_id].open):
            assert (attempt.look_at_ns, "attempt", key) in exact, key
    for parent_id in state.working:
        parent = state.parents[parent_id]
        out = [
            one
            for one in (state.attempts[key] for key in parent.attempts)
            if one.phase not in (Phase.PLANNED, Phase.FINAL) or one.missing
        ]
        # While it is lowered, what waits does so for attempts, which have theirs.
        retries = parent.pieces and parent.replacement is None
        waits = parent.planned or retries or parent.phase is ParentPhase.CLEARING
        assert parent.replacement is None or out or waits, parent_id
        assert not waits or ("parent", parent_id) in pending, parent_id
        assert waits or out, f"{parent_id} waits for nothing"
    for both_id, both in state.boths.items():
        if both.phase is BothPhase.QUOTING:
            assert ("both", both_id) in pending, both_id
        parts = [one for one in (both.buy_id, both.sell_id) if one is not None]
        if both.phase is not BothPhase.DONE:
            assert parts, both_id
        assert all(one in state.working for one in parts), both_id
    for pair_id, pair in state.pairs.items():
        if pair.phase not in (PairPhase.DONE, PairPhase.HALTED):
            open_legs = [one for one in pair.legs if one in state.working]
            assert open_legs, pair_id
            is_ending = all(state.parents[one].cancel_wanted for one in open_legs)
            assert is_ending or ("pair", pair_id) in pending, pair_id
    _prove_algos(desk, pending)
    _prove_strategies(desk, pending)
    if state.pool.phase in (PoolPhase.CONFIGURING, PoolPhase.LOGGING_IN):
        assert ("set_up", "") in pending


def _prove_algos(desk: Desk, pending: set[tuple[str, str]]) -> None:
    state = desk.state
    for algo_id in state.running:
        algo = state.algos[algo_id]
        if algo.phase is AlgoPhase.ENDING:
            assert algo.open or ("algo", algo_id) in pending, algo_id
        elif algo.phase is AlgoPhase.WORKING and algo.wake_market_ns is not None:
            assert ("algo", algo_id) in pending, algo_id


def _prove_strategies(desk: Desk, pending: set[tuple[str, str]]) -> None:
    """Whoever wants and may trade has an order out or an alarm; nets and assignments agree."""
    roster = desk.state.strategies
    for key, one in roster.assigned.items():
        assert all(key in roster.nets[net_id].members for net_id in one.nets), key
        for order_id in one.orders:
            assert order_id in desk.state.working or order_id in desk.state.running, order_id
    for net_id, net in roster.nets.items():
        lacks = [key for key, member in net.members.items() if member.lacking]
        for key in net.members:
            assert net_id in roster.assigned[key].nets, (net_id, key)
        if net.parent_id is not None:
            assert net.parent_id in desk.state.working, net_id
        elif not net.is_dust and any(not roster.assigned[key].orders for key in lacks):
            assert ("net", net_id) in pending, net_id


def _prove_seats(desk: Desk) -> None:
    state = desk.state
    for seat in state.seats.values():
        for key in seat.open:
            attempt = state.attempts[key]
            assert attempt.slot_id == seat.slot_id
            assert not attempt.is_final or attempt.missing, key
        if seat.holder is not None:
            assert state.workers[seat.holder].slot_id == seat.slot_id
        else:
            assert seat.leaving_since_ns is None, seat.slot_id
    for key, attempt in state.attempts.items():
        if not attempt.is_final:
            assert key in state.seats[attempt.slot_id].open, key
    for worker in state.workers.values():
        if worker.slot_id is not None:
            assert state.seats[worker.slot_id].holder == worker.incarnation
        if worker.unwanted:
            assert worker.machine is not None, worker.name
            assert worker.slot_id is not None, worker.name
            assert state.seats[worker.slot_id].leaving_since_ns is not None, worker.name
