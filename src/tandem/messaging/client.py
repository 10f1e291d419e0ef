"""The asking end of request-reply."""

import asyncio
import secrets
from typing import Final

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.errors import ClosedError, FullError, NoAnswerError, RefusedError
from tandem.messaging.places import Connect
from tandem.messaging.sockets import LoopSocket

OPEN_MAX: Final = 1_000  # requests of one client that await their answer
RETRY_NS: Final = 250_000_000
CHECK_NS: Final = 20_000_000


class _Question:
    """A request that awaits its answer."""

    __slots__ = ("answer", "payload", "sent_ns")

    def __init__(self, payload: bytes, answer: asyncio.Future[bytes]) -> None:
        self.payload = payload
        self.answer = answer
        self.sent_ns: int | None = None  # None: the server is not there yet


class Client:
    """Asks one server; it may start before it, and the server may be started anew meanwhile.

    A request is sent again every `retry_ns` under the same number until its answer comes, so a
    server that lives carries it out once. A server that was started anew has forgotten what the
    one before did, and carries it out again.
    """

    def __init__(self, at: Connect, *, retry_ns: int = RETRY_NS) -> None:
        """Open it on the running loop.

        Raises:
            AddressError: `at` is no address.
        """
        self._name = secrets.token_bytes(16)
        self._next = 0
        self._open: dict[int, _Question] = {}
        self._retry_ns = retry_ns
        self._words = msgspec.msgpack.Decoder(words.Reply | words.Refusal)
        self.malformed = 0
        # What the socket cannot pass on now is sent again in its time, so it keeps no queue.
        self._socket = LoopSocket(zmq.DEALER, at, self._on_parts, {zmq.IMMEDIATE: 1})
        self._socket.every(CHECK_NS, self._on_check)

    async def ask(self, payload: bytes, *, timeout_s: float) -> bytes:
        """Return the server's answer.

        Raises:
            NoAnswerError: none came in `timeout_s`: nobody knows whether it was carried out.
            RefusedError: the server refused it.
            FullError: 1,000 requests are open.
            TooLargeError: no server would read it.
            ClosedError: this end is closed, or was while the answer was awaited.
        """
        self._socket.check(payload)
        if len(self._open) >= OPEN_MAX:
            raise FullError(f"{OPEN_MAX} requests await their answer, the most")
        number = self._next
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        question = self._open[number] = _Question(payload, answer)
        self._next += 1
        try:
            self._send(number, question)
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError as error:
            raise NoAnswerError(f"request {number}: no answer in {timeout_s} s") from error
        finally:
            del self._open[number]

    async def run(self) -> None:
        """Return when this end was closed."""
        await self._socket.run()

    def close(self) -> None:
        """Ask nothing more; whoever awaits an answer gets a ClosedError."""
        self._socket.close()
        for question in self._open.values():
            if not question.answer.done():
                question.answer.set_exception(ClosedError("this end was closed"))

    def _send(self, number: int, question: _Question) -> None:
        done_below = next(iter(self._open))  # they stand in the order of their numbers
        request = words.Request(self._name, number, done_below, question.payload)
        is_taken = self._socket.send([words.encode(request)])
        question.sent_ns = self._socket.now_ns if is_taken else None

    def _on_check(self) -> None:
        now_ns = self._socket.now_ns
        for number, question in self._open.items():
            if question.sent_ns is None or now_ns - question.sent_ns >= self._retry_ns:
                self._send(number, question)

    def _on_parts(self, parts: list[bytes]) -> None:
        try:
            said = self._words.decode(parts[-1])
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        question = self._open.get(said.number)
        if question is None or question.answer.done():
            return  # a second answer to a repeated request
        if type(said) is words.Reply:
            question.answer.set_result(said.payload)
        elif type(said) is words.Refusal:
            question.answer.set_exception(RefusedError(said.reason))
