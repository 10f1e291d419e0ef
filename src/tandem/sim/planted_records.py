"""Planted bugs of "record, then act": the disk, restarts, and answers to whoever asked."""

from collections import deque
from typing import Any

import msgspec

from tandem.adapters.journal.log import LogJournal
from tandem.core.trading import books, desk
from tandem.core.trading.desk import Desk
from tandem.core.trading.risk import TradingState
from tandem.core.trading.turn import Turn
from tandem.domain.desk import Commanded, DeskEvent, Tell
from tandem.domain.errors import DiskFailedError
from tandem.domain.instant import Instant
from tandem.ports import File
from tandem.shells.recording import Recording
from tandem.sim.undoing import Undo, all_of, put


def effects_before_the_disk() -> Undo:
    """Effects are performed at once, and recorded afterwards."""
    feed = Recording.feed

    def hasty(self: Recording[Any, Any], event: Any) -> None:
        feed(self, event)
        effects, self._effects = self._effects, []
        self._perform(effects)

    return put(Recording, "feed", hasty)


def answers_before_the_disk() -> Undo:
    """Whoever asked is answered at once; what was answered is recorded afterwards."""
    feed = Recording.feed

    def hasty(self: Recording[Any, Any], event: Any) -> None:
        feed(self, event)
        self._perform([one for one in self._effects if isinstance(one, Tell)])
        self._effects = [one for one in self._effects if not isinstance(one, Tell)]

    return put(Recording, "feed", hasty)


def failed_sync_believed() -> Undo:
    """A sync that the disk did not confirm counts as one that it did."""
    write = LogJournal._write

    def trusting(self: LogJournal, records: list[bytes], commits: list[Any]) -> None:
        try:
            write(self, records, commits)
        except DiskFailedError:
            self._on_synced()

    return put(LogJournal, "_write", trusting)


def torn_batch_stays() -> Undo:
    """What is torn at the end of the journal is not cut off; new batches come behind it."""
    confirm = LogJournal._confirm

    def keep(self: LogJournal, file: File, opened: Any) -> None:
        confirm(self, file, msgspec.structs.replace(opened, torn_bytes=0))
        self._offset += opened.torn_bytes

    return put(LogJournal, "_confirm", keep)


def next_batch_before_the_last() -> Undo:
    """A batch is written while the one before it is not yet synced."""
    write, synced = LogJournal._write, LogJournal._on_synced
    under_way: dict[int, deque[list[Any]]] = {}

    def hasty(self: LogJournal, records: list[bytes], commits: list[Any]) -> None:
        write(self, records, commits)
        if self._in_flight is not None:
            under_way.setdefault(id(self), deque()).append(self._in_flight)
            self._in_flight = None

    def landed(self: LogJournal) -> None:
        if self._in_flight is None:
            self._in_flight = under_way[id(self)].popleft()
        synced(self)

    return all_of(put(LogJournal, "_write", hasty), put(LogJournal, "_on_synced", landed))


def commands_not_known() -> Undo:
    """A repeated command is carried out again."""
    on = Desk.on

    def forgetful(self: Desk, event: DeskEvent, now: Instant) -> Any:
        if isinstance(event, Commanded):
            self.state.answers.pop(event.asked.command_id, None)
        return on(self, event, now)

    return put(Desk, "on", forgetful)


def old_alarms_after_restart() -> Undo:
    """After a restart the time-outs of before still count, though a reboot began time anew."""
    restarted = desk._restarted

    def stale(turn: Turn) -> None:
        state = turn.state
        if not state.epoch:
            restarted(turn)
            return
        alarms_at, alarm_times = dict(state.alarms_at), list(state.alarm_times)
        times = [
            (one, name, getattr(one, name))
            for things, names in (
                (state.attempts.values(), ("look_at_ns", "resent_since_ns")),
                (state.parents.values(), ("deadline_ns", "retry_at_ns")),
                (state.boths.values(), ("ends_at_ns",)),
                (state.pairs.values(), ("repair_by_ns",)),
                (state.seats.values(), ("unready_since_ns",)),
                ((state.pool,), ("deadline_ns",)),
            )
            for one in things
            for name in names
        ]
        restarted(turn)
        state.alarms_at = alarms_at
        state.alarm_times[:] = alarm_times
        for one, name, value in times:
            setattr(one, name, value)

    return put(desk, "_restarted", stale)


def restart_reconciles_nothing() -> Undo:
    """A start raises the epoch and leaves everything as the records had it."""
    restarted = desk._restarted

    def calm(turn: Turn) -> None:
        if not turn.state.epoch:
            restarted(turn)
            return
        turn.state.epoch += 1
        books.track_all(turn)

    return put(desk, "_restarted", calm)


def halt_ends_with_the_process() -> Undo:
    """A halt is not durable: a restarted coordinator trades again."""
    restarted = desk._restarted

    def forget(turn: Turn) -> None:
        turn.state.exposure.state = TradingState.ACTIVE
        restarted(turn)

    return put(desk, "_restarted", forget)
