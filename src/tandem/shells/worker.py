"""The worker's loop: the coordinator on one side, venues on the other."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import msgspec

from tandem.core.trading.worker import Worker
from tandem.domain import link as words
from tandem.domain.control import ANSWER_BYTES_MAX
from tandem.domain.halting import (
    Alive,
    AskAlive,
    AskEvaluated,
    AskEvaluators,
    AskHandHalt,
    HaltWorker,
    Leave,
    OwnAnswer,
    OwnRequest,
)
from tandem.domain.ids import VenueId
from tandem.domain.venue import VenueMessage
from tandem.domain.worker import Hangup, Say, ToVenue, WorkerEffect
from tandem.ports import Clock, Network
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.shells.waking import Waking

SILENCE_S = 2.0  # without a word from the coordinator the connection is dialed anew


class WorkerShell:
    """One worker process. `venues` are addresses; all transports are kept open, one is used."""

    def __init__(  # noqa: PLR0913 - these are its ports
        self,
        core: Worker,
        *,
        clock: Clock,
        network: Network,
        coordinator: str,
        venues: Mapping[VenueId, str],
        heartbeat_ns: int,
    ) -> None:
        self.core = core
        self._clock = clock
        self._heartbeat_s = heartbeat_ns / 1e9
        self._heard_ns = 0
        self._waking = Waking(clock, self._ring)
        self.on_performed: Callable[[WorkerEffect], None] | None = None
        coordinator_words = msgspec.msgpack.Decoder(list[words.CoordinatorMessage])
        self._coordinator: Dialer[words.CoordinatorMessage] = Dialer(
            network,
            coordinator,
            coordinator_words,
            on_up=self._on_coordinator_up,
            on_messages=self._on_coordinator,
            on_down=core.on_disconnected,
        )
        venue_words = msgspec.msgpack.Decoder(list[VenueMessage])
        self._venues = {
            venue_id: self._dialer(network, venue_id, address, venue_words)
            for venue_id, address in venues.items()
        }

    def _dialer(
        self,
        network: Network,
        venue_id: VenueId,
        address: str,
        decoder: msgspec.msgpack.Decoder[list[VenueMessage]],
    ) -> Dialer[VenueMessage]:
        def on_messages(_epoch: int, messages: Sequence[VenueMessage]) -> None:
            now = self._clock.now()
            on_venue = self.core.on_venue
            self._perform([one for told in messages for one in on_venue(venue_id, told, now)])

        return Dialer(
            network,
            address,
            decoder,
            on_up=lambda _: self._perform(self.core.on_session_up(venue_id)),
            on_messages=on_messages,
            on_down=lambda: self._perform(self.core.on_session_down(venue_id)),
            bytes_max=ANSWER_BYTES_MAX,  # a list of open orders is longer than a trading message
        )

    async def run(self) -> None:
        """Work until canceled."""
        async with asyncio.TaskGroup() as tasks:
            for dialer in self._venues.values():
                tasks.create_task(dialer.run())
            tasks.create_task(self._coordinator.run())
            tasks.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            if self._coordinator.link is None:
                continue
            now = self._clock.now()
            if now.now_ns - self._heard_ns > SILENCE_S * 1e9:
                self._coordinator.hang_up("nothing was heard of the coordinator")
                continue
            self._perform(self.core.beat(now))

    def _on_coordinator_up(self, link: Link[words.CoordinatorMessage]) -> None:
        self._heard_ns = self._clock.now().now_ns
        effects = self.core.on_connected()
        link.connection = self.core.connection
        self._perform(effects)

    def _on_coordinator(self, epoch: int, messages: Sequence[words.CoordinatorMessage]) -> None:
        now = self._clock.now()
        self._heard_ns = now.now_ns
        on_word = self.core.on_coordinator
        self._perform([one for word in messages for one in on_word(word, epoch, now)])

    def answer(self, request: OwnRequest) -> OwnAnswer:
        """Answer what came to this process' own control socket."""
        now = self._clock.now()
        match request:
            case AskAlive() | AskEvaluators() | AskEvaluated() | Leave():
                return Alive()
            case HaltWorker():
                self._perform(self.core.halt_by_hand(request.halt_id, request.reason, now))
            case AskHandHalt():
                pass
            case _:
                assert_never(request)
        return self.core.by_hand.view(self.core.name, self.core.account_id, now)

    def _perform(self, effects: Sequence[WorkerEffect]) -> None:
        for effect in effects:
            if self.on_performed is not None:
                self.on_performed(effect)
            match effect:
                case Say():
                    self._coordinator.put(effect.message)
                case ToVenue():
                    self._venues[effect.venue_id].put(effect.request)
                case Hangup():
                    self._venues[effect.venue_id].hang_up("another account")
        if effects:
            for venue in self._venues.values():
                venue.flush()
            self._coordinator.flush()
        self._waking.set(self.core.next_due_ns)

    def _ring(self) -> None:
        self._perform(self.core.on_due(self._clock.now()))
