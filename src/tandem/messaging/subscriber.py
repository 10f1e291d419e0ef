"""The subscribing end of publish-subscribe; what it promises is argued in `streams`."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import zmq

from tandem.messaging import words
from tandem.messaging.places import Place
from tandem.messaging.publisher import PRIVATE, UPSTREAM
from tandem.messaging.sockets import LoopSocket
from tandem.messaging.streams import Counts, Message, News, Outcome, Position, Source, Streams

CHECK_NS: Final = 50_000_000
_RECEIVE_QUEUE: Final = 10_000  # messages of each publisher, then its own queue fills

OnNews = Callable[[News], None]


class Subscriber:
    """Hands every message of the subscribed topics to `on_news`, each stream in order.

    A message that cannot be had any more is handed over as a `Gap`, in its place. `on_news` runs
    on the loop and must not wait; a subscriber that has too much to do calls `pause`, and what is
    said meanwhile stays in the publishers' histories.
    """

    def __init__(
        self,
        at: Place,
        on_news: OnNews,
        *,
        topics: Sequence[bytes] = (b"",),
        have: Mapping[Source, Position] | None = None,
        wants_history: bool = True,
    ) -> None:
        """Open it on the running loop; publishers may be there already, or come later.

        Args:
            at: where; many publishers may connect to one subscriber that binds.
            on_news: is handed each message or gap; what it raises comes out of `run`.
            topics: prefixes of topics; the empty one is all of them.
            have: positions kept from an earlier life, so that nothing is repeated.
            wants_history: whether a stream that is not in `have` begins with all that its
                publisher still has, or with the next message.

        Raises:
            AddressError: `at` cannot be bound or connected to.
        """
        self._on_news = on_news
        self._name = secrets.token_bytes(8)
        self._streams = Streams(have or {}, wants_history=wants_history)
        self._sources: dict[tuple[str, bytes], Source] = {}
        self._words = msgspec.msgpack.Decoder(words.Numbered | words.Tide)
        self.malformed = 0
        self._socket = LoopSocket(zmq.XSUB, at, self._on_parts, {zmq.RCVHWM: _RECEIVE_QUEUE})
        for topic in (PRIVATE + self._name, *topics):
            self._socket.send([b"\x01" + topic])
        self._socket.every(CHECK_NS, self._on_check)

    @property
    def counts(self) -> Counts:
        """What was seen and not delivered, because it was a repeat or out of date."""
        return self._streams.counts

    def positions(self) -> dict[Source, Position]:
        """Return how far each stream has come: `have` of a later life."""
        return self._streams.positions()

    def pause(self) -> None:
        """Read nothing more for now."""
        self._socket.pause()

    def resume(self) -> None:
        """Read again."""
        self._socket.resume()

    async def run(self) -> None:
        """Return when this end was closed; raises what `on_news` raised."""
        await self._socket.run()

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()

    def _on_check(self) -> None:
        self._perform(self._streams.due(self._socket.now_ns))

    def _on_parts(self, parts: list[bytes]) -> None:
        try:
            said = self._words.decode(parts[-1])
        except msgspec.MsgspecError:
            self.malformed += 1
            return
        # What is said again comes on our own topic, with its true topic behind that.
        topic = parts[-2] if len(parts) > 1 else b""
        source = self._source(said.publisher, topic)
        if type(said) is words.Numbered:
            message = Message(source, said.run, said.number, said.payload)
            self._perform(self._streams.on_message(message, self._socket.now_ns))
        elif type(said) is words.Tide:
            self._on_tide(source, said)

    def _on_tide(self, source: Source, tide: words.Tide) -> None:
        if tide.answers is not None:
            self._streams.on_answered(source, tide.answers)
        self._perform(
            self._streams.on_tide(
                source,
                run=tide.run,
                oldest=tide.oldest,
                next_number=tide.next,
                now_ns=self._socket.now_ns,
            )
        )

    def _perform(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, News):
                self._on_news(outcome)
            elif self._socket.is_open:
                source = outcome.source
                ask = words.Ask(
                    self._name, source.publisher, outcome.run, source.topic, outcome.first
                )
                self._socket.send([UPSTREAM + words.encode(ask)])

    def _source(self, publisher: str, topic: bytes) -> Source:
        """Return one and the same value for a source, so that it is made once."""
        key = (publisher, topic)
        source = self._sources.get(key)
        if source is None:
            source = Source(publisher, topic)
            if len(self._sources) < 100_000:
                self._sources[key] = source
        return source
