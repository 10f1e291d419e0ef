"""Halting workers of other computers without the coordinator: the relay of a pool, and its lines.

Each worker elsewhere keeps a line of its own to the relay, a process that neither trades nor talks
to strangers: both ends show certificates. For each such worker the relay opens a control socket
here, named as that of a worker here would be, and hands requests on and answers back. So whoever
halts this home need not know where a worker is, and no machine has to be reachable from here.

A line is asked whether it lives once a second; both ends give it up after a longer silence, and the
worker dials anew.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.domain.halting import (
    AskAlive,
    AskHandHalt,
    HandHaltView,
    OwnAnswer,
    OwnRequest,
)
from tandem.ports import Clock, Listener, Network
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link

ASK_S: Final = 1.0
SILENCE_S: Final = 4.0
WAITING_MAX: Final = 1_000
_REQUESTS: Final = msgspec.msgpack.Decoder(list[OwnRequest])
_ANSWERS: Final = msgspec.msgpack.Decoder(list[OwnAnswer])
Answer = Callable[[OwnRequest], OwnAnswer]


class _Line:
    """One worker elsewhere: its line, its socket here, and who waits for its answers."""

    def __init__(self, link: Link[OwnAnswer], heard_s: float) -> None:
        self.link = link
        self.heard_s = heard_s
        self.name: str | None = None
        self.is_refused = False
        self.listener: Listener | None = None
        self._askers: dict[Link[OwnRequest], None] = {}
        self._waiting: deque[Link[OwnRequest] | None] = deque()  # None: the relay itself

    def asker(self) -> Link[OwnRequest]:
        """Return one end of a connection from somebody here."""
        made: Link[OwnRequest] = Link(
            _REQUESTS, self._on_requests, self._on_asker, lambda one, _: self._forget(one)
        )
        return made

    def _on_asker(self, asker: Link[OwnRequest]) -> None:
        self._askers[asker] = None

    def _forget(self, asker: Link[OwnRequest]) -> None:
        self._askers.pop(asker, None)

    def _on_requests(
        self, asker: Link[OwnRequest], _epoch: int, requests: Sequence[OwnRequest]
    ) -> None:
        for request in requests:
            self.ask(request, asker)

    def ask(self, request: OwnRequest, asker: Link[OwnRequest] | None) -> None:
        """Hand a request on."""
        if len(self._waiting) >= WAITING_MAX:
            self.link.drop(f"{WAITING_MAX} requests are not answered")
            return
        self._waiting.append(asker)
        self.link.send(request)

    def answer(self, answer: OwnAnswer) -> None:
        """Hand an answer back; they come in the order of the requests."""
        asker = self._waiting.popleft() if self._waiting else None
        if asker is not None:
            asker.send(answer)

    def close(self) -> None:
        """Its worker is out of reach."""
        if self.listener is not None:
            self.listener.close()
        for asker in list(self._askers):
            asker.drop("its worker is out of reach")


class Relay:
    """The lines of a pool's workers elsewhere. `own_socket` names a socket here for each."""

    def __init__(
        self, network: Network, *, own_socket: Callable[[str], str], say: Callable[[str], None]
    ) -> None:
        self._network = network
        self._own_socket = own_socket
        self._say = say
        self._lines: dict[Link[OwnAnswer], _Line] = {}
        self._opening: dict[asyncio.Task[None], None] = {}

    async def run(self, address: str) -> None:
        """Listen there for workers, until canceled."""
        await self._network.listen(address, self._line)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(ASK_S)
            for line in list(self._lines.values()):
                if loop.time() - line.heard_s > SILENCE_S:
                    line.link.drop("nothing was heard of the worker")
                elif line.name is not None:
                    line.ask(AskAlive(), None)

    def _line(self) -> Link[OwnAnswer]:
        made: Link[OwnAnswer] = Link(_ANSWERS, self._on_answers, self._on_open, self._on_lost)
        return made

    def _on_open(self, link: Link[OwnAnswer]) -> None:
        self._lines[link] = _Line(link, asyncio.get_running_loop().time())

    def _on_lost(self, link: Link[OwnAnswer], _reason: str) -> None:
        self._lines.pop(link).close()

    def _on_answers(self, link: Link[OwnAnswer], _epoch: int, answers: Sequence[OwnAnswer]) -> None:
        line = self._lines[link]
        line.heard_s = asyncio.get_running_loop().time()
        for answer in answers:
            if line.name is not None:
                line.answer(answer)
            elif not line.is_refused:
                self._introduce(line, answer)

    def _introduce(self, line: _Line, answer: OwnAnswer) -> None:
        """Take a worker's first word, which says who it is, if it can be that one."""
        peer = self._network.peer(line.link.transport)
        machine = peer.machine if peer is not None else None
        name = answer.name if isinstance(answer, HandHaltView) else ""
        number = name.removeprefix(f"{machine}-")
        if machine is None or number == name or not (number.isascii() and number.isdecimal()):
            self._say(f"{machine} called itself {name[:100]!r} and was refused")
            line.is_refused = True
            # Not at once: it would only dial again, and again.
            asyncio.get_running_loop().call_later(ASK_S, line.link.drop, "that is not its name")
            return
        for other in list(self._lines.values()):
            if other.name == name:
                other.close()
                other.link.drop("it dialed anew")
        line.name = name
        task = asyncio.get_running_loop().create_task(self._open(line, name))
        self._opening[task] = None
        task.add_done_callback(lambda ended: self._opening.pop(ended, None))

    async def _open(self, line: _Line, name: str) -> None:
        try:
            line.listener = await self._network.listen(self._own_socket(name), line.asker)
        except OSError as error:  # a socket of the line before it may not be gone yet
            line.link.drop(str(error))
            return
        if not line.link.is_open:
            line.close()


class HaltLine:
    """A worker's end: it keeps a line to the relay, and answers what comes."""

    def __init__(self, network: Network, address: str, answer: Answer, *, clock: Clock) -> None:
        self._answer = answer
        self._clock = clock
        self._heard_ns = 0
        self._dialer: Dialer[OwnRequest] = Dialer(
            network,
            address,
            _REQUESTS,
            on_up=self._on_up,
            on_messages=self._on_messages,
            on_down=lambda: None,
        )

    def _on_up(self, link: Link[OwnRequest]) -> None:
        self._heard_ns = self._clock.now().now_ns
        link.send(self._answer(AskHandHalt()))  # says who we are

    def _on_messages(self, _epoch: int, requests: Sequence[OwnRequest]) -> None:
        self._heard_ns = self._clock.now().now_ns
        for request in requests:
            answer = self._answer(request)
            if self._dialer.link is not None:
                self._dialer.link.send(answer)

    async def run(self) -> None:
        """Keep the line, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._dialer.run())
            tasks.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(ASK_S)
            if self._clock.now().now_ns - self._heard_ns > SILENCE_S * 1e9:
                self._dialer.hang_up("nothing was heard of the relay")
