"""What a publisher keeps of what it said, so that it can say it again. Pure; knows no socket.

Each topic has its own numbers, from 0 on, and its own bounded memory: the newest `messages_max`
messages of at most `bytes_max` bytes together (the newest one is kept however long it is). The
announcements of `tides` reach every subscriber of a topic in the beat after a message, and again
in turn, `TURN` topics a beat, so that a lost announcement delays and never hides a message.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from tandem.messaging.errors import TooManyTopicsError

TURN: Final = 100  # quiet topics announced in each beat
REPLAYED_MAX: Final = 500  # messages said again for one request
REPLAYED_BYTES_MAX: Final = 1024 * 1024


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept: at most topics_max × bytes_max, and a message beyond it each."""

    messages_max: int = 1_000  # of each topic
    bytes_max: int = 1024 * 1024  # of each topic
    topics_max: int = 10_000


class Reach(msgspec.Struct, frozen=True):
    """What can be said again of a topic: numbers from `oldest` up to and without `next`."""

    topic: bytes
    oldest: int
    next: int


class _Shelf:
    """The last messages of one topic."""

    __slots__ = ("bytes", "kept", "next", "topic")

    def __init__(self, topic: bytes) -> None:
        self.topic = topic
        self.kept: deque[bytes] = deque()
        self.next = 0
        self.bytes = 0

    def reach(self) -> Reach:
        return Reach(self.topic, self.next - len(self.kept), self.next)


class History:
    """The numbers and the last messages of all topics of one publisher."""

    def __init__(self, depth: Depth) -> None:
        self._depth = depth
        self._shelves: dict[bytes, _Shelf] = {}
        self._in_turn: deque[_Shelf] = deque()
        self._changed: dict[bytes, _Shelf] = {}

    def next_number(self, topic: bytes) -> int:
        """Return the number that the topic's next message has.

        Raises:
            TooManyTopicsError: this topic would be one too many.
        """
        shelf = self._shelves.get(topic)
        if shelf is not None:
            return shelf.next
        if len(self._shelves) >= self._depth.topics_max:
            raise TooManyTopicsError(f"{topic!r} is topic {self._depth.topics_max + 1} of this end")
        return 0

    def keep(self, topic: bytes, *, body: bytes) -> None:
        """Keep a message, the one that has the topic's next number."""
        shelf = self._shelves.get(topic)
        if shelf is None:
            shelf = self._shelves[topic] = _Shelf(topic)
            self._in_turn.append(shelf)
        self._changed[topic] = shelf
        shelf.next += 1
        shelf.kept.append(body)
        shelf.bytes += len(body)
        while len(shelf.kept) > self._depth.messages_max or (
            shelf.bytes > self._depth.bytes_max and len(shelf.kept) > 1
        ):
            shelf.bytes -= len(shelf.kept.popleft())

    def tides(self) -> list[Reach]:
        """Return what to announce in this beat."""
        due = {**self._changed}
        self._changed.clear()
        for _ in range(min(TURN, len(self._in_turn))):
            shelf = self._in_turn[0]
            self._in_turn.rotate(-1)
            due[shelf.topic] = shelf
        return [shelf.reach() for shelf in due.values()]

    def below(self, prefix: bytes) -> list[Reach]:
        """Return what to announce to a new subscriber of this prefix."""
        return [shelf.reach() for topic, shelf in self._shelves.items() if topic.startswith(prefix)]

    def again(self, topic: bytes, first: int) -> tuple[list[bytes], Reach]:
        """Return messages from `first` on, or from the oldest that is kept, and the topic's reach.

        Only so many at a time: who needs more asks again, as fast as it can read.
        """
        shelf = self._shelves.get(topic)
        if shelf is None:
            return [], Reach(topic, 0, 0)
        reach = shelf.reach()
        return list(_some(shelf, max(first - reach.oldest, 0))), reach


def _some(shelf: _Shelf, skipped: int) -> Iterator[bytes]:
    length = 0
    for place in range(skipped, min(len(shelf.kept), skipped + REPLAYED_MAX)):
        yield shelf.kept[place]
        length += len(shelf.kept[place])
        if length >= REPLAYED_BYTES_MAX:
            return
