"""What a seat's holder is told of its account: the grant, and the limits that a person set.

A worker judges by the bundle's limits. What was set since follows every grant, and every hello of
the holder, on the same connection and so before any release; until it is confirmed the seat is not
ready. Nothing is said while nothing was ever set.
"""

from tandem.core.trading import account_gate, parting
from tandem.core.trading.state import Seat, Worker
from tandem.core.trading.turn import Turn
from tandem.domain.limits import LimitChanges, merged
from tandem.domain.link import Grant, Limit, Limited


def grant(turn: Turn, worker: Worker, seat: Seat) -> None:
    """Give the seat's account to the worker."""
    turn.send(
        worker,
        Grant(
            account_id=seat.account_id,
            account_epoch=seat.epoch,
            venue_id=seat.venue_id,
            lease_ns=parting.lease_ns_of(turn.rules, seat, worker),
            desk_id=turn.rules.settings.desk_id,
        ),
    )
    say_limits(turn, worker, seat)


def say_limits(turn: Turn, worker: Worker, seat: Seat) -> None:
    """Say what a person set, if anything ever was; it counts once it is confirmed."""
    if not seat.limits_number:
        return
    book = turn.state.limits
    scope = book.accounts.get(seat.account_id)
    changes = book.desk.changes
    if scope is not None:
        changes = merged(changes, above=scope.changes)
    if turn.state.halted:
        # What the worker has of its own would be replaced, so all of it is said.
        restricted = account_gate.limits_of(turn.state, turn.rules, seat).restricted
        changes = merged(changes, above=LimitChanges(restricted=restricted))
    seat.limits_confirmed = 0
    turn.send(
        worker,
        Limit(
            account_id=seat.account_id,
            account_epoch=seat.epoch,
            number=seat.limits_number,
            changes=changes,
            reduces=scope is not None and bool(scope.reasons),
        ),
    )


def say_anew(turn: Turn, seat: Seat) -> None:
    """Something was set, so say it to whoever holds the account."""
    seat.limits_number += 1
    worker = turn.holder(seat)
    if worker is not None:
        say_limits(turn, worker, seat)


def on_limited(turn: Turn, worker: Worker, told: Limited) -> None:
    """The holder judges by these limits: what waited for that may go."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is None or (told.account_id, told.account_epoch) != (seat.account_id, seat.epoch):
        turn.count("old_epochs_dropped")
        return
    if told.number != seat.limits_number:
        return  # of earlier words; the answer to the last is still to come
    seat.limits_confirmed = told.number
    for key in turn.state.working:
        turn.touch(key)
