"""Three publishers, each a process, and one subscriber that starts after them and rests amid it."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tandem.messaging.places import Bind, Connect
from tandem.messaging.publisher import Publisher
from tandem.messaging.streams import Gap, News
from tandem.messaging.subscriber import Subscriber

EACH = 500


async def publish(address: str, name: str) -> None:
    """Say 500 messages, whether or not somebody is there, and wait to be asked for them."""
    publisher = Publisher(Connect(address), name=name, run=time.time_ns())
    for count in range(EACH):
        publisher.publish(b"minutes", payload=str(count).encode())
        await asyncio.sleep(0.001)
    await publisher.run()


async def subscribe(address: str) -> None:
    """Hear all of it."""
    names = ("binance", "bitfinex", "coinbase")
    publishers = [subprocess.Popen([sys.executable, __file__, address, name]) for name in names]
    await asyncio.sleep(0.3)  # they have begun
    heard: Counter[str] = Counter()
    is_whole = asyncio.Event()

    def on_news(news: News) -> None:
        assert not isinstance(news, Gap), news
        assert int(news.payload) == news.number == heard[news.source.publisher]
        heard[news.source.publisher] += 1
        if heard.total() == EACH * len(names):
            is_whole.set()

    subscriber = Subscriber(Bind(address), on_news)
    subscriber.pause()
    await asyncio.sleep(0.3)
    subscriber.resume()
    async with asyncio.timeout(30):
        await is_whole.wait()
    for name in names:
        print(f"{name}: {heard[name]} messages, in order, none missing")
    subscriber.close()
    for process in publishers:
        process.kill()
        process.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(publish(sys.argv[1], sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(subscribe(f"ipc://{Path(folder) / 'core'}"))
