"""Ends of connections for the tests of networks."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, cast

Run = Callable[[Coroutine[Any, Any, None]], None]


class Line(asyncio.Protocol):
    """One end of a connection that keeps what it hears."""

    ends: ClassVar[list["Line"]] = []

    def __init__(self) -> None:
        self.ends.append(self)
        self.transport: asyncio.Transport | None = None
        self.is_made = asyncio.Event()
        self.is_lost = asyncio.Event()
        self.heard = asyncio.Queue[bytes]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.is_made.set()

    def data_received(self, data: bytes) -> None:
        self.heard.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost.set()

    async def made(self) -> asyncio.Transport:
        await asyncio.wait_for(self.is_made.wait(), 10)
        assert self.transport is not None
        return self.transport
