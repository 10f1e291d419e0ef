"""A worker of the load-balancing broker."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.errors import RefusedError
from tandem.messaging.places import BYTES_MAX, NAME_BYTES_MAX, Connect
from tandem.messaging.sockets import LoopSocket

BEAT_NS: Final = 50_000_000
SILENCE_NS: Final = 250_000_000  # without a ping for so long, it says again that it is ready
ANEW_NS: Final = 2_000_000_000  # without one for so long, it connects anew, under another route

Hold = Callable[[bytes], Awaitable[bytes]]
Do = Callable[[bytes], bytes | Awaitable[bytes]]


class Worker:
    """Does the broker's tasks; it may start before the broker, and outlive it.

    `do` returns the outcome, or something to await for it. A plain return is faster, but the
    worker says nothing meanwhile, and a broker takes it for dead after 250 ms of that: what may
    take longer is awaited. It raises `RefusedError` for what no worker can do; anything else that
    it raises closes the worker and comes out of `run`.
    """

    def __init__(
        self, connect: Connect, do: Do, *, name: str, window: int = 2, hold: Hold | None = None
    ) -> None:
        """Open it on the running loop.

        Args:
            connect: where the broker is.
            do: does one task.
            name: whose life the broker watches; a later worker of that name replaces this one.
            window: tasks to have at a time, so that the next is there when one is done.
            hold: takes in what the broker gives before any task, and returns the SHA-256 of what
                is held then; what it raises closes the worker. Unless given, nothing is kept.

        Raises:
            ValueError: the name is empty or longer than 200 bytes.
            AddressError: `connect` is no address.
        """
        if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
            raise ValueError(f"a worker's name has 1 to {NAME_BYTES_MAX} bytes, got {name!r}")
        self._do = do
        self._hold = hold or _keep_nothing
        self._holding: asyncio.Task[None] | None = None
        self._window = window
        self._run: int | None = None  # of the broker that we have tasks from
        self._held: dict[int, asyncio.Task[None]] = {}
        self._heard_ns: int | None = None
        self._left: asyncio.Future[bool] | None = None
        self._words = msgspec.msgpack.Decoder(words.SetUp | words.Task | words.Ping | words.Goodbye)
        self.malformed = 0
        self._connect = connect
        self._name = name
        self._socket = self._open()

    def _open(self) -> LoopSocket:
        # Another life of the same name is another route, so that no task goes to the wrong one.
        route = f"{self._name}/{secrets.token_hex(8)}".encode()
        # What cannot be passed on now is not kept: the broker finds out by its pings.
        options: dict[zmq.SocketOption, int | bytes] = {zmq.ROUTING_ID: route, zmq.IMMEDIATE: 1}
        socket = LoopSocket(zmq.DEALER, self._connect, self._on_parts, options)
        self._opened_ns = socket.now_ns
        socket.every(BEAT_NS, self._on_beat)
        return socket

    @property
    def is_heard(self) -> bool:
        """Whether a broker has pinged it, or given it a task, within the last two seconds."""
        return self._heard_ns is not None and self._socket.now_ns - self._heard_ns < ANEW_NS

    async def leave(self, *, timeout_s: float) -> bool:
        """Finish what was begun, hand the rest back, close; return whether the broker agreed."""
        self._left = asyncio.get_running_loop().create_future()
        self._on_beat()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._left
        except TimeoutError:
            return False
        finally:
            self.close()

    async def run(self) -> None:
        """Return when this end was closed; raises what `do` raised."""
        while True:
            socket = self._socket
            await socket.run()
            if socket is self._socket:
                return

    def close(self) -> None:
        """Do nothing more; what is being awaited is canceled, and done elsewhere."""
        self._socket.close()
        self._cancel()

    def _cancel(self) -> None:
        held, self._held = self._held, {}
        for task in held.values():
            task.cancel()
        if self._holding is not None:
            self._holding.cancel()

    def _on_beat(self) -> None:
        if self._silence_ns >= ANEW_NS:
            self._socket.read_now()  # what came while this process was kept from reading
        if self._left is not None:
            self._say(words.Leaving())
        elif self._silence_ns >= ANEW_NS:
            # Whose key was refused once, ZeroMQ connects no more; it may be allowed by now.
            before, self._socket = self._socket, self._open()
            before.cut()
            self._cancel()
        elif self._heard_ns is None or self._silence_ns >= SILENCE_NS:
            self._say(words.Ready(self._window))

    @property
    def _silence_ns(self) -> int:
        return self._socket.now_ns - max(self._opened_ns, self._heard_ns or 0)

    def _say(self, word: words.Word) -> None:
        self._socket.send([words.encode(word)])

    def _on_parts(self, parts: list[bytes]) -> None:
        try:
            said = self._words.decode(parts[-1])
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        self._heard_ns = self._socket.now_ns
        if said.run != self._run:
            self._cancel()  # another broker is there: it knows nothing of what we have
            self._run = said.run
        if isinstance(said, words.Task):
            self._begin(said)
        elif isinstance(said, words.SetUp):
            self._take_in(said)
        elif isinstance(said, words.Ping):
            self._say(words.Pong(said.run, said.mark, list(self._held)))
        elif self._left is not None and not self._left.done():
            self._left.set_result(True)

    def _take_in(self, given: words.SetUp) -> None:
        async def confirm() -> None:
            digest = await self._hold(given.payload)
            self._say(words.Confirmed(given.run, given.number, digest))

        if self._holding is not None:
            self._holding.cancel()
        self._holding = asyncio.ensure_future(confirm())
        self._holding.add_done_callback(self._on_finished)

    def _begin(self, task: words.Task) -> None:
        try:
            made = self._do(task.payload)
        except RefusedError as error:
            self._say(words.Unable(task.run, task.attempt, str(error)))
            return
        if isinstance(made, bytes):
            self._say(_outcome(task, made))
            return
        doing = asyncio.ensure_future(self._finish(task, made))
        self._held[task.attempt] = doing
        doing.add_done_callback(self._on_finished)

    async def _finish(self, task: words.Task, made: Awaitable[bytes]) -> None:
        try:
            word = _outcome(task, await made)
        except RefusedError as error:
            word = words.Unable(task.run, task.attempt, str(error))
        if self._held.pop(task.attempt, None) is not None:
            self._say(word)

    def _on_finished(self, doing: asyncio.Task[None]) -> None:
        if not doing.cancelled():
            self._socket.guard(doing.result)


async def _keep_nothing(payload: bytes) -> bytes:
    return sha256(payload).digest()


def _outcome(task: words.Task, payload: bytes) -> words.Word:
    if len(payload) <= BYTES_MAX:
        return words.Done(task.run, task.attempt, payload)
    return words.Unable(task.run, task.attempt, f"its outcome has {len(payload)} bytes")
