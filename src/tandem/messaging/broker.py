"""The load-balancing broker: the sockets around `balancer`, which decides.

Workers connect to it; tasks are submitted in its own process (for submitters elsewhere, let a
`Server` submit: examples/messaging shows it). Tasks, pings and farewells go to a worker over one
connection and in order, and so do its outcomes and pongs: `balancer` builds on that.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Final

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.balancer import (
    Balancer,
    Counts,
    Effect,
    Give,
    GiveUp,
    Release,
    Rules,
    Settle,
    WorkerLoad,
)
from tandem.messaging.errors import ClosedError, FullError, MessagingError, TaskFailedError
from tandem.messaging.places import Bind
from tandem.messaging.setting_up import Newcomers, SetUp, Verdict
from tandem.messaging.sockets import LoopSocket

BEAT_NS: Final = 50_000_000
_BATCHES: Final = 20  # of messages, read before the silent are judged

Said = words.Ready | words.Leaving | words.Confirmed | words.Pong | words.Done | words.Unable
OnOutcome = Callable[[bytes | MessagingError], None]


class Broker:
    """Gives tasks to workers, and exactly one outcome of each to whoever submitted it."""

    def __init__(
        self, at: Bind, rules: Rules | None = None, *, run: int, set_up: SetUp | None = None
    ) -> None:
        """Open it on the running loop; workers may be there already, or come later.

        `run` is another number at each start, such as the time of the start, so that what a
        worker has from an earlier broker is not taken for ours. With `set_up`, a worker has no
        task before it has confirmed by a hash that it holds what it was given.

        Raises:
            AddressError: `at` cannot be bound.
        """
        self._balancer = Balancer(rules)
        self._run = run
        self._set_up = set_up
        self._newcomers = Newcomers(self._balancer.rules.workers_max)
        self._making: dict[asyncio.Task[None], None] = {}
        self._waiting: dict[int, OnOutcome] = {}
        self._due: deque[Effect] = deque()
        self._is_performing = False
        self._words: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)
        self.malformed = 0
        # A worker is known by the number of its door, in one byte, and its route behind that one.
        self._doors: list[LoopSocket] = []
        self._places: list[str] = []
        self._socket = self._open(at, 0)
        self._doors.append(self._socket)
        self._places.append(at.address)
        self._socket.every(BEAT_NS, self._on_beat)

    def _open(self, at: Bind, number: int) -> LoopSocket:
        def on_parts(parts: list[bytes]) -> None:
            # Whatever goes wrong ends the broker, and not only the door at which it came in.
            self._socket.guard(partial(self._on_parts, socket, bytes([number]), parts))

        # Mandatory: a worker whose connection ended is known at the next send.
        options: dict[zmq.SocketOption, int | bytes] = {
            zmq.ROUTER_MANDATORY: 1,
            zmq.ROUTER_HANDOVER: 1,
        }
        socket = LoopSocket(zmq.ROUTER, at, on_parts, options)
        return socket

    @property
    def counts(self) -> Counts:
        """What happened beside the ordinary, since the start."""
        return self._balancer.counts

    @property
    def open_tasks(self) -> int:
        """How many tasks await their outcome."""
        return self._balancer.open_tasks

    def admit(self, at: Bind) -> None:
        """Let workers connect at another address as well.

        When that stands open already, everybody who is connected there is cut off first, and
        judged anew by the keys: their tasks are done elsewhere. Where `at` has a function for its
        allowed keys, a worker's name is its holder's, a hyphen, and what has no hyphen.

        Raises:
            AddressError: `at` cannot be bound; then nobody can connect there.
        """
        if at.address in self._places:
            number = self._places.index(at.address)
            self._doors[number].cut()
            self._forget(bytes([number]))
            self._doors[number] = self._open(at, number)
        else:
            self._doors.append(self._open(at, len(self._doors)))
            self._places.append(at.address)

    def _forget(self, door: bytes) -> None:
        """Have done elsewhere what the workers of a door had."""
        gone = [one.worker for one in self._balancer.loads() if one.worker.startswith(door)]
        for worker in self._newcomers:
            if worker.startswith(door):
                self._newcomers.forget(worker)
        for leaves in (self._balancer.on_leaving, self._balancer.on_lost):
            # All leave before the first is lost, so that no task goes from one to the next.
            for worker in gone:
                self._perform(leaves(worker, self._socket.now_ns))

    def has_home(self, key: bytes) -> bool:
        """Return whether there is a worker that the tasks of that key go to."""
        return self._balancer.has_home(key)

    def due_to_newcomer(self) -> dict[bytes, None]:
        """Return the keys that a worker which comes now will probably take over from another."""
        return self._balancer.due_to_newcomer()

    def workers(self) -> list[WorkerLoad]:
        """Return every worker and its load, in the order of their coming."""
        return self._balancer.loads()

    async def submit(self, key: bytes, *, payload: bytes) -> bytes:
        """Return the outcome of a task; tasks of one key go to one worker, in order, if possible.

        Raises:
            TaskFailedError: a worker refused it, or too many workers were lost with it.
            FullError: as many tasks are open as the rules allow; nothing was taken.
            TooLargeError: no worker would read it; nothing was taken.
            ClosedError: the broker is closed, or was meanwhile.
        """
        outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def on_outcome(found: bytes | MessagingError) -> None:
            if outcome.done():
                return
            if isinstance(found, bytes):
                outcome.set_result(found)
            else:
                outcome.set_exception(found)

        number = self.give(key, payload=payload, on_outcome=on_outcome)
        try:
            return await outcome
        finally:
            self.abandon(number)

    def give(self, key: bytes, *, payload: bytes, on_outcome: OnOutcome) -> int:
        """Return the number of a task whose one outcome will be handed to `on_outcome`.

        Cheaper than `submit`, which makes a future. `on_outcome` is called on the loop, never
        before this returns; what it raises comes out of `run`. Raises what `submit` raises.
        """
        self._socket.check(payload)
        number, effects = self._balancer.submit(key, payload=payload, now_ns=self._socket.now_ns)
        if number is None:
            raise FullError(f"{self._balancer.open_tasks} tasks are open, the most")
        self._waiting[number] = on_outcome
        self._perform(effects)
        return number

    def abandon(self, number: int) -> None:
        """Want no outcome of that task any more."""
        if self._waiting.pop(number, None) is not None:
            self._balancer.abandon(number)

    def lost(self, name: str) -> None:
        """Take every worker of that name for dead, at once: its tasks are done elsewhere.

        For whoever knows before the heartbeats do, such as the one that started the process.
        """
        for worker in self._balancer.named(name):
            self._perform(self._balancer.on_lost(worker, self._socket.now_ns))

    async def run(self) -> None:
        """Return when this end was closed; raises what an `on_outcome` raised."""
        await self._socket.run()

    def close(self) -> None:
        """Give and take nothing more; whoever awaits an outcome gets a ClosedError."""
        if not self._socket.is_open:
            return
        for door in self._doors:
            door.close()
        for making in self._making:
            making.cancel()
        waiting, self._waiting = self._waiting, {}
        for on_outcome in waiting.values():
            on_outcome(ClosedError("the broker was closed"))

    def _on_beat(self) -> None:
        # All that has arrived is heard before anybody is called silent. When there is too much of
        # it, nobody is; a worker whose connection ended is found by its ping all the same.
        if any(self._has_read_all() for _ in range(_BATCHES)):
            self._perform(self._balancer.on_tick(self._socket.now_ns))
        for load in self._balancer.loads():
            self._ping(load.worker)
        for worker in self._newcomers:
            self._ping(worker)
        for worker in self._newcomers.late(self._socket.now_ns):
            self._set_up_again(worker)

    def _has_read_all(self) -> bool:
        return all([one.read_now() for one in self._doors if one.is_open])

    def _send(self, worker: bytes, word: words.Word) -> bool:
        """Return whether it is on its way."""
        door = self._doors[worker[0]]
        return door.is_open and door.send([worker[1:], words.encode(word)])

    def _ping(self, worker: bytes) -> None:
        """Ping; every task up to the mark has been sent, because nothing is being performed."""
        self._balancer.ping(worker, self._socket.now_ns)
        ping = words.Ping(self._run, self._balancer.attempts)
        if not self._send(worker, ping):
            self._newcomers.forget(worker)
            self._perform(self._balancer.on_lost(worker, self._socket.now_ns))

    def _on_parts(self, door: LoopSocket, number: bytes, parts: list[bytes]) -> None:
        worker = number + parts[0]
        try:
            said = self._words.decode(parts[-1])
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        if door.holder and _name(worker).rpartition("-")[0] != door.holder:
            self.malformed += 1
            return
        self._perform(self._heard(worker, said))
        if isinstance(said, words.Ready):
            self._ping(worker)  # so that it knows that we know it

    def _heard(self, worker: bytes, said: Said) -> list[Effect]:
        now_ns = self._socket.now_ns
        if isinstance(said, words.Ready):
            if self._set_up is None or self._balancer.knows(worker):
                return self._let_in(worker, said.window)
            if self._newcomers.on_ready(worker, said.window):
                self._begin_set_up(worker, self._set_up)
            return []
        if isinstance(said, words.Leaving):
            self._newcomers.forget(worker)
            return self._balancer.on_leaving(worker, now_ns)
        if said.run != self._run:
            self.counts.late += isinstance(said, words.Done)
            return []
        if isinstance(said, words.Confirmed):
            return self._confirmed(worker, said)
        if isinstance(said, words.Pong):
            return self._balancer.on_pong(worker, mark=said.mark, held=said.held, now_ns=now_ns)
        if isinstance(said, words.Done):
            return self._balancer.on_done(worker, said.attempt, payload=said.payload, now_ns=now_ns)
        return self._balancer.on_unable(worker, said.attempt, reason=said.reason, now_ns=now_ns)

    def _let_in(self, worker: bytes, window: int) -> list[Effect]:
        now_ns = self._socket.now_ns
        return self._balancer.on_ready(worker, name=_name(worker), window=window, now_ns=now_ns)

    def _begin_set_up(self, worker: bytes, set_up: SetUp) -> None:
        async def give() -> None:
            content = await set_up.make()
            digest = sha256(content).digest()
            now_ns = self._socket.now_ns
            number = self._newcomers.on_given(worker, digest=digest, now_ns=now_ns)
            if number is not None:
                self._send(worker, words.SetUp(self._run, number, content))

        making = asyncio.ensure_future(give())
        self._making[making] = None
        making.add_done_callback(self._on_made)

    def _on_made(self, making: "asyncio.Task[None]") -> None:
        self._making.pop(making, None)
        if not making.cancelled():
            self._socket.guard(making.result)

    def _confirmed(self, worker: bytes, said: words.Confirmed) -> list[Effect]:
        verdict = self._newcomers.on_confirmed(worker, said.number, digest=said.digest)
        if verdict is Verdict.RIGHT:
            return self._let_in(worker, self._newcomers.let_in(worker))
        if verdict is Verdict.WRONG:
            self._set_up_again(worker)
        return []

    def _set_up_again(self, worker: bytes) -> None:
        """Give it everything once more, if it may try; tell that it does not hold it."""
        assert self._set_up is not None, "nobody was given anything"
        if self._newcomers.may_try(worker):
            self._begin_set_up(worker, self._set_up)
        self._set_up.on_wrong(_name(worker))

    def _perform(self, effects: list[Effect]) -> None:
        """Do it in order, also when a submitter that is told an outcome submits the next task."""
        self._due.extend(effects)
        if self._is_performing:
            return
        self._is_performing = True
        try:
            while self._due and self._socket.is_open:
                self._do(self._due.popleft())
        finally:
            self._is_performing = False

    def _do(self, effect: Effect) -> None:
        match effect:
            case Give():
                # If its connection has ended, the next ping finds out.
                task = words.Task(self._run, effect.attempt, effect.payload)
                self._send(effect.worker, task)
            case Settle():
                self._tell(effect.task, effect.payload)
            case GiveUp():
                self._tell(effect.task, TaskFailedError(effect.reason))
            case Release():
                self._send(effect.worker, words.Goodbye(self._run))

    def _tell(self, number: int, outcome: bytes | MessagingError) -> None:
        on_outcome = self._waiting.pop(number, None)
        if on_outcome is not None:
            on_outcome(outcome)


def _name(worker: bytes) -> str:
    """Return what a worker calls itself, by its door and route."""
    return worker[1:].rpartition(b"/")[0].decode("utf-8", "replace")
