"""The answering end of request-reply."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.answers import Answers, Limits, Standing
from tandem.messaging.errors import RefusedError
from tandem.messaging.places import BYTES_MAX, Bind
from tandem.messaging.sockets import LoopSocket

Answer = Callable[[bytes], bytes | Awaitable[bytes]]


class Server:
    """Answers each request once, and a repeated one with the same answer.

    `answer` returns the reply, or something to await for it; requests that are awaited are
    carried out side by side. It raises `RefusedError` to refuse; anything else that it raises is
    a fault: it closes the server and comes out of `run`.
    """

    def __init__(self, at: Bind, answer: Answer, limits: Limits | None = None) -> None:
        """Open it on the running loop.

        Raises:
            AddressError: `at` cannot be bound.
        """
        self._answer = answer
        self._answers = Answers(limits or Limits())
        self._requests = msgspec.msgpack.Decoder(words.Request)
        self._making: set[asyncio.Task[None]] = set()
        self.malformed = 0
        self._socket = LoopSocket(zmq.ROUTER, at, self._on_parts)

    @property
    def repeated(self) -> int:
        """How many requests were not carried out because they had been before."""
        return self._answers.repeated

    async def run(self) -> None:
        """Return when this end was closed; raises what `answer` raised."""
        await self._socket.run()

    def close(self) -> None:
        """Answer nothing more; what is in the making is canceled."""
        self._socket.close()
        for task in self._making:
            task.cancel()

    def _on_parts(self, parts: list[bytes]) -> None:
        try:
            request = self._requests.decode(parts[-1])
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        found = self._answers.on_request(request)
        if found is Standing.NEW:
            self._carry_out(parts[0], request)
        elif not isinstance(found, Standing):
            self._socket.send([parts[0], words.encode(found)])

    def _carry_out(self, route: bytes, request: words.Request) -> None:
        try:
            made = self._answer(request.payload)
        except RefusedError as error:
            self._say(route, request, words.Refusal(request.number, str(error)))
            return
        if isinstance(made, bytes):
            self._say(route, request, _reply(request, made))
            return
        task = asyncio.ensure_future(self._finish(route, request, made))
        self._making.add(task)
        task.add_done_callback(self._on_made)

    async def _finish(self, route: bytes, request: words.Request, made: Awaitable[bytes]) -> None:
        try:
            answer = _reply(request, await made)
        except RefusedError as error:
            answer = words.Refusal(request.number, str(error))
        if self._socket.is_open:
            self._say(route, request, answer)

    def _on_made(self, task: asyncio.Task[None]) -> None:
        self._making.discard(task)
        if not task.cancelled():
            self._socket.guard(task.result)

    def _say(
        self, route: bytes, request: words.Request, answer: words.Reply | words.Refusal
    ) -> None:
        self._answers.on_answer(request.client, answer)
        self._socket.send([route, words.encode(answer)])


def _reply(request: words.Request, payload: bytes) -> words.Reply | words.Refusal:
    if len(payload) <= BYTES_MAX:
        return words.Reply(request.number, payload)
    return words.Refusal(request.number, f"its answer has {len(payload)} bytes")
