"""What the tests of `tandem.messaging` share."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tandem.messaging.streams import Gap, Message, News


def ipc(folder: Path, name: str = "socket") -> str:
    return f"ipc://{folder / name}"


async def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so; the test's own limit ends what never will be."""
    loop = asyncio.get_running_loop()
    found = asyncio.Event()

    def look() -> None:
        if is_so():
            found.set()
        else:
            loop.call_later(0.001, look)

    look()
    await found.wait()


class Heard:
    """Keeps all news."""

    def __init__(self) -> None:
        self.news: list[News] = []

    def __call__(self, news: News) -> None:
        self.news.append(news)

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.news if isinstance(one, Message)]

    @property
    def gaps(self) -> list[Gap]:
        return [one for one in self.news if isinstance(one, Gap)]

    @property
    def payloads(self) -> list[bytes]:
        return [one.payload for one in self.messages]

    async def until(self, count: int) -> None:
        await until(lambda: len(self.news) >= count)


def python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
