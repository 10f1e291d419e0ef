"""The coordinator's loop: workers, askers and market data on one side, the desk on the other.

The shell decides nothing about orders. It knows which connection is whose, hears heartbeats,
watches processes, and performs what the desk wants after it is on disk.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from tandem.core.trading.desk import Desk
from tandem.core.trading.lease import LeaseBook
from tandem.core.trading.pulse import Pulse
from tandem.core.trading.showing import show
from tandem.domain import link as words
from tandem.domain.commands import Asked, HaltTrading
from tandem.domain.control import (
    ANSWER_BYTES_MAX,
    Command,
    CommandAnswer,
    ControlRequest,
    QuestionAnswer,
)
from tandem.domain.desk import (
    MS,
    Alert,
    Commanded,
    DeskEffect,
    DeskEvent,
    DeskSettings,
    Due,
    FromWorker,
    Joined,
    Kill,
    LeaseLapsed,
    QuotesSeen,
    Restarted,
    RoomChanged,
    Tell,
    ToWorker,
    WorkerDied,
    WorkerLost,
    WorkerSilent,
)
from tandem.domain.ids import AccountId, AskerId, CommandId, Incarnation, InstrumentId, VenueId
from tandem.domain.value import Value
from tandem.domain.venue import Login, Quote, Quotes, VenueMessage
from tandem.ports import Clock, Journal, Network, Processes
from tandem.shells.dialer import Dialer
from tandem.shells.link import Link
from tandem.shells.recording import SNAPSHOT_RECORDS, Record, Recording

DeskRecord = Record[DeskEvent, DeskEffect]
NOBODY = AskerId(0)  # connections are numbered from 1
QUOTES_EVERY_S = 1.0
QUOTES_WATCHED_S = 50 * MS / 1e9
ROOM_EVERY_S = 5.0
WorkerLink = Link[words.WorkerMessage]
AskerLink = Link[ControlRequest]


class CoordinatorPlaces(Value, frozen=True, kw_only=True):
    """Where the coordinator listens, and where the venues' market data is."""

    workers: tuple[str, ...]  # on this computer, and perhaps for others
    control: str
    venues: dict[VenueId, str]


class Coordinator:
    """One coordinator process. `secrets` are the accounts' own, never recorded.

    With `halt` it starts halted, whatever its journal says. `on_silent` is told the name of each
    worker that has not been heard of for too long, `on_alert` what the desk tells a person.
    """

    def __init__(  # noqa: PLR0913 - these are its ports
        self,
        desk: Desk,
        journal: Journal,
        *,
        clock: Clock,
        network: Network,
        processes: Processes,
        places: CoordinatorPlaces,
        settings: DeskSettings,
        secrets: Mapping[AccountId, str],
        pulse: Pulse[Incarnation],
        halt: HaltTrading | None = None,
        snapshot_records: int = SNAPSHOT_RECORDS,
    ) -> None:
        self.desk = desk
        self._clock = clock
        self._network = network
        self._processes = processes
        self._places = places
        self._settings = settings
        self._secrets = secrets
        self._pulse = pulse
        self._halt = halt
        self.on_silent: Callable[[str], None] = lambda _: None
        self.on_alert: Callable[[str], None] = lambda _: None
        self.recording: Recording[DeskEvent, DeskEffect] = Recording(
            desk, journal, clock, self._perform, Due, snapshot_records=snapshot_records
        )
        self._workers: dict[Incarnation, WorkerLink] = {}
        self._processes_of: dict[Incarnation, tuple[int, int]] = {}
        self._watches: dict[Incarnation, Callable[[], None]] = {}
        self._askers: dict[AskerId, AskerLink] = {}
        self._next_asker = 1
        self._acks: dict[Incarnation, int] = {}
        self._leases = LeaseBook()
        self._quotes: dict[InstrumentId, Quote] = {}
        self.dropped: Counter[str] = Counter()
        self.on_performed: Callable[[DeskEffect], None] | None = None
        self._worker_decoder = msgspec.msgpack.Decoder(list[words.WorkerMessage])
        self._asker_decoder = msgspec.msgpack.Decoder(list[ControlRequest])
        self._venue_decoder = msgspec.msgpack.Decoder(list[VenueMessage])

    async def run(self) -> None:
        """Start, and serve until canceled."""
        self.recording.feed(Restarted(settings=self._settings))
        if self._halt is not None:
            command_id = CommandId(f"halt-{self.recording.next_record}")
            asked = Asked(command_id=command_id, command=self._halt)
            self.recording.feed(Commanded(asker=NOBODY, asked=asked))
        now_ns = self._clock.now().now_ns
        for worker in self.desk.state.workers.values():
            # Also one that hangs and will never dial again must be found silent.
            self._pulse.heard(worker.incarnation, now_ns)
            if worker.machine is None:
                self._watch(worker.incarnation, pid=worker.pid, started=worker.started)
        self._pulse.on_restart(now_ns)
        self._take_leases(now_ns)
        for address in self._places.workers:
            await self._network.listen(address, self._worker_link)
        await self._network.listen(self._places.control, self._asker_link)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._judge_silence())
            tasks.create_task(self._look_at_room())
            tasks.create_task(self._hand_on_quotes())
            for address in self._places.venues.values():
                tasks.create_task(self._market_data(address).run())

    def _take_leases(self, now_ns: int) -> None:
        """Take every lease as just renewed: heartbeats are not recorded, so it can only be late."""
        for account_id, epoch, holder in self.desk.leased():
            self._leases.on_grant(account_id, epoch, holder, now_ns=now_ns)

    # -- workers

    def _worker_link(self) -> WorkerLink:
        made: WorkerLink = Link(
            self._worker_decoder, self._on_worker, self._on_open, self._on_worker_lost
        )
        return made

    def _on_open(self, link: WorkerLink) -> None:
        link.epoch = self.desk.state.epoch

    def _on_worker(
        self, link: WorkerLink, _epoch: int, messages: Sequence[words.WorkerMessage]
    ) -> None:
        for message in messages:
            if isinstance(message, words.Hello):
                self._hello(link, message)
                continue
            incarnation = link.tag
            if incarnation is None or self._workers.get(incarnation) is not link:
                self.dropped["late_words"] += 1  # it has dialed anew since
                return
            self._pulse.heard(incarnation, self._clock.now().now_ns)
            if isinstance(message, words.Heartbeat):
                self._beat(link, incarnation, message)
                continue
            if isinstance(message, words.Reported):
                self._acks[incarnation] = message.report_id
                if len(self._acks) == 1:
                    self.recording.after_durable(self._acknowledge)
            self.recording.feed(
                FromWorker(incarnation=incarnation, connection=link.connection, message=message)
            )

    def _hello(self, link: WorkerLink, hello: words.Hello) -> None:
        incarnation = hello.incarnation
        earlier = self._workers.get(incarnation)
        if earlier is not None and earlier.connection >= hello.connection:
            self.dropped["late_hellos"] += 1
            link.drop("an older hello than the last")
            return
        peer = self._network.peer(link.transport)
        if peer is None:
            link.drop("the process has gone")
            return
        known = self.desk.state.workers.get(incarnation)
        if known is not None and known.machine != peer.machine:
            # One certified machine must not speak for another's worker, nor cut it off.
            self.dropped["hellos_of_others"] += 1
            link.drop("another machine's worker has this incarnation")
            return
        if earlier is not None:
            earlier.drop("its worker dialed anew")
        link.connection = hello.connection
        link.tag = incarnation
        self._workers[incarnation] = link
        self._pulse.heard(incarnation, self._clock.now().now_ns)
        self.recording.feed(
            Joined(hello=hello, pid=peer.pid, started=peer.started, machine=peer.machine)
        )
        if peer.machine is None:
            self._watch(incarnation, pid=peer.pid, started=peer.started)

    def _watch(self, incarnation: Incarnation, *, pid: int, started: int) -> None:
        if incarnation in self._watches:
            return
        self._processes_of[incarnation] = (pid, started)
        self._watches[incarnation] = lambda: None
        end = self._processes.watch(
            pid, started=started, on_exit=lambda: self._on_exit(incarnation)
        )
        if incarnation in self._watches:
            self._watches[incarnation] = end

    def _on_exit(self, incarnation: Incarnation) -> None:
        self._watches.pop(incarnation, None)
        self._processes_of.pop(incarnation, None)
        self._pulse.forget(incarnation)
        link = self._workers.pop(incarnation, None)
        if link is not None:
            link.drop("its process ended")
        self.recording.feed(WorkerDied(incarnation=incarnation))

    def _on_worker_lost(self, link: WorkerLink, _reason: str) -> None:
        incarnation = link.tag
        if incarnation is not None and self._workers.get(incarnation) is link:
            del self._workers[incarnation]
            self.recording.feed(WorkerLost(incarnation=incarnation, connection=link.connection))

    def _beat(self, link: WorkerLink, incarnation: Incarnation, beat: words.Heartbeat) -> None:
        """Heartbeats are not recorded: what they renew is taken as renewed after a restart."""
        now_ns = self._clock.now().now_ns
        account_id, epoch = self._renewed(incarnation, now_ns)
        link.send(
            words.BeatAcknowledged(
                number=beat.number, account_id=account_id, account_epoch=epoch, at_ns=now_ns
            )
        )

    def _renewed(self, incarnation: Incarnation, now_ns: int) -> tuple[AccountId | None, int]:
        """Return the account and epoch whose lease this worker's heartbeat renews, if any."""
        worker = self.desk.state.workers.get(incarnation)
        if worker is None or worker.slot_id is None or worker.unwanted:
            return None, 0
        seat = self.desk.state.seats[worker.slot_id]
        account_id, epoch = seat.account_id, seat.epoch
        if not self._leases.on_heartbeat(account_id, epoch, incarnation, now_ns=now_ns):
            return None, 0
        return account_id, epoch

    def _acknowledge(self) -> None:
        """Tell workers what is on disk, with the next word: a heartbeat's answer at the latest.

        By itself an acknowledgement would wake a worker that has nothing to do about it.
        """
        acks, self._acks = self._acks, {}
        for incarnation, report_id in acks.items():
            link = self._workers.get(incarnation)
            if link is not None:
                link.postscript = words.Acknowledge(report_id=report_id)

    async def _judge_silence(self) -> None:
        """Look for silent workers; what has arrived is read first, so our stall is not theirs."""
        every_s = self._pulse.heartbeat_ns / 1e9
        while True:
            await asyncio.sleep(every_s)
            await asyncio.sleep(0.001)  # one turn of the loop, in which the sockets are drained
            now_ns = self._clock.now().now_ns
            for incarnation in self._pulse.silent(now_ns):
                silent = self.desk.state.workers.get(incarnation)
                if silent is not None:
                    self.on_silent(silent.name)
                self.recording.feed(WorkerSilent(incarnation=incarnation))
                self._hang_up(incarnation)
            for account_id, epoch in self._leases.lapsed(now_ns):
                self.recording.feed(LeaseLapsed(account_id=account_id, account_epoch=epoch))

    def _hang_up(self, incarnation: Incarnation) -> None:
        """What a silent worker elsewhere says next, it says on a new connection."""
        worker = self.desk.state.workers.get(incarnation)
        link = self._workers.get(incarnation)
        if link is not None and worker is not None and worker.machine is not None:
            link.drop("nothing was heard of the worker")

    # -- askers

    def _asker_link(self) -> AskerLink:
        made: AskerLink = Link(
            self._asker_decoder, self._on_asker, self._on_asker_open, self._on_asker_lost
        )
        made.bytes_max = ANSWER_BYTES_MAX
        return made

    def _on_asker_open(self, link: AskerLink) -> None:
        link.tag = AskerId(self._next_asker)
        self._next_asker += 1
        self._askers[link.tag] = link

    def _on_asker_lost(self, link: AskerLink, _reason: str) -> None:
        del self._askers[link.tag]

    def _on_asker(self, link: AskerLink, _epoch: int, messages: Sequence[ControlRequest]) -> None:
        for message in messages:
            if isinstance(message, Command):
                self.recording.feed(Commanded(asker=link.tag, asked=message.asked))
            else:
                now = self._clock.now()
                leases = self._leases.left(now.now_ns)
                records = self.recording.next_record - 1
                view = show(self.desk, message, records=records, leases=leases, now=now)
                answer = QuestionAnswer(number=message.number, view=view)
                self.recording.after_durable(partial(link.send, answer))

    # -- market data and room

    def _market_data(self, address: str) -> Dialer[VenueMessage]:
        def on_up(link: Link[VenueMessage]) -> None:
            link.send(Login(account_id=None, secret=""))

        def on_messages(_epoch: int, messages: Sequence[VenueMessage]) -> None:
            for message in messages:
                if isinstance(message, Quotes):
                    for quote in message.quotes:
                        self._quotes[quote.instrument_id] = quote

        return Dialer(
            self._network,
            address,
            self._venue_decoder,
            on_up=on_up,
            on_messages=on_messages,
            on_down=lambda: None,
        )

    async def _hand_on_quotes(self) -> None:
        """Let the desk know where the market is: soon at first, and while something waits for it.

        Otherwise once a second: it is a reference then, and each look is a record.
        """
        last_s = -QUOTES_EVERY_S
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(QUOTES_WATCHED_S)
            is_time = clock() - last_s >= QUOTES_EVERY_S
            if self._quotes and (is_time or self._is_watched()):
                quotes, self._quotes = self._quotes, {}
                self.recording.feed(QuotesSeen(quotes=tuple(quotes.values())))
                last_s = clock()

    def _is_watched(self) -> bool:
        state = self.desk.state
        return bool(state.running) or state.objectives.is_on or state.strategies.is_watching

    async def _look_at_room(self) -> None:
        was_short = self.desk.state.short_of_room  # as the records of an earlier process have it
        while True:
            await asyncio.sleep(ROOM_EVERY_S if not was_short else ROOM_EVERY_S / 5)
            if was_short:
                self.recording.probe_room()
            is_short = self.recording.is_short_of_room
            if is_short is not was_short:
                was_short = is_short
                self.recording.feed(RoomChanged(short=is_short))

    # -- effects

    def _perform(self, effects: Sequence[DeskEffect]) -> None:  # noqa: C901 - one line a kind
        links: dict[WorkerLink, None] = {}
        for effect in effects:
            if self.on_performed is not None:
                self.on_performed(effect)
            match effect:
                case ToWorker():
                    link = self._put(effect)
                    if link is not None:
                        links[link] = None
                case Kill():
                    known = self._processes_of.get(effect.incarnation)
                    if known is not None:
                        self._processes.kill(known[0], started=known[1])
                case Alert():
                    self.on_alert(effect.text)
                case Tell():
                    asker = self._askers.get(effect.asker)
                    if asker is not None:
                        told = CommandAnswer(command_id=effect.command_id, answer=effect.answer)
                        asker.send(told)
        for link in links:
            link.flush()

    def _put(self, effect: ToWorker) -> WorkerLink | None:
        """Return the link on which this waits to be flushed; None when nobody hears it."""
        if isinstance(effect.message, words.Grant):
            self._lease(effect.message, effect.incarnation)
        link = self._workers.get(effect.incarnation)
        if link is None or link.connection != effect.connection:
            return None
        link.put(self._with_secret(effect.message))
        return link

    def _lease(self, grant: words.Grant, holder: Incarnation) -> None:
        if grant.lease_ns is not None:
            self._leases.on_grant(
                grant.account_id,
                grant.account_epoch,
                holder,
                now_ns=self._clock.now().now_ns,
            )

    def _with_secret(self, message: words.CoordinatorMessage) -> words.CoordinatorMessage:
        """A secret is added on the wire: it is in no record."""
        if not isinstance(message, words.Grant):
            return message
        secret = self._secrets.get(message.account_id, "")
        return msgspec.structs.replace(message, secret=secret)
