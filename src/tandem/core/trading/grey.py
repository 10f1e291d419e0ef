"""Grey workers: they answer us, but not for their venue (docs/protocol.md, "Grey worker").

Such a worker is replaced, unless it is the venue that is away: then all of its workers look grey,
and killing them would help nobody. That the venue lives is known from another worker's answers or
readiness; without either, the wait is five times as long.
"""

from tandem.core.trading import latencies, parting
from tandem.core.trading.state import Seat, Worker
from tandem.core.trading.turn import Alarm, Turn
from tandem.domain.ids import SlotId

PATIENCE = 5


def now_unready(turn: Turn, seat: Seat) -> None:
    """The seat's account cannot trade at its holder, from now on or still."""
    seat.ready = False
    if seat.holder is not None and seat.unready_since_ns is None:
        seat.unready_since_ns = turn.now_ns
        turn.wait(Alarm.SEAT, seat.slot_id, after_ns=turn.rules.timings.grey_ns)


def now_ready(turn: Turn, seat: Seat) -> None:
    """The seat's account can trade."""
    seat.ready = True
    seat.unready_since_ns = None
    if seat.vacant_since_ns is not None:
        latencies.add(turn.state.latencies.taken_over, turn.now_ns - seat.vacant_since_ns)
        seat.vacant_since_ns = None


def on_alarm(turn: Turn, slot_id: SlotId) -> None:
    """A seat was not ready some time ago; replace its worker if it has not been since."""
    seat = turn.state.seats[slot_id]
    since_ns = seat.unready_since_ns
    if since_ns is None:
        return
    worker = turn.holder(seat)
    if worker is not None and not _is_going(worker):
        others = [one for one in turn.state.seats.values() if one.venue_id == seat.venue_id]
        venue_lives = any(one.ready for one in others)
        _replace_if_grey(turn, worker, since_ns, venue_lives=venue_lives)
    turn.wait(Alarm.SEAT, slot_id, after_ns=turn.rules.timings.grey_ns)


def unanswered(turn: Turn, seat: Seat, worker: Worker) -> None:
    """A question to the venue went without an answer for its time."""
    if worker.unanswered_since_ns is None:
        worker.unanswered_since_ns = turn.now_ns
        return
    since_ns = worker.unanswered_since_ns
    venue_lives = turn.clock(seat.venue_id).answered_at_ns > since_ns
    if not _is_going(worker):
        _replace_if_grey(turn, worker, since_ns, venue_lives=venue_lives)


def _is_going(worker: Worker) -> bool:
    return worker.killing or worker.unwanted


def _replace_if_grey(turn: Turn, worker: Worker, since_ns: int, *, venue_lives: bool) -> None:
    patience = 1 if venue_lives else PATIENCE
    if turn.now_ns - since_ns >= patience * turn.rules.timings.grey_ns:
        turn.count("grey_workers")
        parting.part_with(turn, worker)


def heard_from_venue(turn: Turn, seat: Seat, worker: Worker) -> None:
    """The venue answered this worker."""
    worker.unanswered_since_ns = None
    turn.clock(seat.venue_id).answered_at_ns = turn.now_ns
