"""The paper exchange's loop: sessions and a market in, reports out, all of it journaled."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from tandem.core.matching.exchange import Exchange
from tandem.domain.control import ANSWER_BYTES_MAX
from tandem.domain.exchange import (
    CandlesTold,
    CloseSession,
    Due,
    ExchangeEffect,
    ExchangeEvent,
    MarketEvents,
    Requested,
    Restarted,
    SessionClosed,
    SessionOpened,
    ToSession,
)
from tandem.domain.venue import Login, VenueRequest
from tandem.ports import Clock, Journal, Network
from tandem.shells.link import Link
from tandem.shells.recording import SNAPSHOT_RECORDS, Record, Recording

ExchangeRecord = Record[ExchangeEvent, ExchangeEffect]
SessionLink = Link[VenueRequest]


class ExchangeShell:
    """One paper exchange process; `feed` yields a replayed market as it is due.

    `on_candles` is told what is to be published. It listens at `address` and, for other
    computers, at those of `elsewhere`. A login is recorded and judged as `sealed` makes it, so
    that its secret need not stand in the journal.
    """

    def __init__(  # noqa: PLR0913 - these are its ports
        self,
        core: Exchange,
        journal: Journal,
        *,
        clock: Clock,
        network: Network,
        address: str,
        elsewhere: Sequence[str] = (),
        sealed: Callable[[Login], Login] = lambda login: login,
        feed: AsyncIterator[MarketEvents] | None = None,
        snapshot_records: int = SNAPSHOT_RECORDS,
    ) -> None:
        self.core = core
        self._network = network
        self._addresses = (address, *elsewhere)
        self._sealed = sealed
        self._feed = feed
        self.recording: Recording[ExchangeEvent, ExchangeEffect] = Recording(
            core, journal, clock, self._perform, Due, snapshot_records=snapshot_records
        )
        self.on_candles: Callable[[CandlesTold], None] = lambda _: None
        self._sessions: dict[int, SessionLink] = {}
        self._decoder = msgspec.msgpack.Decoder(list[VenueRequest])

    async def run(self) -> None:
        """Start, and serve until canceled."""
        self.recording.feed(Restarted())
        for address in self._addresses:
            await self._network.listen(address, self._session)
        if self._feed is not None:
            async for events in self._feed:
                self.recording.feed(events)
        await asyncio.get_running_loop().create_future()

    def _session(self) -> SessionLink:
        made: SessionLink = Link(self._decoder, self._on_requests, self._on_open, self._on_lost)
        made.bytes_max = ANSWER_BYTES_MAX
        return made

    def _on_open(self, link: SessionLink) -> None:
        # The number of the record of its opening: never used twice, restarts included.
        link.tag = self.recording.next_record
        self._sessions[link.tag] = link
        self.recording.feed(SessionOpened(session=link.tag))

    def _on_lost(self, link: SessionLink, _reason: str) -> None:
        if self._sessions.pop(link.tag, None) is not None:
            self.recording.feed(SessionClosed(session=link.tag))

    def _on_requests(
        self, link: SessionLink, _epoch: int, requests: Sequence[VenueRequest]
    ) -> None:
        for request in requests:
            if isinstance(request, Login):
                request = self._sealed(request)
            self.recording.feed(Requested(session=link.tag, request=request))

    def _perform(self, effects: Sequence[ExchangeEffect]) -> None:
        links: dict[SessionLink, None] = {}
        for effect in effects:
            if isinstance(effect, CandlesTold):
                self.on_candles(effect)
                continue
            link = self._sessions.get(effect.session)
            if link is None:
                continue
            match effect:
                case ToSession():
                    link.put(effect.message)
                    links[link] = None
                case CloseSession():
                    link.close("the exchange ended the session")
        for link in links:
            link.flush()
