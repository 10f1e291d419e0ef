"""Mechanisms taken out one by one: the search must see each of them missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from tandem.core.trading import attempts, lease, parting, pool, settling
from tandem.core.trading.state import Ending, Phase, Seat
from tandem.core.trading.turn import Turn
from tandem.domain.order import FenceClass
from tandem.sim.model import acts


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """A bug: what is put in the place of what, and the class in which it must be seen."""

    name: str
    fence_class: FenceClass
    places: tuple[tuple[Any, str, Any], ...] = ()
    margin_ns: int = lease.MARGIN_NS
    pauses: int = 0
    losses: int = 1
    delays: int = 0
    restarts: int = 0


@contextmanager
def planted(bug: Planted) -> Iterator[None]:
    """Let the bug be there for a while."""
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in bug.places]
    for owner, name, other in bug.places:
        setattr(owner, name, other)
    try:
        yield
    finally:
        for owner, name, former in before:
            setattr(owner, name, former)


def _grants_at_silence(turn: Turn, incarnation: Any) -> None:
    worker = turn.worker(incarnation)
    if worker is not None and worker.slot_id is not None:
        worker.up = False
        parting.vacate(turn, turn.state.seats[worker.slot_id], "it is silent")
        pool.fill_seats(turn)


def _believes_any_absence(turn: Turn, attempt: Any) -> None:
    attempts.finish(turn, attempt, Ending.ABSENT, 0)


def _never_sent_at_all(attempt: Any, _incarnation: Any) -> bool:
    return attempt.phase in (Phase.RELEASED, Phase.UNKNOWN)


def _expired_already(_turn: Turn, _seat: Seat) -> int:
    return 0


def _absent_now(_turn: Turn, _attempt: Any, _seat: Seat) -> int:
    return -(10**12)


def _renews_at_receipt(self: lease.Lease, account_id: Any, epoch: int, *, sent_at_ns: int) -> None:
    if account_id == self.account_id and epoch == self.epoch and self.ends_at_ns is not None:
        self.ends_at_ns = max(self.ends_at_ns, sent_at_ns + 2 * self.lease_ns)


def _never_late(_pool: Any, _order: Any) -> bool:
    return False


def _takes_back(turn: Turn, seat: Seat, _why: str) -> None:
    """The release to a lost worker counts as gone."""
    for attempt in turn.attempts_on(seat.slot_id):
        attempts.finish(turn, attempt, Ending.NOT_SENT, 0)


_A, _B, _C = FenceClass.EXPIRES, FenceClass.UNIQUE, FenceClass.NEITHER
BUGS: Final = (
    Planted(name="the margin of a lease is nothing", fence_class=_B, margin_ns=0),
    Planted(
        name="the account is granted at silence",
        fence_class=_C,
        places=((pool, "on_silent", _grants_at_silence),),
    ),
    Planted(
        name="a lease is longer than what was acknowledged",
        fence_class=_B,
        places=((lease.Lease, "on_acknowledged", _renews_at_receipt),),
    ),
    Planted(
        name="requests do not expire at the venue",
        losses=0,
        delays=1,
        fence_class=_A,
        places=((acts, "is_late", _never_late),),
    ),
    Planted(
        name="one absence proves it, in class C as well",
        losses=0,
        delays=1,
        fence_class=_C,
        places=((settling, "_not_found", _believes_any_absence),),
    ),
    Planted(
        # Each masks the other: a question on the session that sent comes behind what was sent.
        name="neither a takeover nor an absence waits for the expiry",
        fence_class=_A,
        places=(
            (settling, "_left_ns", _absent_now),
            (parting, "_until_expired_ns", _expired_already),
        ),
        pauses=1,
        losses=0,
        delays=1,
    ),
    Planted(
        name="any run that does not know it proves that it was not sent",
        fence_class=_A,
        places=((attempts, "never_sent_by", _never_sent_at_all),),
    ),
    Planted(
        name="what a lost worker was handed counts as not sent",
        fence_class=_A,
        places=((attempts, "lose_worker", _takes_back),),
    ),
)
