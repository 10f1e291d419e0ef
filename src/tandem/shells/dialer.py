"""Keeping one connection open: dial, and dial again when it is lost."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from tandem.domain.link import MESSAGE_BYTES_MAX
from tandem.ports import Network
from tandem.shells.link import Link

M = TypeVar("M")
PAUSE_MIN_S = 0.02
PAUSE_MAX_S = 0.5


class Dialer(Generic[M]):
    """One address and the present link to it.

    `on_up` is called with each new link, `on_messages` with what comes, `on_down` when the link is
    lost. Only the present link counts: nothing of an older one is handed on.
    """

    def __init__(  # noqa: PLR0913 - three of them are one listener
        self,
        network: Network,
        address: str,
        decoder: msgspec.msgpack.Decoder[list[M]],
        *,
        on_up: Callable[[Link[M]], None],
        on_messages: Callable[[int, Sequence[M]], None],
        on_down: Callable[[], None],
        bytes_max: int = MESSAGE_BYTES_MAX,
    ) -> None:
        self._network = network
        self._address = address
        self._decoder = decoder
        self._on_up = on_up
        self._messages = on_messages
        self._on_down = on_down
        self._bytes_max = bytes_max
        self.link: Link[M] | None = None
        self._lost = asyncio.Event()

    def _make(self) -> Link[M]:
        made: Link[M] = Link(self._decoder, self._on_messages, self._on_open, self._on_lost)
        made.bytes_max = self._bytes_max
        return made

    def _on_open(self, link: Link[M]) -> None:
        self.link = link
        self._on_up(link)

    def _on_messages(self, link: Link[M], epoch: int, messages: Sequence[M]) -> None:
        if link is self.link:
            self._messages(epoch, messages)

    def _on_lost(self, link: Link[M], _reason: str) -> None:
        if link is self.link:
            self.link = None
            self._on_down()
            self._lost.set()

    def put(self, message: object) -> None:
        """Let a message wait for `flush`; without a link it is lost."""
        if self.link is not None:
            self.link.put(message)

    def flush(self) -> None:
        """Send what waits."""
        if self.link is not None:
            self.link.flush()

    def hang_up(self, reason: str) -> None:
        """End the present link; another is dialed."""
        link = self.link
        if link is not None:
            link.drop(reason)
            self._on_lost(link, reason)

    async def run(self) -> None:
        """Keep the connection, for ever."""
        pause_s = PAUSE_MIN_S
        while True:
            self._lost.clear()
            try:
                await self._network.connect(self._address, self._make)
            except OSError:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                continue
            pause_s = PAUSE_MIN_S
            await self._lost.wait()
