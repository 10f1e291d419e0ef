"""Who does which task: the decisions of the load-balancing broker. Pure, and told the time.

A task has one outcome. It is *open* from `submit` until that outcome, and stands in one place
meanwhile: unplaced while there is no worker, waiting for one worker, or held by one worker under
an attempt. Attempts are numbered over all workers and never used again, so that what a worker
says about an attempt that is no longer its own finds nothing and is only counted. An attempt ends
when it is done, when its worker is lost, or when a pong shows that it got lost on the way: pings
go down the same connection as tasks, and pongs up the same as outcomes, so an attempt given before
a ping that is neither done before the pong nor named in it will never be done.

Keys are sticky: a key has a home, the worker that had its last task. The tasks of a key go there
in the order of their submission. A key moves when its home is lost or leaves, or when its home is
overloaded: a task has waited there for `patience_ns`, none of the key is being done, and another
worker has nothing to do, not one task. Then all of the key's waiting tasks move, in order; one key
at a time, because whoever takes it over may have to read much first. Tasks without a key (`b""`)
move at once, to whoever may hold one more. Under `ROUND_ROBIN` nothing moves for load: that policy
does not look at it.

With `keys_apart`, keys are spread as well: a key whose home has so many more than another worker,
and an eighth of its own more, moves there with its next task, when none of its tasks is open. So a
worker that has just come, or comes back, gets its share of the keys, and a share that is once
about equal stays where it is: of many keys, those that moved for load do not move back at once.
"""

import enum
from collections import deque
from itertools import islice
from typing import Final

import msgspec

_SHARE_APART: Final = 8  # keys that are spread: by an eighth of them, if that is more than the rule
_LOOKED_AT: Final = 16  # tasks of a worker's queue that are looked at when another one is idle


class Policy(enum.StrEnum):
    """Where a key without a home goes."""

    LEAST_LOADED = "least-loaded"  # fewest open tasks; then fewest keys; then the longest idle
    ROUND_ROBIN = "round-robin"  # each worker in turn


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's limits."""

    policy: Policy = Policy.LEAST_LOADED
    patience_ns: int = 50_000_000  # a task's wait that makes its worker overloaded
    silence_ns: int = 250_000_000  # a worker that leaves a ping unanswered so long is lost
    away_ns: int = 100_000_000  # of a longer time between two ticks no more counts as silence
    tries_max: int = 3  # a task that so many workers were lost with is given up
    tasks_max: int = 10_000  # open at once; one more is refused
    keys_max: int = 100_000  # homes remembered; then the one that was made first is forgotten
    window_max: int = 64  # tasks that one worker may hold, whatever it says
    workers_max: int = 1_000
    keys_apart: int | None = None  # a worker with so many keys more than another gives keys up


class Give(msgspec.Struct, frozen=True, gc=False):
    """Send the task to the worker."""

    worker: bytes
    attempt: int
    payload: bytes


class Settle(msgspec.Struct, frozen=True, gc=False):
    """Tell the submitter the outcome of its task, the only one."""

    task: int
    payload: bytes


class GiveUp(msgspec.Struct, frozen=True, gc=False):
    """Tell the submitter that its task has no outcome and will have none, and why."""

    task: int
    reason: str


class Release(msgspec.Struct, frozen=True, gc=False):
    """Tell the worker that it has nothing left and may go."""

    worker: bytes


Effect = Give | Settle | GiveUp | Release


class Counts(msgspec.Struct):
    """What happened beside the ordinary."""

    late: int = 0  # outcomes of attempts that were no longer their worker's
    redone: int = 0  # tasks given once more, because their worker or the message was lost
    moved: int = 0  # tasks that left an overloaded worker
    lost: int = 0  # workers
    given_up: int = 0  # tasks
    refused: int = 0  # tasks that found the broker full
    spread: int = 0  # keys that went to a worker with fewer of them


class WorkerLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, as others see it."""

    worker: bytes
    name: str
    held: int
    waiting: int
    is_leaving: bool


class _Task:
    __slots__ = ("is_wanted", "key", "number", "payload", "since_ns", "tries")

    def __init__(self, number: int, *, key: bytes, payload: bytes, now_ns: int) -> None:
        self.number = number
        self.key = key
        self.payload = payload
        self.since_ns = now_ns  # it has waited since
        self.tries = 0
        self.is_wanted = True


class _Seat:
    """A worker and what it has to do."""

    __slots__ = (
        "given",
        "held",
        "homes",
        "is_open",
        "name",
        "unanswered_ns",
        "waiting",
        "window",
        "worker",
    )

    def __init__(self, worker: bytes, *, name: str, window: int) -> None:
        self.worker = worker
        self.name = name
        self.window = window
        self.waiting: deque[_Task] = deque()
        self.held: dict[int, _Task] = {}  # by attempt
        self.homes = 0  # keys that have their home here
        self.given = 0  # the last attempt it got
        self.unanswered_ns: int | None = None  # when the first ping was sent that it is silent on
        self.is_open = True  # false once it leaves or is lost

    @property
    def load(self) -> int:
        return len(self.held) + len(self.waiting)

    @property
    def is_idle(self) -> bool:
        return self.is_open and not self.waiting and len(self.held) < self.window


class Balancer:
    """All workers and open tasks of one broker."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.counts = Counts()
        self._seats: dict[bytes, _Seat] = {}
        self._in_turn: deque[_Seat] = deque()  # the open ones
        self._homes: dict[bytes, _Seat] = {}
        self._open: dict[int, _Task] = {}
        self._unplaced: deque[_Task] = deque()
        self._tasks = self._attempts = 0
        self._ticked_ns: int | None = None

    @property
    def attempts(self) -> int:
        """The number of the last attempt: the mark of a ping that is sent now."""
        return self._attempts

    @property
    def open_tasks(self) -> int:
        """How many tasks have no outcome yet."""
        return len(self._open)

    def loads(self) -> list[WorkerLoad]:
        """Return every worker, in the order of their coming."""
        return [
            WorkerLoad(
                worker=seat.worker,
                name=seat.name,
                held=len(seat.held),
                waiting=len(seat.waiting),
                is_leaving=not seat.is_open,
            )
            for seat in self._seats.values()
        ]

    def knows(self, worker: bytes) -> bool:
        """Return whether the worker has come, and is not lost."""
        return worker in self._seats

    def has_home(self, key: bytes) -> bool:
        """Return whether the tasks of that key have a worker that they go to."""
        seat = self._homes.get(key)
        return seat is not None and seat.is_open

    def due_to_newcomer(self) -> dict[bytes, None]:
        """Return the keys that a worker which comes now will probably take over.

        The next tasks of keys that are settled longest are expected to come first.
        """
        due: dict[bytes, None] = {}
        if self.rules.keys_apart is None:
            return due
        homes = {seat.worker: seat.homes for seat in self._in_turn}
        for key, seat in self._homes.items():
            if seat.is_open and _is_apart(homes[seat.worker], len(due), self.rules.keys_apart):
                homes[seat.worker] -= 1
                due[key] = None
        return due

    def named(self, name: str) -> list[bytes]:
        """Return the workers of that name; more than one while one replaces another."""
        return [seat.worker for seat in self._seats.values() if seat.name == name]

    # Tasks.

    def submit(self, key: bytes, *, payload: bytes, now_ns: int) -> tuple[int | None, list[Effect]]:
        """Return the task's number and what to do; no number, and nothing to do, when full."""
        if len(self._open) >= self.rules.tasks_max:
            self.counts.refused += 1
            return None, []
        self._tasks += 1
        task = _Task(self._tasks, key=key, payload=payload, now_ns=now_ns)
        self._open[task.number] = task
        effects: list[Effect] = []
        self._place(task, effects)
        return task.number, effects

    def abandon(self, number: int) -> None:
        """Forget a task whose submitter no longer waits; an outcome of it will only be counted."""
        task = self._open.pop(number, None)
        if task is not None:
            task.is_wanted = False

    def on_done(self, worker: bytes, attempt: int, *, payload: bytes, now_ns: int) -> list[Effect]:
        """Return what an outcome leads to."""
        effects: list[Effect] = []
        task = self._ended(worker, attempt)
        if task is not None:
            if self._open.pop(task.number, None) is not None:
                effects.append(Settle(task.number, payload))
            self._go_on(self._seats[worker], now_ns, effects)
        return effects

    def on_unable(self, worker: bytes, attempt: int, *, reason: str, now_ns: int) -> list[Effect]:
        """Return what a worker's refusal leads to; no other worker is asked."""
        effects: list[Effect] = []
        task = self._ended(worker, attempt)
        if task is not None:
            self._give_up(task, reason, effects)
            self._go_on(self._seats[worker], now_ns, effects)
        return effects

    # Workers.

    def on_ready(self, worker: bytes, *, name: str, window: int, now_ns: int) -> list[Effect]:
        """Return what a worker's coming leads to; another one of its name is replaced by it."""
        effects: list[Effect] = []
        seat = self._seats.get(worker)
        if seat is not None:
            seat.unanswered_ns = None
            return effects
        if len(self._seats) >= self.rules.workers_max:
            return effects
        seat = _Seat(worker, name=name, window=min(max(window, 1), self.rules.window_max))
        replaced = self.named(name)
        self._seats[worker] = seat
        self._in_turn.append(seat)
        for other in replaced:
            effects += self.on_lost(other, now_ns)
        unplaced, self._unplaced = self._unplaced, deque()
        for task in unplaced:
            self._place(task, effects)
        self._go_on(seat, now_ns, effects)
        return effects

    def on_leaving(self, worker: bytes, now_ns: int) -> list[Effect]:
        """Return what it leads to that a worker wants to go: others get what it has not begun."""
        effects: list[Effect] = []
        seat = self._seats.get(worker)
        if seat is None:
            return [Release(worker)]  # it has nothing that we know of
        self._close(seat)
        waiting, seat.waiting = seat.waiting, deque()
        self._place_anew(list(waiting), now_ns, effects)
        self._go_on(seat, now_ns, effects)
        return effects

    def on_lost(self, worker: bytes, now_ns: int) -> list[Effect]:
        """Return what a worker's death leads to: all that it had is done elsewhere."""
        effects: list[Effect] = []
        seat = self._seats.pop(worker, None)
        if seat is None:
            return effects
        self.counts.lost += 1
        self._close(seat)
        held, waiting = list(seat.held.values()), list(seat.waiting)
        seat.held.clear()  # it may be some key's home for long, and shall hold no payloads
        seat.waiting.clear()
        again = [task for task in held if self._may_try_again(task, effects)]
        self._place_anew([*again, *waiting], now_ns, effects)
        return effects

    # Time.

    def ping(self, worker: bytes, now_ns: int) -> None:
        """Note that the worker is pinged now; the ping's mark is `attempts`."""
        seat = self._seats.get(worker)
        if seat is not None and seat.unanswered_ns is None:
            seat.unanswered_ns = now_ns

    def on_pong(self, worker: bytes, *, mark: int, held: list[int], now_ns: int) -> list[Effect]:
        """Return what an answer to a ping leads to: tasks that got lost on the way go again."""
        effects: list[Effect] = []
        seat = self._seats.get(worker)
        if seat is None:
            return effects
        seat.unanswered_ns = None
        missing = [one for one in seat.held if one <= mark and one not in held]
        again = [seat.held.pop(one) for one in missing]
        again = [task for task in again if self._may_try_again(task, effects)]
        if seat.is_open:
            seat.waiting.extendleft(reversed(again))  # before the later tasks of their keys
        else:
            self._place_anew(again, now_ns, effects)
        self._go_on(seat, now_ns, effects)
        return effects

    def on_tick(self, now_ns: int) -> list[Effect]:
        """Return what the time leads to: silent workers are lost, idle ones help the overloaded.

        Whoever calls it has handed over all that had arrived before. When that was long ago, the
        computer stood still, and its workers with it: that is not their silence.
        """
        effects: list[Effect] = []
        away_ns = 0 if self._ticked_ns is None else now_ns - self._ticked_ns - self.rules.away_ns
        self._ticked_ns = now_ns
        for seat in self._seats.values() if away_ns > 0 else ():
            if seat.unanswered_ns is not None:
                seat.unanswered_ns = min(now_ns, seat.unanswered_ns + away_ns)
        silent = [
            seat.worker
            for seat in self._seats.values()
            if seat.unanswered_ns is not None
            and now_ns - seat.unanswered_ns >= self.rules.silence_ns
        ]
        for worker in silent:
            effects += self.on_lost(worker, now_ns)
        for seat in [one for one in self._in_turn if one.is_idle]:
            self._go_on(seat, now_ns, effects)
        return effects

    # Below here, everything adds its effects to a list.

    def _ended(self, worker: bytes, attempt: int) -> _Task | None:
        seat = self._seats.get(worker)
        task = None if seat is None else seat.held.pop(attempt, None)
        if seat is None or task is None:
            self.counts.late += 1
            return None
        seat.unanswered_ns = None
        return task

    def _close(self, seat: _Seat) -> None:
        if seat.is_open:
            seat.is_open = False
            self._in_turn.remove(seat)

    def _may_try_again(self, task: _Task, effects: list[Effect]) -> bool:
        if not task.is_wanted:
            return False
        task.tries += 1
        if task.tries < self.rules.tries_max:
            self.counts.redone += 1
            return True
        self._give_up(task, f"{task.tries} workers were lost with it", effects)
        return False

    def _give_up(self, task: _Task, reason: str, effects: list[Effect]) -> None:
        if self._open.pop(task.number, None) is not None:
            self.counts.given_up += 1
            effects.append(GiveUp(task.number, reason))

    def _place_anew(self, tasks: list[_Task], now_ns: int, effects: list[Effect]) -> None:
        for task in tasks:
            task.since_ns = now_ns
            self._place(task, effects)

    def _place(self, task: _Task, effects: list[Effect]) -> None:
        seat = self._homes.get(task.key)
        if seat is None or not seat.is_open:
            if not self._in_turn:
                self._unplaced.append(task)
                return
            seat = self._chosen()
            self._settle_in(task.key, seat)
        elif self.rules.keys_apart is not None and self._has_nothing_open(seat, task.key):
            seat = self._with_fewer_keys(seat, self.rules.keys_apart)
            if seat is not self._homes[task.key]:
                self.counts.spread += 1
                self._settle_in(task.key, seat)
        seat.waiting.append(task)
        self._give(seat, effects)

    def _chosen(self) -> _Seat:
        if self.rules.policy is Policy.ROUND_ROBIN:
            self._in_turn.rotate(-1)
            return self._in_turn[-1]
        return min(self._in_turn, key=lambda seat: (seat.load, seat.homes, seat.given))

    def _has_nothing_open(self, seat: _Seat, key: bytes) -> bool:
        return not seat.waiting and all(held.key != key for held in seat.held.values())

    def _with_fewer_keys(self, home: _Seat, keys_apart: int) -> _Seat:
        fewest = min(self._in_turn, key=lambda seat: (seat.homes, seat.load, seat.given))
        return fewest if _is_apart(home.homes, fewest.homes, keys_apart) else home

    def _settle_in(self, key: bytes, seat: _Seat) -> None:
        if not key:
            return
        before = self._homes.pop(key, None)
        if before is not None:
            before.homes -= 1
        elif len(self._homes) >= self.rules.keys_max:
            first = next(iter(self._homes))
            self._homes.pop(first).homes -= 1
        self._homes[key] = seat
        seat.homes += 1

    def _give(self, seat: _Seat, effects: list[Effect]) -> None:
        while seat.waiting and len(seat.held) < seat.window:
            task = seat.waiting.popleft()
            if task.is_wanted:
                self._attempts += 1
                seat.given = self._attempts
                seat.held[self._attempts] = task
                effects.append(Give(seat.worker, self._attempts, task.payload))

    def _go_on(self, seat: _Seat, now_ns: int, effects: list[Effect]) -> None:
        """Give a worker its next tasks, or others' tasks, or its leave."""
        self._give(seat, effects)
        if not seat.is_open:
            if not seat.held and self._seats.pop(seat.worker, None) is not None:
                effects.append(Release(seat.worker))
            return
        while seat.is_idle and self.rules.policy is Policy.LEAST_LOADED:
            if not self._relieve(seat, now_ns):
                return
            self._give(seat, effects)

    def _relieve(self, idle: _Seat, now_ns: int) -> bool:
        """Return whether the idle worker took over the task that waits longest elsewhere."""
        is_free = not idle.load
        found: tuple[_Seat, _Task] | None = None
        for seat in self._in_turn:
            task = self._movable(seat, now_ns, is_free=is_free) if seat.waiting else None
            if task is not None and (found is None or task.since_ns < found[1].since_ns):
                found = seat, task
        if found is None:
            return False
        seat, task = found
        if not task.key:
            seat.waiting.remove(task)
            idle.waiting.append(task)
            self.counts.moved += 1
            return True
        moved = [one for one in seat.waiting if one.key == task.key]
        seat.waiting = deque(one for one in seat.waiting if one.key != task.key)
        idle.waiting.extend(moved)
        self.counts.moved += len(moved)
        self._settle_in(task.key, idle)
        return True

    def _movable(self, seat: _Seat, now_ns: int, *, is_free: bool) -> _Task | None:
        patient_ns = now_ns - self.rules.patience_ns
        for task in islice(seat.waiting, _LOOKED_AT):
            if not task.key:
                return task
            if (
                is_free
                and task.since_ns <= patient_ns
                and all(held.key != task.key for held in seat.held.values())
            ):
                return task
        return None


def _is_apart(homes: int, fewest: int, keys_apart: int) -> bool:
    return homes - fewest >= max(keys_apart, homes // _SHARE_APART)
