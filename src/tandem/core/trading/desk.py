"""One trader's desk: all that the coordinator knows and decides, as a sequential machine.

`on(event, now)` returns the effects of one event, in the order in which they must be performed,
after event and effects are on disk. The desk knows no clock, network or disk: the same events
give the same effects, so starting is replaying. It is total over outside events: nothing that a
worker, a venue or an asker says makes it raise; assertions guard only its own invariants.
"""

import heapq
from hashlib import blake2b
from typing import Final, assert_never

import msgspec

from tandem.core.trading import (
    assignments,
    attempts,
    books,
    by_hand,
    granting,
    grey,
    halts,
    limiting,
    netting,
    objectives,
    orders_by_hand,
    parting,
    planning,
    pool,
    price_scale,
    reconciling,
    settling,
    taking,
    tandem_orders,
    targets,
)
from tandem.core.trading.algos import driver
from tandem.core.trading.booked import Booked
from tandem.core.trading.plausible import is_quote
from tandem.core.trading.state import (
    BothPhase,
    DeskState,
    PairPhase,
    Phase,
    Seat,
    Worker,
)
from tandem.core.trading.turn import Alarm, Rules, Turn
from tandem.domain import link
from tandem.domain.commands import (
    Answer,
    Asked,
    Assign,
    CancelOrders,
    Command,
    PauseOrder,
    PlaceAlgo,
    PlaceBoth,
    PlacePair,
    PlaceParent,
    RefusalReason,
    Refused,
    ReplaceOrder,
    ResumeOrder,
    SaveStrategy,
    SetTargets,
    SetUpPool,
    SuspendStrategy,
    Taken,
    Unassign,
)
from tandem.domain.desk import (
    Commanded,
    DeskEffect,
    DeskEvent,
    DeskSettings,
    Due,
    FromWorker,
    Joined,
    LeaseLapsed,
    QuotesSeen,
    Restarted,
    RoomChanged,
    Tell,
    WorkerDied,
    WorkerLost,
    WorkerSilent,
)
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import AccountId, Incarnation, ParentId, SlotId
from tandem.domain.instant import Instant
from tandem.domain.strategies import AssignmentId

AGENDA_MAX = 100_000
_ATTEMPT: Final = Alarm.ATTEMPT  # finding a member of an enum costs more than comparing it
_PLANNED: Final = Phase.PLANNED
_OF_AUDITS: Final = (link.Listed, link.Audited)
_WORDS_OF_ITS_OWN: Final = (link.NotSent, link.TimedOut)  # a worker's, without its venue
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(DeskState)


class Desk:
    """The state of one trader's desk and its decisions.

    Who replays its records may set `booked` to a list, and finds there what was booked since.
    """

    def __init__(self) -> None:
        self.state = DeskState()
        self.booked: list[Booked] | None = None
        self._rules: Rules | None = None

    @property
    def rules(self) -> Rules:
        """What the settings of the last start say."""
        assert self._rules is not None, "the desk was not started"
        return self._rules

    @property
    def next_due_ns(self) -> int | None:
        """When the desk wants to be woken by `Due`, in CLOCK_BOOTTIME; None for never."""
        times = self.state.alarm_times
        return times[0] if times else None

    def leased(self) -> list[tuple[AccountId, int, Incarnation]]:
        """Return account, epoch and holder of every lease that was granted and not ended."""
        state = self.state
        found = []
        for seat in state.seats.values():
            holder = state.workers[seat.holder] if seat.holder is not None else None
            if holder is not None and parting.lease_ns_of(self.rules, seat, holder) is not None:
                found.append((seat.account_id, seat.epoch, holder.incarnation))
        return found

    def snapshot(self) -> bytes:
        """Return the whole state; equal histories give equal bytes."""
        return _ENCODER.encode(self.state)

    @classmethod
    def restore(cls, snapshot: bytes) -> "Desk":
        """Return the desk that gave this snapshot."""
        desk = cls()
        desk.state = _DECODER.decode(snapshot)
        if desk.state.settings is not None:
            desk._rules = Rules(desk.state.settings)
            limiting.take_over(desk.state, desk._rules)
        return desk

    def on(self, event: DeskEvent, now: Instant) -> list[DeskEffect]:
        """Decide what `event` means, at `now`."""
        if isinstance(event, Restarted):
            self._take_settings(event.settings)
        state, rules = self.state, self._rules
        assert rules is not None, "the desk was not started"
        turn = Turn(state, rules, now, now.now_ns, booked=self.booked)
        if state.limits.lapses_day is not None:
            limiting.lapse(turn)
        _decide(turn, event)
        if turn.lost:
            limiting.judge_losses(turn)
        if turn.agenda or turn.halting:
            _work_off(turn)
            if state.objectives.is_flattening:
                objectives.advance(turn)
                _work_off(turn)
            planning.forget_old(turn)
            if state.boths or state.pairs:
                tandem_orders.forget_old(turn)
            if state.algos:
                driver.forget_old(turn)
        return turn.out

    def _take_settings(self, settings: DeskSettings) -> None:
        rules = Rules(settings)
        _refuse_removals(self.state, rules)
        limiting.take_over(self.state, rules)
        self._rules = rules
        self.state.settings = settings
        for slot in settings.slots:
            if slot.slot_id not in self.state.seats:
                self.state.seats[slot.slot_id] = Seat(
                    slot_id=slot.slot_id, account_id=slot.account_id, venue_id=slot.venue_id
                )


def _refuse_removals(state: DeskState, rules: Rules) -> None:
    """What was traded once must still be known, or its reports could not be understood.

    Raises:
        ConfigurationError: a slot or an instrument is gone, or has become another one.
    """
    for seat in state.seats.values():
        slot = rules.slots.get(seat.slot_id)
        if slot is None or (slot.account_id, slot.venue_id) != (seat.account_id, seat.venue_id):
            raise ConfigurationError(
                f"slot {seat.slot_id} was {seat.account_id} at {seat.venue_id}: it must stay so"
            )
    for instrument in state.settings.instruments if state.settings is not None else ():
        if instrument not in rules.catalogue.instruments:
            raise ConfigurationError(f"{instrument.instrument_id} was otherwise: it must stay so")


def _decide(turn: Turn, event: DeskEvent) -> None:  # noqa: C901 - one line a kind
    match event:
        case FromWorker():
            _from_worker(turn, event)
        case Due():
            _ring(turn)
        case Commanded():
            _commanded(turn, event)
        case QuotesSeen():
            for quote in event.quotes:
                if not price_scale.is_current(turn, quote):
                    turn.count("quotes_of_another_scale")
                elif is_quote(quote):
                    turn.state.exposure.note_quote(quote, turn.now)
                    driver.on_quote(turn, quote)
                else:
                    turn.count("quotes_garbled")
            if turn.state.openings:
                books.value_openings(turn)
            driver.touch_all(turn)
            targets.on_quotes(turn, event.quotes)
            objectives.on_prices(turn)
        case Joined():
            pool.on_joined(turn, event)
        case WorkerLost():
            pool.on_lost(turn, event.incarnation, event.connection)
        case WorkerDied():
            pool.on_died(turn, event.incarnation)
        case WorkerSilent():
            pool.on_silent(turn, event.incarnation)
        case LeaseLapsed():
            pool.on_lapsed(turn, event)
        case RoomChanged():
            turn.state.short_of_room = event.short
            turn.count("disk_full" if event.short else "disk_has_room")
        case Restarted():
            _restarted(turn)
        case _:
            assert_never(event)


def _work_off(turn: Turn) -> None:
    """Let every touched parent, pair and two-sided quote move until none has to."""
    steps = 0
    state, agenda = turn.state, turn.agenda
    while agenda or turn.halting:
        if turn.halting:
            reason, turn.halting = turn.halting, None
            orders_by_hand.halt(turn, reason)
            continue
        steps += 1
        key = next(iter(agenda))
        assert steps < AGENDA_MAX, f"{key} moves for ever"
        del agenda[key]
        parent = state.parents.get(key)
        if parent is not None:
            planning.advance(turn, parent)
        elif key in state.boths:
            tandem_orders.advance_both(turn, state.boths[key])
        elif key in state.pairs:
            tandem_orders.advance_pair(turn, state.pairs[key])
        elif key in state.algos:
            driver.advance(turn, state.algos[key])
        elif key in state.strategies.nets:
            netting.advance(turn, state.strategies.nets[key])


def _from_worker(turn: Turn, event: FromWorker) -> None:  # noqa: C901 - one line a kind
    worker = turn.state.workers.get(event.incarnation)
    if worker is None or worker.connection != event.connection:
        turn.count("old_connections_dropped")
        return
    message = event.message
    match message:
        case link.Reported():
            if not isinstance(message.report, _WORDS_OF_ITS_OWN):
                _venue_answers(turn, worker, message.account_id)
            _reported(turn, worker, message)
        case link.Answered():
            _venue_answers(turn, worker, message.account_id)
            if isinstance(message.answer, _OF_AUDITS):
                reconciling.on_answered(turn, worker, message.account_id, message.answer)
            else:
                settling.on_answered(turn, message.answer)
        case link.Ready():
            pool.on_ready(turn, worker, message)
            reconciling.on_ready(turn, worker)
        case link.NotReady():
            pool.on_not_ready(turn, worker, message)
        case link.ClockRead():
            pool.on_clock(turn, message)
        case link.GaveBack():
            pool.on_gave_back(turn, worker, message)
        case link.Halted():
            halts.on_halted(turn, worker, message.halt_id, message.reason)
        case link.Limited():
            granting.on_limited(turn, worker, message)
        case link.Configured():
            pool.on_configured(turn, worker, message.bundle_hash)
        case _:
            assert_never(message)


def _reported(turn: Turn, worker: Worker, message: link.Reported) -> None:
    attempt = turn.state.attempts.get(message.report.client_order_id)
    if attempt is None:
        turn.count("reports_of_unknown_orders")
        reconciling.on_unknown_report(turn, worker, message.report.client_order_id)
        return
    if attempt.phase is _PLANNED:
        turn.count("reports_before_release")
        return
    attempts.on_reported(turn, attempt, message)


def _venue_answers(turn: Turn, worker: Worker, account_id: AccountId) -> None:
    """News of the account that the worker holds now shows that its venue talks to it."""
    seat = turn.state.seats[worker.slot_id] if worker.slot_id is not None else None
    if seat is not None and seat.account_id == account_id:
        grey.heard_from_venue(turn, seat, worker)


def _ring(turn: Turn) -> None:
    state = turn.state
    while state.alarm_times and state.alarm_times[0] <= turn.now_ns:
        for kind, key in state.alarms_at.pop(heapq.heappop(state.alarm_times)):
            if kind == _ATTEMPT:
                settling.on_alarm(turn, key)  # type: ignore[arg-type]
            elif kind == Alarm.SET_UP:
                pool.on_set_up_alarm(turn)
            elif kind == Alarm.SEAT:
                grey.on_alarm(turn, SlotId(key))
            elif kind == Alarm.LEAVING:
                pool.on_leaving_alarm(turn, SlotId(key))
            elif kind == Alarm.AUDIT:
                reconciling.on_alarm(turn, SlotId(key))
            elif kind == Alarm.OBJECTIVES:
                objectives.on_alarm(turn)
            elif kind == Alarm.FLAT:
                targets.on_alarm(turn, AssignmentId(key))
            else:
                turn.touch(ParentId(key))


def _restarted(turn: Turn) -> None:
    """Nothing is known of what happened meanwhile: make every time-out and every wait anew."""
    state = turn.state
    state.epoch += 1
    turn.count("starts")
    state.alarms_at.clear()
    state.alarm_times.clear()
    state.exposure.note_restarted()
    books.track_all(turn)
    pool.new_clocks(turn)
    for worker in state.workers.values():
        worker.up = False
        worker.unanswered_since_ns = None
    for seat in state.seats.values():
        seat.unready_since_ns = seat.vacant_since_ns = None  # nor how long it was so
        grey.now_unready(turn, seat)
        pool.renew_leaving(turn, seat)
        for client_order_id in seat.open:
            attempt = state.attempts[client_order_id]
            attempt.look_at_ns = None
            attempt.query_id = None
            attempt.resent_since_ns = None
            if attempt.phase is Phase.RELEASED:
                attempts.become_unknown(turn, attempt, "the coordinator restarted")
            attempts.look_in(turn, attempt, turn.rules.timings.ask_ns)
    reconciling.on_restarted(turn)
    _renew_deadlines(turn)


def _renew_deadlines(turn: Turn) -> None:
    state, timings = turn.state, turn.rules.timings
    for key in planning.open_parents(turn):
        parent = state.parents[key]
        parent.retry_at_ns = parent.date_alarm_ns = None
        parent.deadline_ns = turn.now_ns + timings.retry_ns
        turn.wait(Alarm.PARENT, key, after_ns=timings.retry_ns)
        turn.touch(key)
    for both in state.boths.values():
        if both.phase is not BothPhase.DONE:
            both.ends_at_ns = turn.now_ns + both.spec.lifetime_ns
            turn.wait(Alarm.BOTH, both.both_id, after_ns=both.spec.lifetime_ns)
            turn.touch(both.both_id)
    for pair in state.pairs.values():
        if pair.phase not in (PairPhase.DONE, PairPhase.HALTED):
            tandem_orders.renew(turn, pair)
    driver.renew(turn)
    netting.renew(turn)
    targets.renew(turn)
    objectives.renew(turn)
    if pool.is_setting_up(turn):
        state.pool.asker = None
        state.pool.deadline_ns = turn.now_ns + timings.set_up_ns
        turn.wait(Alarm.SET_UP, "", after_ns=timings.set_up_ns)


def _commanded(turn: Turn, event: Commanded) -> None:
    """Answer a command once; the same id and content gets the same answer again."""
    asked = event.asked
    digest = blake2b(_ENCODER.encode(asked.command), digest_size=16).digest()
    earlier = turn.state.answers.get(asked.command_id)
    if earlier is not None:
        answer: Answer | None = earlier.answer
        if earlier.digest != digest:
            text = f"command {asked.command_id} was asked before, with other content"
            answer = Refused(reason=RefusalReason.OTHER_CONTENT, text=text)
        turn.count("commands_repeated")
    else:
        answer = _carry_out(turn, event, digest)
        if answer is not None:
            turn.remember(asked.command_id, digest, answer)
    if answer is not None:
        turn.tell(Tell(asker=event.asker, command_id=asked.command_id, answer=answer))


def _carry_out(turn: Turn, event: Commanded, digest: bytes) -> Answer | None:
    asked = event.asked
    command = asked.command
    match command:
        case PlaceParent() | PlaceBoth() | PlacePair() | PlaceAlgo():
            return taking.closed(turn) or _place(turn, asked, command)
        case CancelOrders():
            return orders_by_hand.cancel(turn, command)
        case PauseOrder() | ResumeOrder() | ReplaceOrder():
            return orders_by_hand.change(turn, command, taking.closed(turn))
        case SetUpPool():
            return pool.set_up(turn, event.asker, asked, digest)
        case SaveStrategy() | Assign() | Unassign() | SuspendStrategy() | SetTargets():
            return assignments.carry_out(turn, command)
        case _:
            return by_hand.carry_out(turn, command)


def _place(turn: Turn, asked: Asked, command: Command) -> Answer:
    match command:
        case PlaceParent():
            parent = planning.open_parent(turn, asked.command_id, command.spec)
            if isinstance(parent, Refused):
                return parent
            return Taken(order_id=parent.parent_id)
        case PlaceBoth():
            return tandem_orders.open_both(turn, asked.command_id, command)
        case PlaceAlgo():
            return driver.open_algo(turn, asked.command_id, command)
        case _:
            assert isinstance(command, PlacePair), f"{type(command).__name__} places nothing"
            return tandem_orders.open_pair(turn, asked.command_id, command)
