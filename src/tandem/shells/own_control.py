"""A process' own control socket, and the asker's end of it (`tandem.domain.halting`)."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tandem.domain.errors import ProcessUnreachableError
from tandem.domain.halting import OwnAnswer, OwnRequest
from tandem.ports import Listener, Network, Peer
from tandem.shells.link import Link

WAITING_MAX: Final = 100
_REQUESTS: Final = msgspec.msgpack.Decoder(list[OwnRequest])
_ANSWERS: Final = msgspec.msgpack.Decoder(list[OwnAnswer])


async def open_own_control(
    network: Network, address: str, answer: Callable[[OwnRequest], OwnAnswer]
) -> Listener:
    """Listen at `address`, and answer every request at once."""

    def on_requests(link: Link[OwnRequest], _epoch: int, requests: Sequence[OwnRequest]) -> None:
        for request in requests:
            link.send(answer(request))

    def make() -> Link[OwnRequest]:
        return Link(_REQUESTS, on_requests, lambda _: None, lambda _link, _reason: None)

    return await network.listen(address, make)


class OwnLine:
    """One connection to a process' own control socket; the answers come in order."""

    def __init__(self, network: Network, address: str) -> None:
        self._network = network
        self._address = address
        self._waiting: deque[asyncio.Future[OwnAnswer]] = deque()
        self._link: Link[OwnAnswer] = Link(
            _ANSWERS, self._on_answers, lambda _: None, self._on_lost
        )

    async def open(self) -> None:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        await self._network.connect(self._address, lambda: self._link)

    @property
    def peer(self) -> Peer | None:
        """Which process answers; None when it has gone."""
        return self._network.peer(self._link.transport)

    async def ask(self, request: OwnRequest) -> OwnAnswer:
        """Return the answer; give it a timeout.

        Raises:
            ProcessUnreachableError: the connection is lost, or too many answers are missing.
        """
        if not self._link.is_open or len(self._waiting) >= WAITING_MAX:
            raise ProcessUnreachableError(f"{self._address}: no connection, or no answers")
        future: asyncio.Future[OwnAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._link.send(request)
        return await future

    def close(self) -> None:
        """End the connection."""
        self._link.drop("done")

    def _on_answers(
        self, _link: Link[OwnAnswer], _epoch: int, answers: Sequence[OwnAnswer]
    ) -> None:
        for answer in answers:
            if self._waiting:
                future = self._waiting.popleft()
                if not future.done():
                    future.set_result(answer)

    def _on_lost(self, _link: Link[OwnAnswer], reason: str) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(ProcessUnreachableError(f"{self._address}: {reason}"))
