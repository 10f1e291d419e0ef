"""Planted bugs of "when nobody knows": proofs of absence, and what is believed too easily."""

from collections.abc import Callable
from typing import Any

import msgspec

from tandem.core.trading import attempts, releasing, settling
from tandem.core.trading.state import Attempt, Ending, Phase, Seat
from tandem.core.trading.turn import Turn
from tandem.core.trading.worker import Worker
from tandem.domain import link as words
from tandem.domain.desk import VenueSettings
from tandem.domain.instant import Instant
from tandem.domain.order import FenceClass
from tandem.domain.reports import RejectCode
from tandem.domain.venue import PlaceOrder
from tandem.sim.undoing import Undo, all_of, put


def asks_too_early() -> Undo:
    """Absence is believed before the request has expired."""
    release = releasing.release

    def early(turn: Turn, attempt: Attempt) -> None:
        release(turn, attempt)
        attempt.ask_at_ns = attempt.expires_at_ns - 1_000_000_000

    return put(releasing, "release", early)


def one_question() -> Undo:
    """Absence is believed after one answer."""
    not_found = settling._not_found

    def trusting(turn: Turn, attempt: Attempt) -> None:
        attempt.absences = 1
        not_found(turn, attempt)

    return put(settling, "_not_found", trusting)


def no_expiry() -> Undo:
    """Requests never expire at the venue."""
    hand_out = settling.hand_out

    def plain(turn: Turn, attempt: Attempt, seat: Seat, worker: Any) -> None:
        attempt.order = msgspec.structs.replace(attempt.order, expires_at_ns=1 << 62)
        hand_out(turn, attempt, seat, worker)

    return put(settling, "hand_out", plain)


def unknown_is_absent() -> Undo:
    """What is UNKNOWN is taken as never sent, and sent again as a new attempt."""
    become_unknown = attempts.become_unknown

    def sure(turn: Turn, attempt: Attempt, why: str) -> None:
        become_unknown(turn, attempt, why)
        if attempt.phase is Phase.UNKNOWN:
            attempts.finish(turn, attempt, Ending.ABSENT, 0)

    return put(attempts, "become_unknown", sure)


def no_questions() -> Undo:
    """Nobody asks the venue: what no report tells is never known."""
    return put(settling, "_ask", lambda _turn, _attempt, _seat, _worker: None)


def blind_resend() -> Undo:
    """Class A: what is UNKNOWN is sent again under the same id, instead of asking."""
    go_on = settling._go_on

    def blind(turn: Turn, attempt: Attempt, seat: Seat, worker: Any, venue: VenueSettings) -> None:
        if attempt.phase is Phase.UNKNOWN and attempt.order.expires_at_ns is not None:
            attempt.order = msgspec.structs.replace(attempt.order, expires_at_ns=1 << 62)
            settling._resend(turn, attempt, seat, worker, venue)
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
            return
        go_on(turn, attempt, seat, worker, venue)

    return put(settling, "_go_on", blind)


def refusal_of_resend_settles() -> Undo:
    """A refusal of a second send is believed, though the first may still arrive."""
    rejected = attempts._rejected

    def believe(turn: Turn, attempt: Attempt, report: Any) -> None:
        sends, attempt.sends = attempt.sends, min(attempt.sends, 1)
        rejected(turn, attempt, report)
        attempt.sends = sends

    return put(attempts, "_rejected", believe)


def any_refusal_proves() -> Undo:
    """Every refusal of a first send is believed, whether or not its code proves anything."""
    return put(attempts, "DEFINITE", frozenset(RejectCode))


def any_send_proves() -> Undo:
    """'I do not know it' is believed of an attempt that was handed out more than once."""

    def proves(attempt: Attempt, incarnation: Any) -> bool:
        return attempt.phase in (Phase.RELEASED, Phase.UNKNOWN) and incarnation in attempt.handed_to

    return put(attempts, "never_sent_by", proves)


def any_worker_proves() -> Undo:
    """'I do not know it' is believed of a worker that was never handed the attempt."""

    def proves(attempt: Attempt, _incarnation: Any) -> bool:
        return attempt.phase in (Phase.RELEASED, Phase.UNKNOWN) and attempt.sends == 1

    return put(attempts, "never_sent_by", proves)


def unknown_order_settles() -> Undo:
    """'Unknown order' in answer to a cancel is taken as proof of absence."""

    def settle(turn: Turn, attempt: Attempt, _report: Any) -> None:
        if not attempt.is_final:
            attempts.finish(turn, attempt, Ending.CANCELED, attempt.cum_quantity)

    return put(attempts, "_cancel_rejected", settle)


def cancels_not_repeated() -> Undo:
    """A cancel is sent once; one that was lost or overtook its order is gone."""
    look = settling.look

    def once(turn: Turn, attempt: Attempt) -> None:
        wanted, attempt.cancel_wanted = attempt.cancel_wanted, False
        look(turn, attempt)
        attempt.cancel_wanted = wanted

    undo = (put(settling, "look", once), put(attempts, "become_live", _live_without_cancel()))
    return all_of(*undo)


def _live_without_cancel() -> Callable[[Turn, Attempt], None]:
    become_live = attempts.become_live

    def live(turn: Turn, attempt: Attempt) -> None:
        wanted, attempt.cancel_wanted = attempt.cancel_wanted, False
        become_live(turn, attempt)
        attempt.cancel_wanted = wanted

    return live


def class_b_believes_absence() -> Undo:
    """Class B: two answers that the venue does not know it are believed, as if it had expired."""
    go_on = settling._go_on

    def ask(turn: Turn, attempt: Attempt, seat: Seat, worker: Any, venue: VenueSettings) -> None:
        if attempt.phase is Phase.UNKNOWN and _class_of(turn, attempt) is FenceClass.UNIQUE:
            settling._ask(turn, attempt, seat, worker)
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
            return
        go_on(turn, attempt, seat, worker, venue)

    return all_of(put(settling, "_go_on", ask), _absence_counts_in(FenceClass.UNIQUE))


def _class_of(turn: Turn, attempt: Attempt) -> FenceClass:
    return turn.rules.slots[attempt.slot_id].fence_class


def _absence_counts_in(fence_class: FenceClass) -> Undo:
    not_found = settling._not_found

    def believe(turn: Turn, attempt: Attempt) -> None:
        if attempt.phase is not Phase.UNKNOWN or _class_of(turn, attempt) is not fence_class:
            not_found(turn, attempt)
            return
        attempt.absences += 1
        if attempt.absences < 2:
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
        else:
            attempts.finish(turn, attempt, Ending.ABSENT, 0)

    return put(settling, "_not_found", believe)


def class_c_decided_by_machine() -> Undo:
    """Class C: two answers that the venue does not know it are believed; nobody is asked."""
    return _absence_counts_in(FenceClass.NEITHER)


def class_c_not_blocked() -> Undo:
    """Class C: new orders go out on an account where one of the same kind waits for a person."""
    call_person = attempts.call_person

    def call(turn: Turn, attempt: Attempt) -> None:
        blocked = turn.state.seats[attempt.slot_id].blocked
        before = dict(blocked)
        call_person(turn, attempt)
        blocked.clear()
        blocked.update(before)

    def no_longer(_turn: Turn, attempt: Attempt) -> None:
        attempt.for_person = False

    return all_of(put(attempts, "call_person", call), put(attempts, "_person_no_longer", no_longer))


def late_release_goes_out() -> Undo:
    """A worker hands over what it was told to release by an earlier moment."""
    objection = Worker._objection

    def patient(self: Worker, release: words.Release, known: Any, now: Instant) -> Any:
        later = msgspec.structs.replace(release, release_by_ns=1 << 62)
        if release.order.expires_at_ns is not None:
            return objection(self, later, known, now)
        found = objection(self, release, known, now)
        is_late = found is not None and found[0] is words.NotSentReason.TOO_LATE
        return None if is_late else found

    return put(Worker, "_objection", patient)


def worker_sends_again_by_itself() -> Undo:
    """A worker that has a new session repeats what was not answered on the last one."""
    refresh = Worker._refresh

    def repeat(self: Worker, now: Instant) -> None:
        refresh(self, now)
        for known in self._seen.values():
            if known.progress is words.Progress.SENT and not known.answered:
                self._request(PlaceOrder(order=known.order))

    return put(Worker, "_refresh", repeat)


def sends_as_often_as_told() -> Undo:
    """A worker hands a release to the venue each time it comes, whatever its number and epoch."""
    release = Worker._release

    def again(self: Worker, told: words.Release, now: Instant) -> None:
        self._seen.pop(told.order.client_order_id, None)
        release(self, told, now)
        self._seen.pop(told.order.client_order_id, None)

    return put(Worker, "_release", again)
