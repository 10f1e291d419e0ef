"""What the parts of a small pool do to one another: effects performed, words delivered.

What the shells do is done here in their way (`shells.coordinator`, `shells.worker`): connections
and their numbers, heartbeats and leases, alarms for silence, acknowledgements.
"""

from decimal import Decimal
from typing import Any

import msgspec

from tandem.core.trading.state import PoolPhase
from tandem.domain import link, venue
from tandem.domain.commands import Asked, PlaceParent
from tandem.domain.desk import (
    Commanded,
    DeskEvent,
    FromWorker,
    Joined,
    QuotesSeen,
    Restarted,
    ToWorker,
)
from tandem.domain.ids import AskerId, CommandId, ExecutionId, Lots, Ticks, VenueOrderId
from tandem.domain.order import FenceClass, Order, OrderStatus, Side
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import Accepted, Filled, RejectCode, Rejected
from tandem.domain.worker import Hangup, Say, ToVenue, WorkerEffect
from tandem.sim.model.parts import (
    ACCOUNT,
    ALARM_NS,
    GRACE_NS,
    INSTRUMENT,
    OFFSET_NS,
    QUANTITY,
    READ_WRONG_NS,
    SLOT,
    SLOWER_NS,
    VENUE,
    Line,
    Pool,
    Taken,
)

PRICE = Ticks(1_000)
NOBODY = AskerId(1)


# -- the coordinator


def feed(pool: Pool, event: DeskEvent, *, is_performed: bool = True) -> None:
    """Let the desk decide; when it ends right behind the record, nothing is performed."""
    effects = pool.desk.on(event, pool.now)
    if not is_performed:
        return
    for effect in effects:
        if not isinstance(effect, ToWorker) or isinstance(effect.message, link.Audit):
            continue
        which = _which(effect.incarnation)
        if isinstance(effect.message, link.Grant):
            _granted(pool, which, effect.message)
        if pool.links[which] == effect.connection:
            say_to_worker(pool, which, effect.message)


def _which(incarnation: str) -> int:
    return int(incarnation[1:])


def _granted(pool: Pool, which: int, grant: link.Grant) -> None:
    incarnation = pool.workers[which].incarnation
    if grant.lease_ns is not None:
        pool.book.on_grant(grant.account_id, grant.account_epoch, incarnation, now_ns=pool.now_ns)
        other = pool.workers[1 - which]
        if other.lease.outlives(pool.worker_now(1 - which).now_ns):
            pool.complain(f"granted to {incarnation} while the other has the right")


def say_to_worker(pool: Pool, which: int, message: link.CoordinatorMessage) -> None:
    """Send on the connection that the coordinator knows; its frames carry its epoch."""
    if pool.wires[which] and pool.links[which] == pool.workers[which].connection:
        pool.line(which, Line.OUT).append((pool.desk.state.epoch, message))


def hear_worker(
    pool: Pool, which: int, message: link.WorkerMessage, *, is_performed: bool = True
) -> None:
    """Take a word of a worker, as the coordinator's shell does."""
    incarnation = pool.workers[which].incarnation
    if isinstance(message, link.Hello):
        known = pool.links[which]
        if known is not None and known >= message.connection:
            return
        pool.links[which] = message.connection
        heard_of(pool, which)
        event = Joined(hello=message, pid=0, started=0, machine=f"of-{incarnation}")
        feed(pool, event, is_performed=is_performed)
        return
    connection = pool.links[which]
    if connection is None:
        return
    heard_of(pool, which)
    if isinstance(message, link.Heartbeat):
        say_to_worker(pool, which, acknowledgement(pool, which, number=message.number))
        return
    event_of = FromWorker(incarnation=incarnation, connection=connection, message=message)
    feed(pool, event_of, is_performed=is_performed)
    if isinstance(message, link.Reported) and is_performed:
        say_to_worker(pool, which, link.Acknowledge(report_id=message.report_id))


def heard_of(pool: Pool, which: int) -> None:
    """Any word shows that the worker is not silent."""
    deadline_ns = pool.now_ns + ALARM_NS
    known = pool.deadlines[which]
    pool.deadlines[which] = deadline_ns if known is None else max(known, deadline_ns)


def acknowledgement(pool: Pool, which: int, *, number: int) -> link.BeatAcknowledged:
    """Renew what this heartbeat renews, and return the answer to it."""
    account_id, epoch = _renewed(pool, which)
    return link.BeatAcknowledged(
        number=number,
        account_id=ACCOUNT if account_id else None,
        account_epoch=epoch,
        at_ns=pool.now_ns,
    )


def _renewed(pool: Pool, which: int) -> tuple[bool, int]:
    incarnation = pool.workers[which].incarnation
    worker = pool.desk.state.workers.get(incarnation)
    if worker is None or worker.slot_id is None or worker.unwanted:
        return False, 0
    epoch = pool.desk.state.seats[worker.slot_id].epoch
    if not pool.book.on_heartbeat(ACCOUNT, epoch, incarnation, now_ns=pool.now_ns):
        return False, 0
    return True, epoch


def beat_at_once(pool: Pool, which: int) -> None:
    """A heartbeat and its acknowledgement, on a link where nothing is in the way."""
    worker = pool.workers[which]
    now = pool.worker_now(which)
    (said,) = worker.beat(now)
    assert isinstance(said, Say), "a heartbeat is said"
    assert isinstance(said.message, link.Heartbeat), "a heartbeat is said"
    heard_of(pool, which)
    answer = acknowledgement(pool, which, number=said.message.number)
    perform(pool, which, worker.on_coordinator(answer, pool.desk.state.epoch, now))


def hang_up(pool: Pool, which: int) -> None:
    """The coordinator gives a link up; what it wrote before may still be read there."""
    pool.links[which] = None
    pool.wires[which] = False
    pool.line(which, Line.IN).clear()


def break_wire(pool: Pool, which: int) -> None:
    """Nothing more goes over the worker's connection; what was on its way is lost."""
    pool.wires[which] = False
    pool.line(which, Line.OUT).clear()
    pool.line(which, Line.IN).clear()


def restart(pool: Pool) -> None:
    """The coordinator ends, and comes back with what its journal holds."""
    for which in (0, 1):
        hang_up(pool, which)
        pool.deadlines[which] = pool.now_ns + GRACE_NS
    feed(pool, Restarted(settings=pool.fixed.settings))
    pool.book = type(pool.book)(margin_ns=pool.book.margin_ns)
    for account_id, epoch, holder in pool.desk.leased():
        pool.book.on_grant(account_id, epoch, holder, now_ns=pool.now_ns)


def order(pool: Pool) -> None:
    """A trader places the one order."""
    spec = ParentSpec(symbol="T", side=Side.BUY, quantity=Lots(QUANTITY), limit_price=PRICE)
    asked = Asked(command_id=CommandId("c1"), command=PlaceParent(spec=spec))
    feed(pool, Commanded(asker=NOBODY, asked=asked))


# -- a worker


def dial(pool: Pool, which: int) -> None:
    """A worker that lost its connection opens another one, and says hello."""
    worker = pool.workers[which]
    worker.on_disconnected()
    pool.line(which, Line.OUT).clear()
    pool.wires[which] = True
    perform(pool, which, worker.on_connected())


def hear_coordinator(
    pool: Pool, which: int, message: link.CoordinatorMessage, *, epoch: int
) -> None:
    """A worker takes a word of its coordinator."""
    worker = pool.workers[which]
    if which == 0 and isinstance(message, link.Grant) and message.lease_ns is not None:
        # Its clock is slower: what it takes for a lease is longer.
        message = msgspec.structs.replace(message, lease_ns=message.lease_ns + SLOWER_NS)
    perform(pool, which, worker.on_coordinator(message, epoch, pool.worker_now(which)))


def perform(pool: Pool, which: int, effects: list[WorkerEffect]) -> None:
    """Do what a worker wants done; login, balances and the venue's time are answered at once."""
    worker = pool.workers[which]
    for effect in list(effects):
        if isinstance(effect, Say):
            if pool.wires[which]:
                pool.line(which, Line.IN).append(effect.message)
        elif isinstance(effect, Hangup):
            pool.sessions[which] = False
            pool.line(which, Line.TELL).clear()
            perform(pool, which, worker.on_session_up(VENUE))
        else:
            _request(pool, which, effect)


def _request(pool: Pool, which: int, asked: ToVenue) -> None:
    worker, request = pool.workers[which], asked.request
    now = pool.worker_now(which)
    match request:
        case venue.Login():
            pool.sessions[which] = True
            told: venue.VenueMessage = venue.LoggedIn(
                venue_id=VENUE, account_id=ACCOUNT, venue_at_ns=0
            )
            perform(pool, which, worker.on_venue(VENUE, told, now))
            worker._refresh_at_ns = None
        case venue.AskTime():
            at_ns = pool.venue_ns + READ_WRONG_NS[which]
            told = venue.VenueTime(query_id=request.query_id, venue_at_ns=at_ns)
            perform(pool, which, worker.on_venue(VENUE, told, now))
        case venue.AskBalances():
            told = venue.Balances(query_id=0, cash={"USD": Decimal(10**6)}, positions={})
            perform(pool, which, worker.on_venue(VENUE, told, now))
        case _:
            if isinstance(request, venue.PlaceOrder):
                _judge_send(pool, which)
            pool.line(which, Line.ASK).append(request)


def _judge_send(pool: Pool, which: int) -> None:
    """No order is written under an older epoch once a newer grant was performed."""
    if pool.fixed.fence_class is FenceClass.EXPIRES:
        return
    held = pool.book.held.get(ACCOUNT)
    worker = pool.workers[which]
    if held is not None and held.epoch > worker.account_epoch:
        pool.complain(f"{worker.name} sends under epoch {worker.account_epoch} of {held.epoch}")


# -- the venue


def hear_request(pool: Pool, which: int, request: venue.VenueRequest, *, sees: bool) -> None:
    """The venue takes a request; `sees` is whether its query knows what was just taken."""
    match request:
        case venue.PlaceOrder():
            _place(pool, which, request.order)
        case venue.QueryOrder():
            taken = pool.taken.get(request.client_order_id)
            answer: venue.VenueMessage
            if taken is None or not sees:
                answer = venue.OrderNotFound(
                    query_id=request.query_id, client_order_id=request.client_order_id
                )
            else:
                answer = venue.OrderFound(
                    query_id=request.query_id,
                    client_order_id=request.client_order_id,
                    status=OrderStatus.FILLED,
                    cum_quantity=Lots(taken.quantity),
                    fills=(_fill(taken),),
                )
            _tell(pool, which, answer)
        case _:
            raise AssertionError(f"nobody asks {request}")


def _place(pool: Pool, which: int, placed: Order) -> None:
    """Take an order, or refuse it as its class does."""
    fence_class, key = pool.fixed.fence_class, placed.client_order_id
    if fence_class is FenceClass.EXPIRES and is_late(pool, placed):
        _tell(pool, which, Rejected(client_order_id=key, code=RejectCode.EXPIRED_REQUEST))
        return
    known = pool.taken.get(key)
    if known is not None:
        if fence_class is FenceClass.UNIQUE:
            _tell(pool, which, Rejected(client_order_id=key, code=RejectCode.DUPLICATE_ID))
            return
        pool.complain(f"{key} was taken twice")
        known.times += 1
        return
    taken = pool.taken[key] = Taken(key, placed.quantity, pool.now_ns)
    if sum(one.quantity for one in pool.taken.values()) > QUANTITY:
        pool.complain(f"{key}: more was taken than ordered")
    attempt = pool.desk.state.attempts[key]
    if attempt.is_final:
        pool.complain(f"{key} was taken after it was settled as {attempt.ending}")
    for other in (0, 1):
        if pool.sessions[other]:
            _tell(pool, other, Accepted(client_order_id=key, venue_order_id=VenueOrderId("v")))
            _tell(pool, other, _fill(taken))


def is_late(pool: Pool, placed: Order) -> bool:
    """Whether an order has expired; one that never does is never late."""
    return placed.expires_at_ns is not None and placed.expires_at_ns < pool.venue_ns


def _fill(taken: Taken) -> Filled:
    return Filled(
        client_order_id=taken.order_id,
        execution_id=ExecutionId(f"{taken.order_id}/e"),
        quantity=Lots(taken.quantity),
        price=PRICE,
        fee=Decimal(0),
        venue_at_ns=0,
    )


def _tell(pool: Pool, which: int, message: venue.VenueMessage) -> None:
    if pool.sessions[which]:
        pool.line(which, Line.TELL).append(message)


def hear_venue(pool: Pool, which: int, message: venue.VenueMessage) -> None:
    """A worker takes a word of its venue."""
    worker = pool.workers[which]
    perform(pool, which, worker.on_venue(VENUE, message, pool.worker_now(which)))


# -- the beginning


def opened(pool: Pool, *, margin_ns: int) -> Pool:
    """Let a pool trade: the first worker holds the account, the second is the spare."""
    fixed = pool.fixed
    pool.book.margin_ns = margin_ns
    feed(pool, Restarted(settings=fixed.settings))
    pool.desk.state.pool.phase = PoolPhase.TRADING
    pool.desk.state.seats[SLOT].active = True
    quote = venue.Quote(instrument_id=INSTRUMENT.instrument_id, bid=PRICE, ask=PRICE, last=None)
    feed(pool, QuotesSeen(quotes=(quote,)))
    for which, worker in enumerate(pool.workers):
        worker._set_up = fixed.set_up
        worker._sent.track((INSTRUMENT,))
        worker.on_session_up(VENUE)
        worker._sent.on_quote(quote, pool.worker_now(which))
        dial(pool, which)
    while _deliver_all(pool):
        for which in (0, 1):
            if pool.workers[which].welcomed:
                beat_at_once(pool, which)
    assert pool.desk.state.seats[SLOT].ready, "the first worker trades"
    assert pool.desk.state.clocks[VENUE].offset_ns == OFFSET_NS + READ_WRONG_NS[0]
    return pool


def _deliver_all(pool: Pool) -> bool:
    moved = False
    for which in (0, 1):
        for message in _drained(pool.line(which, Line.IN)):
            hear_worker(pool, which, message)
            moved = True
        for epoch, word in _drained(pool.line(which, Line.OUT)):
            hear_coordinator(pool, which, word, epoch=epoch)
            moved = True
    return moved


def _drained(line: list[Any]) -> list[Any]:
    words, line[:] = list(line), []
    return words
