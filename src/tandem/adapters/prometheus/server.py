"""Serves one page, made anew for each reader."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from tandem.adapters.prometheus.requests import (
    HEAD_BYTES_MAX,
    HEAD_END,
    PAGE,
    Status,
    judge,
    response,
)

READERS_MAX: Final = 16
READER_S: Final = 10.0
PLAIN: Final = "text/plain; charset=utf-8"


class PageServer:
    """Answers `GET /metrics` with what `page` returns; readers beyond so many are hung up on."""

    def __init__(self, page: Callable[[], Awaitable[bytes]]) -> None:
        self._page = page
        self._readers = 0

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Begin to serve.

        Raises:
            OSError: the address cannot be listened at.
        """
        return await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES_MAX)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._readers += 1
        try:
            if self._readers <= READERS_MAX:
                async with asyncio.timeout(READER_S):
                    await self._answer(reader, writer)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            return  # whoever it was has gone, or says nothing
        finally:
            self._readers -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, has_body = judge(await reader.readuntil(HEAD_END))
        except asyncio.LimitOverrunError:
            status, has_body = Status.BAD_REQUEST, True
        body, content_type = f"see {PAGE}\n".encode(), PLAIN
        if status is Status.OK:
            body, content_type = await self._page(), CONTENT_TYPE_LATEST
        writer.write(response(status, body, content_type=content_type, has_body=has_body))
        await writer.drain()
