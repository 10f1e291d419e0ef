"""One ZeroMQ socket on an asyncio loop, stock or uvloop, without threads and without futures.

ZeroMQ says through a file descriptor that something changed, once for each change (an edge), and
anything that we do with the socket may use that edge up unseen. So the rule is: after every edge,
every receive and every send, look at `ZMQ_EVENTS` again before waiting for the next edge. `_drain`
reads until nothing is there; `send` books a `_drain` for this turn of the loop. `zmq.asyncio`
keeps the same rule with a future for each message, and is several times as slow.
"""

import asyncio
import errno
from collections.abc import Callable, Mapping
from typing import Final

import zmq
import zmq.utils.z85

from tandem.messaging.errors import AddressError, ClosedError, TooLargeError
from tandem.messaging.places import BYTES_MAX, OVERHEAD, Bind, BindKeys, Holder, Place

BATCH: Final = 256  # messages read before other work of the loop has its turn
_ZAP: Final = "inproc://zeromq.zap.01"  # where libzmq asks who may connect (ZeroMQ RFC 27)
_LINGER_MS: Final = 200  # how long closing may wait for what was sent last
_RECONNECT_MS: Final = 20
_RECONNECT_MS_MAX: Final = 500
_HEARTBEAT_MS: Final = 1_000  # on TCP, so that a cut cable ends the connection
_SILENCE_MS: Final = 3_000

# As plain numbers: enums cost more to combine than a message to receive.
_EVENTS: Final = int(zmq.EVENTS)
_READABLE: Final = int(zmq.POLLIN)
_AT_ONCE: Final = int(zmq.NOBLOCK)

OnMessage = Callable[[list[bytes]], None]
Options = Mapping[zmq.SocketOption, int | bytes]


class LoopSocket:
    """A socket whose messages are handed to one function, in the order of their arrival.

    An error that the function raises closes the socket and comes out of `run`: nothing is
    swallowed. Nothing sent is waited for: `send` says whether the socket took it.
    """

    def __init__(
        self,
        kind: zmq.SocketType,
        place: Place,
        on_message: OnMessage,
        options: Options | None = None,
        *,
        context: "zmq.Context[zmq.Socket[bytes]] | None" = None,
    ) -> None:
        """Open it on the running loop.

        Raises:
            AddressError: `place` cannot be bound or connected to; nothing is left open.
        """
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._is_open = True
        self._is_due = self._is_paused = False
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._own_context = None if context else zmq.Context[zmq.Socket[bytes]]()
        self._zap: LoopSocket | None = None
        self._names_holders = isinstance(place.keys, BindKeys) and callable(place.keys.allowed)
        self.holder = ""  # who sent the message in hand, where keys have named holders
        here = context or self._own_context
        assert here is not None
        self._socket = here.socket(kind)
        try:
            self._set_up(here, place, options or {})
        except zmq.ZMQError as error:
            self._release()
            raise AddressError(f"{place.address}: {_reason(error)}") from error
        self._file = int(self._socket.get(zmq.FD))
        self._loop.add_reader(self._file, self._on_edge)
        self._book()

    @property
    def is_open(self) -> bool:
        """Whether it was not closed, by us or by an error."""
        return self._is_open

    @property
    def now_ns(self) -> int:
        """The loop's clock, in nanoseconds; it never goes back."""
        return int(self._loop.time() * 1_000_000_000)

    def send(self, parts: list[bytes]) -> bool:
        """Return whether the socket took the message; what it does not take is gone.

        Raises:
            TooLargeError: a part is longer than any peer would read.
            ClosedError: the socket is closed.
        """
        self.check(parts[-1], allowance=OVERHEAD)
        try:
            self._socket.send_multipart(parts, _AT_ONCE)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return False
        finally:
            self._book()
        return True

    def check(self, payload: bytes, *, allowance: int = 0) -> None:
        """Raise what `send` would raise of a message with this payload."""
        if not self._is_open:
            raise ClosedError("this end is closed")
        if len(payload) > BYTES_MAX + allowance:
            raise TooLargeError(f"{len(payload)} bytes in a message, at most {BYTES_MAX}")

    def every(self, interval_ns: int, do: Callable[[], None]) -> None:
        """Call `do` again and again until the socket is closed, first after one interval."""
        self._timers[do] = self._loop.call_later(interval_ns / 1e9, self._tick, interval_ns, do)

    def read_now(self) -> bool:
        """Hand over what has arrived, before somebody judges who is silent; False: not all yet."""
        return self._drain()

    def pause(self) -> None:
        """Read nothing more, so that the peers' messages wait, and are dropped where they must."""
        self._is_paused = True

    def resume(self) -> None:
        """Read again."""
        self._is_paused = False
        self._book()

    def guard(self, do: Callable[[], object]) -> None:
        """Call `do`; an error closes the socket and comes out of `run`."""
        try:
            do()
        except ClosedError:
            if self._is_open:
                raise  # somebody else's
        except Exception as error:
            if not self._is_open:
                raise  # too late for `run`: the loop reports it
            self._close(error)

    async def run(self) -> None:
        """Return when the socket was closed.

        Raises:
            Exception: what the function that it hands its messages to has raised.
        """
        await asyncio.shield(self._ended)

    def close(self) -> None:
        """Send what was taken, wait at most 200 ms for that, and let go of the address."""
        self._close(None)

    def cut(self) -> None:
        """Close at once: what was sent last may not arrive, and every connection ends."""
        if self._is_open:
            self._socket.set(zmq.LINGER, 0)
            self._close(None)

    def _close(self, error: Exception | None) -> None:
        if not self._is_open:
            return
        self._is_open = False
        for timer in self._timers.values():
            timer.cancel()
        self._loop.remove_reader(self._file)
        self._release()
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    def _set_up(
        self, context: "zmq.Context[zmq.Socket[bytes]]", place: Place, options: Options
    ) -> None:
        socket = self._socket
        socket.set(zmq.LINGER, _LINGER_MS)
        socket.set(zmq.IPV6, int("[" in place.address))
        socket.set(zmq.MAXMSGSIZE, BYTES_MAX + OVERHEAD)
        socket.set(zmq.RECONNECT_IVL, _RECONNECT_MS)
        socket.set(zmq.RECONNECT_IVL_MAX, _RECONNECT_MS_MAX)
        socket.set(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.set(zmq.HEARTBEAT_TIMEOUT, _SILENCE_MS)
        for option, value in options.items():
            socket.set(option, value)
        keys = place.keys
        if keys is not None:
            socket.set(zmq.CURVE_PUBLICKEY, keys.own.public)
            socket.set(zmq.CURVE_SECRETKEY, keys.own.secret)
        if not isinstance(place, Bind):
            if place.keys is not None:
                socket.set(zmq.CURVE_SERVERKEY, place.keys.server)
            socket.connect(place.address)
            return
        if place.keys is not None:
            socket.set(zmq.CURVE_SERVER, 1)
            # libzmq asks at this address who may connect; in a domain that is enforced, it lets
            # nobody in when nobody is there to be asked.
            socket.set(zmq.ZAP_DOMAIN, b"tandem")
            socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
            self._zap = _zap(context, place.keys.allowed, self.guard)
        socket.bind(place.address)

    def _release(self) -> None:
        self._socket.close()
        if self._zap is not None:
            self._zap.close()
        if self._own_context is not None:
            self._own_context.term()

    def _tick(self, interval_ns: int, do: Callable[[], None]) -> None:
        self.guard(do)
        if self._is_open:
            self.every(interval_ns, do)

    def _book(self) -> None:
        if not self._is_due and self._is_open:
            self._is_due = True
            self._loop.call_soon(self._on_due)

    def _on_due(self) -> None:
        self._is_due = False
        self._on_edge()

    def _on_edge(self) -> None:
        self.guard(self._drain)

    def _drain(self) -> bool:
        """Hand over a batch; return whether nothing is left."""
        receive, events = self._socket.recv_multipart, self._socket.get
        for _ in range(BATCH):
            # A message may have closed or paused us.
            if not self._is_open or self._is_paused or not int(events(_EVENTS)) & _READABLE:
                return True
            try:
                parts = self._receive_named() if self._names_holders else receive(_AT_ONCE)
            except zmq.Again:
                return True
            self._on_message(parts)
        self._book()
        return False

    def _receive_named(self) -> list[bytes]:
        """Return the next message; its sender's holder is what was said at the handshake."""
        frames = self._socket.recv_multipart(_AT_ONCE, copy=False)
        self.holder = str(frames[0].get("User-Id"))
        return [frame.bytes for frame in frames]


def _zap(
    context: "zmq.Context[zmq.Socket[bytes]]",
    allowed: frozenset[bytes] | Holder,
    guard: Callable[[Callable[[], object]], None],
) -> LoopSocket:
    """Return the socket that answers libzmq's question whether a key may connect.

    What `allowed` raises closes the socket that it answers for.
    """
    holder: Holder = allowed if callable(allowed) else lambda key: "" if key in allowed else None

    def judge(parts: list[bytes]) -> None:
        version, request, _domain, _address, _identity, _mechanism, *credentials = parts
        name = holder(zmq.utils.z85.encode(credentials[0])) if len(credentials) == 1 else None
        verdict = [b"400", b"unknown key"] if name is None else [b"200", b"OK"]
        socket.send([version, request, *verdict, (name or "").encode(), b""])

    socket = LoopSocket(
        zmq.REP, Bind(_ZAP), lambda parts: guard(lambda: judge(parts)), context=context
    )
    return socket


def _reason(error: zmq.ZMQError) -> str:
    return "longer than a path can be" if error.errno == errno.ENAMETOOLONG else error.strerror
