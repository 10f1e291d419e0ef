"""Request-reply between two processes; the server is killed on the way and started anew."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tandem.messaging.client import Client
from tandem.messaging.errors import RefusedError
from tandem.messaging.places import Bind, Connect
from tandem.messaging.server import Server

PRICES = {b"BTCUSD": b"6787.5", b"ETHUSD": b"380.1"}


def answer(asked: bytes) -> bytes:
    """Return the price of a symbol."""
    if asked not in PRICES:
        raise RefusedError(f"{asked.decode()} is not traded here")
    return PRICES[asked]


async def serve(address: str) -> None:
    """Answer until killed."""
    await Server(Bind(address), answer).run()


def start(address: str) -> subprocess.Popen[bytes]:
    """Start the server in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, address])


async def ask(address: str) -> None:
    """Ask before, between and after two lives of the server."""
    client = Client(Connect(address))  # the server need not be there yet
    for life in (1, 2):
        server = start(address)
        for symbol in (b"BTCUSD", b"ETHUSD", b"NOTHING"):
            try:
                price = await client.ask(symbol, timeout_s=10)
                print(f"server {life}: {symbol.decode()} {price.decode()}")
            except RefusedError as error:
                print(f"server {life}: refused, {error}")
        server.kill()
        server.wait()
    client.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(serve(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(ask(f"ipc://{Path(folder) / 'prices'}"))
