"""Planted bugs of connections, of death and silence, and of who holds an account."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from tandem.core.trading import grey, parting, pool, settling
from tandem.core.trading.desk import Desk
from tandem.core.trading.lease import Lease
from tandem.core.trading.pulse import Pulse
from tandem.core.trading.turn import Turn
from tandem.core.trading.worker import Worker
from tandem.domain import link as words
from tandem.domain.desk import DeskEvent, FromWorker, Joined, ToWorker, WorkerSilent
from tandem.domain.ids import Incarnation
from tandem.domain.instant import Instant
from tandem.shells.coordinator import Coordinator
from tandem.sim.undoing import Undo, all_of, put


def reports_told_once() -> Undo:
    """A report lost with a connection is not repeated, and polls do not look."""
    welcomed = Worker._welcomed

    def forget(self: Worker, message: words.Welcome) -> None:
        self._unacked.clear()
        welcomed(self, message)

    undo = (
        put(Worker, "_welcomed", forget),
        put(settling, "_ask", lambda _t, _a, _s, _w: None),
    )
    return all_of(*undo)


def acknowledged_before_the_disk() -> Undo:
    """A report is acknowledged when it comes, and recorded afterwards."""
    on_worker = Coordinator._on_worker

    def hasty(self: Coordinator, link: Any, epoch: int, messages: Sequence[Any]) -> None:
        on_worker(self, link, epoch, messages)
        for message in messages:
            if isinstance(message, words.Reported):
                link.send(words.Acknowledge(report_id=message.report_id))

    return put(Coordinator, "_on_worker", hasty)


def old_connections_heard() -> Undo:
    """What comes on an older connection counts as if it came on the present one."""
    hello, on_joined = Coordinator._hello, pool.on_joined

    def welcome_all(self: Coordinator, link: Any, told: words.Hello) -> None:
        earlier = self._workers.get(told.incarnation)
        if earlier is not None and earlier.connection >= told.connection:
            earlier.connection = told.connection - 1
        hello(self, link, told)

    def join_again(turn: Turn, joined: Joined) -> None:
        worker = turn.worker(joined.hello.incarnation)
        if worker is not None:
            worker.connection = min(worker.connection, joined.hello.connection - 1)
        on_joined(turn, joined)

    on = Desk.on

    def any_connection(self: Desk, event: DeskEvent, now: Instant) -> Any:
        if isinstance(event, FromWorker) and event.incarnation in self.state.workers:
            known = self.state.workers[event.incarnation].connection
            event = msgspec.structs.replace(event, connection=known)
        return on(self, event, now)

    return all_of(
        put(Coordinator, "_hello", welcome_all),
        put(pool, "on_joined", join_again),
        put(Desk, "on", any_connection),
    )


def effects_on_any_connection() -> Undo:
    """What was decided for an earlier connection of a worker goes out on the present one."""
    put_out = Coordinator._put

    def any_link(self: Coordinator, effect: ToWorker) -> Any:
        if effect.incarnation in self._workers:
            present = self._workers[effect.incarnation].connection
            effect = msgspec.structs.replace(effect, connection=present)
        return put_out(self, effect)

    return put(Coordinator, "_put", any_link)


def old_epochs_obeyed() -> Undo:
    """A worker obeys words about an account that it no longer holds."""
    return put(Worker, "_is_mine", lambda _self, _account, _epoch: True)


def end_of_file_is_death() -> Undo:
    """A worker whose connection ended counts as dead, and its account is given away."""
    on_lost = pool.on_lost

    def dead(turn: Turn, incarnation: Incarnation, connection: int) -> None:
        worker = turn.worker(incarnation)
        on_lost(turn, incarnation, connection)
        if worker is not None and not worker.up and worker.slot_id is not None:
            parting.vacate(turn, turn.state.seats[worker.slot_id], "its connection ended")
            pool.fill_seats(turn)

    return put(pool, "on_lost", dead)


def silent_is_dead() -> Undo:
    """A silent worker's account is given away without killing it."""
    on_silent = pool.on_silent

    def believe(turn: Turn, incarnation: Incarnation) -> None:
        worker = turn.worker(incarnation)
        if worker is None or worker.slot_id is None:
            on_silent(turn, incarnation)
            return
        parting.vacate(turn, turn.state.seats[worker.slot_id], "silent")
        pool.fill_seats(turn)

    return put(pool, "on_silent", believe)


def deaths_before_restart_unseen() -> Undo:
    """A restarted coordinator does not look whether the workers that it knew still live."""
    watch = Coordinator._watch

    def later(self: Coordinator, incarnation: Any, *, pid: int, started: int) -> None:
        if self._workers.get(incarnation) is not None:
            watch(self, incarnation, pid=pid, started=started)

    return put(Coordinator, "_watch", later)


def no_spare_takes_over() -> Undo:
    """The account of a dead worker is given to nobody."""
    fill_seats = pool.fill_seats

    def first_only(turn: Turn) -> None:
        held = [one for one in turn.state.seats.values() if one.active and one.epoch]
        for seat in held:
            seat.active = False
        fill_seats(turn)
        for seat in held:
            seat.active = True

    return put(pool, "fill_seats", first_only)


def unready_worker_stays() -> Undo:
    """A worker that cannot get a session with its venue keeps its account."""
    return put(grey, "on_alarm", lambda _turn, _slot: None)


def unanswered_worker_stays() -> Undo:
    """A worker whose questions its venue does not answer keeps its account."""
    return put(grey, "unanswered", lambda _turn, _seat, _worker: None)


def own_stall_is_their_death() -> Undo:
    """After a stall of our own nobody reads first what came meanwhile, nor starts alarms again."""

    def silent(self: Pulse[Any], now_ns: int) -> list[Any]:
        late = [key for key, deadline in self.deadlines.items() if now_ns > deadline]
        for key in late:
            del self.deadlines[key]
        return late

    async def judge(self: Coordinator) -> None:
        while True:
            await asyncio.sleep(self._pulse.heartbeat_ns / 1e9)
            for incarnation in self._pulse.silent(self._clock.now().now_ns):
                self.recording.feed(WorkerSilent(incarnation=incarnation))

    return all_of(put(Pulse, "silent", silent), put(Coordinator, "_judge_silence", judge))


def lease_not_looked_at() -> Undo:
    """A worker elsewhere writes although its lease has ended."""
    return put(Lease, "outlives", lambda _self, _at_ns: True)


def silence_elsewhere_is_death() -> Undo:
    """The account of a silent worker elsewhere is given away before its right has ended."""
    on_silent = parting.on_silent_elsewhere

    def believe(turn: Turn, silent: Any) -> None:
        seat = turn.state.seats[silent.slot_id] if silent.slot_id is not None else None
        on_silent(turn, silent)
        if seat is not None and seat.holder == silent.incarnation:
            parting.vacate(turn, seat, "silent")
            pool.fill_seats(turn)

    return put(parting, "on_silent_elsewhere", believe)
