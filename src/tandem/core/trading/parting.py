"""Taking an account from a worker (docs/protocol.md, "Death, silence and leases").

A worker on this computer is killed, and its seat is free when the kernel says that it is gone. One
on another computer cannot be killed, and its silence proves nothing. Its seat becomes free when

- it says that it gave the account back, or says hello without holding it, or
- (class A) everything that was handed to it has expired: only the coordinator releases, so after
  that it can do no more harm, or
- (classes B and C) its lease has surely lapsed, which the shell watches and tells.

Until then the seat is `leaving`: nothing new is released to it. When the worker is heard of again
before, and nothing but its silence was held against it, it simply goes on.
"""

from tandem.core.trading import attempts
from tandem.core.trading.lease import LEASE_NS
from tandem.core.trading.state import Phase, Seat, Worker
from tandem.core.trading.turn import Alarm, Rules, Turn
from tandem.domain.desk import Kill
from tandem.domain.ids import SlotId
from tandem.domain.link import Revoke
from tandem.domain.order import FenceClass

ABSENT_MAX = 100


def part_with(turn: Turn, worker: Worker) -> None:
    """End this worker's right for good, as fast as it can be proved to have ended."""
    if worker.machine is None:
        worker.killing = True
        turn.out.append(Kill(incarnation=worker.incarnation))
        return
    if worker.slot_id is not None:
        worker.unwanted = True
        seat = turn.state.seats[worker.slot_id]
        turn.send(worker, Revoke(account_id=seat.account_id))
        begin_leaving(turn, seat)


def on_silent_elsewhere(turn: Turn, worker: Worker) -> None:
    """A worker on another computer is silent: it may live, so its account is not free yet."""
    worker.up = False
    if worker.slot_id is not None:
        begin_leaving(turn, turn.state.seats[worker.slot_id])
    _forget_absent(turn)


def begin_leaving(turn: Turn, seat: Seat) -> None:
    """Release nothing more to this seat, and look when it will be free."""
    if seat.leaving_since_ns is None:
        seat.leaving_since_ns = turn.now_ns
        turn.count("takeovers_needed")
    if _ends_by_expiry(turn, seat):
        turn.wait(Alarm.LEAVING, seat.slot_id, after_ns=_until_expired_ns(turn, seat))


def stay(turn: Turn, seat: Seat) -> None:
    """Its worker is heard of again in time."""
    if seat.leaving_since_ns is not None:
        seat.leaving_since_ns = None
        turn.count("takeovers_averted")


def lease_ns_of(rules: Rules, seat: Seat, worker: Worker) -> int | None:
    """Return for how long at a time this worker may have the account; None for without end.

    Here its right ends with its process; and where requests expire, with them.
    """
    expires = rules.slots[seat.slot_id].fence_class is FenceClass.EXPIRES
    return None if worker.machine is None or expires else LEASE_NS


def _ends_by_expiry(turn: Turn, seat: Seat) -> bool:
    """Whether time alone ends this holder's right: here only its death or its own word does."""
    assert seat.holder is not None, f"{seat.slot_id} has no holder"
    worker = turn.state.workers[seat.holder]
    return worker.machine is not None and lease_ns_of(turn.rules, seat, worker) is None


def _until_expired_ns(turn: Turn, seat: Seat) -> int:
    """Return how long until nothing that this seat's worker was handed can be taken any more."""
    assert seat.leaving_since_ns is not None, f"{seat.slot_id} is not being left"
    venue, venue_ns = turn.venue(seat), turn.venue_ns(seat.venue_id)
    out = [one for one in turn.attempts_on(seat.slot_id) if _may_be_under_way(one.phase)]
    if not out:
        return 0
    if venue_ns is None:  # by our own clock: nothing was released since
        return seat.leaving_since_ns + venue.validity_ns + 2 * venue.skew_ns - turn.now_ns
    return max(one.expires_at_ns for one in out) + venue.skew_ns - venue_ns


def _may_be_under_way(phase: Phase) -> bool:
    return phase in (Phase.RELEASED, Phase.UNKNOWN)


def on_alarm(turn: Turn, slot_id: SlotId) -> bool:
    """Return whether the seat has become free: everything has expired (class A)."""
    seat = turn.state.seats[slot_id]
    if not _ends_by_expiry(turn, seat):
        return False
    left_ns = _until_expired_ns(turn, seat)
    if left_ns > 0:
        turn.wait(Alarm.LEAVING, slot_id, after_ns=left_ns)
        return False
    vacate(turn, seat, "its worker is silent")
    return True


def vacate(turn: Turn, seat: Seat, why: str) -> None:
    """The holder's right has ended, and so nobody has the account."""
    assert seat.holder is not None, f"{seat.slot_id} has no holder"
    workers = turn.state.workers
    worker = workers.pop(seat.holder)
    workers[worker.incarnation] = worker  # behind all who wait for a seat
    empty(turn, worker, seat)
    attempts.lose_worker(turn, seat, why)


def empty(turn: Turn, worker: Worker, seat: Seat) -> None:
    """Nobody fills the seat now, and nothing is held against its former holder."""
    if seat.active:
        since_ns = seat.leaving_since_ns
        seat.vacant_since_ns = turn.now_ns if since_ns is None else since_ns
    worker.slot_id = None
    worker.unwanted = False
    seat.holder = None
    seat.ready = False
    seat.leaving_since_ns = None
    seat.unready_since_ns = None


def _forget_absent(turn: Turn) -> None:
    """Of the absent that hold nothing only so many are remembered."""
    absent = [
        one.incarnation
        for one in turn.state.workers.values()
        if one.machine is not None and not one.up and one.slot_id is None
    ]
    for incarnation in absent[:-ABSENT_MAX]:
        del turn.state.workers[incarnation]
