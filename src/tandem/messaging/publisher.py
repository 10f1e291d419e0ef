"""The publishing end of publish-subscribe.

Messages go out over XPUB, which copies them to all subscribers in ZeroMQ's own thread and drops
what a slow or absent one cannot take: a publisher never waits. Each message is numbered and kept
for a while (`history`), and a subscriber asks for the numbers it misses over the same socket. The
answer goes to a topic of its own, so that nobody else is troubled.
"""

from typing import Final

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.history import Depth, History, Reach
from tandem.messaging.places import NAME_BYTES_MAX, Place
from tandem.messaging.sockets import LoopSocket

BEAT_NS: Final = 100_000_000
PRIVATE: Final = b"\x00"  # in front of the topics on which one subscriber is answered
UPSTREAM: Final = b"\x02"  # in front of what a subscriber says; 0 and 1 are ZeroMQ's own
_SUBSCRIBE: Final = b"\x01"
_SEND_QUEUE: Final = 10_000  # messages for each subscriber, then they are dropped (and asked for)


class Publisher:
    """Says numbered messages to whoever subscribes, now and for a while afterwards.

    `name` says whose they are; no other publisher of these subscribers has it. `run` rises from
    start to start, such as the time of the start: a subscriber tells by it that the numbers began
    anew.
    """

    def __init__(self, at: Place, *, name: str, run: int, depth: Depth | None = None) -> None:
        """Open it on the running loop; subscribers may be there already, or come later.

        Raises:
            ValueError: the name is empty or longer than 200 bytes.
            AddressError: `at` cannot be bound or connected to.
        """
        if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
            raise ValueError(f"a publisher's name has 1 to {NAME_BYTES_MAX} bytes, got {name!r}")
        self._name = name
        self._run = run
        self._history = History(depth or Depth())
        self._asks = msgspec.msgpack.Decoder(words.Ask)
        self.malformed = 0
        options = {zmq.XPUB_VERBOSE: 1, zmq.SNDHWM: _SEND_QUEUE}
        self._socket = LoopSocket(zmq.XPUB, at, self._on_upstream, options)
        self._socket.every(BEAT_NS, self._on_beat)

    def publish(self, topic: bytes, *, payload: bytes) -> int:
        """Say a message; return its number.

        Raises:
            ValueError: the topic has not 1 to 200 bytes, or begins with a zero byte: that is ours.
            TooManyTopicsError: as many topics as `depth` allows are in use.
            TooLargeError: no subscriber would read it.
            ClosedError: this end is closed.
        """
        if not 0 < len(topic) <= NAME_BYTES_MAX or topic.startswith(PRIVATE):
            raise ValueError(f"a topic has 1 to {NAME_BYTES_MAX} bytes, not zero first: {topic!r}")
        self._socket.check(payload)
        number = self._history.next_number(topic)
        body = words.encode(words.Numbered(self._name, self._run, number, payload))
        self._socket.send([topic, body])
        self._history.keep(topic, body=body)
        return number

    async def run(self) -> None:
        """Return when this end was closed."""
        await self._socket.run()

    def close(self) -> None:
        """Send what was published, to those who are there, and close."""
        self._socket.close()

    def _on_beat(self) -> None:
        for reach in self._history.tides():
            self._announce(reach)

    def _on_upstream(self, parts: list[bytes]) -> None:
        said = parts[0]
        if said[:1] == _SUBSCRIBE:
            for reach in self._history.below(said[1:]):
                self._announce(reach)
        elif said[:1] == UPSTREAM:
            self._on_ask(said[1:])

    def _on_ask(self, said: bytes) -> None:
        try:
            ask = self._asks.decode(said)
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        if ask.publisher != self._name or ask.run != self._run:
            return  # a socket with many publishers passes every request to each of them
        private = PRIVATE + ask.subscriber
        bodies, reach = self._history.again(ask.topic, ask.first)
        for body in bodies:
            self._socket.send([private, ask.topic, body])
        self._socket.send([private, ask.topic, self._tide(reach, answers=ask.first)])

    def _announce(self, reach: Reach) -> None:
        self._socket.send([reach.topic, self._tide(reach)])

    def _tide(self, reach: Reach, *, answers: int | None = None) -> bytes:
        tide = words.Tide(self._name, self._run, reach.oldest, reach.next, answers)
        return words.encode(tide)
