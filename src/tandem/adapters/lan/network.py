"""TLS 1.3 over TCP between the computers of one pool, certificates at both ends.

Whoever is not certified ends at the handshake. Whoever is, but was removed, is told so in one line
right after it, and the line is the first thing on every connection: one byte with its length, 0
for "come in". So the caller of `connect` learns why it was refused, and does not find an open
connection that ends at once.

TCP_NODELAY is set by asyncio and uvloop alike.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from tandem.adapters.lan.addresses import address_text, split_address
from tandem.adapters.lan.contexts import SERVER_NAME
from tandem.adapters.lan.machines import Certified
from tandem.domain.errors import ConfigurationError
from tandem.ports import Listener, Peer

HANDSHAKE_S: Final = 5.0
CONNECT_S: Final = 5.0
HANDSHAKES_MAX: Final = 128  # at once, of everybody
HANDSHAKES_OF_ONE_MAX: Final = 32
LOOK_EVERY_S: Final = 0.5
_BACKLOG: Final = 128
_REASON_MAX: Final = 255
_BUFFER_BYTES: Final = 262_144
_SHORTAGE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_SHORTAGE_PAUSE_S: Final = 1.0

Refusal = Callable[[Certified], str]


class TurnedAwayError(ConnectionRefusedError):
    """The other end knows who we are, and said why it does not let us in."""


class RemotePeer(msgspec.Struct, frozen=True, kw_only=True):
    """Satisfies `tandem.ports.Peer`."""

    machine: str
    pid: int = 0
    started: int = 0


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """How connections are taken.

    `refusal` is asked about each certified caller, and from then on twice a second; a text that is
    not empty keeps it out. Without certificates it is not asked.
    """

    context: ssl.SSLContext
    refusal: Refusal = lambda _caller: ""
    handshake_s: float = HANDSHAKE_S


class TlsNetwork:
    """Satisfies `tandem.ports.Network`; an address is `host:port`.

    `say` is told who was refused and why, at either end; a caller that tries again and again is
    told of each new reason once. `on_refused` is called when the other end knows us and does not
    let us in.
    """

    def __init__(
        self,
        *,
        door: Door | None = None,
        dialing: ssl.SSLContext | None = None,
        say: Callable[[str], None],
        on_refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._door = door
        self._dialing = dialing
        self._say = say
        self._on_refused = on_refused
        self._told: dict[str, str] = {}

    async def listen(self, address: str, make: Callable[[], asyncio.Protocol]) -> Listener:
        """See `Network.listen`; port 0 takes a free one, which the listener's `address` names."""
        assert self._door is not None, "this network only dials"
        host, port = split_address(address)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise OSError(error.errno, f"{address}: {error.strerror}") from error
        return TlsListener(listening, make, self._door, self._say)

    async def connect(self, address: str, make: Callable[[], asyncio.Protocol]) -> None:
        """See `Network.connect`.

        Raises:
            OSError: nobody listens there, the other end is not of our pool, or it refused us;
                says which.
        """
        assert self._dialing is not None, "this network only listens"
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._dial(self._dialing, address, make)
        except OSError as error:  # TLS errors and time-outs among them
            reason = f"{address}: {_described(error)}"
            if self._told.get(address) != reason:
                self._told[address] = reason
                self._say(reason)
            if isinstance(error, TurnedAwayError):
                self._on_refused(reason)
            raise _kind(error)(reason) from error
        self._told.pop(address, None)

    async def _dial(
        self, context: ssl.SSLContext, address: str, make: Callable[[], asyncio.Protocol]
    ) -> None:
        host, port = split_address(address)
        caller = _Caller(make)
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: caller,
            host,
            port,
            ssl=context,
            server_hostname=SERVER_NAME,
            ssl_handshake_timeout=HANDSHAKE_S,
        )
        try:
            await caller.admitted
        except BaseException:
            transport.abort()
            raise

    def peer(self, transport: asyncio.BaseTransport) -> Peer | None:
        """See `Network.peer`."""
        if transport.is_closing():
            return None
        caller = certified(transport)
        return RemotePeer(machine=caller.name) if caller is not None else None


def refuse_taken(address: str) -> None:
    """See that we could listen there.

    Raises:
        ConfigurationError: we could not.
    """
    host, port = split_address(address)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        raise ConfigurationError(f"cannot listen at {address}: {error.strerror}") from error


class TlsListener:
    """Accepts connections, sees them through the handshake, and watches who they are."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        door: Door,
        say: Callable[[str], None],
    ) -> None:
        host, port = listening.getsockname()[:2]
        self.address = address_text(host, port)
        self._listening = listening
        self._make = make
        self._door = door
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._shaking: dict[asyncio.Task[None], str] = {}
        self._of_host: Counter[str] = Counter()
        self._guests: dict[_Guest, Certified] = {}
        self._looking: asyncio.TimerHandle | None = None
        self._is_open = True
        self._resume()

    def close(self) -> None:
        """See `Listener.close`."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._listening.fileno())
        self._listening.close()

    def _resume(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._listening.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        for _ in range(_BACKLOG):
            try:
                connection, where = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _SHORTAGE:
                    raise
                # Out of descriptors or memory: asking again at once would only burn the CPU.
                self._loop.remove_reader(self._listening.fileno())
                self._loop.call_later(_SHORTAGE_PAUSE_S, self._resume)
                return
            self._welcome(connection, str(where[0]))

    def _welcome(self, connection: socket.socket, host: str) -> None:
        if len(self._shaking) >= HANDSHAKES_MAX or self._of_host[host] >= HANDSHAKES_OF_ONE_MAX:
            self._say(f"{host} refused: too many connections are not past their handshake")
            connection.close()
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._shake_hands(connection, host))
        self._shaking[task] = host
        self._of_host[host] += 1
        task.add_done_callback(self._on_shaken)

    async def _shake_hands(self, connection: socket.socket, host: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: _Guest(self, host),
                connection,
                ssl=self._door.context,
                ssl_handshake_timeout=self._door.handshake_s,
            )
        except OSError as error:  # TLS errors among them
            connection.close()
            self._say(f"{host} refused: {_described(error)}")

    def _on_shaken(self, task: asyncio.Task[None]) -> None:
        """Make room for the next; pass on our own bugs."""
        host = self._shaking.pop(task)
        self._of_host[host] -= 1
        if not self._of_host[host]:
            del self._of_host[host]
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                raise error

    def admit(self, guest: "_Guest", host: str) -> None:
        """Let a caller in, or tell it why not."""
        transport = guest.transport
        assert transport is not None, "admitted before the handshake"
        caller = certified(transport)
        reason = self._door.refusal(caller) if caller is not None else ""
        if reason:
            self._say(f"{host} refused: {reason}")
            told = reason.encode()[:_REASON_MAX]
            transport.write(bytes([len(told)]) + told)
            transport.close()
            return
        transport.write(b"\0")
        if caller is not None:
            self._guests[guest] = caller
            if self._looking is None:
                self._looking = self._loop.call_later(LOOK_EVERY_S, self._look)
        guest.hand_over(self._make())

    def forget(self, guest: "_Guest") -> None:
        """A connection is over."""
        self._guests.pop(guest, None)

    def _look(self) -> None:
        """Drop the connections of those that were removed meanwhile."""
        self._looking = None
        for guest, caller in list(self._guests.items()):
            reason = self._door.refusal(caller)
            if reason and guest.transport is not None:
                self._say(f"a connection of {caller.name} is ended: {reason}")
                guest.transport.abort()
        if self._guests:
            self._looking = self._loop.call_later(LOOK_EVERY_S, self._look)


class _Stream(asyncio.BufferedProtocol):
    """Between TLS and the protocol, from the handshake on.

    A plain protocol would be given a new object of 256 KB for each read, most of it given back at
    once, and that costs more than TLS does. All streams share one buffer: it is filled and copied
    out of in one call, so no two ever use it at once.
    """

    def __init__(self) -> None:
        self.protocol: asyncio.Protocol | None = None
        self.transport: asyncio.Transport | None = None

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let `protocol` have the connection from now on."""
        assert self.transport is not None, "handed over before the handshake"
        self.protocol = protocol
        protocol.connection_made(self.transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over, as far as this end can see."""
        # Not asked with isinstance: uvloop's transports do not derive from asyncio's.
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's
        """Return where to put what comes."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came."""
        self.take(bytes(_BUFFER[:nbytes]))

    def take(self, data: bytes) -> None:
        """Hand on what came; before the protocol is there, nothing should."""
        if self.protocol is not None:
            self.protocol.data_received(data)

    def eof_received(self) -> bool:
        """The other end is done, and so are we."""
        return False

    def pause_writing(self) -> None:
        """Hand on that too much is on its way."""
        if self.protocol is not None:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that there is room again."""
        if self.protocol is not None:
            self.protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on that it is over."""
        if self.protocol is not None:
            self.protocol.connection_lost(exc)


class _Guest(_Stream):
    """The serving end: it says at once whether the caller is let in."""

    def __init__(self, listener: TlsListener, host: str) -> None:
        super().__init__()
        self._listener = listener
        self._host = host

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over, and we know who it is."""
        super().connection_made(transport)
        self._listener.admit(self, self._host)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._listener.forget(self)
        super().connection_lost(exc)


class _Caller(_Stream):
    """The calling end: it waits to be let in."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        super().__init__()
        self._make = make
        self._heard = b""
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, data: bytes) -> None:
        """Hear whether we are in, and hand over."""
        if self.protocol is not None:
            self.protocol.data_received(data)
            return
        if self.admitted.done():
            return
        self._heard += data
        length = self._heard[0]
        if len(self._heard) <= length:
            return
        told, rest = self._heard[1 : length + 1], self._heard[length + 1 :]
        if told:
            text = told.decode("utf-8", "replace")
            self._end(TurnedAwayError(f"refused: {_printable(text)}"))
            return
        self.hand_over(self._make())
        self.admitted.set_result(None)
        if rest:
            self.take(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, perhaps before we were in."""
        self._end(exc if exc is not None else ConnectionResetError(_NOT_LET_IN))
        super().connection_lost(exc)

    def _end(self, error: Exception) -> None:
        if not self.admitted.done():
            self.admitted.set_exception(error)


_BUFFER: Final = memoryview(bytearray(_BUFFER_BYTES))
_NOT_LET_IN: Final = (
    "the other end hung up instead of letting us in: it does not take our certificate "
    "(of another pool, or expired), or it has too many callers"
)


def certified(transport: asyncio.BaseTransport) -> Certified | None:
    """Return what the other end's certificate says; None when it has none."""
    found: dict[str, Any] = transport.get_extra_info("peercert") or {}
    for relative in found.get("subject", ()):
        for key, value in relative:
            if key == "commonName":
                return Certified(str(value), str(found.get("serialNumber", "")))
    return None


def _kind(error: OSError) -> type[OSError]:
    if isinstance(error, ssl.SSLError):
        return ConnectionRefusedError
    return type(error) if isinstance(error, ConnectionError | TimeoutError) else OSError


def _described(error: OSError) -> str:
    """Return what went wrong, for people."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not one of this pool ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).lower().replace("_", " ")
        return f"{_EXPLAINED.get(error.reason or '', 'TLS failed')} ({reason})"
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno).lower()


_EXPLAINED: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate",
    "HTTP_REQUEST": "it does not speak TLS",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it does not speak TLS 1.3",
    "NO_PROTOCOLS_AVAILABLE": "it does not speak TLS 1.3",
    "UNEXPECTED_EOF_WHILE_READING": "it hung up",
    "TLSV1_ALERT_UNKNOWN_CA": "our certificate is of another pool",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate",
}


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
