"""What a subscriber knows of each numbered stream. Pure; knows no socket, and is told the time.

A stream is a publisher and one of its topics. Its messages are numbered from 0 within a run of
the publisher. `expected` is the number that comes next here: everything below it was delivered,
or was said to be missing. So a message is delivered at most once and in order, whatever repeats,
losses and detours there are on the way. What is known to exist at or above `expected` and is not
here makes the stream *behind*; a stream that is behind asks, and asks again every `ASK_AGAIN_NS`
until it is not. The publisher's answer ends with how far back it can go: only what lies before
that is given up, and that is reported as a `Gap`. Hence nothing is lost in silence.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

ASK_AGAIN_NS: Final = 100_000_000
EARLY_MAX: Final = 1_000  # messages of a stream kept until those before them have come
STREAMS_MAX: Final = 100_000


class Source(msgspec.Struct, frozen=True):
    """A publisher and one of its topics."""

    publisher: str
    topic: bytes


class Position(msgspec.Struct, frozen=True):
    """How far a subscriber has come in a stream; kept by who wants no repeats after a restart."""

    run: int
    next: int  # everything below this was delivered


class Message(msgspec.Struct, frozen=True):
    """The next message of a stream."""

    source: Source
    run: int
    number: int
    payload: bytes


class Gap(msgspec.Struct, frozen=True):
    """Messages that are lost for this subscriber: the publisher no longer has them.

    `missing` is None when the publisher was started anew: it has forgotten the run before, and
    nobody knows whether that had messages that did not come here.
    """

    source: Source
    run: int
    first: int
    missing: int | None


class Wanted(msgspec.Struct, frozen=True):
    """Ask the publisher to say again what it has from number `first` on."""

    source: Source
    run: int
    first: int


News = Message | Gap
Outcome = Message | Gap | Wanted


class Counts(msgspec.Struct):
    """What was seen and not delivered."""

    repeated: int = 0
    of_an_older_run: int = 0
    too_early: int = 0  # found no room to wait; asked for again
    too_many_streams: int = 0


class _Stream:
    """One source in the publisher's present run."""

    __slots__ = ("asked_first", "asked_ns", "early", "expected", "newest", "run", "source")

    def __init__(self, source: Source, *, run: int, expected: int) -> None:
        self.source = source
        self.run = run
        self.expected = expected
        self.newest = expected  # one above the highest number known to exist
        self.early: dict[int, bytes] = {}
        self.asked_ns: int | None = None
        self.asked_first = 0


class Streams:
    """All streams of one subscriber."""

    def __init__(self, have: Mapping[Source, Position], *, wants_history: bool) -> None:
        """Begin where `have` says; elsewhere at the start of the history, or with what is new."""
        self._wants_history = wants_history
        self._streams = {
            source: _Stream(source, run=position.run, expected=position.next)
            for source, position in have.items()
        }
        self._behind: dict[Source, _Stream] = {}
        self.counts = Counts()
        self.streams_max = STREAMS_MAX

    def positions(self) -> dict[Source, Position]:
        """Return how far each stream has come."""
        return {
            source: Position(stream.run, stream.expected)
            for source, stream in self._streams.items()
        }

    def on_message(self, message: Message, now_ns: int) -> list[Outcome]:
        """Return what a message leads to, in order."""
        number = message.number
        found: list[Outcome] = []
        stream = self._in_run(message.source, message.run, number, found)
        if stream is None:
            return found
        if number < stream.expected:
            self.counts.repeated += 1
            return found
        stream.newest = max(stream.newest, number + 1)
        if number > stream.expected:
            self._keep_early(stream, message)
            self._ask(stream, now_ns, found)
            return found
        found.append(message)
        stream.expected += 1
        self._settle(stream, found)
        return found

    def on_tide(
        self, source: Source, *, run: int, oldest: int, next_number: int, now_ns: int
    ) -> list[Outcome]:
        """Return what an announcement leads to; nothing below `oldest` can be had again."""
        found: list[Outcome] = []
        stream = self._in_run(source, run, next_number, found)
        if stream is None:
            return found
        stream.newest = max(stream.newest, next_number)
        if oldest > stream.expected:
            self._give_up_before(stream, oldest, found)
        self._settle(stream, found)
        self._ask(stream, now_ns, found)
        return found

    def on_answered(self, source: Source, first: int) -> None:
        """Let the stream ask at once for the rest, if there is one.

        Only the answer to the last question counts. Otherwise a question that was repeated
        because its answer was slow would start a second row of answers beside the first, and
        then a third, each slowing the others.
        """
        stream = self._streams.get(source)
        if stream is not None and stream.asked_first == first:
            stream.asked_ns = None

    def due(self, now_ns: int) -> list[Outcome]:
        """Return what to ask again, because no answer came."""
        found: list[Outcome] = []
        for stream in self._behind.values():
            self._ask(stream, now_ns, found)
        return found

    def _in_run(
        self, source: Source, run: int, number: int, found: list[Outcome]
    ) -> _Stream | None:
        """Return the stream, begun anew when its publisher was; None for what is out of date."""
        stream = self._streams.get(source)
        if stream is None:
            if len(self._streams) >= self.streams_max:
                self.counts.too_many_streams += 1
                return None
            stream = _Stream(source, run=run, expected=0 if self._wants_history else number)
            self._streams[source] = stream
        elif run > stream.run:
            stream = self._streams[source] = _Stream(source, run=run, expected=0)
            self._behind.pop(source, None)
            found.append(Gap(source, run, 0, None))
        elif run < stream.run:
            self.counts.of_an_older_run += 1
            return None
        return stream

    def _keep_early(self, stream: _Stream, message: Message) -> None:
        if message.number in stream.early:
            self.counts.repeated += 1
        elif message.number >= stream.expected + EARLY_MAX:
            self.counts.too_early += 1
        else:
            stream.early[message.number] = message.payload

    def _give_up_before(self, stream: _Stream, oldest: int, found: list[Outcome]) -> None:
        """Deliver what is here before `oldest`, and report what is not and never will be."""
        while stream.expected < oldest:
            here = min((number for number in stream.early if number < oldest), default=oldest)
            if here > stream.expected:
                found.append(
                    Gap(stream.source, stream.run, stream.expected, here - stream.expected)
                )
                stream.expected = here
            self._deliver_early(stream, found)

    def _settle(self, stream: _Stream, found: list[Outcome]) -> None:
        if stream.early:
            self._deliver_early(stream, found)
        if stream.expected >= stream.newest:
            stream.newest = stream.expected
            stream.asked_ns = None
            if self._behind:
                self._behind.pop(stream.source, None)

    def _deliver_early(self, stream: _Stream, found: list[Outcome]) -> None:
        while (payload := stream.early.pop(stream.expected, None)) is not None:
            found.append(Message(stream.source, stream.run, stream.expected, payload))
            stream.expected += 1

    def _ask(self, stream: _Stream, now_ns: int, found: list[Outcome]) -> None:
        if stream.expected >= stream.newest:
            return
        self._behind[stream.source] = stream
        if stream.asked_ns is None or now_ns - stream.asked_ns >= ASK_AGAIN_NS:
            stream.asked_ns = now_ns
            stream.asked_first = stream.expected
            found.append(Wanted(stream.source, stream.run, stream.expected))
