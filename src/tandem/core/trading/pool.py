"""Workers and the seats they fill: joining, set-up, grants, loss and death.

Why no seat has two traders: a local worker's right ends with its process, and the seat is given
to another only after the kernel said that the process is gone; how it ends on another computer is
in `parting`. Every grant raises the account's epoch, and words of older epochs are dropped on both
sides.
"""

from tandem.core.trading import (
    attempts,
    books,
    corporate,
    granting,
    grey,
    halts,
    parting,
    releasing,
    settling,
)
from tandem.core.trading.state import Phase, Pool, PoolPhase, Seat, VenueClock, Worker
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.commands import Answer, Asked, Done, RefusalReason, Refused, SetUpPool
from tandem.domain.desk import Joined, Kill, LeaseLapsed, Tell
from tandem.domain.ids import AskerId, Incarnation, SlotId
from tandem.domain.link import (
    BUNDLE_PART_BYTES,
    BundlePart,
    ClockRead,
    GaveBack,
    NotReady,
    Ready,
    Revoke,
)

DEAD_MAX = 1_000  # runs remembered, so that a late hello of one is known
BUNDLES_MAX = 3  # sent to one worker on one connection before it is given up
OFFSET_NS_MAX = 2**62
DRAIN_LOOK_NS = 20_000_000


def on_joined(turn: Turn, joined: Joined) -> None:
    """A worker said hello on a new connection; an older hello than the last is dropped."""
    hello = joined.hello
    worker = turn.worker(hello.incarnation)
    if hello.incarnation in turn.state.dead:
        turn.count("hellos_of_the_dead")
        return
    if worker is None:
        worker = turn.state.workers[hello.incarnation] = Worker(
            incarnation=hello.incarnation,
            name=hello.name,
            pid=joined.pid,
            started=joined.started,
            machine=joined.machine,
            connection=hello.connection,
        )
    elif hello.connection <= worker.connection or joined.machine != worker.machine:
        turn.count("hellos_dropped")
        return
    worker.connection = hello.connection
    worker.up = True
    worker.bundles_sent = 0
    worker.confirmed = hello.bundle_hash == turn.rules.bundle_hash
    _take_readiness(turn, worker, joined)
    releasing.welcome(turn, worker)
    if hello.seen_all:
        seen = {one.client_order_id: None for one in hello.seen}
        releasing.settle_unseen(turn, worker, seen)
    if worker.killing:
        turn.out.append(Kill(incarnation=worker.incarnation))
        return
    if not worker.confirmed and turn.state.pool.phase is not PoolPhase.NONE:
        send_bundle(turn, worker)
    if hello.halt_id is not None:
        halts.on_halted(turn, worker, hello.halt_id, f"{worker.name} was halted by hand")
    _count_set_up(turn)
    fill_seats(turn)
    if worker.slot_id is not None:
        settling.wake_slot(turn, turn.state.seats[worker.slot_id])


def _take_readiness(turn: Turn, worker: Worker, joined: Joined) -> None:
    if worker.slot_id is None:
        return
    hello = joined.hello
    seat = turn.state.seats[worker.slot_id]
    same = hello.account_id == seat.account_id and hello.account_epoch == seat.epoch
    if worker.unwanted and same:
        turn.send(worker, Revoke(account_id=seat.account_id))
        return
    if not same and (worker.unwanted or worker.draining):
        # It gave the account back and that was lost, or the grant was, and can reach it no more.
        _leave(turn, seat)
        return
    parting.stay(turn, seat)
    if hello.ready and same and seat.opened and worker.confirmed:
        grey.now_ready(turn, seat)
    else:
        grey.now_unready(turn, seat)
    if same:
        granting.say_limits(turn, worker, seat)
    else:
        # The grant was lost with the connection it was sent on.
        granting.grant(turn, worker, seat)


def on_lost(turn: Turn, incarnation: Incarnation, connection: int) -> None:
    """A connection ended: its worker may live, and dial again."""
    worker = turn.worker(incarnation)
    if worker is not None and worker.connection == connection:
        worker.up = False
        turn.count("connections_lost")


def on_died(turn: Turn, incarnation: Incarnation) -> None:
    """The kernel says that the process is gone: its seat may be filled at once."""
    worker = turn.worker(incarnation)
    if worker is None:
        return
    del turn.state.workers[incarnation]
    dead = turn.state.dead
    dead[incarnation] = None
    if len(dead) > DEAD_MAX:
        del dead[next(iter(dead))]
    turn.count("workers_died")
    if worker.slot_id is not None:
        seat = turn.state.seats[worker.slot_id]
        parting.empty(turn, worker, seat)
        attempts.lose_worker(turn, seat, "its worker died")
        turn.count("takeovers_needed")
    _count_set_up(turn)
    fill_seats(turn)


def on_silent(turn: Turn, incarnation: Incarnation) -> None:
    """A local worker that is silent beyond its alarm is killed, and then known to be dead."""
    worker = turn.worker(incarnation)
    if worker is None:
        return
    turn.count("workers_silent")
    if worker.machine is None:
        parting.part_with(turn, worker)
    else:
        parting.on_silent_elsewhere(turn, worker)


def on_leaving_alarm(turn: Turn, slot_id: SlotId) -> None:
    """Look whether a seat that is being left is free, or can be left now."""
    seat = turn.state.seats[slot_id]
    if seat.leaving_since_ns is None:
        return
    worker = turn.holder(seat)
    if worker is not None and worker.draining and not worker.unwanted:
        _drain(turn, worker, seat)
    elif parting.on_alarm(turn, slot_id):
        fill_seats(turn)


def on_lapsed(turn: Turn, lapsed: LeaseLapsed) -> None:
    """The lease of a holder on another computer is over, so the account is free."""
    for seat in turn.state.seats.values():
        if (seat.account_id, seat.epoch) != (lapsed.account_id, lapsed.account_epoch):
            continue
        if seat.holder is not None:
            worker = turn.state.workers[seat.holder]
            turn.count("leases_lapsed")
            turn.send(worker, Revoke(account_id=seat.account_id))
            _leave(turn, seat)


def on_gave_back(turn: Turn, worker: Worker, told: GaveBack) -> None:
    """The holder will send nothing more under this epoch: the account is free."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is None or (told.account_id, told.account_epoch) != (seat.account_id, seat.epoch):
        turn.count("old_epochs_dropped")
        return
    turn.count("accounts_given_back")
    _leave(turn, seat)


def _leave(turn: Turn, seat: Seat) -> None:
    parting.vacate(turn, seat, "its worker gave it up")
    _count_set_up(turn)
    fill_seats(turn)


def drain(turn: Turn, worker: Worker) -> None:
    """Give this worker no other account, and hand the present one over when a spare can take it."""
    worker.draining = True
    _hand_over(turn)


def _hand_over(turn: Turn) -> None:
    """Let draining holders leave, one for each waiting worker that no other seat will need."""
    seats = turn.state.seats.values()
    idle = sum(1 for one in _usable(turn) if one.slot_id is None)
    idle -= sum(1 for one in seats if one.leaving_since_ns is not None)
    for seat in seats:
        worker = turn.holder(seat)
        if worker is not None and worker.draining and seat.leaving_since_ns is None:
            if idle <= 0:
                return
            idle -= 1
            seat.leaving_since_ns = turn.now_ns
            _drain(turn, worker, seat)


def _drain(turn: Turn, worker: Worker, seat: Seat) -> None:
    """Revoke the account once nothing is on its way to the venue; no release is made meanwhile."""
    if any(one.phase is Phase.RELEASED for one in turn.attempts_on(seat.slot_id)):
        turn.wait(Alarm.LEAVING, seat.slot_id, after_ns=DRAIN_LOOK_NS)
    else:
        turn.send(worker, Revoke(account_id=seat.account_id))


def fill_seats(turn: Turn) -> None:
    """Grant every empty active seat to a confirmed, idle worker, in the order they joined."""
    _grow(turn)
    for seat in turn.state.seats.values():
        if not seat.active or seat.holder is not None:
            continue
        worker = _idle(turn)
        if worker is None:
            break
        if seat.epoch:
            turn.count("takeovers")
        seat.epoch += 1
        seat.holder = worker.incarnation
        grey.now_unready(turn, seat)
        worker.slot_id = seat.slot_id
        worker.unanswered_since_ns = None
        granting.grant(turn, worker, seat)
    _hand_over(turn)


def _grow(turn: Turn) -> None:
    """More workers than there ever were since the set-up: more seats trade, in twos."""
    pool, usable = turn.state.pool, len(_usable(turn))
    if pool.phase is PoolPhase.TRADING and usable > pool.most_usable:
        pool.most_usable = usable
        size = min(usable, len(turn.state.seats))
        for seat in list(turn.state.seats.values())[: size - size % 2]:
            seat.active = True


def _idle(turn: Turn) -> Worker | None:
    return next((one for one in _usable(turn) if one.slot_id is None), None)


def on_ready(turn: Turn, worker: Worker, told: Ready) -> None:
    """The account's venue session is up at its holder."""
    seat = _seat_of(turn, worker, told)
    if seat is None:
        return
    grey.now_ready(turn, seat)
    worker.unanswered_since_ns = None
    if not seat.opened:
        seat.opened = True
        books.open_account(turn, seat, told.balances)
        corporate.open_account(turn, seat, told.balances)
    else:
        corporate.take(turn, seat, told.balances)
    _count_set_up(turn)
    _touch_waiting(turn)
    settling.wake_slot(turn, seat)


def _touch_waiting(turn: Turn) -> None:
    """Somebody became ready: parents that waited for that may go on."""
    for key in turn.state.working:
        parent = turn.state.parents[key]
        if parent.planned or parent.pieces:
            turn.touch(key)


def on_not_ready(turn: Turn, worker: Worker, told: NotReady) -> None:
    """The account cannot trade at its holder for now."""
    seat = _seat_of(turn, worker, told)
    if seat is not None:
        grey.now_unready(turn, seat)
        turn.count("not_ready")


def _seat_of(turn: Turn, worker: Worker, told: Ready | NotReady) -> Seat | None:
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is None or (told.account_id, told.account_epoch) != (seat.account_id, seat.epoch):
        turn.count("old_epochs_dropped")
        return None
    return seat if worker.confirmed else None


def on_clock(turn: Turn, read: ClockRead) -> None:
    """A reading of a venue's clock; one that is too far from the last stops new orders there."""
    clock = turn.state.clocks.get(read.venue_id)
    if clock is None:
        return
    skew_ns = turn.rules.venues[read.venue_id].skew_ns
    if read.uncertainty_ns > skew_ns // 2 or abs(read.offset_ns) > OFFSET_NS_MAX:
        turn.count("clock_readings_vague")
        return
    was_told = turn.venue_ns(read.venue_id) is not None
    if clock.offset_ns is not None:
        apart_ns = abs(read.offset_ns - clock.offset_ns)
        clock.trusted = apart_ns <= skew_ns
        if apart_ns > skew_ns:
            turn.count("venue_clock_jumped")
        elif apart_ns > skew_ns // 2:
            turn.count("venue_clock_warned")
    clock.offset_ns = read.offset_ns
    if clock.trusted and not was_told:
        _touch_waiting(turn)


# -- set-up: configure, confirm, make even, grant, log in, start


def set_up(turn: Turn, asker: AskerId, asked: Asked, digest: bytes) -> Answer | None:
    """Begin to set the pool up; None while the answer is still to come."""
    command = asked.command
    assert isinstance(command, SetUpPool), f"{type(command).__name__} sets nothing up"
    places = len(turn.state.seats)
    if min(command.workers, places) < 2:
        text = f"{command.workers} workers for {places} slots: a pool needs at least 2 of both"
        return Refused(reason=RefusalReason.BAD_ORDER, text=text)
    running = turn.state.pool
    if is_setting_up(turn) and (running.command_id, running.digest) == (asked.command_id, digest):
        running.asker = asker  # the same question again: the answer is still to come
        return None
    timings = turn.rules.timings
    turn.state.pool = Pool(
        phase=PoolPhase.CONFIGURING,
        wanted=command.workers,
        command_id=asked.command_id,
        digest=digest,
        asker=asker,
        deadline_ns=turn.now_ns + timings.set_up_ns,
    )
    for worker in turn.state.workers.values():
        if worker.up and not worker.confirmed:
            send_bundle(turn, worker)
    turn.wait(Alarm.SET_UP, "", after_ns=timings.set_up_ns)
    _count_set_up(turn)
    return None


def send_bundle(turn: Turn, worker: Worker) -> None:
    """Send strategies, catalogue and limits, in parts that leave room for orders between them."""
    assert turn.state.settings is not None
    bundle = turn.state.settings.bundle
    worker.bundles_sent += 1
    count = max(1, -(-len(bundle) // BUNDLE_PART_BYTES))
    for index in range(count):
        part = bundle[index * BUNDLE_PART_BYTES : (index + 1) * BUNDLE_PART_BYTES]
        turn.send(worker, BundlePart(index=index, count=count, content=part))


def on_configured(turn: Turn, worker: Worker, bundle_hash: str) -> None:
    """A worker confirms what it received; another hash is no confirmation."""
    if bundle_hash != turn.rules.bundle_hash:
        turn.count("bundles_garbled")
        if worker.bundles_sent < BUNDLES_MAX:
            send_bundle(turn, worker)
        return
    worker.confirmed = True
    _count_set_up(turn)
    fill_seats(turn)


def _count_set_up(turn: Turn) -> None:
    """See whether the set-up can go on; the pool is even, the odd worker is the spare."""
    pool = turn.state.pool
    if pool.phase is PoolPhase.CONFIGURING and len(_usable(turn)) >= pool.wanted:
        _log_in(turn, pool.wanted)
    if pool.phase is PoolPhase.LOGGING_IN:
        active = [one for one in turn.state.seats.values() if one.active]
        if all(one.ready for one in active):
            _start(turn, pool, active)


def _usable(turn: Turn) -> list[Worker]:
    workers = turn.state.workers.values()
    return [
        one
        for one in workers
        if one.confirmed and one.up and not one.killing and not one.draining and not one.unwanted
    ]


def _log_in(turn: Turn, configured: int) -> None:
    """Hand the accounts to an even number of workers."""
    pool = turn.state.pool
    pool.phase = PoolPhase.LOGGING_IN
    pool.configured = configured
    pool.deadline_ns = turn.now_ns + turn.rules.timings.set_up_ns
    turn.wait(Alarm.SET_UP, "", after_ns=turn.rules.timings.set_up_ns)
    size = min(configured - configured % 2, len(turn.state.seats))
    size -= size % 2
    for place, seat in enumerate(turn.state.seats.values()):
        seat.active = place < size or bool(seat.open)
        if not seat.active and seat.holder is not None:
            _revoke(turn, seat)
    fill_seats(turn)


def _revoke(turn: Turn, seat: Seat) -> None:
    assert seat.holder is not None, f"{seat.slot_id} has no holder"
    worker = turn.state.workers[seat.holder]
    if worker.machine is not None:
        parting.part_with(turn, worker)  # it may hear of that late, and hold the account till then
        return
    turn.send(worker, Revoke(account_id=seat.account_id))
    parting.empty(turn, worker, seat)


def _start(turn: Turn, pool: Pool, active: list[Seat]) -> None:
    pool.phase = PoolPhase.TRADING
    pool.most_usable = len(_usable(turn))
    spares = pool.configured - len(active)
    text = f"{pool.configured} workers configured: {len(active)} trade, {spares} spare"
    _answer(turn, Done(text=text))


def _answer(turn: Turn, answer: Answer) -> None:
    pool = turn.state.pool
    assert pool.command_id is not None, "nobody asked for a pool"
    turn.remember(pool.command_id, pool.digest, answer)
    if pool.asker is not None:
        turn.tell(Tell(asker=pool.asker, command_id=pool.command_id, answer=answer))
        pool.asker = None


def is_setting_up(turn: Turn) -> bool:
    """Whether a set-up has begun and not ended."""
    return turn.state.pool.phase in (PoolPhase.CONFIGURING, PoolPhase.LOGGING_IN)


def on_set_up_alarm(turn: Turn) -> None:
    """The set-up's time is over: go on without the silent, swap those that cannot log in."""
    pool = turn.state.pool
    if turn.now_ns < pool.deadline_ns:
        return
    if pool.phase is PoolPhase.CONFIGURING:
        _go_on_without_silent(turn, pool)
    elif pool.phase is PoolPhase.LOGGING_IN:
        _swap_unready(turn, pool)


def _go_on_without_silent(turn: Turn, pool: Pool) -> None:
    usable = _usable(turn)
    for worker in turn.state.workers.values():
        if worker not in usable and not worker.killing:
            turn.count("set_up_swapped_out")
            parting.part_with(turn, worker)
    if len(usable) >= 2:
        _log_in(turn, min(len(usable), pool.wanted))
        return
    text = f"{len(usable)} of {pool.wanted} workers confirmed: a pool needs at least 2"
    _abort(turn, text)


def _abort(turn: Turn, text: str) -> None:
    """Not one order has left: end the set-up as a whole."""
    for seat in turn.state.seats.values():
        seat.active = bool(seat.open)
        if not seat.active and seat.holder is not None:
            _revoke(turn, seat)
    turn.count("set_ups_aborted")
    _answer(turn, Refused(reason=RefusalReason.NOT_SET_UP, text=text))
    turn.state.pool.phase = PoolPhase.NONE


def _swap_unready(turn: Turn, pool: Pool) -> None:
    """Kill the workers that could not log in; a spare takes the account when they are dead."""
    unready = [one for one in turn.state.seats.values() if one.active and not one.ready]
    swappable = [one for one in unready if one.holder is not None]
    if not swappable or pool.wanted <= 0:
        names = ", ".join(one.slot_id for one in unready)
        _abort(turn, f"no worker could log in for {names}")
        return
    pool.wanted -= len(swappable)
    pool.deadline_ns = turn.now_ns + turn.rules.timings.set_up_ns
    turn.wait(Alarm.SET_UP, "", after_ns=turn.rules.timings.set_up_ns)
    for seat in swappable:
        assert seat.holder is not None, f"{seat.slot_id} has no holder"
        worker = turn.state.workers[seat.holder]
        turn.count("set_up_swapped_out")
        parting.part_with(turn, worker)


def renew_leaving(turn: Turn, seat: Seat) -> None:
    """After a start: what was to end a holder's right begins anew, with time as it is now."""
    if seat.leaving_since_ns is not None:
        seat.leaving_since_ns = turn.now_ns
        parting.begin_leaving(turn, seat)


def new_clocks(turn: Turn) -> None:
    """After a start nothing is known of the venues' clocks: CLOCK_BOOTTIME may be another."""
    turn.state.clocks = {one: VenueClock() for one in turn.rules.venues}
