"""A desk, nine workers and two venues of one market, in virtual time and without I/O.

Every word travels over a line of its own that keeps their order: coordinator to worker, worker to
venue, and back. Lines are late now and then. A line that ends loses what is on its way.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from tandem.core.matching.exchange import Exchange
from tandem.core.trading.desk import Desk
from tandem.core.trading.worker import Worker
from tandem.domain import desk as events
from tandem.domain import exchange as market
from tandem.domain import link
from tandem.domain.bundle import Bundle
from tandem.domain.commands import Answer, Asked, Command, SetUpPool, Taken
from tandem.domain.desk import MS, SECOND, DeskSettings, SlotSettings, Timings, VenueSettings
from tandem.domain.ids import (
    AccountId,
    AskerId,
    CommandId,
    DeskId,
    Incarnation,
    InstrumentId,
    Lots,
    MarketId,
    ParentId,
    SlotId,
    Ticks,
    VenueId,
)
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.domain.limits import Limits
from tandem.domain.order import FenceClass
from tandem.domain.venue import Login, Misbehave, Misbehavior, PlaceOrder, Quotes, VenueRequest
from tandem.domain.worker import Hangup, Say, ToVenue, WorkerEffect

VENUES: Final = (VenueId("X"), VenueId("Y"))
SYMBOLS: Final = ("T", "U")
PRICE: Final = 10_000
SLOTS: Final = tuple(SlotId(f"w{n}") for n in range(1, 9))
LOTS_MAX: Final = 400  # of one order
FINISHED_MAX: Final = 2_000
# Mostly venues whose requests expire, some that know an id for ever, one that proves nothing.
CLASSES: Final = "AAABAABC"
MARKET_DATA: Final = 0  # the session that lies are ordered on, and quotes come from
WORD: Final = "s"  # that every account is opened with
RECORD = msgspec.msgpack.Encoder()


class Watcher(Protocol):
    """What is told of everything that could break a promise."""

    def on_desk(self, event: events.DeskEvent, effects: list[events.DeskEffect]) -> None:
        """The desk has decided."""

    def on_request(self, process: "Process", request: VenueRequest) -> None:
        """A worker writes to its venue."""

    def before_venue(self, venue_id: VenueId, event: market.ExchangeEvent) -> None:
        """A venue is about to take something."""

    def after_venue(self, venue_id: VenueId, event: market.ExchangeEvent) -> None:
        """The venue has taken it."""

    def bad(self, invariant: str, text: str) -> None:
        """Something that must not be was seen."""


class Process:
    """One run of a worker, with its lines."""

    def __init__(self, name: str, number: int) -> None:
        self.core = Worker(Incarnation(f"i{number}"), name)
        self.alive = True
        self.connected = False
        self.line = 0  # of the coordinator: what came over an earlier one is lost
        self.sessions: dict[VenueId, int] = {}
        self.due_ns: int | None = None


def settings() -> DeskSettings:
    """Return the desk's settings: eight accounts at two venues, two books in one market."""
    listed = tuple(
        Instrument(
            instrument_id=InstrumentId(f"{symbol}@{venue_id}"),
            symbol=symbol,
            venue_id=venue_id,
            market_id=MarketId("m"),
            base=symbol,
            quote="USD",
            tick_size=Decimal("0.01"),
            lot_size=Decimal(1),
        )
        for venue_id in VENUES
        for symbol in SYMBOLS
    )
    limits = Limits(
        max_notional=Decimal(10) ** 9,
        max_position_notional=Decimal(10) ** 12,
        max_gross_exposure=Decimal(10) ** 13,
        max_daily_loss=Decimal(10) ** 12,
        max_open_orders=100_000,
        max_orders_per_second=1_000_000,
        max_duplicates=1_000_000,
        max_quantity={one.instrument_id: LOTS_MAX for one in listed},
    )
    venues = tuple(VenueSettings(venue_id=one) for one in VENUES)
    bundle = Bundle(strategies=(), instruments=listed, venues=venues, limits=limits)
    return DeskSettings(
        desk_id=DeskId("d"),
        slots=tuple(
            SlotSettings(
                slot_id=slot_id,
                account_id=AccountId(f"A{number + 1}"),
                venue_id=VENUES[number // 4],
                fence_class=FenceClass(CLASSES[number]),
                may_short=number % 2 == 0,
            )
            for number, slot_id in enumerate(SLOTS)
        ),
        venues=venues,
        instruments=listed,
        limits=limits,
        bundle=msgspec.msgpack.encode(bundle),
        timings=Timings(poll_ns=2 * SECOND, retry_ns=5 * SECOND, person_ns=4 * SECOND),
        finished_max=FINISHED_MAX,
    )


def venue_settings(desk: DeskSettings, venue_id: VenueId, seed: int) -> market.ExchangeSettings:
    """Return one venue's: all accounts of one owner, so that their meeting shows."""
    listed = tuple(one for one in desk.instruments if one.venue_id == venue_id)
    return market.ExchangeSettings(
        venue_id=venue_id,
        instruments=listed,
        accounts=tuple(
            market.AccountSettings(
                account_id=one.account_id,
                secret=WORD,
                owner="we",
                cash={"USD": Decimal(10) ** 10},
                positions={listing.instrument_id: Lots(10**7) for listing in listed},
                fence_class=one.fence_class,
                may_short=one.may_short,
            )
            for one in desk.slots
            if one.venue_id == venue_id
        ),
        seed=seed,
        # Own orders that met would each show what was prevented.
        self_match=market.SelfMatch.DECREMENT,
        fees=market.Fees(maker=Decimal("-0.0001"), taker=Decimal("0.0003")),
        misbehavior_open=True,
        synthetic=market.SyntheticMarket(
            books=tuple(
                market.SyntheticBook(
                    instrument_id=one.instrument_id,
                    reference=Ticks(PRICE),
                    stride=Ticks(1),
                    depth=Lots(60),
                    levels=4,
                )
                for one in listed
            ),
            step_ns=100 * MS,
        ),
        final_orders_kept=4_000,
        executions_kept=20_000,
    )


class Floor:
    """All of it; `watcher` is told before and after whatever may break a promise."""

    def __init__(self, seed: int) -> None:
        self.draws = random.Random(f"{seed} floor")
        self.now_ns = 1_000 * SECOND
        self.settings = settings()
        self.desk = Desk()
        self.exchanges = {
            venue_id: Exchange(venue_settings(self.settings, venue_id, seed + at))
            for at, venue_id in enumerate(VENUES)
        }
        self.processes: dict[Incarnation, Process] = {}
        self.by_session: dict[VenueId, dict[int, Process]] = {one: {} for one in VENUES}
        self.answers: dict[CommandId, Answer] = {}
        self.seen: Counter[str] = Counter()
        self.watcher: Watcher
        self.is_calm = False
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._pushed = 0
        self._lines: dict[object, int] = {}
        self._asked = 0
        self._sessions = MARKET_DATA
        self._due: dict[object, int] = {}
        self._snapshot = b""
        self._journal: list[tuple[events.DeskEvent, Instant, list[events.DeskEffect]]] = []

    @property
    def now(self) -> Instant:
        """The moment, by both clocks."""
        return Instant(self.now_ns, self.now_ns + 1_700_000_000 * SECOND)

    # -- time

    def after(self, delay_ns: int, action: Callable[..., None], *words: Any) -> None:
        """Do this in a while."""
        self._pushed += 1
        heapq.heappush(self._queue, (self.now_ns + delay_ns, self._pushed, action, words))

    def over(self, line: object, action: Callable[..., None], *words: Any) -> None:
        """Do this when it has come over that line, behind everything that went before."""
        draws = self.draws
        delay_ns = draws.randrange(50_000, 2 * MS)
        if not self.is_calm and draws.random() < 0.003:
            delay_ns = draws.randrange(2 * MS, 400 * MS)
            self.seen["late words"] += 1
        at_ns = max(self.now_ns + delay_ns, self._lines.get(line, 0))
        self._lines[line] = at_ns
        self._pushed += 1
        heapq.heappush(self._queue, (at_ns, self._pushed, action, words))

    def run(self, until_ns: int) -> None:
        """Let everything happen that is due by then."""
        queue = self._queue
        while queue and queue[0][0] <= until_ns:
            at_ns, _, action, words = heapq.heappop(queue)
            self.now_ns = max(self.now_ns, at_ns)
            action(*words)
        self.now_ns = max(self.now_ns, until_ns)

    def _wake(self, what: object, due_ns: int | None, ring: Callable[[int], None]) -> None:
        """Arrange one alarm; an earlier one that is no longer wanted rings for nothing."""
        if due_ns is None:
            return
        set_ns = self._due.get(what)
        if set_ns is None or due_ns < set_ns or set_ns < self.now_ns:
            self._due[what] = due_ns
            self.after(max(0, due_ns - self.now_ns), ring, due_ns)

    # -- the desk

    def open(self) -> "Floor":
        """Start everything, and set the pool up."""
        for venue_id in VENUES:
            self._tell_venue(venue_id, market.SessionOpened(session=MARKET_DATA))
            login = Login(account_id=None, secret="")
            self._tell_venue(venue_id, market.Requested(session=MARKET_DATA, request=login))
        self.feed(events.Restarted(settings=self.settings))
        self._snapshot = self.desk.snapshot()
        self._journal.clear()
        for number in range(len(SLOTS) + 1):
            self.start_worker(f"p{number}")
        self.run(self.now_ns + 100 * MS)
        self.ask(SetUpPool(workers=len(SLOTS)))
        self.run(self.now_ns + SECOND)
        return self

    def feed(self, event: events.DeskEvent) -> None:
        """Let the desk decide; record it, and do what it wants."""
        now = self.now
        effects = self.desk.on(event, now)
        self._journal.append((event, now, effects))
        self.watcher.on_desk(event, effects)
        for effect in effects:
            if isinstance(effect, events.ToWorker):
                process = self.processes.get(effect.incarnation)
                if process is not None and process.connected:
                    words = (process, process.line, effect, self.desk.state.epoch)
                    self.over((process.core.incarnation, "down"), self._to_worker, *words)
            elif isinstance(effect, events.Kill):
                self.after(1 * MS, self.kill, effect.incarnation)
            elif isinstance(effect, events.Tell):
                self.answers[effect.command_id] = effect.answer
        self._wake("desk", self.desk.next_due_ns, self._ring_desk)

    def _ring_desk(self, due_ns: int) -> None:
        wanted_ns = self.desk.next_due_ns
        if self._due.get("desk") == due_ns:
            del self._due["desk"]
        if wanted_ns is not None and wanted_ns <= self.now_ns:
            self.feed(events.Due())
        else:
            self._wake("desk", wanted_ns, self._ring_desk)

    def ask(self, command: Command) -> Answer | None:
        """Give a command; None when it is answered later."""
        self._asked += 1
        command_id = CommandId(f"c{self._asked}")
        asked = Asked(command_id=command_id, command=command)
        self.feed(events.Commanded(asker=AskerId(1), asked=asked))
        return self.answers.pop(command_id, None)

    def order_of(self, answer: Answer | None) -> ParentId | None:
        """Return the id of what was taken."""
        return answer.order_id if isinstance(answer, Taken) else None

    def restart(self) -> None:
        """The coordinator dies: what it had not said is lost, and replay must bring it back."""
        twin = Desk.restore(self._snapshot)
        for event, now, effects in self._journal:
            if RECORD.encode(twin.on(event, now)) != RECORD.encode(effects):
                self.watcher.bad("I11", f"{type(event).__name__} had other effects before")
        self._snapshot = twin.snapshot()
        if self._snapshot != self.desk.snapshot():
            self.watcher.bad("I11", "replay leads to another state")
        self.seen["restarts"] += 1
        self.seen["records replayed"] += len(self._journal)
        self.desk = twin
        self._journal.clear()
        self.answers.clear()
        for process in self.processes.values():
            self._unplug(process)
        self.feed(events.Restarted(settings=self.settings))

    # -- workers

    def start_worker(self, name: str) -> None:
        """Start one more process."""
        self._pushed += 1
        process = Process(name, self._pushed)
        self.processes[process.core.incarnation] = process
        for venue_id in VENUES:
            self._open_session(process, venue_id)
        self._plug(process)

    def _plug(self, process: Process) -> None:
        if not process.alive or process.connected:
            return
        process.connected = True
        process.line += 1
        (hello,) = process.core.on_connected()
        assert isinstance(hello, Say)
        self.over(
            (process.core.incarnation, "up"), self._joined, process, process.line, hello.message
        )

    def _joined(self, process: Process, line: int, hello: link.Hello) -> None:
        if process.alive and process.connected and line == process.line:
            pid = int(process.core.incarnation[1:])
            self.feed(events.Joined(hello=hello, pid=pid, started=1))

    def _unplug(self, process: Process) -> None:
        process.connected = False
        process.line += 1
        process.core.on_disconnected()
        self.after(self.draws.randrange(1, 20) * MS, self._plug, process)

    def cut(self, process: Process) -> None:
        """End a worker's connection; it dials again."""
        if process.connected:
            connection = process.core.connection
            self._unplug(process)
            incarnation = process.core.incarnation
            self.feed(events.WorkerLost(incarnation=incarnation, connection=connection))

    def kill(self, incarnation: Incarnation) -> None:
        """End a worker's process; a new one is started."""
        process = self.processes.pop(incarnation, None)
        if process is None:
            return
        process.alive = process.connected = False
        for venue_id, session in process.sessions.items():
            self.by_session[venue_id].pop(session, None)
            closed = market.SessionClosed(session=session)
            # Behind what is on its way: that was in the socket already.
            self.over((incarnation, venue_id), self._tell_venue, venue_id, closed)
        self.after(MS // 2, self._died, incarnation)
        self.after(30 * MS, self.start_worker, process.core.name)
        self.seen["workers killed"] += 1

    def _died(self, incarnation: Incarnation) -> None:
        self.feed(events.WorkerDied(incarnation=incarnation))
        for key in [one for one in self._lines if isinstance(one, tuple) and one[0] == incarnation]:
            if self._lines[key] < self.now_ns:
                del self._lines[key]

    def _to_worker(self, process: Process, line: int, effect: events.ToWorker, epoch: int) -> None:
        core = process.core
        if not process.alive or line != process.line or effect.connection != core.connection:
            return
        message = effect.message
        if isinstance(message, link.Grant):
            message = msgspec.structs.replace(message, secret=WORD)
        self.perform(process, core.on_coordinator(message, epoch, self.now))

    def perform(self, process: Process, effects: list[WorkerEffect]) -> None:
        """Do what a worker wants."""
        incarnation = process.core.incarnation
        for effect in effects:
            if isinstance(effect, Say):
                if process.connected:
                    words = (process, process.line, effect.message)
                    self.over((incarnation, "up"), self._from_worker, *words)
            elif isinstance(effect, ToVenue):
                self.watcher.on_request(process, effect.request)
                session = process.sessions[effect.venue_id]
                event = market.Requested(session=session, request=effect.request)
                line = (incarnation, effect.venue_id)
                self.over(line, self._tell_venue, effect.venue_id, event)
            else:
                assert isinstance(effect, Hangup)
                self._hang_up(process, effect.venue_id)
        due_ns = process.core.next_due_ns
        if due_ns is not None and (process.due_ns is None or due_ns < process.due_ns):
            process.due_ns = due_ns
            self.after(max(0, due_ns - self.now_ns), self._ring_worker, process, due_ns)

    def _ring_worker(self, process: Process, due_ns: int) -> None:
        if not process.alive or process.due_ns != due_ns:
            return
        process.due_ns = None
        self.perform(process, process.core.on_due(self.now))

    def _from_worker(self, process: Process, line: int, message: Any) -> None:
        if not process.alive or line != process.line:
            return
        core = process.core
        self.feed(
            events.FromWorker(
                incarnation=core.incarnation, connection=core.connection, message=message
            )
        )
        if isinstance(message, link.Reported) and message.report_id % 4 == 0:
            ack = events.ToWorker(
                incarnation=core.incarnation,
                connection=core.connection,
                message=link.Acknowledge(report_id=message.report_id),
            )
            words = (process, line, ack, self.desk.state.epoch)
            self.over((core.incarnation, "down"), self._to_worker, *words)

    # -- venues

    def _open_session(self, process: Process, venue_id: VenueId) -> None:
        if not process.alive:
            return
        self._sessions += 1
        session = self._sessions
        process.sessions[venue_id] = session
        self.by_session[venue_id][session] = process
        opened = market.SessionOpened(session=session)
        self.over((process.core.incarnation, venue_id), self._tell_venue, venue_id, opened)
        self.perform(process, process.core.on_session_up(venue_id))

    def _hang_up(self, process: Process, venue_id: VenueId) -> None:
        session = process.sessions[venue_id]
        self.by_session[venue_id].pop(session, None)
        closed = market.SessionClosed(session=session)
        self.over((process.core.incarnation, venue_id), self._tell_venue, venue_id, closed)
        self._open_session(process, venue_id)

    def drop_session(self, process: Process, venue_id: VenueId) -> None:
        """End a worker's transport to a venue; it opens a new one."""
        session = process.sessions[venue_id]
        self.by_session[venue_id].pop(session, None)
        self._tell_venue(venue_id, market.SessionClosed(session=session))
        self.perform(process, process.core.on_session_down(venue_id))
        self._open_session(process, venue_id)

    def restart_venue(self, venue_id: VenueId) -> None:
        """A venue's process comes back from its journal; nobody is connected any more."""
        exchange = self.exchanges[venue_id]
        again = Exchange.restore(exchange.snapshot())
        if again.snapshot() != exchange.snapshot():
            self.watcher.bad("I11", f"{venue_id} comes back in another state")
        self.exchanges[venue_id] = again
        self._tell_venue(venue_id, market.Restarted())
        self._tell_venue(venue_id, market.SessionOpened(session=MARKET_DATA))
        login = Login(account_id=None, secret="")
        self._tell_venue(venue_id, market.Requested(session=MARKET_DATA, request=login))
        for process in list(self.by_session[venue_id].values()):
            self.drop_session(process, venue_id)
        self.seen["venue restarts"] += 1

    def lie(self, lies: Misbehavior) -> None:
        """Let both venues lie so from now on."""
        for venue_id in VENUES:
            order = Misbehave(misbehavior=lies, seed=self.draws.randrange(2**32))
            self._tell_venue(venue_id, market.Requested(session=MARKET_DATA, request=order))

    def _tell_venue(self, venue_id: VenueId, event: market.ExchangeEvent) -> None:
        exchange = self.exchanges[venue_id]
        watched = not isinstance(event, market.Requested) or not isinstance(event.request, Login)
        if watched:
            self.watcher.before_venue(venue_id, event)
        effects = exchange.on(event, self.now)
        if watched:
            self.watcher.after_venue(venue_id, event)
        if isinstance(event, market.Requested) and isinstance(event.request, PlaceOrder):
            self.seen["orders at venues"] += 1
        for effect in effects:
            if not isinstance(effect, market.ToSession):
                continue
            if effect.session == MARKET_DATA:
                if isinstance(effect.message, Quotes):
                    quotes = events.QuotesSeen(quotes=effect.message.quotes)
                    self.over((venue_id, "data"), self.feed, quotes)
                continue
            line = (venue_id, effect.session)
            self.over(line, self._from_venue, venue_id, effect.session, effect.message)
        self._wake(venue_id, exchange.next_due_ns, lambda at: self._ring_venue(venue_id, at))

    def _ring_venue(self, venue_id: VenueId, due_ns: int) -> None:
        if self._due.get(venue_id) == due_ns:
            del self._due[venue_id]
        wanted_ns = self.exchanges[venue_id].next_due_ns
        if wanted_ns is not None and wanted_ns <= self.now_ns:
            self._tell_venue(venue_id, market.Due())
        else:
            self._wake(venue_id, wanted_ns, lambda at: self._ring_venue(venue_id, at))

    def _from_venue(self, venue_id: VenueId, session: int, message: Any) -> None:
        process = self.by_session[venue_id].get(session)
        if process is not None and process.alive:
            self.perform(process, process.core.on_venue(venue_id, message, self.now))
